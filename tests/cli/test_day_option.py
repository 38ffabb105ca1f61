"""Days on the command line."""

import click
import pandas as pd
import pytest

from cdn.cli.options import DayParam


def test_a_day_is_midnight_utc():
    assert DayParam().convert("2012-12-28", None, None) == pd.Timestamp("2012-12-28")


@pytest.mark.parametrize(
    "text", ["", "NaT", "now", "2012-02-30", "28.12.2012", "0001-01-01", "1970-01-01", "2012-12-28T01"]
)
def test_what_is_no_day_is_refused(text):
    with pytest.raises(click.BadParameter, match="not a day such as"):
        DayParam().convert(text, None, None)
