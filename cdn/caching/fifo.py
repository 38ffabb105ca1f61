"""FIFO: the object that was inserted first goes first; a hit changes nothing."""

import numpy as np

from cdn.caching.policy import CAPACITY, FREE, NOT_CACHED, Policy
from cdn.caching.prefetching import prefetch
from cdn.caching.queues import AHEAD, START, append, empty_queue, take_out
from cdn.compilation import step

OBJECT = np.dtype([("size_bytes", np.int64), ("slot", np.int64)])


@step
def lookup(state, i, next_use):
    return state[0][i].slot != NOT_CACHED


@step
def insert(state, i, next_use):
    """Under LRU every other entry is stale, a coin's toss, so nothing branches on it."""
    objects, queue, ints, _ = state
    size = objects[i].size_bytes
    if size > ints[CAPACITY]:
        return False
    free, oldest = ints[FREE], ints[START]
    while free < size:
        prefetch(objects, queue[oldest + AHEAD])
        victim, slot = queue[oldest], objects[queue[oldest]].slot
        is_valid = np.int64(slot == oldest)
        objects[victim].slot = slot - is_valid * (slot - NOT_CACHED)
        free += is_valid * objects[victim].size_bytes
        oldest += 1
    ints[FREE], ints[START] = free - size, oldest
    append(state, i)
    return True


FIFO = Policy(
    "fifo", __file__, lookup, insert, take_out, np.array((0, NOT_CACHED), OBJECT), empty_queue, cells_per_object=2
)
