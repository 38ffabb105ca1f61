"""Egress and link limits as rows over the candidates: what a price on a limit makes a served bit/s cost."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from cdn.model.branching import Branching
from cdn.model.placement import Prices
from cdn.model.problem import Problem
from cdn.placement.decomposition.tables import BlockTables, candidate_regions

MEMORY = 0.8
LEAST_LOOSE = 0.25


@dataclass(frozen=True, eq=False)
class RateLimits:
    """Limits K that could bind in one of the peak hours H. ``uses`` (C, K): the candidate's flow goes through the
    limit; ``factor`` (H, C): its rate in an hour over its peak; ``limit_bps`` (K,); ``column`` (K,): cache s, or S +
    link."""

    uses: sp.csr_array
    factor: np.ndarray
    limit_bps: np.ndarray
    column: np.ndarray

    def __len__(self) -> int:
        return len(self.limit_bps)

    def loads_bps(self, flow_bps: np.ndarray) -> np.ndarray:
        """(H, K) load of each limit in each hour, from the candidates' flows (C,) at their peaks."""
        return (self.uses.T @ (self.factor * flow_bps).T).T

    def rate_prices(self, price: np.ndarray) -> np.ndarray:
        """(C,) what a bit/s of peak demand costs at limit prices (H, K)."""
        return (self.factor * (self.uses @ price.T).T).sum(axis=0)

    def slopes(self, response: np.ndarray) -> np.ndarray:
        """(H, K) how fast a load falls with its own price, where candidates' flows fall by ``response`` (C,)."""
        return (self.uses.T @ (self.factor**2 * response).T).T


def find_rate_limits(problem: Problem, tables: BlockTables) -> RateLimits:
    """The limits that could bind, were every cache to serve all demand of the regions that it may serve. Also of those
    that the origin serves at the same cost, which are no candidates: where nobody says who serves, a cache does."""
    demand = problem.demand
    limit = np.concatenate([problem.egress_bps, problem.link_capacity_bps])
    factor = demand.hour_factor[demand.peak_hours()]
    most_bps = factor * np.bincount(demand.region, weights=demand.peak_bps, minlength=len(problem.region_index))
    site, region = np.nonzero(problem.may_serve & (problem.cost_per_byte[:-1] <= problem.origin_cost))
    load = (_uses(problem, site, region).T @ most_bps[:, region].T).max(axis=1, initial=0.0)
    column = np.flatnonzero(load > limit)
    region, site = candidate_regions(tables), tables.candidate_site.astype(np.int64)
    uses = _uses(problem, site, region)[:, column]
    return RateLimits(sp.csr_array(uses), factor[:, region], limit[column], column)


def _uses(problem: Problem, site: np.ndarray, region: np.ndarray) -> sp.csc_array:
    """(pairs, S + links) which egress and link limits a region's demand counts for where the site serves it."""
    pairs = np.arange(len(site))
    egress = sp.csr_array((np.ones(len(site)), (pairs, site)), shape=(len(site), problem.n_caches))
    return sp.csc_array(sp.hstack([egress, problem.path_links[site * len(problem.region_index) + region]]))


def rate_changes(
    limits: RateLimits,
    window: np.ndarray,
    slope: np.ndarray,
    flow: np.ndarray,
    loose: np.ndarray,
    step: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Changes of prices (H, K) in a step by how far each load is off its limit, over how fast it falls with its own
    price, and that slope, which remembers earlier ones. ``window`` (C,): the price change at which ``loose`` flow would
    leave."""
    loads = limits.loads_bps(flow)
    answer = np.maximum(loose, LEAST_LOOSE * flow)
    fresh = limits.slopes(np.divide(answer, window, where=window > 0, out=np.zeros_like(window)))
    slope = fresh if not slope.any() else MEMORY * slope + (1 - MEMORY) * fresh
    widest = max(float(window.max(initial=0.0)), 1e-300)
    least = LEAST_LOOSE * limits.limit_bps / widest + 1e-300
    change = step * (loads - limits.limit_bps) / np.maximum(slope, least)
    return np.clip(change, -0.7 * widest, 0.7 * widest), slope


def full_prices(
    problem: Problem,
    limits: RateLimits,
    storage: np.ndarray,
    fill: np.ndarray,
    rate: np.ndarray,
    serve: np.ndarray,
    branching: Branching | None,
) -> Prices:
    """Prices of all limits from those that could bind (H, K)."""
    everywhere = np.zeros((len(limits.factor), problem.n_caches + len(problem.link_capacity_bps)))
    everywhere[:, limits.column] = rate
    return Prices(storage, fill, everywhere[:, : problem.n_caches], everywhere[:, problem.n_caches :], serve, branching)


def own_prices(problem: Problem, limits: RateLimits, prices: Prices) -> np.ndarray:
    """(H, K) the prices of the limits that could bind, out of all."""
    return np.concatenate([prices.egress, prices.link], axis=1)[:, limits.column]
