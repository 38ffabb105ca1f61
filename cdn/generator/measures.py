"""What a request log is like, in numbers: the same functions measure real logs and samples.

Weeks begin on Monday (UTC) and only whole ones count. A *release* is what a chart lists: a film or a season; where
nothing groups the assets each is its own.
"""

import numpy as np
from scipy.optimize import brentq
from scipy.stats import rankdata

from cdn.model.request_log import RequestLog
from cdn.units import HOURS_PER_DAY

_MONDAY_1970 = 3  # 1970-01-01 was a Thursday, day number 3 of its week


def requests_per_asset(log: RequestLog) -> np.ndarray:
    """(A,) requests of each asset."""
    return np.bincount(log.asset, minlength=len(log.asset_index))


def fit_zipf_exponent(counts: np.ndarray) -> float:
    """Maximum-likelihood exponent s of p(k) = k^-s / sum_j j^-s over all ranks k = 1..K of the objects asked for.

    At the maximum the mean of log k under p is that of the requests, and it falls as s grows. NaN below two objects.
    """
    ordered = np.sort(counts[counts > 0])[::-1]
    if len(ordered) < 2:
        return float("nan")
    log_rank = np.log(np.arange(1, len(ordered) + 1))
    observed = float(ordered @ log_rank / ordered.sum())

    def excess(s: float) -> float:
        p = np.exp(-s * log_rank)
        return float(p @ log_rank / p.sum()) - observed

    return float(brentq(excess, -5.0, 50.0)) if excess(50.0) < 0 < excess(-5.0) else float("nan")


def one_hit_share(counts: np.ndarray) -> float:
    """Of the objects asked for, the share asked for once."""
    return float((counts == 1).sum() / max((counts > 0).sum(), 1))


def daily_one_hit_shares(log: RequestLog) -> np.ndarray:
    """(D,) ``one_hit_share`` within each day that has requests."""
    day, position = np.unique(log.day, return_inverse=True)
    keys, counts = np.unique(position * len(log.asset_index) + log.asset, return_counts=True)
    of = keys // max(len(log.asset_index), 1)
    return np.bincount(of, weights=counts == 1, minlength=len(day)) / np.bincount(of, minlength=len(day))


def region_correlations(log: RequestLog, n_regions: int = 10, n_assets: int = 500) -> tuple[float, float]:
    """Pearson and Spearman correlation of the requests per asset between two regions: the mean over all pairs of the
    ``n_regions`` with most requests, over the ``n_assets`` most requested. (Over all assets the many that few regions
    ask for would decide: the rank correlation of the tail is noise.)"""
    regions = np.argsort(-np.bincount(log.region, minlength=len(log.region_index)), kind="stable")[:n_regions]
    assets = np.argsort(-requests_per_asset(log), kind="stable")[:n_assets]
    column = np.full(len(log.asset_index), -1)
    column[assets] = np.arange(len(assets))
    row = np.full(len(log.region_index), -1)
    row[regions] = np.arange(len(regions))
    r, a = row[log.region], column[log.asset]
    kept = (r >= 0) & (a >= 0)
    table = np.bincount(r[kept] * len(assets) + a[kept], minlength=len(regions) * len(assets))
    table = table.reshape(len(regions), len(assets)).astype(float)
    return _mean_correlation(table), _mean_correlation(rankdata(table, axis=1))


def _mean_correlation(table: np.ndarray) -> float:
    varied = table[np.ptp(table, axis=1) > 0]
    if len(varied) < 2:
        return float("nan")
    return float(np.corrcoef(varied)[np.triu_indices(len(varied), 1)].mean())


def peak_over_mean(log: RequestLog) -> float:
    """Requests in the busiest UTC hour of a day over the day's mean hour; the median over days."""
    day, position = np.unique(log.day, return_inverse=True)
    table = np.bincount(position * HOURS_PER_DAY + log.hour, minlength=len(day) * HOURS_PER_DAY)
    table = table.reshape(-1, HOURS_PER_DAY)
    return float(np.median(table.max(axis=1) / table.mean(axis=1))) if len(day) else float("nan")


