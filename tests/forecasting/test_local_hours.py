"""Hours of the day by the clocks of the regions, worked out by hand on both sides of clock changes.

In 2026 Berlin's clocks go forward on 29 March and back on 25 October, both at 01:00 UTC; Lord Howe's go back by half an
hour (+11:00 to +10:30) on 4 April at 15:00 UTC; Kolkata is at +5:30 all year. """

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from cdn.forecasting.demand_forecast import day_number, forecast
from cdn.forecasting.history import History
from cdn.forecasting.hour_profiles import hour_shares, local_profiles
from cdn.forecasting.knowledge import knowledge_of
from cdn.forecasting.local_hours import local_hours
from cdn.model.catalog import Catalog
from cdn.model.index import Index

CATALOG = Catalog.of_sizes(["a"], [1000])
SPRING, AUTUMN = "2026-03-29", "2026-10-25"


def wall_hour(day: int, hour: int, zone: str) -> int:
    """What the standard library's clock shows in the middle of a UTC hour."""
    middle = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day, hours=hour, minutes=30)
    return middle.astimezone(ZoneInfo(zone)).hour


def history_of(day: int, n_days: int, zones, rate=None, requests=10**9) -> History:
    """Until day number ``day``; in wall hour h every region asks for ``rate[h]`` bytes, (h + 1) unless given, times
    1, 2, 3, ... from day to day."""
    rate = np.arange(1.0, 25.0) if rate is None else rate
    first = day - n_days
    hours = np.array([[[(d + 1) * rate[wall_hour(first + d, h, zone)] for zone in zones] for h in range(24)]
                      for d in range(n_days)])
    n = len(zones)
    return History(Index(f"r{k}" for k in range(n)), CATALOG.asset_index, first, np.ones(n_days, dtype=bool),
                   np.repeat(np.arange(n_days), n), np.tile(np.arange(n), n_days), np.zeros(n * n_days),
                   np.full(n * n_days, requests), hours.sum(axis=1).ravel(), hours)


def test_hours_of_the_days_of_23_and_25_hours():
    """Berlin's wall clock in the UTC hours of 29 March: 1, then 3 to 24; of 25 October: 2, 2, 3 to 24 less one."""
    spring, autumn = (local_hours(day_number(day), 1, ["Europe/Berlin"], day_number(day)).hour[0, :, 0].tolist()
                      for day in (SPRING, AUTUMN))
    assert spring == [1, *range(3, 24), 0, 1]
    assert autumn == [2, 2, *range(3, 24), 0]


def test_half_hours_lie_between_wall_hours_and_stay_apart():
    """Kolkata's hours begin at half past, on every day alike, so nothing is split. On Lord Howe the hours of 3 April
    (at +11:00) begin half an hour before those of 6 April (at +10:30) do: half of each lies in the one after."""
    day = day_number("2026-04-06")
    kolkata = local_hours(day - 3, 1, ["Asia/Kolkata"], day)
    assert kolkata.hour[0, :3, 0].tolist() == [5, 6, 7] and not kolkata.later.any()
    assert kolkata.start_s.tolist() == [1800]
    howe = local_hours(day - 3, 1, ["Australia/Lord_Howe"], day)
    assert howe.hour[0, :3, 0].tolist() == [10, 11, 12] and (howe.later == 0.5).all()


@pytest.mark.parametrize("change", [SPRING, AUTUMN])
@pytest.mark.parametrize("ahead", [-1, 0, 1, 4, 8])
def test_shares_on_both_sides_of_a_clock_change(change, ahead):
    """Whatever part of the six days of history lies before the change: the planned UTC day has in every hour what its
    wall clock tells, (h + 1) over the sum of its 24 hours. UTC never changes."""
    day = day_number(change) + ahead
    zones = ["Europe/Berlin", "UTC", "America/New_York"]
    shares = hour_shares(history_of(day, 6, zones), day, zones)
    rate = np.array([[wall_hour(day, h, zone) + 1.0 for zone in zones] for h in range(24)])
    np.testing.assert_allclose(shares, rate / rate.sum(axis=0), atol=1e-7)


def test_the_busiest_hour_moves_with_the_clock_and_the_peak_with_it():
    """All of Berlin's bytes come from 20:00 to 21:00: 19 UTC in winter, 18 UTC in summer. Six winter days and the
    planned first summer day: the hour file has 18 UTC at 1, and the peak is a day's bytes in one hour."""
    day = day_number("2026-03-30")
    history = history_of(day, 7, ["Europe/Berlin"], np.eye(24)[20])
    known = replace(knowledge_of(CATALOG), time_zones=("Europe/Berlin",))
    demand, blind = (forecast(history, pd.Timestamp("2026-03-30"), "last_day", CATALOG, knowledge)
                     for knowledge in (known, knowledge_of(CATALOG)))
    np.testing.assert_allclose(demand.hour_factor[:, 0], np.eye(24)[18], atol=1e-6)
    np.testing.assert_allclose(demand.peak_bps, demand.bytes * 8 / 3600, rtol=1e-6)
    assert blind.hour_factor[19, 0] == 1 and blind.hour_factor[18, 0] < 0.4


def test_a_region_of_few_requests_takes_the_networks_profile_by_its_own_clock():
    """Berlin, with all the requests, peaks at 20:00. New York's one request came at 3:00 in the morning; with m = 1
    half of its profile is Berlin's, at 20:00 of New York: 0 UTC in summer. Kolkata asked for nothing: its hours begin
    at half past, so Berlin's 20:00 to 21:00 lies half in its 19:30 and half in its 20:30, 14 and 15 UTC."""
    day, zones = day_number("2026-07-01"), ["Europe/Berlin", "America/New_York", "Asia/Kolkata"]
    history = history_of(day, 1, zones[:1], np.eye(24)[20])
    hours = np.zeros((1, 24, 3))
    hours[:, :, :1] = history.hour_bytes * 10**9
    hours[0, 7, 1] = 1
    history = replace(history, region_index=Index(zones), hour_bytes=hours, day=[0, 0], region=[0, 1], asset=[0, 0],
                      requests=[10**9, 1], bytes=[10**9, 1])
    shares = hour_shares(history, day, zones, prior_requests=1.0)
    np.testing.assert_allclose(shares[18, 0], 1)
    np.testing.assert_allclose(shares[[0, 7], 1], 0.5, atol=1e-6)
    np.testing.assert_allclose(shares[[14, 15], 2], 0.5, atol=1e-6)


def test_an_hour_that_comes_twice_does_not_count_twice():
    """A flat region over nothing but 25 October, whose hour from 2 to 3 came twice: flat on the day after."""
    day = day_number(AUTUMN) + 1
    history = history_of(day, 1, ["Europe/Berlin"], np.ones(24))
    np.testing.assert_allclose(local_profiles(history, ["Europe/Berlin"], day), 1)
    np.testing.assert_allclose(hour_shares(history, day, ["Europe/Berlin"]), 1 / 24)


def test_a_planned_day_without_the_only_hour_that_was_asked_in_is_flat():
    day = day_number(SPRING)
    history = history_of(day, 3, ["Europe/Berlin"], np.eye(24)[2])
    np.testing.assert_allclose(hour_shares(history, day, ["Europe/Berlin"]), 1 / 24)


def test_zones_of_other_regions_are_refused():
    day = day_number(SPRING)
    with pytest.raises(ValueError, match="time zones of 2 regions, the history has 1"):
        hour_shares(history_of(day, 1, ["UTC"]), day, ["UTC", "UTC"])
