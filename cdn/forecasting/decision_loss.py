"""What a forecast costs where it counts: bytes that land on the wrong side of a cache's marginal price.

At a price theta_r (bytes of demand a day per byte stored, the demand density of the last asset that fits) region r's
cache stores what promises more than it costs: b_ra >= theta_r size_a. With true demand b and forecast f

    loss_r = sum over a of |b_ra - theta_r size_a|  where exactly one of b_ra, f_ra is at or above theta_r size_a:

a wrongly left out asset loses what its bytes are worth above the room they take, a wrongly stored one the room it takes
above its bytes. It is the regret of the placement problem with storage priced (the Lagrangian of Applegate et al.,
Optimal content placement for a large-scale VoD system, ToN 24(4), 2016) and takes one pass over sorted entries, where a
replay takes minutes. 0 for a perfect forecast, never negative.
"""

from dataclasses import dataclass

import numpy as np

from cdn.compilation import kernel
from cdn.model.arrays import frozen


@dataclass(frozen=True, eq=False)
class PairBytes:
    """Bytes of (region, asset) pairs: ``key`` (N,) int64 asset * R + region, ascending and distinct; ``bytes`` (N,)
    float64 >= 0. A pair that is not there has none."""

    key: np.ndarray
    bytes: np.ndarray

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", frozen(self.key, np.int64))
        object.__setattr__(self, "bytes", frozen(self.bytes, np.float64))
        if len(self.key) > 1 and (np.diff(self.key) <= 0).any():
            raise ValueError("keys are to be ascending and distinct")

    @classmethod
    def of_pairs(cls, region: np.ndarray, asset: np.ndarray, bytes_: np.ndarray, n_regions: int) -> "PairBytes":
        """From pairs ordered by asset, then region, as demand and forecasts are."""
        return cls(np.asarray(asset, dtype=np.int64) * n_regions + region, bytes_)


def bytes_lost(true: PairBytes, forecast: PairBytes, size_bytes: np.ndarray, price: np.ndarray) -> np.ndarray:
    """(R,) bytes a day lost against clairvoyance; ``size_bytes`` (A,), ``price`` (R,) bytes a day per byte stored."""
    return _bytes_lost(true.key, true.bytes, forecast.key, forecast.bytes, np.asarray(size_bytes, dtype=np.float64),
                       np.asarray(price, dtype=np.float64))


def marginal_prices(demand: PairBytes, size_bytes: np.ndarray, storage_bytes: np.ndarray) -> np.ndarray:
    """(R,) the price at which each region's cache of ``storage_bytes`` (R,) is just full: the density of the first
    asset, in order of bytes per byte of size, that no longer fits whole; 0 where everything that is asked for fits."""
    n_regions = len(storage_bytes)
    region, asset = demand.key % n_regions, demand.key // n_regions
    size = np.asarray(size_bytes, dtype=np.float64)[asset]
    density = demand.bytes / size
    order = np.lexsort((-density, region))
    starts = np.searchsorted(region[order], np.arange(n_regions + 1))
    price = np.zeros(n_regions)
    for r in range(n_regions):
        rows = order[starts[r]:starts[r + 1]]
        fitting = np.searchsorted(np.cumsum(size[rows]), storage_bytes[r], side="right")
        if fitting < len(rows):
            price[r] = density[rows[fitting]]
    return price


@kernel
def _bytes_lost(true_key, true_bytes, key, forecast_bytes, size_bytes, price):
    n_regions = len(price)
    loss = np.zeros(n_regions)
    i = j = 0
    while i < len(true_key) or j < len(key):
        b = f = 0.0
        here = true_key[i] if j == len(key) or (i < len(true_key) and true_key[i] <= key[j]) else key[j]
        if i < len(true_key) and true_key[i] == here:
            b = true_bytes[i]
            i += 1
        if j < len(key) and key[j] == here:
            f = forecast_bytes[j]
            j += 1
        r = here % n_regions
        room = price[r] * size_bytes[here // n_regions]
        if (b >= room) != (f >= room):
            loss[r] += abs(b - room)
    return loss
