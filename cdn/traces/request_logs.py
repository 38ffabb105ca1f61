"""Our own request log as a trace: every region's requests go to one cache; an object is an asset.

A transfer may be partial, so an asset is as large as its largest transfer. That is not known before all is read, so a
log is read twice: for the sizes, then for the requests. Memory grows with the assets alone.
"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from cdn.logs.chunks import LogChunk
from cdn.logs.quarantine import DEFAULT_BAD_SHARE, QuarantineCounter
from cdn.logs.request_logs import known_chunks
from cdn.traces.chunks import TraceChunk, TraceFiles

REQUEST_LOG = "request_log"
MICROSECONDS = 1_000_000


def read_request_logs(files: TraceFiles) -> Iterator[TraceChunk]:
    """Bad rows are left out and noted. Raises DataError where too many are, as ``read_request_log`` does."""
    counter = QuarantineCounter()
    largest: dict[str, int] = {}
    for chunk in _good_requests(files, counter):
        _note_sizes(chunk, largest)
    quarantine = counter.quarantine()
    quarantine.check_share(DEFAULT_BAD_SHARE, files.paths)
    if quarantine.bad_rows:
        files.note(f"{quarantine.bad_rows} of {quarantine.rows_read} rows left out: {dict(quarantine.counts)}")
    for chunk in _good_requests(files, QuarantineCounter()):
        size_of = np.array([largest.get(name, 0) for name in chunk.asset_id.dictionary.to_pylist()], dtype=np.int64)
        size_bytes = size_of[_positions(chunk)] if len(chunk) else np.zeros(0, dtype=np.int64)
        yield TraceChunk(chunk.file, chunk.line, chunk.time_us // MICROSECONDS, chunk.asset_id, size_bytes)


def _good_requests(files: TraceFiles, counter: QuarantineCounter) -> Iterator[LogChunk]:
    return (chunk for chunk, _, _ in known_chunks(files.paths, REQUEST_LOG, None, None, counter))


def _positions(chunk: LogChunk) -> np.ndarray:
    """(N,): which entry of the chunk's dictionary each request is for."""
    return chunk.asset_id.indices.to_numpy(zero_copy_only=False)


def _note_sizes(chunk: LogChunk, largest: dict[str, int]) -> None:
    """(A chunk's dictionary may hold names that no row has.)"""
    positions = _positions(chunk)
    transferred = np.full(len(chunk.asset_id.dictionary), -1, dtype=np.int64)
    np.maximum.at(transferred, positions, chunk.bytes)
    used = np.flatnonzero(transferred >= 0)
    names = chunk.asset_id.dictionary.take(pa.array(used)).to_pylist()
    for name, size_bytes in zip(names, transferred[used].tolist(), strict=True):
        largest[name] = max(size_bytes, largest.get(name, 0))
