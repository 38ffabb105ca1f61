"""TRACE_READERS: trace format -> reader, and which format a file is in."""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from cdn.errors import DataError, UnknownNameError
from cdn.logs.store import log_files
from cdn.traces.chunks import TraceChunk, TraceFiles, in_time_order
from cdn.traces.csv import DEFAULT_COLUMNS, TWITTER_COLUMNS, read_named_csv, read_twitter_csv
from cdn.traces.oracle_general import read_oracle_general
from cdn.traces.request_logs import REQUEST_LOG, read_request_logs

AUTO = "auto"
TRACE_READERS: dict[str, Callable[[TraceFiles], Iterator[TraceChunk]]] = {
    "csv": read_named_csv,
    "oracle_general": read_oracle_general,
    REQUEST_LOG: read_request_logs,
    "twitter": read_twitter_csv,
}
REQUEST_LOG_COLUMNS = {"time", "region_id", "asset_id", "bytes"}
HEADER_BYTES_MAX = 1 << 16
COMPRESSED = (".zst", ".zstd", ".gz")


def read_trace(paths: Path | Sequence[Path], file_format: str = AUTO, columns: Mapping[str, str] | None = None,
               note: Callable[[str], None] = lambda words: None) -> Iterator[TraceChunk]:  # fmt: skip
    """The requests of a trace, chunk by chunk, in time order.

    Several files are read one after the other as one trace; a folder is a log store. ``columns`` names those of a CSV;
    ``note`` is told what was left out. Raises UnknownNameError for a format not in ``TRACE_READERS``, DataError for a
    file that is not there, not readable, empty, or goes back in time.
    """
    if file_format not in (AUTO, *TRACE_READERS):
        raise UnknownNameError("trace format", file_format, [AUTO, *TRACE_READERS])
    files = trace_files([paths] if isinstance(paths, Path) else paths)
    name = _one_format(files, columns) if file_format == AUTO else file_format
    return in_time_order(files, TRACE_READERS[name](TraceFiles(files, columns or {}, note)))


def trace_files(paths: Sequence[Path]) -> tuple[Path, ...]:
    """The files themselves, those of a folder by name. Raises DataError for what is neither."""
    missing = [path for path in paths if not path.exists()]
    if missing:
        raise DataError.of_file(missing[0], "a file, or a folder with a log store")
    return tuple(file for path in paths for file in (log_files(path) if path.is_dir() else [path]))


def _one_format(files: Sequence[Path], columns: Mapping[str, str] | None) -> str:
    formats = [format_of(file, columns) for file in files]
    for file, name in zip(files, formats, strict=True):
        if name != formats[0]:
            raise DataError.of_file(file, f"the format of {files[0]}, {formats[0]}", name)
    return formats[0]


def format_of(path: Path, columns: Mapping[str, str] | None = None) -> str:
    """By the file's name and, of a CSV, its first line. Raises DataError where neither tells."""
    suffixes = [suffix for suffix in path.suffixes if suffix not in COMPRESSED]
    if any("oraclegeneral" in suffix.lower() for suffix in path.suffixes) or suffixes[-1:] == [".bin"]:
        return "oracle_general"
    if suffixes[-1:] == [".parquet"]:
        return REQUEST_LOG
    fields = _first_line(path)
    if set(fields) >= REQUEST_LOG_COLUMNS:
        return REQUEST_LOG
    if {*{**DEFAULT_COLUMNS, **(columns or {})}.values()} <= set(fields):
        return "csv"
    if len(fields) == len(TWITTER_COLUMNS) and fields[0].isdigit():
        return "twitter"
    expected = (f"a name or header of one of {', '.join(TRACE_READERS)}; a csv has {', '.join(DEFAULT_COLUMNS)}, or "
                "it is said what they are called")
    raise DataError.of_file(path, expected, ",".join(fields))


def _first_line(path: Path) -> list[str]:
    try:
        with pa.input_stream(str(path), compression="detect") as stream:
            text = io.BytesIO(stream.read(HEADER_BYTES_MAX)).readline().decode("utf-8-sig", "replace")
    except OSError as error:
        raise DataError.of_file(path, f"a readable trace ({' '.join(str(error).split())})") from error
    return [field.strip().strip('"') for field in text.strip().split(",")]
