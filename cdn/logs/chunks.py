"""One stretch of a log in its own types, and the bad rows found in it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from cdn.logs import cells
from cdn.logs.quarantine import BAD_BYTES, BAD_TIME, EMPTY_ASSET, EMPTY_REGION, ENCODING, bad_rows

_NEEDED = ("time", "region_id", "asset_id", "bytes")
TextOf = Callable[[np.ndarray], list[str]]


@dataclass(frozen=True, eq=False)
class LogChunk:
    """N good requests of one file, in file order, and the bad rows among them.

    ``line`` (N,) int64, 1-based; ``time_us`` (N,) int64 since 1970 UTC; ``region_id``, ``asset_id`` (N,) dictionary
    arrays of text; ``bytes`` (N,) int64; ``optional``: further columns of the request log that the file has, as text.
    ``text_of(lines)``: what the file says there. ``rows_read`` counts good and bad rows.
    """

    file: str
    line: np.ndarray
    time_us: np.ndarray
    region_id: pa.DictionaryArray
    asset_id: pa.DictionaryArray
    bytes: np.ndarray
    optional: dict[str, pa.Array]
    text_of: TextOf
    rows_read: int
    bad: tuple[pd.DataFrame, ...] = ()

    def __len__(self) -> int:
        return len(self.line)

    def select(self, keep: np.ndarray, bad: tuple[pd.DataFrame, ...] = ()) -> "LogChunk":
        """The requests where ``keep`` (N,) holds; ``bad`` says why the others went."""
        mask = pa.array(keep)
        return LogChunk(self.file, self.line[keep], self.time_us[keep], self.region_id.filter(mask),
                        self.asset_id.filter(mask), self.bytes[keep],
                        {name: column.filter(mask) for name, column in self.optional.items()}, self.text_of,
                        self.rows_read, self.bad + bad)


def chunk_of(file: str, line: np.ndarray, columns: dict[str, pa.Array], text_of: TextOf,
             torn: pd.DataFrame | None = None) -> LogChunk:
    """Reads the cells of N rows: ``columns`` (N,) as text, binary or a file's own types; ``torn`` rows had no columns.

    A bad row is counted once, under its first fault in the order encoding, time, region, asset, bytes.
    """
    texts = {name: cells.decoded(column) for name, column in columns.items()}
    undecodable = np.logical_or.reduce([bad for _, bad in texts.values()])
    time_us, bad_time = cells.times_us(texts["time"][0])
    region_id, empty_region = cells.ids(texts["region_id"][0])
    asset_id, empty_asset = cells.ids(texts["asset_id"][0])
    byte_count, bad_bytes = cells.byte_counts(texts["bytes"][0])
    optional = {name: cells.texts(column) for name, (column, _) in texts.items() if name not in _NEEDED}
    chunk = LogChunk(file, line, time_us, region_id, asset_id, byte_count, optional, text_of,
                     len(line) + (0 if torn is None else len(torn)), () if torn is None else (torn,))
    found = []
    good = np.ones(len(line), dtype=bool)
    for reason, column, is_bad, expected in (
            (ENCODING, None, undecodable, cells.EXPECTED_TEXT),
            (BAD_TIME, "time", bad_time, cells.EXPECTED_TIME),
            (EMPTY_REGION, "region_id", empty_region, cells.EXPECTED_ID),
            (EMPTY_ASSET, "asset_id", empty_asset, cells.EXPECTED_ID),
            (BAD_BYTES, "bytes", bad_bytes, cells.EXPECTED_BYTES)):
        rows = np.flatnonzero(is_bad & good)
        if len(rows):
            text = text_of(line[rows])
            value = text if column is None else cells.shown(texts[column][0].take(pa.array(rows)))
            found.append(bad_rows(file, line[rows], reason, column, value, expected, text))
            good[rows] = False
    return chunk.select(good, tuple(found)) if found else chunk


def no_text(lines: np.ndarray) -> list[str]:
    """For files whose records are no lines of text."""
    return [""] * len(lines)
