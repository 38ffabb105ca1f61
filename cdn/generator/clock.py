"""When requests come: hour of the day and weekday, each region by its own clock.

The rate over the local day is the density of a von Mises distribution, ``exp(kappa cos(2 pi (t - peak) / 24))``, whose
``kappa`` gives the wanted peak over mean; days of the week scale it. Offsets from UTC are those of the IANA database
on that day, half hours and summer time included.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from scipy.optimize import brentq
from scipy.special import i0e

from cdn.generator.parameters import GeneratorParameters
from cdn.units import HOURS_PER_DAY, SECONDS_PER_HOUR


def concentration(peak_over_mean: float) -> float:
    """``kappa`` of the von Mises density whose maximum is ``peak_over_mean`` times its mean: e^kappa / I0(kappa)."""
    if peak_over_mean == 1:
        return 0.0
    # i0e is I0(kappa) e^-kappa, so the ratio does not overflow.
    return float(brentq(lambda kappa: 1 / i0e(kappa) - peak_over_mean, 0.0, 10 * peak_over_mean**2))


def day_profile(local_hour: np.ndarray, parameters: GeneratorParameters) -> np.ndarray:
    """Rate at a local time (hours after midnight) over the day's mean rate."""
    kappa = concentration(parameters.peak_over_mean)
    angle = 2 * np.pi * (np.asarray(local_hour) - parameters.peak_hour) / HOURS_PER_DAY
    return np.exp(kappa * (np.cos(angle) - 1)) / i0e(kappa)


def hour_factors(day: date, time_zones: Sequence[str], parameters: GeneratorParameters) -> np.ndarray:
    """(24, R) rate in each UTC hour of a UTC day over the region's mean rate of the whole week."""
    weekday_factor = np.array(parameters.weekday_factors) / np.mean(parameters.weekday_factors)
    columns = {zone: _zone_factors(day, ZoneInfo(zone), weekday_factor, parameters) for zone in set(time_zones)}
    return np.column_stack([columns[zone] for zone in time_zones])


def _zone_factors(day: date, zone: ZoneInfo, weekday_factor: np.ndarray, parameters: GeneratorParameters) -> np.ndarray:
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    # The middle of the hour stands for the hour.
    local = [(midnight + timedelta(hours=hour, minutes=30)).astimezone(zone) for hour in range(HOURS_PER_DAY)]
    hours = np.array([t.hour + t.minute / 60 + t.second / SECONDS_PER_HOUR for t in local])
    return day_profile(hours, parameters) * weekday_factor[[t.weekday() for t in local]]
