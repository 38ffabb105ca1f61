"""Robust rules: what they make of a problem, worked out by hand, and that nothing is decided on other numbers than
told."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from instances import problem_of, random_problem, two_edges_one_mid

from cdn.errors import CdnError, UnknownNameError
from cdn.evaluation import evaluate
from cdn.model.placement import Placement
from cdn.model.site_assets import SiteAssets
from cdn.placement import PLACERS
from cdn.placement.robust import ROBUST, parse_robust
from cdn.placement.scenarios import draw_bytes, scenario_problem
from cdn.planning import plan_placement

RULES = {"peaks": "peaks:0.7", "quantile": "quantile:0.2", "scenarios": "scenarios:3"}


def with_quantiles(problem, low=0.5, high=1.5, requests=None):
    demand = problem.demand
    requests = demand.requests if requests is None else np.asarray(requests, dtype=float)
    return problem.replace(demand=replace(demand, requests=requests, bytes_p10=low * demand.bytes,
                                          bytes_p90=high * demand.bytes))


def assets_of(planned) -> set[str]:
    return set(planned.problem.asset_index.ids_of(planned.placement.stored.asset))


@pytest.fixture
def flashy():
    """One cache at e1 with room for one asset and an egress of 100 bit/s. steady asks 100 bytes at 100 bit/s, every
    day; flashy 160 bytes at 150 bit/s on average, but mostly next to nothing and now and then ten times that: a gamma
    rate of shape 1/10. At the mean, two thirds of flashy fit through: 107 bytes against steady's 100. On a day of
    demand d (over its mean) the cache serves min(160 d, 107) of it, on average far less: in P(d > 2/3) < 0.3 of the
    days it is full."""
    problem = problem_of(two_edges_one_mid((10, 0, 0)), {"steady": 10, "flashy": 10},
                         [("r1", "steady", 100), ("r1", "flashy", 160)], peak_bps=[100.0, 150.0],
                         egress_bps=np.array([100.0, 0.0, 0.0]))
    sd = np.sqrt(10) * 160
    demand = replace(problem.demand, requests=np.array([1e6, 1e6]), bytes_p10=np.array([100.0, 0.0]),
                     bytes_p90=np.array([100.0, 2 * 1.2815515655446004 * sd]))
    return problem.replace(demand=demand)


@pytest.mark.parametrize("method", ["mip", "decomposition"])
def test_the_mean_is_misled_where_egress_binds_and_scenarios_are_not(flashy, method):
    assert assets_of(plan_placement(flashy, method)) == {"flashy"}
    assert assets_of(plan_placement(flashy, method, robust="scenarios:200", seed=1)) == {"steady"}


def test_low_quantiles_are_wary_and_peaks_leave_a_margin(flashy):
    """At 0.2 three quarters of the way from the mean, 160, to p10, 0: 40 bytes at 37.5 bit/s, steady has 100. With
    rates at 0.7 flashy's is half way to its p90 of 1,297 bytes: 683 bit/s, of which a seventh fits through: 23
    bytes."""
    for rule in ("quantile:0.2", "peaks:0.7"):
        assert assets_of(plan_placement(flashy, "mip", robust=rule)) == {"steady"}


def test_without_a_limit_that_binds_scenarios_place_as_the_mean_does(flashy):
    """Offload is linear in the demand then: 160 expected bytes are more than 100, however uncertain."""
    free = flashy.replace(egress_bps=np.full(3, np.inf))
    for rule in (None, "scenarios:200"):
        assert assets_of(plan_placement(free, "mip", robust=rule, seed=1)) == {"flashy"}


def test_the_mix_runs_from_p10_over_the_mean_to_p90():
    problem = with_quantiles(problem_of(two_edges_one_mid(), {"x": 5}, [("r1", "x", 100)], peak_bps=[8.0]), 0.4, 3.0)
    rng = np.random.default_rng(0)
    for level, ratio in ((0.1, 0.4), (0.3, 0.7), (0.5, 1), (0.7, 2), (0.9, 3)):
        both, rates = (ROBUST[name](problem, level, rng).demand for name in ("quantile", "peaks"))
        assert (both.bytes[0], both.peak_bps[0], both.requests[0]) == pytest.approx((100 * ratio, 8 * ratio, ratio))
        assert (rates.bytes[0], rates.peak_bps[0]) == pytest.approx((100, 8 * ratio))


def test_days_have_the_mean_and_the_spread_of_the_demand():
    """Mean 50 requests, quantiles 2 x 1.2816 x 20 apart: sd 20. Without any width a Poisson count: sd 7.07."""
    problem = problem_of(two_edges_one_mid(), {"x": 5, "y": 5}, [("r1", "x", 500), ("r1", "y", 500)])
    width = 2 * 1.2815515655446004 * 200
    demand = replace(problem.demand, requests=np.array([50.0, 50.0]), bytes_p10=np.array([500 - width / 2, 500]),
                     bytes_p90=np.array([500 + width / 2, 500]))
    drawn = draw_bytes(demand, 20_000, np.random.default_rng(1))
    np.testing.assert_allclose(drawn.mean(axis=0), 500, rtol=0.02)
    np.testing.assert_allclose(drawn.std(axis=0), [200, 70.7], rtol=0.03)
    assert np.array_equal(drawn, draw_bytes(demand, 20_000, np.random.default_rng(1)))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_the_scenario_problem_costs_what_its_days_cost_on_average(seed):
    """Whatever is stored, with the cheapest routing: delivery cost of the one problem = mean over the days'."""
    rng = np.random.default_rng(seed)
    problem = with_quantiles(random_problem(rng, limits=True))
    stored = SiteAssets.from_pairs(*rng.integers(0, (problem.n_caches, len(problem.asset_index)), (6, 2)).T,
                                   len(problem.asset_index))
    whole = scenario_problem(problem, 4, np.random.default_rng(seed))
    days = draw_bytes(problem.demand, 4, np.random.default_rng(seed))
    costs = [evaluate(problem.replace(demand=replace(problem.demand, bytes=of_day)), Placement(stored)).delivery_cost
             for of_day in days]
    assert evaluate(whole, Placement(stored)).delivery_cost == pytest.approx(np.mean(costs))


