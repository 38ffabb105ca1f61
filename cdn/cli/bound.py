"""``cdn bound``: how much of a trace any cache of a size can serve, and how near policies come."""

import time
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from cdn.caching import POLICIES, simulate_cache
from cdn.caching.bounds import BOUNDS, FEASIBLE, OBJECTIVES, REQUESTS, stream_intervals
from cdn.cli.options import NamesParam, json_option, print_result, quiet_option, stderr_console
from cdn.cli.policies import WITH_PARAMETERS, PoliciesParam, parameters_by_policy
from cdn.cli.traces import SizesParam, capacities_of, read_whole, trace_options, trace_words
from cdn.traces import HeldTrace
from cdn.units import format_bytes, format_share

DEFAULT_BOUNDS = "infinite,fitting,pfoo_l,pfoo_u"
UPPER, REACHABLE = "upper bound", "feasible"


@click.command()
@trace_options
@click.option("--size-bytes", "sizes", type=SizesParam(), required=True,
              help="Cache sizes joined by commas: bytes such as 5e9, or shares of the footprint such as 5%.")
@click.option("--objective", type=click.Choice(OBJECTIVES), default=REQUESTS, show_default=True, help="What to count.")
@click.option("--bound", "bounds", type=NamesParam("bound", BOUNDS), default=DEFAULT_BOUNDS, show_default=True,
              help=f"Joined by commas: {', '.join(BOUNDS)}. foo_slices: some 10 s per 100,000 requests; foo: more.")
@click.option("--policy", "policies", type=PoliciesParam(), default="lru,lfu", show_default=True,
              help=f"Policies to hold against the bounds, joined by commas: {', '.join(POLICIES)}; with parameters "
                   f"such as {WITH_PARAMETERS}.")
@json_option
@quiet_option
def bound(trace_paths: tuple[Path, ...], file_format: str, columns: dict[str, str] | None, sizes: tuple[str, ...],
          objective: str, bounds: tuple[str, ...], policies: tuple[str, ...], as_json: bool, quiet: bool) -> None:
    """Bound the hits of any cache on TRACE, one or more files or log stores read as one trace.

    A cache starts empty. No policy exceeds an upper bound; pfoo_u is a feasible plan: what foresight can have.
    """
    progress = stderr_console(quiet)
    trace = read_whole(trace_paths, file_format, columns, progress)
    total = len(trace) if objective == REQUESTS else int(trace.size_bytes[trace.ids].sum())
    rows = []
    for capacity_bytes in capacities_of(sizes, trace.footprint_bytes):
        with progress.status(f"bounding a cache of {format_bytes(capacity_bytes)}"):
            rows += _bounded(trace, capacity_bytes, objective, bounds)
            rows += _simulated(trace, capacity_bytes, objective, policies)
    for row in rows:
        row["hit_ratio"] = row["hits"] / total if total else None
        row["left_at_most"] = _left(row, rows, total)
    payload = {"objective": objective, "requests": len(trace), "total": total, "objects": len(trace.size_bytes),
               "footprint_bytes": trace.footprint_bytes, "changed_sizes": trace.changed_sizes,
               "parameters": parameters_by_policy(policies), "results": rows}
    print_result(as_json, payload, lambda console: _show(console, payload))


def _bounded(trace: HeldTrace, capacity_bytes: int, objective: str, names: tuple[str, ...]) -> list[dict[str, Any]]:
    intervals = stream_intervals(trace.ids, trace.size_bytes, capacity_bytes, objective)
    rows = []
    for name in names:
        started = time.perf_counter()
        hits = BOUNDS[name](intervals)
        rows.append({"size_bytes": capacity_bytes, "name": name, "kind": REACHABLE if name == FEASIBLE else UPPER,
                     "hits": hits, "seconds": time.perf_counter() - started})
    return rows


def _simulated(trace: HeldTrace, capacity_bytes: int, objective: str, names: tuple[str, ...]) -> list[dict[str, Any]]:
    rows = []
    for name in names:
        started = time.perf_counter()
        hit = simulate_cache(name, trace.ids, trace.size_bytes, capacity_bytes)
        hits = int(hit.sum()) if objective == REQUESTS else int(trace.size_bytes[trace.ids[hit]].sum())
        rows.append({"size_bytes": capacity_bytes, "name": name, "kind": "policy", "hits": hits,
                     "seconds": time.perf_counter() - started})
    return rows


def _left(row: dict[str, Any], rows: list[dict[str, Any]], total: int) -> float | None:
    """Hit ratio that the tightest bound of the cache's size leaves to gain; None for bounds, or without one."""
    upper = [other["hits"] for other in rows if other["kind"] == UPPER and other["size_bytes"] == row["size_bytes"]]
    return None if row["kind"] == UPPER or not upper or not total else (min(upper) - row["hits"]) / total


def _show(console: Console, payload: dict[str, Any]) -> None:
    unit = "requests" if payload["objective"] == REQUESTS else "bytes"
    total = f"{payload['total']:,}" if payload["objective"] == REQUESTS else format_bytes(payload["total"])
    words = trace_words(payload["requests"], payload["objects"], payload["footprint_bytes"])
    console.print(f"{words}; hits in {unit}, of {total}")
    table = Table("cache", "what", "", "hits", "hit ratio", "left at most", "seconds")
    for column in table.columns[3:]:
        column.justify = "right"
    for row in payload["results"]:
        ratio, left = row["hit_ratio"], row["left_at_most"]
        table.add_row(format_bytes(row["size_bytes"]), row["name"], row["kind"], f"{row['hits']:,}",
                      "" if ratio is None else format_share(ratio), "" if left is None else format_share(left),
                      f"{row['seconds']:.3f}")
    console.print(table)
