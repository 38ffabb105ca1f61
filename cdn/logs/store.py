"""The log store: a folder with one Parquet file per UTC day, ``requests-YYYY-MM-DD.parquet``, each in time order."""

from pathlib import Path

import pandas as pd

from cdn.errors import DataError
from cdn.files.schema import PARQUET

PREFIX = "requests-"


def log_files(path: Path | str, first_day: int | None = None, until_day: int | None = None) -> list[Path]:
    """The files of a log: the file itself, or all Parquet files of a folder, by name.

    Days are numbers since 1970. In a folder, files whose name says that their day lies before ``first_day`` or not
    before ``until_day`` are left out. Raises DataError where there is nothing of that name, or no Parquet file in it.
    """
    path = Path(path)
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise DataError.of_file(path, "a log file or a folder of them")
    files = sorted(file for file in path.glob("*" + PARQUET) if file.is_file() and not file.name.startswith("."))
    if not files:
        raise DataError.of_file(path, f"a folder with {PARQUET} files")
    return [file for file in files if _is_between(day_of_file(file), first_day, until_day)]


def _is_between(day: int | None, first_day: int | None, until_day: int | None) -> bool:
    return day is None or ((first_day is None or day >= first_day) and (until_day is None or day < until_day))


def day_of_file(path: Path) -> int | None:
    """The day number that a store's file is named after; None for any other name."""
    if path.suffix != PARQUET or not path.stem.startswith(PREFIX):
        return None
    day = pd.to_datetime(path.stem.removeprefix(PREFIX), format="%Y-%m-%d", errors="coerce")
    return None if pd.isna(day) else (day - pd.Timestamp(0)).days


def file_of_day(store: Path, day: int) -> Path:
    """The store's file of a day number."""
    return store / f"{PREFIX}{pd.Timestamp(0) + pd.Timedelta(days=day):%Y-%m-%d}{PARQUET}"
