"""Standard errors of sampled miss-ratio curves.

A sample holds each object with probability R. Object i, if it is there, adds u[i] / R misses to the estimate: its own,
and those that its bytes cause by taking their share of the cache from the others,

    u[i] = misses[i] + slope * size[i] * hit_ratio[i]

(an object is in the cache for about the share of time that its requests hit; ``slope`` is by how much misses fall per
byte of capacity). So the estimate is a Horvitz-Thompson sum, with variance (Särndal, Swensson, Wretman, "Model assisted
survey sampling", 1992, section 2.8)

    (1 - R) / R * sum over all objects of the stream of u[i]^2

A sample alone does not show that sum: it may have missed the few objects that are asked for most. But of each object of
the stream the requests and the size are known, sampled or not; only its miss ratio is not. That is taken from sampled
objects of about the same popularity (strata by powers of two of the requests). Where fewer than ``ENOUGH`` of those
were sampled, the next less popular are taken as well: what is asked for twice as often has twice the odds of a hit. So
it is under FIFO and random replacement where requests are independent; most policies are better to the popular, and
the error stated is then too large rather than too small.

This does not show a bias: small caches of large objects behave unlike large ones. Bias shrinks as the rate grows; so
halves of the sample, at half the rate, are estimated as well, and how far they are off the whole counts as error.
"""

from dataclasses import dataclass

import numpy as np

from cdn.caching.curves.estimates import Method, stream_hits
from cdn.caching.curves.samples import Sample, group_objects

ENOUGH = 5
N_STRATA = 32


def standard_errors(sample: Sample, method: Method, capacity_bytes: np.ndarray,
                    seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(2, M) hits of the stream, by requests and by bytes, at capacities (M,), and (2, M) their standard errors."""
    hits, squares = [], []
    known = None
    for served in method(sample, capacity_bytes):
        if known is None or known.sample is not served.sample:  # most capacities fit all objects, and share it
            known = _Known(served.sample)
        hits.append(served.stream_hits)
        squares.append(known.squares(served.hits))
    found = np.array(hits).reshape(-1, 2).T
    slope = _steepest(found, capacity_bytes)
    factors = np.stack([np.ones_like(slope), 2 * slope, slope**2])
    variance = np.einsum("tom,mto->om", factors, np.array(squares).reshape(-1, 3, 2))
    variance *= (1 - sample.rate) / sample.rate
    halves = [stream_hits(half, method, capacity_bytes) for half in group_objects(sample, 2, seed)]
    return found, np.sqrt(variance + (np.mean(halves, axis=0) - found) ** 2)


def _steepest(hits: np.ndarray, capacity_bytes: np.ndarray) -> np.ndarray:
    """(2, M): hits per byte of capacity, the steeper of the chords to its neighbours; with one capacity alone that to
    0 bytes, where nothing hits."""
    if len(capacity_bytes) < 2:
        return hits / np.maximum(capacity_bytes, 1)
    chords = np.maximum(np.diff(hits) / np.diff(capacity_bytes), 0.0)
    return np.maximum(np.column_stack([chords[:, :1], chords]), np.column_stack([chords, chords[:, -1:]]))


class _Known:
    """What is known of a stream and its sample without a cache."""

    def __init__(self, sample: Sample) -> None:
        self.sample = sample
        counts, sizes = _asked_for(sample.stream_counts, sample.stream_size_bytes)
        stratum = _stratum(counts)
        self.moments = np.array([[np.bincount(stratum, terms, N_STRATA)
                                  for terms in (misses**2, misses * sizes, sizes**2)]
                                 for misses in (counts, sizes * counts)])
        self.order = np.argsort(sample.counts, kind="stable")[np.count_nonzero(sample.counts == 0):]
        self.counts = sample.counts[self.order].astype(np.float64)
        self.sizes = sample.size_bytes[self.order].astype(np.float64)
        self.stratum = _stratum(self.counts)

    def squares(self, hits: np.ndarray) -> np.ndarray:
        """(3, 2): what the sums of u^2 are made of, by requests and by bytes: misses^2, misses x size x hit ratio,
        (size x hit ratio)^2. ``hits`` (m,) of the sample's objects."""
        ratios = _Ratios(self.stratum, 1 - hits[self.order] / self.counts, self.sizes)
        return np.array([(known * ratios.moments(by_bytes)).sum(axis=1)
                         for known, by_bytes in zip(self.moments, (False, True), strict=True)]).T


@dataclass(frozen=True, eq=False)
class _Ratios:
    """Miss ratios of sampled objects (n,), in ascending ``stratum``; by bytes ``size_bytes`` squared weighs them."""

    stratum: np.ndarray
    miss_ratio: np.ndarray
    size_bytes: np.ndarray

    def moments(self, by_bytes: bool) -> np.ndarray:
        """(3, N_STRATA): means of misses^2, misses x hits and hits^2, as ratios."""
        found = np.empty((3, N_STRATA))
        for s in range(N_STRATA):
            first, end = np.searchsorted(self.stratum, [s, s + 1])
            first = max(min(first, end - ENOUGH), 0)
            chosen = slice(first, end)
            odds = np.exp2(s - self.stratum[chosen])
            miss = self.miss_ratio[chosen] / (self.miss_ratio[chosen] + odds * (1 - self.miss_ratio[chosen]))
            weight = self.size_bytes[chosen] ** 2 if by_bytes else np.ones(end - first)
            terms = np.array([miss**2, miss * (1 - miss), (1 - miss) ** 2])
            found[:, s] = terms @ weight / weight.sum() if weight.sum() else (1, 0, 0)
        return found


def _asked_for(counts: np.ndarray, *others: np.ndarray) -> list[np.ndarray]:
    """Requests, and what else is known, of the objects that have any."""
    return [values[counts > 0].astype(np.float64) for values in (counts, *others)]


def _stratum(counts: np.ndarray) -> np.ndarray:
    return np.log2(counts).astype(np.int64)
