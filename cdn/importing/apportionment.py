"""How the storage of all sites of a kind is shared out among them; each rule takes the demand nearest to each site."""

from collections.abc import Callable, Mapping

import numpy as np


def equal(served: np.ndarray) -> np.ndarray:
    """(S,) shares: the same for every site."""
    return np.full(len(served), 1 / max(len(served), 1))


def by_served_weight(served: np.ndarray) -> np.ndarray:
    """(S,) shares in proportion to the weight of the regions that are nearest to each site."""
    return served / served.sum() if served.any() else equal(served)


APPORTIONMENTS: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {"equal": equal, "served": by_served_weight}


def served_weight(weight: np.ndarray, cost: np.ndarray, site_nodes: list[int]) -> np.ndarray:
    """(S,) weight (N,) of the nodes whose cheapest site stands at ``site_nodes[s]``; ties go to the first site.
    ``cost`` (N, N) of a byte between nodes."""
    if not site_nodes:
        return np.zeros(0)
    nearest = np.argmin(np.round(cost[site_nodes], 12), axis=0)
    return np.bincount(nearest, weights=weight, minlength=len(site_nodes))


def split_evenly(total: int, parts: int) -> list[int]:
    """A total as ``parts`` integers that differ by at most one, the larger first."""
    share, rest = divmod(total, parts)
    return [share + (k < rest) for k in range(parts)]
