"""Fill windows as absolute time: which hours of which night an appliance may be filled in.

The night of day D prepares D, the UTC day the demand is for: everything has to be in place when D begins. So each
appliance uses its last fill window that ends at or before D 00:00 UTC. The window is read on the wall clock of the
site's time zone; a time of day stands for the first moment of that date at which the clock shows it or has gone past
it. So a window that opens in an hour the clock skips opens when the clock has jumped, and a time the clock shows twice
means the first time. On all other nights the window is as long as ``Appliance.fill_window_seconds`` says, on which the
placers' fill limit rests. A window of the whole day (equal start and end) holds at any hour: it is the 24 h before D.
"""

from bisect import bisect_left
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from cdn.model.topology import Topology

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SEARCHED_DAYS = 8


def fill_windows(topology: Topology, night: pd.Timestamp) -> tuple[np.ndarray, np.ndarray]:
    """Opening and closing (number of appliances,) int64 microseconds since 1970 UTC, for the night of day ``night``."""
    zone_of = {site.id: site.time_zone for site in topology.sites}
    day = pd.Timestamp(night).date()
    windows = [_window(a.fill_window_minutes, zone_of[a.site_id], day) for a in topology.appliances]
    opening, closing = np.array(windows, dtype=np.int64).reshape(-1, 2).T
    return opening, closing


def first_day_to_plan(topology: Topology, now: pd.Timestamp) -> pd.Timestamp:
    """The first day whose fill windows all open at ``now`` (UTC, no zone) or later."""
    now_us = int(pd.Timestamp(now).to_datetime64().astype("datetime64[us]").astype(np.int64))
    day = pd.Timestamp(now).normalize()
    while (fill_windows(topology, day)[0] < now_us).any():
        day += pd.Timedelta(days=1)
    return day


@lru_cache(maxsize=1024)
def _window(minutes: tuple[int, int], zone_name: str, day: date) -> tuple[int, int]:
    start, end = minutes
    day_begins = datetime.combine(day, time(), UTC)
    if start == end:
        return _microseconds(day_begins - timedelta(days=1)), _microseconds(day_begins)
    zone = ZoneInfo(zone_name)
    for back in range(_SEARCHED_DAYS):
        local_midnight = datetime.combine(day - timedelta(days=back), time())
        closing = _first_moment(local_midnight + timedelta(minutes=end + 1440 * (end < start)), zone)
        if closing <= day_begins:
            return _microseconds(_first_moment(local_midnight + timedelta(minutes=start), zone)), _microseconds(closing)
    raise ValueError(f"no fill window of zone {zone_name!r} ends before {day}")


def _first_moment(wall: datetime, zone: ZoneInfo) -> datetime:
    """The first moment (UTC) at which the wall clock of ``zone`` shows ``wall`` or a later time."""
    first, second = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first <= second:
        return first
    # Skipped by the clock: PEP 495 puts fold 0 after the jump and fold 1 before it; the jump itself lies between.
    after = first.astimezone(zone).utcoffset()

    def has_jumped(seconds: int) -> bool:
        return (second + timedelta(seconds=seconds)).astimezone(zone).utcoffset() == after

    return second + timedelta(seconds=bisect_left(range(int((first - second).total_seconds())), True, key=has_jumped))


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)
