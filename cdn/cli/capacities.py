"""What ``cdn bound`` and ``cdn curve`` share: the trace they read, and cache sizes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from cdn.logs.traces import Trace, read_trace


class SizesParam(click.ParamType):
    """Cache sizes joined by commas: bytes, or a share of the footprint such as ``5%``."""

    name = "sizes"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        sizes = tuple(text.strip() for text in value.split(","))
        for text in sizes:
            try:
                share_or_bytes = float(text[:-1]) if text.endswith("%") else int(text)
            except ValueError:
                share_or_bytes = -1
            if not 0 <= share_or_bytes < float("inf"):
                self.fail(f"{text!r} is neither a number of bytes nor a share of the footprint such as 5%", param, ctx)
        return sizes


def capacities_of(sizes: Sequence[str], trace: Trace) -> list[int]:
    """The sizes of ``SizesParam`` in bytes."""
    return [int(float(text[:-1]) / 100 * trace.footprint_bytes) if text.endswith("%") else int(text) for text in sizes]


def read_stream(paths: Sequence[Path], progress: Console) -> Trace:
    """The trace of request logs; says on stderr what was left out."""
    with progress.status("reading the log"):
        trace, quarantine = read_trace(paths)
    if quarantine.bad_rows:
        progress.print(f"{quarantine.bad_rows} of {quarantine.rows_read} rows left out: {dict(quarantine.counts)}",
                       markup=False)
    return trace
