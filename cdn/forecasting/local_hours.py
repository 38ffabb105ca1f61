"""Where the hours of UTC days lie on the clocks of regions: time zones, summer time, half hours.

An hour of UTC is as long as one of the wall clock, but need not begin with it: in Kolkata it begins at half past. So
the hours of a region's day are counted from the minute at which they begin on the day that is planned, and an hour of
another day that begins at another minute (Lord Howe moves its clocks by half an hour) is split between the two it
overlaps. The middle of an hour stands for all of it where clocks change within one. Offsets are those of the IANA
database.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from cdn.units import HOURS_PER_DAY, SECONDS_PER_DAY, SECONDS_PER_HOUR


@dataclass(frozen=True, eq=False)
class LocalHours:
    """For each UTC hour of D days and each of R regions the local hour of the day it begins in, ``hour`` (D, 24, R)
    int 0..23, and the share of it that lies in the one after that, ``later`` (D, 24, R) >= 0, < 1. Local hours begin
    ``start_s`` (R,) seconds after the full hour."""

    hour: np.ndarray
    later: np.ndarray
    start_s: np.ndarray


def local_hours(first_day: int, n_days: int, time_zones: Sequence[str], planned_day: int) -> LocalHours:
    """The hours of ``n_days`` UTC days from day number ``first_day`` on, local hours beginning at the minute at which
    they do on UTC day ``planned_day``."""
    zones = list(dict.fromkeys(time_zones))
    column = np.array([zones.index(zone) for zone in time_zones], dtype=np.int64)
    start_s = np.array([offsets_s(planned_day, 1, zone)[0] % SECONDS_PER_HOUR for zone in zones])
    utc_s = np.arange(n_days * HOURS_PER_DAY) * SECONDS_PER_HOUR
    local_s = np.stack([utc_s + offsets_s(first_day, n_days, zone) - start for zone, start in
                        zip(zones, start_s, strict=True)], axis=-1) % SECONDS_PER_DAY
    hour, rest = np.divmod(local_s.reshape(n_days, HOURS_PER_DAY, len(zones)), SECONDS_PER_HOUR)
    return LocalHours(hour[..., column], (rest / SECONDS_PER_HOUR)[..., column], start_s[column])


@lru_cache(maxsize=4096)
def offsets_s(first_day: int, n_days: int, zone: str) -> np.ndarray:
    """(24 D,) seconds that the zone's clocks are ahead of UTC in the middle of each hour of D UTC days."""
    start = pd.Timestamp(0) + pd.Timedelta(days=first_day, minutes=30)
    utc = pd.date_range(start, periods=n_days * HOURS_PER_DAY, freq="h", tz="UTC")
    wall = utc.tz_convert(zone).tz_localize(None) - utc.tz_localize(None)
    offsets = wall.total_seconds().to_numpy().astype(np.int64)
    offsets.flags.writeable = False
    return offsets
