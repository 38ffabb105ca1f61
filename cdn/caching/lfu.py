"""LFU: the object with the fewest uses since it was inserted goes first.

The frequency is forgotten at eviction. Among the least frequent, the one that reached that frequency first goes.

Every frequency has a queue of requests (not of objects): request ``k`` joins the queue of the frequency its object
has from then on, and is outdated by the object's next use. Nothing is ever taken out of a queue's middle: an eviction
takes from the front of the lowest queue and skips what is outdated. The frequencies with a queue are linked in
ascending order; one enters just above the frequency its object comes from, and leaves only as the lowest. So a request
joins and leaves one queue: O(1) (amortised), as in Shah, Mitra, Matani, "An O(1) algorithm for implementing the LFU
cache eviction scheme" (2010), whose doubly linked lists took five times as long here.
"""

import numpy as np
from numba import njit

NOT_CACHED = -1
NO_QUEUE = -1
# What a request looks up of its object, on one cache line.
OBJECT = np.dtype([("size_bytes", np.int64), ("last_use", np.int32), ("frequency", np.int32)])


@njit(cache=True, nogil=True)
def simulate_lfu(ids, size_bytes, capacity_bytes):
    """Hit or miss of each request; arguments and result as for every kernel of ``POLICIES``."""
    n = len(ids)
    hit = np.zeros(n, dtype=np.bool_)
    objects = _uncached_objects(size_bytes)
    # Queues: first and last request of each frequency, and the request after each request. Frequency 0 is only the
    # start of the chain. Memory beyond the highest frequency reached is never touched.
    front, back = np.empty(n + 1, dtype=np.int32), np.empty(n + 1, dtype=np.int32)
    higher = np.empty(n + 1, dtype=np.int32)
    after = np.empty(n, dtype=np.int32)
    higher[0] = 0
    top = 0
    free_bytes = capacity_bytes
    for k in range(n):
        wanted = ids[k]
        if objects[wanted].last_use != NOT_CACHED:
            hit[k] = True
            used = objects[wanted].frequency
        else:
            size = objects[wanted].size_bytes
            if size > capacity_bytes:
                continue
            while free_bytes < size:
                free_bytes += _take_front(ids, objects, front, back, higher, after)
            free_bytes -= size
            used = 0
        if used == top:
            top += 1
            front[top] = NO_QUEUE
        _join(k, used, front, back, higher, after)
        objects[wanted].last_use = k
        objects[wanted].frequency = used + 1
    return hit


@njit(cache=True, nogil=True)
def _uncached_objects(size_bytes):
    objects = np.empty(len(size_bytes), dtype=OBJECT)
    for j in range(len(size_bytes)):
        objects[j].size_bytes = size_bytes[j]
        objects[j].last_use = NOT_CACHED
        objects[j].frequency = 0
    return objects


@njit(cache=True, nogil=True, inline="always")
def _join(k, below, front, back, higher, after):
    """Request k joins the queue above frequency ``below``."""
    frequency = below + 1
    if front[frequency] == NO_QUEUE:
        front[frequency] = k
        higher[frequency] = higher[below]
        higher[below] = frequency
    else:
        after[back[frequency]] = k
    back[frequency] = k


@njit(cache=True, nogil=True, inline="always")
def _take_front(ids, objects, front, back, higher, after):
    """Takes one request from the lowest queue; the bytes that frees (0 where it was outdated)."""
    least = higher[0]
    request = front[least]
    if request == back[least]:
        front[least] = NO_QUEUE
        higher[0] = higher[least]
    else:
        front[least] = after[request]
    victim = ids[request]
    if objects[victim].last_use != request:
        return 0
    objects[victim].last_use = NOT_CACHED
    return objects[victim].size_bytes
