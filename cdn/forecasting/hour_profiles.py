"""Which hours of the day a region's bytes fall into, by its own clock, and the rate in its busiest hour of a UTC day.

People keep their habits when clocks change, so a region's profile is one of local hours. A history of D days, each UTC
hour in local hour k with share w, gives in region r

    own_rk = sum w bytes / sum w level_d,     level_d = bytes of the day / sum over its hours of own

(fixed point: maximum likelihood of Poisson bytes, level x profile): local hours that a day lacks (23 hours) or has
twice (25) count as often as they were there. The network's profile is the same ratio over all regions; a region of n
requests weighs its own by n / (n + m), m = ``PRIOR_REQUESTS``, because a handful of requests has a sharp peak by chance
alone. The planned UTC day takes from the profile the local hours it has, clock change included.
"""

from collections.abc import Sequence

import numpy as np

from cdn.forecasting.history import History
from cdn.forecasting.local_hours import LocalHours, local_hours
from cdn.units import BITS_PER_BYTE, HOURS_PER_DAY, SECONDS_PER_HOUR

PRIOR_REQUESTS = 200.0
_ROUNDS = 4
"""Only days whose clocks change move after the first round, each by a small part of what it moved before."""


def hour_shares(history: History, day: int, time_zones: Sequence[str] | None = None,
                prior_requests: float = PRIOR_REQUESTS) -> np.ndarray:
    """(24, R) share of each region's bytes of UTC day number ``day`` per UTC hour; every column adds up to 1.

    ``time_zones``: IANA names of the R regions; without them all keep UTC. Without any bytes the hours are alike.
    """
    zones = ["UTC"] * len(history.region_index) if time_zones is None else time_zones
    if len(zones) != len(history.region_index):
        raise ValueError(f"time zones of {len(zones)} regions, the history has {len(history.region_index)}")
    profile = local_profiles(history, zones, day, prior_requests)
    rate = _read_off(profile, local_hours(day, 1, zones, day))[0]
    # A region that only ever asked in the hour which the planned day lacks says nothing of the others.
    rate[:, rate.sum(axis=0) == 0] = 1.0
    return rate / rate.sum(axis=0)


def local_profiles(history: History, time_zones: Sequence[str], day: int,
                   prior_requests: float = PRIOR_REQUESTS) -> np.ndarray:
    """(24, R) bytes of each local hour over those of a mean hour, local hours as ``local_hours`` counts them on
    ``day``.
    """
    where = local_hours(history.first_day, len(history.observed), time_zones, day)
    bytes_, of_days = _summed(history.hour_bytes, where), history.hour_bytes.sum(axis=1, keepdims=True)
    own = np.ones_like(bytes_)
    for _ in range(_ROUNDS):
        weight = _read_off(own, where).sum(axis=1, keepdims=True)
        level = np.divide(of_days, weight, out=np.zeros_like(of_days), where=weight > 0)
        exposure = _summed(np.broadcast_to(level, history.hour_bytes.shape), where)
        own = np.divide(bytes_, exposure, out=np.ones_like(bytes_), where=exposure > 0)
    everywhere = _everywhere(bytes_, exposure, where.start_s)
    own = np.where(exposure > 0, own, everywhere)
    requests = np.bincount(history.region, history.requests, len(history.region_index))
    trust = requests / (requests + prior_requests)
    return trust * own + (1 - trust) * everywhere


def _everywhere(bytes_: np.ndarray, exposure: np.ndarray, start_s: np.ndarray) -> np.ndarray:
    """(24, R) the network's profile, read off at the hours of each region: made of full hours, from them back."""
    full = np.zeros((2, HOURS_PER_DAY))
    later = (start_s / SECONDS_PER_HOUR)[None, None]
    hour = np.broadcast_to(np.arange(HOURS_PER_DAY)[None, :, None], (1, *bytes_.shape))
    where = LocalHours(hour, np.broadcast_to(later, hour.shape), start_s)
    for k, values in enumerate((bytes_, exposure)):
        full[k] = _summed(values[None], where).sum(axis=1)
    ratio = np.where(full[1] > 0, full[0] / np.where(full[1] > 0, full[1], 1.0), 1.0)
    return _read_off(np.repeat(ratio[:, None], bytes_.shape[1], axis=1), where)[0]


def _summed(values: np.ndarray, where: LocalHours) -> np.ndarray:
    """(24, R) sums over local hours of values (D, 24, R) of UTC hours."""
    n_regions = values.shape[-1]
    region = np.broadcast_to(np.arange(n_regions), values.shape)
    sums = np.zeros(HOURS_PER_DAY * n_regions)
    for hour, share in ((where.hour, 1 - where.later), ((where.hour + 1) % HOURS_PER_DAY, where.later)):
        sums += np.bincount((hour * n_regions + region).ravel(), (values * share).ravel(), len(sums))
    return sums.reshape(HOURS_PER_DAY, n_regions)


def _read_off(profile: np.ndarray, where: LocalHours) -> np.ndarray:
    """(D, 24, R) the profile (24, R) of local hours at UTC hours."""
    region = np.arange(profile.shape[1])
    return ((1 - where.later) * profile[where.hour, region]
            + where.later * profile[(where.hour + 1) % HOURS_PER_DAY, region])


def peak_bps_per_byte(shares: np.ndarray) -> np.ndarray:
    """(R,) bit/s in the busiest hour for each byte of the day; ``shares`` (24, R)."""
    return shares.max(axis=0) * BITS_PER_BYTE / SECONDS_PER_HOUR
