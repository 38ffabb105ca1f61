"""The same problem told in another order or in other units."""

import numpy as np
import scipy.sparse as sp

from cdn.model.demand import Demand
from cdn.model.index import Index
from cdn.model.problem import Problem
from cdn.model.site_assets import SiteAssets


def permuted(problem: Problem, sites: np.ndarray, regions: np.ndarray, assets: np.ndarray) -> Problem:
    """Caches, regions and assets in another order: ``sites[k]`` is the old place of the new cache k, and so on."""
    demand, n_regions, n_links = problem.demand, len(regions), len(problem.link_capacity_bps)
    new_region, new_asset, new_site = (np.argsort(order) for order in (regions, assets, sites))
    order = np.lexsort((new_region[demand.region], new_asset[demand.asset]))
    counts = np.bincount(new_asset[demand.asset], minlength=len(assets))
    rows = np.append(sites, problem.n_caches)
    paths = (rows[:, None] * n_regions + regions).ravel()

    def moved(pairs: SiteAssets) -> SiteAssets:
        return SiteAssets.from_pairs(new_site[pairs.site], new_asset[pairs.asset], len(assets))

    region_index, asset_index = Index(problem.region_index.ids[regions]), Index(problem.asset_index.ids[assets])
    return problem.replace(
        site_index=Index(problem.site_index.ids[rows]),
        region_index=region_index,
        asset_index=asset_index,
        size_bytes=problem.size_bytes[assets],
        demand=Demand(
            region_index,
            asset_index,
            np.concatenate([[0], np.cumsum(counts)]),
            new_region[demand.region[order]],
            demand.requests[order],
            demand.bytes[order],
            demand.peak_bps[order],
            demand.hour_factor[:, regions],
        ),
        cost_per_byte=problem.cost_per_byte[rows][:, regions],
        storage_bytes=problem.storage_bytes[sites],
        egress_bps=problem.egress_bps[sites],
        fill_bytes=problem.fill_bytes[sites],
        fill_cost_per_byte=problem.fill_cost_per_byte[sites],
        stored=moved(problem.stored),
        pinned=moved(problem.pinned),
        excluded=moved(problem.excluded),
        servable=problem.servable[order],
        path_links=sp.csr_array(problem.path_links[paths]) if n_links else problem.path_links,
    )


def with_bytes(problem: Problem, asked_bytes: np.ndarray) -> Problem:
    """Other bytes asked for by the entries."""
    d = problem.demand
    demand = Demand(
        d.region_index, d.asset_index, d.indptr, d.region, d.requests, asked_bytes, d.peak_bps, d.hour_factor
    )
    return problem.replace(demand=demand)


def dearer(problem: Problem, factor: float) -> Problem:
    """All costs times a factor."""
    return problem.replace(
        cost_per_byte=factor * problem.cost_per_byte, fill_cost_per_byte=factor * problem.fill_cost_per_byte
    )


def larger(problem: Problem, factor: int) -> Problem:
    """All assets, caches and fill budgets times a factor; filling an asset costs the same."""
    return problem.replace(
        size_bytes=factor * problem.size_bytes,
        storage_bytes=factor * problem.storage_bytes,
        fill_bytes=factor * problem.fill_bytes,
        fill_cost_per_byte=problem.fill_cost_per_byte / factor,
    )
