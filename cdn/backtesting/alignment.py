"""Forecasts and the true day on the same (region, asset) pairs: what every metric is a function of."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cdn.model.arrays import frozen
from cdn.model.demand import Demand


@dataclass(frozen=True, eq=False)
class Alignment:
    """M forecasts of one day and the day itself on the N pairs that any of them has, by asset, then region.

    ``region``, ``asset`` (N,) int32; ``true_requests``, ``true_bytes`` (N,); ``requests``, ``bytes`` (M, N), 0 where a
    forecast has no entry.
    """

    region: np.ndarray
    asset: np.ndarray
    true_requests: np.ndarray
    true_bytes: np.ndarray
    requests: np.ndarray
    bytes: np.ndarray

    def __post_init__(self) -> None:
        for name, dtype in (("region", np.int32), ("asset", np.int32), ("true_requests", np.float64),
                            ("true_bytes", np.float64), ("requests", np.float64), ("bytes", np.float64)):
            object.__setattr__(self, name, frozen(getattr(self, name), dtype))

    def __len__(self) -> int:
        return len(self.region)


def align(true: Demand, forecasts: Sequence[Demand]) -> Alignment:
    """Puts demands of the same regions and assets side by side. Raises ValueError where they differ in these."""
    n_regions = len(true.region_index)
    for other in forecasts:
        if other.region_index != true.region_index or other.asset_index != true.asset_index:
            raise ValueError("the forecast and the day have different regions or assets")
    keys = [demand.asset.astype(np.int64) * n_regions + demand.region for demand in (true, *forecasts)]
    union = np.unique(np.concatenate(keys))
    tables = []
    for name in ("requests", "bytes"):
        table = np.zeros((len(keys), len(union)))
        for row, key, demand in zip(table, keys, (true, *forecasts), strict=True):
            row[np.searchsorted(union, key)] = getattr(demand, name)
        tables.append(table)
    requests, bytes_ = tables
    return Alignment(union % n_regions, union // n_regions, requests[0], bytes_[0], requests[1:], bytes_[1:])
