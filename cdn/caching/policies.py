"""The policies by name, and one cache replayed under one of them.

What all of them share (as in libCacheSim, the simulator of Yang, Yue, Rashmi, "A large scale analysis of hundreds of
in-memory cache clusters at Twitter", OSDI 2020): a miss inserts the object, unless it is larger than the whole cache,
which leaves the cache as it was; objects are evicted one by one until it fits. ``docs/caching.md`` says where a
policy differs from that, or from libCacheSim.
"""

import numpy as np

from cdn.caching import admission as admitting
from cdn.caching.adaptsize import ADAPTSIZE
from cdn.caching.arc import ARC
from cdn.caching.belady import BELADY
from cdn.caching.beladysize import BELADYSIZE
from cdn.caching.cache import Cache, global_next_uses
from cdn.caching.clock import CLOCK
from cdn.caching.fifo import FIFO
from cdn.caching.gdsf import GDSF
from cdn.caching.lfu import LFU
from cdn.caching.lfuda import LFUDA
from cdn.caching.lhd import LHD
from cdn.caching.lru import LRU
from cdn.caching.next_uses import next_uses
from cdn.caching.parameters import Choice, choose
from cdn.caching.policy import Policy
from cdn.caching.random import RANDOM
from cdn.caching.s3fifo import S3FIFO
from cdn.caching.sieve import SIEVE
from cdn.caching.slru import SLRU
from cdn.caching.streams import checked_stream
from cdn.caching.twoq import TWOQ
from cdn.caching.wtinylfu import WTINYLFU
from cdn.compilation import kernel

POLICIES: dict[str, Policy] = {
    "2q": TWOQ,
    "arc": ARC,
    "belady": BELADY,
    "beladysize": BELADYSIZE,
    "clock": CLOCK,
    "fifo": FIFO,
    "gdsf": GDSF,
    "lfu": LFU,
    "lfuda": LFUDA,
    "lhd": LHD,
    "lru": LRU,
    "random": RANDOM,
    "s3fifo": S3FIFO,
    "sieve": SIEVE,
    "slru": SLRU,
    "wtinylfu": WTINYLFU,
}

ADMISSIONS: dict[str, admitting.Admission] = {
    "adaptsize": ADAPTSIZE,
    "bloom": admitting.SECOND_MISS,
    "none": admitting.NONE,
    "probabilistic": admitting.PROBABILISTIC,
    "size": admitting.SIZE,
    "size-probabilistic": admitting.SIZE_PROBABILISTIC,
}

# What a cache can do: it knows no future.
REACTIVE_POLICIES = tuple(name for name, policy in POLICIES.items() if not policy.looks_ahead)


def open_cache(
    policy: str, capacity_bytes: float, *, admission: str = "none", ttl_s: float | None = None,
) -> Cache:  # fmt: skip
    """An empty cache to be fed with a stream piece by piece.

    ``policy`` and ``admission`` may say parameters: ``slru:n_segments=2``, ``size:threshold_bytes=1e6``. Raises
    UnknownNameError for a name not in ``POLICIES`` or ``ADMISSIONS`` or a parameter not known, ParameterError for a
    value that a parameter cannot have, ValueError for a negative capacity or time to live.
    """
    return Cache(choose_policy(policy), capacity_bytes, choose_admission(admission), ttl_s)


def choose_policy(text: str) -> Choice[Policy]:
    """The policy and parameters that ``text`` names; errors as for ``choose``."""
    return choose("policy", text, POLICIES)


def choose_admission(text: str) -> Choice[admitting.Admission]:
    """The admission policy and parameters that ``text`` names; errors as for ``choose``."""
    return choose("admission policy", text, ADMISSIONS)


def simulate_cache(
    policy: str, asset: np.ndarray, size_bytes: np.ndarray, capacity_bytes: float, *, times: np.ndarray | None = None,
    **options: object,
) -> np.ndarray:  # fmt: skip
    """(N,) bool: which requests a cache that starts empty serves.

    ``asset`` (N,) integers, positions in ``size_bytes`` (n_assets,) bytes. ``capacity_bytes`` may be infinite; a
    fraction of a byte stores nothing. ``times`` (N,) seconds, not decreasing, only for ``ttl_s``; ``options`` are those
    of ``open_cache``. Raises what that raises, ValueError for assets without a size, negative sizes or capacities,
    times that go back, and more than 2**31 - 1 requests.
    """
    cache = open_cache(policy, capacity_bytes, **options)  # type: ignore[arg-type]
    asset, size_bytes = checked_stream(asset, size_bytes)
    if times is not None:
        times = np.asarray(times, dtype=np.int64)
        if len(times) != len(asset) or (np.diff(times) < 0).any():
            raise ValueError("times must be one per request, and must not go back")
    ids, members = relabel(asset, len(size_bytes))
    following = global_next_uses(next_uses(ids, len(members))) if cache.policy.looks_ahead else None
    return cache.replay(ids, size_bytes[members], times, following)


@kernel
def relabel(asset, n_assets):
    """Ids (N,) int32 numbered by first appearance, and the asset of each id.

    A kernel's memory then grows with what the stream asks for, not with the catalog; and as popular assets appear
    early, their rows lie together, which makes every kernel faster.
    """
    label = np.full(n_assets, -1, dtype=np.int32)
    members = np.empty(min(n_assets, len(asset)), dtype=np.int32)
    ids = np.empty(len(asset), dtype=np.int32)
    n_ids = 0
    for k in range(len(asset)):
        a = asset[k]
        if label[a] < 0:
            label[a] = n_ids
            members[n_ids] = a
            n_ids += 1
        ids[k] = label[a]
    return ids, members[:n_ids].copy()
