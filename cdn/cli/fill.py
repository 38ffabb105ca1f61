"""``cdn fill``: the fill plan of one night."""

from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

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
    stored_option,
    topology_option,
)
from cdn.errors import DataError, ShortfallError
from cdn.files.catalogs import read_catalog
from cdn.files.contents import read_placement, read_stored_now, write_stored_now
from cdn.files.demands import read_demand
from cdn.files.fill_plans import write_fill_plan
from cdn.files.topologies import read_topology
from cdn.filling import REASONS, ApplianceFill, FillResult, appliance_fills, first_day_to_plan, plan_fill
from cdn.model.catalog import Catalog
from cdn.model.demand import Demand
from cdn.model.fill_plan import StoredNow
from cdn.model.network import Network
from cdn.model.placement import Placement
from cdn.model.problem import build_problem
from cdn.model.topology import Topology
from cdn.units import format_bytes

_SHOWN = 10


@click.command()
@topology_option
@catalog_option
@stored_option
@click.option("--placement", "placement_path", type=PATH, required=True,
              help="What the sites shall store (CSV or Parquet).")
@click.option("--demand", "demand_path", type=PATH, default=None,
              help="Demand that says what each file is worth; without it small files are filled first.")
@click.option("--day", type=DayParam(), default=None,
              help="UTC day the fill prepares: its night ends before the day begins. Default: the first day whose fill "
                   "windows are all still to come.")
@click.option("--pinned-share", type=FiniteRange(0, 1), default=1.0, show_default=True,
              help="Share of each appliance's storage the plan may use; the rest is left to a reactive policy.")
@out_option
@click.option("--stored-after", "stored_after_path", type=PATH, default=None,
              help="Where to write what the appliances store when the plan is done.")
@click.option("--strict", is_flag=True, help="Exit code 3 where something did not fit.")
@json_option
@quiet_option
def fill(topology_path: Path, catalog_path: Path, stored_path: Path | None, placement_path: Path,
         demand_path: Path | None, day: pd.Timestamp | None, pinned_share: float, out_path: Path,
         stored_after_path: Path | None, strict: bool, as_json: bool, quiet: bool) -> None:
    """Plan which appliance removes and adds which files tonight, when and from where."""
    topology = read_topology(topology_path).with_storage_share(pinned_share)
    catalog = read_catalog(catalog_path)
    network = Network(topology)
    stored = read_stored_now(stored_path, topology, catalog.asset_index) if stored_path else StoredNow.nothing()
    wanted = Placement(read_placement(placement_path, topology.site_index, catalog.asset_index))
    demand = _demand(demand_path, topology, catalog)
    night = first_day_to_plan(topology, pd.Timestamp.now("UTC").tz_localize(None)) if day is None else day
    try:
        problem = build_problem(network, catalog, demand, stored, night)
    except (ValueError, KeyError) as error:
        raise DataError.of_file(catalog_path, f"rules that can be kept ({error})") from error
    stderr_console(quiet).print(f"planning the night that prepares {night.date()} (UTC)")
    result = plan_fill(problem, network, catalog, stored, wanted, night)
    write_fill_plan(result.plan, topology, catalog, out_path)
    if stored_after_path:
        write_stored_now(result.stored_after, topology, catalog.asset_index, stored_after_path)
    payload = _payload(result, topology, catalog, night)
    print_result(as_json, payload, lambda console: _show(console, payload))
    if strict and not result.complete:
        raise ShortfallError(f"{len(result.deferred)} files of the placement do not fit this night (plan written)")


def _demand(path: Path | None, topology: Topology, catalog: Catalog) -> Demand:
    if path is not None:
        return read_demand(path, topology.region_index, catalog.asset_index)
    none = np.zeros(0)
    return Demand.from_entries(topology.region_index, catalog.asset_index, none, none, none, none)


