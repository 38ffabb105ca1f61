"""Does a forecast rank titles as the day did? Overlap of the regions' top lists, and the weighted Kendall correlation.

Placement looks at ranks more than at counts. Kendall's tau with hyperbolic weights (S. Vigna, A weighted correlation
index for rankings with ties, WWW 2015, as scipy has it): exchanges near the top weigh most.
"""

import numpy as np
from scipy.stats import weightedtau

TOP_K = 100


def top_hits(region: np.ndarray, true: np.ndarray, forecast: np.ndarray, n_regions: int,
             k: int = TOP_K) -> tuple[np.ndarray, np.ndarray]:
    """(R,) how many of each region's forecast top list are in its true one, and (R,) how long the lists are.

    ``region``, ``true``, ``forecast`` (N,) by pair. A list has k places, or as many as titles were asked for where
    those are fewer. A title is in the true list where it was asked for as often as the one in the last place: ties at
    the end are no error. In the forecast's list ties go to the earlier pair, and only pairs forecast above 0 stand
    there.
    """
    asked = np.bincount(region[true > 0], minlength=n_regions)
    places = np.minimum(asked, k)
    least = np.full(n_regions, np.inf)
    by_true, true_rank = _ranked(region, true, n_regions)
    last = true_rank == places[region[by_true]] - 1
    least[region[by_true[last]]] = true[by_true[last]]
    by_forecast, rank = _ranked(region, forecast, n_regions)
    listed = by_forecast[(rank < places[region[by_forecast]]) & (forecast[by_forecast] > 0)]
    hits = np.bincount(region[listed[true[listed] >= least[region[listed]]]], minlength=n_regions)
    return hits, places


def _ranked(region: np.ndarray, value: np.ndarray, n_regions: int) -> tuple[np.ndarray, np.ndarray]:
    """The pairs by region and falling value, and the rank 0, 1, ... of each within its region."""
    order = np.lexsort((-value, region))
    starts = np.concatenate([[0], np.cumsum(np.bincount(region, minlength=n_regions))[:-1]])
    return order, np.arange(len(order)) - starts[region[order]]


def weighted_kendalls(region: np.ndarray, true: np.ndarray, forecast: np.ndarray, n_regions: int) -> np.ndarray:
    """(R,) weighted Kendall correlation of forecast and day over the pairs of each region that either has; NaN where
    they do not vary."""
    either = (true > 0) | (forecast > 0)
    region, true, forecast = region[either], true[either], forecast[either]
    order = np.argsort(region, kind="stable")
    ends = np.searchsorted(region[order], np.arange(n_regions + 1))
    tau = np.full(n_regions, np.nan)
    for r in range(n_regions):
        rows = order[ends[r]:ends[r + 1]]
        if len(rows) > 1 and np.ptp(true[rows]) > 0 and np.ptp(forecast[rows]) > 0:
            tau[r] = weightedtau(true[rows], forecast[rows]).statistic
    return tau
