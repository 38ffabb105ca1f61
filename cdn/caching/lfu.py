"""LFU: the object with the fewest uses since it was inserted goes first.

The frequency is forgotten at eviction. Among the least frequent, the one that reached that frequency first goes.

Every frequency has a queue of requests (not of objects): request ``k`` joins the queue of the frequency its object
has from then on, and is outdated by the object's next use. Nothing is ever taken out of a queue's middle: an eviction
takes from the front of the lowest queue and skips what is outdated. The frequencies with a queue are linked in
ascending order; one enters just above the frequency its object comes from, and leaves only as the lowest. So a request
joins and leaves one queue: O(1) (amortised), as with the doubly linked lists of Shah, Mitra, Matani, "An O(1) algorithm
for implementing the LFU cache eviction scheme" (2010), but a hit writes four numbers and follows no neighbours.
"""

import numpy as np

from cdn.compilation import kernel

NOT_CACHED = -1
NO_REQUEST = -1
# What a request looks up of its object and of a frequency's queue, in one row each.
OBJECT = np.dtype([("size_bytes", np.int64), ("last_use", np.int32), ("frequency", np.int32)])
QUEUE = np.dtype([("front", np.int32), ("back", np.int32), ("higher", np.int32)])


@kernel
def simulate_lfu(ids, size_bytes, capacity_bytes):
    """Hit or miss of each request; arguments and result as for every kernel of ``POLICIES``."""
    n = len(ids)
    hit = np.zeros(n, dtype=np.bool_)
    objects = _uncached_objects(size_bytes)
    # Queues by frequency (0 is only the start of their chain), and the request behind each request of a queue. What
    # lies beyond the highest frequency reached is never touched.
    queues = np.empty(n + 1, dtype=QUEUE)
    behind = np.empty(n, dtype=np.int32)
    queues[0].higher = 0
    top = 0
    free_bytes = capacity_bytes
    # All in one loop: a call that is handed arrays counts references to each of them, which took most of the time.
    for k in range(n):
        wanted = ids[k]
        if objects[wanted].last_use != NOT_CACHED:
            hit[k] = True
            below = objects[wanted].frequency
        else:
            size = objects[wanted].size_bytes
            if size > capacity_bytes:
                continue
            while free_bytes < size:
                least = queues[0].higher
                request = queues[least].front
                if request == queues[least].back:
                    queues[least].front = NO_REQUEST
                    queues[0].higher = queues[least].higher
                else:
                    queues[least].front = behind[request]
                victim = ids[request]
                if objects[victim].last_use == request:
                    objects[victim].last_use = NOT_CACHED
                    free_bytes += objects[victim].size_bytes
            free_bytes -= size
            below = 0
        frequency = below + 1
        if frequency > top:
            top = frequency
            queues[top].front = NO_REQUEST
        if queues[frequency].front == NO_REQUEST:
            queues[frequency].front = k
            queues[frequency].higher = queues[below].higher
            queues[below].higher = frequency
        else:
            behind[queues[frequency].back] = k
        queues[frequency].back = k
        objects[wanted].last_use = k
        objects[wanted].frequency = frequency
    return hit


@kernel
def _uncached_objects(size_bytes):
    objects = np.empty(len(size_bytes), dtype=OBJECT)
    for j in range(len(size_bytes)):
        objects[j].size_bytes = size_bytes[j]
        objects[j].last_use = NOT_CACHED
        objects[j].frequency = 0
    return objects
