"""Prices of cache space that prove an upper bound on hits: the one place where a bound is computed.

The relaxation of offline caching (the flow offline optimum, FOO, of Berger, Beckmann, Harchol-Balter, "Practical bounds
on optimal caching with variable object sizes", SIGMETRICS 2018) is, with x[i] the share of interval i that is kept:

    max   sum_i value[i] x[i]
    s.t.  sum_{i over gap t} size[i] x[i] <= room[t]     for each gap t
          0 <= x[i] <= 1

By weak duality *any* prices p[t] >= 0 per byte of a gap bound it, and with it every policy:

    hits <= sum_t room[t] p[t] + sum_i max(0, value[i] - size[i] sum_{t in i} p[t])

So a bound need not trust what found its prices: a solver may stop early, a big trace may be priced slice by slice. The
best prices give FOO exactly; the best *one* price for all gaps gives PFOO-L. Prices are kept as their running total
``paid`` (N,), rising: a byte kept from request k to request e pays ``paid[e] - paid[k]``.
"""

import math

import numpy as np

from cdn.caching.bounds.intervals import Intervals
from cdn.compilation import kernel

BLOCK = 1024
# Relative errors: of a sum of 1024 terms that are not negative at most 1024 * 2**-53 = 1.2e-13; of a term three ulp.
SUM_ERROR, TERM_ERROR = 2e-13, 1e-15


def price_bound(intervals: Intervals, paid: np.ndarray) -> int:
    """The bound in whole requests or bytes that the prices ``paid`` (N,) float64, not falling, prove.

    What is bounded is an integer, so a fraction is cut off, but not before all rounding errors are added. Raises
    ValueError where ``paid`` falls or is not finite.
    """
    if len(paid) != intervals.n_requests or not _are_prices(paid):
        raise ValueError("paid must be finite, not falling, and have one entry per request")
    rent = math.fsum(_rents(intervals.room_bytes, paid))
    profit = math.fsum(_profits(intervals.start, intervals.end, intervals.size_bytes, intervals.value, paid))
    total = intervals.total_value
    bound = (rent + profit) * (1 + SUM_ERROR) + total * TERM_ERROR
    return total if bound >= total else math.floor(bound)


@kernel
def _are_prices(paid):
    wrong = 0
    for t in range(len(paid)):
        wrong += not (np.isfinite(paid[t]) and (t == 0 or paid[t] >= paid[t - 1]))
    return wrong == 0


@kernel
def _rents(room_bytes, paid):
    """Sums of 1024 gaps each. (The gap after the last request is no use to anyone.)"""
    sums = np.zeros(len(paid) // BLOCK + 1)
    for t in range(len(paid) - 1):
        sums[t // BLOCK] += room_bytes[t] * (paid[t + 1] - paid[t])
    return sums


@kernel
def _profits(start, end, size_bytes, value, paid):
    sums = np.zeros(len(start) // BLOCK + 1)
    for i in range(len(start)):
        profit = value[i] - size_bytes[i] * (paid[end[i]] - paid[start[i]])
        if profit > 0:
            sums[i // BLOCK] += profit
    return sums
