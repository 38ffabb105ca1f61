"""SIEVE: a hand walks from the oldest object to the newest and evicts the first one not used since it last passed.

Zhang, Yang, Yue, Vigfusson, Rashmi, "SIEVE is simpler than LRU: an efficient turn-key eviction algorithm for web
caches", NSDI 2024. Unlike CLOCK's, objects keep their places, so an eviction leaves a hole in the middle of the queue.
"""

import numpy as np

from cdn.caching.clock import OBJECT, lookup
from cdn.caching.policy import CAPACITY, FREE, NOT_CACHED, Policy
from cdn.caching.prefetching import prefetch
from cdn.caching.queues import AHEAD, END, HAND, HOLE, NO_HAND, START, append, empty_queue
from cdn.compilation import step


@step
def insert(state, i, next_use):
    objects, _, ints, _ = state
    size = objects[i].size_bytes
    if size > ints[CAPACITY]:
        return False
    while ints[FREE] < size:
        evict(state)
    ints[FREE] -= size
    objects[i].used = 0
    append(state, i)
    return True


@step
def evict(state):
    objects, queue, ints, _ = state
    at = ints[START] if ints[HAND] == NO_HAND else ints[HAND]
    while True:
        prefetch(objects, queue[at + AHEAD])
        candidate = queue[at]
        if candidate != HOLE:
            if objects[candidate].used == 0:
                break
            objects[candidate].used = 0
        at += 1
        if at == ints[END]:
            at = ints[START]
    leave(state, candidate, at)
    ints[HAND] = at
    pass_holes(state)


@step
def leave(state, i, at):
    objects, queue, ints, _ = state
    queue[at] = HOLE
    objects[i].slot = NOT_CACHED
    ints[FREE] += objects[i].size_bytes
    while ints[START] < ints[END] and queue[ints[START]] == HOLE:
        ints[START] += 1


@step
def pass_holes(state):
    """The hand waits at an object; past the newest it waits nowhere, and starts again from the oldest."""
    _, queue, ints, _ = state
    at = ints[HAND]
    while at < ints[END] and queue[at] == HOLE:
        at += 1
    ints[HAND] = at if at < ints[END] else NO_HAND


@step
def remove(state, i):
    objects, _, ints, _ = state
    if objects[i].slot != NOT_CACHED:
        leave(state, i, objects[i].slot)
        if ints[HAND] != NO_HAND:
            pass_holes(state)


SIEVE = Policy(
    "sieve", __file__, lookup, insert, remove, np.array((0, NOT_CACHED, 0), OBJECT), empty_queue, cells_per_object=2
)
