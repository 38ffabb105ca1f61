"""``cdn curve``: miss ratio by cache size, as a table, a file or a picture."""

import math
import time
from pathlib import Path
from typing import Any

import click
import pandas as pd
from rich.console import Console
from rich.table import Table

from cdn.caching import POLICIES
from cdn.caching.curves import MissRatioCurve, miss_ratio_curve, spread_capacities
from cdn.cli.options import PATH, FiniteRange, json_option, print_result, quiet_option, stderr_console
from cdn.cli.policies import WITH_PARAMETERS, PoliciesParam, parameters_by_policy
from cdn.cli.traces import SizesParam, capacities_of, read_whole, trace_options, trace_words
from cdn.errors import DataError
from cdn.files.schema import CSV, PARQUET, write_table
from cdn.units import format_bytes

TABLES, PICTURES = (CSV, PARQUET), (".png", ".svg", ".html")


@click.command()
@trace_options
@click.option("--policy", "policies", type=PoliciesParam(), default="lru", show_default=True,
              help=f"Joined by commas: {', '.join(POLICIES)}; with parameters such as {WITH_PARAMETERS}.")
@click.option("--size-bytes", "sizes", type=SizesParam(), default=None,
              help="Cache sizes joined by commas: bytes such as 5e9, or shares of the footprint such as 5%  "
                   "[default: 24 from 0.1% to 100%]")
@click.option("--sample-rate", type=FiniteRange(0, 1, min_open=True), default=1.0, show_default=True,
              help="Share of the objects to look at; lru then comes with its standard error.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Which objects a sample holds.")
@click.option("--out", "out_path", type=PATH, default=None,
              help=f"Also write it: a table ({', '.join(TABLES)}) or a picture ({', '.join(PICTURES)}).")
@json_option
@quiet_option
def curve(trace_paths: tuple[Path, ...], file_format: str, columns: dict[str, str] | None, policies: tuple[str, ...],
          sizes: tuple[str, ...] | None, sample_rate: float, seed: int, out_path: Path | None, as_json: bool,
          quiet: bool) -> None:
    """Miss ratio by cache size on TRACE, one or more files or log stores read as one trace.

    lru is computed for all sizes in one pass over the log, other policies are simulated once per size.
    """
    if out_path is not None and out_path.suffix not in (*TABLES, *PICTURES):
        raise DataError.of_file(out_path, f"a file name ending in {', '.join((*TABLES, *PICTURES))}", out_path.suffix)
    progress = stderr_console(quiet)
    trace = read_whole(trace_paths, file_format, columns, progress)
    capacities = (spread_capacities(trace.ids, trace.size_bytes) if sizes is None else
                  capacities_of(sizes, trace.footprint_bytes))
    curves, seconds = [], {}
    for policy in policies:
        with progress.status(f"the curve of {policy}"):
            started = time.perf_counter()
            curves.append(miss_ratio_curve(policy, trace.ids, trace.size_bytes, capacities, sample_rate=sample_rate,
                                           seed=seed))
            seconds[policy] = time.perf_counter() - started
    if out_path is not None:
        _write(curves, out_path)
    payload = {"requests": len(trace), "objects": len(trace.size_bytes), "footprint_bytes": trace.footprint_bytes,
               "changed_sizes": trace.changed_sizes, "parameters": parameters_by_policy(policies), "seconds": seconds,
               "results": [row for one in curves for row in _rows(one)]}
    print_result(as_json, payload, lambda console: _show(console, payload, out_path))


def _rows(found: MissRatioCurve) -> list[dict[str, Any]]:
    """One row per size; what is not known is None."""
    columns = ("miss_ratio", "byte_miss_ratio", "error", "byte_error")
    return [{"policy": found.policy, "method": found.method, "sample_rate": found.sample_rate,
             "requests": found.requests, "sampled_requests": found.sampled_requests, "size_bytes": int(size),
             **{name: None if math.isnan(value) else float(value) for name, value in zip(columns, values, strict=True)}}
            for size, *values in zip(found.capacity_bytes, *(getattr(found, name) for name in columns), strict=True)]


def _write(curves: list[MissRatioCurve], path: Path) -> None:
    if path.suffix in TABLES:
        write_table(pd.DataFrame([row for one in curves for row in _rows(one)]), path)
        return
    from cdn.reports.miss_ratio_chart import write_picture

    write_picture(curves, path)


def _show(console: Console, payload: dict[str, Any], out_path: Path | None) -> None:
    words = trace_words(payload["requests"], payload["objects"], payload["footprint_bytes"])
    console.print(f"{words}; missed in % of requests / of bytes")
    methods = {row["policy"]: row["method"] for row in payload["results"]}
    table = Table("cache")
    for policy, method in methods.items():
        table.add_column(f"{policy}\n({method})", justify="right")
    cells = {(row["size_bytes"], row["policy"]): _cell(row) for row in payload["results"]}
    for size in sorted({size for size, _ in cells}):
        table.add_row(format_bytes(size), *(cells[size, policy] for policy in methods))
    console.print(table)
    if out_path is not None:
        console.print(f"written: {out_path}", markup=False)


def _cell(row: dict[str, Any]) -> str:
    return " / ".join(_per_cent(row[ratio], row[error])
                      for ratio, error in (("miss_ratio", "error"), ("byte_miss_ratio", "byte_error")))


def _per_cent(ratio: float | None, error: float | None) -> str:
    if ratio is None:
        return "-"
    if error is None:
        return f"{100 * ratio:.1f} ± ?"
    return f"{100 * ratio:.1f} ± {100 * error:.1f}" if error else f"{100 * ratio:.2f}"
