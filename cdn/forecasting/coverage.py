"""Whether intervals of counts hold what they say, and the dispersion that makes them do so.

**Coverage of counts.** Most pairs are asked for a few times or not at all, and an interval of whole numbers that holds
80 % *at least* holds far more: one whose count is 0 with 95 % cannot be left by it. So a count counts by the share of
its own step of the predictive distribution that lies between the levels,

    covered = |[F(y - 1), F(y)] and [0.1, 0.9]| / (F(y) - F(y - 1)),

what a probability integral transform drawn at random within the step would give on average (J. Smith 1985; C. Czado,
T. Gneiting, L. Held, Predictive model assessment for count data, Biometrics 65, 2009). Its mean is the level, 80 %,
where counts follow the forecast distribution, however small they are, and more or less where intervals are too wide or
too narrow.
"""

import numpy as np

from cdn.forecasting.conformal import of_groups
from cdn.forecasting.negative_binomial import cumulative

LEVELS = (0.1, 0.9)
DISPERSIONS = np.geomspace(0.02, 30.0, 13)
_SAMPLED = 400


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


def covering_dispersions(count: np.ndarray, mean: np.ndarray, group: np.ndarray, n_groups: int,
                         share: float) -> np.ndarray:
    """(n_groups,) the least phi at which ``share`` of a group's counts (N,) of means (N,) > 0 is covered, the one that
    covers most where none covers so many; ``group`` (N,) in 0..n_groups-1. A group of few counts takes that of all
    together; of a large one every k-th in order of mean and count is looked at."""
    order = np.lexsort((count, mean))
    count, mean, group = count[order], mean[order], group[order]
    return of_groups(lambda rows: _covering(count[rows], mean[rows], share), group, n_groups)


def _covering(count: np.ndarray, mean: np.ndarray, share: float) -> float:
    step = max(1, len(count) // _SAMPLED)
    count, mean = count[::step], mean[::step]
    coverage = np.array([covered(count, mean, np.full(len(count), phi)).mean() for phi in DISPERSIONS])
    enough = np.flatnonzero(coverage >= share)
    if not len(enough) or enough[0] == 0:
        return float(DISPERSIONS[coverage.argmax() if not len(enough) else 0])
    between = slice(enough[0] - 1, enough[0] + 1)
    return float(np.exp(np.interp(share, coverage[between], np.log(DISPERSIONS[between]))))
