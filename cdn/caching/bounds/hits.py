"""The bounds by name: how many requests, or bytes, of a stream any policy whatever can serve from one cache."""

from collections.abc import Callable

import numpy as np

from cdn.caching.bounds.foo import bound_by_flow, bound_by_slices
from cdn.caching.bounds.intervals import OBJECTIVES, Intervals, find_intervals
from cdn.caching.bounds.knapsack import bound_by_knapsack
from cdn.caching.bounds.packing import pack_intervals, value_of
from cdn.caching.streams import checked_capacity, checked_stream
from cdn.errors import UnknownNameError


def bound_by_infinite_cache(intervals: Intervals) -> int:
    """All but the first request of each object: compulsory misses that no cache of any size avoids."""
    return intervals.total_value + intervals.unfit_value


def bound_by_fitting(intervals: Intervals) -> int:
    """All but first requests and objects larger than the cache."""
    return intervals.total_value


def reach_by_packing(intervals: Intervals) -> int:
    """Hits of the PFOO-U plan: not an upper bound, but what a clairvoyant cache can have."""
    return value_of(intervals, pack_intervals(intervals))


# From loose and quick to tight and slow; each is at most the one before it.
BOUNDS: dict[str, Callable[[Intervals], int]] = {
    "infinite": bound_by_infinite_cache,
    "fitting": bound_by_fitting,
    "pfoo_l": bound_by_knapsack,
    "foo_slices": bound_by_slices,
    "foo": bound_by_flow,
    "pfoo_u": reach_by_packing,
}
# The only one that is reached, where the others are not exceeded.
FEASIBLE = "pfoo_u"


def stream_intervals(asset: np.ndarray, size_bytes: np.ndarray, capacity_bytes: float, objective: str) -> Intervals:
    """What every bound starts from; arguments and errors as for ``bound_hits``."""
    if objective not in OBJECTIVES:
        raise UnknownNameError("objective", objective, OBJECTIVES)
    asset, size_bytes = checked_stream(asset, size_bytes)
    return find_intervals(asset, size_bytes, checked_capacity(capacity_bytes), objective)


def bound_hits(name: str, asset: np.ndarray, size_bytes: np.ndarray, capacity_bytes: float,
               objective: str = "requests") -> int:
    """Hits, in requests or in bytes, of a cache that starts empty: at most so many, for ``pfoo_u`` at least.

    ``asset`` (N,) integers, positions in ``size_bytes`` (n_assets,) bytes. Raises UnknownNameError for a bound not in
    ``BOUNDS`` or an unknown objective, ValueError for assets without a size, negative sizes or capacities, more than
    2**31 - 1 requests or 2**62 bytes; SolverError where a linear program fails.
    """
    if name not in BOUNDS:
        raise UnknownNameError("bound", name, list(BOUNDS))
    return BOUNDS[name](stream_intervals(asset, size_bytes, capacity_bytes, objective))
