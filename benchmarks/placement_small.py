"""Small and mid-sized instances, where rounding and local search decide rather than prices; unlike each other.

A hundred caches hold a few dozen of 10,000 assets each, and a region sees tens of caches at different costs.
"""

from collections.abc import Callable

import numpy as np
from placement_family import DENSE, SEED, Shape, draw_demand_sample, free_problem

from cdn.generator.expected import demand_of_sample
from cdn.model.demand import Demand
from cdn.model.index import Index
from cdn.model.problem import Problem

ASSETS, REGIONS, SITES = 10_000, 100, 100
CACHED = 40
"""Assets of mean size that a cache holds."""


def small() -> Problem:
    """100 assets x 10 regions x 10 caches of a tenth of the catalog; every region sees all ten, each at a cost of its
    own, and asks for a fifth of the assets."""
    return _small((0.1, 0.1))


def small_dense() -> Problem:
    """The same with every region asking for every asset: much harder to prove."""
    return _small(DENSE)


def small_other() -> Problem:
    """Another of the first kind: other caches and costs."""
    return _small((0.1, 0.1), 1)


def small_ties() -> Problem:
    """Whole numbers: 100 assets of 1 to 50, 100 asked-for pairs of asset and region, ten caches of 100, costs in
    hundreds to a thousand; requests are counted, not bytes."""
    return _of_whole_numbers(100)


def small_ties_dense() -> Problem:
    """The same with half of all pairs asked for."""
    return _of_whole_numbers(500)


