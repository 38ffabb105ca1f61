"""History: what was asked for on each of the days before the forecast day, and nothing of that day or later."""

import hashlib
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np

from cdn.forecasting.asset_rows import AssetRows, daily_totals, rows_by_asset
from cdn.model.arrays import frozen
from cdn.model.index import Index
from cdn.model.request_log import RequestLog
from cdn.units import HOURS_PER_DAY, MICROSECONDS_PER_SECOND, SECONDS_PER_HOUR

HISTORY_DAYS = 60
_US_PER_HOUR = SECONDS_PER_HOUR * MICROSECONDS_PER_SECOND
_US_PER_DAY = HOURS_PER_DAY * _US_PER_HOUR
Found = TypeVar("Found")


@dataclass(frozen=True, eq=False)
class History:
    """D consecutive UTC days, the last one the day before the forecast day. One entry per (day, asset, region) asked
    for, in that order.

    ``first_day``: day number since 1970. ``observed`` (D,) bool: the log has requests of the day; a day without any is
    a missing day, not a day of zeros. ``day`` (N,) int32 0..D-1; ``region``, ``asset`` (N,) int32; ``requests``,
    ``bytes`` (N,) int64. ``hour_bytes`` (D, 24, R) bytes by UTC hour.
    """

    region_index: Index
    asset_index: Index
    first_day: int
    observed: np.ndarray
    day: np.ndarray
    region: np.ndarray
    asset: np.ndarray
    requests: np.ndarray
    bytes: np.ndarray
    hour_bytes: np.ndarray

    def __post_init__(self) -> None:
        for name, dtype in (("observed", bool), ("day", np.int32), ("region", np.int32), ("asset", np.int32),
                            ("requests", np.int64), ("bytes", np.int64), ("hour_bytes", np.float64)):
            object.__setattr__(self, name, frozen(getattr(self, name), dtype))
        shape = (len(self.observed), HOURS_PER_DAY, len(self.region_index))
        if self.hour_bytes.shape != shape:
            raise ValueError(f"hour_bytes has shape {self.hour_bytes.shape}, expected {shape}")

    def __len__(self) -> int:
        return len(self.day)

    @property
    def until_day(self) -> int:
        """Number of the first day that is not part of it: the earliest day it may forecast."""
        return self.first_day + len(self.observed)

    @property
    def observed_days(self) -> np.ndarray:
        """Day numbers (since 1970) that have requests, ascending."""
        return self.first_day + np.flatnonzero(self.observed)

    @cached_property
    def by_asset(self) -> AssetRows:
        """The entries ordered by asset."""
        return rows_by_asset(self.day, self.region, self.asset, self.requests, len(self.asset_index))

    @cached_property
    def asset_days(self) -> np.ndarray:
        """(A, D) requests of each asset on each day, all regions together."""
        return frozen(daily_totals(self.asset, self.day, self.requests, len(self.asset_index), len(self.observed)),
                      np.float64)

    @cached_property
    def region_days(self) -> np.ndarray:
        """(D, R) requests of each region on each day."""
        shape = (len(self.observed), len(self.region_index))
        cell = self.day.astype(np.int64) * shape[1] + self.region
        return frozen(np.bincount(cell, self.requests, shape[0] * shape[1]).reshape(shape), np.float64)

    @cached_property
    def day_digests(self) -> tuple[str, ...]:
        """Of each day's counts, all that a forecaster sees of it."""
        starts = np.searchsorted(self.day, np.arange(len(self.observed) + 1))
        return tuple(_digest(*(getattr(self, name)[start:end] for name in ("region", "asset", "requests")))
                     for start, end in pairwise(starts.tolist()))

    def once(self, what: Hashable, make: Callable[[], Found]) -> Found:
        """What ``make`` gives, made once: what follows from a history does not change, and several methods may need it.
        ``what`` names it and all else that it depends on."""
        if what not in self._made:
            self._made[what] = make()
        return self._made[what]

    @cached_property
    def _made(self) -> dict[Hashable, Any]:
        return {}

    def before(self, day: int) -> "History":
        """The part of it that ends before day number ``day``."""
        return self._days(0, min(max(day - self.first_day, 0), len(self.observed)))

    def window(self, until_day: int, n_days: int) -> "History":
        """The ``n_days`` days before day number ``until_day``, as ``history_of_log`` has them: the first is an observed
        one. Raises ValueError where ``until_day`` lies behind the history's end."""
        if until_day > self.until_day:
            raise ValueError(f"the history ends before day number {self.until_day}, asked until {until_day}")
        end = max(until_day - self.first_day, 0)
        start = max(end - n_days, 0)
        observed = np.flatnonzero(self.observed[start:end])
        if not len(observed):
            return replace(self._days(end, end), first_day=until_day)
        return self._days(start + int(observed[0]), end)

    def without(self, days: np.ndarray) -> "History":
        """The history as if the log had nothing of these day numbers: they are missing days."""
        left_out = np.isin(self.first_day + np.arange(len(self.observed)), days)
        if not (left_out & self.observed).any():
            return self
        kept = ~left_out[self.day]
        part = {name: getattr(self, name)[kept] for name in ("day", "region", "asset", "requests", "bytes")}
        return replace(self, observed=self.observed & ~left_out,
                       hour_bytes=np.where(left_out[:, None, None], 0.0, self.hour_bytes), **part)

    def _days(self, start: int, end: int) -> "History":
        rows = slice(*np.searchsorted(self.day, [start, end]).tolist())
        part = {name: getattr(self, name)[rows] for name in ("region", "asset", "requests", "bytes")}
        return replace(self, first_day=self.first_day + start, observed=self.observed[start:end],
                       hour_bytes=self.hour_bytes[start:end], day=self.day[rows] - start, **part)


