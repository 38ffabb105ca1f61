"""Who serves what when egress or links bind: the model again, with what is stored fixed."""

import numpy as np

from cdn.model.placement import Routing
from cdn.model.problem import Problem
from cdn.placement.candidates import Candidates, limits_may_bind
from cdn.placement.core import restrict
from cdn.placement.model import build_model, read_placement
from cdn.placement.solving import solve_within_limits


def route_within_limits(problem: Problem, candidates: Candidates, held: np.ndarray) -> Routing | None:
    """The cheapest shares of demand that keep every egress and link limit, the held pairs (P,) being stored; None
    where no limit could bind even with everything stored everywhere, so that the cheapest routing needs no words.

    Always has a solution: what no cache can take goes to the origin. Raises SolverError where HiGHS fails.
    """
    if not limits_may_bind(problem):
        return None
    model = build_model(problem, restrict(candidates, held, held), binary=False)
    solve_within_limits(model, integer=False)
    return read_placement(model, with_routing=True).routing