def _of_whole_numbers(n_pairs: int) -> Problem:
    rng = np.random.default_rng([SEED, 16])
    pair, count = rng.permutation(1000)[:n_pairs], rng.integers(1, 1001, n_pairs)
    names = (Index(f"region-{r:03d}" for r in range(10)), Index(f"asset-{a:05d}" for a in range(100)))
    demand = Demand.from_entries(*names, pair % 10, pair // 10, count, count)
    cost = np.concatenate([rng.integers(1, 6, (10, 10)) * 100.0, np.full((1, 10), 1000.0)])
    return free_problem(rng.integers(1, 51, 100), demand, cost, np.full(10, 100))


def _small(density: tuple[float, float], *other: int) -> Problem:
    rng = np.random.default_rng([SEED, 10, *other])
    sample = draw_demand_sample(Shape(100, 10, 10, density))
    size = sample.catalog.size_bytes
    storage = np.floor(0.1 * size.sum() * rng.uniform(0.5, 1.5, 10))
    return free_problem(size, demand_of_sample(sample), _costs(10, 10, np.full(10, 10), rng), storage)


def even_sizes() -> Problem:
    """The generator's own sizes (films and episodes, a factor of ten between them), 20 to 50 connections."""
    rng = np.random.default_rng([SEED, 11])
    demand, size = _demand(rng, 0.0)
    cost = _costs_of_tens(rng)
    return free_problem(size, demand, cost, _storage(size, rng))


def uneven_sizes() -> Problem:
    """Sizes a further lognormal factor (sigma 1.6) apart: the largest 200,000 times the smallest, some dozens too
    large for some caches, a few for all."""
    rng = np.random.default_rng([SEED, 12])
    demand, size = _demand(rng, 1.6)
    cost = _costs_of_tens(rng)
    return free_problem(size, demand, cost, _storage(size, rng))


def coarse_sizes() -> Problem:
    """A quarter of the assets as large as a fifth to a third of a cache, so few fit and room is left over."""
    return _some_large(13, 0.25, np.mean)


def large_sizes() -> Problem:
    """One asset in thirty takes a fifth to a third of the smallest cache; caches hold a few dozen all the same."""
    return _some_large(16, 1 / 30, np.min)


def _some_large(seed: int, share: float, cache_bytes: Callable[[np.ndarray], float]) -> Problem:
    """A ``share`` of the assets as large as a fifth to a third of ``cache_bytes`` of all caches' storage."""
    rng = np.random.default_rng([SEED, seed])
    demand, size = _demand(rng, 0.0)
    storage = _storage(size, rng)
    large = rng.random(ASSETS) < share
    grown = np.floor(rng.uniform(0.2, 1 / 3, ASSETS) * cache_bytes(storage))
    changed = np.where(large, grown, size).astype(np.int64)
    return free_problem(changed, _with_sizes(demand, size, changed), _costs_of_tens(rng), storage)


def skewed_sizes() -> Problem:
    """Sizes as far apart as the uneven ones, but none larger than a third of the smallest cache."""
    rng = np.random.default_rng([SEED, 17])
    demand, size = _demand(rng, 1.6)
    storage = _storage(size, rng)
    cut = np.minimum(size, int(storage.min() / 3))
    return free_problem(cut, _with_sizes(demand, size, cut), _costs_of_tens(rng), storage)


def crowded_region() -> Problem:
    """One region with a third of all demand sees fifty caches; the others see twenty."""
    rng = np.random.default_rng([SEED, 14])
    demand, size = _demand(rng, 0.5)
    factor = np.ones(REGIONS)
    of_region = np.bincount(demand.region, weights=demand.bytes, minlength=REGIONS)
    factor[0] = (of_region.sum() - of_region[0]) / 2 / of_region[0]
    scale = factor[demand.region]
    demand = Demand(
        demand.region_index,
        demand.asset_index,
        demand.indptr,
        demand.region,
        demand.requests * scale,
        demand.bytes * scale,
        demand.peak_bps * scale,
        demand.hour_factor,
    )
    connections = np.full(REGIONS, 20)
    connections[0] = 50
    return free_problem(size, demand, _costs(SITES, REGIONS, connections, rng), _storage(size, rng))


def integer_ties() -> Problem:
    """Whole numbers throughout, so that many solutions tie: sizes 1 to 5, costs 1 to 10 (origin 20), small counts as
    demand, which weighs requests rather than bytes."""
    rng = np.random.default_rng([SEED, 15])
    n = 200_000
    weight = np.arange(1, ASSETS + 1) ** -0.8
    asset = rng.permutation(ASSETS)[rng.choice(ASSETS, n, p=weight / weight.sum())]
    region, count = rng.integers(0, REGIONS, n), rng.integers(1, 10, n)
    demand = Demand.from_entries(
        Index(f"region-{r:03d}" for r in range(REGIONS)),
        Index(f"asset-{a:05d}" for a in range(ASSETS)),
        region,
        asset,
        count,
        count,
    )
    size = rng.integers(1, 6, ASSETS)
    cost = np.full((SITES + 1, REGIONS), np.inf)
    for r in range(REGIONS):
        sites = rng.choice(SITES, rng.integers(20, 51), replace=False)
        cost[sites, r] = rng.integers(1, 11, len(sites))
    cost[-1] = 20
    return free_problem(size, demand, cost, np.full(SITES, 100))


def _demand(rng: np.random.Generator, sigma: float) -> tuple[Demand, np.ndarray]:
    """Sparse demand of the generator (a sixth of all pairs); sizes a lognormal factor apart, and with them the
    bytes."""
    sample = draw_demand_sample(Shape(ASSETS, REGIONS, SITES, (0.1, 0.08)))
    size = sample.catalog.size_bytes
    changed = np.maximum(1, np.round(size * np.exp(sigma * rng.standard_normal(ASSETS)))).astype(np.int64)
    return _with_sizes(demand_of_sample(sample), size, changed), changed


def _with_sizes(demand: Demand, size: np.ndarray, changed: np.ndarray) -> Demand:
    scale = (changed / size)[demand.asset]
    return Demand(
        demand.region_index,
        demand.asset_index,
        demand.indptr,
        demand.region,
        demand.requests,
        demand.bytes * scale,
        demand.peak_bps * scale,
        demand.hour_factor,
    )


def _storage(size: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.floor(CACHED * size.mean() * rng.uniform(0.6, 1.4, SITES))


def _costs_of_tens(rng: np.random.Generator) -> np.ndarray:
    """(S + 1, R): each region sees 20 to 50 caches."""
    return _costs(SITES, REGIONS, rng.integers(20, 51, REGIONS), rng)


def _costs(n_sites: int, n_regions: int, connections: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(S + 1, R): each region sees its nearest caches on a map, at a cost of distance times a factor of its own."""
    sites, regions = rng.random((n_sites, 2)), rng.random((n_regions, 2))
    distance = np.hypot(*(sites[:, None, :] - regions[None, :, :]).transpose(2, 0, 1))
    cost = (0.2 + 4 * distance) * rng.uniform(0.7, 1.3, distance.shape)
    rank = np.argsort(np.argsort(cost, axis=0, kind="stable"), axis=0)
    cost[rank >= connections] = np.inf
    origin = 6 + rng.random(n_regions)
    return np.concatenate([cost, origin[None]]) * 1e-9


SMALL: dict[str, Callable[[], Problem]] = {
    "small": small,
    "small-other": small_other,
    "small-ties": small_ties,
    "small-ties-dense": small_ties_dense,
    "small-dense": small_dense,
    "mid-even": even_sizes,
    "mid-uneven": uneven_sizes,
    "mid-coarse": coarse_sizes,
    "mid-large": large_sizes,
    "mid-skewed": skewed_sizes,
    "mid-crowded": crowded_region,
    "mid-ties": integer_ties,
}
