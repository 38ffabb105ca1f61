"""Which pairs a placer needs to look at at all."""

from dataclasses import dataclass

import numpy as np

from cdn.model.problem import Problem


@dataclass(frozen=True, eq=False)
class Candidates:
    """Storing pairs (P,) ``site``, ``asset`` with ``pinned`` and ``new`` (not stored now), and serving triples (M,)
    ``entry``, ``entry_site``, ``entry_pair`` (position of its storing pair) with ``saving``: delivery cost saved
    against the origin when the cache serves the whole entry, > 0. Pairs are asset-major, triples entry-major."""

    site: np.ndarray
    asset: np.ndarray
    pinned: np.ndarray
    new: np.ndarray
    entry: np.ndarray
    entry_site: np.ndarray
    entry_pair: np.ndarray
    saving: np.ndarray


def find_candidates(problem: Problem) -> Candidates:
    """Pairs where storing can save anything or is demanded, with the entries they would serve.

    A pair is left out where it saves nothing, is excluded, or can never fit (``Problem.storable``).
    """
    demand, n_caches = problem.demand, problem.n_caches
    asset_of = demand.asset
    cheaper = problem.may_serve & (problem.cost_per_byte[:-1] < problem.origin_cost)
    storable = np.array([problem.storable(s) for s in range(n_caches)]).reshape(n_caches, len(problem.asset_index))
    wanted = np.flatnonzero(problem.servable & (demand.bytes > 0))
    entry, site = np.nonzero(cheaper[:, demand.region[wanted]].T & storable[:, asset_of[wanted]].T)
    entry, site = wanted[entry], site.astype(np.int32)
    triple_keys = asset_of[entry].astype(np.int64) * n_caches + site
    keys = np.union1d(triple_keys, problem.pinned.keys(n_caches))
    pair_site, pair_asset = (keys % max(n_caches, 1)).astype(np.int32), (keys // max(n_caches, 1)).astype(np.int32)
    region = demand.region[entry]
    return Candidates(
        site=pair_site,
        asset=pair_asset,
        pinned=problem.pinned.contains(pair_site, pair_asset, n_caches),
        new=~problem.stored.contains(pair_site, pair_asset, n_caches),
        entry=entry,
        entry_site=site,
        entry_pair=np.searchsorted(keys, triple_keys),
        saving=demand.bytes[entry] * (problem.origin_cost[region] - problem.cost_per_byte[site, region]),
    )


def limits_may_bind(problem: Problem) -> bool:
    """Could any egress or link limit ever bind, were everything stored everywhere?"""
    demand = problem.demand
    factor = demand.hour_factor[demand.peak_hours()]
    by_region = np.bincount(demand.region, weights=demand.peak_bps, minlength=len(problem.region_index))
    most = (factor * by_region) @ problem.may_serve.T
    if (most.max(axis=0, initial=0) > problem.egress_bps).any():
        return True
    n = problem.n_caches * len(problem.region_index)
    pair_rates = (problem.may_serve[None] * (factor * by_region)[:, None, :]).reshape(len(factor), n)
    loads = problem.path_links[:n].T @ pair_rates.T
    return bool((loads.max(axis=1, initial=0) > problem.link_capacity_bps).any()) if loads.size else False
