"""LRU: the object whose last use is longest ago goes first.

The stream itself is the queue. Request ``k`` stands for its object as long as it is that object's last use, so a hit
only writes ``last_use``; an eviction walks on from the oldest request and skips those that a later use has outdated.
Each request is walked over once: O(1) per request (amortised), without the four list writes of a linked list.
"""

import numpy as np

from cdn.compilation import kernel

NOT_CACHED = -1


@kernel
def simulate_lru(ids, size_bytes, capacity_bytes):
    """Hit or miss of each request; arguments and result as for every kernel of ``POLICIES``."""
    hit = np.zeros(len(ids), dtype=np.bool_)
    last_use = np.full(len(size_bytes), NOT_CACHED, dtype=np.int32)
    oldest = 0
    free_bytes = capacity_bytes
    for k in range(len(ids)):
        wanted = ids[k]
        if last_use[wanted] != NOT_CACHED:
            hit[k] = True
            last_use[wanted] = k
            continue
        size = size_bytes[wanted]
        if size > capacity_bytes:
            continue
        while free_bytes < size:
            candidate = ids[oldest]
            if last_use[candidate] == oldest:
                last_use[candidate] = NOT_CACHED
                free_bytes += size_bytes[candidate]
            oldest += 1
        last_use[wanted] = k
        free_bytes -= size
    return hit
