"""Popularity: every site stores the top of its own regions' list until it is full. What people do today."""

import numpy as np

from cdn.model.placement import Placement, PlacerResult
from cdn.model.problem import Problem
from cdn.model.site_assets import SiteAssets


def place_popularity(problem: Problem) -> PlacerResult:
    """Top-K by expected requests per site, K as storage (and tonight's fill) allows; no bound.

    A site's list counts the regions it may serve: unlike ``greedy`` it does not ask whether another site has the
    asset already. Pins come first; excluded and unlicensed assets stay out; links and egress are not looked at.
    """
    picked = [_top_of(problem, site) for site in range(problem.n_caches)]
    site = np.repeat(np.arange(problem.n_caches), [len(assets) for assets in picked])
    asset = np.concatenate([*picked, np.zeros(0, dtype=np.int64)])
    stored = SiteAssets.from_pairs(site, asset, len(problem.asset_index))
    return PlacerResult(Placement(stored), "feasible", "storage filled from the top of each site's list")


def _top_of(problem: Problem, site: int) -> np.ndarray:
    """Assets the site stores, most requested first."""
    demand, n_assets = problem.demand, len(problem.asset_index)
    counted = problem.servable & _catchment(problem, site)[demand.region]
    requests = np.bincount(demand.asset[counted], weights=demand.requests[counted], minlength=n_assets)
    pinned = np.zeros(n_assets, dtype=bool)
    pinned[problem.pinned.assets_of(site)] = True
    new = np.ones(n_assets, dtype=bool)
    new[problem.stored.assets_of(site)] = False
    eligible = pinned | (problem.storable(site) & (requests > 0))
    order = np.lexsort((-requests, ~pinned))
    order = order[eligible[order]]
    storage_left, fill_left = problem.storage_bytes[site], problem.usable_fill_bytes[site]
    taken = []
    for asset in order.tolist():
        size = problem.size_bytes[asset]
        if size <= storage_left and (not new[asset] or size <= fill_left):
            taken.append(asset)
            storage_left -= size
            fill_left -= size if new[asset] else 0
    return np.array(taken, dtype=np.int64)


def _catchment(problem: Problem, site: int) -> np.ndarray:
    """(R,) bool: regions that see the site as the cheapest among the caches that store something; where it is
    nobody's cheapest (a mid site behind edges), all regions it may serve."""
    cost = np.where(problem.may_serve & (problem.storage_bytes > 0)[:, None], problem.cost_per_byte[:-1], np.inf)
    may_serve = np.isfinite(cost[site])
    nearest = may_serve & (np.argmin(cost, axis=0) == site)
    return nearest if nearest.any() else may_serve
