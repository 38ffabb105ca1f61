"""From expected requests to demand: bytes per request, hours and peaks, worked out by hand."""

import numpy as np
import pytest
from forecasting.tiny_histories import (
    ASSETS,
    CATALOG,
    DAY_US,
    FORECAST_DAY,
    METHODS,
    REGIONS,
    day_of,
    history_of,
    log_of,
)

from cdn.errors import CdnError, DataError, UnknownNameError
from cdn.forecasting.demand_forecast import day_number, forecast
from cdn.forecasting.history import history_of_log
from cdn.forecasting.hour_profiles import hour_shares, peak_bps_per_byte
from cdn.forecasting.request_sizes import bytes_per_request
from cdn.model.catalog import Catalog
from cdn.model.request_log import RequestLog

DAY = day_of(FORECAST_DAY)
HOUR_US = 3600 * 10**6


def log_by_hour(rows) -> RequestLog:
    """The day before the forecast day; ``rows``: (hour, region, asset, bytes)."""
    hour, region, asset, size = np.array(rows, dtype=np.int64).T
    return RequestLog(REGIONS, ASSETS, (FORECAST_DAY - 1) * DAY_US + hour * HOUR_US, region, asset, size)


def test_day_numbers():
    assert day_number(DAY) == FORECAST_DAY and day_number(day_of(0)) == 0


def test_bytes_per_request_lean_on_the_size_where_the_log_says_little():
    """Sizes 100, 200, 300. a: 4 requests of 20 B; b: 1 of 200 B; whole assets would be 600 B, so g = 280/600 = 7/15.
    With m = 5: a (80 + 5 * 7/15 * 100) / 9 = 34.8148, b (200 + 5 * 7/15 * 200) / 6 = 111.1111, c 7/15 * 300 = 140."""
    history = history_of_log(log_by_hour([(0, 0, 0, 20)] * 4 + [(0, 0, 1, 200)]), FORECAST_DAY)
    found = bytes_per_request(history, CATALOG.size_bytes)
    np.testing.assert_allclose(found, [34.814815, 111.111111, 140.0], rtol=1e-6)


def test_assets_always_sent_whole_have_their_size():
    history = history_of_log(log_by_hour([(0, 0, 0, 100), (1, 1, 1, 200)]), FORECAST_DAY)
    np.testing.assert_allclose(bytes_per_request(history, CATALOG.size_bytes), CATALOG.size_bytes)


def test_hours_of_a_region_lean_on_everyone_s_where_it_has_few_requests():
    """All bytes: 3/4 in hour 20, 1/4 in hour 8. The small region's one request is at 8. With m = 1 it weighs 1/2 of its
    own: hour 8 has 1/2 + 1/2 * 1/4 = 5/8; the big one's three weigh 3/4: hour 20 has 3/4 + 1/4 * 3/4 = 15/16."""
    history = history_of_log(log_by_hour([(20, 0, 0, 10)] * 3 + [(8, 1, 0, 10)]), FORECAST_DAY)
    shares = hour_shares(history, FORECAST_DAY, prior_requests=1.0)
    np.testing.assert_allclose(shares[[8, 20]], [[1 / 16, 5 / 8], [15 / 16, 3 / 8]])
    np.testing.assert_allclose(shares.sum(axis=0), 1)
    np.testing.assert_allclose(peak_bps_per_byte(shares), [15 / 16 * 8 / 3600, 5 / 8 * 8 / 3600])


@pytest.mark.parametrize("rows", [[(12, 0, 0, 0)], [(12, 0, 0, 5)]])
def test_hours_without_bytes(rows):
    """A region without bytes has everyone's hours; without any bytes at all the hours are alike."""
    shares = hour_shares(history_of_log(log_by_hour(rows), FORECAST_DAY), FORECAST_DAY)
    np.testing.assert_allclose(shares[:, 1], np.eye(24)[12] if rows[0][3] else 1 / 24)


