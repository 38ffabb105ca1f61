"""What a forecaster returns, and the weighted sums of days that most of them are."""

from dataclasses import dataclass

import numpy as np

from cdn.forecasting.history import History, sums_by_key
from cdn.model.arrays import frozen


@dataclass(frozen=True, eq=False)
class ExpectedRequests:
    """Expected requests on the forecast day, one entry per (region, asset), ordered by asset, then region.

    ``region``, ``asset`` (N,) int32; ``requests`` (N,) float64 >= 0. A pair without an entry is expected nothing.
    ``dispersion`` (N,) float64 >= 0, phi of a negative binomial count: variance = requests + phi requests^2; None where
    a method says nothing of how far off it may be (``cdn.forecasting.uncertainty`` then measures it).
    """

    region: np.ndarray
    asset: np.ndarray
    requests: np.ndarray
    dispersion: np.ndarray | None = None

    def __post_init__(self) -> None:
        for name, dtype in (("region", np.int32), ("asset", np.int32), ("requests", np.float64)):
            object.__setattr__(self, name, frozen(getattr(self, name), dtype))
        if len(self.requests) and not (np.isfinite(self.requests).all() and self.requests.min() >= 0):
            raise ValueError("expected requests must be finite and not negative")
        if self.dispersion is not None:
            object.__setattr__(self, "dispersion", frozen(self.dispersion, np.float64))
            if len(self.requests) and not (np.isfinite(self.dispersion).all() and self.dispersion.min() >= 0):
                raise ValueError("dispersions must be finite and not negative")

    def __len__(self) -> int:
        return len(self.requests)

    def keys(self, n_regions: int) -> np.ndarray:
        """(N,) int64 asset * R + region, ascending."""
        return self.asset.astype(np.int64) * n_regions + self.region

    @classmethod
    def of_keys(cls, key: np.ndarray, requests: np.ndarray, n_regions: int) -> "ExpectedRequests":
        """From keys asset * R + region, ascending and distinct."""
        return cls(key % n_regions, key // n_regions, requests)


def weighted_sums(history: History, day_weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Keys asset * R + region (M,), ascending, and the sum over days of weight (D,) times requests for each."""
    used = slice(None) if (day_weight > 0).all() else day_weight[history.day] > 0
    key = history.asset[used].astype(np.int64) * len(history.region_index) + history.region[used]
    key, requests = sums_by_key(key, day_weight[history.day[used]] * history.requests[used])
    return key, requests


def weighted_mean(history: History, day_weight: np.ndarray) -> ExpectedRequests:
    """The mean of the days, weighted by ``day_weight`` (D,) >= 0; missing days have no weight whatever is given."""
    weight = np.where(history.observed, day_weight, 0.0)
    key, requests = weighted_sums(history, weight / weight.sum())
    return ExpectedRequests.of_keys(key, requests, len(history.region_index))


def forgetting_weights(history: History, half_life_days: float | None) -> np.ndarray:
    """(D,) weights: a day ``half_life_days`` older counts half; None counts all observed days alike.

    Days weighted w_d count as n = c sum_d w_d n_d with c = sum w / sum w^2 (L. Kish, Survey Sampling, 1965, 11.7): then
    the variance of n is its mean, as for Poisson counts.
    """
    if half_life_days is None:
        return history.observed.astype(float)
    age = history.observed_days[-1] - (history.first_day + np.arange(len(history.observed)))
    weight = np.where(history.observed, 0.5 ** (np.maximum(age, 0) / half_life_days), 0.0)
    return weight * weight.sum() / (weight**2).sum()
