"""FOO, the flow offline optimum: exact on a whole trace, or priced slice by slice where that is too large to solve.

Slices. A slice takes a share of each interval that lies over it: the part inside, worth that part of the value that it
is of the interval's length. Any plan for the whole trace is a plan for each slice, and the shares of an interval add up
to its value, so the slices' optima together are never below the whole's. Each slice is solved alone; its prices, put
one after the other, are prices of the whole trace, and what they prove of the *uncut* intervals is the bound reported:
never above the sum of the slices, as a profit is at most the profits of its parts. One price for all gaps is among what
the slices choose from, so they are never above PFOO-L either; with one slice they are FOO.
"""

import numpy as np

from cdn.caching.bounds.certificates import price_bound
from cdn.caching.bounds.flow import FlowProblem, solve_flow
from cdn.caching.bounds.intervals import Intervals
from cdn.caching.bounds.knapsack import bound_by_knapsack

SLICE_REQUESTS = 100_000
# Parts that lie over a whole slice differ by their value per byte only; beyond so many classes of it they share one.
SPANNING_CLASSES = 1000


def bound_by_flow(intervals: Intervals) -> int:
    """FOO of the whole trace in whole requests or bytes: about 10 s for 100,000 requests, growing faster than N."""
    return bound_by_slices(intervals, max(intervals.n_requests, 1))


def bound_by_slices(intervals: Intervals, slice_requests: int = SLICE_REQUESTS) -> int:
    """An upper bound between FOO and PFOO-L, from linear programs of ``slice_requests`` requests each."""
    return min(price_bound(intervals, slice_prices(intervals, slice_requests)), bound_by_knapsack(intervals))


def slice_prices(intervals: Intervals, slice_requests: int) -> np.ndarray:
    """(N,) float64: running total of the prices that the slices' programs found. Raises SolverError."""
    n = intervals.n_requests
    price = np.zeros(n)
    for first in range(0, n - 1, slice_requests):
        last = min(first + slice_requests, n - 1)
        price[first + 1:last + 1] = solve_flow(_slice(intervals, first, last)).price
    return np.cumsum(price)


def _slice(intervals: Intervals, first: int, last: int) -> FlowProblem:
    """The parts of intervals in the gaps first..last-1, positions counted from ``first``."""
    over = np.flatnonzero((intervals.start < last) & (intervals.end > first) & (intervals.size_bytes > 0))
    whole_start, whole_end = intervals.start[over].astype(np.int64), intervals.end[over].astype(np.int64)
    start, end = np.maximum(whole_start, first) - first, np.minimum(whole_end, last) - first
    size = intervals.size_bytes[over]
    value = intervals.value[over] * ((end - start) / (whole_end - whole_start))
    spans = (start == 0) & (end == last - first)
    size_spanning, value_spanning = _merged(size[spans], value[spans])
    n_spanning = len(size_spanning)
    return FlowProblem(
        start=np.concatenate([start[~spans], np.zeros(n_spanning, dtype=np.int64)]),
        end=np.concatenate([end[~spans], np.full(n_spanning, last - first)]),
        size_bytes=np.concatenate([size[~spans], size_spanning]),
        value=np.concatenate([value[~spans], value_spanning]),
        room_bytes=intervals.room_bytes[first:last])


def _merged(size_bytes: np.ndarray, value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Parts of similar value per byte as one: at most ``SPANNING_CLASSES`` are left, of equal counts. It makes prices
    a little worse, never wrong."""
    if len(size_bytes) <= SPANNING_CLASSES:
        return size_bytes, value
    order = np.argsort(-value / size_bytes, kind="stable")
    firsts = np.arange(SPANNING_CLASSES) * len(order) // SPANNING_CLASSES
    return np.add.reduceat(size_bytes[order], firsts), np.add.reduceat(value[order], firsts)
