"""Balancing: prices that react to use, and sweeps that keep count of it."""

import numpy as np
import pytest
from placement.decomposition.region_examples import prepared, skewed_problem, table_of

from cdn.model.problem import Problem
from cdn.placement.decomposition.balancing import balance, reacting_prices
from cdn.placement.decomposition.pricing import COLD, Pricing
from cdn.placement.decomposition.tables import BlockPrices


def use_of(problem: Problem, opened: np.ndarray) -> np.ndarray:
    """(2, S) bytes stored and bytes newly filled."""
    table = table_of(opened, problem.n_caches)
    new = table & ~problem.stored.dense(problem.n_caches)
    return np.array([table @ problem.size_bytes, new @ problem.size_bytes], dtype=float)


def test_prices_react_to_use():
    """Caches of equal price: one as full as it may be keeps it, one with room gets cheaper, one over gets dearer; the
    less use answers, the more the price moves, but no more than by a factor of e^0.7."""
    problem = skewed_problem(0, n_sites=4)
    _, _, passes = prepared(problem)
    prices = BlockPrices(np.ones(4), np.ones(4), np.zeros(0))
    use = np.array([1.0, 0.95, 1.05, 9.0]) * problem.storage_bytes
    storage = [reacting_prices(passes, prices, np.full((2, 4), e), np.array([use, use]), 1.0).storage for e in (1, 2)]
    assert storage[0][0] == pytest.approx(1) and storage[0][1] < 1 < storage[0][2]
    assert storage[0][3] == pytest.approx(np.exp(0.7))
    assert storage[0][1] < storage[1][1] < 1 < storage[1][2] < storage[0][2]


def test_prices_without_a_limit_stay():
    problem = skewed_problem(0, n_sites=3)
    problem = problem.replace(storage_bytes=np.array([np.inf, 0.0, 10.0]))
    _, _, passes = prepared(problem)
    prices = BlockPrices(np.ones(3), np.ones(3), np.zeros(0))
    moved = reacting_prices(passes, prices, np.ones((2, 3)), np.full((2, 3), 5.0), 1.0)
    assert moved.storage[0] == moved.storage[1] == 1 and moved.storage[2] < 1
    assert (moved.fill == 1).all()


@pytest.mark.parametrize("limits", [False, True])
@pytest.mark.parametrize("seed", [1, 2])
def test_sweeps_count_use_and_come_close_to_the_limits(seed, limits):
    """After the prices have settled a sweep or two uses no cache by more than a few per cent over its storage."""
    problem = skewed_problem(seed, n_assets=1000, limits=limits)
    tables, rate_limits, passes = prepared(problem)
    pricing = Pricing(tables, rate_limits, passes)
    levels = pricing.settle(pricing.first_levels(), COLD)
    prices, opened = levels.block_prices(rate_limits), pricing.opened
    use = use_of(problem, opened)
    for _ in range(3):
        use = balance(passes, prices, pricing.elasticity, pricing.order, opened, use)
        assert np.allclose(use, use_of(problem, opened), rtol=1e-9, atol=1e-6)
    assert (use[0] <= 1.1 * problem.storage_bytes).all()
