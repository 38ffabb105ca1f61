"""``cdn cache``: replay one trace through single caches, several policies and sizes in one pass."""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from cdn.caching import ADMISSIONS, POLICIES
from cdn.cli.options import PATH, NamesParam, json_option, quiet_option, stderr_console, stdout_console
from cdn.traces import TRACE_READERS, CacheCounts, read_trace, replay_trace
from cdn.traces.replays import TraceCounts
from cdn.units import format_bytes, format_share


class SizesParam(click.ParamType):
    """Cache sizes in bytes joined by commas, such as ``1000000,5e9``."""

    name = "bytes"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        try:
            sizes = tuple(dict.fromkeys(int(float(size)) for size in value.split(",")))
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is not bytes joined by commas, such as 1000000,5e9", param, ctx)
        if min(sizes) < 0:
            self.fail(f"{value!r} has a negative size", param, ctx)
        return sizes


class ColumnsParam(click.ParamType):
    """What a CSV's columns are called, such as ``time=ts,id=key,size_bytes=length``."""

    name = "names"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, str]:
        pairs = dict(pair.split("=", 1) for pair in value.split(",") if "=" in pair)
        if len(pairs) != len(value.split(",")) or not pairs.keys() <= {"time", "id", "size_bytes"}:
            self.fail(f"{value!r} is not such as time=ts,id=key,size_bytes=length", param, ctx)
        return pairs


@click.command()
@click.argument("trace", type=PATH)
@click.option("--format", "file_format", default="auto", show_default=True,
              help=f"Of the trace: auto (by name and header), {', '.join(TRACE_READERS)}.")
@click.option("--columns", type=ColumnsParam(), default=None,
              help="Of a CSV, where they are not called time (seconds), id, size_bytes: time=ts,id=key,size_bytes=n.")
@click.option("--policy", "policies", type=NamesParam("policy", POLICIES), required=True,
              help=f"Joined by commas: {', '.join(POLICIES)}.")
@click.option("--size-bytes", "sizes", type=SizesParam(), required=True, help="Of the caches, joined by commas.")
@click.option("--admission", default="none", show_default=True, help=f"{', '.join(ADMISSIONS)}.")
@click.option("--ttl-s", type=click.FloatRange(0), default=None, help="Seconds an object lives  [default: for ever]")
@click.option("--threads", type=click.IntRange(1), default=min(2, os.cpu_count() or 1), show_default=True,
              help="Caches that are replayed at once.")
@json_option
@quiet_option
def cache(trace: Path, file_format: str, columns: dict[str, str] | None, policies: tuple[str, ...],
          sizes: tuple[int, ...], admission: str, ttl_s: float | None, threads: int, as_json: bool,
          quiet: bool) -> None:
    """Replay a TRACE through single caches: what each policy misses at each size."""
    wanted = [(policy, size) for policy in policies for size in sizes]
    with stderr_console(quiet).status("reading") as status:
        counts, whole = replay_trace(
            read_trace(trace, file_format, columns), wanted, threads=threads, admission=admission, ttl_s=ttl_s,
            progress=lambda done: status.update(f"{done:,} requests"),
        )  # fmt: skip
    if whole.changed_sizes:
        stderr_console(quiet).print(f"{whole.changed_sizes:,} requests with a size that is not their object's first: "
                                    "the first counts", markup=False)
    if as_json:
        click.echo(json.dumps([{**asdict(count), "requests_per_second": count.requests_per_second}
                               for count in counts]))
    else:
        _show(stdout_console(), counts, whole)


def _show(console: Console, counts: list[CacheCounts], whole: TraceCounts) -> None:
    table = Table(title=f"{whole.requests:,} requests for {whole.objects:,} objects of "
                        f"{format_bytes(whole.footprint_bytes)}")
    for name in ("policy", "cache", "request misses", "byte misses", "M requests/s"):
        table.add_column(name, justify="left" if name == "policy" else "right")
    for count in counts:
        table.add_row(count.policy, format_bytes(count.size_bytes), format_share(count.misses / count.requests),
                      format_share(count.missed_bytes / max(count.request_bytes, 1)),
                      f"{count.requests_per_second / 1e6:.1f}")
    console.print(table)
