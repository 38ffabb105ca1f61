"""``cdn place``: a placement with its certificate."""

from pathlib import Path
from typing import Any

import click
import pandas as pd
from rich.table import Table

from cdn.cli.options import (
    DayParam,
    FiniteRange,
    RobustParam,
    catalog_option,
    demand_option,
    json_option,
    out_option,
    print_result,
    quiet_option,
    stderr_console,
    stored_option,
    topology_option,
)
from cdn.files.certificates import read_start_prices
from cdn.files.plan_folders import read_plan_inputs, write_plan_folder
from cdn.files.writing import staged_folder
from cdn.model.problem import Problem
from cdn.placement import AUTO, PLACERS
from cdn.planning import PlannedPlacement, plan_placement
from cdn.units import format_bytes, format_share


@click.command()
@topology_option
@catalog_option
@demand_option
@click.option(
    "--method", type=click.Choice([AUTO, *sorted(PLACERS)]), default=AUTO, show_default=True, help="How to place."
)
@stored_option
@click.option("--day", type=DayParam(), default=None, help="Day planned for: licences are checked against it.")
@click.option(
    "--gap",
    type=FiniteRange(0, 1),
    default=None,
    help="Certified gap that is good enough: decomposition and mip (0.005 unless given) stop there.",
)
@click.option("--time-limit-s", type=FiniteRange(0, min_open=True), default=None, help="Time limit of each solve.")
@click.option("--threads", type=click.IntRange(1), default=None, help="Threads of decomposition  [default: all]")
@click.option(
    "--start-prices",
    "start_path",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=None,
    help="Folder of an earlier plan whose prices decomposition starts from: last night's.",
)
@click.option(
    "--pinned-share",
    type=FiniteRange(0, 1),
    default=1.0,
    show_default=True,
    help="Share of each cache's storage to plan; the rest is left to a reactive policy.",
)
@click.option(
    "--fill-days",
    type=FiniteRange(1),
    default=1.0,
    show_default=True,
    help="Days a filled copy is expected to serve: its fill cost is spread over them.",
)
@click.option(
    "--robust",
    type=RobustParam(),
    default=None,
    help="Place for more than the expected demand: peaks:Q, quantile:Q or scenarios:N. [default: what is expected]",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the scenarios.")
@out_option
@json_option
@quiet_option
def place(
    topology_path: Path,
    catalog_path: Path,
    demand_path: Path,
    method: str,
    stored_path: Path | None,
    day: pd.Timestamp | None,
    gap: float | None,
    time_limit_s: float | None,
    threads: int | None,
    start_path: Path | None,
    pinned_share: float,
    fill_days: float,
    robust: str | None,
    seed: int,
    out_path: Path,
    as_json: bool,
    quiet: bool,
) -> None:
    """Decide which site stores which assets; writes placement, certificate and the inputs into a folder."""
    inputs = read_plan_inputs(topology_path, catalog_path, demand_path, stored_path, day, pinned_share, fill_days)
    problem = inputs.build_problem()
    start_prices = None if start_path is None else read_start_prices(start_path, problem)
    what = f"placing {len(problem.asset_index)} assets with {method}"
    with stderr_console(quiet).status(what) as status:
        options: dict[str, Any] = {"gap": gap, "time_limit_s": time_limit_s, "threads": threads}
        options |= {"start_prices": start_prices, "robust": robust, "seed": seed}
        planned = plan_placement(problem, method, progress=lambda step: status.update(f"{what}: {step}"), **options)
    with staged_folder(out_path) as folder:
        write_plan_folder(folder, inputs, problem, planned.placement, planned.certificate)
    print_result(as_json, placement_payload(planned), lambda console: console.print(_table(planned)))


def placement_payload(planned: PlannedPlacement) -> dict:
    """What a machine wants to know of a placement."""
    certificate, evaluation = planned.certificate, planned.evaluation
    return certificate.figures | {
        "offload": evaluation.offload,
        "request_hit_ratio": evaluation.request_hit_ratio,
        "stored_pairs": len(planned.placement.stored),
        "violations": [str(violation) for violation in evaluation.violations],
    }


def _table(planned: PlannedPlacement) -> Table:
    certificate, evaluation, problem = planned.certificate, planned.evaluation, planned.problem
    bound = "no bound" if certificate.gap is None else f"gap {100 * certificate.gap:.3f} %"
    table = Table(
        title=f"{certificate.method}: cost {certificate.cost:.6g}, {bound}, offload {format_share(evaluation.offload)}",
        caption=f"{certificate.status}: {certificate.reason} ({certificate.seconds:.1f} s)",
    )
    for heading in ("site", "assets", "stored", "storage", "used", "newly filled", "serves"):
        table.add_column(heading, justify="left" if heading == "site" else "right")
    for row in _site_rows(problem, planned):
        table.add_row(*row)
    return table


def _site_rows(problem: Problem, planned: PlannedPlacement):
    evaluation = planned.evaluation
    for s in range(problem.n_caches):
        storage = problem.storage_bytes[s]
        used = evaluation.stored_bytes[s] / storage if storage else 0.0
        yield (
            problem.site_index.id_of(s).replace("[", r"\["),
            str(int((planned.placement.stored.site == s).sum())),
            format_bytes(evaluation.stored_bytes[s]),
            format_bytes(storage),
            format_share(used),
            format_bytes(evaluation.filled_bytes[s]),
            format_bytes(evaluation.served_bytes[s]),
        )
