"""mip: the model with whole assets, by PuLP + HiGHS branch and bound, to a gap or a time limit.

Where there are few enough, all sets of caches that could store an asset are listed and one is chosen for each
(``choosing``, by a search of their own); else pairs and connections are decided (``model``).
"""

import numpy as np

from cdn.model.placement import Placement, PlacerResult, Prices
from cdn.model.problem import Problem
from cdn.placement.candidates import Candidates, find_candidates, limits_may_bind
from cdn.placement.choosing.choice import choose_sets
from cdn.placement.greedy import held_pairs
from cdn.placement.lp import complete_best, relax, round_relaxation
from cdn.placement.model import PlacementModel, build_model, solution_of
from cdn.placement.rerouting import route_within_limits
from cdn.placement.solving import FEASIBLE, OPTIMAL, solve_within_limits
from cdn.placement.spare import use_spare_storage
from cdn.placement.subsets import are_few


def place_mip(problem: Problem, gap: float = 0.005, time_limit_s: float | None = 300.0) -> PlacerResult:
    """Binary placement within ``gap`` of the solver's bound. The relaxation is solved first: its prices are the part of
    the bound anyone can recheck; branch and bound's own bound is reported beside it (``solver_bound``).

    Raises SolverError where HiGHS fails.
    """
    candidates = find_candidates(problem)
    relaxation, relaxed, prices, relaxed_cost, _ = relax(problem, candidates, time_limit_s)
    if are_few(candidates) and not limits_may_bind(problem):
        held, status, reason, most_saving = _choose(problem, candidates, prices, gap, time_limit_s)
    else:
        held, status, reason, most_saving = _branch(problem, candidates, relaxation, gap, time_limit_s)
    return PlacerResult(
        Placement(
            use_spare_storage(problem, held_pairs(problem, candidates, held)),
            route_within_limits(problem, candidates, held),
        ),
        status,
        reason,
        prices,
        solver_bound=None if most_saving is None else relaxation.constant_cost - most_saving,
        relaxed=relaxed,
        relaxed_cost=relaxed_cost,
    )


def _choose(
    problem: Problem, candidates: Candidates, prices: Prices, gap: float, time_limit_s: float | None
) -> tuple[np.ndarray, str, str, float | None]:
    """Pairs to hold (P,), status, reason, and what any placement can save at most, from all sets of caches."""
    choice = choose_sets(problem, candidates, prices, gap, time_limit_s)
    status = OPTIMAL if choice.is_optimal else FEASIBLE
    ended = "optimal within the asked gap" if choice.is_optimal else f"time limit of {time_limit_s} s"
    most_saving = choice.most_saving if np.isfinite(choice.most_saving) else None
    return choice.held, status, f"{ended}, {choice.n_nodes} nodes", most_saving


def _branch(
    problem: Problem, candidates: Candidates, relaxation: PlacementModel, gap: float, time_limit_s: float | None
) -> tuple[np.ndarray, str, str, float | None]:
    """The same from the model of pairs and connections."""
    model = build_model(problem, candidates, binary=True)
    solved = solve_within_limits(model, integer=True, gap=gap, time_limit_s=time_limit_s)
    most_saving = None
    if solved.bound is not None and np.isfinite(solved.bound):
        most_saving = -solved.bound * model.cost_unit
    if solved.status == OPTIMAL:
        return solution_of(model.y) > 0.5, solved.status, solved.reason, most_saving
    held = round_relaxation(problem, candidates, relaxation, time_limit_s)
    if solved.has_solution:
        held = complete_best(problem, candidates, [held, solution_of(model.y) > 0.5])
    reason = f"{solved.reason}: the best of what was found and the rounded relaxation"
    return held, solved.status, reason, most_saving
