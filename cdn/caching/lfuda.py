"""LFU with dynamic ageing: a use counts as much as the least used object has, so that old fame fades.

Arlitt, Cherkasova, Dilley, Friedrich, Jin, "Evaluating content management techniques for web proxy caches", SIGMETRICS
Perform. Eval. Rev. 27(4), 2000. As in libCacheSim: before the first eviction a use adds nothing; a new object starts
one above the least; of equal counts the first to have it goes first.
"""

import numpy as np

from cdn.caching.heaps import BLANK, N_CELLS, add, cell_of, delete, raise_key
from cdn.caching.policy import CAPACITY, FREE, NOT_CACHED, Policy
from cdn.compilation import step

LEAST = 4
# libCacheSim's counts have no limit, though they can double with each hit; from here on ours stay equal.
COUNT_MAX = 2**62


def start(capacity_bytes):
    return [capacity_bytes, capacity_bytes, 0, 0, 0], []


@step
def lookup(state, i, next_use):
    objects, cells, ints, _ = state
    slot = objects[i].slot
    if slot == NOT_CACHED:
        return False
    was = cells[slot].key
    raise_key(state, min(was + ints[LEAST], COUNT_MAX), i)
    if was == ints[LEAST]:
        update_least(cells, ints)
    return True


@step
def update_least(cells, ints):
    if ints[N_CELLS] > 0:
        ints[LEAST] = cells[0].key


@step
def insert(state, i, next_use):
    objects, cells, ints, _ = state
    size = objects[i].size_bytes
    if size > ints[CAPACITY]:
        return False
    while ints[FREE] < size:
        victim = cells[0].id
        ints[LEAST] = cells[0].key
        remove(state, victim)
    ints[FREE] -= size
    add(state, min(ints[LEAST] + 1, COUNT_MAX), i)
    return True


@step
def remove(state, i):
    objects, cells, ints, _ = state
    if objects[i].slot != NOT_CACHED:
        was = cells[objects[i].slot].key
        delete(state, i)
        ints[FREE] += objects[i].size_bytes
        if was == ints[LEAST]:
            update_least(cells, ints)


LFUDA = Policy("lfuda", __file__, lookup, insert, remove, BLANK, start, cell=cell_of(np.int64), cells_per_object=1)
