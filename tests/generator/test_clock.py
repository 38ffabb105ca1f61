"""When requests come: shapes of the day and local clocks."""

from datetime import date

import numpy as np
import pytest
from generator.sample_parameters import MONDAY, small
from hypothesis import given
from hypothesis import strategies as st

from cdn.generator.clock import concentration, day_profile, hour_factors

EVEN_WEEK = {"weekday_factors": [1.0] * 7, "peak_hour": 20.5}


@given(st.floats(1.0, 20.0))
def test_the_day_has_mean_one_and_the_wanted_peak(peak_over_mean):
    parameters = small(peak_over_mean=peak_over_mean)
    profile = day_profile(np.linspace(0, 24, 2000, endpoint=False), parameters)
    assert profile.mean() == pytest.approx(1.0)
    assert profile.max() == pytest.approx(peak_over_mean, rel=1e-3)


def test_a_flat_day_has_no_concentration():
    assert concentration(1.0) == 0.0
    assert day_profile(np.arange(24), small(peak_over_mean=1.0)).tolist() == [1.0] * 24


@pytest.mark.parametrize(("zone", "day", "peak_utc_hour"), [
    ("UTC", MONDAY, 20),
    ("Europe/Berlin", MONDAY, 19),
    ("America/New_York", date(2026, 1, 5), 1),
    # Summer time begins at 01:00 UTC on 2026-03-29: that evening the clock is two hours ahead.
    ("Europe/Berlin", date(2026, 3, 28), 19),
    ("Europe/Berlin", date(2026, 3, 29), 18),
])
def test_the_peak_follows_the_local_clock(zone, day, peak_utc_hour):
    """A peak at 20:30 local time lies in the middle of the UTC hour that begins at 20:00 less the offset."""
    assert hour_factors(day, [zone], small(**EVEN_WEEK))[:, 0].argmax() == peak_utc_hour


def test_half_hour_zones_lie_between_hours():
    """20:30 in Kolkata (+05:30) is 15:00 UTC: the hours beginning at 14:00 and 15:00 are equally near the peak."""
    factors = hour_factors(MONDAY, ["Asia/Kolkata"], small(**EVEN_WEEK))[:, 0]
    assert factors[14] == pytest.approx(factors[15])
    assert set(np.argsort(factors)[-2:]) == {14, 15}


def test_weekdays_are_local():
    """In Auckland (+13 in March) it is Tuesday from 11:00 UTC on Monday. Only Tuesday has requests."""
    parameters = small(weekday_factors=[0, 1, 0, 0, 0, 0, 0])
    factors = hour_factors(MONDAY, ["Pacific/Auckland"], parameters)[:, 0]
    assert np.flatnonzero(factors).tolist() == list(range(11, 24))


def test_a_week_has_mean_one():
    parameters = small()
    week = [hour_factors(date(2026, 3, 2 + k), ["Europe/Paris", "UTC"], parameters) for k in range(7)]
    assert np.mean(week, axis=(0, 1)) == pytest.approx([1.0, 1.0], rel=0.01)
    assert np.mean(week, axis=(0, 1))[1] == pytest.approx(1.0)
