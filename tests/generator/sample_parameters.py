"""Small parameters and logs that the generator's tests share."""

from datetime import date

import numpy as np

from cdn.generator.parameters import GeneratorParameters
from cdn.model.index import Index
from cdn.model.request_log import RequestLog

MONDAY = date(2026, 3, 2)
DAY_US = 86_400_000_000


def small(**changes) -> GeneratorParameters:
    """60 titles, 3 made-up regions, 4 days of 300 requests from a Monday on, changed as told."""
    values = {"n_regions": 3, "n_titles": 60, "start_day": MONDAY, "days": 4, "requests_per_day": 300.0}
    return GeneratorParameters.model_validate(values | changes)


def log_of(rows, n_regions: int = 2, n_assets: int = 6) -> RequestLog:
    """A log of (day after Monday 2026-03-02, region, asset, requests) rows, all in the day's first hour."""
    day, region, asset, n = np.array(rows, dtype=np.int64).reshape(-1, 4).T
    start = np.datetime64(MONDAY, "us").astype(np.int64)
    return RequestLog(Index(f"r{k}" for k in range(n_regions)), Index(f"a{k}" for k in range(n_assets)),
                      np.repeat(start + day * DAY_US, n), np.repeat(region, n), np.repeat(asset, n),
                      np.ones(n.sum(), dtype=np.int64))
