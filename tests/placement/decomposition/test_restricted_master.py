"""Near-optimal sets, and prices from them: sets are worth what the judge finds, and prices prove more than before."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from instances import random_problem
from placement.decomposition.block_examples import bare_problem
from placement.decomposition.region_examples import bits_of, prepared, skewed_problem, table_of
from placement.decomposition.test_annealing import prices_of
from placement.decomposition.test_repairing import saved

from cdn.model.problem import Problem
from cdn.placement.decomposition.bits import closed_rows
from cdn.placement.decomposition.near_sets import NearSets, list_near_sets
from cdn.placement.decomposition.restricted_master import BOX, settle_by_sets, solve_master


def sets_of(problem: Problem, price: float | np.ndarray) -> tuple[NearSets, np.ndarray]:
    """Sets at prices per byte, and the bits of the best."""
    _, _, passes = prepared(problem)
    n_assets = len(problem.size_bytes)
    opened = closed_rows(n_assets, problem.n_caches)
    found = list_near_sets(passes, prices_of(problem, price), np.arange(n_assets), opened)
    assert found is not None
    return found, opened


def settled(problem: Problem, price: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    _, _, passes = prepared(problem)
    n_assets = len(problem.size_bytes)
    opened = closed_rows(n_assets, problem.n_caches)
    return settle_by_sets(passes, prices_of(problem, price), np.arange(n_assets), opened, lambda: None)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.floats(0, 0.5))
def test_a_set_saves_what_the_judge_finds(seed, price):
    problem = random_problem(np.random.default_rng(seed), n_assets=8)
    found, _ = sets_of(problem, price)
    nothing = np.zeros((problem.n_caches, len(problem.size_bytes)), dtype=bool)
    bits = table_of(found.row, problem.n_caches).T
    assert (bits == (found.site.toarray() > 0)).all()
    assert (bits.any(axis=1)).all()
    base = saved(problem, nothing)
    for asset, row, saving in zip(found.asset, bits, found.saving, strict=True):
        table = nothing.copy()
        table[:, asset] = row
        assert saving == pytest.approx(saved(problem, table) - base, abs=1e-6)
    named = np.column_stack([found.asset.astype(np.uint64), found.row])
    assert len(np.unique(named, axis=0)) == len(named)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.05, 0.5))
def test_the_best_of_all_sets_is_among_them(seed, price):
    """Against every set of the caches there are, of which a random problem has few."""
    problem = random_problem(np.random.default_rng(seed), n_assets=6)
    found, _ = sets_of(problem, price)
    nothing = np.zeros((problem.n_caches, len(problem.size_bytes)), dtype=bool)
    able = np.array([problem.storable(s) for s in range(problem.n_caches)])
    total = 0.0
    for asset, size in enumerate(problem.size_bytes):
        most = -np.inf
        for number in range(1 << problem.n_caches):
            row = (number >> np.arange(problem.n_caches)) & 1 == 1
            pinned = problem.pinned.site[problem.pinned.asset == asset]
            if not row[pinned].all() or (row & ~able[:, asset]).any():
                continue
            table = nothing.copy()
            table[:, asset] = row
            most = max(most, saved(problem, table) - saved(problem, nothing) - price * size * row.sum())
        total += most
    assert found.best == pytest.approx(total, rel=1e-9, abs=1e-6)


def test_the_price_of_one_cache_is_what_the_next_asset_would_save():
    """One cache of 20 bytes, three assets of 10 that save 3, 2.5 and 2.4 a byte: two fit, whole, at a price between 2.4
    and 2.5. From a price of 2.45 the box ends at nothing nearer, so the program may name any price in between."""
    problem = bare_problem([20], [10, 10, 10], [0, 0, 0], [0, 1, 2], [30.0, 25.0, 24.0], np.array([[0.0], [1.0]]))
    price = np.array([2.45])
    found, _ = sets_of(problem, price)
    _, _, passes = prepared(problem)
    solved = solve_master(passes.tables, price, found)
    assert solved is not None
    better, part = solved
    assert 2.4 <= better[0] <= 2.5
    assert part[found.asset < 2].tolist() == [1, 1]
    assert part[found.asset == 2].sum() == 0


def test_prices_move_no_further_than_the_box():
    """At half of what they are worth all assets want the cache: a dearer price sells out at the box's end."""
    problem = bare_problem([20], [10, 10, 10], [0, 0, 0], [0, 1, 2], [30.0, 25.0, 24.0], np.array([[0.0], [1.0]]))
    price = np.array([1.2])
    found, _ = sets_of(problem, price)
    _, _, passes = prepared(problem)
    solved = solve_master(passes.tables, price, found)
    assert solved is not None
    assert solved[0][0] == pytest.approx(1.2 * (1 + BOX))


def test_steps_tighten_the_bound_and_give_a_start():
    problem = skewed_problem(3, n_assets=60)
    first = np.full(problem.n_caches, 0.8)
    before, _ = sets_of(problem, first)
    storage, start = settled(problem, first)
    after, opened = sets_of(problem, storage)
    limit = problem.storage_bytes
    assert after.best + storage @ limit <= before.best + first @ limit
    assert start is not None
    assert start.shape == opened.shape
    assert bits_of(table_of(start, problem.n_caches)).tolist() == start.tolist()
