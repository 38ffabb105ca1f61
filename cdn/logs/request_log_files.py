"""The request log's own file format: CSV (also ``.csv.gz``) or Parquet, one row per request."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cdn.errors import DataError, Fault
from cdn.files.schema import CSV, PARQUET, Column, TableSchema
from cdn.logs import cells
from cdn.logs.chunks import LogChunk, chunk_of, no_text
from cdn.logs.lines import LINE_BYTES_MAX, LineBlock, line_blocks, line_text, split_line, split_rows
from cdn.logs.quarantine import TEXT_KEPT, TORN, bad_rows

REQUEST_LOG = TableSchema(
    "request log",
    (
        Column("time", "time", "UTC", "when the request was answered; an offset such as +02:00 is converted"),
        Column("region_id", "string", "", "who asked"),
        Column("asset_id", "string", "", "for what"),
        Column("bytes", "integer", "bytes", "what was sent", minimum=0),
        Column("session_id", "string", "", "the client's session; where given, rows alike are duplicates for certain",
               None),
        Column("served_by", "string", "", "site or appliance that answered", None),
        Column("cached", "string", "", "whether a cache had it", None),
    ),
    open_ended=True,
)
RECORDS_PER_CHUNK = 1 << 20
_GZ = CSV + ".gz"
_READABLE = {"time": (cells.may_be_time, "a timestamp or text"), "bytes": (cells.may_be_bytes, "a number or text")}
_READABLE_ID = (cells.may_be_id, "text or integers")


def read_request_log_file(path: Path) -> Iterator[LogChunk]:
    """The requests of one CSV or Parquet file. Raises DataError where the file cannot be read or lacks a column."""
    if path.suffix == PARQUET:
        return _parquet_chunks(path)
    if path.name.endswith((CSV, _GZ)):
        return _csv_chunks(path)
    raise DataError.of_file(path, f"a file name ending in {CSV}, {_GZ} or {PARQUET}", path.suffix)


def _columns_of(path: Path, names: list[str]) -> list[str]:
    """The request log's columns among ``names``. Raises DataError where one is missing or stands twice."""
    known = REQUEST_LOG.column_names
    faults = [Fault(str(path), 1, name, None, f"this column once, not {names.count(name)} times")
              for name in known if names.count(name) > 1]
    faults += [Fault(str(path), 1, column.name, ",".join(names), f"a column {column.name!r} of {REQUEST_LOG.name}")
               for column in REQUEST_LOG.columns if column.required and column.name not in names]
    if faults:
        raise DataError(faults)
    return [name for name in known if name in names]


def _csv_chunks(path: Path) -> Iterator[LogChunk]:
    names: list[str] = []
    for block in line_blocks(path):
        if not names:
            names, block = _header_of(path, block)
            wanted = _columns_of(path, names)
        if block.data:
            yield _csv_chunk(path, block, names, wanted)
    if not names:
        raise DataError.of_file(path, f"a header with the columns {', '.join(REQUEST_LOG.column_names[:4])}")


def _header_of(path: Path, block: LineBlock) -> tuple[list[str], LineBlock]:
    """The header's names, and the block without its first line."""
    header, _, rest = block.data.partition(b"\n")
    try:
        text = header.decode("utf-8-sig").rstrip("\r")
    except UnicodeDecodeError as error:
        raise DataError([Fault(str(path), 1, None, header[:80], "a header in UTF-8")]) from error
    names = [name.strip() for name in split_line(text) or []]
    return names or [""], LineBlock(rest, block.first_line + 1)


def _csv_chunk(path: Path, block: LineBlock, names: list[str], wanted: list[str]) -> LogChunk:
    if block.cut:
        empty = {name: pa.array([], pa.binary()) for name in wanted}
        text = block.data[:TEXT_KEPT].decode("utf-8", "backslashreplace")
        torn = bad_rows(str(path), np.array([block.first_line]), TORN, None, [text],
                        f"a line of at most {LINE_BYTES_MAX} bytes", [text])
        return chunk_of(str(path), np.empty(0, dtype=np.int64), empty, no_text, torn)
    rows = split_rows(block.data, names, wanted)

    def text_of(lines: np.ndarray) -> list[str]:
        return line_text(block.data, rows.starts, lines - block.first_line, TEXT_KEPT)

    torn_lines = rows.torn + block.first_line
    texts = text_of(torn_lines)
    torn = bad_rows(str(path), torn_lines, TORN, None, texts, f"{len(names)} fields", texts) if texts else None
    return chunk_of(str(path), rows.line + block.first_line, rows.columns, text_of, torn)


def _parquet_chunks(path: Path) -> Iterator[LogChunk]:
    try:
        with pq.ParquetFile(path, read_dictionary=["region_id", "asset_id"]) as file:
            wanted = _columns_of(path, file.schema_arrow.names)
            _check_types(path, file.schema_arrow, wanted)
            done = 0
            for batch in file.iter_batches(RECORDS_PER_CHUNK, columns=wanted):
                line = np.arange(done + 1, done + 1 + len(batch))
                done += len(batch)
                yield chunk_of(str(path), line, dict(zip(batch.schema.names, batch.columns, strict=True)), no_text)
    except (pa.ArrowException, OSError) as error:
        raise DataError.of_file(path, f"a readable Parquet file ({' '.join(str(error).split())})") from error


def _check_types(path: Path, schema: pa.Schema, wanted: list[str]) -> None:
    faults = []
    required = {column.name for column in REQUEST_LOG.columns if column.required}
    for name in wanted:
        if name not in required and pa.types.is_null(schema.field(name).type):
            continue
        is_readable, expected = _READABLE.get(name, _READABLE_ID)
        kind = schema.field(name).type
        if not (is_readable(kind) or (name == "cached" and pa.types.is_boolean(kind))):
            faults.append(Fault(str(path), 1, name, str(kind), f"a column of {expected}"))
    if faults:
        raise DataError(faults)
