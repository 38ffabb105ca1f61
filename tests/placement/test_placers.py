"""Every placer by certificate, and on instances worked out by hand."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from instances import problem_of, random_problem, two_edges_one_mid

from cdn.evaluation import evaluate
from cdn.model.placement import Placement
from cdn.placement import PLACERS
from cdn.planning import plan_placement

METHODS = sorted(PLACERS)
EXACT = {"gap": 0.0, "time_limit_s": 60.0}


def chosen(planned) -> set[tuple[str, str]]:
    stored = planned.placement.stored
    problem = planned.problem
    return set(zip(problem.site_index.ids_of(stored.site), problem.asset_index.ids_of(stored.asset), strict=True))


@pytest.fixture
def knapsack():
    """One cache of 10 at e1, nothing elsewhere: x (6 bytes, saves 240), y and z (5 bytes each, save 160 each).

    r1 asks 60, 40, 40 bytes at a saving of 4 each. Per byte x is best (40 against 32), but y + z fill the cache: 320.
    """
    return problem_of(
        two_edges_one_mid((10, 0, 0)), {"x": 6, "y": 5, "z": 5}, [("r1", "x", 60), ("r1", "y", 40), ("r1", "z", 40)]
    )


def test_greedy_takes_the_best_per_byte(knapsack):
    """x first, then neither y nor z fits in the 4 bytes left: cost 140 * 4 - 240 = 320."""
    planned = plan_placement(knapsack, "greedy")
    assert chosen(planned) == {("e1", "x")} and planned.evaluation.cost == 320


@pytest.mark.parametrize("method", ["lp", "mip"])
def test_exact_methods_fill_the_knapsack(knapsack, method):
    """y and z: cost 560 - 320 = 240. The relaxation takes x whole and 4/5 of y: 560 - 240 - 128 = 192."""
    planned = plan_placement(knapsack, method, **EXACT)
    assert chosen(planned) == {("e1", "y"), ("e1", "z")}
    assert planned.certificate.cost == pytest.approx(240)
    assert planned.certificate.lower_bound == pytest.approx(192)
    assert planned.relaxed_cost == pytest.approx(192)


def test_one_copy_in_the_middle_when_edges_are_small():
    """Both regions want x (size 10): edges hold 5, the mid 10. At the mid it costs 1 a byte instead of 4."""
    problem = problem_of(two_edges_one_mid((5, 5, 10)), {"x": 10}, [("r1", "x", 100), ("r2", "x", 50)])
    for method in METHODS:
        planned = plan_placement(problem, method)
        assert chosen(planned) == {("m", "x")} and planned.evaluation.cost == 150, method


def test_popularity_does_not_look_at_the_neighbours():
    """x is asked for most in both regions, y next. Each edge holds one: popularity takes x twice.

    r1: x 30, y 20; r2: x 30, y 20. x, x: y from the origin 40 * 4 = 160. x at e1, y at e2: r2's x at 2 is 60, r1's y
    at 2 is 40: together 100. So what people do today is not the best.
    """
    topology = two_edges_one_mid((10, 10, 0))
    asked = [("r1", "x", 30), ("r1", "y", 20), ("r2", "x", 30), ("r2", "y", 20)]
    problem = problem_of(topology, {"x": 10, "y": 10}, asked)
    demand = problem.demand
    problem = problem.replace(
        demand=type(demand)(
            demand.region_index,
            demand.asset_index,
            demand.indptr,
            demand.region,
            demand.bytes,
            demand.bytes,
            demand.peak_bps,
            demand.hour_factor,
        )
    )
    popular = plan_placement(problem, "popularity")
    assert chosen(popular) == {("e1", "x"), ("e2", "x")} and popular.evaluation.cost == 160
    assert plan_placement(problem, "mip", **EXACT).evaluation.cost == 100


def test_egress_sends_the_rest_elsewhere():
    """e1 may serve 60 of r1's 100 bit/s of x; the mid has no room, so 40 % come from the origin: 40 * 4 = 160."""
    problem = problem_of(
        two_edges_one_mid((10, 0, 0)),
        {"x": 10},
        [("r1", "x", 100)],
        peak_bps=np.array([100.0]),
        egress_bps=np.array([60.0, np.inf, np.inf]),
    )
    for method in ("lp", "mip"):
        planned = plan_placement(problem, method, **EXACT)
        assert planned.evaluation.cost == pytest.approx(160) and not planned.evaluation.violations
        assert planned.certificate.lower_bound == pytest.approx(160)


def test_a_link_sends_the_rest_elsewhere():
    """x sits at the mid only; m-e1 carries 25 of 100 bit/s for caches: 25 bytes at 1, 75 from the origin at 4."""
    problem = problem_of(
        two_edges_one_mid((0, 0, 10)),
        {"x": 10},
        [("r1", "x", 100)],
        peak_bps=np.array([100.0]),
        link_capacity_bps=np.array([np.inf, np.inf, np.inf, 25.0, np.inf, np.inf]),
    )
    planned = plan_placement(problem, "lp")
    assert planned.evaluation.cost == pytest.approx(25 + 300) and not planned.evaluation.violations
    assert planned.certificate.lower_bound == pytest.approx(325)


