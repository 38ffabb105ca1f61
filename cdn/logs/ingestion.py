"""Raw logs of any known format into the log store, in bounded memory however long they are.

Rows are collected in a DuckDB table, which is sorted day by day within a memory limit; what does not fit spills into a
folder beside the store.
"""

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import duckdb
import numpy as np
import pyarrow as pa

from cdn.errors import DataError
from cdn.files.writing import staged_folder
from cdn.logs.chunks import LogChunk
from cdn.logs.quarantine import DEFAULT_BAD_SHARE, Quarantine, QuarantineCounter
from cdn.logs.request_logs import REQUEST_LOG, known_chunks
from cdn.logs.store import day_of_file, file_of_day, log_files
from cdn.logs.sweeping import CLIENT, DISTINCT_ASSETS, SweepingClients, sweeping_rows
from cdn.model.index import Index
from cdn.units import MICROSECONDS_PER_SECOND, SECONDS_PER_DAY

MEMORY_BYTES = 1 << 30
ROWS_PER_GROUP = 1 << 18
_US_PER_DAY = SECONDS_PER_DAY * MICROSECONDS_PER_SECOND
_OPTIONAL = tuple(column.name for column in REQUEST_LOG.columns if not column.required)


@dataclass(frozen=True, eq=False)
class Ingestion:
    """What went into a store: requests per day number (days that were written), and what did not. ``sweeping``: the
    clients that sweep, which ``sweeping_left_out`` or not."""

    requests_of_day: Mapping[int, int]
    quarantine: Quarantine
    sweeping: SweepingClients
    sweeping_left_out: bool


def ingest(logs: Sequence[Path | str], store: Path | str, *, format_name: str = "request_log",
           region_index: Index | None = None, asset_index: Index | None = None, bad_share: float = DEFAULT_BAD_SHARE,
           drop_duplicates: bool = False, replace_days: bool = False, memory_bytes: int = MEMORY_BYTES,
           sweeping_assets: int = DISTINCT_ASSETS, exclude_sweeping: bool = False) -> Ingestion:
    """Writes one Parquet file per UTC day of the logs into ``store``, in time order (equal times as given).

    Days the logs do not hold stay as they are. The store changes as a whole or not at all. Without indexes every id is
    taken. Clients with more than ``sweeping_assets`` distinct assets in a day are counted and, with
    ``exclude_sweeping``, left out. Raises DataError as ``read_request_log`` does, and where the store already has one
    of the days (unless ``replace_days``), because adding half a day twice or replacing a day by its stragglers would go
    unnoticed.
    """
    store = Path(store)
    files = [file for log in logs for file in log_files(log)]
    old_days = _days_of_store(store)
    store.parent.mkdir(parents=True, exist_ok=True)
    with (tempfile.TemporaryDirectory(dir=store.parent, prefix=f".{store.name}.spool-") as spool,
          duckdb.connect() as connection):
        connection.execute(f"SET memory_limit = '{memory_bytes}B'")
        connection.execute(f"SET temp_directory = {_quoted(spool)}")
        counter = _collect(connection, files, format_name, region_index, asset_index)
        counter.quarantine().check_share(bad_share, files)
        sweeping = _sweeping(connection, sweeping_assets)
        if exclude_sweeping:
            _leave_out(connection, sweeping)
            if sweeping.swept_requests == sweeping.requests:
                raise DataError.of_file(files[0], f"a client with at most {sweeping_assets} distinct assets in a day")
        days = [day for (day,) in connection.execute("SELECT DISTINCT day FROM spool ORDER BY day").fetchall()]
        _check_days(store, sorted(set(days) & old_days.keys()), replace_days)
        with staged_folder(store) as stage:
            for day in old_days.keys() - set(days):
                _link(old_days[day], stage / old_days[day].name)
            requests = _write_days(connection, days, stage, counter, drop_duplicates)
    return Ingestion(MappingProxyType(requests), counter.quarantine(drop_duplicates), sweeping, exclude_sweeping)


def _days_of_store(store: Path) -> dict[int, Path]:
    """The days a store has. Raises DataError where it is anything but a folder of such days."""
    if not store.exists():
        return {}
    if not store.is_dir():
        raise DataError.of_file(store, "a folder to write a log store into")
    days = {}
    for path in sorted(store.iterdir()):
        day = day_of_file(path)
        if day is None or not path.is_file():
            raise DataError.of_file(store, "a folder that holds only requests-YYYY-MM-DD.parquet", path.name)
        days[day] = path
    return days


