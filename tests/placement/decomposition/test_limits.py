"""Limits on bit rates: which could bind, their prices as the judge has them, and steps of these prices."""

import numpy as np
import pytest
from instances import problem_of, two_edges_one_mid
from placement.decomposition.region_examples import prepared, skewed_problem

from cdn.model.problem import Problem
from cdn.placement.decomposition.limits import full_prices, own_prices, rate_changes
from cdn.placement.decomposition.pricing import rate_window
from cdn.placement.decomposition.tables import candidate_regions


def one_limited(egress_bps: list[float]) -> Problem:
    """r1 asks for x at 100 bit/s; both edges and the mid may serve it."""
    return problem_of(
        two_edges_one_mid(), {"x": 10}, [("r1", "x", 100)], peak_bps=np.array([100.0]), egress_bps=np.array(egress_bps)
    )


def test_only_limits_that_could_bind_are_priced():
    """e1 may serve 60 of 100 bit/s; the mid 200, which never binds; e2 has no limit."""
    _, limits, _ = prepared(one_limited([60, np.inf, 200]))
    assert limits.column.tolist() == [0] and limits.limit_bps.tolist() == [60]
    assert len(prepared(one_limited([np.inf] * 3))[1]) == 0


def test_loads_are_those_of_the_candidates_hour_by_hour():
    problem = skewed_problem(0, limits=True)
    tables, limits, _ = prepared(problem)
    flow = np.random.default_rng(0).random(len(tables.candidate_site))
    factor = problem.demand.hour_factor[problem.demand.peak_hours()]
    region = candidate_regions(tables)
    for k, site in enumerate(limits.column):
        own = tables.candidate_site == site
        assert limits.loads_bps(flow)[:, k] == pytest.approx(factor[:, region[own]] @ flow[own])


def test_prices_survive_being_written_out_for_all_limits():
    problem = skewed_problem(0, limits=True)
    _, limits, _ = prepared(problem)
    rate = np.random.default_rng(0).random((len(limits.factor), len(limits)))
    nothing = np.zeros(problem.n_caches)
    prices = full_prices(problem, limits, nothing, nothing, rate, np.zeros(len(problem.demand)), None)
    assert np.array_equal(own_prices(problem, limits, prices), rate)


def test_prices_rise_where_the_load_is_too_high_and_fall_where_there_is_room():
    problem = one_limited([60, 60, 60])
    tables, limits, _ = prepared(problem)
    nothing = np.zeros(len(tables.candidate_site))
    flow = np.select(
        [candidate_regions(tables) == 1, tables.candidate_site == 0, tables.candidate_site == 1], [0, 100, 60]
    )
    changes, _ = rate_changes(limits, rate_window(tables), np.zeros((1, 3)), flow, nothing, 0.5)
    assert changes[0, 0] > 0 and changes[0, 1] == pytest.approx(0) and changes[0, 2] < 0


def test_a_limit_of_nothing_keeps_a_price():
    """e1 may serve nothing and does not."""
    tables, limits, _ = prepared(one_limited([0, 60, 60]))
    nothing = np.zeros(len(tables.candidate_site))
    changes, _ = rate_changes(limits, rate_window(tables), np.zeros((1, 3)), nothing, nothing, 0.5)
    assert np.isfinite(changes).all()
