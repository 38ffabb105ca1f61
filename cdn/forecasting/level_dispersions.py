"""How far young titles have lately been from where their levels were foreseen, as many days ahead.

The dispersion of one held day (``uncertainty``) takes that day for all days. What befalls young titles befalls many of
them on the same day: a robot fetches every one of them, or stays away. So the levels of the titles young in the last
two weeks are worked out anew for each of those days, from what was known the horizon before it, and phi is, for each
class of age, the least at which the intervals would have held enough of their counts.

Enough is more than the level of the intervals: counts of a day stand or fall together, so it is days that are drawn,
and on n days (n + 1) / n times the level must have been held for the next one to hold the level (J. Lei et al.,
Distribution-free predictive inference for regression, JASA 113, 2018).
"""

import numpy as np

from cdn.compilation import kernel
from cdn.forecasting.coverage import LEVELS, covering_dispersions
from cdn.forecasting.day_factors import TitleFactors
from cdn.forecasting.foresight import foresee
from cdn.forecasting.history import History
from cdn.forecasting.launches import AGE_CLASSES, YOUNG_DAYS, Launches, age_class

_MOST_COVERED = 0.95
"""However few the days."""


def level_dispersions(history: History, day: int, launches: Launches, factors: TitleFactors,
                      prior: tuple[np.ndarray, ...], half_life_days: np.ndarray, first_tuned: int) -> np.ndarray:
    """(A,) phi of the counts of young titles, all regions together; 0 for titles that are old on ``day`` or come out
    after the history, and where no title was young lately.

    ``prior``: mean and shape (A,); ``half_life_days`` (A,); ``first_tuned``: first day of the history (0..D-1) looked
    at.
    """
    n_days = len(history.observed)
    horizon = day - history.until_day + 1
    young = launches.age(day) < YOUNG_DAYS
    lately = np.flatnonzero(launches.age(history.first_day + first_tuned) < YOUNG_DAYS)
    volume = history.region_days.sum(axis=1)
    mean = _foreseen(history.asset_days[lately], volume, history.observed, launches.first[lately],
                     factors.past[lately], factors.foreseen[lately], prior[0][lately], prior[1][lately],
                     0.5 ** (1 / half_life_days[lately]), horizon, first_tuned)
    row, d = np.nonzero(mean)
    phi = np.zeros(len(young))
    if len(row):
        ages = age_class(history.first_day + d - launches.release_day[lately[row]])
        days = len(np.unique(d))
        share = min((LEVELS[1] - LEVELS[0]) * (days + 1) / days, _MOST_COVERED)
        table = covering_dispersions(history.asset_days[lately[row], d], mean[row, d], ages, len(AGE_CLASSES), share)
        known = np.flatnonzero(young & (launches.first < n_days))
        phi[known] = table[age_class(launches.age(day)[known])]
    return phi


@kernel
def _foreseen(asset_days, volume, observed, first, factor, foreseen, prior_mean, prior_shape, delta, horizon,
              first_tuned):
    """(A, D) expected requests of the tuned days from what was known ``horizon`` days before; 0 elsewhere."""
    n_assets, n_days = asset_days.shape
    result = np.zeros((n_assets, n_days))
    for a in range(n_assets):
        foresee(result[a], asset_days[a], volume, observed, first[a], factor[a], foreseen[a], prior_mean[a],
                prior_shape[a], delta[a], horizon, first_tuned)
    return result
