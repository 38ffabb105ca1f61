"""What a group's members tell of the group: hierarchical credibility, for counts.

Member i of group g was counted n_i times where mu_i were expected, x_i = n_i / mu_i. With a factor of mean 1 and
variance b for the group and another of variance v for each member, Var x_i = b + v + 1 / mu_i, and the group's factor
is best foreseen by

    f_g = 1 + b sum_i w_i (x_i - 1) / (1 + b sum_i w_i),    w_i = 1 / (v + 1 / mu_i)

b from the products of members of the same group, v from what is left. Where members of a group have nothing in common,
b is 0 and nothing is inherited. H. Buehlmann, E. Straub, Glaubwuerdigkeit fuer Schadensaetze (1970); W. Jewell, The use
of collateral data in credibility theory: a hierarchical model (1975).
"""

from dataclasses import dataclass

import numpy as np

_ROUNDS = 5
_LEAST_VARIANCE = 0.02
_LARGEST_RATIO = 30.0


@dataclass(frozen=True, eq=False)
class Credibility:
    """``factor`` (G,) of each group; ``between`` b and ``within`` v; ``trust`` (G,) in 0..1: how much of f is the
    group's own."""

    factor: np.ndarray
    between: float
    within: float
    trust: np.ndarray


def credibility(count: np.ndarray, expected: np.ndarray, group: np.ndarray) -> Credibility:
    """Of members (N,) in groups 0..G-1. Ratios beyond 30 count as 30: one hit is no law."""
    n_groups = int(group.max(initial=-1)) + 1
    deviation = np.minimum(count / np.maximum(expected, 1e-300), _LARGEST_RATIO) - 1
    between, within = 0.5, 0.5
    for _ in range(_ROUNDS):
        weight = np.where(expected > 0, expected / (1 + within * expected), 0.0) * within
        sums = np.bincount(group, weight * deviation, n_groups)
        pairs = np.bincount(group, weight, n_groups) ** 2 - np.bincount(group, weight**2, n_groups)
        products = sums**2 - np.bincount(group, (weight * deviation) ** 2, n_groups)
        between = max(products.sum() / pairs.sum(), 0.0) if pairs.sum() > 1e-9 else 0.0
        noise = 1 / np.maximum(expected, 1e-300)
        variance = (weight * (deviation**2 - np.where(weight > 0, noise, 0.0))).sum() / max(weight.sum(), 1e-300)
        within = float(np.clip(variance - between, _LEAST_VARIANCE, _LARGEST_RATIO))
    weight = np.where(expected > 0, expected / (1 + within * expected), 0.0)
    own = between * np.bincount(group, weight, n_groups)
    factor = 1 + between * np.bincount(group, weight * deviation, n_groups) / (1 + own)
    return Credibility(factor, float(between), within, own / (1 + own))
