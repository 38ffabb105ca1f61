"""``cdn nightly``: the whole night in one command."""

import sys
from pathlib import Path

import click
import pandas as pd
from rich.markup import escape

from cdn.cli.options import PATH, DayParam, json_option, print_result, quiet_option, stderr_console
from cdn.errors import ShortfallError
from cdn.nightly import read_config, run_night
from cdn.reports import print_report


@click.command()
@click.argument("config_path", metavar="CONFIG", type=PATH)
@click.option("--day", type=DayParam(), default=None, help="UTC day planned for  [default: as configured]")
@click.option("--strict", is_flag=True, help="Exit code 3 where something asked for did not fit.")
@json_option
@quiet_option
def nightly(config_path: Path, day: pd.Timestamp | None, strict: bool, as_json: bool, quiet: bool) -> None:
    """Forecast, place, plan the fill and replay one night into runs/DATE, and print its report."""
    console = stderr_console(quiet)
    with console.status("starting") as status:
        def on_stage(name: str) -> None:
            status.update(escape(name))
            if not sys.stderr.isatty():
                console.print(escape(name))

        run, summary = run_night(read_config(config_path), day, on_stage)
    print_result(as_json, {"run": str(run)} | summary, lambda out: print_report(out, run))
    if strict and (summary["deferred"]["pairs"] or summary["placement"]["violations"]):
        raise ShortfallError(f"{summary['deferred']['pairs']} assets did not fit tonight; the run is in {run}")
