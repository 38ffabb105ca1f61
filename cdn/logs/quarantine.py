"""Rows of a log that could not be used: counted by reason, and kept with their place and text."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from cdn.errors import DataError, Fault
from cdn.files.schema import CSV, PARQUET, write_table

TORN, ENCODING = "torn", "encoding"
BAD_TIME, BAD_BYTES = "time", "bytes"
EMPTY_REGION, EMPTY_ASSET = "empty region", "empty asset"
UNKNOWN_REGION, UNKNOWN_ASSET = "unknown region", "unknown asset"
REASONS = (TORN, ENCODING, BAD_TIME, BAD_BYTES, EMPTY_REGION, EMPTY_ASSET, UNKNOWN_REGION, UNKNOWN_ASSET)

COLUMNS = ("file", "line", "reason", "column", "value", "expected", "text")
ROWS_KEPT = 100_000
TEXT_KEPT = 500
DEFAULT_BAD_SHARE = 0.05


def bad_rows(file: str, line: np.ndarray, reason: str, column: str | None, value: Sequence[Any], expected: str,
             text: Sequence[str]) -> pd.DataFrame:
    """Bad rows of one file and one reason, as rows of a quarantine. ``line``, ``value`` and ``text`` (N,)."""
    value = [None if cell is None else str(cell)[:TEXT_KEPT] for cell in value]
    frame = pd.DataFrame({"file": file, "line": np.asarray(line, dtype=np.int64), "reason": reason, "column": column,
                          "value": value, "expected": expected, "text": [cell[:TEXT_KEPT] for cell in text]})
    return frame.astype({name: object for name in COLUMNS if name != "line"})


def no_bad_rows() -> pd.DataFrame:
    """A quarantine's table without rows."""
    return bad_rows("", np.empty(0), "", None, [], "", [])


@dataclass(frozen=True, eq=False)
class Quarantine:
    """What was not used of a log, and why.

    ``rows_read``: all rows seen, good and bad. ``counts``: bad rows per reason, complete. ``rows``: the first
    ``ROWS_KEPT`` of them: file, line (1-based; the header of a CSV is line 1; the record of a Parquet file), reason,
    column, value, expected, text (cut at ``TEXT_KEPT`` characters). ``duplicates``: rows alike in every column to an
    earlier one; they are good rows and were left out only where ``duplicates_dropped``.
    """

    rows_read: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    rows: pd.DataFrame = field(default_factory=no_bad_rows)
    duplicates: int = 0
    duplicates_dropped: bool = False

    def __post_init__(self) -> None:
        ordered = {reason: int(self.counts[reason]) for reason in REASONS if self.counts.get(reason)}
        object.__setattr__(self, "counts", MappingProxyType(ordered))

    @property
    def bad_rows(self) -> int:
        return sum(self.counts.values())

    @property
    def bad_share(self) -> float:
        """Bad rows / rows read; 0 where nothing was read."""
        return self.bad_rows / self.rows_read if self.rows_read else 0.0

    def summary(self) -> dict[str, Any]:
        """The counts, for JSON."""
        return {"rows_read": self.rows_read, "bad_rows": self.bad_rows, "bad_share": self.bad_share,
                "counts": dict(self.counts), "duplicates": self.duplicates,
                "duplicates_dropped": self.duplicates_dropped}

    def check_share(self, bad_share: float, files: Sequence[Path | str]) -> None:
        """Raises DataError where more than ``bad_share`` of the rows are bad, or not one row is good."""
        if self.rows_read > self.bad_rows and self.bad_share <= bad_share:
            return
        named = str(files[0] if files else "no file") + (f" and {len(files) - 1} more" if len(files) > 1 else "")
        if self.rows_read == 0:
            raise DataError.of_file(named, "at least one request")
        share = f"{self.bad_rows} of {self.rows_read} rows bad"
        none_good = self.rows_read == self.bad_rows
        limit = "at least one good row" if none_good else f"at most {bad_share:.4g} of the rows bad"
        expected = f"{limit} (bad: " + ", ".join(f"{n} {reason}" for reason, n in self.counts.items()) + ")"
        raise DataError([Fault(named, None, None, share, expected), *self.faults()])

    def faults(self) -> Iterable[Fault]:
        """The kept rows, as faults."""
        for row in self.rows.itertuples(index=False):
            yield Fault(row.file, int(row.line), row.column, row.value, row.expected)


class QuarantineCounter:
    """Adds up bad rows while logs are read; what it has seen so far is ``quarantine()``."""

    def __init__(self) -> None:
        self.rows_read = 0
        self.duplicates = 0
        self._counts: Counter[str] = Counter()
        self._frames: list[pd.DataFrame] = []
        self._kept = 0

    def add(self, rows_read: int, bad: Iterable[pd.DataFrame]) -> None:
        """Counts a chunk of ``rows_read`` rows, of which ``bad`` are bad."""
        self.rows_read += rows_read
        for frame in bad:
            self._counts.update(frame["reason"].value_counts().to_dict())
            kept = frame.iloc[:ROWS_KEPT - self._kept]
            self._kept += len(kept)
            if len(kept):
                self._frames.append(kept)

    def quarantine(self, duplicates_dropped: bool = False) -> Quarantine:
        """What was counted, rows ordered by file (as read), then line."""
        rows = pd.concat(self._frames, ignore_index=True) if self._frames else no_bad_rows()
        order = np.lexsort((rows["line"].to_numpy(), pd.factorize(rows["file"])[0]))
        return Quarantine(self.rows_read, dict(self._counts), rows.iloc[order].reset_index(drop=True), self.duplicates,
                          duplicates_dropped)


def merged(quarantines: Sequence[Quarantine]) -> Quarantine:
    """One quarantine of several logs that were read one after the other."""
    counts: Counter[str] = Counter()
    for quarantine in quarantines:
        counts.update(quarantine.counts)
    frames = [quarantine.rows for quarantine in quarantines if len(quarantine.rows)]
    return Quarantine(
        rows_read=sum(quarantine.rows_read for quarantine in quarantines),
        counts=dict(counts),
        rows=pd.concat(frames, ignore_index=True).iloc[:ROWS_KEPT] if frames else no_bad_rows(),
        duplicates=sum(quarantine.duplicates for quarantine in quarantines),
        duplicates_dropped=any(quarantine.duplicates_dropped for quarantine in quarantines),
    )


def check_quarantine_path(path: Path) -> None:
    """Raises DataError where a quarantine cannot be written under that name: better known before the work is done."""
    if path.suffix not in (CSV, PARQUET):
        raise DataError.of_file(path, f"a file name ending in {CSV} or {PARQUET}", path.suffix)


def write_quarantine(quarantine: Quarantine, path: Path | str) -> None:
    """Writes the bad rows as CSV or Parquet. Raises DataError where the extension is neither."""
    write_table(quarantine.rows, path)
