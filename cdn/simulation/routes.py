"""Where a request goes when nothing is refused and nothing reactive is in its way: one number per (region, asset).

A *route* is the cheapest cache that pins the asset and may serve the region (the first of equals), as
``cheapest_routing`` has it for demand. Where there is none it is the origin, S, plus the reason: a miss class of
``cdn.simulation.classes``. Who holds an asset is a row of bits, so most requests are answered by one word of it. Routes
are fixed by the placement, and the same for assets of one kind (``cdn.simulation.kinds``): where the log is longer
than a table (kinds, R) of them, they are looked up there.
"""

from typing import NamedTuple

import numpy as np

from cdn.caching.prefetching import prefetch
from cdn.compilation import step
from cdn.model.catalog import Catalog
from cdn.model.problem import Problem
from cdn.model.site_assets import SiteAssets
from cdn.simulation.classes import CAPACITY, CONTENT, FORBIDDEN, FORECAST, NOT_PLACEABLE
from cdn.simulation.kinds import kinds_of
from cdn.simulation.paths import NO_SITE

AHEAD = 16
WORD_BITS = 64
TABLE_CELLS_PER_REQUEST = 1


class Routes(NamedTuple):
    """What the kernels read. ``order`` (R, S): the caches that may serve each region, cheapest first (the first listed
    of equals), then -1; ``usable`` (R, W) the same caches as bits; ``largest_bytes`` (R,) the most that one can store.

    ``pinned``, ``excluded``, ``true`` (A, W) uint64: bit s of an asset's row is set where cache s has it; the last, of
    a clairvoyant placement, counts where ``knows_truth``. Assets that are ``restricted`` (A,) have a row of ``allowed``
    (rows, R), which ``allowed_row`` (A,) names; ``size_bytes`` (A,) and ``storage_bytes`` (S,) in bytes."""

    cost: np.ndarray
    order: np.ndarray
    usable: np.ndarray
    largest_bytes: np.ndarray
    storage_bytes: np.ndarray
    size_bytes: np.ndarray
    pinned: np.ndarray
    excluded: np.ndarray
    true: np.ndarray
    knows_truth: bool
    restricted: np.ndarray
    allowed_row: np.ndarray
    allowed: np.ndarray


def build_routes(problem: Problem, catalog: Catalog, pinned: SiteAssets, true_placement: SiteAssets | None) -> Routes:
    """``true_placement``: made with the true demand, where there is one: tells forecast misses from capacity misses."""
    n_assets, n_caches, may_serve = len(catalog), problem.n_caches, problem.may_serve
    truth = SiteAssets.empty(n_assets) if true_placement is None else true_placement
    cost = np.where(may_serve, problem.cost_per_byte[:-1], np.inf)
    order = np.argsort(cost, axis=0, kind="stable").T.astype(np.int32)
    order[np.isinf(np.take_along_axis(cost.T, order, axis=1))] = NO_SITE
    ruled = sorted(catalog.allowed_regions)
    restricted, allowed_row = np.zeros(n_assets, dtype=bool), np.zeros(n_assets, dtype=np.int32)
    restricted[ruled], allowed_row[ruled] = True, np.arange(len(ruled))
    allowed = np.zeros((len(ruled), len(problem.region_index)), dtype=bool)
    for row, asset in enumerate(ruled):
        region = problem.region_index.positions_of(np.array(catalog.allowed_regions[asset], dtype=object))
        allowed[row, region[region >= 0]] = True
    return Routes(
        problem.cost_per_byte,
        np.ascontiguousarray(order),
        bits_of(SiteAssets.from_dense(may_serve), n_caches),
        np.where(may_serve, problem.storage_bytes[:, None], -1.0).max(axis=0, initial=-1.0),
        problem.storage_bytes,
        problem.size_bytes,
        bits_of(pinned, n_caches),
        bits_of(problem.excluded, n_caches),
        bits_of(truth, n_caches),
        true_placement is not None,
        restricted,
        allowed_row,
        allowed,
    )


