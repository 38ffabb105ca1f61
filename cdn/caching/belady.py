"""Belady: the object whose next request is farthest away goes first. It looks ahead: a bound, not a policy.

Belady, "A study of replacement algorithms for a virtual-storage computer", IBM Systems J. 5(2), 1966: fewest misses
where all sizes are equal, and only there. As in libCacheSim every miss is stored, also what is never asked for again;
which of several such goes first is decided by the shape of its binary heap, so ours has the same shape.
"""

import numpy as np

from cdn.caching.heaps import BLANK, N_CELLS
from cdn.caching.policy import CAPACITY, FREE, NOT_CACHED, Policy
from cdn.compilation import step

# Cell 0 is not used, so that the children of cell ``at`` are 2 at and 2 at + 1.
CELL = np.dtype([("next_use", np.int64), ("id", np.int64)])
TOP = 1
VACANT = -1


def start(capacity_bytes):
    return [capacity_bytes, capacity_bytes, 0], []


@step
def put(objects, cells, at, next_use, i):
    cells[at].next_use = next_use
    cells[at].id = i
    objects[i].slot = at


@step
def rise(objects, cells, at, next_use, i):
    """Up past all that are strictly sooner."""
    while at > TOP and cells[at // 2].next_use < next_use:
        put(objects, cells, at, cells[at // 2].next_use, cells[at // 2].id)
        at //= 2
    put(objects, cells, at, next_use, i)


@step
def fall(objects, cells, n, at, next_use, i):
    """Down past all that are strictly later, each time to the later child, of equal ones to the left.

    Which child is a coin's toss, so it is added, not branched on; the cell behind the last is earlier than all.
    """
    while 2 * at <= n:
        child = 2 * at
        child += np.int64(cells[child].next_use < cells[child + 1].next_use)
        if next_use >= cells[child].next_use:
            break
        put(objects, cells, at, cells[child].next_use, cells[child].id)
        at = child
    put(objects, cells, at, next_use, i)


@step
def change(objects, cells, n, at, next_use, i):
    if cells[at].next_use < next_use:
        rise(objects, cells, at, next_use, i)
    else:
        fall(objects, cells, n, at, next_use, i)


@step
def lookup(state, i, next_use):
    objects, cells, ints, _ = state
    at = objects[i].slot
    if at == NOT_CACHED:
        return False
    change(objects, cells, ints[N_CELLS], at, next_use, i)
    return True


@step
def insert(state, i, next_use):
    objects, cells, ints, _ = state
    size = objects[i].size_bytes
    if size > ints[CAPACITY]:
        return False
    while ints[FREE] < size:
        evict(objects, cells, ints)
    ints[FREE] -= size
    ints[N_CELLS] += 1
    rise(objects, cells, ints[N_CELLS], next_use, i)
    return True


@step
def shrink(cells, ints):
    """What the last cell holds, which is vacant from now on."""
    n = ints[N_CELLS]
    ints[N_CELLS] = n - 1
    next_use, last = cells[n].next_use, cells[n].id
    cells[n].next_use = VACANT
    return next_use, last


@step
def evict(objects, cells, ints):
    victim, n = cells[TOP].id, ints[N_CELLS] - 1
    next_use, last = shrink(cells, ints)
    if n > 0:
        fall(objects, cells, n, TOP, next_use, last)
    objects[victim].slot = NOT_CACHED
    ints[FREE] += objects[victim].size_bytes


@step
def remove(state, i):
    objects, cells, ints, _ = state
    at = objects[i].slot
    if at == NOT_CACHED:
        return
    next_use, last = shrink(cells, ints)
    if last != i:
        change(objects, cells, ints[N_CELLS], at, next_use, last)
    objects[i].slot = NOT_CACHED
    ints[FREE] += objects[i].size_bytes


BELADY = Policy(
    "belady", __file__, lookup, insert, remove, BLANK, start, cell=CELL, cells_per_object=1, looks_ahead=True
)
