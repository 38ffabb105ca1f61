"""TRACE_READERS: trace format -> reader, and which format a file is in."""

import io
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pyarrow as pa

from cdn.errors import DataError, UnknownNameError
from cdn.traces.chunks import TraceChunk, in_time_order
from cdn.traces.csv import DEFAULT_COLUMNS, TWITTER_COLUMNS, read_named_csv, read_twitter_csv
from cdn.traces.oracle_general import read_oracle_general
from cdn.traces.request_logs import read_request_log_trace

Reader = Callable[..., Iterator[TraceChunk]]
AUTO = "auto"
TRACE_READERS: dict[str, Reader] = {
    "csv": read_named_csv,
    "oracle_general": read_oracle_general,
    "request_log": read_request_log_trace,
    "twitter": read_twitter_csv,
}
REQUEST_LOG_COLUMNS = {"time", "region_id", "asset_id", "bytes"}
HEADER_BYTES_MAX = 1 << 16
COMPRESSED = (".zst", ".zstd", ".gz")


def read_trace(path: Path, file_format: str = AUTO, columns: Mapping[str, str] | None = None) -> Iterator[TraceChunk]:
    """The requests of a trace, chunk by chunk, in time order.

    ``columns`` names those of a CSV. Raises UnknownNameError for a format not in ``TRACE_READERS``, DataError for a
    file that is not there, not readable, empty, or goes back in time.
    """
    if file_format not in (AUTO, *TRACE_READERS):
        raise UnknownNameError("trace format", file_format, [AUTO, *TRACE_READERS])
    if not path.is_file():
        raise DataError.of_file(path, "a file")
    name = format_of(path, columns) if file_format == AUTO else file_format
    return in_time_order(path, TRACE_READERS[name](path, columns) if name == "csv" else TRACE_READERS[name](path))


def format_of(path: Path, columns: Mapping[str, str] | None = None) -> str:
    """By the file's name and, of a CSV, its first line. Raises DataError where neither tells."""
    suffixes = [suffix for suffix in path.suffixes if suffix not in COMPRESSED]
    if any("oraclegeneral" in suffix.lower() for suffix in path.suffixes) or suffixes[-1:] == [".bin"]:
        return "oracle_general"
    if suffixes[-1:] == [".parquet"]:
        return "request_log"
    fields = _first_line(path)
    if set(fields) >= REQUEST_LOG_COLUMNS:
        return "request_log"
    if {*{**DEFAULT_COLUMNS, **(columns or {})}.values()} <= set(fields):
        return "csv"
    if len(fields) == len(TWITTER_COLUMNS) and fields[0].isdigit():
        return "twitter"
    raise DataError.of_file(path, f"a name or header of one of {', '.join(TRACE_READERS)}", ",".join(fields))


def _first_line(path: Path) -> list[str]:
    try:
        with pa.input_stream(str(path), compression="detect") as stream:
            text = io.BytesIO(stream.read(HEADER_BYTES_MAX)).readline().decode("utf-8", "replace")
    except OSError as error:
        raise DataError.of_file(path, f"a readable trace ({' '.join(str(error).split())})") from error
    return [field.strip().strip('"') for field in text.strip().split(",")]
