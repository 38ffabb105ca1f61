"""Histories drawn from known parameters, to find those again."""

import functools
from datetime import date

import numpy as np

from cdn.forecasting.history import History, history_of_log
from cdn.forecasting.knowledge import Knowledge, knowledge_of
from cdn.generator.parameters import GeneratorParameters
from cdn.generator.samples import Sample, concatenated, draw_sample
from cdn.model.index import Index
from cdn.model.request_log import RequestLog

FIRST_DAY = 20_000


def history_of_counts(counts: np.ndarray, first_day: int = FIRST_DAY) -> History:
    """From counts (D, A, R); a day without requests is missing."""
    day, asset, region = np.nonzero(counts)
    n = counts[day, asset, region]
    n_days, n_assets, n_regions = counts.shape
    hour_bytes = np.zeros((n_days, 24, n_regions))
    hour_bytes[:, 12] = 10 * counts.sum(axis=1)
    return History(Index(f"r{r}" for r in range(n_regions)), Index(f"a{a}" for a in range(n_assets)), first_day,
                   counts.any(axis=(1, 2)), day, region, asset, n, 10 * n, hour_bytes)


@functools.cache
def generated(seed: int = 3, days: int = 36, requests_per_day: float = 10_000.0) -> tuple[Sample, RequestLog]:
    """The generator's sample with its default settings (launches, drift, tastes): 1,600 titles, 10 regions."""
    parameters = GeneratorParameters.model_validate(
        {"n_regions": 10, "n_titles": 1600, "start_day": date(2026, 3, 2), "days": days,
         "requests_per_day": requests_per_day})
    sample = draw_sample(parameters, np.random.default_rng(seed))
    return sample, concatenated([log for _, log in sample.draw_days()])


def generated_day(days_before_the_end: int) -> tuple[History, int, Knowledge, History]:
    """The history before one of the sample's last days, its number, what is known, and a history with the day."""
    sample, log = generated()
    day = int(log.day[-1]) - days_before_the_end
    return history_of_log(log, day), day, knowledge_of(sample.catalog), history_of_log(log, day + 1)