def weekly_requests(log: RequestLog, release: np.ndarray, n_releases: int) -> np.ndarray:
    """(W, R, F) requests in whole weeks, per region and release. ``release`` (A,) of each asset, -1 for none.

    Dense: a table for charts of up to some 1e8 cells.
    """
    n_regions = len(log.region_index)
    if not len(log):
        return np.zeros((0, n_regions, n_releases), dtype=np.int64)
    first = -((-(log.day[0] + _MONDAY_1970)) // 7)
    n_weeks = int(max((log.day[-1] + 1 + _MONDAY_1970) // 7 - first, 0))
    week = (log.day + _MONDAY_1970) // 7 - first
    of = np.asarray(release)[log.asset]
    kept = (week >= 0) & (week < n_weeks) & (of >= 0)
    keys = (week[kept] * n_regions + log.region[kept]) * n_releases + of[kept]
    return np.bincount(keys, minlength=n_weeks * n_regions * n_releases).reshape(n_weeks, n_regions, n_releases)


def charts(requests: np.ndarray, length: int = 20, lists: np.ndarray | None = None) -> np.ndarray:
    """(..., F) bool: the release is among the ``length`` most requested along the last axis (ties: the first listed).

    ``lists`` (F,): where charts are kept by kind, each kind's list has an equal part of the length. What nobody asked
    for does not chart.
    """
    if lists is not None:
        kinds = np.unique(lists)
        parts = [charts(np.where(lists == kind, requests, 0), length // len(kinds)) for kind in kinds]
        return np.logical_or.reduce(parts)
    order = np.argsort(-requests, axis=-1, kind="stable")[..., :length]
    charted = np.zeros(requests.shape, dtype=bool)
    np.put_along_axis(charted, order, True, axis=-1)
    return charted & (requests > 0)


def chart_persistence(charted: np.ndarray) -> float:
    """Of a region's weekly chart, the share that was in last week's, over regions and weeks. ``charted`` (W, R, F)."""
    kept = (charted[1:] & charted[:-1]).sum(axis=-1)
    return float(kept.sum() / charted[1:].sum()) if charted[1:].any() else float("nan")


def single_region_share(charted: np.ndarray) -> float:
    """Of the releases that chart anywhere, ever, the share that does so in one region only. ``charted`` (W, R, F)."""
    regions = charted.any(axis=0).sum(axis=0)
    return float((regions == 1).sum() / (regions > 0).sum()) if regions.any() else float("nan")


def decay_after_charting(requests: np.ndarray, charted: np.ndarray, weeks: int = 5) -> np.ndarray:
    """(weeks,) requests in the weeks from a release's first charting week on, over that week's; median over releases.

    ``requests``, ``charted`` (W, F) over all regions. Only new releases count (nobody asked for them before their
    first charting week or the week before it, and that lies in the log) which the log follows for ``weeks``.
    """
    n_weeks = len(requests)
    if not requests.size:
        return np.full(weeks, np.nan)
    asked, in_chart = requests > 0, charted
    first_asked = np.where(asked.any(axis=0), asked.argmax(axis=0), n_weeks)
    first_charted = np.where(in_chart.any(axis=0), in_chart.argmax(axis=0), n_weeks)
    new = (first_asked >= 1) & (first_charted - first_asked <= 1) & (first_charted + weeks <= n_weeks)
    releases = np.flatnonzero(new)
    if not len(releases):
        return np.full(weeks, np.nan)
    window = requests[first_charted[releases] + np.arange(weeks)[:, None], releases]
    return np.median(window / window[0], axis=1)


def decay_after_peak(log: RequestLog, release: np.ndarray, n_releases: int, after_days: tuple[int, ...] = (7, 14),
                     least_peak: int = 30) -> np.ndarray:
    """(len(after_days),) a new release's requests so many days after its busiest day, over that day's; median over the
    releases nobody asked for on the log's first two days, whose busiest day has at least ``least_peak`` requests and
    whose later days lie in the log. ``release`` (A,) of each asset, -1 for none."""
    of = np.asarray(release)[log.asset]
    first = int(log.day[0]) if len(log) else 0
    n_days = int(log.day[-1]) - first + 1 if len(log) else 0
    keys = ((log.day - first) * n_releases + of)[of >= 0]
    table = np.bincount(keys, minlength=n_days * n_releases).reshape(n_days, n_releases)
    peak = table.argmax(axis=0) if n_days else np.zeros(n_releases, dtype=int)
    top = table.max(axis=0, initial=0)
    new = (table[:2].sum(axis=0) == 0) & (top >= least_peak) & (peak + max(after_days) < n_days)
    if not new.any():
        return np.full(len(after_days), np.nan)
    k = np.flatnonzero(new)
    return np.array([np.median(table[peak[k] + days, k] / top[k]) for days in after_days])
