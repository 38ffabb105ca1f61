"""PFOO-U: a plan that keeps to the capacity in every gap, so its hits are within reach. The optimum lies
between it and FOO.

Intervals are taken by value per byte-gap, the best first, in sets of ``step_intervals``; each set is decided by a
linear program in the room that the sets before it left (Berger, Beckmann, Harchol-Balter, SIGMETRICS 2018, section 5).
Here the program gives an order only: the intervals it keeps, the rest, by share. Every interval is then taken if, and
only if, it fits in all its gaps, in whole bytes. So the plan is feasible for every step; with a step of 1, the default,
there is nothing to solve, and it is O(N log N).
"""

import numpy as np

from cdn.caching.bounds.flow import FlowProblem, solve_flow
from cdn.caching.bounds.intervals import REQUESTS, Intervals
from cdn.compilation import kernel, routine


def pack_intervals(intervals: Intervals, step_intervals: int = 1) -> np.ndarray:
    """(K,) bool: the intervals whose object is kept; together they fit in every gap. Raises SolverError."""
    order = _by_utility(intervals)
    kept = np.zeros(len(intervals), dtype=np.bool_)
    tree = _tree_of(intervals.room_bytes)
    sets = [order] if step_intervals == 1 else np.split(order, range(step_intervals, len(order), step_intervals))
    for chosen in sets:
        ranked = chosen if step_intervals == 1 else _by_share(intervals, chosen, kept)
        _take(ranked, intervals.start, intervals.end, intervals.size_bytes, *tree, kept)
    return kept


def value_of(intervals: Intervals, kept: np.ndarray) -> int:
    """Hits of a plan in whole requests or bytes."""
    return int(intervals.value[kept].sum())


def _by_utility(intervals: Intervals) -> np.ndarray:
    length = (intervals.end - intervals.start).astype(np.float64)
    resource = length * intervals.size_bytes if intervals.objective == REQUESTS else length
    return np.argsort(resource, kind="stable")


def _by_share(intervals: Intervals, chosen: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """The set's intervals, those of which its program keeps most first. (What has no size is free and first.)"""
    priced = chosen[intervals.size_bytes[chosen] > 0]
    flow = solve_flow(FlowProblem(intervals.start[priced], intervals.end[priced], intervals.size_bytes[priced],
                                  intervals.value[priced].astype(np.float64), _room_left(intervals, kept)[:-1]))
    free = chosen[intervals.size_bytes[chosen] == 0]
    return np.concatenate([free, priced[np.argsort(-np.round(flow.kept, 6), kind="stable")]])


def _room_left(intervals: Intervals, kept: np.ndarray) -> np.ndarray:
    change = np.zeros(intervals.n_requests, dtype=np.int64)
    np.add.at(change, intervals.start[kept], intervals.size_bytes[kept])
    np.subtract.at(change, intervals.end[kept], intervals.size_bytes[kept])
    return intervals.room_bytes - np.cumsum(change)


@kernel
def _tree_of(room_bytes):
    """A segment tree over the gaps: ``least`` is the least room below a node, without what its ancestors owe; ``owed``
    is what was taken from all of a node. (Range minimum and range update in O(log N), nothing is ever pushed down.)"""
    leaves = 1
    while leaves < len(room_bytes):
        leaves *= 2
    least = np.full(2 * leaves, np.int64(2**62))
    least[leaves:leaves + len(room_bytes)] = room_bytes
    for node in range(leaves - 1, 0, -1):
        least[node] = min(least[2 * node], least[2 * node + 1])
    return least, np.zeros(2 * leaves, dtype=np.int64)


@kernel
def _take(chosen, start, end, size_bytes, least, owed, kept):
    """Takes each of the chosen, in their order, that fits in all gaps from its start to before its end."""
    leaves = len(least) // 2
    for i in chosen:
        size = size_bytes[i]
        if size == 0 or _room_between(least, owed, start[i] + leaves, end[i] - 1 + leaves) >= size:
            kept[i] = True
            _pay(least, owed, start[i] + leaves, end[i] - 1 + leaves, size)


@routine
def _room_between(least, owed, low, high):
    """Least room in the leaves low..high: bottom up, the least of either side less what the nodes above it owe."""
    left, right = least[low], least[high]
    while low // 2 != high // 2:
        if low % 2 == 0:
            left = min(left, least[low + 1])
        if high % 2 == 1:
            right = min(right, least[high - 1])
        low, high = low // 2, high // 2
        left, right = left - owed[low], right - owed[high]
    room = min(left, right)
    while low > 1:
        low //= 2
        room -= owed[low]
    return room


@routine
def _pay(least, owed, low, high, size):
    """Takes ``size`` from the leaves low..high."""
    first, last = low, high
    high += 1
    while low < high:
        if low % 2 == 1:
            least[low] -= size
            owed[low] += size
            low += 1
        if high % 2 == 1:
            high -= 1
            least[high] -= size
            owed[high] += size
        low, high = low // 2, high // 2
    for leaf in (first, last):
        node = leaf // 2
        while node >= 1:
            least[node] = min(least[2 * node], least[2 * node + 1]) - owed[node]
            node //= 2
