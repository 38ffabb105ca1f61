"""Table schemas: what a file's columns are called, mean and may hold; and the reader that checks them.

Every format is one ``TableSchema``; the READMEs of ``topologies/`` and ``demand/`` print them and a test compares.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Number
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from cdn.errors import DataError, Fault
from cdn.files.writing import replace_file

REQUIRED = object()
LIST_SEPARATOR = ";"
PARQUET, CSV = ".parquet", ".csv"
INTEGER_LIMIT = 2**53  # from here on not every integer is a float
_EXPECTED = {"string": "a non-empty text", "integer": "an integer", "number": "a finite number",
             "time": "a UTC time such as 2012-12-28T00:00:00Z", "list": f"ids joined by '{LIST_SEPARATOR}'"}
_DATE = r"\s*\d{4}-\d{2}-\d{2}"


@dataclass(frozen=True)
class Column:
    """One column. ``kind``: ``string``, ``integer``, ``number``, ``time`` (UTC), ``list`` (ids joined by ``;``)."""

    name: str
    kind: str
    unit: str
    meaning: str
    default: Any = REQUIRED
    minimum: float | None = None
    above: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] | None = None

    @property
    def required(self) -> bool:
        return self.default is REQUIRED

    @property
    def expected(self) -> str:
        """What a valid value is, in words, for error messages."""
        if self.choices:
            return "one of " + ", ".join(self.choices)
        return f"{_EXPECTED[self.kind]} {self.bounds}".rstrip()

    @property
    def bounds(self) -> str:
        """The limits of its numbers, such as ``> 0 and <= 1``; empty where there are none."""
        limits = ((">=", self.minimum), (">", self.above), ("<=", self.maximum))
        return " and ".join(f"{sign} {limit:g}" for sign, limit in limits if limit is not None)


@dataclass(frozen=True)
class TableSchema:
    """A table format: its columns and those that together name a row. ``open_ended``: further columns are kept."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    open_ended: bool = False

    @property
    def column_names(self) -> list[str]:
        return [column.name for column in self.columns]


def read_table(path: Path | str, schema: TableSchema) -> pd.DataFrame:
    """Reads a CSV or Parquet file and checks it against its schema.

    Raises DataError with every fault found. The frame has one column per schema column (defaults filled in), and
    ``frame.attrs['file']``; its index is the row number that errors name (``row_numbers``).
    """
    raw = read_raw(path)
    name = str(path)
    faults = [Fault(name, 1, column.name, None, f"a column {column.name!r} of {schema.name}")
              for column in schema.columns if column.required and column.name not in raw]
    if not schema.open_ended:
        known = set(schema.column_names)
        faults += [Fault(name, 1, str(extra), None, f"only the columns {', '.join(schema.column_names)}")
                   for extra in raw.columns if extra not in known]
    if faults:
        raise DataError(faults)
    frame = pd.DataFrame(index=raw.index)
    for column in schema.columns:
        values, bad = _converted(raw, column)
        frame[column.name] = values
        faults += [Fault(name, int(raw.index[k]), column.name, raw[column.name].iloc[k], column.expected)
                   for k in np.flatnonzero(bad)]
    if schema.open_ended:
        for extra in raw.columns.difference(schema.column_names, sort=False):
            frame[extra] = raw[extra]
    if not faults and schema.key:
        faults = _repeated_keys(frame, schema, name)
    if faults:
        raise DataError(sorted(faults, key=lambda fault: (fault.row, str(fault.column))))
    frame.attrs["file"] = name
    return frame


