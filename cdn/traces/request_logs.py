"""Our own request log as a trace: every region's requests go to one cache; an object is an asset."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa

from cdn.errors import DataError, Fault
from cdn.logs.request_log_files import read_request_log_file
from cdn.traces.chunks import TraceChunk

MICROSECONDS = 1_000_000


def read_request_log_trace(path: Path) -> Iterator[TraceChunk]:
    """Raises DataError at the first bad row: a trace with holes would be another (``cdn ingest`` leaves them out)."""
    for chunk in read_request_log_file(path):
        if chunk.bad:
            first = pd.concat(chunk.bad).sort_values("line").iloc[0]
            raise DataError([Fault(str(path), int(first["line"]), first["column"], first["value"], first["expected"])])
        row = int(chunk.line[0]) if len(chunk) else 1
        key = chunk.asset_id
        yield TraceChunk(str(path), row, chunk.time_us // MICROSECONDS, pa.array(key), chunk.bytes)
