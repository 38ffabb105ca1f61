"""How much wider intervals must be to hold what they say, measured on days they were not learned from.

With forecast quantiles low_i and high_i of values y_i a score says by how much each value lies outside, below 0 if
inside,

    e_i = max(low_i - y_i, y_i - high_i);

intervals moved outwards by the share-quantile of the scores hold that share of values that come about in the same way.
Classes of demand have widenings of their own. Y. Romano, E. Patterson, E. Candes, Conformalized quantile regression
(NeurIPS 2019).
"""

from collections.abc import Callable

import numpy as np

_LEAST_ROWS = 50


def widenings(score: np.ndarray, weight: np.ndarray, group: np.ndarray, n_groups: int, share: float) -> np.ndarray:
    """(n_groups,) by how much to move both ends outwards, inwards where negative, from scores (N,) that stand for
    ``weight`` (N,) values each; ``group`` (N,) in 0..n_groups-1. A group of few scores takes that of all together.

    >>> widenings(np.arange(100.0), np.ones(100), np.zeros(100, dtype=int), 2, 0.8).tolist()
    [79.0, 79.0]
    """
    return of_groups(lambda rows: _quantile(score[rows], weight[rows], share), group, n_groups)


def of_groups(value: Callable[[np.ndarray], float], group: np.ndarray, n_groups: int) -> np.ndarray:
    """(n_groups,) ``value`` of the rows (N,) bool of each ``group`` (N,); a group of few rows takes that of all."""
    found = np.full(n_groups, value(np.ones(len(group), dtype=bool)))
    for g in range(n_groups):
        rows = group == g
        if rows.sum() >= _LEAST_ROWS:
            found[g] = value(rows)
    return found


def _quantile(values: np.ndarray, weight: np.ndarray, share: float) -> float:
    order = np.argsort(values, kind="stable")
    so_far = np.cumsum(weight[order])
    return float(values[order][np.searchsorted(so_far, share * so_far[-1] * (1 - 1e-12))])