def test_every_day_has_limits_of_its_own():
    """Two days of 100 bit/s at a cache of 100 bit/s: each within the limit, and judged so."""
    problem = with_quantiles(problem_of(two_edges_one_mid(), {"x": 5}, [("r1", "x", 1e6)], peak_bps=[100.0],
                                        egress_bps=np.array([101.0, 0.0, 0.0])), 1, 1, [1e8])
    whole = scenario_problem(problem, 2, np.random.default_rng(0))
    assert whole.region_index.ids.tolist() == ["r1 of day 1", "r2 of day 1", "r1 of day 2", "r2 of day 2"]
    stored = SiteAssets.from_pairs([0], [0], 1)
    evaluation = evaluate(whole, Placement(stored))
    assert not evaluation.violations and evaluation.egress_bps[:, 0] == pytest.approx([100, 100], rel=0.01)


@pytest.mark.parametrize("rule", RULES.values())
@pytest.mark.parametrize("method", sorted(PLACERS))
def test_rules_and_limits_are_kept_and_a_seed_gives_the_same(rule, method):
    for seed in range(4):
        problem = with_quantiles(random_problem(np.random.default_rng(seed), limits=True))
        one, again = (plan_placement(problem, method, robust=rule, seed=3) for _ in range(2))
        assert not one.evaluation.violations
        assert one.certificate.lower_bound is None and rule in one.certificate.reason
        np.testing.assert_array_equal(one.placement.stored.keys(problem.n_caches),
                                      again.placement.stored.keys(problem.n_caches))


def test_a_demand_without_quantiles_is_refused():
    problem = problem_of(two_edges_one_mid(), {"x": 5}, [("r1", "x", 100)])
    with pytest.raises(CdnError, match="expected a demand with bytes_p10 and bytes_p90"):
        plan_placement(problem, "lp", robust="peaks:0.7")


@pytest.mark.parametrize(("text", "expected"), [
    ("quantile", "expected quantile:Q with Q from 0.1 to 0.9"), ("quantile:0.95", "from 0.1 to 0.9"),
    ("peaks:nan", "from 0.1 to 0.9"), ("scenarios:2.5", "N from 1 to 1000"), ("scenarios:0", "N from 1 to 1000"),
    ("scenarios:inf", "N from 1 to 1000")])
def test_rules_with_values_that_make_no_sense(text, expected):
    with pytest.raises(CdnError, match=expected):
        parse_robust(text)


def test_every_rule_is_tried_above_and_an_unknown_one_is_refused():
    assert set(RULES) == set(ROBUST)
    with pytest.raises(UnknownNameError, match="known: peaks, quantile, scenarios"):
        parse_robust("minimax:3")
