"""A placer's time: shares of it, and what solvers are given of it."""

import numpy as np
import pytest
from instances import random_problem

from cdn.placement import clock, solving
from cdn.placement.candidates import find_candidates
from cdn.placement.clock import LEAST_S, Clock
from cdn.placement.lp import relax


def test_shares_of_the_time(monkeypatch):
    """Of 10 seconds from 100 on: at 104 six are left, at 111 none."""
    now = 104.0
    monkeypatch.setattr(clock.time, "monotonic", lambda: now)
    of_ten = Clock(10.0, 100.0)
    assert (of_ten.is_past(0.3), of_ten.is_past(0.5), of_ten.is_past()) == (True, False, False)
    assert (of_ten.left_s(), of_ten.left_s(0.5)) == (6.0, 3.0)
    now = 111.0
    assert of_ten.is_past() and of_ten.left_s() == LEAST_S
    assert not Clock(None, 0.0).is_past() and Clock(None, 0.0).left_s() is None


def test_no_solver_is_given_less_than_no_time(monkeypatch):
    """HiGHS passes over a negative limit and would go on without any: here time is over before it begins."""
    given = []
    solve = solving.solve

    def noted(lp, integer, gap, time_limit_s):
        given.append(time_limit_s)
        return solve(lp, integer, gap, time_limit_s)

    monkeypatch.setattr(solving, "solve", noted)
    problem = random_problem(np.random.default_rng(1), n_sites=3, n_assets=6, limits=True)
    relax(problem, find_candidates(problem), 1e-9)
    assert given == pytest.approx([LEAST_S] * len(given)) and given
