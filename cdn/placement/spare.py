"""Spare storage: what costs nothing to have is kept or taken, against demand the forecast did not see.

Where the expected demand is served already, the model gains nothing from more copies and leaves storage empty. A
forecast leaves out many pairs that are asked for now and then; a copy that is there already, or whose filling costs
nothing, can only help. Expected cost, bound and gap stay the same.
"""

import numpy as np

from cdn.model.problem import Problem
from cdn.model.site_assets import SiteAssets
from cdn.placement.fitting import take_fitting


def use_spare_storage(problem: Problem, stored: SiteAssets, least_share: float = 0.0) -> SiteAssets:
    """``stored`` and, while storage and tonight's fill allow, more pairs that cost nothing: most expected requests per
    byte first, counting the regions the site may serve. Sites with no more than ``least_share`` of their storage empty
    are left alone."""
    n_caches = problem.n_caches
    storage_left = problem.storage_bytes - stored.bytes_per_site(problem.size_bytes, n_caches)
    spare = np.flatnonzero(storage_left > least_share * problem.storage_bytes).tolist()
    found = [_free_pairs(problem, stored, site) for site in spare]
    site = np.repeat(spare, [len(assets) for assets, _ in found])
    asset = np.concatenate([*(assets for assets, _ in found), np.zeros(0, dtype=np.int64)])
    score = np.concatenate([*(scores for _, scores in found), np.zeros(0)])
    newly = stored.minus(problem.stored, n_caches).bytes_per_site(problem.size_bytes, n_caches)
    order = np.lexsort((asset, site, -score))
    taken = order[take_fitting(problem, site[order], asset[order], storage_left, problem.usable_fill_bytes - newly)]
    return stored.union(SiteAssets.from_pairs(site[taken], asset[taken], stored.n_assets))


def _free_pairs(problem: Problem, stored: SiteAssets, site: int) -> tuple[np.ndarray, np.ndarray]:
    """Assets a site could have more of for nothing, and their expected requests per byte."""
    demand, n_assets = problem.demand, len(problem.asset_index)
    counted = problem.servable & problem.may_serve[site][demand.region]
    requests = np.bincount(demand.asset[counted], weights=demand.requests[counted], minlength=n_assets)
    able = problem.storable(site) & (requests > 0)
    able[stored.assets_of(site)] = False
    if problem.fill_cost_per_byte[site] > 0:
        there = np.zeros(n_assets, dtype=bool)
        there[problem.stored.assets_of(site)] = True
        able &= there
    assets = np.flatnonzero(able)
    return assets, requests[assets] / problem.size_bytes[assets]
