"""Where a trace is read from, and one stretch of it, as every reader gives it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from cdn.compilation import kernel
from cdn.errors import DataError, Fault

REQUESTS_PER_CHUNK = 1 << 18
LONG_AGO = -(2**62)


@dataclass(frozen=True)
class TraceFiles:
    """``paths``: read one after the other as one trace. ``columns``: what a CSV's are called where not as by default.
    ``note`` is told, in words, what was left out."""

    paths: tuple[Path, ...]
    columns: Mapping[str, str] = field(default_factory=dict)
    note: Callable[[str], None] = lambda words: None


@dataclass(frozen=True, eq=False)
class TraceChunk:
    """N requests in file order.

    ``row[k]`` is where request k stands, as the file counts. ``time_s`` (N,) int64 seconds; ``key`` (N,) uint64, or
    text in a pyarrow array; ``size_bytes`` (N,) int64; ``next_use`` (N,) int64 where the file says when the object is
    asked for again, counted in requests, ``NO_NEXT_USE`` where it is not.
    """

    file: str
    row: Sequence[int] | np.ndarray
    time_s: np.ndarray
    key: np.ndarray | pa.Array
    size_bytes: np.ndarray
    next_use: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.time_s)


def in_time_order(paths: Sequence[Path], chunks: Iterator[TraceChunk]) -> Iterator[TraceChunk]:
    """The chunks as they come. Raises DataError where time goes back, or where there is no request at all."""
    last, n_requests = LONG_AGO, 0
    for chunk in chunks:
        if len(chunk):
            back = first_back(chunk.time_s, last)
            if back < len(chunk):
                before = last if back == 0 else int(chunk.time_s[back - 1])
                expected = f"a time not before that of the request before it, {before} s"
                raise DataError([Fault(chunk.file, int(chunk.row[back]), "time", int(chunk.time_s[back]), expected)])
            last = int(chunk.time_s[-1])
            n_requests += len(chunk)
            yield chunk
    if not n_requests:
        raise DataError.of_file(", ".join(map(str, paths)), "a trace with at least one request", "an empty one")


@kernel
def first_back(time_s, last):
    """The position of the first time that is before the one before it; N where there is none."""
    for k in range(len(time_s)):
        if time_s[k] < last:
            return k
        last = time_s[k]
    return len(time_s)
