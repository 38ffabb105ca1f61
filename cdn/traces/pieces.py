"""A trace with dense ids: piece by piece for caches that are fed, or held whole for bounds and curves."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from cdn.caching.streams import MAX_BYTES, MAX_REQUESTS
from cdn.errors import DataError, Fault
from cdn.traces.chunks import TraceChunk
from cdn.traces.identifiers import Objects


@dataclass(frozen=True, eq=False)
class Piece:
    """N requests: ``ids`` (N,) int32 by first appearance, ``asked_bytes`` (N,) int64, ``time_s`` (N,) int64;
    ``size_bytes`` (n,) int64 of all objects up to here; ``next_use`` (N,) int64 where the trace says it."""

    ids: np.ndarray
    asked_bytes: np.ndarray
    time_s: np.ndarray
    size_bytes: np.ndarray
    next_use: np.ndarray | None


@dataclass(frozen=True, eq=False)
class HeldTrace:
    """``ids`` (N,) int32, positions in ``size_bytes`` (n,) int64; ``time_s`` (N,) int64. ``changed_sizes``: requests
    whose size is not that of their object's first request, which counts."""

    ids: np.ndarray
    size_bytes: np.ndarray
    time_s: np.ndarray
    changed_sizes: int

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def footprint_bytes(self) -> int:
        return int(self.size_bytes.sum())


def hold_trace(chunks: Iterable[TraceChunk]) -> HeldTrace:
    """All of a trace: 12 bytes a request. Raises DataError past 2**31 - 1 requests, and as the chunks do."""
    objects, ids, time_s, n_requests = Objects(), [], [], 0
    for piece in pieces_of(chunks, objects):
        n_requests += len(piece.ids)
        if n_requests > MAX_REQUESTS:
            raise DataError.of_file("trace", f"at most {MAX_REQUESTS} requests for a bound or a curve", n_requests)
        ids.append(piece.ids)
        time_s.append(piece.time_s)
    joined = [np.concatenate(parts) if parts else np.zeros(0, np.int64) for parts in (ids, time_s)]
    return HeldTrace(joined[0].astype(np.int32, copy=False), objects.size_bytes.copy(), joined[1], objects.n_changed)


def pieces_of(chunks: Iterable[TraceChunk], objects: Objects) -> Iterator[Piece]:
    """The chunks with dense ids, which ``objects`` gives. Raises DataError where all requests together ask for more
    than 2**62 bytes, which sums could not hold."""
    total_bytes = 0.0
    for chunk in chunks:
        ids, asked_bytes = objects.take_in(chunk.key, chunk.size_bytes)
        total_bytes += float(asked_bytes.sum(dtype=np.float64))
        if total_bytes > MAX_BYTES:
            last, expected = chunk.row[len(chunk) - 1], f"at most 2**62 = {MAX_BYTES} bytes in all requests up to here"
            raise DataError([Fault(chunk.file, last, "size_bytes", f"{total_bytes:.4g}", expected)])
        yield Piece(ids, asked_bytes, chunk.time_s, objects.size_bytes, chunk.next_use)
