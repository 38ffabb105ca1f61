"""lp: the linear relaxation by PuLP + HiGHS, then rounding and repair. Its duals are the certificate's prices."""

import numpy as np

from cdn.model.placement import Placement, PlacerResult
from cdn.model.problem import Problem
from cdn.placement.candidates import Candidates, find_candidates
from cdn.placement.core import WHOLE, solve_core
from cdn.placement.exchanging import exchange
from cdn.placement.fitting import take_fitting
from cdn.placement.greedy import held_pairs
from cdn.placement.model import PlacementModel, build_model, read_placement, read_prices, solution_of
from cdn.placement.rerouting import route_within_limits
from cdn.placement.solving import FEASIBLE, OPTIMAL, solve_within_limits
from cdn.placement.spare import use_spare_storage

ROUNDING_THRESHOLDS = (WHOLE, 0.5, 1e-6)


def relax(problem: Problem, candidates: Candidates, time_limit_s: float | None = None):
    """Solves the relaxation. Returns the model, the fractional placement (None where the time limit left none),
    prices, the solver's value as a cost, and how the solve ended."""
    model = build_model(problem, candidates, binary=False)
    solved = solve_within_limits(model, integer=False, time_limit_s=time_limit_s)
    relaxed = read_placement(model, with_routing=True) if solved.status == OPTIMAL else None
    cost = model.constant_cost + solved.objective * model.cost_unit if relaxed else None
    return model, relaxed, read_prices(model), cost, solved


def place_lp(problem: Problem, time_limit_s: float | None = None) -> PlacerResult:
    """Relaxation; the undecided core by branch and bound; greedy completion and exchanges; routing re-solved where
    egress or links bind. Raises SolverError where HiGHS fails."""
    candidates = find_candidates(problem)
    model, relaxed, prices, cost, solved = relax(problem, candidates, time_limit_s)
    held = round_relaxation(problem, candidates, model, time_limit_s)
    routing = route_within_limits(problem, candidates, held)
    reason = "relaxation solved, rounded and completed" if relaxed else f"{solved.reason}: rounded what was there"
    return PlacerResult(
        Placement(use_spare_storage(problem, held_pairs(problem, candidates, held)), routing),
        FEASIBLE,
        reason,
        prices,
        relaxed=relaxed,
        relaxed_cost=cost,
    )


def round_relaxation(
    problem: Problem, candidates: Candidates, model: PlacementModel, time_limit_s: float | None
) -> np.ndarray:
    """Which pairs (P,) to hold: the best of several roundings of a solved relaxation."""
    level = solution_of(model.y)
    reduced_cost = np.array([variable.dj or 0.0 for variable in model.y])
    starts = [_fitting(problem, candidates, level, threshold) for threshold in ROUNDING_THRESHOLDS]
    if ((level > 1 - WHOLE) & (level < WHOLE)).any():
        starts.append(solve_core(problem, candidates, level, reduced_cost, time_limit_s))
    return complete_best(problem, candidates, starts)


def complete_best(problem: Problem, candidates: Candidates, starts: list[np.ndarray]) -> np.ndarray:
    """Completes each feasible start greedily and by exchanges; the pairs (P,) of the one that saves most."""
    best_saving, best = -np.inf, starts[0]
    for start in starts:
        held, saving = exchange(problem, candidates, start)
        if saving > best_saving:
            best_saving, best = saving, held
    return best


def _fitting(problem: Problem, candidates: Candidates, level: np.ndarray, threshold: float) -> np.ndarray:
    """Pairs at or above the threshold, highest level first, while storage and fill allow; the pins always."""
    c = candidates
    order = np.lexsort((-problem.size_bytes[c.asset], -level, ~c.pinned))
    order = order[(level[order] >= threshold) | c.pinned[order]]
    chosen = np.zeros(len(level), dtype=bool)
    room, fill = problem.storage_bytes.copy(), problem.usable_fill_bytes.copy()
    chosen[order] = take_fitting(problem, c.site[order], c.asset[order], room, fill)
    return chosen
