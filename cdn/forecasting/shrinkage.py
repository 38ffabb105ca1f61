"""Empirical Bayes: a region's few requests are pulled towards the title's share over all regions.

    n_ra ~ Poisson(N_r p_ra),  p_ra ~ Gamma(k q_a, k),  q_a = sum_r n_ra / sum_r N_r
    E[p_ra | n] = (n_ra + k q_a) / (N_r + k),           forecast = V_r E[p_ra | n]

with n the requests of the days (older days may count less), N_r a region's total, V_r its mean requests per day, and
k the concentration that makes the counts likeliest (``cdn.forecasting.concentration``). The prior is worth k requests:
where N_r is far above k the region's own taste decides, far below it everyone's.
J. O. Berger, Statistical Decision Theory and Bayesian Analysis (1985), chapter 4.5.

Days weigh as ``forgetting_weights`` says, so old days add evidence in proportion to what they tell.
"""

import numpy as np

from cdn.forecasting.concentration import concentration, concentrations
from cdn.forecasting.expectation import ExpectedRequests, forgetting_weights, weighted_sums
from cdn.forecasting.history import History
from cdn.forecasting.knowledge import NOTHING_KNOWN, Knowledge


def shrinkage(history: History, day: int, knowledge: Knowledge = NOTHING_KNOWN, *, k: float | None = None,
              per_region: bool = False, half_life_days: float | None = 3.0,
              min_requests: float = 0.01) -> ExpectedRequests:
    """Posterior mean of every pair that was asked for, and of others whose title is asked for elsewhere.

    ``k``: concentration (> 0); None estimates it, with ``per_region`` for each region on its own. ``half_life_days``:
    a day that much older counts half; None counts all days alike. ``min_requests``: pairs the region never asked for
    are left out where fewer requests than this are expected; 0 keeps all R x A of them. Before that cut, each
    region's expected requests add up to its mean per day.
    """
    _check(k, half_life_days, min_requests)
    weight = forgetting_weights(history, half_life_days)
    n_regions = len(history.region_index)
    key, count = weighted_sums(history, weight)
    region, asset = key % n_regions, key // n_regions
    total = np.bincount(region, count, n_regions)
    share = np.bincount(asset, count, len(history.asset_index)) / total.sum()
    if k is None:
        estimate = concentrations if per_region else concentration
        strength = np.broadcast_to(estimate(region, count, share[asset], total), n_regions)
    else:
        strength = np.full(n_regions, float(k))
    per_unit = total / weight.sum() / (total + strength)
    seen = (count + strength[region] * share[asset]) * per_unit[region]
    new_key, new = _unseen(key, share, strength * per_unit, min_requests)
    order = np.argsort(np.concatenate([key, new_key]), kind="stable")
    requests = np.concatenate([seen, new])[order]
    return ExpectedRequests.of_keys(np.concatenate([key, new_key])[order], requests, n_regions)


def _check(k: float | None, half_life_days: float | None, min_requests: float) -> None:
    if k is not None and not 0 < k < np.inf:
        raise ValueError(f"k is a positive number, not {k}")
    if half_life_days is not None and not half_life_days > 0:
        raise ValueError(f"half_life_days is positive, not {half_life_days}")
    if not min_requests >= 0:
        raise ValueError(f"min_requests is not negative, not {min_requests}")


def _unseen(key: np.ndarray, share: np.ndarray, prior_requests: np.ndarray,
            min_requests: float) -> tuple[np.ndarray, np.ndarray]:
    """Keys and expected requests of pairs not among ``key``: share (A,) times the prior's requests (R,)."""
    n_regions = len(prior_requests)
    by_share = np.argsort(-share, kind="stable")
    by_share = by_share[: np.count_nonzero(share)]
    ascending = share[by_share][::-1]
    least = np.full(n_regions, np.inf)
    np.divide(min_requests, prior_requests, out=least, where=prior_requests > 0)
    n_titles = len(ascending) - np.searchsorted(ascending, least, side="left")
    region = np.repeat(np.arange(n_regions), n_titles)
    asset = by_share[np.arange(n_titles.sum()) - np.repeat(np.cumsum(n_titles) - n_titles, n_titles)]
    candidate = asset * n_regions + region
    new = ~np.isin(candidate, key, assume_unique=True)
    return candidate[new], share[asset[new]] * prior_requests[region[new]]
