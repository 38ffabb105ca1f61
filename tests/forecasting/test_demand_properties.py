"""What holds for every forecast of every log, and parameter values that no method can use."""

import numpy as np
import pandas as pd
import pytest
from forecasting.tiny_histories import METHODS
from hypothesis import given, settings
from hypothesis import strategies as st

from cdn.errors import CdnError
from cdn.forecasting.demand_forecast import day_number, forecast
from cdn.forecasting.history import history_of_log
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


@pytest.mark.parametrize("method", METHODS)
def test_rates_bytes_and_hours_add_up(method):
    examples = 4 if method in ("ensemble", "gradient_boosting") else 30
    settings(max_examples=examples, deadline=None)(given(requests=REQUESTS)(_adds_up))(method)


def _adds_up(method, requests):
    """A region's rates over the 24 hours carry its bytes, its peak is its busiest hour, and no request is expected to
    send more than the asset's size when none did."""
    rows = [(ago, r, a, int(share * CATALOG.size_bytes[a])) for ago, r, a, share in requests]
    demand = forecast(history_of_requests(rows), DAY, method, CATALOG)
    assert demand.hour_factor.shape == (24, 2) and demand.hour_factor.max(axis=0) == pytest.approx([1, 1])
    peak = np.bincount(demand.region, demand.peak_bps, 2)
    carried = (demand.hour_factor * peak).sum(axis=0) * 3600 / 8
    assert carried == pytest.approx(np.bincount(demand.region, demand.bytes, 2))
    limit = demand.requests * CATALOG.size_bytes[demand.asset]
    assert (demand.bytes <= limit * (1 + 1e-12)).all() and (demand.bytes >= 0).all()


@pytest.mark.parametrize(("method", "name", "value"), [
    ("moving_average", "window_days", float("nan")), ("moving_average", "window_days", None),
    ("exponential", "smoothing", float("nan")), ("shrinkage", "k", 10**400), ("shrinkage", "k", float("inf")),
    ("shrinkage", "half_life_days", float("nan")), ("shrinkage", "min_requests", -1)])
def test_values_that_make_no_sense_are_reported_without_a_traceback(method, name, value):
    with pytest.raises(CdnError, match=f"forecasting method {method}"):
        forecast(history_of_requests([(1, 0, 0, 10)]), DAY, method, CATALOG, **{name: value})
