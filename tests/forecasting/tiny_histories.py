"""Small logs written as (day, region, asset, requests), and the histories of them."""

from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest

from cdn.forecasting.expectation import ExpectedRequests
from cdn.forecasting.forecasters import FORECASTERS
from cdn.forecasting.history import History, history_of_log
from cdn.model.catalog import Catalog
from cdn.model.index import Index
from cdn.model.request_log import RequestLog

METHODS = [pytest.param(name, marks=pytest.mark.skipif(name == "gradient_boosting" and find_spec("lightgbm") is None,
                                                       reason="the extra `ml` is not installed"))
           for name in FORECASTERS]
REGIONS = Index(["big", "small"])
ASSETS = Index(["a", "b", "c"])
CATALOG = Catalog.of_sizes(["a", "b", "c"], [100, 200, 300])
FORECAST_DAY = 20000
DAY_US = 86400 * 10**6


def day_of(number: int) -> pd.Timestamp:
    return pd.Timestamp(0) + pd.Timedelta(days=number)


def log_of(rows, bytes_=10, hour=12, regions=REGIONS, assets=ASSETS) -> RequestLog:
    """``rows``: (days before the forecast day, region, asset, requests)."""
    ago, region, asset, n = np.array(rows, dtype=np.int64).reshape(-1, 4).T
    time_us = (FORECAST_DAY - ago) * DAY_US + hour * 3600 * 10**6
    return RequestLog(regions, assets, np.repeat(time_us, n), np.repeat(region, n), np.repeat(asset, n),
                      np.full(n.sum(), bytes_))


def history_of(rows, n_days=60, **options) -> History:
    return history_of_log(log_of(rows, **options), FORECAST_DAY, n_days)


def as_table(expected: ExpectedRequests) -> dict[tuple[int, int], float]:
    """{(region, asset): requests}."""
    return {(int(r), int(a)): float(n)
            for r, a, n in zip(expected.region, expected.asset, expected.requests, strict=True)}