def read_raw(path: Path | str) -> pd.DataFrame:
    """The file's cells, unchecked: CSV as text, Parquet as stored. The index is the row number for errors."""
    path = Path(path)
    if not path.is_file():
        raise DataError.of_file(path, "a readable file")
    try:
        if path.suffix == PARQUET:
            frame = pq.read_table(path, memory_map=False).to_pandas()
            return frame.set_axis(pd.RangeIndex(1, len(frame) + 1))
        if path.suffix == CSV:
            # The header is read as a row: pandas would rename repeated columns and take a surplus field for an index.
            frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig", skip_blank_lines=False,
                                quoting=csv.QUOTE_MINIMAL, header=None)
            return _under_header(frame, str(path))
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError, pa.ArrowException, OSError) as error:
        raise DataError.of_file(path, f"a readable table ({' '.join(str(error).split())})") from error
    raise DataError.of_file(path, f"a file name ending in {CSV} or {PARQUET}", path.suffix)


def _under_header(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    header = frame.iloc[0].fillna("").tolist()
    repeated = sorted({column for column in header if header.count(column) > 1})
    if repeated:
        raise DataError(Fault(name, 1, column, None, "a column that stands once") for column in repeated)
    return frame.iloc[1:].set_axis(header, axis=1).set_axis(pd.RangeIndex(2, len(frame) + 1))


def _converted(raw: pd.DataFrame, column: Column) -> tuple[Any, np.ndarray]:
    """The column's values in their own type, and which rows are bad."""
    n = len(raw)
    if column.name not in raw:
        return _filled(column, n, raw.index), np.zeros(n, dtype=bool)
    cells = raw[column.name]
    if column.kind == "list":
        return _lists(cells)
    empty = cells.isna().to_numpy()
    if not pd.api.types.is_numeric_dtype(cells):
        empty = empty | cells.isin([""]).to_numpy()
    if column.kind == "string":
        values, bad = _texts(cells, empty, column)
    elif column.kind == "time":
        values, bad = _times(cells, empty)
    else:
        values, bad = _numbers(cells, empty, column)
    if column.required:
        bad = bad | empty
    elif empty.any() and column.default is not None:
        values = values.where(~empty, column.default)
    return values, bad


def _texts(cells: pd.Series, empty: np.ndarray, column: Column) -> tuple[pd.Series, np.ndarray]:
    """Text as it stands; numbers (ids that a Parquet file stores as such) as text; nothing else."""
    if isinstance(cells.dtype, pd.CategoricalDtype):  # each text is looked at once
        each = pd.Series([*cells.cat.categories, None], dtype=object)
        text, bad = _texts(each, each.isin([None, ""]).to_numpy(), column)
        codes = cells.cat.codes.to_numpy()  # -1, the last, where the cell is empty
        return text.iloc[codes].set_axis(cells.index), bad[codes]
    text = cells.astype(object).where(~empty, None)
    bad = np.zeros(len(cells), dtype=bool)
    if not isinstance(cells.dtype, pd.StringDtype):
        text = text.map(lambda cell: cell if cell is None or isinstance(cell, str) else
                        str(cell) if isinstance(cell, Number) else "")
        bad = ~empty & (text == "").to_numpy()
    if column.choices:
        bad |= ~empty & ~text.isin(column.choices).to_numpy()
    return text, bad


def _times(cells: pd.Series, empty: np.ndarray) -> tuple[pd.Series, np.ndarray]:
    """Text that begins with a date (pandas also knows ``now``), or a Parquet file's own times and dates."""
    if pd.api.types.is_numeric_dtype(cells):
        cells = pd.Series(None, index=cells.index, dtype=object)
    elif not pd.api.types.is_datetime64_any_dtype(cells):
        cells = cells.astype(object).where(~empty, None)
        is_text = cells.map(lambda cell: isinstance(cell, str))
        cells = cells.where(~is_text | cells.where(is_text, "").str.match(_DATE), None)
    values = pd.to_datetime(cells, utc=True, errors="coerce", format="ISO8601").dt.tz_localize(None)
    values = values.astype("datetime64[us]")
    return values, ~empty & values.isna().to_numpy()


def _numbers(cells: pd.Series, empty: np.ndarray, column: Column) -> tuple[pd.Series, np.ndarray]:
    if pd.api.types.is_bool_dtype(cells):
        cells = pd.Series(None, index=cells.index, dtype=object)
    values = cells if cells.dtype == np.float64 else pd.to_numeric(cells.where(~empty), errors="coerce").astype(float)
    found = values.to_numpy()
    with np.errstate(invalid="ignore"):
        bad = ~empty & ~np.isfinite(found)
        if column.kind == "integer":
            bad |= ~empty & ((found != np.floor(found)) | (np.abs(found) >= INTEGER_LIMIT))
        if column.minimum is not None:
            bad |= ~empty & (found < column.minimum)
        if column.above is not None:
            bad |= ~empty & (found <= column.above)
        if column.maximum is not None:
            bad |= ~empty & (found > column.maximum)
    return values, bad


def _lists(cells: pd.Series) -> tuple[pd.Series, np.ndarray]:
    def ids(cell: Any) -> tuple[str, ...] | None:
        if isinstance(cell, str):
            return tuple(part for part in (part.strip() for part in cell.split(LIST_SEPARATOR)) if part)
        if isinstance(cell, np.ndarray | list | tuple):
            return tuple(cell) if all(isinstance(part, str) for part in cell) else None
        return () if pd.isna(cell) else None

    found = [ids(cell) for cell in cells.astype(object)]
    values = pd.Series([() if each is None else each for each in found], index=cells.index, dtype=object)
    return values, np.array([each is None for each in found], dtype=bool)


def _filled(column: Column, n: int, index: pd.Index) -> pd.Series:
    if column.kind == "list":
        return pd.Series([()] * n, index=index, dtype=object)
    if column.kind == "time":
        return pd.Series(np.full(n, np.datetime64("NaT", "us")), index=index)
    if column.kind == "string":
        return pd.Series([column.default] * n, index=index, dtype=object)
    return pd.Series(np.full(n, np.nan if column.default is None else column.default, dtype=float), index=index)


def _repeated_keys(frame: pd.DataFrame, schema: TableSchema, name: str) -> list[Fault]:
    again = frame.duplicated(subset=list(schema.key))
    return [Fault(name, int(row), "+".join(schema.key), "/".join(str(frame.at[row, part]) for part in schema.key),
                  "a key that stands once") for row in frame.index[again]]


def positions(frame: pd.DataFrame, column: str, index: Any, what: str) -> np.ndarray:
    """Dense positions of a column's ids. Raises DataError naming each row whose id ``what`` does not know."""
    found = index.positions_of(frame[column])
    unknown = np.flatnonzero(found < 0)
    if len(unknown):
        raise DataError(Fault(frame.attrs["file"], int(frame.index[k]), column, frame[column].iloc[k],
                              f"an id of the {what}") for k in unknown)
    return found


def write_table(frame: pd.DataFrame, path: Path | str) -> None:
    """Writes CSV or Parquet by extension, whole or not at all; the same frame gives the same bytes."""
    path = Path(path)
    if path.suffix == PARQUET:
        table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
        replace_file(path, lambda temporary: pq.write_table(table, temporary, compression="zstd"))
    elif path.suffix == CSV:
        replace_file(path, lambda temporary: frame.to_csv(temporary, index=False, lineterminator="\n",
                                                          date_format=_date_format(frame)))
    else:
        raise DataError.of_file(path, f"a file name ending in {CSV} or {PARQUET}", path.suffix)


def _date_format(frame: pd.DataFrame) -> str:
    """Whole seconds where all times are, else microseconds: nothing is cut off."""
    times = frame.select_dtypes("datetime")
    fine = any((times[name].dropna().dt.microsecond != 0).any() for name in times.columns)
    return "%Y-%m-%dT%H:%M:%S.%fZ" if fine else "%Y-%m-%dT%H:%M:%SZ"


def joined(ids: Sequence[str]) -> str:
    """A list column's cell."""
    return LIST_SEPARATOR.join(ids)
