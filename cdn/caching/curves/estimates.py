"""Which of a stream's requests are served at each capacity: exact for the whole stream, estimated from a sample of it.

A sample of a share R of the objects behaves like the stream at a scale of R. Its misses over R are the stream's misses.
That is SHARDS-adj (FAST 2015, section 3.4): a sample has by chance too many or too few requests, mostly of the most
popular objects, which nearly any cache serves, so the difference to the expected number counts as hits.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from cdn.caching.curves.distances import FIRST_USE, others_between_uses
from cdn.caching.curves.samples import Sample, fitting_objects
from cdn.caching.policies import simulate_cache
from cdn.compilation import kernel


@dataclass(frozen=True, eq=False)
class Served:
    """At one capacity: ``hits`` (m,) int64 of each object of ``sample``, in which are only objects that fit."""

    sample: Sample
    hits: np.ndarray

    @property
    def stream_hits(self) -> np.ndarray:
        """(2,) float64: requests and bytes of the stream. Chance can leave them below 0."""
        sample = self.sample
        misses = sample.counts - self.hits
        return sample.stream_totals - np.array([misses.sum(), misses @ sample.size_bytes]) / sample.rate


# From a sample and capacities (M,), ascending, what is served at each.
Method = Callable[[Sample, np.ndarray], Iterator[Served]]


def stream_hits(sample: Sample, method: Method, capacity_bytes: np.ndarray) -> np.ndarray:
    """(2, M) float64: requests and bytes of the stream that are served."""
    return np.array([served.stream_hits for served in method(sample, capacity_bytes)]).reshape(-1, 2).T


def exact_lru_hits(stream: Sample, capacity_bytes: np.ndarray) -> np.ndarray:
    """(2, M) float64: requests and bytes that an LRU cache serves, by stack distances.

    ``capacity_bytes`` (M,) int64, ascending. One pass for all capacities that every object fits in, and one for each
    below, without the objects that do not fit.
    """
    n_below = int(np.searchsorted(capacity_bytes, stream.size_bytes.max(initial=0)))
    below = [exact_lru_hits(fitting_objects(stream, capacity), np.array([capacity]))
             for capacity in capacity_bytes[:n_below]]
    counted = _count_hits(stream.ids, stream.size_bytes, others_between_uses(stream.ids, stream.size_bytes),
                          capacity_bytes[n_below:])
    return np.column_stack([*below, np.cumsum(counted, axis=1)[:, :-1]])


def lru_served(sample: Sample, capacity_bytes: np.ndarray) -> Iterator[Served]:
    """By stack distances (SHARDS). An object's own size is no sample: only what lies between is scaled."""
    distance = hits = np.zeros(0, dtype=np.int64)
    served_bytes = FIRST_USE
    for capacity in capacity_bytes.tolist():
        part = fitting_objects(sample, capacity)
        if len(hits) < len(part.size_bytes):  # larger capacities fit the same objects and more
            distance, hits, served_bytes = _distances(part), np.zeros(len(part.size_bytes), dtype=np.int64), FIRST_USE
        hits = hits + _hits_between(part.ids, distance, served_bytes, capacity, len(hits))
        served_bytes = capacity
        yield Served(part, hits)


def _distances(sample: Sample) -> np.ndarray:
    """(n,) int64 of the stream: FIRST_USE where the object was not used before."""
    others = others_between_uses(sample.ids, sample.size_bytes)
    distance = sample.size_bytes[sample.ids] + np.floor(others / sample.rate).astype(np.int64)
    return np.where(others == FIRST_USE, FIRST_USE, distance)


def simulated(policy: str) -> Method:
    """By a cache under a policy that is as much smaller as the sample is (mini-simulation).

    An object that is larger than the small cache never hits there: capacities of fewer than a few of the largest
    objects, over the rate, come out too low.
    """
    def served(sample: Sample, capacity_bytes: np.ndarray) -> Iterator[Served]:
        for capacity in capacity_bytes.tolist():
            part = fitting_objects(sample, capacity)
            hit = simulate_cache(policy, part.ids, part.size_bytes, capacity * part.rate)
            yield Served(part, np.bincount(part.ids[hit], minlength=len(part.size_bytes)))

    return served


@kernel
def _hits_between(ids, distance, low, high, n_ids):
    """(n_ids,): requests of each object at a distance above ``low``, but not above ``high``."""
    hits = np.zeros(n_ids, dtype=np.int64)
    for k in range(len(ids)):
        hits[ids[k]] += (distance[k] > low) & (distance[k] <= high)
    return hits


@kernel
def _count_hits(ids, size_bytes, others, capacity_bytes):
    """(2, M + 1): requests and bytes whose distance is at most a capacity, but above the one before it; the last
    column holds those beyond all."""
    counted = np.zeros((2, len(capacity_bytes) + 1))
    for k in range(len(ids)):
        if others[k] == FIRST_USE:
            continue
        size = size_bytes[ids[k]]
        distance = size + others[k]
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
