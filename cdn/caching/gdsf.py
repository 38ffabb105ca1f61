"""GDSF: the object with the least uses per byte goes first, plus an age: the priority of the last one that went.

Cherkasova, "Improving WWW proxies performance with Greedy-Dual-Size-Frequency caching policy", HP Labs 1998. As in
libCacheSim: the new object is inserted before any is evicted, so it may go at once; of equal priorities the one whose
last use is longest ago goes first.
"""

import numpy as np

from cdn.caching.heaps import BLANK, add, cell_of, delete, raise_key
from cdn.caching.policy import CAPACITY, FREE, NOT_CACHED, Policy
from cdn.compilation import step

AGE = 0
COST = 1.0e6


def start(capacity_bytes):
    return [capacity_bytes, capacity_bytes, 0, 0], [0.0]


@step
def priority(floats, uses, size_bytes):
    return floats[AGE] + uses * COST / size_bytes if size_bytes > 0 else np.inf


@step
def lookup(state, i, next_use):
    objects, _, _, floats = state
    if objects[i].slot == NOT_CACHED:
        return False
    objects[i].uses += 1
    raise_key(state, priority(floats, objects[i].uses, objects[i].size_bytes), i)
    return True


@step
def insert(state, i, next_use):
    objects, cells, ints, floats = state
    size = objects[i].size_bytes
    if size > ints[CAPACITY]:
        return False
    objects[i].uses = 1
    add(state, priority(floats, 1, size), i)
    ints[FREE] -= size
    while ints[FREE] < 0:
        floats[AGE] = cells[0].key
        remove(state, cells[0].id)
    return objects[i].slot != NOT_CACHED


@step
def remove(state, i):
    objects, _, ints, _ = state
    if objects[i].slot != NOT_CACHED:
        delete(state, i)
        ints[FREE] += objects[i].size_bytes


GDSF = Policy("gdsf", __file__, lookup, insert, remove, BLANK, start, cell=cell_of(np.float64), cells_per_object=1)
