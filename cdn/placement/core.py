"""The undecided core: where the relaxation's reduced costs are small, whole assets are decided by branch and bound.

All other pairs keep what the relaxation says (Balas & Zemel 1980 for knapsacks). The core is small, so HiGHS closes it
in seconds; its time limit is a safety valve, and only a run that hits it depends on the machine's speed.
"""

from dataclasses import replace

import numpy as np

from cdn.model.problem import Problem
from cdn.placement.candidates import Candidates
from cdn.placement.model import build_model, solution_of
from cdn.placement.solving import solve

CORE_PAIRS = 400
CORE_GAP = 2e-4
CORE_TIME_LIMIT_S = 30.0
WHOLE = 1 - 1e-6


def solve_core(
    problem: Problem, candidates: Candidates, level: np.ndarray, reduced_cost: np.ndarray, time_limit_s: float | None
) -> np.ndarray:
    """Which pairs (P,) to hold: ``level`` where it is decided, the core by branch and bound. Feasible, or, where the
    solver found nothing whole in time, just the decided pairs."""
    fractional = (level > 1 - WHOLE) & (level < WHOLE)
    core = np.zeros(len(level), dtype=bool)
    core[np.argsort(np.where(fractional, -1.0, np.abs(reduced_cost)), kind="stable")[:CORE_PAIRS]] = True
    core &= ~candidates.pinned
    decided = ~core & (level >= WHOLE)
    kept = core | decided
    model = build_model(problem, restrict(candidates, kept, candidates.pinned | decided), binary=True)
    solved = solve(model.lp, integer=True, gap=CORE_GAP, time_limit_s=min(CORE_TIME_LIMIT_S, time_limit_s or np.inf))
    held = decided.copy()
    if solved.has_solution:
        held[kept] = solution_of(model.y) > 0.5
    return held | candidates.pinned


def restrict(candidates: Candidates, kept: np.ndarray, pinned: np.ndarray) -> Candidates:
    """Only the kept pairs (P,) and the triples they serve, with other pins (P,)."""
    position = np.cumsum(kept) - 1
    served = kept[candidates.entry_pair]
    return replace(
        candidates,
        site=candidates.site[kept],
        asset=candidates.asset[kept],
        new=candidates.new[kept],
        pinned=pinned[kept],
        entry=candidates.entry[served],
        entry_site=candidates.entry_site[served],
        entry_pair=position[candidates.entry_pair[served]],
        saving=candidates.saving[served],
    )
