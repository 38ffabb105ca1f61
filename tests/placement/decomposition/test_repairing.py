"""Repair: limits are kept, room that pays is used, and what it says it saves is what the judge finds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from instances import random_problem
from placement.decomposition.block_examples import bare_problem
from placement.decomposition.region_examples import bits_of, prepared, skewed_problem, table_of, useful_pairs

from cdn.evaluation import evaluate
from cdn.model.placement import Placement
from cdn.model.problem import Problem
from cdn.model.site_assets import SiteAssets
from cdn.placement.decomposition.repairing import Repair, opened_pairs
from cdn.placement.decomposition.tables import BlockPrices


def repair_of(problem: Problem, table: np.ndarray, storage_price: float = 0.0) -> Repair:
    """A repair of a placement (S, A) of useful pairs."""
    tables, _, passes = prepared(problem)
    nothing = np.zeros(problem.n_caches)
    prices = BlockPrices(nothing + storage_price, nothing, np.zeros(len(tables.candidate_site)))
    return Repair(passes, prices, np.arange(len(problem.size_bytes)), bits_of(table))


def saved(problem: Problem, table: np.ndarray) -> float:
    """What the judge says it saves against serving all from the origin."""
    everything = problem.demand.bytes @ problem.origin_cost[problem.demand.region]
    return float(everything - evaluate(problem, Placement(SiteAssets.from_dense(table))).cost)


def check(problem: Problem, repair: Repair) -> np.ndarray:
    """Storage, fill and rules kept, the saving that is stated; returns the placement. Who serves is not decided yet."""
    table = table_of(repair.opened, problem.n_caches)
    broken = {v.limit for v in evaluate(problem, Placement(SiteAssets.from_dense(table))).violations}
    assert not broken - {"egress"}
    scale = float(problem.demand.bytes @ problem.origin_cost[problem.demand.region]) + 1
    assert repair.saving == pytest.approx(saved(problem, table), abs=1e-9 * scale)
    return table


def check_nothing_is_left_out(problem: Problem, table: np.ndarray) -> None:
    """No pair that would pay still fits."""
    now, n_caches = saved(problem, table), problem.n_caches
    was = problem.stored.dense(n_caches)
    room = problem.storage_bytes - table @ problem.size_bytes
    fill_room = problem.usable_fill_bytes - (table & ~was) @ problem.size_bytes
    for s, a in zip(*np.nonzero(useful_pairs(problem) & ~table), strict=True):
        size = problem.size_bytes[a]
        if size <= room[s] and (was[s, a] or size <= fill_room[s]):
            more = table.copy()
            more[s, a] = True
            assert saved(problem, more) <= now + 1e-9 * abs(now) + 1e-9


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.booleans(), st.floats(0, 1))
def test_a_repair_fits_and_leaves_nothing_out(seed, limits, share):
    """From a random part of all useful pairs: too much here, too little there."""
    rng = np.random.default_rng(seed)
    problem = random_problem(rng, n_assets=12, limits=limits)
    table = useful_pairs(problem) & (rng.random((problem.n_caches, 12)) < share)
    table[problem.pinned.site, problem.pinned.asset] = True
    repair = repair_of(problem, table)
    assert repair.saving == pytest.approx(saved(problem, table), abs=1e-6)
    repair.fit()
    check_nothing_is_left_out(problem, check(problem, repair))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.booleans(), st.lists(st.sampled_from([0.02, 0.1, 0.5, 1.0]), max_size=3))
def test_improving_never_worsens(seed, limits, shares):
    problem = random_problem(np.random.default_rng(seed), n_assets=12, limits=limits)
    repair = repair_of(problem, useful_pairs(problem))
    repair.fit()
    for freed in shares:
        before, opened = repair.saving, repair.opened.copy()
        better = repair.improve(freed)
        if before > 0:
            assert repair.saving > before if better else repair.saving == before
        assert better or np.array_equal(repair.opened, opened)
        check(problem, repair)


def test_improving_nothing_is_no_improvement():
    """All that is stored is a pin nobody asks for, which costs 5 to fill; freeing and filling again changes nothing."""
    problem = bare_problem([10], [5], [0], [0], [0], np.array([[0.0], [4.0]]))
    problem = problem.replace(fill_cost_per_byte=np.ones(1), pinned=SiteAssets.from_pairs([0], [0], 1))
    repair = repair_of(problem, np.ones((1, 1), dtype=bool))
    assert repair.saving == -5
    assert not repair.improve(0.5)


def test_worst_per_byte_goes_first():
    """10 bytes of room. x (6 bytes) saves 240, 40 a byte; y (5 bytes) 160, 32 a byte; z (4 bytes) 100, 25 a byte. All
    open: z goes, 11 bytes are left, then y; x stays, and in the 4 bytes of room z comes back: 340."""
    problem = bare_problem([10], [6, 5, 4], [0, 0, 0], [0, 1, 2], [60, 40, 25], np.array([[0.0], [4.0]]))
    repair = repair_of(problem, np.ones((1, 3), dtype=bool))
    assert repair.saving == 500
    repair.fit()
    assert check(problem, repair).tolist() == [[True, False, True]] and repair.saving == 340


def test_pairs_far_below_the_price_are_not_looked_at():
    """At a storage price of 100 a byte z's 25 are not worth a look: that keeps the lists short."""
    problem = bare_problem([10], [6, 4], [0, 0], [0, 1], [60, 25], np.array([[0.0], [4.0]]))
    repair = repair_of(problem, np.zeros((1, 2), dtype=bool), storage_price=100.0)
    repair.fit()
    assert not repair.opened.any() and repair.saving == 0


@pytest.mark.parametrize("limits", [False, True])
def test_larger_problems(limits):
    problem = skewed_problem(1, limits=limits)
    repair = repair_of(problem, useful_pairs(problem))
    repair.fit()
    check(problem, repair)
    first = repair.saving
    for freed in (0.02, 0.1):
        repair.improve(freed)
    assert repair.saving >= first
    check(problem, repair)


def test_open_pairs_are_listed_by_asset():
    table = np.random.default_rng(3).random((70, 40)) < 0.2
    tables, _, _ = prepared(bare_problem([1] * 70, [1] * 40, [0], [0], [1], np.ones((71, 1))))
    site, asset = opened_pairs(tables, bits_of(table))
    assert np.array_equal(np.transpose(np.nonzero(table.T)), np.transpose([asset, site]))
