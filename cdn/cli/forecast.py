"""``cdn forecast``: the demand of a day from the days before it."""

import json
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cdn.cli.options import (
    PATH,
    DayParam,
    FiniteRange,
    catalog_option,
    json_option,
    out_option,
    print_result,
    quiet_option,
    stderr_console,
    sweeping_option,
    topology_option,
)
from cdn.files.catalogs import read_catalog
from cdn.files.demands import write_demand
from cdn.files.topologies import read_topology
from cdn.files.writing import write_json
from cdn.forecasting.demand_forecast import day_number
from cdn.forecasting.demand_forecast import forecast as forecast_demand
from cdn.forecasting.events import read_calendar
from cdn.forecasting.forecasters import FORECASTERS, check_follows_calendar
from cdn.forecasting.history import HISTORY_DAYS
from cdn.forecasting.knowledge import knowledge_of
from cdn.forecasting.levels import LEVELS
from cdn.forecasting.log_history import read_history
from cdn.forecasting.records import forecast_record, record_path
from cdn.logs.quarantine import DEFAULT_BAD_SHARE, check_quarantine_path, write_quarantine
from cdn.model.demand import Demand
from cdn.units import format_bytes, format_rate

TOP_ASSETS = 5


class ParameterParam(click.ParamType):
    """``name=value``, the value a number, true, false or null."""

    name = "name=value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Any]:
        name, found, text = str(value).partition("=")
        try:
            parsed = json.loads(text)
        except ValueError:
            parsed = text
        if not found or not (parsed is None or isinstance(parsed, (bool, int, float))):
            self.fail(f"{value!r} is not name=value with a number, true, false or null", param, ctx)
        return name, parsed


@click.command()
@click.option("--log", "log_paths", type=PATH, required=True, multiple=True,
              help="Log store or request log; repeatable.")
@topology_option
@catalog_option
@click.option("--day", type=DayParam(), required=True, help="UTC day to forecast; only days before it are used.")
@click.option("--method", type=click.Choice(list(FORECASTERS)), default="ensemble", show_default=True)
@click.option("--level", type=click.Choice(list(LEVELS)), default="file", show_default=True,
              help="Forecast every file from its own requests, or titles, split over their files by the region's mix.")
@click.option("--parameter", "parameters", type=ParameterParam(), multiple=True,
              help="Parameter of the method, such as half_life_days=7; repeatable.")
@click.option("--calendar", "calendar_path", type=PATH, default=None,
              help="Holidays and promotions known in advance (CSV or Parquet: date, kind, ...).")
@click.option("--history-days", type=click.IntRange(min=1), default=HISTORY_DAYS, show_default=True,
              help="How many days back the history goes.")
@click.option("--exclude-sweeping", is_flag=True, help="Leave out the requests of sweeping clients.")
@sweeping_option
@click.option("--drop-duplicates", is_flag=True, help="Leave out rows that repeat an earlier row in every column.")
@click.option("--bad-share", type=FiniteRange(0, 1), default=DEFAULT_BAD_SHARE, show_default=True,
              help="Refuse the log where a larger share of the rows is bad.")
@click.option("--quarantine", "quarantine_path", type=PATH, default=None,
              help="Write the bad rows here (CSV or Parquet).")
@out_option
@json_option
@quiet_option
def forecast(log_paths: tuple[Path, ...], topology_path: Path, catalog_path: Path, day: pd.Timestamp, method: str,
             level: str, parameters: tuple[tuple[str, Any], ...], calendar_path: Path | None, history_days: int,
             exclude_sweeping: bool, sweeping_assets: int, drop_duplicates: bool, bad_share: float,
             quarantine_path: Path | None, out_path: Path, as_json: bool, quiet: bool) -> None:
    """Forecast what every region will ask for on a UTC day."""
    if quarantine_path:
        check_quarantine_path(quarantine_path)
    if calendar_path:
        check_follows_calendar(method)
    with stderr_console(quiet).status("forecasting"):
        catalog, topology = read_catalog(catalog_path), read_topology(topology_path)
        history, quarantine = read_history(
            log_paths, topology.region_index, catalog.asset_index, day_number(day),
            n_days=history_days, bad_share=bad_share, drop_duplicates=drop_duplicates,
            sweeping_assets=sweeping_assets if exclude_sweeping else None)
        calendar = read_calendar(calendar_path, topology.region_index, catalog.asset_index) if calendar_path else None
        knowledge = knowledge_of(catalog, topology, calendar)
        demand = forecast_demand(history, day, method, catalog, knowledge, level=level, **dict(parameters))
        if quarantine_path:
            write_quarantine(quarantine, quarantine_path)
        write_demand(demand, out_path)
        inputs = {"log": log_paths, "topology": [topology_path], "catalog": [catalog_path],
                  "calendar": [calendar_path] if calendar_path else []}
        record = forecast_record(history, day, method, dict(parameters), inputs, level)
        write_json(record_path(out_path), record)
    payload = {"demand": str(out_path), "day": f"{day:%Y-%m-%d}", "method": method, "level": level,
               "parameters": dict(parameters),
               **{name: record["history"][name] for name in ("days_observed", "days_missing", "days_thin")},
               **_figures(demand), "log": quarantine.summary()}
    print_result(as_json, payload, lambda console: _show(console, demand, payload))


def _figures(demand: Demand) -> dict[str, Any]:
    by_asset = np.bincount(demand.asset, demand.bytes, len(demand.asset_index))
    top = np.argsort(-by_asset, kind="stable")[:TOP_ASSETS]
    peak_of_region = np.bincount(demand.region, demand.peak_bps, len(demand.region_index))
    return {
        "regions": len(np.unique(demand.region)),
        "entries": len(demand),
        "requests": float(demand.requests.sum()),
        "bytes": demand.total_bytes,
        "peak_bps": float((demand.hour_factor @ peak_of_region).max()),
        "top_assets": [{"asset_id": demand.asset_index.id_of(a), "bytes": float(by_asset[a])}
                       for a in top if by_asset[a]],
    }


def _show(console: Console, demand: Demand, figures: dict[str, Any]) -> None:
    console.print(f"{figures['method']} for {figures['day']} from {figures['days_observed']} day(s), "
                  f"{figures['days_missing']} missing, {figures['days_thin']} cut short and left out")
    table = Table("regions", "entries", "requests", "bytes", "peak")
    table.add_row(f"{figures['regions']:,} of {len(demand.region_index):,}", f"{figures['entries']:,}",
                  f"{figures['requests']:,.0f}", format_bytes(figures["bytes"]), format_rate(figures["peak_bps"]))
    console.print(table)
    top = Table("top assets", "bytes", "share")
    for asset in figures["top_assets"]:
        top.add_row(Text(asset["asset_id"]), format_bytes(asset["bytes"]), f"{asset['bytes'] / figures['bytes']:.1%}")
    console.print(top)
    log = figures["log"]
    console.print(f"{log['rows_read']:,} rows read, {log['bad_rows']:,} bad, {log['duplicates']:,} exact duplicates")
