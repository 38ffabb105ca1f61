"""Who serves an entry: the cheapest site that stores the asset and may serve the region."""

import numpy as np
from numba import njit

from cdn.model.placement import Routing
from cdn.model.problem import Problem
from cdn.model.site_assets import SiteAssets


@njit(cache=True)
def _two_cheapest(indptr, region, servable, held_indptr, held_site, cost, may_serve, best, second):
    """For each entry the cheapest cache that stores the asset (the first of equals) and the next one; -1 for none."""
    for asset in range(len(indptr) - 1):
        for entry in range(indptr[asset], indptr[asset + 1]):
            if not servable[entry]:
                continue
            r = region[entry]
            for k in range(held_indptr[asset], held_indptr[asset + 1]):
                s = held_site[k]
                if not may_serve[s, r]:
                    continue
                if best[entry] < 0 or cost[s, r] < cost[best[entry], r]:
                    second[entry] = best[entry]
                    best[entry] = s
                elif second[entry] < 0 or cost[s, r] < cost[second[entry], r]:
                    second[entry] = s


def two_cheapest(problem: Problem, stored: SiteAssets) -> tuple[np.ndarray, np.ndarray]:
    """(N,) cheapest serving cache of each entry and (N,) the next cheapest; -1 where only the origin is left."""
    best = np.full(len(problem.demand), -1, dtype=np.int32)
    second = best.copy()
    _two_cheapest(
        problem.demand.indptr,
        problem.demand.region,
        problem.servable,
        stored.indptr,
        stored.site,
        problem.cost_per_byte,
        problem.may_serve,
        best,
        second,
    )
    return best, second


def cheapest_routing(problem: Problem, stored: SiteAssets) -> Routing:
    """Every entry wholly from its cheapest storing cache, else from the origin."""
    best, _ = two_cheapest(problem, stored)
    entry = np.flatnonzero(best >= 0)
    return Routing(entry, best[entry], np.ones(len(entry)))


def marginal_saving(problem: Problem, stored: SiteAssets) -> np.ndarray:
    """(P,) delivery cost that each stored pair saves, all others staying: what would be lost without it."""
    best, second = two_cheapest(problem, stored)
    entry = np.flatnonzero(best >= 0)
    site, region, asset = best[entry], problem.demand.region[entry], problem.demand.asset[entry]
    otherwise = np.where(second[entry] >= 0, problem.cost_per_byte[second[entry], region], problem.origin_cost[region])
    saved = problem.demand.bytes[entry] * (otherwise - problem.cost_per_byte[site, region])
    keys = stored.keys(problem.n_caches)
    position = np.searchsorted(keys, asset.astype(np.int64) * problem.n_caches + site)
    return np.bincount(position, weights=saved, minlength=len(keys))


def ranked_sites(problem: Problem) -> list[np.ndarray]:
    """For each region the caches that may serve it, cheapest first (the first listed of equals)."""
    may_serve = problem.may_serve
    ranking = []
    for r in range(len(problem.region_index)):
        sites = np.flatnonzero(may_serve[:, r])
        ranking.append(sites[np.argsort(problem.cost_per_byte[sites, r], kind="stable")].astype(np.int32))
    return ranking
