"""Miss-ratio curves: the share of requests, and of bytes, that a cache misses, by its capacity."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from cdn.caching.curves.estimates import Hits, lru_hits, simulated_hits
from cdn.caching.curves.samples import Sample, group_objects, rate_of_size, sample_objects, whole_stream
from cdn.caching.policies import choose_policy
from cdn.caching.streams import checked_capacity, checked_stream

LRU = "lru"
N_GROUPS = 10
N_CAPACITIES, SMALLEST_SHARE = 24, 1e-3
# How the ratios came about.
STACK_DISTANCES, SHARDS, SIMULATION, MINI_SIMULATION = "stack distances", "SHARDS", "simulation", "mini-simulation"


@dataclass(frozen=True, eq=False)
class MissRatioCurve:
    """``capacity_bytes`` (M,) int64, ascending; ``miss_ratio``, ``byte_miss_ratio`` (M,) of requests and of bytes; NaN
    for a stream without any.

    ``error``, ``byte_error`` (M,): standard errors of both, 0 where nothing was sampled, NaN where they are not known
    (mini-simulation). ``sample_rate``: share of the objects that were looked at, ``sampled_requests`` of ``requests``.
    """

    policy: str
    method: str
    sample_rate: float
    requests: int
    sampled_requests: int
    capacity_bytes: np.ndarray
    miss_ratio: np.ndarray
    byte_miss_ratio: np.ndarray
    error: np.ndarray
    byte_error: np.ndarray


def miss_ratio_curve(policy: str, asset: np.ndarray, size_bytes: np.ndarray,
                     capacity_bytes: Sequence[float] | np.ndarray, *, sample_rate: float = 1.0,
                     sample_objects_max: int | None = None, seed: int = 0) -> MissRatioCurve:
    """The curve of a policy (as in ``open_cache``) at the capacities given (M,); their order and repeats do not matter.

    ``lru`` is computed for all of them in one pass (stack distances; exact at sample rate 1, SHARDS below). Any other
    policy is simulated once per capacity (at sample rate 1 exact, mini-simulation below). ``sample_objects_max``
    lowers the rate until no more objects are sampled. Arguments ``asset`` (N,), ``size_bytes`` (n_assets,) and errors
    as for ``bound_hits`` and ``choose``; ValueError for a rate not in (0, 1].
    """
    choose_policy(policy)
    if not 0 < sample_rate <= 1:
        raise ValueError(f"sample_rate must be above 0 and at most 1, got {sample_rate}")
    capacities = np.unique(np.array([checked_capacity(capacity) for capacity in capacity_bytes], dtype=np.int64))
    stream = whole_stream(*checked_stream(asset, size_bytes))
    if sample_objects_max is not None:
        sample_rate = min(sample_rate, rate_of_size(stream, sample_objects_max, seed))
    sample = sample_objects(stream, sample_rate, seed)
    is_lru, is_sampled = policy == LRU, sample.rate < 1
    hits_of = lru_hits if is_lru else simulated_hits(policy)
    miss_ratio, byte_miss_ratio = np.clip(_miss_ratios(sample, hits_of, capacities), 0.0, 1.0)
    error, byte_error = _errors(sample, capacities, seed) if is_lru else np.full((2, len(capacities)),
                                                                                np.nan if is_sampled else 0.0)
    method = (SHARDS if is_sampled else STACK_DISTANCES) if is_lru else MINI_SIMULATION if is_sampled else SIMULATION
    return MissRatioCurve(policy, method, sample.rate, len(stream.ids), len(sample.ids), capacities, miss_ratio,
                          byte_miss_ratio, error, byte_error)


def spread_capacities(asset: np.ndarray, size_bytes: np.ndarray, n_capacities: int = N_CAPACITIES) -> np.ndarray:
    """(M,) int64: from a thousandth of the footprint (the bytes of what is asked for) to all of it, evenly in ratio."""
    asset, size_bytes = checked_stream(asset, size_bytes)
    footprint_bytes = int(size_bytes[np.unique(asset)].sum())
    shares = np.geomspace(SMALLEST_SHARE, 1.0, n_capacities)
    return np.unique(np.rint(footprint_bytes * shares).astype(np.int64))


def _miss_ratios(sample: Sample, hits_of: Callable[[Sample, np.ndarray], Hits], capacities: np.ndarray) -> np.ndarray:
    """(2, M): by requests and by bytes, as estimated: not cut to 0..1, which would hide how much they vary."""
    totals = sample.stream_totals[:, None]
    hits = hits_of(sample, capacities)
    return np.divide(totals - hits, totals, out=np.full(hits.shape, np.nan), where=totals > 0)


def _errors(sample: Sample, capacities: np.ndarray, seed: int) -> np.ndarray:
    """(2, M): standard errors of a sampled LRU curve, from how much the curves of ten parts of the sample differ.

    The mean of ten curves, each of a tenth of the sample, varies as one curve of all of it does; and a sample of all
    objects does not vary.
    """
    if sample.rate >= 1:
        return np.zeros((2, len(capacities)))
    parts = [_miss_ratios(part, lru_hits, capacities) for part in group_objects(sample, N_GROUPS, seed)]
    return np.std(parts, axis=0, ddof=1) * np.sqrt((1 - sample.rate) / N_GROUPS)
