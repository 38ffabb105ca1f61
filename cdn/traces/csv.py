"""Traces in CSV: named columns, and Twitter's files (Yang, Yue, Rashmi, OSDI 2020), which have no header."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from cdn.errors import DataError, Fault
from cdn.traces.chunks import TraceChunk

BLOCK_BYTES = 8 << 20
DEFAULT_COLUMNS = {"time": "time", "id": "id", "size_bytes": "size_bytes"}
TWITTER_COLUMNS = ("timestamp", "key", "key_size", "value_size", "client_id", "operation", "ttl")
READS = ("get", "gets")


def read_named_csv(path: Path, columns: Mapping[str, str] | None = None) -> Iterator[TraceChunk]:
    """A CSV with a header. ``columns`` says what ``time`` (seconds), ``id`` and ``size_bytes`` are called there.

    Ids are text: ``7`` and ``07`` are two objects. Raises DataError where a column is missing, or a cell is no number.
    """
    names = {**DEFAULT_COLUMNS, **(columns or {})}
    kinds = {names["time"]: pa.float64(), names["id"]: pa.string(), names["size_bytes"]: pa.int64()}
    options = csv.ConvertOptions(include_columns=list(kinds), column_types=kinds, null_values=[])
    for row, batch in _batches(path, csv.ReadOptions(block_size=BLOCK_BYTES), options, 2):
        time, key, size = batch.columns
        yield _chunk(path, row, np.floor(time.to_numpy(zero_copy_only=False)).astype(np.int64), key, size, names)


def read_twitter_csv(path: Path) -> Iterator[TraceChunk]:
    """Reads only (``get``, ``gets``); an object's size is its key's and its value's."""
    kinds = dict(zip(TWITTER_COLUMNS, (pa.int64(), pa.string(), pa.int64(), pa.int64(), pa.string(), pa.string(),
                                       pa.string()), strict=True))  # fmt: skip
    reading = csv.ReadOptions(block_size=BLOCK_BYTES, column_names=list(TWITTER_COLUMNS))
    options = csv.ConvertOptions(column_types=kinds, null_values=[])
    for row, batch in _batches(path, reading, options, 1):
        reads = batch.filter(pc.is_in(batch["operation"], pa.array(READS)))
        size = pc.add(reads["key_size"], reads["value_size"])
        names = {"size_bytes": "value_size"}
        yield _chunk(path, row, reads["timestamp"].to_numpy(zero_copy_only=False), reads["key"], size, names)


def _chunk(path: Path, row: int, time_s: np.ndarray, key: pa.Array, size: pa.Array,
           names: Mapping[str, str]) -> TraceChunk:  # fmt: skip
    size_bytes = size.to_numpy(zero_copy_only=False)
    negative = np.flatnonzero(size_bytes < 0)
    if len(negative):
        value = int(size_bytes[negative[0]])
        raise DataError([Fault(str(path), row + int(negative[0]), names["size_bytes"], value, "at least 0 bytes")])
    return TraceChunk(str(path), row, time_s, key, size_bytes)


def _batches(path: Path, reading: csv.ReadOptions, options: csv.ConvertOptions,
             row: int) -> Iterator[tuple[int, pa.RecordBatch]]:  # fmt: skip
    try:
        stream = pa.input_stream(str(path), compression="detect")
        if not stream.read(1):
            raise DataError.of_file(path, "a trace with at least one request", "an empty one")
        stream = pa.input_stream(str(path), compression="detect")
        with csv.open_csv(stream, read_options=reading, convert_options=options) as reader:
            for batch in reader:
                yield row, batch
                row += len(batch)
    except (pa.ArrowException, OSError, KeyError) as error:
        expected = f"CSV rows of {', '.join(options.column_types)} after row {row - 1} ({' '.join(str(error).split())})"
        raise DataError.of_file(path, expected) from error
