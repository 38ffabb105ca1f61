"""Which hours of the day a region's bytes fall into (UTC), and the rate in its busiest hour."""

import numpy as np

from cdn.forecasting.history import History
from cdn.units import BITS_PER_BYTE, HOURS_PER_DAY, SECONDS_PER_HOUR

PRIOR_REQUESTS = 200.0


def hour_shares(history: History, prior_requests: float = PRIOR_REQUESTS) -> np.ndarray:
    """(24, R) share of each region's bytes per UTC hour; every column adds up to 1.

    A region with n requests weighs its own profile by n / (n + ``prior_requests``) and that of all regions by the
    rest: a handful of requests has a sharp peak by chance alone. Without any bytes the hours are alike.
    """
    by_hour = history.hour_bytes.sum(axis=0)
    everywhere = _shares(by_hour.sum(axis=1, keepdims=True), np.full((HOURS_PER_DAY, 1), 1 / HOURS_PER_DAY))
    own = _shares(by_hour, everywhere)
    requests = np.bincount(history.region, history.requests, len(history.region_index))
    trust = requests / (requests + prior_requests)
    return trust * own + (1 - trust) * everywhere


def _shares(by_hour: np.ndarray, otherwise: np.ndarray) -> np.ndarray:
    total = by_hour.sum(axis=0)
    return np.where(total > 0, by_hour / np.where(total > 0, total, 1.0), otherwise)


def peak_bps_per_byte(shares: np.ndarray) -> np.ndarray:
    """(R,) bit/s in the busiest hour for each byte of the day; ``shares`` (24, R)."""
    return shares.max(axis=0) * BITS_PER_BYTE / SECONDS_PER_HOUR
