"""The history turned round: each asset's entries side by side, for passes that have room for one asset."""

from dataclasses import dataclass

import numpy as np

from cdn.compilation import kernel
from cdn.model.arrays import csr_indptr


@dataclass(frozen=True, eq=False)
class AssetRows:
    """Entries ordered by asset, then day, then region: those of asset a lie in ``indptr[a]:indptr[a + 1]``.
    ``indptr`` (A + 1,) int64; ``day``, ``region`` (N,) int32; ``requests`` (N,) float64."""

    indptr: np.ndarray
    day: np.ndarray
    region: np.ndarray
    requests: np.ndarray


def rows_by_asset(day: np.ndarray, region: np.ndarray, asset: np.ndarray, requests: np.ndarray,
                  n_assets: int) -> AssetRows:
    """One counting sort of entries that are ordered by day, asset, region."""
    indptr = csr_indptr(asset, n_assets)
    return AssetRows(indptr, *_dealt(indptr[:-1].copy(), asset, day, region, requests))


@kernel
def _dealt(following, asset, day, region, requests):
    n = len(asset)
    day_out, region_out = np.empty(n, dtype=np.int32), np.empty(n, dtype=np.int32)
    requests_out = np.empty(n, dtype=np.float64)
    for i in range(n):
        k = following[asset[i]]
        following[asset[i]] = k + 1
        day_out[k], region_out[k], requests_out[k] = day[i], region[i], requests[i]
    return day_out, region_out, requests_out


@kernel
def daily_totals(asset, day, requests, n_assets, n_days):
    """(A, D) float64 requests of each asset on each day, all regions together."""
    total = np.zeros((n_assets, n_days))
    for i in range(len(asset)):
        total[asset[i], day[i]] += requests[i]
    return total
