"""mip: the model with whole assets, by PuLP + HiGHS branch and bound, to a gap or a time limit."""

import numpy as np

from cdn.model.placement import Placement, PlacerResult
from cdn.model.problem import Problem
from cdn.placement.candidates import find_candidates
from cdn.placement.greedy import held_pairs
from cdn.placement.lp import complete_best, relax, round_relaxation
from cdn.placement.model import build_model, solution_of
from cdn.placement.rerouting import route_within_limits
from cdn.placement.solving import OPTIMAL, solve_within_limits
from cdn.placement.spare import use_spare_storage


def place_mip(problem: Problem, gap: float = 0.005, time_limit_s: float | None = 300.0) -> PlacerResult:
    """Binary placement within ``gap`` of the solver's bound. The relaxation is solved first: its prices are the part of
    the bound anyone can recheck; branch and bound's own bound is reported beside it (``solver_bound``).

    Raises SolverError where HiGHS fails.
    """
    candidates = find_candidates(problem)
    relaxation, relaxed, prices, relaxed_cost, _ = relax(problem, candidates, time_limit_s)
    model = build_model(problem, candidates, binary=True)
    solved = solve_within_limits(model, integer=True, gap=gap, time_limit_s=time_limit_s)
    reason = solved.reason
    if solved.status == OPTIMAL:
        held = solution_of(model.y) > 0.5
    else:
        held = round_relaxation(problem, candidates, relaxation, time_limit_s)
        if solved.has_solution:
            found = solution_of(model.y) > 0.5
            held = complete_best(problem, candidates, [held, found])
        reason = f"{solved.reason}: the best of what was found and the rounded relaxation"
    routing = route_within_limits(problem, candidates, held)
    bound = None
    if solved.bound is not None and np.isfinite(solved.bound):
        bound = model.constant_cost + solved.bound * model.cost_unit
    return PlacerResult(
        Placement(use_spare_storage(problem, held_pairs(problem, candidates, held)), routing),
        solved.status,
        reason,
        prices,
        solver_bound=bound,
        relaxed=relaxed,
        relaxed_cost=relaxed_cost,
    )
