"""The checker's own reading of fill windows: it watches each site's wall clock minute by minute up to the day.

Shares no code with ``cdn.filling.windows``, which goes the other way (from wall clock to UTC).
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from cdn.model.fill_plan import FillPlan
from cdn.model.topology import Topology

_WATCHED_MINUTES = 4 * 24 * 60
_SECONDS_PER_DAY = 86400
_EPOCH = datetime(1970, 1, 1)


def windows_by_clock(topology: Topology, night: pd.Timestamp) -> list[tuple[int, int]]:
    """Opening and closing of each appliance, microseconds since 1970 UTC, in the night that prepares day ``night``."""
    zones = {site.id: site.time_zone for site in topology.sites}
    day_s = int((datetime(night.year, night.month, night.day) - _EPOCH).total_seconds())
    return [_window(zones[a.site_id], *a.fill_window_minutes, day_s) for a in topology.appliances]


def likely_night(topology: Topology, plan: FillPlan) -> pd.Timestamp:
    """The day in whose night most steps lie inside their windows (the first of equals), for a plan that names none."""
    first = pd.Timestamp(int(np.median(plan.start_us)) if len(plan) else 0, unit="us").normalize()
    days = [first + pd.Timedelta(days=ahead) for ahead in range(4)]
    return max(days, key=lambda day: _steps_inside(topology, plan, day))


def _steps_inside(topology: Topology, plan: FillPlan, day: pd.Timestamp) -> int:
    opening, closing = np.array(windows_by_clock(topology, day), dtype=np.int64).reshape(-1, 2).T
    return int(((plan.start_us >= opening[plan.appliance]) & (plan.end_us <= closing[plan.appliance])).sum())


@lru_cache(maxsize=1024)
def _window(zone: str, start_minute: int, end_minute: int, day_s: int) -> tuple[int, int]:
    if start_minute == end_minute:
        return (day_s - _SECONDS_PER_DAY) * 1_000_000, day_s * 1_000_000
    utc_s, wall_s = _watch(zone, day_s)
    length_s = (end_minute - start_minute) % 1440 * 60
    # Local dates start at multiples of a day of wall time; the last window that has closed when the watch ends.
    for date_s in range(day_s, day_s - 8 * _SECONDS_PER_DAY, -_SECONDS_PER_DAY):
        opens = date_s + start_minute * 60
        if opens + length_s <= wall_s[-1]:
            return _reached(utc_s, wall_s, opens) * 1_000_000, _reached(utc_s, wall_s, opens + length_s) * 1_000_000
    raise ValueError(f"no fill window of zone {zone!r} closes in time")


@lru_cache(maxsize=64)
def _watch(zone: str, day_s: int) -> tuple[np.ndarray, np.ndarray]:
    """Moments a minute apart up to the day's begin, and the latest wall-clock time shown up to each, in seconds."""
    utc_s = day_s - 60 * np.arange(_WATCHED_MINUTES, -1, -1, dtype=np.int64)
    clock = ZoneInfo(zone)
    first = datetime(1970, 1, 1, tzinfo=UTC)
    offsets = [(first + timedelta(seconds=s)).astimezone(clock).utcoffset() for s in utc_s.tolist()]
    wall_s = utc_s + np.array([round(offset.total_seconds()) for offset in offsets if offset is not None])
    return utc_s, np.maximum.accumulate(wall_s)


def _reached(utc_s: np.ndarray, wall_s: np.ndarray, wanted_s: int) -> int:
    """The first moment at which the clock has shown the wanted time; inside a minute where it ran evenly through it."""
    k = int(np.searchsorted(wall_s, wanted_s))
    even = k > 0 and wall_s[k] - wall_s[k - 1] == 60
    return int(utc_s[k] - (wall_s[k] - wanted_s)) if even else int(utc_s[k])
