"""The problem as the compiled kernels read it: demand asset-major, and per region only the caches worth a look.

Everything is written as *saving* against the origin: a cache that serves a whole entry saves
``bytes * candidate_saving - peak_bps * rate_price``, the origin saves nothing.
"""

from dataclasses import dataclass

import numpy as np

from cdn.array_records import ArrayRecord
from cdn.model.arrays import csr_indptr
from cdn.model.problem import Problem


@dataclass(frozen=True, eq=False)
class BlockTables(ArrayRecord):
    """Demand entries N (``indptr`` (A + 1,)), candidates C = pairs (region, cheaper cache) in region order, best first
    (``first_candidate`` (R + 1,)); ``candidate_saving`` per byte, > 0. The same pairs cache by cache: ``first_served``
    (S + 1,) into ``served_region`` and ``served_candidate`` (C,). Site limits (S,); pairs as CSR by asset."""

    indptr: np.ndarray
    region: np.ndarray
    bytes: np.ndarray
    peak_bps: np.ndarray
    servable: np.ndarray
    first_candidate: np.ndarray
    candidate_site: np.ndarray
    candidate_saving: np.ndarray
    first_served: np.ndarray
    served_region: np.ndarray
    served_candidate: np.ndarray
    size_bytes: np.ndarray
    storage_bytes: np.ndarray
    fill_bytes: np.ndarray
    fill_cost: np.ndarray
    stored_indptr: np.ndarray
    stored_site: np.ndarray
    pinned_indptr: np.ndarray
    pinned_site: np.ndarray
    excluded_indptr: np.ndarray
    excluded_site: np.ndarray


@dataclass(frozen=True, eq=False)
class BlockPrices(ArrayRecord):
    """``storage``, ``fill`` (S,) per byte; ``rate`` (C,) per bit/s of peak demand served by a candidate."""

    storage: np.ndarray
    fill: np.ndarray
    rate: np.ndarray


def build_tables(problem: Problem) -> BlockTables:
    """Views of the problem's arrays where they fit as they are; only the candidates are new."""
    demand = problem.demand
    saving = problem.origin_cost - problem.cost_per_byte[:-1]
    region, site = np.nonzero((problem.may_serve & (saving > 0)).T)
    order = np.lexsort((site, -saving[site, region], region))
    region, site = region[order], site[order]
    by_site = np.lexsort((region, site))
    return BlockTables(
        indptr=demand.indptr,
        region=demand.region,
        bytes=demand.bytes,
        peak_bps=demand.peak_bps,
        servable=problem.servable,
        first_candidate=csr_indptr(region, len(problem.region_index)),
        candidate_site=site.astype(np.int32),
        candidate_saving=saving[site, region],
        first_served=csr_indptr(site[by_site], problem.n_caches),
        served_region=region[by_site].astype(np.int32),
        served_candidate=by_site,
        size_bytes=problem.size_bytes,
        storage_bytes=problem.storage_bytes,
        fill_bytes=problem.usable_fill_bytes,
        fill_cost=problem.fill_cost_per_byte,
        stored_indptr=problem.stored.indptr,
        stored_site=problem.stored.site,
        pinned_indptr=problem.pinned.indptr,
        pinned_site=problem.pinned.site,
        excluded_indptr=problem.excluded.indptr,
        excluded_site=problem.excluded.site,
    )


def candidate_regions(tables: BlockTables) -> np.ndarray:
    """(C,) region of each candidate."""
    return np.repeat(np.arange(len(tables.first_candidate) - 1), np.diff(tables.first_candidate))
