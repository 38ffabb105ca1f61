"""The eviction policies by name, and one cache replayed under one of them.

A kernel is ``kernel(ids, size_bytes, capacity_bytes) -> hit``: ``ids`` (N,) int32 in 0..n_ids-1, in time order and at
most 2**31 - 1 of them; ``size_bytes`` (n_ids,) int64 >= 0, one size per object for the whole stream;
``capacity_bytes`` int64 >= 0; ``hit`` (N,) bool. The cache starts empty. To warm it up, put the warm-up's requests
first and do not count their hits.

What all of them share (as in libCacheSim, the simulator of Yang, Yue, Rashmi, "A large scale analysis of hundreds of
in-memory cache clusters at Twitter", OSDI 2020): a miss inserts the object, unless it is larger than the whole cache,
which leaves the cache as it was; objects are evicted one by one until it fits.
"""

from collections.abc import Callable

import numpy as np

from cdn.caching.fifo import simulate_fifo
from cdn.caching.lfu import simulate_lfu
from cdn.caching.lru import simulate_lru
from cdn.compilation import kernel
from cdn.errors import UnknownNameError

Kernel = Callable[[np.ndarray, np.ndarray, np.int64], np.ndarray]

POLICIES: dict[str, Kernel] = {
    "fifo": simulate_fifo,
    "lfu": simulate_lfu,
    "lru": simulate_lru,
}

MAX_REQUESTS = 2**31 - 1
UNBOUNDED_BYTES = 2**62


def simulate_cache(policy: str, asset: np.ndarray, size_bytes: np.ndarray, capacity_bytes: float) -> np.ndarray:
    """(N,) bool: which requests a cache that starts empty serves.

    ``asset`` (N,) integers, positions in ``size_bytes`` (n_assets,) bytes. ``capacity_bytes`` may be infinite; a
    fraction of a byte stores nothing. Raises UnknownNameError for a policy not in ``POLICIES``, ValueError for
    assets without a size, negative sizes or capacities, and more than 2**31 - 1 requests.
    """
    if policy not in POLICIES:
        raise UnknownNameError("policy", policy, list(POLICIES))
    asset, size_bytes = np.asarray(asset), np.asarray(size_bytes, dtype=np.int64)
    if len(asset) > MAX_REQUESTS:
        raise ValueError(f"a stream has at most {MAX_REQUESTS} requests, not {len(asset)}")
    if len(asset) and (asset.min() < 0 or asset.max() >= len(size_bytes)):
        raise ValueError(f"assets must be 0..{len(size_bytes) - 1}, found {asset.min()}..{asset.max()}")
    if not capacity_bytes >= 0 or (len(size_bytes) and size_bytes.min() < 0):
        raise ValueError("capacity_bytes and size_bytes must not be negative")
    ids, members = relabel(asset.astype(np.int32, copy=False), len(size_bytes))
    return POLICIES[policy](ids, size_bytes[members], np.int64(min(capacity_bytes, UNBOUNDED_BYTES)))


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
