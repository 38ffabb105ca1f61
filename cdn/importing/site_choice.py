"""Where sites go on a graph that names none.

Every rule takes ``weight`` (N,) of the nodes' demand, ``cost`` (N, N) of a byte between nodes, the ``candidates`` (C,)
among the nodes and how many sites to choose, and gives that many candidates in the order of choice. Ties go to
the candidate that stands first in the graph.
"""

from collections.abc import Callable, Mapping

import numpy as np

SiteChoice = Callable[[np.ndarray, np.ndarray, np.ndarray, int], list[int]]
SIGNIFICANT_DIGITS = 9


def heaviest(weight: np.ndarray, cost: np.ndarray, candidates: np.ndarray, n: int) -> list[int]:
    """The nodes with the most demand of their own."""
    return [int(k) for k in candidates[np.argsort(-weight[candidates], kind="stable")[:n]]]


def most_central(weight: np.ndarray, cost: np.ndarray, candidates: np.ndarray, n: int) -> list[int]:
    """The nodes with the highest weighted closeness: from where all demand is served at least cost."""
    return [int(k) for k in candidates[np.argsort(_comparable(weight @ cost[:, candidates]), kind="stable")[:n]]]


def spread(weight: np.ndarray, cost: np.ndarray, candidates: np.ndarray, n: int) -> list[int]:
    """Greedy weighted k-median: each next site is the one that, with those before it, serves all demand at least cost
    (Kuehn and Hamburger, Management Science 9(4), 1963, the add heuristic)."""
    chosen: list[int] = []
    nearest = np.full(len(weight), np.inf)
    left = np.ones(len(candidates), dtype=bool)
    for _ in range(min(n, len(candidates))):
        totals = _comparable(weight @ np.minimum(nearest[:, None], cost[:, candidates]))
        k = int(np.argmin(np.where(left, totals, np.inf)))
        left[k] = False
        chosen.append(int(candidates[k]))
        nearest = np.minimum(nearest, cost[:, candidates[k]])
    return chosen


SITE_CHOICES: Mapping[str, SiteChoice] = {"spread": spread, "heaviest": heaviest, "central": most_central}


def _comparable(totals: np.ndarray) -> np.ndarray:
    """Totals without their last digits, which depend on the order of summation: equals stay equal on every machine."""
    scale = float(totals.max(initial=0.0)) or 1.0
    return np.round(totals / scale, SIGNIFICANT_DIGITS)
