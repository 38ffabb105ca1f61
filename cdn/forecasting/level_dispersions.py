"""How far young titles have lately been from where their levels were foreseen, as many days ahead.

The dispersion of one held day (``uncertainty``) takes that day for all days. What befalls young titles befalls many of
them on the same day: a robot fetches every one of them, or stays away. So the levels of the titles young in the last
two weeks are worked out anew for each of those days, from what was known the horizon before it, and phi is that of the
negative binomial that makes all their counts likeliest, for each class of age and of expected requests.
"""

import numpy as np

from cdn.compilation import kernel
from cdn.forecasting.day_factors import TitleFactors
from cdn.forecasting.foresight import foresee
from cdn.forecasting.history import History
from cdn.forecasting.launches import AGE_CLASSES, YOUNG_DAYS, Launches, age_class
from cdn.forecasting.uncertainty import dispersions_of, measured_dispersions


def level_dispersions(history: History, day: int, launches: Launches, factors: TitleFactors,
                      prior: tuple[np.ndarray, ...], half_life_days: np.ndarray, first_tuned: int,
                      share: np.ndarray) -> np.ndarray:
    """(A,) phi of the counts of young titles, all regions together; 0 for titles that are old on ``day``, and where no
    title was young lately. ``prior``: mean and shape (A,); ``half_life_days`` (A,); ``first_tuned``: first day of the
    history (0..D-1) looked at; ``share`` (A,) of all requests on ``day``."""
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
        table = measured_dispersions(mean[row, d], history.asset_days[lately[row], d], ages, len(AGE_CLASSES))
        known = np.flatnonzero(young & (launches.first + horizon <= n_days))
        phi[known] = dispersions_of(table, share[known] * volume[history.observed].mean(),
                                    age_class(launches.age(day)[known]))
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
