"""Which caches a request passes: the reactive path of each region, and who holds a pinned copy."""

import numpy as np

from cdn.compilation import kernel
from cdn.model.catalog import Catalog
from cdn.model.index import Index
from cdn.model.problem import Problem
from cdn.model.site_assets import SiteAssets
from cdn.model.topology import EDGE, MID, Topology

NO_SITE = -1


def reactive_paths(problem: Problem, topology: Topology) -> np.ndarray:
    """(2, R) int32: the edge and then the mid each region's misses go up through, ``NO_SITE`` where there is none.

    The cheapest edge and the cheapest mid (the first listed of equals) that have storage and may serve the region at
    no more than the origin's cost. An edge that costs more than the mid is left out: a request that is already at the
    mid does not turn to a dearer edge before the origin. So costs never fall along a path, and as every path climbs
    edge, mid, origin, no cache sees requests that depend on a cache above it.
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


def allowed_in_caches(catalog: Catalog, region_index: Index, region: np.ndarray, asset: np.ndarray) -> np.ndarray:
    """(N,) bool: the catalog lets caches serve the asset to the region (``allowed_regions``), as ``Problem.servable``
    says it for demand."""
    n_regions = len(region_index)
    bound = np.zeros(len(catalog), dtype=bool)
    bound[list(catalog.allowed_regions)] = True
    allowed = np.concatenate([np.empty(0, dtype=np.int64)] + [
        position * n_regions + known[known >= 0].astype(np.int64)
        for position, ids in catalog.allowed_regions.items()
        for known in [region_index.positions_of(np.array(ids, dtype=object))]])
    result = ~bound[asset]
    ruled = np.flatnonzero(~result)
    result[ruled] = np.isin(asset[ruled].astype(np.int64) * n_regions + region[ruled], allowed)
    return result


def pinned_servers(problem: Problem, pinned: SiteAssets, region: np.ndarray, asset: np.ndarray) -> np.ndarray:
    """(N,) int32: the cheapest cache that pins the asset and may serve the region (the first of equals), as
    ``cheapest_routing`` has it for demand; the origin (S) where there is none."""
    server = np.full(len(asset), problem.n_caches, dtype=np.int32)
    _pinned_servers(region, asset, pinned.indptr, pinned.site, problem.cost_per_byte, problem.may_serve, server)
    return server


@kernel
def _pinned_servers(region, asset, indptr, site, cost, may_serve, server):
    origin = len(cost) - 1
    for k in range(len(asset)):
        r = region[k]
        for pair in range(indptr[asset[k]], indptr[asset[k] + 1]):
            s = site[pair]
            if may_serve[s, r] and (server[k] == origin or cost[s, r] < cost[server[k], r]):
                server[k] = s