def test_a_forecast_by_hand():
    """Yesterday, all at noon: the big region asked twice for a (100 B), the small one once for b (200 B), each sent
    whole. So bytes 200 and 200, all in one hour: 200 * 8 / 3600 bit/s, and that hour's factor is 1, the others' 0."""
    history = history_of_log(log_by_hour([(12, 0, 0, 100)] * 2 + [(12, 1, 1, 200)]), FORECAST_DAY)
    demand = forecast(history, DAY, "last_day", CATALOG)
    assert demand.indptr.tolist() == [0, 1, 2, 2] and demand.region.tolist() == [0, 1]
    assert demand.requests.tolist() == [2, 1]
    np.testing.assert_allclose(demand.bytes, [200, 200])
    np.testing.assert_allclose(demand.peak_bps, 200 * 8 / 3600)
    np.testing.assert_allclose(demand.hour_factor, np.repeat(np.eye(24)[12][:, None], 2, axis=1))


@pytest.mark.parametrize("method", METHODS)
def test_the_busiest_hour_carries_the_peak_and_the_hours_carry_the_bytes(method):
    rng = np.random.default_rng(4)
    rows = [tuple(int(rng.integers(high)) for high in (24, 2, 3, 300)) for _ in range(200)]
    demand = forecast(history_of_log(log_by_hour(rows), FORECAST_DAY), DAY, method, CATALOG)
    np.testing.assert_allclose(demand.hour_factor.max(axis=0), 1)
    carried = demand.peak_bps * demand.hour_factor.sum(axis=0)[demand.region] * 3600 / 8
    np.testing.assert_allclose(carried, demand.bytes)


@pytest.mark.parametrize("method", METHODS)
def test_neither_sizes_nor_hours_nor_requests_see_the_future(method):
    rows = [(ago, ago % 2, ago % 3, ago) for ago in range(1, 9)]
    log = log_of(rows)
    future = log_of([(0, 1, 2, 500), (-3, 0, 1, 500)], bytes_=10**9, hour=3)
    poisoned = RequestLog(REGIONS, ASSETS, *(np.concatenate([getattr(log, name), getattr(future, name)])
                                             for name in ("time_us", "region", "asset", "bytes")))
    clean, other = (forecast(history_of_log(one, FORECAST_DAY), DAY, method, CATALOG) for one in (log, poisoned))
    for name in ("indptr", "region", "requests", "bytes", "peak_bps", "hour_factor"):
        np.testing.assert_array_equal(getattr(clean, name), getattr(other, name))


def test_what_cannot_be_forecast_is_refused():
    history = history_of([(1, 0, 0, 1)])
    with pytest.raises(ValueError, match=f"reaches day number {FORECAST_DAY - 1}, the forecast is of"):
        forecast(history, day_of(FORECAST_DAY - 1), "last_day", CATALOG)
    with pytest.raises(ValueError, match="different assets"):
        forecast(history, DAY, "last_day", Catalog.of_sizes(["x"], [1]))
    with pytest.raises(DataError, match="requests in the days before 2024-10-04"):
        forecast(history_of([]), DAY, "last_day", CATALOG)
    with pytest.raises(UnknownNameError, match="unknown forecasting method 'crystal_ball'"):
        forecast(history, DAY, "crystal_ball", CATALOG)
    with pytest.raises(UnknownNameError, match="unknown parameter of exponential 'window_days'; known: smoothing"):
        forecast(history, DAY, "exponential", CATALOG, window_days=3)
    with pytest.raises(CdnError, match="forecasting method exponential: smoothing is above 0"):
        forecast(history, DAY, "exponential", CATALOG, smoothing=7)


def test_a_later_day_may_be_forecast_from_the_same_history():
    assert forecast(history_of([(1, 0, 0, 1)]), day_of(FORECAST_DAY + 5), "last_day", CATALOG).requests.tolist() == [1]