def test_fill_limit_keeps_what_is_there():
    """x would be better than the stored y, but tonight nothing can be filled."""
    from cdn.model.site_assets import SiteAssets

    problem = problem_of(
        two_edges_one_mid((10, 0, 0)),
        {"x": 10, "y": 10},
        [("r1", "x", 100), ("r1", "y", 50)],
        fill_bytes=np.zeros(3),
        stored=SiteAssets.from_pairs([0], [1], 2),
    )
    for method in METHODS:
        assert chosen(plan_placement(problem, method)) == {("e1", "y")}, method


def test_filling_must_pay():
    """x saves 4 * 2 = 8 a day at e1 but costs 10 * 4 to fill there and 10 * 3 at the mid: better left alone."""
    problem = problem_of(two_edges_one_mid(), {"x": 10}, [("r1", "x", 2)], fill_cost=True)
    for method in ("lp", "mip", "greedy"):
        assert not chosen(plan_placement(problem, method)), method


def check(planned) -> None:
    """Rules kept, never below the bound, LP value = the judge's cost of the fractional solution."""
    certificate, evaluation = planned.certificate, planned.evaluation
    limits = {"egress", "link"} if certificate.method in ("greedy", "popularity") else set()
    assert {v.limit for v in evaluation.violations} <= limits
    if certificate.lower_bound is not None:
        assert certificate.lower_bound <= evaluation.cost * (1 + 1e-9) + 1e-9
    if planned.relaxed is not None:
        relaxed = evaluate(planned.problem, planned.relaxed)
        assert relaxed.cost == pytest.approx(planned.relaxed_cost, rel=1e-6, abs=1e-6)
        assert certificate.lower_bound == pytest.approx(planned.relaxed_cost, rel=1e-6, abs=1e-6)
        assert not relaxed.violations


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.booleans())
@example(84, True)  # a copy kept in spare storage must not draw traffic over an egress limit
@example(337, True)  # nothing may be served by caches: an empty routing is a routing
def test_random_problems_by_certificate(seed, limits):
    problem = random_problem(np.random.default_rng(seed), limits=limits)
    planned = {method: plan_placement(problem, method, **EXACT) for method in METHODS}
    for one in planned.values():
        check(one)
    best = planned["mip"].evaluation.cost
    for method in ("lp", "greedy", "popularity"):
        if not planned[method].evaluation.violations:
            assert best <= planned[method].evaluation.cost * (1 + 1e-6) + 1e-6
    assert planned["lp"].certificate.lower_bound <= best + 1e-6


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6))
def test_more_storage_never_costs_more(seed):
    """Of the bound and of the optimum."""
    problem = random_problem(np.random.default_rng(seed), limits=True)
    more = problem.replace(storage_bytes=problem.storage_bytes * 2)
    before, after = (plan_placement(p, "mip", **EXACT) for p in (problem, more))
    assert after.certificate.lower_bound <= before.certificate.lower_bound + 1e-6
    assert after.evaluation.cost <= before.evaluation.cost + 1e-6


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6))
def test_the_optimum_by_brute_force(seed):
    """Two caches, four assets: all 2^8 placements tried."""
    from cdn.model.site_assets import SiteAssets

    problem = random_problem(np.random.default_rng(seed), n_sites=2, n_regions=3, n_assets=4)
    costs = []
    for code in range(2**8):
        table = np.array([code >> k & 1 for k in range(8)], dtype=bool).reshape(2, 4)
        found = evaluate(problem, Placement(SiteAssets.from_dense(table)))
        if not found.violations:
            costs.append(found.cost)
    assert plan_placement(problem, "mip", **EXACT).evaluation.cost == pytest.approx(min(costs))


@pytest.mark.parametrize("method", METHODS)
def test_nothing_asked_for(method):
    planned = plan_placement(problem_of(two_edges_one_mid(), {"x": 10}, []), method)
    assert len(planned.placement.stored) == 0 and planned.evaluation.cost == 0


@pytest.mark.parametrize("method", METHODS)
def test_no_storage_and_assets_larger_than_any_cache(method):
    planned = plan_placement(problem_of(two_edges_one_mid((5, 0, 5)), {"x": 10}, [("r1", "x", 5)]), method)
    assert len(planned.placement.stored) == 0 and planned.evaluation.cost == 20


@pytest.mark.parametrize("method", METHODS)
def test_the_same_problem_gives_the_same_placement(method):
    problem = random_problem(np.random.default_rng(5), n_assets=20)
    first, second = (plan_placement(problem, method, **EXACT).placement.stored for _ in range(2))
    assert np.array_equal(first.site, second.site) and np.array_equal(first.asset, second.asset)
