"""Days cut short are left out, holes stay holes, and both are counted."""

import numpy as np
import pandas as pd
import pytest
from forecasting.simulated_histories import FIRST_DAY, history_of_counts
from forecasting.tiny_histories import METHODS

from cdn.forecasting.demand_forecast import forecast
from cdn.forecasting.records import forecast_record
from cdn.forecasting.thin_days import thin_days, whole_days
from cdn.model.catalog import Catalog

HOLE, CUT = 5, (8, 13)


def history_with(cut: bool):
    """14 days of 6 titles in 3 regions, about 20 requests each; day 5 is missing, and of days 8 and 13 the log has the
    first hour only (or, for comparison, nothing)."""
    counts = np.random.default_rng(4).poisson(20, (14, 6, 3))
    counts[HOLE] = 0
    for day in CUT:
        counts[day] = 0
        counts[day, 0, 0] = 3 * cut
    return history_of_counts(counts)


def test_a_cut_day_is_thin_and_becomes_a_missing_one():
    history = history_with(cut=True)
    assert thin_days(history).tolist() == [FIRST_DAY + day for day in CUT]
    whole = whole_days(history)
    assert np.flatnonzero(~whole.observed).tolist() == [HOLE, *CUT] and not np.isin(whole.day, CUT).any()
    assert whole.until_day == history.until_day and len(whole) == len(history) - 2
    assert not whole.hour_bytes[list(CUT)].any() and whole_days(whole) is whole


@pytest.mark.parametrize("method", METHODS)
def test_nothing_is_learned_from_a_cut_day(method):
    """The forecast is that of a log that lacks these days altogether; a region's morning is not taken for its day."""
    catalog = Catalog.of_sizes(history_with(True).asset_index.ids, np.full(6, 100))
    day = pd.Timestamp(0) + pd.Timedelta(days=FIRST_DAY + 14)
    cut, missing = (forecast(history_with(one), day, method, catalog) for one in (True, False))
    for name in ("region", "requests", "bytes", "peak_bps", "bytes_p10", "bytes_p90"):
        np.testing.assert_array_equal(getattr(cut, name), getattr(missing, name))
    assert cut.requests.sum() > 200


def test_the_record_counts_them():
    history = history_with(cut=True)
    found = forecast_record(history, pd.Timestamp("2026-01-01"), "last_day", {}, {})["history"]
    assert (found["days_observed"], found["days_missing"], found["days_thin"]) == (13, 1, 2)
