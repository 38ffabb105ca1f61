"""FIFO: the object that was inserted first goes first; a hit changes nothing."""

import numpy as np

from cdn.compilation import kernel


@kernel
def simulate_fifo(ids, size_bytes, capacity_bytes):
    """Hit or miss of each request; arguments and result as for every kernel of ``POLICIES``. O(1) per request."""
    hit = np.zeros(len(ids), dtype=np.bool_)
    n_ids = len(size_bytes)
    cached = np.zeros(n_ids, dtype=np.bool_)
    # An object is cached at most once, so a ring of n_ids places never overruns itself.
    ring = np.empty(n_ids, dtype=np.int32)
    first, vacant = 0, 0
    free_bytes = capacity_bytes
    for k in range(len(ids)):
        wanted = ids[k]
        if cached[wanted]:
            hit[k] = True
            continue
        size = size_bytes[wanted]
        if size > capacity_bytes:
            continue
        while free_bytes < size:
            victim = ring[first]
            first = first + 1 if first + 1 < n_ids else 0
            cached[victim] = False
            free_bytes += size_bytes[victim]
        ring[vacant] = wanted
        vacant = vacant + 1 if vacant + 1 < n_ids else 0
        cached[wanted] = True
        free_bytes -= size
    return hit
