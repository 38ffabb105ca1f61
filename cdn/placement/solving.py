"""One adapter from PuLP + HiGHS to what the placers need: a status that can be believed, and a bound."""

from dataclasses import dataclass, replace

import pulp

from cdn.errors import SolverError
from cdn.placement.clock import Clock
from cdn.placement.model import PlacementModel, add_broken_limits

OPTIMAL, FEASIBLE = "optimal", "feasible"
THREADS = 1


@dataclass(frozen=True)
class Solved:
    """How a solve ended. ``bound``: the solver's own lower bound on the objective (mixed-integer only)."""

    status: str
    reason: str
    has_solution: bool
    objective: float
    bound: float | None


def solve_within_limits(
    model: PlacementModel, integer: bool, gap: float | None = None, time_limit_s: float | None = None
) -> Solved:
    """Solves, adds the egress and link rows that the solution breaks, and solves again until none is broken.

    The last solution keeps every limit, and a bound without some rows is a bound with them. The time limit holds for
    all rounds together; a run out of time ends as ``feasible`` without a solution.
    """
    clock = Clock(time_limit_s)
    while True:
        solved = solve(model.lp, integer, gap, clock.left_s())
        if not solved.has_solution or not add_broken_limits(model):
            return solved
        if clock.is_past():
            return replace(solved, status=FEASIBLE, has_solution=False, reason=f"time limit of {time_limit_s:g} s")


def solve(lp: pulp.LpProblem, integer: bool, gap: float | None = None, time_limit_s: float | None = None) -> Solved:
    """Solves the model with HiGHS through highspy. Raises SolverError where it fails outright.

    PuLP calls a run that hit its time limit "Optimal" (3.3.2), so the status is HiGHS's own.
    """
    import highspy

    solver = pulp.HiGHS(mip=integer, msg=False, gapRel=gap, threads=THREADS, timeLimit=time_limit_s)
    lp.solve(solver)
    highs = lp.solverModel
    status, info = highs.getModelStatus(), highs.getInfo()
    feasible = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    stopped = (highspy.HighsModelStatus.kTimeLimit, highspy.HighsModelStatus.kIterationLimit)
    if status == highspy.HighsModelStatus.kOptimal:
        reason = "optimal within the asked gap" if integer and gap else "optimal"
        result = Solved(OPTIMAL, reason, True, info.objective_function_value, info.mip_dual_bound if integer else None)
    elif status in stopped:
        result = Solved(
            FEASIBLE,
            f"time limit of {time_limit_s:g} s" if time_limit_s else "iteration limit",
            feasible,
            info.objective_function_value,
            info.mip_dual_bound if integer else None,
        )
    elif status == highspy.HighsModelStatus.kModelEmpty:
        result = Solved(OPTIMAL, "nothing to decide", True, 0.0, 0.0)
    else:
        raise SolverError(f"HiGHS ended with {highs.modelStatusToString(status)}")
    return result
