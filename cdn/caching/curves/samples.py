"""Samples of a stream by object: all requests of an object or none, decided by a hash of it (SHARDS).

Waldspurger, Park, Garthwaite, Ahmad, "Efficient MRC construction with SHARDS", FAST 2015. A sample at rate R of the
objects behaves like the stream at a scale of R: what is used between two uses of an object is R times what the stream
uses, and a cache of R times the capacity serves R times the requests (mini-simulation: Waldspurger, Saemundsson, Ahmad,
Park, "Cache modeling and optimization using miniature simulations", ATC 2017).
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from cdn.compilation import kernel

HASH_RANGE = 2.0**64
# Mixed into the seed, so that groups are independent of whether an object was sampled.
GROUP_SALT = 0x5BF03635


@dataclass(frozen=True, eq=False)
class Sample:
    """Requests ``ids`` (n,) int32 of objects ``size_bytes`` (m,) int64: a share ``rate`` of a stream's objects.

    ``objects`` (m,): what the stream calls them. ``stream_counts``, ``stream_size_bytes`` (n_ids,) int64: requests and
    size of all of the stream's objects, sampled or not, so that what a sample has too many of is known.
    """

    ids: np.ndarray
    size_bytes: np.ndarray
    objects: np.ndarray
    rate: float
    stream_counts: np.ndarray
    stream_size_bytes: np.ndarray

    @cached_property
    def counts(self) -> np.ndarray:
        """(m,) int64: requests of each object of the sample."""
        return np.bincount(self.ids, minlength=len(self.size_bytes))

    @cached_property
    def stream_totals(self) -> np.ndarray:
        """(2,) float64: requests and bytes of the stream."""
        counts = self.stream_counts
        return np.array([counts.sum(), counts @ self.stream_size_bytes], dtype=np.float64)


def whole_stream(ids: np.ndarray, size_bytes: np.ndarray) -> Sample:
    """The stream as the sample at rate 1: (N,) int32 ids and (n_ids,) int64 sizes."""
    counts = np.bincount(ids, minlength=len(size_bytes))
    return Sample(ids, size_bytes, np.arange(len(size_bytes)), 1.0, counts, size_bytes)


def sample_objects(stream: Sample, rate: float, seed: int) -> Sample:
    """A share ``rate`` of the objects (SHARDS at fixed rate). At rate 1 the stream itself."""
    if rate >= 1:
        return stream
    return _part(stream, _hashes(stream.objects, seed) < np.uint64(rate * HASH_RANGE), stream.rate * rate)


def mean_size(stream: Sample) -> float:
    """Bytes of an object that is asked for; 0 where none is."""
    sizes = stream.stream_size_bytes[stream.stream_counts > 0]
    return float(sizes.mean()) if len(sizes) else 0.0


def rate_of_size(stream: Sample, n_objects: int, seed: int) -> float:
    """The rate at which at most ``n_objects`` objects are sampled (SHARDS at fixed size).

    The paper lowers the rate while it reads, for want of memory, and rescales what it has counted. The stream is in
    memory here, so the rate that it would end with is found first, and nothing needs rescaling.
    """
    hashes = _hashes(np.flatnonzero(stream.stream_counts), seed)
    if len(hashes) <= n_objects:
        return 1.0
    # A hash has more digits than a float: rounded down, so that this one stays out.
    return float(np.nextafter(np.partition(hashes, n_objects)[n_objects] / HASH_RANGE, 0.0))


def group_objects(sample: Sample, n_groups: int, seed: int) -> list[Sample]:
    """The sample in parts of about equally many objects: each a smaller sample of the same stream."""
    group = _hashes(sample.objects, seed ^ GROUP_SALT) % np.uint64(n_groups)
    return [_part(sample, group == g, sample.rate / n_groups) for g in range(n_groups)]


def fitting_objects(sample: Sample, capacity_bytes: int) -> Sample:
    """The sample, and its stream, of those objects that fit in a cache alone: others never hit and displace nothing."""
    if capacity_bytes >= sample.stream_size_bytes.max(initial=0):
        return sample
    fits = sample.stream_size_bytes <= capacity_bytes
    part = _part(sample, sample.size_bytes <= capacity_bytes, sample.rate)
    return replace(part, stream_counts=sample.stream_counts[fits], stream_size_bytes=sample.stream_size_bytes[fits])


def _part(sample: Sample, chosen: np.ndarray, rate: float) -> Sample:
    number = (np.cumsum(chosen) - 1).astype(np.int32)
    ids = number[sample.ids[chosen[sample.ids]]]
    return Sample(ids, sample.size_bytes[chosen], sample.objects[chosen], rate, sample.stream_counts,
                  sample.stream_size_bytes)


@kernel
def _hashes(objects, seed):
    """(m,) uint64, uniform: the finaliser of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014)."""
    hashes = np.empty(len(objects), dtype=np.uint64)
    for j in range(len(objects)):
        z = (np.uint64(objects[j]) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(seed)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        hashes[j] = z ^ (z >> np.uint64(31))
    return hashes