def _payload(result: FillResult, topology: Topology, catalog: Catalog, night: pd.Timestamp) -> dict[str, Any]:
    size, deferred = catalog.size_bytes, result.deferred
    fills = [_appliance(row, topology) for row in appliance_fills(result, size)]
    return {
        "day": str(night.date()),
        "steps": len(result.plan),
        "complete": result.complete,
        "appliances": fills,
        **{name: sum(row[name] for row in fills) for name in ("removals", "removed_bytes", "additions", "added_bytes",
                                                              "kept", "kept_bytes")},
        "not_fitting_count": len(deferred),
        "not_fitting_bytes": int(size[deferred.asset].sum()),
        "not_fitting_saving": float(deferred.saving.sum()),
        "not_fitting_reasons": deferred.counts(),
        "not_fitting": [
            {"site_id": topology.sites[site].id, "asset_id": catalog.asset_index.id_of(asset),
             "bytes": int(size[asset]), "saving": saving, "reason": REASONS[reason]}
            for site, asset, saving, reason in zip(deferred.site.tolist(), deferred.asset.tolist(),
                                                   deferred.saving.tolist(), deferred.reason.tolist(), strict=True)],
    }


def _appliance(row: ApplianceFill, topology: Topology) -> dict[str, Any]:
    appliance = topology.appliances[row.appliance]
    return {
        "appliance_id": appliance.id, "site_id": appliance.site_id,
        "window_start": _iso(row.opening_us), "window_end": _iso(row.closing_us),
        "removals": row.removals, "removed_bytes": row.removed_bytes,
        "additions": row.additions, "added_bytes": row.added_bytes,
        "start": _iso(row.start_us), "end": _iso(row.end_us), "kept": row.kept, "kept_bytes": row.kept_bytes,
        "stored_bytes": row.stored_bytes, "storage_bytes": appliance.storage_bytes,
        "bytes_from": {topology.sites[site].id: total for site, total in sorted(row.bytes_from.items())},
    }


def _iso(moment_us: int | None) -> str | None:
    return None if moment_us is None else f"{np.datetime64(moment_us, 'us')}Z"


def _show(console: Console, payload: dict[str, Any]) -> None:
    table = Table(title=f"Fill that prepares {payload['day']} (times UTC)")
    for heading in ("appliance", "out", "in", "bytes in", "from", "to", "window ends", "stored", "sources"):
        table.add_column(heading, justify="right" if heading in ("out", "in", "bytes in", "stored") else "left")
    for row in payload["appliances"]:
        sources = ", ".join(f"{site} {format_bytes(total)}" for site, total in
                            sorted(row["bytes_from"].items(), key=lambda item: (-item[1], item[0])))
        share = f"{100 * row['stored_bytes'] / row['storage_bytes']:.0f} %" if row["storage_bytes"] else "-"
        table.add_row(escape(row["appliance_id"]), str(row["removals"]), str(row["additions"]),
                      format_bytes(row["added_bytes"]), _short(row["start"]), _short(row["end"]),
                      _short(row["window_end"]), share, escape(sources))
    console.print(table)
    removed, added, kept = (format_bytes(payload[f"{name}_bytes"]) for name in ("removed", "added", "kept"))
    console.print(f"{payload['steps']} steps: {payload['removals']} removals ({removed}), {payload['additions']} "
                  f"additions ({added})")
    if payload["kept"]:
        console.print(f"{payload['kept']} removals ({kept}) not needed tonight: kept")
    if payload["complete"]:
        console.print("everything the placement asks for fits this night")
    else:
        _show_not_fitting(console, payload)


def _show_not_fitting(console: Console, payload: dict[str, Any]) -> None:
    reasons = ", ".join(f"{reason} {count}" for reason, count in payload["not_fitting_reasons"].items())
    total = format_bytes(payload["not_fitting_bytes"])
    table = Table(title=f"{payload['not_fitting_count']} files ({total}) do not fit this night: {reasons}")
    for heading in ("site", "asset", "bytes", "saving lost", "reason"):
        table.add_column(heading, justify="right" if heading in ("bytes", "saving lost") else "left")
    for row in payload["not_fitting"][:_SHOWN]:
        table.add_row(escape(row["site_id"]), escape(row["asset_id"]), format_bytes(row["bytes"]),
                      f"{row['saving']:.4g}", row["reason"])
    console.print(table)
    if payload["not_fitting_count"] > _SHOWN:
        console.print(f"... and {payload['not_fitting_count'] - _SHOWN} more (--json lists all)")


def _short(moment: str | None) -> str:
    return "-" if moment is None else moment[5:16].replace("T", " ")
