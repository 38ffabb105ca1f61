"""PFOO-U: a plan that keeps to the capacity in every gap, so its hits are within reach. The optimum lies
between it and FOO.

Intervals are taken by value per byte-gap, the best first, in sets of ``step_intervals``; each set is decided by a
linear program in the room that the sets before it left (Berger, Beckmann, Harchol-Balter, SIGMETRICS 2018, section 5).
Here the program gives an order only: the intervals it keeps, the rest, by share. Every interval is then taken if, and
only if, it fits in all its gaps, in whole bytes. So the plan is feasible for every step; with a step of 1, the default,
there is nothing to solve, and it is O(N log N). Most of those fit all at once, which one pass over the gaps says.
"""

import numpy as np

from cdn.caching.bounds.flow import FlowProblem, solve_flow
from cdn.caching.bounds.intervals import REQUESTS, Intervals
from cdn.caching.bounds.rooms import pay, room_between, rooms_of
from cdn.caching.prefetching import prefetch
from cdn.compilation import kernel, routine, step

# Intervals ahead whose places, and whose gaps, are asked for.
FAR, NEAR = 32, 16


def pack_intervals(intervals: Intervals, step_intervals: int = 1) -> np.ndarray:
    """(K,) bool: the intervals whose object is kept; together they fit in every gap. Raises SolverError."""
    order = _by_utility(intervals)
    kept = np.zeros(len(intervals), dtype=np.bool_)
    if step_intervals == 1:
        together, room_bytes = _fit_together(order, intervals.start, intervals.end, intervals.size_bytes,
                                             intervals.room_bytes)
        kept[order[:together]] = True
        sets = [order[together:]]
    else:
        room_bytes = intervals.room_bytes
        sets = np.split(order, range(step_intervals, len(order), step_intervals))
    rooms = rooms_of(room_bytes)
    for chosen in sets:
        ranked = chosen if step_intervals == 1 else _by_share(intervals, chosen, kept)
        take(ranked, intervals.start, intervals.end, intervals.size_bytes, *rooms, kept)
    return kept


def value_of(intervals: Intervals, kept: np.ndarray) -> int:
    """Hits of a plan in whole requests or bytes."""
    return int(intervals.value[kept].sum())


def _by_utility(intervals: Intervals) -> np.ndarray:
    length = (intervals.end - intervals.start).astype(np.float64)
    resource = length * intervals.size_bytes if intervals.objective == REQUESTS else length
    return _ranked(resource.astype(np.float32))


def _ranked(values: np.ndarray) -> np.ndarray:
    """Stable, of float32 that are not negative: their bits are in their order, and of 16 bits numpy's is a radix sort,
    which takes 20 million values in a fifth of the time."""
    bits = values.view(np.uint32)
    order = np.argsort(bits.astype(np.uint16), kind="stable")
    return order[np.argsort((bits >> 16).astype(np.uint16)[order], kind="stable")]


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
def _fit_together(order, start, end, size_bytes, room_bytes):
    """How many of the first fit all at once, so that each would be taken in its turn, and the room that they leave.

    Searched by halves, to a thousandth; each step adds or takes back what lies between it and the last."""
    taken = np.zeros(len(room_bytes) + 1, dtype=np.int64)
    fitting = reach = 0
    more = len(order) // 2
    while more > len(order) >> 10:
        if reach == fitting:
            _add(taken, order[reach:reach + more], start, end, size_bytes, 1)
            reach += more
        else:
            _add(taken, order[reach - more:reach], start, end, size_bytes, -1)
            reach -= more
        if _fits(taken, room_bytes):
            fitting = reach
        more //= 2
    _add(taken, order[fitting:reach], start, end, size_bytes, -1)
    return fitting, room_bytes - np.cumsum(taken[:-1])


@step
def _ask_ahead(chosen, k, start, end, size_bytes, by_gap):
    """For the chosen some places after the k-th, and for where they start and end in an array by gap."""
    last = len(chosen) - 1
    far, near = chosen[min(k + FAR, last)], chosen[min(k + NEAR, last)]
    prefetch(start, far)
    prefetch(end, far)
    prefetch(size_bytes, far)
    prefetch(by_gap, start[near])
    prefetch(by_gap, end[near])


@routine
def _add(taken, chosen, start, end, size_bytes, sign):
    """``taken``: by how much what is taken changes from the gap before."""
    for k in range(len(chosen)):
        _ask_ahead(chosen, k, start, end, size_bytes, taken)
        i = chosen[k]
        taken[start[i]] += sign * size_bytes[i]
        taken[end[i]] -= sign * size_bytes[i]


@routine
def _fits(taken, room_bytes):
    held = 0
    for gap in range(len(room_bytes)):
        held += taken[gap]
        if held > room_bytes[gap]:
            return False
    return True


@step
def take(chosen, start, end, size_bytes, room, nodes, kept):
    """Takes each of the chosen, in their order, that fits in all gaps from its start to before its end."""
    for k in range(len(chosen)):
        _ask_ahead(chosen, k, start, end, size_bytes, room)
        i = chosen[k]
        if size_bytes[i] == 0 or room_between(room, nodes, start[i], end[i]) >= size_bytes[i]:
            kept[i] = True
            pay(room, nodes, start[i], end[i], size_bytes[i])
