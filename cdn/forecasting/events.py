"""The calendar: days that are known in advance to be special, such as holidays and promotions."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from cdn.files.schema import Column, TableSchema, positions, read_table
from cdn.model.arrays import frozen
from cdn.model.index import UNKNOWN, Index

MOST_TIMES = 1e6
"""A day of more than a million usual ones is a slip of the pen."""
CALENDAR = TableSchema(
    "calendar",
    (
        Column("date", "time", "UTC", "the day"),
        Column("kind", "string", "", "what it is: holiday, promotion, ..."),
        Column("factor", "number", "", "requests of the day over a usual day; empty: learned from earlier days of the "
               "kind", None, above=0, maximum=MOST_TIMES),
        Column("region_id", "string", "", "the only region it concerns; empty: all", None),
        Column("asset_id", "string", "", "the only asset it concerns; empty: all", None),
    ),
    key=("date", "kind", "region_id", "asset_id"),
)


@dataclass(frozen=True, eq=False)
class Calendar:
    """E events: ``day`` (E,) day number, ``kind`` (E,) code, ``factor`` (E,) NaN where it is to be learned, ``region``
    and ``asset`` (E,), -1 where the event concerns all of them."""

    day: np.ndarray
    kind: np.ndarray
    factor: np.ndarray
    region: np.ndarray
    asset: np.ndarray

    def __post_init__(self) -> None:
        for name, dtype in (("day", np.int32), ("kind", np.int32), ("factor", np.float64), ("region", np.int32),
                            ("asset", np.int32)):
            object.__setattr__(self, name, frozen(getattr(self, name), dtype))
        if (self.factor <= 0).any() or (self.factor > MOST_TIMES).any():
            raise ValueError(f"factors are positive numbers up to {MOST_TIMES:g}")

    def __len__(self) -> int:
        return len(self.day)


def read_calendar(path: Path | str, region_index: Index, asset_index: Index) -> Calendar:
    """Reads a calendar. Raises DataError, also for regions and assets that are not known."""
    frame = read_table(path, CALENDAR)
    return Calendar(
        day=frame["date"].to_numpy(dtype="datetime64[D]").astype(np.int64),
        kind=pd.factorize(frame["kind"], sort=True)[0],
        factor=frame["factor"].to_numpy(dtype=float),
        region=_known(frame, "region_id", region_index, "topology's regions"),
        asset=_known(frame, "asset_id", asset_index, "catalog"),
    )


def _known(frame: pd.DataFrame, column: str, index: Index, owner: str) -> np.ndarray:
    given = frame[column].notna().to_numpy()
    found = np.full(len(frame), UNKNOWN)
    if given.any():
        found[given] = positions(frame[given], column, index, owner)
    return found


def factors_on(calendar: Calendar | None, days: np.ndarray, n_regions: int) -> np.ndarray:
    """(days, R) product of the given factors of the events that concern whole regions; 1 on usual days."""
    factor = np.ones((len(days), n_regions))
    if calendar is not None:
        for e in np.flatnonzero((calendar.asset == UNKNOWN) & ~np.isnan(calendar.factor)):
            region = slice(None) if calendar.region[e] == UNKNOWN else calendar.region[e]
            factor[days == calendar.day[e], region] *= calendar.factor[e]
    return factor


def learned_kinds(calendar: Calendar | None, days: np.ndarray) -> np.ndarray:
    """(days,) bool: the day has an event without a factor that concerns all; it says nothing of usual days."""
    if calendar is None:
        return np.zeros(len(days), dtype=bool)
    return np.isin(days, calendar.day[np.isnan(calendar.factor) & (calendar.asset == UNKNOWN)])


def asset_factors_on(calendar: Calendar | None, day: int, n_assets: int) -> np.ndarray:
    """(A,) product of the given factors of the events of single assets on a day; 1 for the others."""
    factor = np.ones(n_assets)
    if calendar is not None:
        for e in np.flatnonzero((calendar.asset != UNKNOWN) & (calendar.day == day) & ~np.isnan(calendar.factor)):
            factor[calendar.asset[e]] *= calendar.factor[e]
    return factor
