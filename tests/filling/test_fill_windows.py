"""Which hours a night has. Expected moments are worked out from the zones' known changes of the clock."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cdn.filling import fill_windows, first_day_to_plan
from cdn.filling.wall_clock import windows_by_clock
from cdn.model.topology import Appliance, Region, Site, Topology

ZONES = ("UTC", "America/New_York", "Asia/Tokyo", "Asia/Kathmandu", "Australia/Lord_Howe", "Europe/Dublin",
         "Pacific/Apia", "Pacific/Kiritimati", "America/St_Johns")


def topology_of(*windows, zone="UTC"):
    return Topology((Site("s", "edge", time_zone=zone), Site("o", "origin")),
                    tuple(Appliance(f"i{k}", "s", 1, fill_window_minutes=window) for k, window in enumerate(windows)),
                    (Region("r", "s"),))


def window(zone, minutes, day):
    opening, closing = fill_windows(topology_of(minutes, zone=zone), pd.Timestamp(day))
    return tuple(str(np.datetime64(int(moment[0]), "us").astype("datetime64[m]")) for moment in (opening, closing))


@pytest.mark.parametrize(("zone", "minutes", "day", "expected"), [
    # Berlin is UTC+1 in winter: 02:00-08:00 local of the 27th; the 28th's would end after the day has begun.
    ("Europe/Berlin", (120, 480), "2012-12-28", ("2012-12-27T01:00", "2012-12-27T07:00")),
    # A window that ends exactly as the day begins counts.
    ("Europe/Berlin", (0, 60), "2012-12-28", ("2012-12-27T23:00", "2012-12-28T00:00")),
    # Tokyo is UTC+9: 02:00-08:00 local of the 28th is over at 23:00 UTC of the 27th.
    ("Asia/Tokyo", (120, 480), "2012-12-28", ("2012-12-27T17:00", "2012-12-27T23:00")),
    ("UTC", (1380, 60), "2012-12-28", ("2012-12-26T23:00", "2012-12-27T01:00")),
    # The whole day: the 24 hours before, in any zone.
    ("Asia/Tokyo", (0, 0), "2012-12-28", ("2012-12-27T00:00", "2012-12-28T00:00")),
    # New York, 14 March 2021: 02:00 EST (07:00 UTC) jumps to 03:00 EDT. 02:30 never shows: the jump stands for it.
    ("America/New_York", (150, 360), "2021-03-15", ("2021-03-14T07:00", "2021-03-14T10:00")),
    ("America/New_York", (60, 150), "2021-03-15", ("2021-03-14T06:00", "2021-03-14T07:00")),
    # Wholly inside the skipped hour: no time at all.
    ("America/New_York", (135, 165), "2021-03-15", ("2021-03-14T07:00", "2021-03-14T07:00")),
    # 7 November 2021: 02:00 EDT (06:00 UTC) goes back to 01:00 EST. 01:30 shows twice: the first time counts.
    ("America/New_York", (90, 240), "2021-11-08", ("2021-11-07T05:30", "2021-11-07T09:00")),
    ("America/New_York", (1380, 90), "2021-11-08", ("2021-11-07T03:00", "2021-11-07T05:30")),
    # Lord Howe changes by half an hour: 4 April 2021, 02:00 (UTC+11) goes back to 01:30 (UTC+10:30) at 15:00 UTC.
    ("Australia/Lord_Howe", (60, 180), "2021-04-04", ("2021-04-03T14:00", "2021-04-03T16:30")),
    # Samoa had no 30 December 2011: the clock jumped from the 29th 24:00 (10:00 UTC of the 30th) to the 31st.
    ("Pacific/Apia", (0, 120), "2011-12-31", ("2011-12-30T10:00", "2011-12-30T12:00")),
])
def test_worked_out_windows(zone, minutes, day, expected):
    assert window(zone, minutes, day) == expected


minutes_of_day = st.integers(0, 1439)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(ZONES), minutes_of_day, minutes_of_day, st.dates(date(2005, 1, 10), date(2030, 1, 1)))
def test_the_checkers_clock_agrees_and_ordinary_nights_are_as_long_as_the_fill_limit_says(zone, start, end, day):
    """The placers' fill limit is rate x ``fill_window_seconds``, which holds where the clock does not change."""
    topology, day = topology_of((start, end), zone=zone), pd.Timestamp(day)
    opening, closing = (int(moment[0]) for moment in fill_windows(topology, day))
    assert windows_by_clock(topology, day) == [(opening, closing)]
    begin = int(day.to_datetime64().astype("datetime64[us]").astype(np.int64))
    assert opening <= closing <= begin
    local = pd.Timestamp(day, tz="UTC")
    offsets = {(local - pd.Timedelta(hours=h)).tz_convert(zone).utcoffset() for h in range(72)}
    if len(offsets) == 1:
        assert closing - opening == topology.appliances[0].fill_window_seconds * 1_000_000
        assert begin - closing < 86_400_000_000


def test_first_day_whose_windows_are_still_to_come():
    """02:00-08:00 UTC, seen at 01:00: today's window prepares tomorrow. At 03:00 it has opened: the day after."""
    topology = topology_of((120, 480))
    assert first_day_to_plan(topology, pd.Timestamp("2026-05-01 01:00")) == pd.Timestamp("2026-05-02")
    assert first_day_to_plan(topology, pd.Timestamp("2026-05-01 03:00")) == pd.Timestamp("2026-05-03")


def test_no_appliances_no_windows():
    opening, closing = fill_windows(topology_of(), pd.Timestamp("2026-05-01"))
    assert (len(opening), len(closing)) == (0, 0)
