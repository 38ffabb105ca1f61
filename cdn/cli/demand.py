"""``cdn demand generate``: draws a sample catalog and request logs."""

from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cdn.cli.options import PATH, json_option, out_option, print_result, quiet_option, stderr_console
from cdn.generator.sample_files import SampleSummary, generate_sample
from cdn.units import format_bytes


@click.group()
def demand() -> None:
    """Make sample demand."""


@demand.command()
@click.argument("parameters", type=PATH)
@out_option
@click.option("--seed", type=click.IntRange(min=0), default=None, help="Seed; without it the parameter file's.")
@json_option
@quiet_option
def generate(parameters: Path, out_path: Path, seed: int | None, as_json: bool, quiet: bool) -> None:
    """Draw a catalog and days of requests from PARAMETERS (TOML), calibrated to figures measured on real logs.

    Writes catalog.csv, history/requests-YYYY-MM-DD.parquet for each day (the last days in held_out/ where the
    parameters say so), stored_now.csv, calibration.json and, where the regions are made up, topology.toml. An
    earlier sample there is replaced. The same parameters and seed give the same bytes.
    """
    progress = stderr_console(quiet)
    summary = generate_sample(parameters, out_path, seed, lambda day: progress.print(f"drew {day}"))
    payload = asdict(summary) | {"out": str(summary.out)}
    print_result(as_json, payload, lambda console: _show(summary, console))


def _show(summary: SampleSummary, console: Console) -> None:
    console.print(f"{escape(str(summary.out))}: {summary.assets:,} assets ({format_bytes(summary.footprint_bytes)}), "
                  f"{summary.regions:,} regions, {summary.days:,} days, {summary.requests:,} requests "
                  f"({format_bytes(summary.bytes)}), seed {summary.seed}")
    table = Table("figure", "measured", "on real data", "range", "")
    for name, row in summary.figures.items():
        measured = "log too short" if row["measured"] is None else f"{row['measured']:.3f}"
        verdict = {True: "within", False: "[bold]outside[/bold]", None: ""}[row["holds"]]
        table.add_row(name, measured, f"{row['target']:g}", f"{row['low']:g} to {row['high']:g}", verdict)
    console.print(table)