def bits_of(pairs: SiteAssets, n_caches: int) -> np.ndarray:
    """(rows, W) uint64: bit s % 64 of word s // 64 is set where the pair (s, row) is there."""
    bits = np.zeros((pairs.n_assets, n_caches // WORD_BITS + 1), dtype=np.uint64)
    _set_bits(pairs.indptr, pairs.site, bits)
    return bits


def route_requests(routes: Routes, region: np.ndarray, asset: np.ndarray) -> np.ndarray:
    """(N,) route of each request."""
    n_regions = routes.cost.shape[1]
    route = np.empty(len(asset), dtype=np.min_scalar_type(-(len(routes.cost) + FORBIDDEN)))
    kinds = kinds_of(routes, TABLE_CELLS_PER_REQUEST * len(asset) // max(n_regions, 1))
    if kinds is None:
        _find(routes, region, asset, route)
    else:
        kind, example = kinds
        table = np.empty(n_regions * len(example), dtype=route.dtype)
        _tabulate(routes, example, table)
        _look_up(table, n_regions, kind, region, asset, route)
    return route


@step
def _set_bits(indptr, sites, bits):
    for a in range(len(indptr) - 1):
        for k in range(indptr[a], indptr[a + 1]):
            bits[a, sites[k] // WORD_BITS] |= np.uint64(1) << np.uint64(sites[k] % WORD_BITS)


@step
def has_bit(bits, a, s):
    return (bits[a, s // WORD_BITS] >> np.uint64(s % WORD_BITS)) & np.uint64(1) != 0


@step
def meet(bits, a, usable, r):
    """Whether one of the asset's caches may serve the region."""
    both = np.uint64(0)
    for word in range(bits.shape[1]):
        both |= bits[a, word] & usable[r, word]
    return both != 0


@step
def cheapest_holder(routes, r, a):
    """The cheapest cache that pins the asset and may serve the region, the first of equals; else the origin."""
    if not meet(routes.pinned, a, routes.usable, r):
        return len(routes.cost) - 1
    at = 0
    while not has_bit(routes.pinned, a, routes.order[r, at]):
        at += 1
    return np.int64(routes.order[r, at])


@step
def next_holder(routes, r, a, refusing):
    """The one after a cache that refused; else the origin."""
    order = routes.order
    at = 0
    while order[r, at] != refusing:
        at += 1
    for later in range(at + 1, order.shape[1]):
        s = order[r, later]
        if s == NO_SITE:
            break
        if has_bit(routes.pinned, a, s):
            return np.int64(s)
    return np.int64(len(routes.cost) - 1)


@step
def is_placeable(routes, r, a):
    """Whether some cache that may serve the region is large enough for the asset, and allowed to store it."""
    size = routes.size_bytes[a]
    if size > routes.largest_bytes[r] or not meet(routes.excluded, a, routes.usable, r):
        return size <= routes.largest_bytes[r]
    for s in routes.order[r]:
        if s != NO_SITE and size <= routes.storage_bytes[s] and not has_bit(routes.excluded, a, s):
            return True
    return False


@step
def route_of(routes, r, a):
    origin = len(routes.cost) - 1
    if routes.restricted[a] and not routes.allowed[routes.allowed_row[a], r]:
        return origin + FORBIDDEN
    server = cheapest_holder(routes, r, a)
    if server < origin:
        return server
    if not is_placeable(routes, r, a):
        return origin + NOT_PLACEABLE
    if not routes.knows_truth:
        return origin + CONTENT
    return origin + (FORECAST if meet(routes.true, a, routes.usable, r) else CAPACITY)


@step
def _find(routes, region, asset, route):
    last = len(asset) - 1
    for k in range(len(asset)):
        prefetch(routes.pinned[asset[min(k + AHEAD, last)]], 0)
        route[k] = route_of(routes, region[k], asset[k])


@step
def _tabulate(routes, example, table):
    n_regions = routes.cost.shape[1]
    for kind in range(len(example)):
        for r in range(n_regions):
            table[kind * n_regions + r] = route_of(routes, r, example[kind])


@step
def _look_up(table, n_regions, kind, region, asset, route):
    last = len(asset) - 1
    for k in range(len(asset)):
        prefetch(kind, asset[min(k + 2 * AHEAD, last)])
        near = min(k + AHEAD, last)
        prefetch(table, np.int64(kind[asset[near]]) * n_regions + region[near])
        route[k] = table[np.int64(kind[asset[k]]) * n_regions + region[k]]
