"""What ``cdn cache``, ``cdn bound`` and ``cdn curve`` share: the trace they read, and cache sizes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from cdn.cli.options import PATH
from cdn.traces import TRACE_READERS, HeldTrace, hold_trace, read_trace
from cdn.traces.chunks import TraceChunk
from cdn.units import format_bytes

COLUMNS = ("time", "id", "size_bytes")


class SizesParam(click.ParamType):
    """Cache sizes joined by commas: bytes, or a share of the footprint such as ``5%``."""

    name = "sizes"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        sizes = tuple(dict.fromkeys(text.strip() for text in value.split(",")))
        for text in sizes:
            try:
                share_or_bytes = float(text.removesuffix("%"))
            except ValueError:
                share_or_bytes = -1
            if not 0 <= share_or_bytes < float("inf"):
                self.fail(f"{text!r} is neither bytes such as 5e9 nor a share of the footprint such as 5%", param, ctx)
        return sizes


class ColumnsParam(click.ParamType):
    """What a CSV's columns are called, such as ``time=ts,id=key,size_bytes=length``."""

    name = "names"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, str]:
        pairs = dict(pair.split("=", 1) for pair in value.split(",") if "=" in pair)
        if len(pairs) != len(value.split(",")) or not pairs.keys() <= set(COLUMNS):
            self.fail(f"{value!r} is not such as time=ts,id=key,size_bytes=length", param, ctx)
        return pairs


def trace_options(command: Callable) -> Callable:
    """The traces to read, ``trace_paths``, and how: ``file_format``, ``columns``."""
    for option in (
        click.option("--columns", type=ColumnsParam(), default=None,
                     help="Of a CSV, where they are not called time (seconds), id, size_bytes: "
                          "time=ts,id=key,size_bytes=n."),
        click.option("--format", "file_format", type=click.Choice(["auto", *TRACE_READERS]), default="auto",
                     show_default=True, help="Of the trace; auto: by name and header."),
        click.argument("trace_paths", metavar="TRACE...", type=PATH, nargs=-1, required=True),
    ):  # fmt: skip
        command = option(command)
    return command


def asks_for_shares(sizes: Sequence[str]) -> bool:
    """Whether the footprint has to be known before the sizes are."""
    return any(text.endswith("%") for text in sizes)


def capacities_of(sizes: Sequence[str], footprint_bytes: int) -> list[int]:
    """The sizes of ``SizesParam`` in bytes, each once."""
    return list(dict.fromkeys(int(float(text[:-1]) / 100 * footprint_bytes) if text.endswith("%") else
                              int(text) if text.isdigit() else int(float(text)) for text in sizes))  # fmt: skip


@contextmanager
def reading(paths: Sequence[Path], file_format: str, columns: Mapping[str, str] | None,
            progress: Console) -> Iterator[Iterator[TraceChunk]]:  # fmt: skip
    """The trace's chunks, with a status line while they are read; says on stderr what is left out."""
    with progress.status("reading the trace") as status:
        yield _told(read_trace(paths, file_format, columns, lambda words: progress.print(words, markup=False)),
                    lambda done: status.update(f"{done:,} requests"))


def _told(chunks: Iterator[TraceChunk], tell: Callable[[int], None]) -> Iterator[TraceChunk]:
    done = 0
    for chunk in chunks:
        yield chunk
        done += len(chunk)
        tell(done)


def read_whole(paths: Sequence[Path], file_format: str, columns: Mapping[str, str] | None,
               progress: Console) -> HeldTrace:  # fmt: skip
    """The trace in memory; says on stderr what was left out and what its sizes are."""
    with reading(paths, file_format, columns, progress) as chunks:
        trace = hold_trace(chunks)
    say_changed_sizes(trace.changed_sizes, progress)
    return trace


def say_changed_sizes(changed_sizes: int, progress: Console) -> None:
    if changed_sizes:
        progress.print(f"{changed_sizes:,} requests with a size that is not their object's first: the first counts",
                       markup=False)


def trace_words(requests: int, objects: int, footprint_bytes: int) -> str:
    """What a trace is, in a few words."""
    return f"{requests:,} requests for {objects:,} objects of {format_bytes(footprint_bytes)}"
