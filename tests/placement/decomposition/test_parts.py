"""Blocks in parts: cities that share a mid, told apart, and what that proves."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from placement.decomposition.block_examples import bare_problem

from cdn.evaluation import evaluate, lower_bound
from cdn.model.site_assets import SiteAssets
from cdn.placement.decomposition.bits import closed_rows
from cdn.placement.decomposition.blocks import load_block, unload_block
from cdn.placement.decomposition.groups import home_groups, region_groups
from cdn.placement.decomposition.local_search import solve_block
from cdn.placement.decomposition.parts import list_groups, settle_parts
from cdn.placement.decomposition.passes import BlockPasses
from cdn.placement.decomposition.placer import place_decomposition
from cdn.placement.decomposition.proofs import prove_block
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
    return bare_problem(
        np.full(n_sites, storage), rng.integers(1, 4, n_assets), region, asset, asked, cost
    )


def test_regions_fall_into_cities_when_the_mids_are_taken_out():
    tables = build_tables(cities(np.random.default_rng(0), 1))
    groups = region_groups(tables)
    assert groups.tolist() == np.repeat(np.arange(CITIES), REGIONS).tolist()
    assert home_groups(tables, groups).tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 0, 0]


def test_regions_that_share_every_cache_stay_together():
    cost = np.vstack([np.ones((4, 30)), np.full(30, ORIGIN)])
    problem = bare_problem(np.ones(4), [1], np.arange(30), np.zeros(30, dtype=int), np.ones(30), cost)
    assert not region_groups(build_tables(problem)).any()


def best_value(problem, price: np.ndarray) -> float:
    """The most that asset 0 can save, by trying all sets of caches."""
    saving = np.maximum(ORIGIN - problem.cost_per_byte[:-1], 0.0) * problem.demand.bytes
    best = 0.0
    for held in itertools.product((False, True), repeat=len(price)):
        open_ = np.array(held)
        best = max(best, saving[open_].max(axis=0, initial=0.0).sum() - price[open_].sum())
    return best


@settings(max_examples=25, deadline=None)
@given(SEEDS)
def test_parts_bound_the_block_and_come_closer_than_its_relaxation(seed):
    """Against all 2048 sets of caches."""
    rng = np.random.default_rng(seed)
    problem = cities(rng, 1)
    price = rng.uniform(20, 120, problem.n_caches)
    tables = build_tables(problem)
    passes = BlockPasses(tables, 1)
    ws = passes.workspaces[0]
    room, parts, part = passes.rooms(ws)
    prices = BlockPrices(price / problem.size_bytes[0], np.zeros(len(price)), np.zeros(len(tables.candidate_site)))
    n_touched = load_block(tables, prices, 0, ws)
    n = len(price)
    is_open, fixed, flips = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool), np.zeros(2 * n + 2, dtype=np.int64)
    best = best_value(problem, price)
    if ws.numbers[0]:
        solve_block(ws, is_open, fixed, flips, closed_rows(1, n)[0], 2)
        assert list_groups(tables, ws, parts) <= CITIES
        value, relaxed = prove_block(ws, is_open, fixed, flips, room, 1e-6, 1, room.root[:0])[:2]
        value, bound = settle_parts(tables, ws, part, room, parts, is_open, fixed, flips, value, 1e-6)
        scale = 1e-9 * (1 + best)
        assert value <= best + scale and bound >= best - scale
        assert bound <= relaxed + 1e-6 * (1 + relaxed)
        used = parts.opens[: ws.numbers[0]] >= 0
        assert np.where(used, parts.best[: ws.numbers[0]], 0).sum(axis=1) == pytest.approx(ws.price[: ws.numbers[0]])
    else:
        assert best <= 1e-9
    unload_block(tables, 0, ws, n_touched)


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
    they were meant."""
    problem = cities(np.random.default_rng(2), 200, storage=80.0)
    result = place_decomposition(problem, threads=2)
    shares = result.prices.branching.shares
    assert shares is not None and len(shares) and shares.n_groups == CITIES
    cost = evaluate(problem, result.placement).cost
    assert 0.95 * cost < lower_bound(problem, result.prices) <= cost


def test_a_block_with_a_pinned_cache_stays_whole():
    """Prices and proofs alike: the groups by themselves would close what must store the asset."""
    problem = cities(np.random.default_rng(1), 1)
    n = problem.n_caches
    for pinned, n_parts in ((np.zeros((n, 1), dtype=bool), CITIES), (np.arange(n)[:, None] == n - 1, 1)):
        tables = build_tables(problem.replace(pinned=SiteAssets.from_dense(pinned)))
        passes = BlockPasses(tables, 1)
        ws = passes.workspaces[0]
        free = BlockPrices(np.full(n, 1e-6), np.zeros(n), np.zeros(len(tables.candidate_site)))
        load_block(tables, free, 0, ws)
        assert list_groups(tables, ws, passes.rooms(ws)[1]) == n_parts
