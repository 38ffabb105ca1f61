"""Demand: what is expected of each (region, asset) in the planning period. Sparse, asset-major."""

from dataclasses import dataclass

import numpy as np

from cdn.model.arrays import csr_indptr, frozen, rows_of
from cdn.model.index import Index


@dataclass(frozen=True, eq=False)
class Demand:
    """One entry per (region, asset) with demand, ordered by asset, then region.

    ``indptr`` (A + 1,), ``region`` (N,) int32, ``requests``, ``bytes``, ``peak_bps`` (N,) float >= 0.
    ``hour_factor`` (H, R), each column's maximum 1: the bit rate of region r in hour h is
    ``peak_bps * hour_factor[h, r]``. One row of ones says that all regions peak together. ``bytes_p10``, ``bytes_p90``
    (N,): quantiles of bytes, where a forecast gives them; None otherwise.
    """

    region_index: Index
    asset_index: Index
    indptr: np.ndarray
    region: np.ndarray
    requests: np.ndarray
    bytes: np.ndarray
    peak_bps: np.ndarray
    hour_factor: np.ndarray
    bytes_p10: np.ndarray | None = None
    bytes_p90: np.ndarray | None = None

    def __post_init__(self) -> None:
        given = [name for name in ("bytes_p10", "bytes_p90") if getattr(self, name) is not None]
        for name, dtype in (("indptr", np.int64), ("region", np.int32), ("requests", np.float64),
                            ("bytes", np.float64), ("peak_bps", np.float64), ("hour_factor", np.float64),
                            *((name, np.float64) for name in given)):
            object.__setattr__(self, name, frozen(getattr(self, name), dtype))
        n = len(self.region)
        if self.indptr.shape != (len(self.asset_index) + 1,) or self.indptr[-1] != n:
            raise ValueError("indptr does not fit the assets and entries")
        for name in ("requests", "bytes", "peak_bps", *given):
            values = getattr(self, name)
            if values.shape != (n,):
                raise ValueError(f"{name} has shape {values.shape}, expected ({n},)")
            if n and not (np.isfinite(values).all() and values.min() >= 0):
                raise ValueError(f"{name} must be finite and not negative")
        if self.hour_factor.ndim != 2 or self.hour_factor.shape[1] != len(self.region_index):
            raise ValueError("hour_factor must be (hours, regions)")

    @classmethod
    def from_entries(cls, region_index, asset_index, region, asset, requests, bytes, peak_bps=None, hour_factor=None,
                     bytes_p10=None, bytes_p90=None):
        """Builds demand from entries in any order; entries of the same (region, asset) are added up, of quantiles too
        (those of a sum lie within the sums).

        Without ``peak_bps`` the day's bytes are taken as spread evenly over 24 h.
        """
        region, asset = np.asarray(region, dtype=np.int64), np.asarray(asset, dtype=np.int64)
        keys, where = np.unique(asset * len(region_index) + region, return_inverse=True)
        requests, bytes, p10, p90 = (None if v is None else np.bincount(where, weights=v, minlength=len(keys))
                                     for v in (requests, bytes, bytes_p10, bytes_p90))
        even = bytes * 8 / 86400
        peak = even if peak_bps is None else np.bincount(where, weights=peak_bps, minlength=len(keys))
        n_regions = max(len(region_index), 1)
        return cls(
            region_index=region_index,
            asset_index=asset_index,
            indptr=csr_indptr(keys // n_regions, len(asset_index)),
            region=keys % n_regions,
            requests=requests,
            bytes=bytes,
            peak_bps=peak,
            hour_factor=np.ones((1, len(region_index))) if hour_factor is None else hour_factor,
            bytes_p10=p10,
            bytes_p90=p90,
        )

    def __len__(self) -> int:
        return len(self.region)

    @property
    def asset(self) -> np.ndarray:
        """(N,) asset of every entry."""
        return rows_of(self.indptr)

    @property
    def total_bytes(self) -> float:
        return float(self.bytes.sum())

    def peak_hours(self) -> np.ndarray:
        """Hours that can bind: those in which not every region is below its own rate of another hour."""
        factor = self.hour_factor
        kept: list[int] = []
        for h in np.argsort(-factor.sum(axis=1), kind="stable"):
            if not any((factor[h] <= factor[k]).all() for k in kept):
                kept.append(int(h))
        return np.array(sorted(kept), dtype=np.int64)
