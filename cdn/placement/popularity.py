"""Popularity: every site stores the top of its own regions' list until it is full. What people do today."""

import numpy as np

from cdn.model.placement import Placement, PlacerResult
from cdn.model.problem import Problem
from cdn.model.site_assets import SiteAssets
from cdn.placement.fitting import take_fitting


def place_popularity(problem: Problem) -> PlacerResult:
    """Top-K by expected requests per site, K as storage (and tonight's fill) allows; no bound.

    A site's list counts the regions it may serve: unlike ``greedy`` it does not ask whether another site has the
    asset already. Pins come first; excluded and unlicensed assets stay out; links and egress are not looked at.
    """
    ranked = [_ranking(problem, site) for site in range(problem.n_caches)]
    site = np.repeat(np.arange(problem.n_caches), [len(assets) for assets in ranked])
    asset = np.concatenate([*ranked, np.zeros(0, dtype=np.int64)])
    room, fill = problem.storage_bytes.copy(), problem.usable_fill_bytes.copy()
    taken = take_fitting(problem, site, asset, room, fill)
    stored = SiteAssets.from_pairs(site[taken], asset[taken], len(problem.asset_index))
    return PlacerResult(Placement(stored), "feasible", "storage filled from the top of each site's list")


def _ranking(problem: Problem, site: int) -> np.ndarray:
    """The site's list: pins, then what its regions ask for most."""
    demand, n_assets = problem.demand, len(problem.asset_index)
    counted = problem.servable & _catchment(problem, site)[demand.region]
    requests = np.bincount(demand.asset[counted], weights=demand.requests[counted], minlength=n_assets)
    pinned = np.zeros(n_assets, dtype=bool)
    pinned[problem.pinned.assets_of(site)] = True
    eligible = pinned | (problem.storable(site) & (requests > 0))
    order = np.lexsort((-requests, ~pinned))
    return order[eligible[order]]


def _catchment(problem: Problem, site: int) -> np.ndarray:
    """(R,) bool: regions that see the site as the cheapest among the caches that store something; where it is
    nobody's cheapest (a mid site behind edges), all regions it may serve."""
    cost = np.where(problem.may_serve & (problem.storage_bytes > 0)[:, None], problem.cost_per_byte[:-1], np.inf)
    may_serve = np.isfinite(cost[site])
    nearest = may_serve & (np.argmin(cost, axis=0) == site)
    return nearest if nearest.any() else may_serve
