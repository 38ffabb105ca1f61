"""Prices: nothing where there is plenty, and a start from last night's settles sooner."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from placement.decomposition.region_examples import prepared, skewed_problem

from cdn.evaluation import lower_bound
from cdn.model.placement import Prices
from cdn.model.problem import Problem
from cdn.placement.decomposition import place_decomposition, placer
from cdn.placement.decomposition.pricing import COLD, Pricing, Sample, Schedule, demand_order


def next_day(problem: Problem, seed: int) -> Problem:
    """The same network; what is asked for has changed by some tens of per cent."""
    demand = problem.demand
    change = np.random.default_rng(seed).uniform(0.7, 1.3, len(demand))
    return problem.replace(
        demand=type(demand)(
            demand.region_index,
            demand.asset_index,
            demand.indptr,
            demand.region,
            demand.requests * change,
            demand.bytes * change,
            demand.peak_bps * change,
            demand.hour_factor,
        )
    )


@pytest.mark.parametrize("limits", [False, True])
def test_plentiful_storage_has_no_price(limits):
    """Two of five caches hold everything, one of them without a bound; the others are as tight as before."""
    problem = skewed_problem(3, limits=limits)
    storage = problem.storage_bytes.copy()
    storage[1], storage[3] = 1.5 * problem.size_bytes.sum(), np.inf
    prices = place_decomposition(problem.replace(storage_bytes=storage), threads=1).prices
    assert prices.storage[1] == prices.storage[3] == 0
    assert (prices.storage[[0, 2, 4]] > 0).any()


def test_prices_bring_use_to_the_limits():
    """After a cold start every priced cache is full to a few per cent."""
    problem = skewed_problem(4, n_assets=2000)
    tables, limits, passes = prepared(problem)
    pricing = Pricing(tables, limits, passes)
    levels = pricing.settle(pricing.first_levels(), COLD)
    found = pricing.look(levels, Sample(pricing.order, np.ones(len(pricing.order))))
    full = found.use[0] / problem.storage_bytes
    assert (full[levels.storage > 1e-3 * levels.storage.max()] > 0.9).all() and (full < 1.1).all()


def test_a_sample_stands_for_all():
    """The samples of one round, each weighted up, add up to all assets each time as many samples as there are."""
    problem = skewed_problem(4, n_assets=1500)
    tables, limits, passes = prepared(problem)
    pricing = Pricing(tables, limits, passes)
    levels = pricing.first_levels()
    whole = pricing.look(levels, Sample(pricing.order, np.ones(len(pricing.order))))
    parts = [pricing.order[k::6] for k in range(6)]
    sums = [pricing.look(levels, Sample(part, np.full(len(part), 6.0))) for part in parts]
    assert np.allclose(np.mean([s.use[0] for s in sums], axis=0), whole.use[0])
    assert np.mean([s.saving for s in sums]) == pytest.approx(whole.saving)
    assert sums[0].saving == pytest.approx(whole.saving, rel=0.2)


@pytest.mark.parametrize("limits", [False, True])
def test_a_warm_start_takes_half_the_passes(limits, monkeypatch):
    """From yesterday's prices: at most half the blocks solved, and a bound no more than 0.1 % worse."""
    made: list[Pricing] = []

    class Recorded(Pricing):
        def __init__(self, *given):
            super().__init__(*given)
            made.append(self)

    monkeypatch.setattr(placer, "Pricing", Recorded)
    yesterday = skewed_problem(5, n_assets=1000, limits=limits)
    today = next_day(yesterday, 1)
    start = place_decomposition(yesterday, threads=1).prices
    cold = place_decomposition(today, threads=1).prices
    warm = place_decomposition(today, threads=1, start_prices=start).prices
    assert made[2].solved_assets <= 0.5 * made[1].solved_assets
    assert lower_bound(today, warm) >= (1 - 1e-3) * lower_bound(today, cold)


def test_a_start_from_no_prices_at_all():
    """Zero prices of another network's night are a start as well."""
    problem = skewed_problem(5)
    n, zero = problem.n_caches, np.zeros
    nothing = Prices(zero(n), zero(n), zero((1, n)), zero((1, 0)), zero(len(problem.demand)))
    warm = place_decomposition(problem, threads=1, start_prices=nothing).prices
    assert np.isfinite(warm.storage).all()


def test_the_order_is_by_demand_per_byte_and_leaves_out_what_nobody_asks_for():
    problem = skewed_problem(6, n_assets=50)
    order = demand_order(prepared(problem)[0])
    demand = problem.demand
    asked = np.bincount(demand.asset, weights=demand.bytes, minlength=50)
    density = asked[order] / problem.size_bytes[order]
    assert (np.diff(density) <= 0).all() and set(order) == set(np.flatnonzero(asked))


FIRST_LEVELS = """
import numpy as np
from placement.decomposition.region_examples import prepared, skewed_problem
from cdn.placement.decomposition.pricing import Pricing
print(Pricing(*prepared(skewed_problem(3, n_assets=20_000, n_regions=6))).first_levels().storage.tobytes().hex())
"""


def test_the_first_prices_do_not_depend_on_the_threads_of_blas():
    """Sums of a hundred thousand terms, which BLAS with two threads adds up in another order than with one."""
    tests = Path(__file__).parents[2]
    paths = os.pathsep.join([str(tests), str(tests.parent)])
    found = {
        subprocess.run(
            [sys.executable, "-c", FIRST_LEVELS],
            env=os.environ | {"OPENBLAS_NUM_THREADS": n, "OMP_NUM_THREADS": n, "PYTHONPATH": paths},
            capture_output=True, text=True, check=True,
        ).stdout
        for n in ("1", "2")
    }  # fmt: skip
    assert len(found) == 1 and found.pop().strip()


def test_schedules_are_geometric():
    schedule = Schedule(3, 0.8, 0.2)
    assert [schedule.length(k) for k in range(3)] == pytest.approx([0.8, 0.4, 0.2])
    assert Schedule(1, 0.5, 0.1).length(0) == 0.5
