"""LRU: the object whose last use is longest ago goes first.

FIFO where a hit makes the object the newest: it appends a new entry, and the old one is stale from then on. A hit
writes one row and one number, without the neighbours that a linked list would write.
"""

import numpy as np

from cdn.caching.fifo import OBJECT, insert
from cdn.caching.policy import NOT_CACHED, Policy
from cdn.caching.queues import append, empty_queue, take_out
from cdn.compilation import step


@step
def lookup(state, i, next_use):
    if state[0][i].slot == NOT_CACHED:
        return False
    append(state, i)
    return True


LRU = Policy(
    "lru", __file__, lookup, insert, take_out, np.array((0, NOT_CACHED), OBJECT), empty_queue, cells_per_object=2
)
