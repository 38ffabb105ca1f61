"""The page that says how to add a forecaster holds a whole one: it is run, with the page's own examples."""

import doctest
import re
from pathlib import Path

import pytest
from forecasting.tiny_histories import FORECAST_DAY, as_table, history_of

from cdn.forecasting.forecasters import FORECASTERS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "adding_a_forecaster.md").read_text(encoding="utf-8")


@pytest.fixture
def names(monkeypatch):
    """What the page's code defines; FORECASTERS is put back afterwards."""
    (code,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    defined = {}
    exec(code, defined)
    monkeypatch.setitem(FORECASTERS, "median_day", defined["median_day"])
    return defined


def test_the_examples_of_the_page(names):
    (examples,) = re.findall(r"^```pycon\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    test = doctest.DocTestParser().get_doctest(examples, names, "page", "adding_a_forecaster.md", 0)
    assert test.examples and doctest.DocTestRunner(verbose=False).run(test).failed == 0


def test_the_example_by_hand(names):
    """Days 1, 2 and 4 before are there: (big, a) 4, 0, 6 -> 4; (big, b) 0, 3, 0 -> 0. Two days back: 2 and 1.5."""
    history = history_of([(1, 0, 0, 4), (2, 0, 1, 3), (4, 0, 0, 6)])
    assert as_table(names["median_day"](history, FORECAST_DAY)) == {(0, 0): 4, (0, 1): 0}
    assert as_table(names["median_day"](history, FORECAST_DAY, window_days=2)) == {(0, 0): 2, (0, 1): 1.5}
