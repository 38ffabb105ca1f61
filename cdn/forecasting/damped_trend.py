"""Damped trend with weekday factors: each pair's level and slope, smoothed as suits pairs of its kind.

On counts without their weekday factor, day by day,

    l' = alpha y + (1 - alpha) (l + phi b),   b' = beta (l' - l) + (1 - beta) phi b,   forecast = l + sum_i phi^i b

with alpha, beta and phi those that foresaw the days so far best (least squared error) in each group: class of
popularity x size of region. E. Gardner, E. McKenzie, Forecasting trends in time series (Management Science 31, 1985).
A missing day leaves level and slope as they are; the first observed day is the first level; a forecast below 0 is 0.
"""

from itertools import pairwise

import numpy as np

from cdn.compilation import kernel, routine
from cdn.forecasting.expectation import ExpectedRequests
from cdn.forecasting.gamma_shapes import popularity_class
from cdn.forecasting.history import History
from cdn.forecasting.knowledge import NOTHING_KNOWN, Knowledge
from cdn.forecasting.regional_tastes import pair_counts
from cdn.forecasting.seasonal_naive import DAYS_PER_WEEK
from cdn.forecasting.volumes import weekday_factors

SMOOTHINGS = np.array([(alpha, beta, phi) for alpha in (0.05, 0.1, 0.2, 0.35, 0.55, 0.8)
                       for beta, phi in ((0.0, 0.0), (0.1, 0.8), (0.1, 0.95), (0.3, 0.8), (0.3, 0.95))])
"""(alpha, beta, phi) to choose from; beta 0 with phi 0 is simple exponential smoothing."""
SIZE_CLASSES = 3
_POPULARITY_CLASSES = 20
_SAMPLED_PAIRS = 400


def damped_trend(history: History, day: int, knowledge: Knowledge = NOTHING_KNOWN) -> ExpectedRequests:
    """Level and damped slope of every pair that was asked for, times the weekday factor of its regions' size."""
    n_days = len(history.observed)
    size = region_sizes(history.region_days.sum(axis=0))
    factors = np.array([weekday_factors(history.region_days[:, size == k].sum(axis=1), history.observed,
                                        history.first_day) for k in range(SIZE_CLASSES)])
    weekday = (history.first_day + np.arange(n_days)) % DAYS_PER_WEEK
    day_factor = factors[size][:, weekday]
    rows, horizon = history.by_asset, day - history.until_day + 1
    count = pair_counts(history, np.ones(n_days))
    asset, region = np.nonzero(count)
    group = popularity_class(count[asset, region], _POPULARITY_CLASSES) * SIZE_CLASSES + size[region]
    chosen = _fitted(history, asset, region, group, day_factor, horizon)
    smoothing = SMOOTHINGS[chosen[group]]
    starts = np.searchsorted(asset, np.arange(len(history.asset_index) + 1))
    level = _smoothed(rows.indptr, rows.day, rows.region, rows.requests, history.observed, day_factor, starts, region,
                      smoothing, horizon)
    return ExpectedRequests(region, asset, level * factors[size[region], day % DAYS_PER_WEEK])


def region_sizes(volume: np.ndarray) -> np.ndarray:
    """(R,) size class of regions: 0 those of the least volume; classes hold about as many regions each."""
    rank = np.argsort(np.argsort(volume, kind="stable"), kind="stable")
    return rank * SIZE_CLASSES // len(volume)


def _fitted(history: History, asset: np.ndarray, region: np.ndarray, group: np.ndarray, day_factor: np.ndarray,
            horizon: int) -> np.ndarray:
    """(G,) position of the best of SMOOTHINGS per group, on every k-th of its pairs."""
    order = np.argsort(group, kind="stable")
    starts = np.searchsorted(group[order], np.arange(_POPULARITY_CLASSES * SIZE_CLASSES + 1))
    picked = [order[a:b][::max(1, (b - a) // _SAMPLED_PAIRS)] for a, b in pairwise(starts)]
    sample = np.concatenate(picked)
    rows = history.by_asset
    series = _series(rows.indptr, rows.day, rows.region, rows.requests, asset[sample], region[sample],
                     len(history.observed)) / day_factor[region[sample]]
    errors = _errors(series, history.observed, group[sample], _POPULARITY_CLASSES * SIZE_CLASSES, SMOOTHINGS, horizon)
    return errors.argmin(axis=1)


@kernel
def _series(indptr, day, region, requests, assets, regions, n_days):
    result = np.zeros((len(assets), n_days))
    for i in range(len(assets)):
        for k in range(indptr[assets[i]], indptr[assets[i] + 1]):
            if region[k] == regions[i]:
                result[i, day[k]] = requests[k]
    return result


@routine
def _ahead(level, slope, phi, horizon):
    total, damping = level, 1.0
    for _ in range(horizon):
        damping *= phi
        total += damping * slope
    return max(total, 0.0)


@kernel
def _errors(series, observed, group, n_groups, smoothings, horizon):
    """(G, S) sums of squared errors of forecasts ``horizon`` days ahead."""
    result = np.zeros((n_groups, len(smoothings)))
    n_days = series.shape[1]
    ahead = np.zeros(n_days + horizon)
    for i in range(len(series)):
        for s in range(len(smoothings)):
            alpha, beta, phi = smoothings[s]
            level = slope = 0.0
            begun = False
            for d in range(n_days):
                if observed[d]:
                    if begun and d >= horizon:
                        result[group[i], s] += (series[i, d] - ahead[d]) ** 2
                    before = level
                    level = alpha * series[i, d] + (1 - alpha) * (level + phi * slope) if begun else series[i, d]
                    slope = beta * (level - before) + (1 - beta) * phi * slope if begun else 0.0
                    begun = True
                ahead[d + horizon] = _ahead(level, slope, phi, horizon)
    return result


@kernel
def _smoothed(indptr, day, region, requests, observed, day_factor, pair_starts, pair_region, smoothing, horizon):
    """(P,) forecasts of pairs ordered by asset, then region, before their weekday factor."""
    n_regions, n_days = day_factor.shape
    result = np.zeros(len(pair_region))
    counts = np.zeros((n_regions, n_days))
    for a in range(len(indptr) - 1):
        for k in range(indptr[a], indptr[a + 1]):
            counts[region[k], day[k]] = requests[k]
        for p in range(pair_starts[a], pair_starts[a + 1]):
            r = pair_region[p]
            alpha, beta, phi = smoothing[p]
            level = slope = 0.0
            begun = False
            for d in range(n_days):
                if observed[d]:
                    y, before = counts[r, d] / day_factor[r, d], level
                    level = alpha * y + (1 - alpha) * (level + phi * slope) if begun else y
                    slope = beta * (level - before) + (1 - beta) * phi * slope if begun else 0.0
                    begun = True
            result[p] = _ahead(level, slope, phi, horizon)
        for k in range(indptr[a], indptr[a + 1]):
            counts[region[k], day[k]] = 0.0
    return result
