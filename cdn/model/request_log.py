"""The request log in memory: one row per request, in time order, ids dense."""

from dataclasses import dataclass

import numpy as np

from cdn.model.arrays import frozen
from cdn.model.index import Index
from cdn.units import HOURS_PER_DAY, MICROSECONDS_PER_SECOND, SECONDS_PER_HOUR

_MICROSECONDS_PER_HOUR = SECONDS_PER_HOUR * MICROSECONDS_PER_SECOND


@dataclass(frozen=True, eq=False)
class RequestLog:
    """N requests: ``time_us`` (N,) int64 microseconds since 1970 UTC, ascending (rows of equal time keep
    the order they were given in); ``region``, ``asset`` (N,) int32; ``bytes`` (N,) int64 >= 0."""

    region_index: Index
    asset_index: Index
    time_us: np.ndarray
    region: np.ndarray
    asset: np.ndarray
    bytes: np.ndarray

    def __post_init__(self) -> None:
        time_us = np.asarray(self.time_us, dtype=np.int64)
        in_order = len(time_us) < 2 or bool((time_us[1:] >= time_us[:-1]).all())
        order = slice(None) if in_order else np.argsort(time_us, kind="stable")
        for name, dtype in (("time_us", np.int64), ("region", np.int32), ("asset", np.int32), ("bytes", np.int64)):
            values = getattr(self, name)
            object.__setattr__(self, name, frozen(values if in_order else np.asarray(values)[order], dtype))
        n = len(self.time_us)
        for name, limit in (("region", len(self.region_index)), ("asset", len(self.asset_index)), ("bytes", None)):
            values = getattr(self, name)
            if values.shape != (n,):
                raise ValueError(f"{name} has shape {values.shape}, expected ({n},)")
            if n and (values.min() < 0 or (limit is not None and values.max() >= limit)):
                raise ValueError(f"{name} out of range")

    def __len__(self) -> int:
        return len(self.time_us)

    @property
    def day(self) -> np.ndarray:
        """(N,) UTC day number since 1970."""
        return self.time_us // (_MICROSECONDS_PER_HOUR * HOURS_PER_DAY)

    @property
    def hour(self) -> np.ndarray:
        """(N,) UTC hour of the day, 0..23."""
        return (self.time_us // _MICROSECONDS_PER_HOUR) % HOURS_PER_DAY

    @property
    def total_bytes(self) -> int:
        return int(self.bytes.sum())

    def select(self, mask: np.ndarray) -> "RequestLog":
        """The requests where ``mask`` (N,) holds."""
        return RequestLog(self.region_index, self.asset_index, self.time_us[mask], self.region[mask],
                          self.asset[mask], self.bytes[mask])
