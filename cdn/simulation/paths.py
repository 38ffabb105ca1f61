"""Which caches a request passes: the reactive path of each region."""

import numpy as np

from cdn.model.problem import Problem
from cdn.model.topology import EDGE, MID, Topology

NO_SITE = -1


def reactive_paths(problem: Problem, topology: Topology) -> np.ndarray:
    """(2, R) int32: the edge and then the mid each region's misses go up through, ``NO_SITE`` where there is none.

    The cheapest edge and the cheapest mid (the first listed of equals) that have storage and may serve the region at
    no more than the origin's cost. An edge that costs more than the mid is left out: a request that is already at the
    mid does not turn to a dearer edge before the origin. So costs never fall along a path.
    """
    cost = np.where(problem.may_serve & (problem.storage_bytes > 0)[:, None], problem.cost_per_byte[:-1], np.inf)
    (edge, edge_cost), (mid, mid_cost) = (_cheapest(np.where(sites_of_kind(topology, kind)[:, None], cost, np.inf))
                                          for kind in (EDGE, MID))
    return np.stack([np.where(edge_cost <= mid_cost, edge, NO_SITE), mid]).astype(np.int32)


def sites_of_kind(topology: Topology, kind: str) -> np.ndarray:
    """(S,) bool: caches of one kind."""
    return np.array([site.kind == kind for site in topology.sites[:-1]], dtype=bool)


def _cheapest(cost: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cheapest row of each column and its cost; NO_SITE where all are infinite."""
    if not len(cost):
        return np.full(cost.shape[1], NO_SITE), np.full(cost.shape[1], np.inf)
    site = cost.argmin(axis=0)
    lowest = cost[site, np.arange(cost.shape[1])]
    return np.where(np.isfinite(lowest), site, NO_SITE), lowest
