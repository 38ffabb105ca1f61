"""``cdn check``: every fault of the input files."""

import math
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cdn.checking.files import check_files
from cdn.checking.findings import CheckedFile, CheckReport
from cdn.cli.options import PATH, json_option, print_result, quiet_option, stderr_console
from cdn.errors import Fault
from cdn.reports.cells import printable
from cdn.units import format_bytes

_COUNTS = ("rows", "regions", "sites", "assets", "bytes", "days")


@click.command()
@click.argument("files", type=PATH, nargs=-1)
@click.option("--topology", "topology_path", type=PATH, help="Topology of the ids.  [default: the one among FILES]")
@click.option("--catalog", "catalog_path", type=PATH, help="Catalog of the ids.  [default: the one among FILES]")
@json_option
@quiet_option
def check(files: tuple[Path, ...], topology_path: Path | None, catalog_path: Path | None, as_json: bool,
          quiet: bool) -> None:
    """Check topologies, catalogs, request logs, demand, what is stored, placements and fill plans.

    Prints every fault as FILE:ROW:COLUMN: got X, expected Y and exits with 1; without any, what each file holds.
    """
    if not files and topology_path is None and catalog_path is None:
        raise click.UsageError("name at least one file")
    report = check_files(files, topology_path, catalog_path)
    print_result(as_json, _payload(report), lambda console: _show(console, report))
    for note in report.notes:
        stderr_console(quiet).print(Text(f"note: {printable(note)}"), soft_wrap=True)
    if report.faults:
        stderr_console(quiet).print(f"{len(report.faults)} faults in {sum(bool(f.faults) for f in report.files)} files")
        raise click.exceptions.Exit(1)


def _show(console: Console, report: CheckReport) -> None:
    if report.faults:
        for fault in report.faults:
            click.echo(printable(str(fault)))
        return
    table = Table("file", "kind", *_COUNTS, box=None)
    table.columns[0].overflow = "fold"
    for column in table.columns[2:]:
        column.justify = "right"
    for file in report.files:
        table.add_row(Text(printable(file.file)), file.kind, *(_shown(file, name) for name in _COUNTS))
    console.print(table)


def _shown(file: CheckedFile, name: str) -> str:
    count = getattr(file, name)
    if count is None:
        return ""
    return format_bytes(count) if name == "bytes" else f"{count:,}"


def _payload(report: CheckReport) -> dict[str, Any]:
    files = [{"file": file.file, "kind": file.kind, "faults": len(file.faults)}
             | {name: getattr(file, name) for name in _COUNTS} for file in report.files]
    return {"files": files, "faults": [_fault_record(fault) for fault in report.faults], "notes": list(report.notes)}


def _fault_record(fault: Fault) -> dict[str, Any]:
    value = fault.value
    plain = value is None or isinstance(value, str | bool | int) or (isinstance(value, float) and math.isfinite(value))
    return {"file": fault.file, "row": fault.row, "column": fault.column, "value": value if plain else str(value),
            "expected": fault.expected}
