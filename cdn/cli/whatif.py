"""``cdn whatif``: scenarios on a run, before and after."""

from dataclasses import asdict
from pathlib import Path

import click
import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cdn.cli.options import PATH, json_option, print_result, quiet_option, stderr_console
from cdn.files.certificates import read_certificate
from cdn.files.plan_folders import read_folder_inputs, read_folder_placement
from cdn.files.schema import write_table
from cdn.placement import AUTO, PLACERS
from cdn.reports.cells import printable
from cdn.scenarios.comparing import Comparison, compare_scenarios
from cdn.scenarios.files import apply_checked, read_scenarios
from cdn.units import format_bytes, format_rate, format_share


@click.command()
@click.argument("scenarios_path", metavar="SCENARIOS", type=PATH)
@click.option("--run", "run_path", type=PATH, required=True, help="Run or plan folder the scenarios change.")
@click.option(
    "--method",
    type=click.Choice([AUTO, *sorted(PLACERS)]),
    default=None,
    help="How to place again  [default: as the run]",
)
@click.option("--out", "out_path", type=PATH, default=None, help="Also write the table (CSV or Parquet).")
@json_option
@quiet_option
def whatif(
    scenarios_path: Path, run_path: Path, method: str | None, out_path: Path | None, as_json: bool, quiet: bool
) -> None:
    """Change the run's network or demand, plan again, and compare before and after. A run that was placed by a robust
    rule is planned again by the same rule and seed."""
    inputs = read_folder_inputs(run_path)
    problem = inputs.build_problem()
    placement = read_folder_placement(run_path, problem)
    certificate, _ = read_certificate(run_path, problem)
    scenarios = read_scenarios(scenarios_path)
    problems = apply_checked(scenarios, problem, scenarios_path)
    named = [(scenario.name, changed) for scenario, changed in zip(scenarios, problems, strict=True)]
    with stderr_console(quiet).status("planning") as status:
        rows = compare_scenarios(
            problem,
            placement,
            named,
            method or certificate.method,
            robust=certificate.robust,
            seed=certificate.seed or 0,
            on_progress=lambda name: status.update(f"planning {escape(name)}"),
        )
    if out_path is not None:
        write_table(pd.DataFrame([asdict(row) for row in rows]), out_path)
    print_result(as_json, {"rows": [asdict(row) for row in rows]}, lambda console: _show(console, rows))


def _show(console: Console, rows: list[Comparison]) -> None:
    """One section per scenario, so that its name has a line of its own."""
    table = Table(title="what if")
    table.add_column("scenario", max_width=26)
    for heading in ("cost", "change", "offload", "origin bytes", "origin peak", "fill"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("fits")
    base, scenario = rows[0].cost, None
    for row in rows:
        if row.scenario != scenario:
            scenario = row.scenario
            table.add_section()
            table.add_row(f"[bold]{escape(printable(scenario))}[/]")
        change = "" if row is rows[0] or not base else f"{100 * (row.cost / base - 1):+.1f} %"
        table.add_row(
            f"  {row.plan}",
            f"{row.cost:.6g}",
            change,
            format_share(row.offload),
            format_bytes(row.origin_bytes),
            format_rate(row.origin_peak_bps),
            format_bytes(row.filled_bytes),
            "yes" if row.fits else "[bold red]no[/]",
        )
    console.print(table)
