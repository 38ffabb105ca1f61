"""Forecast quantiles against the day: quantile loss and coverage.

**Coverage of counts.** Most pairs are asked for a few times or not at all, and an interval of whole numbers that holds
80 % *at least* holds far more: one whose count is 0 with 95 % cannot be left by it. So a count counts by the share of
its own step of the predictive distribution that lies between the levels,

    covered = |[F(y - 1), F(y)] and [0.1, 0.9]| / (F(y) - F(y - 1)),

what a probability integral transform drawn at random within the step would give on average (J. Smith 1985; C. Czado,
T. Gneiting, L. Held, Predictive model assessment for count data, Biometrics 65, 2009). Its mean is the level, 80 %,
where counts follow the forecast distribution, however small they are, and more or less where intervals are too wide or
too narrow.

The quantile (pinball) loss of quantile q at level p is p (y - q) where y >= q, (1 - p)(q - y) below; its expectation is
least at the true quantile (R. Koenker, G. Bassett, Regression quantiles, Econometrica 46, 1978).
"""

import numpy as np

from cdn.forecasting.negative_binomial import cumulative
from cdn.model.demand import Demand

LEVELS = (0.1, 0.9)


def quantiles_of(demand: Demand) -> dict[float, np.ndarray]:
    """Level -> (N,) bytes, for each quantile that a forecast has; empty where it only has the mean.

    The demand file calls them ``bytes_p10``, ``bytes_p90``; a demand that carries them has attributes of these names.
    """
    found = {level: getattr(demand, f"bytes_p{100 * level:.0f}", None) for level in (0.1, 0.5, 0.9)}
    return {level: np.asarray(values, dtype=float) for level, values in found.items() if values is not None}


def quantile_loss(true: np.ndarray, quantile: np.ndarray, level: float) -> np.ndarray:
    """(N,) loss of each pair, in the unit of the values.

    >>> quantile_loss(np.array([10.0, 2.0]), np.array([4.0, 4.0]), 0.9).round(6).tolist()
    [5.4, 0.2]
    """
    above = true - quantile
    return np.where(above >= 0, level * above, (level - 1) * above)


def covered(count: np.ndarray, mean: np.ndarray, dispersion: np.ndarray) -> np.ndarray:
    """(N,) share of each count's step of its negative binomial distribution that lies within LEVELS.

    A count of mean 0.05 is 0 with 95 %: seen 0 it is covered by (0.9 - 0.1) / 0.95, seen 1 not at all.

    >>> covered(np.array([0, 1]), np.array([0.0513, 0.0513]), np.zeros(2)).round(3).tolist()
    [0.842, 0.0]
    """
    low, high = LEVELS
    above, below = cumulative(count, mean, dispersion), cumulative(count - 1, mean, dispersion)
    inside = np.clip(np.minimum(above, high) - np.maximum(below, low), 0.0, None)
    return np.divide(inside, above - below, out=np.zeros(len(inside)), where=above > below)
