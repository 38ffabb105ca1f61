"""Hits of a stream at each capacity, estimated from a sample of it; from the whole stream they are exact.

SHARDS-adj: a sample has by chance too many or too few requests, mostly of the most popular objects, which nearly any
cache serves. So the difference to the expected number counts as hits at every capacity (FAST 2015, section 3.4).
"""

from collections.abc import Callable

import numpy as np

from cdn.caching.curves.distances import FIRST_USE, others_between_uses
from cdn.caching.curves.samples import Sample, fitting_objects
from cdn.caching.policies import simulate_cache
from cdn.compilation import kernel

# (2, M): requests and bytes that hit at M capacities.
Hits = np.ndarray


def lru_hits(sample: Sample, capacity_bytes: np.ndarray) -> Hits:
    """(2, M) float64: requests and bytes of the stream that an LRU cache serves, by stack distances.

    ``capacity_bytes`` (M,) int64, ascending. One pass for all capacities that every object fits in, and one for each
    below, without the objects that do not fit.
    """
    largest = sample.size_bytes.max(initial=0)
    n_below = int(np.searchsorted(capacity_bytes, largest))
    parts = [_below_largest(sample, capacity, lru_hits) for capacity in capacity_bytes[:n_below]]
    counted = _count_hits(sample.ids, sample.size_bytes, others_between_uses(sample.ids, sample.size_bytes),
                          sample.rate, capacity_bytes[n_below:])
    return np.column_stack([*parts, _scaled(sample, np.cumsum(counted, axis=1)[:, :-1])])


def simulated_hits(policy: str) -> Callable[[Sample, np.ndarray], Hits]:
    """As ``lru_hits`` for a policy, by simulating a cache as much smaller as the sample is, for each capacity.

    An object that is larger than the small cache never hits there: capacities of fewer than a few of the largest
    objects, over the rate, come out too low.
    """
    def hits_at(sample: Sample, capacity_bytes: np.ndarray) -> Hits:
        columns = [_below_largest(sample, capacity, simulate) for capacity in capacity_bytes]
        return np.column_stack([np.empty((2, 0)), *columns])

    def simulate(sample: Sample, capacity_bytes: np.ndarray) -> Hits:
        hit = simulate_cache(policy, sample.ids, sample.size_bytes, float(capacity_bytes[0]) * sample.rate)
        counted = [hit.sum(), sample.size_bytes[sample.ids[hit]].sum()]
        return _scaled(sample, np.array(counted, dtype=np.float64)[:, None])

    return hits_at


def _below_largest(sample: Sample, capacity_bytes: int, hits_of: Callable[[Sample, np.ndarray], Hits]) -> Hits:
    return hits_of(fitting_objects(sample, capacity_bytes), np.array([capacity_bytes]))


def _scaled(sample: Sample, counted: Hits) -> Hits:
    """From hits in the sample to hits in the stream, adjusted. Chance can leave them below 0 or above all requests."""
    seen = np.array([len(sample.ids), sample.size_bytes[sample.ids].sum()], dtype=np.float64)[:, None]
    expected = sample.stream_totals[:, None]
    return counted / sample.rate + (expected - seen / sample.rate)


@kernel
def _count_hits(ids, size_bytes, others, rate, capacity_bytes):
    """(2, M + 1): requests and bytes whose distance is at most a capacity, but above the one before it; the last
    column holds those beyond all. An object's own size is no sample: only what lies between is scaled."""
    counted = np.zeros((2, len(capacity_bytes) + 1))
    for k in range(len(ids)):
        if others[k] == FIRST_USE:
            continue
        size = size_bytes[ids[k]]
        distance = size + (others[k] if rate == 1.0 else np.int64(others[k] / rate))
        low, high = 0, len(capacity_bytes)
        while low < high:
            middle = (low + high) // 2
            if capacity_bytes[middle] < distance:
                low = middle + 1
            else:
                high = middle
        counted[0, low] += 1
        counted[1, low] += size
    return counted
