"""Doubly linked lists of objects, linked through the objects' own rows (fields ``newer``, ``older``: ids or NOBODY).

A list is three of a state's scalars from ``base`` on: its newest object, its oldest, and its bytes. An object is in one
list at most.
"""

import numpy as np

from cdn.caching.policy import NOT_CACHED
from cdn.compilation import step

NOBODY = NOT_CACHED
NEWEST, OLDEST, BYTES = 0, 1, 2
EMPTY_LIST = [NOBODY, NOBODY, 0]
OBJECT = np.dtype(
    [("size_bytes", np.int64), ("newer", np.int32), ("older", np.int32), ("place", np.int32), ("uses", np.int32)]
)
NOWHERE = 0
BLANK = np.array((0, NOBODY, NOBODY, NOWHERE, 0), OBJECT)


@step
def push(objects, ints, base, i):
    """Makes the object the newest of a list."""
    newest = ints[base + NEWEST]
    objects[i].newer = NOBODY
    objects[i].older = newest
    if newest == NOBODY:
        ints[base + OLDEST] = i
    else:
        objects[newest].newer = i
    ints[base + NEWEST] = i
    ints[base + BYTES] += objects[i].size_bytes


@step
def unlink(objects, ints, base, i):
    """Takes the object out of the list that it is in."""
    newer, older = objects[i].newer, objects[i].older
    if newer == NOBODY:
        ints[base + NEWEST] = older
    else:
        objects[newer].older = older
    if older == NOBODY:
        ints[base + OLDEST] = newer
    else:
        objects[older].newer = newer
    ints[base + BYTES] -= objects[i].size_bytes


@step
def renew(objects, ints, base, i):
    """Makes an object of the list its newest."""
    if ints[base + NEWEST] != i:
        unlink(objects, ints, base, i)
        push(objects, ints, base, i)
