"""A heap of objects: the smallest key first, of equal keys the one that has it longest. Four children per cell.

Keys of one heap never tie (``since`` differs), so the order in which objects leave does not depend on its shape. A
state's third scalar is the number of cells in use, and an object's ``slot`` its cell.
"""

import numpy as np

from cdn.caching.policy import NOT_CACHED
from cdn.caching.prefetching import prefetch
from cdn.compilation import step

N_CELLS, CLOCK = 2, 3
ARITY = 4
OBJECT = np.dtype([("size_bytes", np.int64), ("slot", np.int32), ("uses", np.int32)])
BLANK = np.array((0, NOT_CACHED, 0), OBJECT)


def cell_of(key):
    return np.dtype([("key", key), ("since", np.int64), ("id", np.int64)])


@step
def before(cells, a, key, since):
    """Whether a cell leaves before a key."""
    return (cells[a].key < key) | ((cells[a].key == key) & (cells[a].since < since))


@step
def put(objects, cells, at, key, since, i):
    cells[at].key = key
    cells[at].since = since
    cells[at].id = i
    objects[i].slot = at


@step
def move(objects, cells, a, to):
    put(objects, cells, to, cells[a].key, cells[a].since, cells[a].id)


@step
def rise(objects, cells, at, key, since, i):
    """Puts an object with its key into a vacant cell, or in place of the cells above that leave after it."""
    while at > 0:
        parent = (at - 1) // ARITY
        if before(cells, parent, key, since):
            break
        move(objects, cells, parent, at)
        at = parent
    put(objects, cells, at, key, since, i)


@step
def fall(objects, cells, n, at, key, since, i):
    """Puts an object with its key into a vacant cell, or in place of the cells below that leave before it."""
    while True:
        child = ARITY * at + 1
        if child >= n:
            break
        ask_for_children(cells, child)
        least, least_since = cells[child].key, cells[child].since
        for other in range(child + 1, min(child + ARITY, n)):
            is_less = before(cells, other, least, least_since)
            child = other if is_less else child
            least = cells[other].key if is_less else least
            least_since = cells[other].since if is_less else least_since
        if not before(cells, child, key, since):
            break
        move(objects, cells, child, at)
        at = child
    put(objects, cells, at, key, since, i)


@step
def ask_for_children(cells, first):
    """Those of four cells in a row: one of them is where a fall goes next, and four cells of 24 bytes are two lines."""
    for cell in range(first, first + ARITY):
        prefetch(cells, ARITY * cell + 1)
        prefetch(cells, ARITY * cell + 3)


@step
def add(state, key, i):
    objects, cells, ints, _ = state
    ints[CLOCK] += 1
    ints[N_CELLS] += 1
    rise(objects, cells, ints[N_CELLS] - 1, key, ints[CLOCK], i)


@step
def raise_key(state, key, i):
    """Gives an object a key that is not smaller than its last."""
    objects, cells, ints, _ = state
    ints[CLOCK] += 1
    fall(objects, cells, ints[N_CELLS], objects[i].slot, key, ints[CLOCK], i)


@step
def delete(state, i):
    """Takes an object out; the last cell's takes its place."""
    objects, cells, ints, _ = state
    at = objects[i].slot
    objects[i].slot = NOT_CACHED
    last = ints[N_CELLS] - 1
    ints[N_CELLS] = last
    if at == last:
        return
    key, since, moved = cells[last].key, cells[last].since, cells[last].id
    if at > 0 and not before(cells, (at - 1) // ARITY, key, since):
        rise(objects, cells, at, key, since, moved)
    else:
        fall(objects, cells, last, at, key, since, moved)
