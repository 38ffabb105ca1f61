"""``cdn verify``: recheck a plan folder from its files alone."""

import sys
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cdn.cli.options import PATH, json_option, print_result
from cdn.verification import Check, verify_folder


@click.command()
@click.argument("folder", type=PATH)
@json_option
def verify(folder: Path, as_json: bool) -> None:
    """Recompute cost, bound, gap and every limit of the plan in FOLDER from its files; exit code 1 if any fails."""
    checks = verify_folder(folder)
    failed = [check for check in checks if not check.holds]
    payload = {"holds": not failed, "checks": [{"name": c.name, "holds": c.holds, "detail": c.detail} for c in checks]}
    print_result(as_json, payload, lambda console: _show(console, checks, folder))
    if failed:
        sys.exit(1)


def _show(console: Console, checks: list[Check], folder: Path) -> None:
    table = Table(title=f"verification of {escape(str(folder))}")
    table.add_column("check")
    table.add_column("holds")
    table.add_column("found", overflow="fold")
    for check in checks:
        table.add_row(check.name, "yes" if check.holds else "[bold red]NO[/]", escape(check.detail))
    console.print(table)
