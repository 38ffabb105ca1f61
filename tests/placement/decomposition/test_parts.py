"""Blocks in parts: where the relaxation leaves caches undecided, told apart, and what that proves."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from placement.decomposition.block_examples import bare_problem
from placement.decomposition.routines import (
    group_entries,
    list_groups,
    load_block,
    prove_block,
    settle_parts,
    solve_block,
)

from cdn.evaluation import evaluate, lower_bound
from cdn.model.site_assets import SiteAssets
from cdn.placement.decomposition.bits import closed_rows
from cdn.placement.decomposition.blocks import block_sizes
from cdn.placement.decomposition.groups import REST
from cdn.placement.decomposition.part_room import MOST_GROUPS, new_part_room
from cdn.placement.decomposition.passes import BlockPasses
from cdn.placement.decomposition.placer import place_decomposition
from cdn.placement.decomposition.tables import BlockPrices, build_tables
from cdn.placement.mip import place_mip

CITIES, REGIONS, EDGES = 3, 6, 3
ORIGIN = 10.0
SEEDS = st.integers(0, 10**6)


def cities(rng: np.random.Generator, n_assets: int, storage: float = 1e9):
    """Cities whose regions are served by the city's edges and by two mids that serve all of them; ``ORIGIN`` a byte
    from the origin."""
    n_regions, n_sites = CITIES * REGIONS, CITIES * EDGES + 2
    cost = np.full((n_sites + 1, n_regions), np.inf)
    for city in range(CITIES):
        edges = np.arange(city * EDGES, (city + 1) * EDGES)
        cost[np.ix_(edges, np.arange(city * REGIONS, (city + 1) * REGIONS))] = rng.uniform(0, 4, (EDGES, REGIONS))
    cost[-3:-1] = rng.uniform(3, 7, (2, n_regions))
    cost[-1] = ORIGIN
    asset, region = (part.ravel() for part in np.meshgrid(np.arange(n_assets), np.arange(n_regions), indexing="ij"))
    asked = rng.integers(0, 10, len(asset)).astype(float)
    return bare_problem(np.full(n_sites, storage), rng.integers(1, 4, n_assets), region, asset, asked, cost)


def best_value(problem, price: np.ndarray) -> float:
    """The most that asset 0 can save, by trying all sets of caches."""
    saving = np.maximum(ORIGIN - problem.cost_per_byte[:-1], 0.0) * problem.demand.bytes
    best = 0.0
    for held in itertools.product((False, True), repeat=len(price)):
        open_ = np.array(held)
        best = max(best, saving[open_].max(axis=0, initial=0.0).sum() - price[open_].sum())
    return best


class Block:
    """Asset 0 of a problem at prices (S,), solved, and its relaxation proved."""

    def __init__(self, problem, price: np.ndarray) -> None:
        n = problem.n_caches
        tables = build_tables(problem)
        passes = BlockPasses(tables, 1)
        self.ws = passes.workspaces[0]
        self.room = passes.rooms(self.ws)[0]
        self.parts, self.part = new_part_room(block_sizes(tables))
        free = np.zeros(n), np.zeros(len(tables.candidate_site))
        load_block(tables, BlockPrices(price / problem.size_bytes[0], *free), 0, self.ws)
        self.is_open, self.fixed = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
        self.flips = np.zeros(2 * n + 2, dtype=np.int64)
        self.value = self.relaxed = 0.0
        if self.ws.numbers[0]:
            solve_block(self.ws, self.is_open, self.fixed, self.flips, closed_rows(1, n)[0], 2)
            found = prove_block(self.ws, self.is_open, self.fixed, self.flips, self.room, 1e-6, 1, self.room.root[:0])
            self.value, self.relaxed = found[:2]

    def settle(self) -> tuple[float, float]:
        """Value and bound in parts, by the groups that are set."""
        search = (self.is_open, self.fixed, self.flips, self.value, 1e-6)
        return settle_parts(self.ws, self.part, self.room, self.parts, *search)


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_parts_bound_the_block_and_come_closer_than_its_relaxation(seed):
    """Against all 2048 sets of caches, by groups found or, as any will do, drawn at random."""
    rng = np.random.default_rng(seed)
    problem = cities(rng, 1)
    price = rng.uniform(20, 120, problem.n_caches)
    best, block = best_value(problem, price), Block(problem, price)
    n, n_entries = block.ws.numbers
    if not n:
        assert best <= 1e-9
        return
    if seed % 2:
        block.parts.group[:n_entries] = rng.integers(0, 5, n_entries)
    else:
        group_entries(block.ws, block.room, block.parts, block.is_open)
    list_groups(block.ws, block.parts)
    value, bound = block.settle()
    scale = 1e-9 * (1 + best)
    assert value <= best + scale and bound >= best - scale
    assert bound <= block.relaxed + 1e-6 * (1 + block.relaxed)
    used = block.parts.opens[:n] >= 0
    assert np.where(used, block.parts.best[:n], 0).sum(axis=1) == pytest.approx(block.ws.price[:n])


def odd_cities(n_cities: int, with_links: bool):
    """In each city three regions and three edges, each edge for two of the regions: a copy costs 5 and saves 4 in
    either region, so the relaxation keeps half a copy at each edge, worth 3 * 4 - 1.5 * 5 = 4.5, and whole copies save
    3 (one) at best: two cost 10 and save 12, so 3 by one, 2 by two. With links, an edge of each city serves a region of
    the next as well, for too little to matter."""
    cost = np.full((3 * n_cities + 1, 3 * n_cities), np.inf)
    for city in range(n_cities):
        for k in range(3):
            cost[3 * city + k, [3 * city + k, 3 * city + (k + 1) % 3]] = ORIGIN - 4
        if with_links:
            cost[3 * city, 3 * ((city + 1) % n_cities)] = ORIGIN - 1e-3
    cost[-1] = ORIGIN
    n_regions = 3 * n_cities
    problem = bare_problem(
        np.full(n_regions, 1e9), [1], np.arange(n_regions), np.zeros(n_regions, dtype=int), np.ones(n_regions), cost
    )
    return problem, np.full(n_regions, 5.0)


@pytest.mark.parametrize("with_links", (False, True))
def test_each_city_that_the_relaxation_cannot_settle_is_a_group_and_is_proved(with_links):
    n_cities = 20
    problem, price = odd_cities(n_cities, with_links)
    block = Block(problem, price)
    assert block.relaxed == pytest.approx(4.5 * n_cities, rel=0.02)
    group_entries(block.ws, block.room, block.parts, block.is_open)
    group = block.parts.group[: 3 * n_cities].reshape(n_cities, 3)
    of_city = [set(row.tolist()) - {REST} for row in group]
    assert all(len(found) == 1 for found in of_city) and len(set.union(*of_city)) == n_cities
    list_groups(block.ws, block.parts)
    value, bound = block.settle()
    assert value == pytest.approx(3.0 * n_cities + 0.01 * with_links)
    assert bound == pytest.approx(value, abs=0.05 * with_links + 1e-4)


def test_more_groups_than_there_is_room_for_share_numbers():
    """70 cities, 63 groups beside the rest: some have two cities, and the proof is as good."""
    problem, price = odd_cities(MOST_GROUPS + 6, False)
    block = Block(problem, price)
    group_entries(block.ws, block.room, block.parts, block.is_open)
    assert MOST_GROUPS - 1 <= list_groups(block.ws, block.parts) <= MOST_GROUPS
    value, bound = block.settle()
    assert value == pytest.approx(3.0 * (MOST_GROUPS + 6)) and bound == pytest.approx(value, rel=1e-6)


def test_groups_that_dispute_a_cache_become_one():
    """A city's three regions in three groups: alone each would do with a part of an edge's price."""
    problem, price = odd_cities(1, False)
    block = Block(problem, price)
    block.parts.group[:3] = 1, 2, 3
    list_groups(block.ws, block.parts)
    value, bound = block.settle()
    assert len(np.unique(block.parts.group[:3])) == 1
    assert value == pytest.approx(3.0) and bound == pytest.approx(3.0, abs=1e-5)


@pytest.mark.parametrize("seed", range(4))
def test_what_the_certificate_proves_in_parts_is_below_the_optimum(seed):
    rng = np.random.default_rng(seed)
    problem = cities(rng, 5, storage=float(rng.integers(2, 5)))
    result = place_decomposition(problem, threads=1)
    cost = evaluate(problem, result.placement).cost
    optimum = evaluate(problem, place_mip(problem, gap=0.0, time_limit_s=60).placement).cost
    bound = lower_bound(problem, result.prices)
    assert not evaluate(problem, result.placement).violations
    assert bound <= optimum * (1 + 1e-6) and optimum <= cost * (1 + 1e-6)


def test_parts_are_used_and_proved_to_the_figure():
    """At the placer's prices the certificate proves what the blocks' proofs say: groups, shares and trees are read as
    they were meant. Blocks of 20 cities are too large to be told apart in one tree."""
    rng = np.random.default_rng(2)
    n_cities, n_assets = 20, 60
    single, _ = odd_cities(n_cities, True)
    n_regions = 3 * n_cities
    asset, region = (part.ravel() for part in np.meshgrid(np.arange(n_assets), np.arange(n_regions), indexing="ij"))
    asked = rng.uniform(0.5, 2, len(asset))
    storage = np.full(single.n_caches, 20.0)
    problem = bare_problem(storage, np.ones(n_assets), region, asset, asked, single.cost_per_byte)
    result = place_decomposition(problem, threads=2)
    shares = result.prices.branching.shares
    assert shares is not None and shares.n_groups > 2 and len(shares.entry_group) == len(problem.demand)
    cost, bound = evaluate(problem, result.placement).cost, lower_bound(problem, result.prices)
    assert 0.95 * cost < bound <= cost


def test_a_block_with_a_pinned_cache_stays_whole():
    """Prices and proofs alike: the groups by themselves would close what must store the asset."""
    problem, price = odd_cities(20, False)
    n = problem.n_caches
    for pinned, in_parts in ((np.zeros((n, 1), dtype=bool), True), (np.arange(n)[:, None] == n - 1, False)):
        block = Block(problem.replace(pinned=SiteAssets.from_dense(pinned)), price)
        group_entries(block.ws, block.room, block.parts, block.is_open)
        assert (list_groups(block.ws, block.parts) > 1) == in_parts
