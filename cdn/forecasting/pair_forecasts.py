"""Forecasts made for all pairs at once, thinned to those that matter and given their dispersion."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cdn.forecasting.expectation import ExpectedRequests
from cdn.forecasting.history import History
from cdn.forecasting.regional_tastes import pair_counts, sampled_titles
from cdn.forecasting.title_levels import TitleLevels
from cdn.forecasting.uncertainty import DEFAULT_DISPERSION, N_CLASSES, dispersions_of, measured_dispersions


@dataclass(frozen=True, eq=False)
class PairForecast:
    """``mean`` (A, R) expected requests; ``seen`` (A, R) bool: asked for before; ``young`` (A,) bool; ``levels`` of the
    titles."""

    mean: np.ndarray
    seen: np.ndarray
    young: np.ndarray
    levels: TitleLevels

    def entries(self, min_requests: float, dispersion: np.ndarray | None) -> ExpectedRequests:
        """Pairs asked for before, pairs of young titles, and the others expected ``min_requests``; ``dispersion``:
        table of ``measured_dispersions``. A young title is as uncertain as its level at least."""
        kept = self.seen | (self.mean >= min_requests)
        kept |= self.young[:, None] & (self.mean > 0)
        asset, region = np.nonzero(kept)
        mean = self.mean[asset, region]
        if dispersion is None:
            return ExpectedRequests(region, asset, mean)
        phi = np.maximum(dispersions_of(dispersion, mean, self.young[asset]), self.levels.dispersion[asset])
        unseen = (self.young & ~self.seen.any(axis=1))[asset]
        unknown = np.where(unseen, 1 / self.levels.shape[asset], 0.0)
        return ExpectedRequests(region, asset, mean, np.maximum(phi, unknown))


def with_last_day_s_dispersion(pairs: Callable[[History, int], PairForecast], history: History, day: int,
                               min_requests: float, interval: bool = True) -> ExpectedRequests:
    """The forecast of ``day`` by ``pairs(history, day)``, with the dispersion of the last observed day's counts about
    what the same method foresees for it, as many days ahead; without ``interval`` no dispersion."""
    now = pairs(history, day)
    if not interval:
        return now.entries(min_requests, None)
    held = int(history.observed_days[-1])
    earlier = history.before(held - (day - history.until_day))
    if not earlier.observed.any():
        return now.entries(min_requests, np.full((2, N_CLASSES), DEFAULT_DISPERSION))
    before = pairs(earlier, held)
    only_held = np.arange(len(history.observed)) == held - history.first_day
    count = pair_counts(history, only_held.astype(float))
    rows = np.concatenate([group[sampled_titles(before.mean[group].sum(axis=1))]
                           for group in (np.flatnonzero(before.young), np.flatnonzero(~before.young))])
    young = np.repeat(before.young[rows], count.shape[1])
    return now.entries(min_requests, measured_dispersions(before.mean[rows].ravel(), count[rows].ravel(), young))
