"""Traces in CSV: named columns, and Twitter's files (Yang, Yue, Rashmi, OSDI 2020), which have no header."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from cdn.errors import DataError, Fault
from cdn.traces.chunks import TraceChunk, TraceFiles

BLOCK_BYTES = 8 << 20
DEFAULT_COLUMNS = {"time": "time", "id": "id", "size_bytes": "size_bytes"}
TWITTER_COLUMNS = ("timestamp", "key", "key_size", "value_size", "client_id", "operation", "ttl")
TWITTER_KINDS = dict(zip(TWITTER_COLUMNS, (pa.int64(), pa.string(), pa.int64(), pa.int64(), pa.string(), pa.string(),
                                           pa.string()), strict=True))  # fmt: skip
READS = ("get", "gets")
NUMBER_MAX = 2**61  # so that the sum of two fits as well
# What each kind of column holds.
EXPECTED = {pa.int64(): f"a whole number, 0 to 2**61 = {NUMBER_MAX}", pa.float64(): "seconds, up to 2**61",
            pa.string(): "text in UTF-8"}  # fmt: skip


@dataclass(frozen=True)
class _Layout:
    """A file's columns that are read and what they hold; ``names`` of all columns where there is no header."""

    kinds: Mapping[str, pa.DataType]
    names: tuple[str, ...] = ()

    @property
    def first_row(self) -> int:
        return 1 if self.names else 2

    def batches(self, path: Path, kinds: Mapping[str, pa.DataType]) -> Iterator[pa.RecordBatch]:
        reading = csv.ReadOptions(block_size=BLOCK_BYTES, column_names=list(self.names) or None)
        options = csv.ConvertOptions(include_columns=list(kinds), column_types=dict(kinds), null_values=[])
        with csv.open_csv(pa.input_stream(str(path), compression="detect"), read_options=reading,
                          convert_options=options) as reader:  # fmt: skip
            yield from reader


def read_named_csv(files: TraceFiles) -> Iterator[TraceChunk]:
    """CSVs with a header. ``columns`` says what ``time`` (seconds), ``id`` and ``size_bytes`` are called there.

    Ids are text: ``7`` and ``07`` are two objects. Raises DataError where a column is missing, or a cell is no number.
    """
    names = {**DEFAULT_COLUMNS, **files.columns}
    layout = _Layout({names["time"]: pa.float64(), names["id"]: pa.string(), names["size_bytes"]: pa.int64()})
    for path, row, batch in _checked_batches(files, layout):
        time, key, size = batch.columns
        yield TraceChunk(str(path), range(row, row + len(batch)), np.floor(_numbers(time)).astype(np.int64), key,
                         _numbers(size))


def read_twitter_csv(files: TraceFiles) -> Iterator[TraceChunk]:
    """Reads only (``get``, ``gets``); an object's size is its key's and its value's."""
    for path, row, batch in _checked_batches(files, _Layout(TWITTER_KINDS, TWITTER_COLUMNS)):
        is_read = pc.is_in(batch["operation"], pa.array(READS))
        reads = batch.filter(is_read)
        rows = row + np.flatnonzero(is_read.to_numpy(zero_copy_only=False))
        size = _numbers(reads["key_size"]) + _numbers(reads["value_size"])
        yield TraceChunk(str(path), rows, _numbers(reads["timestamp"]), reads["key"], size)


def _checked_batches(files: TraceFiles, layout: _Layout) -> Iterator[tuple[Path, int, pa.RecordBatch]]:
    """Each file's batches with their first row, all numbers in range."""
    for path in files.paths:
        row = layout.first_row
        try:
            if not pa.input_stream(str(path), compression="detect").read(1):
                continue
            for batch in layout.batches(path, layout.kinds):
                if not all(_in_range(column) for column in batch.columns):
                    raise pa.ArrowInvalid("a number out of range")
                yield path, row, batch
                row += len(batch)
        except (pa.ArrowException, OSError, KeyError) as error:
            raise _named(path, layout, row, error) from error


def _numbers(column: pa.Array) -> np.ndarray:
    return column.to_numpy(zero_copy_only=False)


def _in_range(column: pa.Array) -> bool:
    if column.type == pa.string() or not len(column):
        return True
    values = _numbers(column)
    low = 0 if column.type == pa.int64() else -NUMBER_MAX
    return bool(values.min() >= low and values.max() <= NUMBER_MAX)


def _named(path: Path, layout: _Layout, row: int, error: Exception) -> DataError:
    """The first cell, from ``row`` on, that is not what its column holds; else what the reader says."""
    try:
        here = layout.first_row
        for batch in layout.batches(path, dict.fromkeys(layout.kinds, pa.binary())):
            if here + len(batch) > row:
                faults = [_first_fault(path, here, column, kind, batch[column]) for column, kind in
                          layout.kinds.items()]  # fmt: skip
                found = [fault for fault in faults if fault]
                if found:
                    return DataError([min(found, key=lambda fault: int(fault.row or 0))])
            here += len(batch)
    except (pa.ArrowException, OSError, KeyError):
        pass
    expected = f"CSV rows of {', '.join(layout.kinds)} after row {row - 1} ({' '.join(str(error).split())})"
    return DataError.of_file(path, expected)


def _first_fault(path: Path, row: int, column: str, kind: pa.DataType, cells: pa.Array) -> Fault | None:
    for k, cell in enumerate(cells.to_pylist()):
        if not _is_valid(cell, kind):
            return Fault(str(path), row + k, column, cell.decode(errors="replace"), EXPECTED[kind])
    return None


def _is_valid(cell: bytes, kind: pa.DataType) -> bool:
    try:
        text = cell.decode()
        if kind == pa.string():
            return True
        value = int(text) if kind == pa.int64() else float(text)
    except ValueError:
        return False
    return math.isfinite(value) and (0 if kind == pa.int64() else -NUMBER_MAX) <= value <= NUMBER_MAX
