"""Planning a placement: a placer decides, the judge says what it costs, prices say how good it can be at most."""

import inspect
import time
from contextlib import nullcontext
from dataclasses import dataclass, replace

import numpy as np

from cdn.cold_start import shared_cold_start
from cdn.errors import UnknownNameError
from cdn.evaluation import Evaluation, evaluate, lower_bound
from cdn.model.placement import Certificate, Placement, PlacerResult
from cdn.model.problem import Problem
from cdn.placement import AUTO, PLACERS, choose_placer
from cdn.placement.robust import place_robustly


@dataclass(frozen=True, eq=False)
class PlannedPlacement:
    """A placement of a problem, as judged. ``relaxed``: the fractional placement it was rounded from, if any."""

    problem: Problem
    placement: Placement
    evaluation: Evaluation
    certificate: Certificate
    relaxed: Placement | None = None
    relaxed_cost: float | None = None


def plan_placement(
    problem: Problem, method: str, *, robust: str | None = None, seed: int = 0, **options
) -> PlannedPlacement:
    """Places with one of ``PLACERS`` (``AUTO``: the one that suits the size) and judges the result. Options a method
    does not know are not passed on. ``robust``: a rule of ``ROBUST`` with its value, such as ``scenarios:8``,
    drawn with ``seed``.

    Raises UnknownNameError for an unknown method, SolverError where a solver fails.
    """
    if method == AUTO:
        method = choose_placer(problem)
    if method not in PLACERS:
        raise UnknownNameError("placement method", method, [AUTO, *PLACERS])
    placer = PLACERS[method]
    known = inspect.signature(placer).parameters
    started = time.perf_counter()
    known_options = {name: value for name, value in options.items() if name in known and value is not None}
    with shared_cold_start(problem, known_options.get("progress")) if method == "decomposition" else nullcontext():
        if robust is None:
            result = placer(problem, **known_options)
        else:
            result = place_robustly(problem, placer, robust, seed, **known_options)
        seconds = time.perf_counter() - started
        evaluation = evaluate(problem, result.placement)
        certificate = _certificate(problem, method, result, evaluation, seconds)
    return PlannedPlacement(
        problem,
        result.placement,
        evaluation,
        certificate if robust is None else replace(certificate, robust=robust, seed=seed),
        result.relaxed,
        result.relaxed_cost,
    )


def _certificate(
    problem: Problem, method: str, result: PlacerResult, evaluation: Evaluation, seconds: float
) -> Certificate:
    bound = None if result.prices is None else lower_bound(problem, result.prices)
    best_bound = max((b for b in (bound, result.solver_bound) if b is not None), default=None)
    return Certificate(
        method=method,
        status=result.status,
        reason=result.reason,
        cost=evaluation.cost,
        delivery_cost=evaluation.delivery_cost,
        fill_cost=evaluation.fill_cost,
        lower_bound=bound,
        gap=None if best_bound is None else gap_of(evaluation.cost, best_bound),
        solver_bound=result.solver_bound,
        seconds=seconds,
        prices=result.prices,
    )


def gap_of(cost: float, bound: float) -> float:
    """(cost - bound) / cost, at least 0; 0 where nothing costs anything."""
    return max(cost - bound, 0.0) / cost if cost > 0 else 0.0


def without_fill_limits(problem: Problem) -> Problem:
    """The problem as if caches could be filled at once and for nothing: what clairvoyant placement is measured in."""
    free = np.zeros(problem.n_caches)
    return problem.replace(fill_bytes=np.full(problem.n_caches, np.inf), fill_cost_per_byte=free)


def without_seconds(certificate: Certificate) -> Certificate:
    """The certificate without its timing, so that the same night gives the same bytes."""
    return replace(certificate, seconds=None)
