"""Before and after: the run as it is, the scenario with the run's placement left alone, the scenario planned again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from cdn.evaluation import Evaluation, evaluate
from cdn.model.placement import Placement
from cdn.model.problem import Problem
from cdn.model.site_assets import SiteAssets
from cdn.planning import plan_placement


@dataclass(frozen=True)
class Comparison:
    """One row: ``cost`` includes the fill; ``origin_peak_bps`` in the busiest hour; ``gap`` None without a bound;
    ``fits`` False where a limit is broken (the run's old placement in a changed network may not fit)."""

    scenario: str
    plan: str
    cost: float
    delivery_cost: float
    offload: float
    request_hit_ratio: float
    origin_bytes: float
    origin_peak_bps: float
    filled_bytes: float
    gap: float | None
    fits: bool


BASE, LEFT_ALONE, REPLANNED = "run", "left alone", "planned again"


def compare_scenarios(
    base: Problem,
    placement: Placement,
    named: Sequence[tuple[str, Problem]],
    method: str,
    on_progress: Callable[[str], None] = lambda name: None,
    **options,
) -> list[Comparison]:
    """Rows: the run first, then for each scenario the run's placement left alone and the re-planned one."""
    rows = [_row(BASE, "as planned", evaluate(base, placement), None)]
    for name, problem in named:
        on_progress(name)
        kept = Placement(_what_is_left(placement.stored, problem))
        rows.append(_row(name, LEFT_ALONE, evaluate(problem, kept), None))
        planned = plan_placement(problem, method, **options)
        rows.append(_row(name, REPLANNED, planned.evaluation, planned.certificate.gap))
    return rows


def _what_is_left(stored: SiteAssets, problem: Problem) -> SiteAssets:
    """The old pairs at sites that still serve anybody; assets added since are nowhere."""
    alive = np.isfinite(problem.cost_per_byte[:-1]).any(axis=1)
    kept = alive[stored.site]
    return SiteAssets.from_pairs(stored.site[kept], stored.asset[kept], len(problem.asset_index))


def _row(scenario: str, plan: str, found: Evaluation, gap: float | None) -> Comparison:
    return Comparison(
        scenario,
        plan,
        found.cost,
        found.delivery_cost,
        found.offload,
        found.request_hit_ratio,
        float(found.served_bytes[-1]),
        float(found.egress_bps[:, -1].max(initial=0.0)),
        float(found.filled_bytes.sum()),
        gap,
        not found.violations,
    )
