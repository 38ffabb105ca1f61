"""How much each region asks for in all on a day: level x weekday factor x what the calendar says.

The weekday factors are those of all regions together: means of day / (mean of the week around it), each leaning on 1
with the weight of one such day. The level is the exponentially weighted mean of the days without their factors.
R. J. Hyndman, G. Athanasopoulos, Forecasting: principles and practice (2021), chapter 3.4.
"""

import numpy as np

from cdn.forecasting.events import Calendar, factors_on, learned_kinds
from cdn.forecasting.history import History
from cdn.forecasting.seasonal_naive import DAYS_PER_WEEK
from cdn.model.index import UNKNOWN

HALF_LIFE_DAYS = 4.0
_PRIOR_DAYS = 1.0


def expected_volumes(history: History, day: int, calendar: Calendar | None = None,
                     half_life_days: float = HALF_LIFE_DAYS) -> np.ndarray:
    """(R,) expected requests of every region on day number ``day``; at least one observed day."""
    return volumes_from(history.region_days, history.observed, history.first_day, day, calendar, half_life_days)


def volumes_from(region_days: np.ndarray, observed: np.ndarray, first_day: int, day: int,
                 calendar: Calendar | None = None, half_life_days: float = HALF_LIFE_DAYS) -> np.ndarray:
    """The same from requests (D, R) of the days from ``first_day`` on and whether they were ``observed`` (D,)."""
    n_days, n_regions = region_days.shape
    days = first_day + np.arange(n_days)
    learned = learned_kinds(calendar, days)
    usual = observed & ~learned
    usual = usual if usual.any() else observed
    without_events = region_days / factors_on(calendar, days, n_regions)
    by_weekday = weekday_factors(without_events.sum(axis=1), usual, first_day)
    weight = np.where(usual, 0.5 ** ((n_days - 1 - np.arange(n_days)) / half_life_days), 0.0)
    level = weight / weight.sum() @ (without_events / by_weekday[days % DAYS_PER_WEEK, None])
    expected = level * by_weekday[day % DAYS_PER_WEEK] * factors_on(calendar, np.array([day]), n_regions)[0]
    if calendar is None:
        return expected
    return expected * _learned_factor(calendar, day, days, observed, without_events.sum(axis=1)
                                      / (level.sum() * by_weekday[days % DAYS_PER_WEEK]))


def weekday_factors(total: np.ndarray, usual: np.ndarray, first_day: int) -> np.ndarray:
    """(7,) factor of each weekday (day number modulo 7) on totals (D,); 1 where no week around a day is whole."""
    if len(total) < DAYS_PER_WEEK:
        return np.ones(DAYS_PER_WEEK)
    known = np.where(usual, total, 0.0)
    window = np.ones(DAYS_PER_WEEK)
    around = np.convolve(known, window, mode="same") / DAYS_PER_WEEK
    whole = np.convolve(usual.astype(float), window, mode="same") == DAYS_PER_WEEK
    whole &= around > 0
    weekday = (first_day + np.arange(len(total))) % DAYS_PER_WEEK
    ratio = known[whole] / around[whole]
    n = np.bincount(weekday[whole], minlength=DAYS_PER_WEEK)
    factor = (np.bincount(weekday[whole], ratio, DAYS_PER_WEEK) + _PRIOR_DAYS) / (n + _PRIOR_DAYS)
    return factor / factor.mean()


def _learned_factor(calendar: Calendar, day: int, days: np.ndarray, observed: np.ndarray, ratio: np.ndarray) -> float:
    """Product of the factors learned for the kinds of event without a factor that the day has: the mean ratio of their
    past days to usual days, leaning on 1."""
    factor = 1.0
    to_learn = np.isnan(calendar.factor) & (calendar.asset == UNKNOWN)
    for kind in np.unique(calendar.kind[(calendar.day == day) & to_learn]):
        past = np.isin(days, calendar.day[(calendar.kind == kind) & to_learn]) & observed
        factor *= (ratio[past].sum() + _PRIOR_DAYS) / (past.sum() + _PRIOR_DAYS)
    return factor
