"""Reading request logs into memory: every file checked, every bad row counted and kept apart."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from cdn.logs.chunks import LogChunk
from cdn.logs.duplicates import duplicate_mask
from cdn.logs.quarantine import (
    DEFAULT_BAD_SHARE,
    UNKNOWN_ASSET,
    UNKNOWN_REGION,
    Quarantine,
    QuarantineCounter,
    bad_rows,
)
from cdn.logs.readers import reader_of
from cdn.logs.request_log_files import REQUEST_LOG
from cdn.logs.store import log_files
from cdn.logs.sweeping import SweepingClients
from cdn.model.arrays import frozen
from cdn.model.index import Index
from cdn.model.request_log import RequestLog

__all__ = ["REQUEST_LOG", "known_chunks", "read_request_log"]

_DTYPES = {"time_us": np.int64, "region": np.int32, "asset": np.int32, "bytes": np.int64, "session": np.uint64}


def read_request_log(paths: Sequence[Path | str], region_index: Index, asset_index: Index, *,
                     format_name: str = "request_log", bad_share: float = DEFAULT_BAD_SHARE,
                     drop_duplicates: bool = False,
                     without: SweepingClients | None = None) -> tuple[RequestLog, Quarantine]:
    """Reads one or more files or log stores as one log in time order, and what was not used of them.

    Rows that are torn, not UTF-8, or hold no readable time, id or byte count, and rows of regions or assets that the
    indexes do not know, are left out and counted. Exact duplicates are counted, and left out only with
    ``drop_duplicates``: a client can ask twice in the same second, but where the log has a ``session_id`` duplicates
    are certain. Requests of the sweeping clients ``without`` are good rows that are left out.

    Raises DataError where a file cannot be read, lacks a column or has not one good row; where the log has no
    rows; and where more than ``bad_share`` of all rows are bad, because half a log must not quietly make a plan.
    """
    files = [file for path in paths for file in log_files(path)]
    counter = QuarantineCounter()
    parts: dict[str, list[np.ndarray]] = {name: [] for name in _DTYPES}
    for chunk, region, asset in known_chunks(files, format_name, region_index, asset_index, counter, without):
        for name, values in zip(_DTYPES, (chunk.time_us, region, asset, chunk.bytes, session_hash(chunk)), strict=True):
            parts[name].append(values)
    counter.quarantine().check_share(bad_share, files)
    columns = _in_time_order(parts)
    again = duplicate_mask(*columns.values())
    counter.duplicates = int(again.sum())
    del columns["session"]
    if drop_duplicates and counter.duplicates:
        columns = {name: values[~again] for name, values in columns.items()}
    for name in columns:
        columns[name] = _freeze(columns[name])
    return RequestLog(region_index, asset_index, **columns), counter.quarantine(drop_duplicates)


def known_chunks(files: Iterable[Path], format_name: str, region_index: Index | None, asset_index: Index | None,
                 counter: QuarantineCounter, without: SweepingClients | None = None,
                 ) -> Iterator[tuple[LogChunk, np.ndarray, np.ndarray]]:
    """The good requests of many files, chunk by chunk, with their dense region and asset (N,) int32.

    ``counter`` is told of all rows; those of the clients ``without`` are then left out. An index of None knows every
    id: its positions are then UNKNOWN. Raises DataError where a file cannot be read or all its rows are bad.
    """
    read = reader_of(format_name)
    for file in files:
        of_file = QuarantineCounter()
        for chunk in read(file):
            known, region, asset = _known(chunk, region_index, asset_index)
            for one in (counter, of_file):
                one.add(known.rows_read, known.bad)
            if without is not None:
                kept = ~without.of_chunk(known)
                known, region, asset = known.select(kept), region[kept], asset[kept]
            yield known, region, asset
        if of_file.rows_read:
            of_file.quarantine().check_share(1.0, [file])


def _known(chunk: LogChunk, region_index: Index | None,
           asset_index: Index | None) -> tuple[LogChunk, np.ndarray, np.ndarray]:
    region, asset = _dense(chunk.region_id, region_index), _dense(chunk.asset_id, asset_index)
    good = np.ones(len(chunk), dtype=bool)
    found = []
    for reason, column, positions, index, expected in (
            (UNKNOWN_REGION, "region_id", region, region_index, "a region of the topology"),
            (UNKNOWN_ASSET, "asset_id", asset, asset_index, "an asset of the catalog")):
        rows = np.flatnonzero((positions < 0) & good) if index is not None else np.empty(0, dtype=np.int64)
        if len(rows):
            ids = getattr(chunk, column).take(pa.array(rows)).to_pylist()
            lines = chunk.line[rows]
            found.append(bad_rows(chunk.file, lines, reason, column, ids, expected, chunk.text_of(lines)))
            good[rows] = False
    return (chunk.select(good, tuple(found)), region[good], asset[good]) if found else (chunk, region, asset)


def _dense(ids: pa.DictionaryArray, index: Index | None) -> np.ndarray:
    if index is None or not len(ids.dictionary):
        return np.full(len(ids), -1, dtype=np.int32)
    return index.positions_of(ids.dictionary.to_pylist())[ids.indices.to_numpy()]


def session_hash(chunk: LogChunk) -> np.ndarray:
    """(N,) uint64: a hash of the optional columns, which tell apart rows alike in the others; 0 without any.

    A cell that is empty and a column that the file lacks are the same.
    """
    total = np.zeros(len(chunk), dtype=np.uint64)
    for name in (column.name for column in REQUEST_LOG.columns if not column.required):
        total *= np.uint64(31)
        if name in chunk.optional:
            coded = chunk.optional[name].dictionary_encode()
            values = np.array(coded.dictionary.to_pylist(), dtype=object)
            hashes = np.append(pd.util.hash_array(values, categorize=False), np.uint64(0))
            total += hashes[coded.indices.fill_null(len(hashes) - 1).to_numpy()]
    return total


def _in_time_order(parts: dict[str, list[np.ndarray]]) -> dict[str, np.ndarray]:
    """The columns as one array each, rows in time order (equal times as given). Frees the parts as it goes."""
    time_us = _joined(parts, "time_us")
    order = None if bool((time_us[1:] >= time_us[:-1]).all()) else np.argsort(time_us, kind="stable")
    columns = {"time_us": time_us if order is None else time_us[order]}
    del time_us
    for name in _DTYPES:
        if name != "time_us":
            values = _joined(parts, name)
            columns[name] = values if order is None else values[order]
    return columns


def _joined(parts: dict[str, list[np.ndarray]], name: str) -> np.ndarray:
    arrays = parts.pop(name)
    return np.concatenate(arrays).astype(_DTYPES[name], copy=False) if arrays else np.empty(0, dtype=_DTYPES[name])


def _freeze(values: np.ndarray) -> np.ndarray:
    """Ours alone, so it is locked as it stands instead of copied, which at a hundred million requests matters."""
    if values.base is not None:
        return frozen(values, values.dtype)
    values.flags.writeable = False
    return values
