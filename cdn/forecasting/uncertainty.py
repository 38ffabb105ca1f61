"""How far off a forecast may be, measured on the last day: the dispersion of counts about what was foreseen for them.

The method forecasts the history's last day from what came before, as many days ahead as the forecast itself looks. For
each class of expected requests, young titles apart, phi is the dispersion that makes that day's counts likeliest as
negative binomial about the forecast (``cdn.forecasting.gamma_shapes``). An interval so includes whatever made that day
hard to foresee: noise, tastes, drift.
"""

import numpy as np

from cdn.forecasting.expectation import ExpectedRequests
from cdn.forecasting.forecaster import Forecaster
from cdn.forecasting.gamma_shapes import popularity_class, shapes_by_class
from cdn.forecasting.history import History
from cdn.forecasting.knowledge import NOTHING_KNOWN, Knowledge
from cdn.forecasting.launches import YOUNG_DAYS, launches_of

N_CLASSES = 18
_MOST_TIMES = 100.0
"""A count this many times what was expected (and one more) says no more than that: else a single spike would make all
of its class so skewed that their 90 % quantiles were 0."""
DEFAULT_DISPERSION = 0.5
"""Where no day can be foreseen from an earlier one: a relative standard deviation of 0.7."""


def with_dispersion(forecaster: Forecaster, history: History, day: int, knowledge: Knowledge = NOTHING_KNOWN,
                    **parameters) -> ExpectedRequests:
    """A forecast with the dispersion its method gives or, where it gives none, the measured one."""
    expected = forecaster(history, day, knowledge, **parameters)
    if expected.dispersion is not None:
        return expected
    held = int(history.observed_days[-1])
    earlier = history.before(held - (day - history.until_day))
    titles = knowledge.titles_of(len(history.asset_index))
    if not earlier.observed.any():
        table = np.full((2, N_CLASSES), DEFAULT_DISPERSION)
    else:
        foreseen = forecaster(earlier, held, knowledge, **parameters)
        table = measured_dispersions(foreseen.requests, counts_on(history, held, foreseen),
                                     launches_of(earlier, titles).age(held)[foreseen.asset] < YOUNG_DAYS)
    young = launches_of(history, titles).age(day)[expected.asset] < YOUNG_DAYS
    return ExpectedRequests(expected.region, expected.asset, expected.requests,
                            dispersions_of(table, expected.requests, young))


def counts_on(history: History, day: int, expected: ExpectedRequests) -> np.ndarray:
    """(N,) requests of the forecast's pairs on an observed day of the history."""
    n_regions = len(history.region_index)
    rows = slice(*np.searchsorted(history.day, [day - history.first_day, day - history.first_day + 1]))
    key = history.asset[rows].astype(np.int64) * n_regions + history.region[rows]
    found = np.zeros(len(expected))
    where = np.searchsorted(key, expected.keys(n_regions))
    where[where == len(key)] = 0
    if len(key):
        hit = key[where] == expected.keys(n_regions)
        found[hit] = history.requests[rows][where[hit]]
    return found


def measured_dispersions(mean: np.ndarray, count: np.ndarray, kind: np.ndarray, n_kinds: int = 2) -> np.ndarray:
    """(n_kinds, N_CLASSES) phi by kind and class of expected requests; ``kind`` (N,) in 0..n_kinds - 1, such as whether
    a title is young. A class without entries takes that of all classes together."""
    group = popularity_class(4 * mean, N_CLASSES) + N_CLASSES * kind.astype(np.int64)
    count = np.minimum(count, _MOST_TIMES * (mean + 1))
    return 1 / shapes_by_class(count, mean, group, n_kinds * N_CLASSES).reshape(n_kinds, N_CLASSES)


def dispersions_of(table: np.ndarray, mean: np.ndarray, kind: np.ndarray) -> np.ndarray:
    """(N,) phi of entries from a table of ``measured_dispersions``."""
    return table[kind.astype(np.int64), popularity_class(4 * mean, N_CLASSES)]
