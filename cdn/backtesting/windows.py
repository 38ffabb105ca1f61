"""Rolling origin: for each tested day the history that was known so many days before, and the day as it came to be.

A forecast of day D with horizon h is made from days up to D - h: the next day at 1, a week ahead at 7. It sees a window
of the whole history (``History.window``); no number of it depends on what was cut off (L. J. Tashman, Out-of-sample
tests of forecasting accuracy, Int. J. Forecasting 16, 2000).
"""

from collections.abc import Sequence

import numpy as np

from cdn.errors import DataError, Fault
from cdn.forecasting.history import History
from cdn.forecasting.thin_days import thin_days
from cdn.model.demand import Demand
from cdn.units import BITS_PER_BYTE, HOURS_PER_DAY, SECONDS_PER_HOUR


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
