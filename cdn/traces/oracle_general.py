"""libCacheSim's ``oracleGeneral``: records of 24 bytes, also compressed with zstd.

Little-endian and unpadded: time u32 (seconds), object id u64, size u32 (bytes), next access i64 (the number of the
request in which the object is asked for again; -1 or the largest number: never). Any id of 64 bits is an id, those
beyond 2**63 too: public traces have hashes for ids.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from cdn.caching.policy import NO_NEXT_USE
from cdn.compilation import kernel
from cdn.errors import DataError
from cdn.traces.chunks import REQUESTS_PER_CHUNK, TraceChunk, TraceFiles

COMPRESSED = (".zst", ".zstd")
RECORD = np.dtype([("time", "<u4"), ("id", "<u8"), ("size_bytes", "<u4"), ("next_use", "<i8")])


def read_oracle_general(files: TraceFiles) -> Iterator[TraceChunk]:
    """Raises DataError where a file cannot be read, or ends within a record."""
    for path in files.paths:
        yield from _chunks(path, says_next_use=len(files.paths) == 1)


def _chunks(path: Path, says_next_use: bool) -> Iterator[TraceChunk]:
    """A file knows nothing of what the files after it ask for: of several, none says when an object is next used."""
    row = 1
    for block in _blocks(path):
        whole = len(block) // RECORD.itemsize
        if len(block) % RECORD.itemsize:
            expected = f"records of {RECORD.itemsize} bytes; record {row + whole} is cut off"
            raise DataError.of_file(path, expected, f"{len(block) % RECORD.itemsize} bytes at the end")
        time_s, size_bytes, next_use = (np.empty(whole, dtype=np.int64) for _ in range(3))
        key = np.empty(whole, dtype=np.uint64)
        unpack(np.frombuffer(block, dtype=RECORD, count=whole), time_s, key, size_bytes, next_use)
        rows = range(row, row + whole)
        yield TraceChunk(str(path), rows, time_s, key, size_bytes, next_use if says_next_use else None)
        row += whole


@kernel
def unpack(records, time_s, key, size_bytes, next_use):
    for k in range(len(records)):
        time_s[k] = records[k].time
        key[k] = records[k].id
        size_bytes[k] = records[k].size_bytes
        following = records[k].next_use
        next_use[k] = following if 0 <= following < NO_NEXT_USE else NO_NEXT_USE


def _blocks(path: Path) -> Iterator[bytes | np.ndarray]:
    size = REQUESTS_PER_CHUNK * RECORD.itemsize
    try:
        if path.suffix not in COMPRESSED and path.stat().st_size:
            mapped = np.memmap(path, dtype=np.uint8, mode="r")
            yield from (mapped[start : start + size] for start in range(0, len(mapped), size))
            return
        with pa.input_stream(str(path), compression="zstd" if path.suffix in COMPRESSED else None) as stream:
            empty = True
            while block := stream.read(size):
                empty = False
                yield block
            if empty:
                yield b""
    except OSError as error:
        raise DataError.of_file(path, f"a readable trace ({' '.join(str(error).split())})") from error
