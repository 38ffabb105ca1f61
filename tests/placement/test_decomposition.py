"""The decomposition by certificate: never above the optimum, always feasible, the same for any threads and order."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from instances import random_problem

from cdn.evaluation import evaluate, lower_bound
from cdn.placement.decomposition import place_decomposition
from cdn.planning import plan_placement


def check(problem, result, optimum=None) -> float:
    """Feasible, and no bound above its cost or the optimum. Returns the cost."""
    evaluation = evaluate(problem, result.placement)
    assert not evaluation.violations
    proved = lower_bound(problem, result.prices)
    ceiling = evaluation.cost if optimum is None else min(optimum, evaluation.cost)
    for bound in (proved, result.solver_bound):
        assert bound <= ceiling * (1 + 1e-9) + 1e-9
    return evaluation.cost


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_the_bound_never_exceeds_the_optimum(seed, limits):
    rng = np.random.default_rng(seed)
    problem = random_problem(rng, limits=limits)
    optimum = plan_placement(problem, "mip", gap=0.0, time_limit_s=60.0).evaluation.cost
    check(problem, place_decomposition(problem, gap=0.0), optimum)
