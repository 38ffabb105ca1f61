"""One asset at random prices, written out as plain tables whose best placement is found by trying all."""

import itertools
from dataclasses import dataclass

import numpy as np
from placement.decomposition.routines import load_block

from cdn.model.catalog import Catalog
from cdn.model.demand import Demand
from cdn.model.network import Network
from cdn.model.placement import Prices
from cdn.model.problem import Problem, build_problem
from cdn.model.site_assets import SiteAssets
from cdn.model.topology import Appliance, Region, Site, Topology
from cdn.placement.decomposition.blocks import block_sizes, new_workspace
from cdn.placement.decomposition.tables import BlockPrices, BlockTables, build_tables


@dataclass(frozen=True, eq=False)
class BlockExample:
    """A problem of one asset with E entries. ``saving`` (E, S) against the origin at these prices, 0 where the cache
    may not serve the entry; ``price`` (S,) of storing; ``able``, ``pinned`` (S,) bool."""

    problem: Problem
    tables: BlockTables
    prices: BlockPrices
    full_prices: Prices
    saving: np.ndarray
    price: np.ndarray
    able: np.ndarray
    pinned: np.ndarray

    def value(self, stored: np.ndarray) -> float:
        """What these caches (S,) save, their prices taken off."""
        best = self.saving[:, stored].max(axis=1, initial=0.0)
        return float(best.sum() - self.price[stored].sum())

    def placements(self):
        """All that are allowed, as bool (S,)."""
        choices = [
            (True,) if p else (False, True) if a else (False,) for p, a in zip(self.pinned, self.able, strict=True)
        ]
        return (np.array(choice, dtype=bool) for choice in itertools.product(*choices))

    def best_value(self) -> float:
        return max(self.value(stored) for stored in self.placements())

    @property
    def scale(self) -> float:
        """Size of the numbers added up, for tolerances."""
        return 1.0 + float(self.saving.sum() + self.price[np.isfinite(self.price)].sum())

    def load(self):
        """A workspace with the block loaded, and how many caches were looked at."""
        ws = new_workspace(*block_sizes(self.tables))
        return ws, load_block(self.tables, self.prices, 0, ws)

    def room(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """``is_open``, ``fixed`` and ``flips`` for the kernels."""
        n = self.problem.n_caches
        return np.zeros(n, dtype=bool), np.zeros(n, dtype=bool), np.zeros(2 * n + 2, dtype=np.int64)

    def stored(self, ws, is_open: np.ndarray) -> np.ndarray:
        """(S,) bool of the block's open caches."""
        found = np.zeros(self.problem.n_caches, dtype=bool)
        n = ws.numbers[0]
        found[ws.site[:n][is_open[:n]]] = True
        return found


def bare_problem(storage_bytes, size_bytes, region, asset, asked_bytes, cost_per_byte, **entries) -> Problem:
    """A problem from its numbers: costs (S + 1, R) as given, nothing stored, filling free, no other limits."""
    n_sites, n_regions = len(cost_per_byte) - 1, cost_per_byte.shape[1]
    topology = Topology(
        sites=(*(Site(f"s{s}", "edge") for s in range(n_sites)), Site("o", "origin")),
        appliances=tuple(Appliance(f"a{s}", f"s{s}", int(storage_bytes[s])) for s in range(n_sites)),
        regions=tuple(Region(f"r{r}", "o") for r in range(n_regions)),
        links=(),
    )
    catalog = Catalog.of_sizes([f"t{a}" for a in range(len(size_bytes))], size_bytes)
    demand = Demand.from_entries(
        topology.region_index, catalog.asset_index, region, asset, asked_bytes, asked_bytes, **entries
    )
    problem = build_problem(Network(topology), catalog, demand)
    return problem.replace(cost_per_byte=cost_per_byte, fill_cost_per_byte=np.zeros(n_sites))


def random_block(seed: int, most_sites: int = 6, whole_numbers: bool = False) -> BlockExample:
    """Some caches too small, full for tonight, pinned, excluded or not allowed to serve; egress and fill priced.
    ``whole_numbers``: small ones, so that much is equal."""
    rng = np.random.default_rng(seed)
    n_sites, n_regions = int(rng.integers(1, most_sites + 1)), int(rng.integers(1, 9))

    def draw(most: float, shape) -> np.ndarray:
        return rng.integers(0, int(most) + 1, shape).astype(float) if whole_numbers else most * rng.random(shape)

    size = int(rng.integers(1, 5))
    cost = draw(6, (n_sites + 1, n_regions))
    cost[:-1][rng.random((n_sites, n_regions)) < 0.2] = np.inf
    cost[-1] = 5.0
    asked = np.where(rng.random(n_regions) < 0.1, 0.0, draw(9, n_regions))
    storage = np.where(rng.random(n_sites) < 0.15, size - 1, 10)
    n_entries = np.arange(n_regions)
    problem = bare_problem(
        storage, [size], n_entries, np.zeros(n_regions, dtype=int), asked, cost, peak_bps=draw(4, n_regions)
    )
    pinned = (rng.random(n_sites) < 0.15) & (storage >= size)
    excluded = (rng.random(n_sites) < 0.15) & ~pinned
    problem = problem.replace(
        stored=SiteAssets.from_dense(rng.random((n_sites, 1)) < 0.3),
        pinned=SiteAssets.from_dense(pinned[:, None]),
        excluded=SiteAssets.from_dense(excluded[:, None]),
        servable=rng.random(n_regions) < 0.9,
        egress_bps=np.full(n_sites, 5.0),
        fill_bytes=np.where(rng.random(n_sites) < 0.15, size - 1.0, 20.0),
        fill_cost_per_byte=draw(2, n_sites),
    )
    return _written_out(problem, draw(9, n_sites), draw(2, n_sites), draw(2, n_sites) * 0.5, pinned)


def _written_out(problem: Problem, storage, fill, egress, pinned: np.ndarray) -> BlockExample:
    tables, demand = build_tables(problem), problem.demand
    cost = problem.cost_per_byte[:-1, demand.region].T
    origin = problem.origin_cost[demand.region][:, None]
    saving = np.where(np.isfinite(cost), origin - np.where(np.isfinite(cost), cost, 0.0), 0.0).clip(0)
    saving = (demand.bytes[:, None] * saving - demand.peak_bps[:, None] * egress * (saving > 0)).clip(0)
    stored = problem.stored.dense(problem.n_caches)[:, 0]
    per_byte = storage + np.where(stored, 0.0, fill + problem.fill_cost_per_byte)
    nothing = np.zeros((1, len(problem.link_capacity_bps)))
    return BlockExample(
        problem,
        tables,
        BlockPrices(storage, fill, egress[tables.candidate_site]),
        Prices(storage, fill, egress[None], nothing, np.zeros(len(demand))),
        saving * problem.servable[:, None],
        problem.size_bytes[0] * per_byte,
        np.array([problem.storable(s)[0] for s in range(problem.n_caches)]),
        pinned,
    )
