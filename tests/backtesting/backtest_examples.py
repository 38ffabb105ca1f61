"""Logs as tables of (day, region, asset, requests), and a small random one with two regions that like different
titles."""

import numpy as np

from cdn.backtesting.networks import one_cache_per_region
from cdn.backtesting.placing import Setting
from cdn.backtesting.usable_methods import unusable_methods
from cdn.forecasting.forecasters import FORECASTERS
from cdn.forecasting.history import History, history_of_log
from cdn.model.catalog import Catalog
from cdn.model.demand import Demand
from cdn.model.index import Index
from cdn.model.request_log import RequestLog

REGIONS = Index(["north", "south"])
SIZE_BYTES = 100
US_PER_DAY = 86_400_000_000


def catalog_of(n_assets: int) -> Catalog:
    return Catalog.of_sizes([f"a{k}" for k in range(n_assets)], np.full(n_assets, SIZE_BYTES))


def log_of(rows, n_assets: int = 3, region_index: Index = REGIONS) -> RequestLog:
    """Every request at noon of its day, for the whole asset."""
    day, region, asset, requests = np.array(rows, dtype=np.int64).reshape(-1, 4).T
    where = np.repeat(np.arange(len(day)), requests)
    return RequestLog(region_index, catalog_of(n_assets).asset_index, day[where] * US_PER_DAY + US_PER_DAY // 2,
                      region[where], asset[where], np.full(len(where), SIZE_BYTES))


def history_of(log: RequestLog) -> History:
    """All days of a log."""
    first, last = int(log.day[0]), int(log.day[-1])
    return history_of_log(log, last + 1, last + 1 - first)


def random_log(seed: int, n_days: int = 12, n_assets: int = 20, per_day: float = 60.0, missing=()) -> RequestLog:
    """Poisson counts; popularity falls with the rank, and each region has its own order of the titles.
    Requests are spread over the day."""
    rng = np.random.default_rng(seed)
    share = np.arange(1, n_assets + 1) ** -0.9
    taste = [rng.permutation(share / share.sum()) for _ in range(2)]
    rows = [(day + 100, region, asset, count) for day in range(n_days) if day not in missing for region in range(2)
            for asset, count in enumerate(rng.poisson(per_day / (1 + region) * taste[region])) if count]
    log = log_of(rows, n_assets)
    time_us = log.day * US_PER_DAY + rng.integers(0, US_PER_DAY, len(log))
    return RequestLog(log.region_index, log.asset_index, time_us, log.region, log.asset, log.bytes)


def setting_of(n_assets: int, cache_share: float = 0.2, method: str = "greedy") -> Setting:
    catalog = catalog_of(n_assets)
    return Setting(one_cache_per_region(REGIONS, catalog, cache_share), catalog, method)


def demand_of(rows, n_assets: int = 3) -> Demand:
    """From (region, asset, requests)."""
    region, asset, requests = np.array(rows, dtype=float).reshape(-1, 3).T
    return Demand.from_entries(REGIONS, catalog_of(n_assets).asset_index, region, asset, requests,
                               requests * SIZE_BYTES)


def usable_forecasters() -> tuple[str, ...]:
    unusable = unusable_methods(FORECASTERS)
    return tuple(method for method in FORECASTERS if method not in unusable)
