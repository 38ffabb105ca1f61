"""Rolling origin: for each tested day the history that was known so many days before, and the day as it came to be.

A forecast of day D with horizon h is made from days up to D - h: the next day at 1, a week ahead at 7. A window is a
slice of the whole history; no number of it depends on what was cut off (L. J. Tashman, Out-of-sample tests of
forecasting accuracy, Int. J. Forecasting 16, 2000).
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from cdn.errors import DataError, Fault
from cdn.forecasting.history import History
from cdn.model.demand import Demand
from cdn.units import BITS_PER_BYTE, HOURS_PER_DAY, SECONDS_PER_HOUR

THIN_SHARE, USUAL_QUANTILE = 0.1, 0.75
"""A day with less than this share of a usual day's requests is no whole day. Usual is the upper quartile of the days:
the median of a log of scraps and few whole days would be a scrap."""


def window(history: History, until_day: int, n_days: int) -> History:
    """The ``n_days`` days before day number ``until_day``, as ``history_of_log`` has them: the first is an observed
    one.

    Raises ValueError where ``until_day`` lies behind the history's end.
    """
    if until_day > history.until_day:
        raise ValueError(f"the history ends before day number {history.until_day}, asked until {until_day}")
    end = max(until_day - history.first_day, 0)
    observed = np.flatnonzero(history.observed[max(end - n_days, 0):end])
    start = max(end - n_days, 0) + observed[0] if len(observed) else end
    rows = slice(*np.searchsorted(history.day, [start, end]))
    return replace(
        history, first_day=history.first_day + start if len(observed) else until_day,
        observed=history.observed[start:end], day=history.day[rows] - start, region=history.region[rows],
        asset=history.asset[rows], requests=history.requests[rows], bytes=history.bytes[rows],
        hour_bytes=history.hour_bytes[start:end])


def true_demand(history: History, day: int) -> Demand:
    """What was asked for on one day of the history, and the bit rates of its hours."""
    d = day - history.first_day
    rows = slice(*np.searchsorted(history.day, [d, d + 1]))
    hours, n_regions = history.hour_bytes[d], len(history.region_index)
    busiest, total = hours.max(axis=0), hours.sum(axis=0)
    share = np.divide(busiest, total, out=np.full(n_regions, 1 / HOURS_PER_DAY), where=total > 0)
    region, bytes_ = history.region[rows], history.bytes[rows].astype(float)
    return Demand.from_entries(
        history.region_index, history.asset_index, region, history.asset[rows], history.requests[rows], bytes_,
        bytes_ * share[region] * BITS_PER_BYTE / SECONDS_PER_HOUR,
        np.divide(hours, busiest, out=np.ones(hours.shape), where=busiest > 0))


def requests_per_day(history: History) -> np.ndarray:
    """(D,) requests of all regions; 0 on a missing day."""
    return np.bincount(history.day, history.requests, len(history.observed))


def thin_days(history: History) -> np.ndarray:
    """Day numbers with requests, but so few that the log must have been cut: an outage, the start or the end of it."""
    requests = requests_per_day(history)
    if not history.observed.any():
        return np.empty(0, dtype=np.int64)
    usual = np.quantile(requests[history.observed], USUAL_QUANTILE)
    return history.first_day + np.flatnonzero(history.observed & (requests < THIN_SHARE * usual))


def missing_days(history: History) -> np.ndarray:
    """Day numbers between the first and the last that have no requests at all."""
    return history.first_day + np.flatnonzero(~history.observed)


def days_to_test(history: History, n_days: int, horizons: Sequence[int]) -> np.ndarray:
    """Day numbers, ascending: the last ``n_days`` that are neither missing nor thin and have days before all horizons.

    Raises DataError where there is none.
    """
    observed = history.observed_days
    whole = observed[~np.isin(observed, thin_days(history))]
    days = whole[whole - max(horizons) >= observed[0]][-n_days:] if len(observed) else whole
    if not len(days):
        raise DataError([Fault("request log", None, "time", None,
                               f"a day with requests {max(horizons)} day(s) after an earlier one")])
    return days


def first_seen(history: History, n_assets: int) -> np.ndarray:
    """(A,) day number on which each asset was asked for first; -1 where never."""
    first = np.full(n_assets, -1, dtype=np.int64)
    first[history.asset[::-1]] = history.first_day + history.day[::-1]
    return first
