"""Verification: recomputes cost, bound, gap and every limit of a plan folder from its files alone.

Uses readers and the judge only; no placer, no fill planner. What is stated may differ from what is recomputed by 1e-9
of the cost, far more than float64 sums of the sizes met here lose from one machine to another. The recomputed bound
itself needs no tolerance: all its roundings go down (``evaluation.bound``). Digests are compared to the byte.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cdn.evaluation import Evaluation, evaluate, lower_bound
from cdn.files.certificates import read_certificate
from cdn.files.contents import read_stored_now
from cdn.files.fill_plans import read_fill_plan
from cdn.files.plan_folders import (
    FILL_PLAN_FILE,
    STORED_AFTER_FILE,
    PlanInputs,
    read_folder_inputs,
    read_folder_placement,
)
from cdn.files.writing import digest_of
from cdn.filling import check_fill_plan
from cdn.model.placement import Certificate, Placement
from cdn.model.problem import Problem

RELATIVE_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Check:
    """One thing that was checked: did it hold, and what was found."""

    name: str
    holds: bool
    detail: str


def verify_folder(folder: Path) -> list[Check]:
    """Checks a plan folder. Raises DataError where a file cannot be read at all."""
    inputs = read_folder_inputs(folder)
    problem = inputs.build_problem()
    placement = read_folder_placement(folder, problem)
    certificate, digests = read_certificate(folder, problem)
    found = evaluate(problem, placement)
    checks = [
        _check_digests(folder, digests),
        *_check_limits(found),
        *_check_cost(found, certificate),
        *_check_bound(problem, certificate),
    ]
    if (folder / FILL_PLAN_FILE).is_file():
        checks.append(_check_fill_plan(folder, inputs, placement))
    return checks


def _check_digests(folder: Path, digests: dict[str, str]) -> Check:
    changed = [
        name
        for name, digest in sorted(digests.items())
        if not (folder / name).is_file() or digest_of(folder / name) != digest
    ]
    return Check(
        "digests",
        not changed,
        f"changed or missing: {', '.join(changed)}" if changed else f"{len(digests)} files unchanged",
    )


def _check_limits(found: Evaluation) -> Iterator[Check]:
    for limit in ("storage", "fill", "egress", "link", "pinned", "excluded", "serve_once", "serve_stored", "may_serve"):
        broken = [violation for violation in found.violations if violation.limit == limit]
        yield Check(limit, not broken, "; ".join(str(violation) for violation in broken[:3]) if broken else "kept")


def _check_cost(found: Evaluation, certificate: Certificate) -> Iterator[Check]:
    for name, stated, recomputed in (
        ("delivery cost", certificate.delivery_cost, found.delivery_cost),
        ("fill cost", certificate.fill_cost, found.fill_cost),
        ("cost", certificate.cost, found.cost),
    ):
        yield Check(name, _agree(stated, recomputed, found.cost), f"stated {stated:.9g}, recomputed {recomputed:.9g}")


def _check_bound(problem: Problem, certificate: Certificate) -> Iterator[Check]:
    if certificate.prices is None or certificate.lower_bound is None:
        yield Check("lower bound", certificate.lower_bound is None and certificate.prices is None, "none claimed")
        return
    recomputed = lower_bound(problem, certificate.prices)
    branching = certificate.prices.branching
    by_cases = f" ({len(branching)} assets case by case)" if branching is not None else ""
    yield Check(
        "lower bound",
        certificate.lower_bound <= recomputed + RELATIVE_TOLERANCE * abs(certificate.cost),
        f"stated {certificate.lower_bound:.9g}, the prices prove {recomputed:.9g}{by_cases}",
    )
    bound = max(certificate.lower_bound, certificate.solver_bound or certificate.lower_bound)
    gap = max(certificate.cost - bound, 0.0) / certificate.cost if certificate.cost > 0 else 0.0
    proved = max(certificate.cost - recomputed, 0.0) / certificate.cost if certificate.cost > 0 else 0.0
    yield Check(
        "gap",
        certificate.gap is not None and abs(certificate.gap - gap) <= RELATIVE_TOLERANCE,
        f"stated {100 * (certificate.gap or 0.0):.4f} %, proved by prices {100 * proved:.4f} %",
    )


def _check_fill_plan(folder: Path, inputs: PlanInputs, placement: Placement) -> Check:
    topology = inputs.planned_topology
    plan = read_fill_plan(folder / FILL_PLAN_FILE, topology, inputs.catalog)
    after_path = folder / STORED_AFTER_FILE
    after = read_stored_now(after_path, topology, inputs.catalog.asset_index) if after_path.is_file() else None
    faults = check_fill_plan(topology, inputs.catalog, inputs.stored_now, placement.stored, plan, inputs.day, after)
    found = "; ".join(str(fault) for fault in faults[:3]) if faults else f"{len(plan)} steps hold"
    return Check("fill plan", not faults, found)


def _agree(stated: float, recomputed: float, scale: float) -> bool:
    return abs(stated - recomputed) <= RELATIVE_TOLERANCE * max(abs(scale), abs(stated))
