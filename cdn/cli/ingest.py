"""``cdn ingest``: raw logs into the log store."""

from pathlib import Path

import click
import pandas as pd
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cdn.cli.options import (
    PATH,
    FiniteRange,
    json_option,
    out_option,
    print_result,
    quiet_option,
    stderr_console,
    sweeping_option,
    sweeping_words,
)
from cdn.files.catalogs import read_catalog
from cdn.files.topologies import read_topology
from cdn.logs.ingestion import Ingestion
from cdn.logs.ingestion import ingest as ingest_logs
from cdn.logs.quarantine import DEFAULT_BAD_SHARE, check_quarantine_path, write_quarantine
from cdn.logs.readers import READERS
from cdn.units import format_share


@click.command()
@click.argument("logs", nargs=-1, required=True, type=PATH)
@click.option("--format", "format_name", type=click.Choice(sorted(READERS)), default="request_log", show_default=True,
              help="Format of the logs.")
@out_option
@click.option("--topology", "topology_path", type=PATH, default=None,
              help="Quarantine rows of regions it does not have.")
@click.option("--catalog", "catalog_path", type=PATH, default=None,
              help="Quarantine rows of assets it does not have.")
@click.option("--quarantine", "quarantine_path", type=PATH, default=None,
              help="Write the bad rows here (CSV or Parquet).")
@click.option("--drop-duplicates", is_flag=True, help="Leave out rows that repeat an earlier row in every column.")
@click.option("--replace", "replace_days", is_flag=True, help="Write days anew that the store already has.")
@click.option("--bad-share", type=FiniteRange(0, 1), default=DEFAULT_BAD_SHARE, show_default=True,
              help="Refuse the logs where a larger share of the rows is bad.")
@sweeping_option
@click.option("--exclude-sweeping", is_flag=True, help="Leave out the requests of sweeping clients.")
@json_option
@quiet_option
def ingest(logs: tuple[Path, ...], format_name: str, out_path: Path, topology_path: Path | None,
           catalog_path: Path | None, quarantine_path: Path | None, drop_duplicates: bool, replace_days: bool,
           bad_share: float, sweeping_assets: int, exclude_sweeping: bool, as_json: bool, quiet: bool) -> None:
    """Write LOGS (files or folders of Parquet files) into a log store: one Parquet file per UTC day, in time order."""
    if quarantine_path:
        check_quarantine_path(quarantine_path)
    with stderr_console(quiet).status(f"reading {len(logs)} log(s)"):
        result = ingest_logs(
            logs, out_path, format_name=format_name,
            region_index=read_topology(topology_path).region_index if topology_path else None,
            asset_index=read_catalog(catalog_path).asset_index if catalog_path else None,
            bad_share=bad_share, drop_duplicates=drop_duplicates, replace_days=replace_days,
            sweeping_assets=sweeping_assets, exclude_sweeping=exclude_sweeping)
        if quarantine_path:
            write_quarantine(result.quarantine, quarantine_path)
    days = {f"{pd.Timestamp(0) + pd.Timedelta(days=day):%Y-%m-%d}": n for day, n in result.requests_of_day.items()}
    payload = {"store": str(out_path), "requests_of_day": days, "requests": sum(days.values()),
               **result.quarantine.summary(),
               "sweeping": result.sweeping.summary() | {"left_out": result.sweeping_left_out}}
    print_result(as_json, payload, lambda console: _show(console, result, days))


def _show(console: Console, result: Ingestion, days: dict[str, int]) -> None:
    table = Table("day", "requests")
    table.columns[1].justify = "right"
    for day, requests in days.items():
        table.add_row(day, f"{requests:,}")
    console.print(table)
    quarantine = result.quarantine
    share = format_share(quarantine.bad_share)
    console.print(f"{quarantine.rows_read:,} rows read, {quarantine.bad_rows:,} bad ({share})")
    for reason, n in quarantine.counts.items():
        console.print(Text(f"  {n:,} {reason}"))
    fate = "left out" if quarantine.duplicates_dropped else "kept"
    console.print(f"{quarantine.duplicates:,} exact duplicates, {fate}")
    console.print(sweeping_words(result.sweeping, result.sweeping_left_out))
    for fault in list(quarantine.faults())[:5]:
        console.print(Text(str(fault)), soft_wrap=True)
