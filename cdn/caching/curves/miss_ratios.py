"""Miss-ratio curves: the share of requests, and of bytes, that a cache misses, by its capacity."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cdn.caching.curves.errors import standard_errors
from cdn.caching.curves.estimates import exact_lru_hits, lru_served, simulated, stream_hits
from cdn.caching.curves.samples import mean_size, rate_of_size, sample_objects, whole_stream
from cdn.caching.policies import choose_policy
from cdn.caching.streams import checked_capacity, checked_stream

LRU = "lru"
N_CAPACITIES, SMALLEST_SHARE = 24, 1e-3
# A policy may split its cache: one that holds fewer objects is no small copy of a large one, whatever the rate.
OBJECTS_MIN = 30
# How the ratios came about.
STACK_DISTANCES, SHARDS, SIMULATION, MINI_SIMULATION = "stack distances", "SHARDS", "simulation", "mini-simulation"


@dataclass(frozen=True, eq=False)
class MissRatioCurve:
    """``capacity_bytes`` (M,) int64, ascending; ``miss_ratio``, ``byte_miss_ratio`` (M,) of requests and of bytes; NaN
    for a stream without any.

    ``error``, ``byte_error`` (M,): standard errors of both, 0 where nothing was sampled, NaN where it is not known
    (mini-simulation by a cache of fewer than ``OBJECTS_MIN`` objects). ``sample_rate``: share of the objects that were
    looked at, ``sampled_requests`` of ``requests``.
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
    method = lru_served if is_lru else simulated(policy)
    if is_sampled:
        hits, errors = standard_errors(sample, method, capacities, seed)
        if not is_lru:
            errors[:, capacities * sample.rate < OBJECTS_MIN * mean_size(stream)] = np.nan
    else:
        hits = exact_lru_hits(stream, capacities) if is_lru else stream_hits(stream, method, capacities)
        errors = np.zeros(hits.shape)
    totals = stream.stream_totals[:, None]
    ratios = np.clip(_shares(totals - hits, totals), 0.0, 1.0)
    name = (SHARDS if is_sampled else STACK_DISTANCES) if is_lru else MINI_SIMULATION if is_sampled else SIMULATION
    return MissRatioCurve(policy, name, sample.rate, len(stream.ids), len(sample.ids), capacities, *ratios,
                          *np.minimum(errors / np.maximum(totals, 1.0), 1.0))


def spread_capacities(asset: np.ndarray, size_bytes: np.ndarray, n_capacities: int = N_CAPACITIES) -> np.ndarray:
    """(M,) int64: from a thousandth of the footprint (the bytes of what is asked for) to all of it, evenly in ratio."""
    asset, size_bytes = checked_stream(asset, size_bytes)
    footprint_bytes = int(size_bytes[np.unique(asset)].sum())
    shares = np.geomspace(SMALLEST_SHARE, 1.0, n_capacities)
    return np.unique(np.rint(footprint_bytes * shares).astype(np.int64))


def _shares(part: np.ndarray, totals: np.ndarray) -> np.ndarray:
    """(2, M) of (2, 1); NaN of nothing."""
    return np.divide(part, totals, out=np.full(part.shape, np.nan), where=totals > 0)
