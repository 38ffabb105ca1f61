"""What a forecast makes of expected requests: bytes, peak rates, hours; who may not be forecast, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cdn.errors import CdnError, DataError, UnknownNameError
from cdn.forecasting.demand_forecast import day_number, forecast
from cdn.forecasting.forecasters import FORECASTERS
from cdn.forecasting.history import history_of_log
from cdn.forecasting.hour_profiles import hour_shares, peak_bps_per_byte
from cdn.forecasting.request_sizes import bytes_per_request
from cdn.model.catalog import Catalog
from cdn.model.index import Index
from cdn.model.request_log import RequestLog

DAY = pd.Timestamp("2026-03-16")
REGIONS = Index(["north", "south"])
CATALOG = Catalog.of_sizes(["a", "b", "c"], [100, 200, 400])
HOUR_US = 3600 * 10**6
# (hours before the day, region, asset, share of the asset's size that was sent)
REQUESTS = st.lists(st.tuples(st.integers(1, 240), st.integers(0, 1), st.integers(0, 1), st.floats(0, 1)),
                    min_size=1, max_size=40)


def history_of_requests(requests):
    """From rows (hours before the day, region, asset, bytes)."""
    hours_ago, region, asset, size = np.array(requests, dtype=np.int64).reshape(-1, 4).T
    time_us = (day_number(DAY) * 24 - hours_ago) * HOUR_US
    return history_of_log(RequestLog(REGIONS, CATALOG.asset_index, time_us, region, asset, size), day_number(DAY))


def test_bytes_per_request_by_hand():
    """Asset a (100 bytes): 4 requests of 50; b (200): one of 200. Sent 400 of 600 whole: g = 2/3. With m = 5:
    a (200 + 5 * 2/3 * 100) / 9 = 59.259; b (200 + 5 * 2/3 * 200) / 6 = 144.444; c, never seen, 2/3 of 400."""
    history = history_of_requests([(1, 0, 0, 50)] * 4 + [(1, 1, 1, 200)])
    expected = [(200 + 1000 / 3) / 9, (200 + 2000 / 3) / 6, 800 / 3]
    assert bytes_per_request(history, CATALOG.size_bytes) == pytest.approx(expected)


def test_hours_and_peak_by_hand():
    """North sends 30 bytes in hour 23 and 10 in hour 22, south 40 in hour 22; with a prior of 2 requests, north's 2
    requests weigh half and south's single one a third. All: 50 bytes in hour 22, 30 in hour 23."""
    shares = hour_shares(history_of_requests([(1, 0, 0, 30), (2, 0, 0, 10), (2, 1, 0, 40)]), prior_requests=2.0)
    assert shares[22] == pytest.approx([0.5 * 0.25 + 0.5 * 0.625, 1 / 3 + 2 / 3 * 0.625])
    assert shares[23] == pytest.approx([0.5 * 0.75 + 0.5 * 0.375, 2 / 3 * 0.375])
    assert shares.sum(axis=0) == pytest.approx([1, 1]) and not shares[:22].any()
    assert peak_bps_per_byte(shares) == pytest.approx(shares.max(axis=0) * 8 / 3600)


@pytest.mark.parametrize("method", FORECASTERS)
@settings(max_examples=40, deadline=None)
@given(requests=REQUESTS)
def test_rates_bytes_and_hours_add_up(method, requests):
    """A region's rates over the 24 hours carry its bytes, its peak is its busiest hour, and no request is expected to
    send more than the asset's size when none did. Asset c, never asked for, gets nothing."""
    rows = [(ago, r, a, int(share * CATALOG.size_bytes[a])) for ago, r, a, share in requests]
    demand = forecast(history_of_requests(rows), DAY, method, CATALOG)
    assert demand.hour_factor.shape == (24, 2) and demand.hour_factor.max(axis=0) == pytest.approx([1, 1])
    peak = np.bincount(demand.region, demand.peak_bps, 2)
    carried = (demand.hour_factor * peak).sum(axis=0) * 3600 / 8
    assert carried == pytest.approx(np.bincount(demand.region, demand.bytes, 2))
    limit = demand.requests * CATALOG.size_bytes[demand.asset]
    assert (demand.bytes <= limit * (1 + 1e-12)).all() and (demand.bytes >= 0).all()
    assert 2 not in demand.asset


def test_the_day_itself_in_the_history_is_refused():
    history = history_of_requests([(1, 0, 0, 10)])
    with pytest.raises(ValueError, match="reaches day number"):
        forecast(history, DAY - pd.Timedelta(days=1), "last_day", CATALOG)
    with pytest.raises(ValueError, match="different assets"):
        forecast(history, DAY, "last_day", Catalog.of_sizes(["a"], [100]))


def test_an_empty_history_is_bad_data():
    with pytest.raises(DataError, match="requests in the days before 2026-03-16"):
        forecast(history_of_requests([]), DAY, "shrinkage", CATALOG)


def test_unknown_names_list_the_known_ones():
    history = history_of_requests([(1, 0, 0, 10)])
    with pytest.raises(UnknownNameError, match="known: exponential, last_day, moving_average, seasonal_naive, shrink"):
        forecast(history, DAY, "oracle", CATALOG)
    with pytest.raises(UnknownNameError, match="known: half_life_days, k, min_requests, per_region"):
        forecast(history, DAY, "shrinkage", CATALOG, window_days=3)


@pytest.mark.parametrize(("method", "name", "value"), [
    ("moving_average", "window_days", float("nan")), ("moving_average", "window_days", None),
    ("exponential", "smoothing", float("nan")), ("shrinkage", "k", 10**400), ("shrinkage", "k", float("inf")),
    ("shrinkage", "half_life_days", float("nan")), ("shrinkage", "min_requests", -1)])
def test_values_that_make_no_sense_are_reported_without_a_traceback(method, name, value):
    with pytest.raises(CdnError, match=f"forecasting method {method}"):
        forecast(history_of_requests([(1, 0, 0, 10)]), DAY, method, CATALOG, **{name: value})
