"""CLOCK: FIFO, but an object used since it last came to the front goes round once more (Corbato, 1968).

libCacheSim's Clock with its one-bit counter, which starts at 0.
"""

import numpy as np

from cdn.caching.policy import CAPACITY, FREE, NOT_CACHED, Policy
from cdn.caching.prefetching import prefetch
from cdn.caching.queues import AHEAD, START, append, empty_queue, take_out
from cdn.compilation import step

OBJECT = np.dtype([("size_bytes", np.int64), ("slot", np.int32), ("used", np.int32)])


@step
def lookup(state, i, next_use):
    objects = state[0]
    if objects[i].slot == NOT_CACHED:
        return False
    objects[i].used = 1
    return True


@step
def insert(state, i, next_use):
    objects, queue, ints, _ = state
    size = objects[i].size_bytes
    if size > ints[CAPACITY]:
        return False
    while ints[FREE] < size:
        oldest = ints[START]
        prefetch(objects, queue[oldest + AHEAD])
        candidate = queue[oldest]
        ints[START] = oldest + 1
        if objects[candidate].slot == oldest:
            if objects[candidate].used:
                objects[candidate].used = 0
                append(state, candidate)
            else:
                objects[candidate].slot = NOT_CACHED
                ints[FREE] += objects[candidate].size_bytes
    ints[FREE] -= size
    objects[i].used = 0
    append(state, i)
    return True


CLOCK = Policy(
    "clock", __file__, lookup, insert, take_out, np.array((0, NOT_CACHED, 0), OBJECT), empty_queue, cells_per_object=2
)
