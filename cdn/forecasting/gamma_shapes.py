"""The shape of a gamma prior from counts, class by class, by marginal likelihood.

n_i ~ Poisson(m_i tau_i), tau_i ~ Gamma(shape, shape): the counts are negative binomial, and tau's posterior mean is
(shape + n_i) / (shape + m_i). The larger the shape the less the tau differ. A class leans on the shape of all classes
together with a normal prior on the logarithm (sd 1), so that classes with little to say do not wander.
H. Robbins, An empirical Bayes approach to statistics (1956); C. Morris, Parametric empirical Bayes inference (1983).
"""

import numpy as np

from cdn.forecasting.negative_binomial import log_likelihoods

SHAPES = np.geomspace(0.01, 10_000.0, 61)
_SAMPLED = 3000
_LOG_SD = 1.0


def shape_of(count: np.ndarray, mean: np.ndarray) -> float:
    """The likeliest shape of counts (N,) of means (N,); the largest there is where no count says anything."""
    return float(shapes_by_class(count, mean, np.zeros(len(count), dtype=np.int64), 1)[0])


def shapes_by_class(count: np.ndarray, mean: np.ndarray, group: np.ndarray, n_groups: int) -> np.ndarray:
    """(n_groups,) the likeliest shape of each class; ``group`` (N,) in 0..n_groups-1. Of a large class every k-th entry
    in order of mean and count is looked at, so the order of the entries does not matter."""
    usable = mean > 0
    count, mean, group = count[usable], mean[usable], group[usable]
    order = np.lexsort((count, mean, group))
    starts = np.searchsorted(group[order], np.arange(n_groups + 1))
    likelihood = np.zeros((n_groups, len(SHAPES)))
    for g in range(n_groups):
        rows = order[starts[g]:starts[g + 1]]
        if len(rows):
            sample = rows[::max(1, len(rows) // _SAMPLED)]
            likelihood[g] = log_likelihoods(count[sample], mean[sample], SHAPES)
    pooled = _top(likelihood.sum(axis=0))
    prior = -0.5 * ((np.log(SHAPES) - np.log(pooled)) / _LOG_SD) ** 2
    return np.array([_top(row + prior) if n_groups > 1 else _top(row) for row in likelihood])


def _top(values: np.ndarray) -> float:
    """Where a parabola through the highest of the grid's values and its neighbours has its top."""
    k = int(np.argmax(values))
    if k in (0, len(values) - 1):
        return float(SHAPES[k])
    before, top, after = values[k - 1:k + 2]
    bend = before - 2 * top + after
    step = 0.5 * (before - after) / bend if bend < 0 else 0.0
    return float(SHAPES[k] * (SHAPES[1] / SHAPES[0]) ** step)


def popularity_class(expected: np.ndarray, n_classes: int) -> np.ndarray:
    """Class of expected counts by powers of two: 0 below 1, then 1 up to 2, 2 up to 4, ..."""
    return np.clip(np.floor(np.log2(np.maximum(expected, 0.5))) + 1, 0, n_classes - 1).astype(np.int64)
