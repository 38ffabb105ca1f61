"""Where a request goes when nothing is refused and nothing reactive is in its way: one number per (region, asset).

A *route* is the cheapest cache that pins the asset and may serve the region (the first of equals), as
``cheapest_routing`` has it for demand. Where there is none it is the origin, S, plus the reason: a miss class of
``cdn.simulation.classes``. Routes are fixed by the placement, so where the log is long they are looked up in a table
(R, A) made once; else each request looks through the asset's pins.
"""

from typing import NamedTuple

import numpy as np

from cdn.caching.prefetching import prefetch
from cdn.compilation import step
from cdn.model.arrays import csr_indptr
from cdn.model.catalog import Catalog
from cdn.model.problem import Problem
from cdn.model.site_assets import SiteAssets
from cdn.simulation.classes import CAPACITY, CONTENT, FORBIDDEN, FORECAST, NOT_PLACEABLE

AHEAD = 16
# A table's row costs about as much as one request that looks through the pins.
TABLE_CELLS_PER_REQUEST = 1


class Routes(NamedTuple):
    """What the kernels read: costs (S + 1, R), ``may_serve`` (S, R), storage (S,), sizes (A,), and pairs as in
    ``SiteAssets``: pins, exclusions, a clairvoyant placement's (``knows_truth``), and the allowed regions of the assets
    that are ``restricted`` (A,)."""

    cost: np.ndarray
    may_serve: np.ndarray
    storage_bytes: np.ndarray
    size_bytes: np.ndarray
    pinned_indptr: np.ndarray
    pinned_site: np.ndarray
    excluded_indptr: np.ndarray
    excluded_site: np.ndarray
    true_indptr: np.ndarray
    true_site: np.ndarray
    knows_truth: bool
    restricted: np.ndarray
    allowed_indptr: np.ndarray
    allowed_region: np.ndarray


def build_routes(problem: Problem, catalog: Catalog, pinned: SiteAssets, true_placement: SiteAssets | None) -> Routes:
    """``true_placement``: made with the true demand, where there is one: tells forecast misses from capacity misses."""
    n_assets = len(catalog)
    truth = SiteAssets.empty(n_assets) if true_placement is None else true_placement
    pairs = [(asset, int(region)) for asset, ids in sorted(catalog.allowed_regions.items())
             for region in problem.region_index.positions_of(np.array(ids, dtype=object)) if region >= 0]
    asset, region = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    restricted = np.zeros(n_assets, dtype=bool)
    restricted[list(catalog.allowed_regions)] = True
    return Routes(
        problem.cost_per_byte, problem.may_serve, problem.storage_bytes, problem.size_bytes, pinned.indptr,
        pinned.site, problem.excluded.indptr, problem.excluded.site, truth.indptr, truth.site,
        true_placement is not None, restricted, csr_indptr(asset, n_assets),
        np.ascontiguousarray(region, dtype=np.int32),
    )


def route_requests(routes: Routes, region: np.ndarray, asset: np.ndarray) -> np.ndarray:
    """(N,) route of each request."""
    n_regions, n_assets = routes.cost.shape[1], len(routes.size_bytes)
    dtype = np.min_scalar_type(-(len(routes.cost) + FORBIDDEN))
    route = np.empty(len(asset), dtype=dtype)
    if n_regions * n_assets > TABLE_CELLS_PER_REQUEST * len(asset):
        _find(routes, region, asset, route)
    else:
        table = np.empty(n_regions * n_assets, dtype=dtype)
        _tabulate(routes, table)
        _look_up(table, n_assets, region, asset, route)
    return route


@step
def cheapest_holder(routes, indptr, sites, r, a, after_cost, after_site):
    """The cheapest cache among the asset's pairs that may serve the region and comes after the given one in the order
    of costs, the first listed of equals; the origin where there is none."""
    cost, may_serve = routes.cost, routes.may_serve
    origin = len(cost) - 1
    best = origin
    for pair in range(indptr[a], indptr[a + 1]):
        s = sites[pair]
        later = cost[s, r] > after_cost or (cost[s, r] == after_cost and s > after_site)
        if may_serve[s, r] and later and (best == origin or cost[s, r] < cost[best, r]):
            best = s
    return best


@step
def is_allowed(routes, r, a):
    """Whether the catalog lets caches serve the asset to the region, as ``Problem.servable`` says it for demand."""
    allowed = not routes.restricted[a]
    for k in range(routes.allowed_indptr[a], routes.allowed_indptr[a + 1]):
        allowed |= routes.allowed_region[k] == r
    return allowed


@step
def is_placeable(routes, r, a):
    """Whether some cache that may serve the region is large enough for the asset, and allowed to store it."""
    for s in range(len(routes.may_serve)):
        if routes.may_serve[s, r] and routes.size_bytes[a] <= routes.storage_bytes[s]:
            is_excluded = False
            for k in range(routes.excluded_indptr[a], routes.excluded_indptr[a + 1]):
                is_excluded |= routes.excluded_site[k] == s
            if not is_excluded:
                return True
    return False


@step
def route_of(routes, r, a):
    origin = len(routes.cost) - 1
    if not is_allowed(routes, r, a):
        return origin + FORBIDDEN
    server = cheapest_holder(routes, routes.pinned_indptr, routes.pinned_site, r, a, -1.0, -1)
    if server < origin:
        return np.int64(server)
    if not is_placeable(routes, r, a):
        return origin + NOT_PLACEABLE
    if not routes.knows_truth:
        return origin + CONTENT
    planned = cheapest_holder(routes, routes.true_indptr, routes.true_site, r, a, -1.0, -1)
    return origin + (FORECAST if planned < origin else CAPACITY)


@step
def _find(routes, region, asset, route):
    for k in range(len(asset)):
        route[k] = route_of(routes, region[k], asset[k])


@step
def _tabulate(routes, table):
    n_regions, n_assets = routes.cost.shape[1], len(routes.size_bytes)
    for a in range(n_assets):
        for r in range(n_regions):
            table[r * n_assets + a] = route_of(routes, r, a)


@step
def _look_up(table, n_assets, region, asset, route):
    last = len(asset) - 1
    for k in range(len(asset)):
        ahead = min(k + AHEAD, last)
        prefetch(table, np.int64(region[ahead]) * n_assets + asset[ahead])
        route[k] = table[np.int64(region[k]) * n_assets + asset[k]]
