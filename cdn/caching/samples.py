"""The cached objects in an array, so that one can be drawn by chance: what random and sampling policies keep."""

import numpy as np

from cdn.caching.policy import FREE, NOT_CACHED
from cdn.compilation import step

N_CACHED, CHANCE = 2, 3
OBJECT = np.dtype([("size_bytes", np.int64), ("slot", np.int64)])
BLANK = np.array((0, NOT_CACHED), OBJECT)


@step
def add(state, i):
    objects, cached, ints, _ = state
    cached[ints[N_CACHED]] = i
    objects[i].slot = ints[N_CACHED]
    ints[N_CACHED] += 1
    ints[FREE] -= objects[i].size_bytes


@step
def remove(state, i):
    """The last takes its place."""
    objects, cached, ints, _ = state
    slot = objects[i].slot
    if slot != NOT_CACHED:
        ints[N_CACHED] -= 1
        last = cached[ints[N_CACHED]]
        cached[slot] = last
        objects[last].slot = slot
        objects[i].slot = NOT_CACHED
        ints[FREE] += objects[i].size_bytes