def _check_days(store: Path, both: Sequence[int], replace_days: bool) -> None:
    if both and not replace_days:
        raise DataError.of_file(store, "days that it does not have yet (or the option to replace them)",
                                ", ".join(file_of_day(store, day).name for day in both))


def _collect(connection: duckdb.DuckDBPyConnection, files: Sequence[Path], format_name: str, region_index: Index | None,
             asset_index: Index | None) -> QuarantineCounter:
    connection.execute("SET enable_progress_bar = false")
    connection.execute(
        "CREATE TABLE spool (day INTEGER, sequence BIGINT, time TIMESTAMP, region_id VARCHAR, asset_id VARCHAR, "
        "bytes BIGINT, " + ", ".join(f"{name} VARCHAR" for name in _OPTIONAL) + ")")
    counter = QuarantineCounter()
    done = 0
    for chunk, _, _ in known_chunks(files, format_name, region_index, asset_index, counter):
        connection.register("chunk", _table_of(chunk, done))
        connection.execute("INSERT INTO spool SELECT * FROM chunk")
        connection.unregister("chunk")
        done += len(chunk)
    return counter


def _table_of(chunk: LogChunk, done: int) -> pa.Table:
    n = len(chunk)
    return pa.table({
        "day": pa.array(chunk.time_us // _US_PER_DAY, pa.int32()),
        "sequence": pa.array(np.arange(done, done + n)),
        "time": pa.array(chunk.time_us).cast(pa.timestamp("us")),
        "region_id": chunk.region_id,
        "asset_id": chunk.asset_id,
        "bytes": pa.array(chunk.bytes),
        **{name: chunk.optional.get(name, pa.nulls(n, pa.string())) for name in _OPTIONAL},
    })


def _sweeping(connection: duckdb.DuckDBPyConnection, distinct_assets: int) -> SweepingClients:
    """Grouped twice rather than by count(DISTINCT), which cannot spill."""
    requests, with_session = _one_row(connection, f"SELECT count(*), count({CLIENT}) FROM spool")
    rows = connection.execute(
        f"SELECT day, {CLIENT}, count(*)::BIGINT AS assets, sum(n)::BIGINT AS requests FROM "
        f"(SELECT day, {CLIENT}, asset_id, count(*) AS n FROM spool WHERE {CLIENT} IS NOT NULL "
        f"GROUP BY day, {CLIENT}, asset_id) GROUP BY day, {CLIENT} HAVING count(*) > {distinct_assets:d}").df()
    return SweepingClients(sweeping_rows(rows), distinct_assets, requests, with_session)


def _leave_out(connection: duckdb.DuckDBPyConnection, sweeping: SweepingClients) -> None:
    connection.register("sweeping", sweeping.rows)
    connection.execute(f"DELETE FROM spool WHERE (day, {CLIENT}) IN (SELECT (day, {CLIENT}) FROM sweeping)")
    connection.unregister("sweeping")


def _write_days(connection: duckdb.DuckDBPyConnection, days: Sequence[int], stage: Path, counter: QuarantineCounter,
                drop_duplicates: bool) -> dict[int, int]:
    found = _one_row(connection, "SELECT " + ", ".join(f"count({name})" for name in _OPTIONAL) + " FROM spool")
    present = [name for name, n in zip(_OPTIONAL, found, strict=True) if n]
    columns = ", ".join(["time", "region_id", "asset_id", "bytes", *present])
    requests = {}
    for day in days:
        of_day = f"FROM spool WHERE day = {day}"
        rows, = _one_row(connection, f"SELECT count(*) {of_day}")
        once, = _one_row(connection, f"SELECT count(*) FROM (SELECT DISTINCT {columns} {of_day})")
        counter.duplicates += rows - once
        drop = drop_duplicates and once < rows
        ordered = f"GROUP BY {columns} ORDER BY time, min(sequence)" if drop else "ORDER BY time, sequence"
        connection.execute(f"COPY (SELECT {columns} {of_day} {ordered}) TO {_quoted(file_of_day(stage, day))} "
                           f"(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROWS_PER_GROUP})")
        requests[day] = once if drop else rows
    return requests


def _one_row(connection: duckdb.DuckDBPyConnection, query: str) -> tuple:
    return connection.execute(query).fetchall()[0]


def _quoted(path: Path | str) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _link(source: Path, target: Path) -> None:
    """The same file in another folder, without copying it where the file system can."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
