"""Random problems with many assets: skewed demand, sites at various costs, and where asked limits that bind."""

import numpy as np
from placement.decomposition.block_examples import bare_problem

from cdn.model.problem import Problem
from cdn.model.site_assets import SiteAssets
from cdn.placement.decomposition.limits import RateLimits, find_rate_limits
from cdn.placement.decomposition.passes import BlockPasses
from cdn.placement.decomposition.tables import BlockTables, build_tables


def skewed_problem(
    seed: int, n_assets: int = 300, n_regions: int = 6, n_sites: int = 5, room: float = 0.15, limits: bool = False
) -> Problem:
    """Zipf demand that differs by region; a cache stores about ``room`` of all bytes. ``limits``: egress in two peak
    hours, fill budget and fill cost bind, and a random part of what fits is stored."""
    rng = np.random.default_rng(seed)
    size = np.ceil(np.exp(rng.normal(3, 0.8, n_assets))).astype(np.int64)
    popularity = 1 / np.arange(1, n_assets + 1) ** 0.8
    requests = 1000 * popularity[:, None] * rng.gamma(1.0, 1.0, (n_assets, n_regions))
    asset, region = np.nonzero(requests > 0.5)
    asked = requests[asset, region] * size[asset]
    cost = rng.uniform(0.5, 6, (n_sites + 1, n_regions))
    cost[-1] = 8.0
    cost[:-1][rng.random((n_sites, n_regions)) < 0.2] = np.inf
    storage = np.floor(room * size.sum() * rng.uniform(0.5, 1.5, n_sites))
    peak = asked * rng.uniform(0.5, 1.5, len(asked))
    factor = np.array([np.ones(n_regions), rng.uniform(0.3, 1.0, n_regions), rng.uniform(0.3, 1.0, n_regions)])
    factor[0, : n_regions // 2] = 0.5
    factor /= factor.max(axis=0)
    hours = {"peak_bps": peak, "hour_factor": factor} if limits else {}
    problem = bare_problem(storage, size, region, asset, asked, cost, **hours)
    if not limits:
        return problem
    total = peak.sum()
    return problem.replace(
        egress_bps=rng.uniform(0.05, 0.3, n_sites) * total,
        fill_bytes=np.floor(0.3 * storage),
        fill_cost_per_byte=rng.uniform(0, 50, n_sites),
        stored=random_contents(problem, rng),
    )


def random_contents(problem: Problem, rng: np.random.Generator) -> SiteAssets:
    """Assets in random order, at each cache as many as it stores."""
    table = np.zeros((problem.n_caches, len(problem.size_bytes)), dtype=bool)
    for s in range(problem.n_caches):
        order = rng.permutation(len(problem.size_bytes))
        table[s, order[problem.size_bytes[order].cumsum() <= problem.storage_bytes[s]]] = True
    return SiteAssets.from_dense(table)


def prepared(problem: Problem) -> tuple[BlockTables, RateLimits, BlockPasses]:
    """Tables, limits and passes on one thread."""
    tables = build_tables(problem)
    return tables, find_rate_limits(problem, tables), BlockPasses(tables, 1)


def bits_of(table: np.ndarray) -> np.ndarray:
    """(A, ..) a bit for each cache, from a bool table (S, A)."""
    n_sites, n_assets = table.shape
    bits = np.zeros((n_assets, (n_sites + 63) // 64), dtype=np.uint64)
    for s in range(n_sites):
        bits[:, s >> 6] |= table[s].astype(np.uint64) << np.uint64(s & 63)
    return bits


def table_of(bits: np.ndarray, n_sites: int) -> np.ndarray:
    """(S, A) bool from a bit for each cache."""
    return np.array([(bits[:, s >> 6] >> np.uint64(s & 63)) & np.uint64(1) for s in range(n_sites)], dtype=bool)


def useful_pairs(problem: Problem) -> np.ndarray:
    """(S, A) bool: pinned, or may be stored and would save more than its fill cost with nobody else there."""
    demand, n_assets = problem.demand, len(problem.size_bytes)
    useful = np.zeros((problem.n_caches, n_assets), dtype=bool)
    stored = problem.stored.dense(problem.n_caches)
    for s in range(problem.n_caches):
        saving = np.where(problem.may_serve[s], problem.origin_cost - problem.cost_per_byte[s], 0.0)
        weights = demand.bytes * np.where(problem.servable, saving[demand.region].clip(0), 0.0)
        upper = np.bincount(demand.asset, weights=weights, minlength=n_assets)
        useful[s] = problem.storable(s) & (upper > ~stored[s] * problem.size_bytes * problem.fill_cost_per_byte[s])
    useful[problem.pinned.site, problem.pinned.asset] = True
    return useful