def history_of_log(log: RequestLog, until_day: int, n_days: int = HISTORY_DAYS) -> History:
    """The history in the last ``n_days`` days before day number ``until_day``, and not one request of it or later."""
    first_row, end_row = np.searchsorted(log.time_us, [(until_day - n_days) * _US_PER_DAY, until_day * _US_PER_DAY])
    first_day = int(log.time_us[first_row] // _US_PER_DAY) if first_row < end_row else until_day
    starts = np.searchsorted(log.time_us, np.arange(first_day, until_day + 1) * _US_PER_DAY)
    days = [_Day.of_rows(log, slice(start, end)) for start, end in pairwise(starts)]
    return _history(log.region_index, log.asset_index, first_day, np.diff(starts) > 0, days)


def joined(histories: Sequence[History]) -> History:
    """One history of several that end on the same day, such as those of a store's daily files; counts add up.

    Raises ValueError where they end on different days or have other regions or assets.
    """
    one = histories[0]
    for other in histories[1:]:
        if (other.until_day != one.until_day or other.region_index != one.region_index
                or other.asset_index != one.asset_index):
            raise ValueError("histories to be joined end on the same day and have the same regions and assets")
    first_day = min(history.first_day for history in histories)
    n_days = one.until_day - first_day
    parts: list[list[_Day]] = [[] for _ in range(n_days)]
    observed = np.zeros(n_days, dtype=bool)
    for history in histories:
        offset = history.first_day - first_day
        observed[offset:] |= history.observed
        starts = np.searchsorted(history.day, np.arange(len(history.observed) + 1))
        for d, (start, end) in enumerate(pairwise(starts)):
            if history.observed[d]:
                parts[offset + d].append(_Day.of_entries(history, d, slice(start, end)))
    days = [_Day.summed(of_day, len(one.region_index)) for of_day in parts]
    return _history(one.region_index, one.asset_index, first_day, observed, days)


@dataclass(frozen=True, eq=False)
class _Day:
    """A day's entries: ``key`` asset * R + region, ascending, ``requests``, ``bytes`` (M,); ``hour_bytes`` (24, R)."""

    key: np.ndarray
    requests: np.ndarray
    bytes: np.ndarray
    hour_bytes: np.ndarray

    @classmethod
    def of_rows(cls, log: RequestLog, rows: slice) -> "_Day":
        n_regions = len(log.region_index)
        region = log.region[rows].astype(np.int64)
        hour = log.time_us[rows] // _US_PER_HOUR % HOURS_PER_DAY
        hour_bytes = np.bincount(hour * n_regions + region, log.bytes[rows], HOURS_PER_DAY * n_regions)
        key, requests, total = sums_by_key(log.asset[rows].astype(np.int64) * n_regions + region,
                                           np.ones(len(region), dtype=np.int64), log.bytes[rows])
        return cls(key, requests, total, hour_bytes.reshape(HOURS_PER_DAY, n_regions))

    @classmethod
    def of_entries(cls, history: History, d: int, rows: slice) -> "_Day":
        key = history.asset[rows].astype(np.int64) * len(history.region_index) + history.region[rows]
        return cls(key, history.requests[rows], history.bytes[rows], history.hour_bytes[d])

    @classmethod
    def summed(cls, parts: Sequence["_Day"], n_regions: int) -> "_Day":
        if len(parts) == 1:
            return parts[0]
        none = np.empty(0, dtype=np.int64)
        key, requests, total = sums_by_key(*(np.concatenate([none, *(getattr(part, name) for part in parts)])
                                             for name in ("key", "requests", "bytes")))
        hour_bytes = sum((part.hour_bytes for part in parts), np.zeros((HOURS_PER_DAY, n_regions)))
        return cls(key, requests, total, hour_bytes)


def _digest(*values: np.ndarray) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for array in values:
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def sums_by_key(key: np.ndarray, *values: np.ndarray) -> tuple[np.ndarray, ...]:
    """The distinct keys, ascending, and the sums of each of ``values`` (N,) over the rows of each key."""
    if not len(key):
        return (key, *values)
    order = np.argsort(key, kind="stable")
    key = key[order]
    first = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]]))
    return (key[first], *(np.add.reduceat(column[order], first) for column in values))


def _history(region_index: Index, asset_index: Index, first_day: int, observed: np.ndarray,
             days: Sequence[_Day]) -> History:
    none = np.empty(0, dtype=np.int64)
    n_regions = len(region_index)
    key = np.concatenate([none, *(day.key for day in days)])
    return History(
        region_index=region_index,
        asset_index=asset_index,
        first_day=first_day,
        observed=observed,
        day=np.repeat(np.arange(len(days)), [len(day.key) for day in days]),
        region=key % n_regions,
        asset=key // n_regions,
        requests=np.concatenate([none, *(day.requests for day in days)]),
        bytes=np.concatenate([none, *(day.bytes for day in days)]),
        hour_bytes=np.array([day.hour_bytes for day in days]).reshape(len(days), HOURS_PER_DAY, n_regions),
    )
