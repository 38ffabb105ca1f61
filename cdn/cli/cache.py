"""``cdn cache``: replay one trace through single caches, several policies and sizes in one pass."""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from cdn.caching import ADMISSIONS, POLICIES, choose_admission
from cdn.cli.options import FiniteRange, json_option, quiet_option, stderr_console, stdout_console
from cdn.cli.policies import WITH_PARAMETERS, PoliciesParam, PolicyParam, list_policies, parameters_by_policy
from cdn.cli.traces import (
    SizesParam,
    asks_for_shares,
    capacities_of,
    reading,
    say_changed_sizes,
    trace_options,
    trace_words,
)
from cdn.traces import CacheCounts, TraceCounts, replay_trace
from cdn.units import format_bytes, format_share


@click.command()
@trace_options
@click.option("--policy", "policies", type=PoliciesParam(), required=True,
              help=f"Joined by commas: {', '.join(POLICIES)}; with parameters such as {WITH_PARAMETERS}.")
@click.option("--size-bytes", "sizes", type=SizesParam(), required=True,
              help="Of the caches, joined by commas: bytes, or shares of the footprint such as 5%, for which the trace "
                   "is read twice.")
@click.option("--admission", type=PolicyParam(choose_admission), default="none", show_default=True,
              help=f"{', '.join(ADMISSIONS)}; with parameters such as size:threshold_bytes=1e6.")
@click.option("--ttl-s", type=FiniteRange(0), default=None, help="Seconds an object lives  [default: for ever]")
@click.option("--threads", type=click.IntRange(1), default=min(2, os.cpu_count() or 1), show_default=True,
              help="Caches that are replayed at once.")
@click.option("--list-policies", is_flag=True, is_eager=True, expose_value=False, callback=list_policies,
              help="Print all policies and admission with their parameters, and end.")
@json_option
@quiet_option
def cache(trace_paths: tuple[Path, ...], file_format: str, columns: dict[str, str] | None, policies: tuple[str, ...],
          sizes: tuple[str, ...], admission: str, ttl_s: float | None, threads: int, as_json: bool,
          quiet: bool) -> None:
    """Replay TRACE, one or more files or log stores, through single caches: what each policy misses at each size."""
    progress = stderr_console(quiet)
    footprint_bytes = 0
    if asks_for_shares(sizes):
        with reading(trace_paths, file_format, columns, progress) as chunks:
            footprint_bytes = replay_trace(chunks, [])[1].footprint_bytes
    wanted = [(policy, size) for policy in policies for size in capacities_of(sizes, footprint_bytes)]
    with reading(trace_paths, file_format, columns, progress) as chunks:
        counts, whole = replay_trace(chunks, wanted, threads=threads, admission=admission, ttl_s=ttl_s)
    say_changed_sizes(whole.changed_sizes, progress)
    if as_json:
        click.echo(json.dumps(_rows(counts, admission, ttl_s), allow_nan=False))
    else:
        _show(stdout_console(), counts, whole)


def _rows(counts: list[CacheCounts], admission: str, ttl_s: float | None) -> list[dict[str, Any]]:
    parameters = parameters_by_policy(count.policy for count in counts)
    gate = {"admission": admission, "admission_parameters": dict(choose_admission(admission).parameters),
            "ttl_s": ttl_s}
    return [{**asdict(count), "requests_per_second": count.requests_per_second, "parameters": parameters[count.policy],
             **gate} for count in counts]


def _show(console: Console, counts: list[CacheCounts], whole: TraceCounts) -> None:
    table = Table(title=trace_words(whole.requests, whole.objects, whole.footprint_bytes))
    for name in ("policy", "cache", "of the\nfootprint", "requests\nmissed", "bytes\nmissed", "M requests/s"):
        table.add_column(name, justify="left" if name == "policy" else "right", overflow="fold")
    for count in counts:
        table.add_row(count.policy, format_bytes(count.size_bytes),
                      format_share(count.size_bytes / max(whole.footprint_bytes, 1)),
                      format_share(count.misses / count.requests),
                      format_share(count.missed_bytes / max(count.request_bytes, 1)),
                      f"{count.requests_per_second / 1e6:.1f}")
    console.print(table)
