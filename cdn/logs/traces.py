"""A request log as a single cache sees it: which object was asked for, in time order, and how large each is."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cdn.logs.chunks import LogChunk
from cdn.logs.quarantine import DEFAULT_BAD_SHARE, Quarantine, QuarantineCounter
from cdn.logs.request_logs import known_chunks
from cdn.logs.store import log_files


@dataclass(frozen=True, eq=False)
class Trace:
    """``asset`` (N,) int32 positions in ``size_bytes`` (n_assets,) int64; only assets that are asked for."""

    asset: np.ndarray
    size_bytes: np.ndarray

    def __len__(self) -> int:
        return len(self.asset)

    @property
    def footprint_bytes(self) -> int:
        return int(self.size_bytes.sum())


def read_trace(paths: Sequence[Path | str]) -> tuple[Trace, Quarantine]:
    """Reads request logs or log stores as one stream, whatever regions and assets they name, and what was not used.

    Transfers may be partial, so an asset's size is the largest. Raises DataError as ``read_request_log``.
    """
    files = [file for path in paths for file in log_files(path)]
    counter = QuarantineCounter()
    position: dict[str, int] = {}
    chunks = [(chunk.time_us, _positions(chunk, position), chunk.bytes)
              for chunk, _, _ in known_chunks(files, "request_log", None, None, counter)]
    counter.quarantine().check_share(DEFAULT_BAD_SHARE, files)
    time_us, asset, transferred = (np.concatenate(column) for column in zip(*chunks, strict=True))
    size_bytes = np.zeros(len(position), dtype=np.int64)
    np.maximum.at(size_bytes, asset, transferred)
    if not bool((time_us[1:] >= time_us[:-1]).all()):
        asset = asset[np.argsort(time_us, kind="stable")]
    return Trace(asset, size_bytes), counter.quarantine()


def _positions(chunk: LogChunk, position: dict[str, int]) -> np.ndarray:
    """(N,) int32; new ids get the next positions. (A chunk's dictionary may hold ids that no row has.)"""
    indices = chunk.asset_id.indices.to_numpy(zero_copy_only=False)
    used = np.unique(indices)
    names = chunk.asset_id.dictionary.to_pylist()
    of_name = np.zeros(len(names), dtype=np.int32)
    for entry in used:
        of_name[entry] = position.setdefault(names[entry], len(position))
    return of_name[indices]
