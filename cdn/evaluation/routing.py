"""Who serves an entry: the cheapest site that stores the asset and may serve the region."""

from dataclasses import dataclass

import numpy as np

from cdn.array_records import ArrayRecord
from cdn.compilation import kernel, routine
from cdn.model.arrays import csr_indptr
from cdn.model.placement import Routing
from cdn.model.problem import Problem
from cdn.model.site_assets import SiteAssets


@dataclass(frozen=True, eq=False)
class Serving(ArrayRecord):
    """What the kernels read: the demand, what is held, and in which order a region asks the caches that may serve it.

    ``indptr`` (A + 1,), ``region``, ``servable`` (N,) as in ``Demand`` and ``Problem``; ``held_indptr`` (A + 1,),
    ``held_site`` (P,) as in ``SiteAssets``. ``server`` int32 has the caches of each region, cheapest first (the first
    listed of equals), with row pointers ``server_indptr`` (R + 1,); ``rank`` (R, S) int32 says where in ``server`` a
    cache stands for a region, beyond the end where it may not serve it.
    """

    indptr: np.ndarray
    region: np.ndarray
    servable: np.ndarray
    held_indptr: np.ndarray
    held_site: np.ndarray
    server_indptr: np.ndarray
    server: np.ndarray
    rank: np.ndarray


def cheapest_routing(problem: Problem, stored: SiteAssets) -> Routing:
    """Every entry wholly from its cheapest storing cache, else from the origin."""
    site = np.empty(len(problem.demand), dtype=np.int32)
    _find_servers(_serving(problem, stored), site)
    entry = np.flatnonzero(site >= 0)
    arrays = (entry, site[entry], np.ones(len(entry)))
    for array in arrays:
        array.flags.writeable = False  # so that the routing keeps these and makes no copies
    return Routing(*arrays)


def marginal_saving(problem: Problem, stored: SiteAssets) -> np.ndarray:
    """(P,) delivery cost that each stored pair saves, all others staying: what would be lost without it."""
    saving = np.zeros(len(stored))
    _add_savings(_serving(problem, stored), problem.demand.bytes, problem.cost_per_byte, saving)
    return saving


def add_cheapest_flows(problem: Problem, stored: SiteAssets, tables: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    """Adds to tables of bytes, requests and peak bit/s, each (S + 1, R), what flows when every entry comes from its
    cheapest storing cache, else from the origin."""
    demand = problem.demand
    _add_flows(_serving(problem, stored), (demand.bytes, demand.requests, demand.peak_bps), tables)


def _serving(problem: Problem, stored: SiteAssets) -> Serving:
    region, server = np.nonzero(problem.may_serve.T)
    order = np.lexsort((problem.cost_per_byte[server, region], region))
    region, server = region[order], server[order].astype(np.int32)
    n_regions = len(problem.region_index)
    rank = np.full((n_regions, problem.n_caches), len(server), dtype=np.int32)
    rank[region, server] = np.arange(len(server))
    demand = problem.demand
    return Serving(
        demand.indptr,
        demand.region,
        problem.servable,
        stored.indptr,
        stored.site,
        csr_indptr(region, n_regions),
        server,
        rank,
    )


@routine
def _serve_asset(asset, serving, is_held, best, second):
    """For each entry of the asset, counted from 0, the two cheapest of the caches that hold it and may serve the entry;
    -1 for none. ``is_held`` (S,) is False and left so.

    Looks through what is shorter: the caches that hold the asset, or those that may serve the region.
    """
    # Out of the record once, and no calls per entry, which cost more than the work done for one.
    region, servable, held_site, rank = serving.region, serving.servable, serving.held_site, serving.rank
    server_indptr, server = serving.server_indptr, serving.server
    held_first, held_last = serving.held_indptr[asset], serving.held_indptr[asset + 1]
    for k in range(held_first, held_last):
        is_held[held_site[k]] = True
    entry_first = serving.indptr[asset]
    for entry in range(entry_first, serving.indptr[asset + 1]):
        r = region[entry]
        first, last = server_indptr[r], server_indptr[r + 1]
        cheapest = next_one = last  # places in ``server``
        if not servable[entry]:
            pass
        elif held_last - held_first < last - first:
            for k in range(held_first, held_last):
                place = rank[r, held_site[k]]
                if place < cheapest:
                    cheapest, next_one = place, cheapest
                elif place < next_one:
                    next_one = place
        else:
            for place in range(first, last):
                if is_held[server[place]]:
                    if cheapest < last:
                        next_one = place
                        break
                    cheapest = place
        best[entry - entry_first] = server[cheapest] if cheapest < last else -1
        second[entry - entry_first] = server[next_one] if next_one < last else -1
    for k in range(held_first, held_last):
        is_held[held_site[k]] = False


@kernel
def _find_servers(serving, found):
    """(N,) the cheapest cache of each entry, -1 where there is none."""
    indptr = serving.indptr
    is_held, second = np.zeros(serving.rank.shape[1], dtype=np.bool_), _room(indptr)
    for asset in range(len(indptr) - 1):
        _serve_asset(asset, serving, is_held, found[indptr[asset] : indptr[asset + 1]], second)


@kernel
def _add_savings(serving, asked_bytes, cost, saving):
    """(P,) adds to each held pair what the entries it serves would cost more without it."""
    indptr, region, held_indptr, held_site = serving.indptr, serving.region, serving.held_indptr, serving.held_site
    is_held, best, second = np.zeros(serving.rank.shape[1], dtype=np.bool_), _room(indptr), _room(indptr)
    saving_at = np.zeros(len(is_held))
    for asset in range(len(indptr) - 1):
        if held_indptr[asset] == held_indptr[asset + 1]:
            continue
        _serve_asset(asset, serving, is_held, best, second)
        for entry in range(indptr[asset], indptr[asset + 1]):
            s, other, r = best[entry - indptr[asset]], second[entry - indptr[asset]], region[entry]
            if s >= 0:
                # The last row of the costs, -1, is the origin's: where it goes without a second cache.
                saving_at[s] += asked_bytes[entry] * (cost[other, r] - cost[s, r])
        for k in range(held_indptr[asset], held_indptr[asset + 1]):
            saving[k] += saving_at[held_site[k]]
            saving_at[held_site[k]] = 0.0


@kernel
def _add_flows(serving, asked, tables):
    """Adds bytes, requests and bit/s of each entry where they flow; the last rows of the tables are the origin's."""
    asked_bytes, requests, peak_bps = asked
    byte_flow, request_flow, peak_flow = tables
    indptr, region = serving.indptr, serving.region
    is_held, best, second = np.zeros(serving.rank.shape[1], dtype=np.bool_), _room(indptr), _room(indptr)
    for asset in range(len(indptr) - 1):
        _serve_asset(asset, serving, is_held, best, second)
        for entry in range(indptr[asset], indptr[asset + 1]):
            s, r = best[entry - indptr[asset]], region[entry]
            byte_flow[s, r] += asked_bytes[entry]  # -1, the last row, is the origin's
            request_flow[s, r] += requests[entry]
            peak_flow[s, r] += peak_bps[entry]


@routine
def _room(indptr):
    """For one cache per entry of any one asset."""
    most = 0
    for asset in range(len(indptr) - 1):
        most = max(most, indptr[asset + 1] - indptr[asset])
    return np.empty(most, dtype=np.int32)
