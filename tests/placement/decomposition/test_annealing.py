"""Moves of copies: what is worth a look is valued as the judge would, limits are kept, and nothing is ever lost."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from instances import random_problem
from placement.decomposition.block_examples import bare_problem
from placement.decomposition.region_examples import bits_of, prepared, skewed_problem, table_of, useful_pairs
from placement.decomposition.routines import choose_move, expected_exchange, expected_fill, note_copy_margins
from placement.decomposition.test_repairing import repair_of, saved

from cdn.evaluation import evaluate
from cdn.model.placement import Placement
from cdn.model.problem import Problem
from cdn.model.site_assets import SiteAssets
from cdn.placement.decomposition.annealing import MOST_SAVINGS, _anneal, move_copies
from cdn.placement.decomposition.copies import Copies, list_copies
from cdn.placement.decomposition.tables import BlockPrices
from cdn.planning import plan_placement

NEVER_LATE = bool


def prices_of(problem: Problem, storage: float | np.ndarray = 0.0) -> BlockPrices:
    nothing = np.zeros(problem.n_caches)
    return BlockPrices(nothing + storage, nothing, np.zeros(len(prepared(problem)[0].candidate_site)))


def fitted(problem: Problem, share: float = 0.5) -> np.ndarray:
    """Bits of a placement that keeps every limit: a random part of all useful pairs, repaired."""
    table = np.random.default_rng(5).random((problem.n_caches, len(problem.size_bytes))) < share
    table &= useful_pairs(problem)
    table[problem.pinned.site, problem.pinned.asset] = True
    repair = repair_of(problem, table)
    repair.fit()
    return repair.opened


def moved(problem: Problem, opened: np.ndarray, storage_price: float | np.ndarray = 0.0) -> float:
    _, _, passes = prepared(problem)
    order = np.arange(len(problem.size_bytes))
    return move_copies(passes, prices_of(problem, storage_price), order, opened, NEVER_LATE)


def copies_of(problem: Problem, opened: np.ndarray) -> Copies:
    _, _, passes = prepared(problem)
    found = list_copies(passes, prices_of(problem), np.arange(len(problem.size_bytes)), opened, MOST_SAVINGS)
    assert found is not None
    return found


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 10**6), st.floats(0, 1))
def test_moves_keep_the_rules_and_gain_what_they_say(seed, share):
    problem = random_problem(np.random.default_rng(seed), n_assets=12)
    opened = fitted(problem, share)
    before = saved(problem, table_of(opened, problem.n_caches))
    gained = moved(problem, opened)
    table = table_of(opened, problem.n_caches)
    assert not evaluate(problem, Placement(SiteAssets.from_dense(table))).violations
    assert table[problem.pinned.site, problem.pinned.asset].all()
    assert gained >= 0
    assert saved(problem, table) == pytest.approx(before + gained, abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.floats(0, 1))
def test_a_copy_is_worth_what_the_judge_finds(seed, share):
    problem = random_problem(np.random.default_rng(seed), n_assets=10)
    opened = fitted(problem, share)
    table = table_of(opened, problem.n_caches)
    now, copies = saved(problem, table), copies_of(problem, opened)
    for p, (asset, site) in enumerate(zip(copies.asset, copies.site, strict=True)):
        other = table.copy()
        other[site, asset] = not table[site, asset]
        sign = -1 if table[site, asset] else 1
        assert copies.worth[p] == pytest.approx(sign * (saved(problem, other) - now), abs=1e-6)


def test_an_asset_moves_to_make_room_for_another():
    """Near stores asset 0, which region 0 asks for: 20 bytes, each saving 3 near and 2 far. Region 1 asks for 20 bytes
    of asset 1 and sees near alone, saving 3. Either cache holds one asset: asset 0 belongs at far, 40 + 60 = 100.

    No cache by itself does better: at near asset 1 would save no more than asset 0 does (60), and at far asset 0 is
    worth nothing while near has it. Prices are those of the linear relaxation: 6 per byte near, nothing far.
    """
    problem = bare_problem(
        [10, 10], [10, 10], [0, 1], [0, 1], [20.0, 20.0], np.array([[1.0, 1.0], [2.0, np.inf], [4.0, 4.0]])
    )
    opened = bits_of(np.array([[True, False], [False, False]]))
    assert moved(problem, opened, storage_price=np.array([6.0, 0.0])) == pytest.approx(40)
    assert table_of(opened, 2).tolist() == [[False, True], [True, False]]


def test_a_move_is_expected_to_gain_what_the_exchange_of_two_copies_does():
    """Near and far hold one asset each; each region would have its own asset at its side of the world: 20 bytes that
    save 3 there and 1 on the other side. Both are on the wrong side, and save 40 of 120. Asset 0 near in place of far
    gains 40 and loses the 20 of asset 1, which then takes its place and saves 60: 80 more in one move."""
    problem = bare_problem(
        [10, 10], [10, 10], [0, 1], [0, 1], [20.0, 20.0], np.array([[1.0, 3.0], [3.0, 1.0], [4.0, 4.0]])
    )
    tables = prepared(problem)[0]
    copies = copies_of(problem, bits_of(np.array([[False, True], [True, False]])))
    margins, flips = np.zeros((3, 2)), np.zeros(64, dtype=np.int64)
    for s in range(2):
        note_copy_margins(copies, s, margins)
    (p,), (old,), (given_up,) = (
        np.flatnonzero((copies.asset == asset) & (copies.site == site)) for asset, site in ((0, 0), (0, 1), (1, 0))
    )
    n, gain = choose_move(tables, copies, p, old, 0.0, margins, flips)
    assert flips[:n].tolist() == [given_up, p, old]
    assert gain == pytest.approx(40 - 20)
    assert expected_fill(copies, 0, p, flips, n) == 0
    flips[:n] = given_up, p, old
    worth = copies.worth.copy()
    assert expected_exchange(tables, copies, p, old, flips, n) == pytest.approx(60)
    assert (copies.worth == worth).all()
    assert choose_move(tables, copies, p, old, 100.0, margins, flips)[0] == 0


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.floats(0, 1))
def test_stored_copies_come_first_in_every_cache(seed, share):
    problem = random_problem(np.random.default_rng(seed), n_assets=12)
    copies = copies_of(problem, fitted(problem, share))
    _anneal(prepared(problem)[0], copies, 300, 1 << 30, 0.5, 0.1, seed)
    assert (copies.by_site[copies.position] == np.arange(len(copies.asset))).all()
    for s, (begin, middle, end) in enumerate(zip(copies.of_site, copies.end_stored, copies.of_site[1:], strict=False)):
        assert (copies.site[copies.by_site[begin:end]] == s).all()
        assert copies.is_stored[copies.by_site[begin:middle]].all()
        assert not copies.is_stored[copies.by_site[middle:end]].any()


def test_moves_bring_a_poor_placement_near_the_best():
    """From a third of everything at random, repaired, to within 2 % of what ``mip`` saves."""
    problem = skewed_problem(3, n_assets=40)
    opened = fitted(problem, 0.3)
    start = saved(problem, table_of(opened, problem.n_caches))
    moved(problem, opened)
    best = plan_placement(problem, "mip", gap=1e-4, time_limit_s=60)
    everything = float(problem.demand.bytes @ problem.origin_cost[problem.demand.region])
    most = everything - best.evaluation.cost
    assert start < 0.98 * most <= saved(problem, table_of(opened, problem.n_caches)) <= most * (1 + 2e-4)


def test_too_many_savings_are_left_alone():
    problem = skewed_problem(3, n_assets=40)
    _, _, passes = prepared(problem)
    opened = fitted(problem)
    assert list_copies(passes, prices_of(problem), np.arange(40), opened, most_savings=10) is None
