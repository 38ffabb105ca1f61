"""What the blocks are made of: a problem as flat arrays that a compiled kernel reads, and prices in the same shape.

With prices lambda (storage), phi (fill), mu (egress), nu (links) the problem falls apart per asset ("block"). Written as
savings over the origin, the block of asset a is an uncapacitated facility location problem

    max over site sets S   sum_r max(0, max_(s in S) w[s,r])  -  sum_(s in S) F[s]
    w[s,r] = bytes (c[o,r] - c[s,r]) - sum_h p[h,r] (mu[h,s] + sum of nu[h,l] over the path)
    F[s]   = size (lambda[s] + (fill_cost[s] + phi[s] where not stored now))

Only sites that save delivery cost for a region are kept for it, so memory is that of the demand, not entries x sites.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from cdn.model.problem import Problem


class BlockData(NamedTuple):
    """A asset rows, N entries, R regions, S caches, P region-site pairs that save (region-major, cheapest first).

    ``indptr`` (A + 1,), ``region``, ``bytes``, ``peak_bps``, ``wanted`` (N,): the demand, as it stands in the problem.
    ``size`` (A,) bytes as float. ``pair_indptr`` (R + 1,), ``pair_site``, ``pair_saving`` (P,) cost per byte saved.
    ``stored_*``, ``pinned_*``, ``excluded_*``: site sets per asset (CSR). ``storage``, ``fill``, ``fill_cost`` (S,).
    """

    indptr: np.ndarray
    region: np.ndarray
    bytes: np.ndarray
    peak_bps: np.ndarray
    wanted: np.ndarray
    size: np.ndarray
    pair_indptr: np.ndarray
    pair_site: np.ndarray
    pair_saving: np.ndarray
    stored_indptr: np.ndarray
    stored_site: np.ndarray
    pinned_indptr: np.ndarray
    pinned_site: np.ndarray
    excluded_indptr: np.ndarray
    excluded_site: np.ndarray
    storage: np.ndarray
    fill: np.ndarray
    fill_cost: np.ndarray


class BlockPrices(NamedTuple):
    """``storage`` (S,) per byte held, ``new`` (S,) per byte newly filled (fill cost included), ``rate`` (P,) per bit/s of
    peak demand served over each region-site pair."""

    storage: np.ndarray
    new: np.ndarray
    rate: np.ndarray


@dataclass(frozen=True, eq=False)
class Limits:
    """The coupling limits as one vector of rows: storage (S,), fill (S,), egress (H, S), link (H, L), in that order.

    ``limit`` (rows,) in bytes and bit/s, infinite where none. ``rate_rows``: (egress and link rows, P) what one bit/s of
    peak demand over a region-site pair puts on each of them.
    """

    n_caches: int
    n_hours: int
    n_links: int
    limit: np.ndarray
    rate_rows: sp.csr_array


def make_blocks(problem: Problem) -> BlockData:
    """The problem's arrays; the large ones are shared, not copied."""
    demand = problem.demand
    indptr, site, saving = _saving_pairs(problem)
    return BlockData(
        indptr=demand.indptr, region=demand.region, bytes=demand.bytes, peak_bps=demand.peak_bps,
        wanted=problem.servable, size=problem.size_bytes.astype(np.float64),
        pair_indptr=indptr, pair_site=site, pair_saving=saving,
        stored_indptr=problem.stored.indptr, stored_site=problem.stored.site,
        pinned_indptr=problem.pinned.indptr, pinned_site=problem.pinned.site,
        excluded_indptr=problem.excluded.indptr, excluded_site=problem.excluded.site,
        storage=problem.storage_bytes, fill=problem.usable_fill_bytes, fill_cost=problem.fill_cost_per_byte)


def _saving_pairs(problem: Problem) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Per region the caches cheaper than the origin, cheapest first."""
    cost = problem.cost_per_byte[:-1].T
    saving = np.where(np.isfinite(cost), problem.origin_cost[:, None] - np.where(np.isfinite(cost), cost, 0.0), 0.0)
    order = np.argsort(-saving, axis=1, kind="stable")
    ranked = np.take_along_axis(saving, order, axis=1)
    kept = ranked > 0
    indptr = np.concatenate([[0], np.cumsum(kept.sum(axis=1))]).astype(np.int64)
    return indptr, order[kept].astype(np.int32), ranked[kept]


def make_limits(problem: Problem, blocks: BlockData, with_rates: bool) -> Limits:
    """The rows that couple the blocks; ``with_rates``: egress and links as well."""
    n, hours, links = problem.n_caches, len(problem.demand.peak_hours()), len(problem.link_capacity_bps)
    parts = [problem.storage_bytes, problem.usable_fill_bytes]
    rows = sp.csr_array((0, len(blocks.pair_site)))
    if with_rates:
        parts += [np.tile(problem.egress_bps, hours), np.tile(problem.link_capacity_bps, hours)]
        rows = _rate_rows(problem, blocks)
    return Limits(n, hours, links, np.concatenate(parts), rows)


def _rate_rows(problem: Problem, blocks: BlockData) -> sp.csr_array:
    demand = problem.demand
    n_pairs, n_regions = len(blocks.pair_site), len(problem.region_index)
    region = np.repeat(np.arange(n_regions), np.diff(blocks.pair_indptr))
    factor = demand.hour_factor[demand.peak_hours()][:, region]
    serves = sp.csr_array((np.ones(n_pairs), (blocks.pair_site, np.arange(n_pairs))), shape=(problem.n_caches, n_pairs))
    paths = sp.csr_array(problem.path_links)[blocks.pair_site.astype(np.int64) * n_regions + region].T
    egress, link = ([sp.csr_array(use.multiply(f[None, :])) for f in factor] for use in (serves, sp.csr_array(paths)))
    return sp.csr_array(sp.vstack([*egress, *link], format="csr"))


def block_prices(blocks: BlockData, limits: Limits, price: np.ndarray) -> BlockPrices:
    """Prices (rows,) in the limits' order, as the blocks see them."""
    n = limits.n_caches
    rate = limits.rate_rows.T @ price[2 * n:] if limits.rate_rows.shape[0] else np.zeros(len(blocks.pair_site))
    return BlockPrices(np.ascontiguousarray(price[:n]), blocks.fill_cost + price[n:2 * n], np.ascontiguousarray(rate))
