"""S3-FIFO: a small FIFO queue that only objects used again leave alive, a main one with reinsertion, and ghosts.

Yang, Zhang, Qiu, Yue, Rashmi, "FIFO queues are all you need for cache eviction", SOSP 2023. As in libCacheSim: a tenth
of the bytes is the small queue's, two uses lead into the main queue, ghosts stand for nine tenths, until the first
eviction what overflows the small queue enters the main one, and an object as large as the small queue or larger is not
stored. (One just as large still evicts what would make room for it.)
"""

from typing import Annotated

from cdn.caching.lists import BLANK, BYTES, EMPTY_LIST, NOBODY, NOWHERE, OLDEST, push, unlink
from cdn.caching.parameters import Range
from cdn.caching.policy import CAPACITY, FREE, Policy
from cdn.compilation import step

SMALL, MAIN, GHOST = 1, 2, 3
LISTS = -1
SMALL_LIST, MAIN_LIST, GHOST_LIST = LISTS + 3 * SMALL, LISTS + 3 * MAIN, LISTS + 3 * GHOST
SMALL_LIMIT, MAIN_LIMIT, GHOST_LIMIT, THRESHOLD, WAS_GHOST, HAS_EVICTED = 11, 12, 13, 14, 15, 16
USES_MAX = 3


def start(
    capacity_bytes,
    small_share: Annotated[float, Range(0, 1, "share of the bytes for the small queue", without=(0, 1))] = 0.1,
    ghost_share: Annotated[float, Range(0, 100, "bytes of remembered objects, over the capacity")] = 0.9,
    threshold: Annotated[int, Range(1, 3, "uses that lead from the small queue to the main one")] = 2,
):
    small, ghost = int(capacity_bytes * small_share), int(capacity_bytes * ghost_share)
    limits = [small, capacity_bytes - small, ghost]
    return [capacity_bytes, capacity_bytes, *EMPTY_LIST * 3, *limits, threshold, 0, 0], []


@step
def lookup(state, i, next_use):
    objects, _, ints, _ = state
    place = objects[i].place
    ints[WAS_GHOST] = place == GHOST
    if place == GHOST:
        unlink(objects, ints, GHOST_LIST, i)
        objects[i].place = NOWHERE
        return False
    if place == NOWHERE:
        return False
    if objects[i].uses < USES_MAX:
        objects[i].uses += 1
    return True


@step
def insert(state, i, next_use):
    objects, _, ints, _ = state
    size = objects[i].size_bytes
    if size > ints[CAPACITY] or size > ints[SMALL_LIMIT]:
        return False
    while ints[FREE] < size:
        evict(objects, ints)
    if ints[WAS_GHOST]:
        place = MAIN
    elif size >= ints[SMALL_LIMIT]:
        return False
    elif ints[HAS_EVICTED] == 0 and ints[SMALL_LIST + BYTES] >= ints[SMALL_LIMIT]:
        place = MAIN
    else:
        place = SMALL
    ints[WAS_GHOST] = 0
    enter(objects, ints, place, i, 0)
    ints[FREE] -= size
    return True


@step
def enter(objects, ints, place, i, uses):
    push(objects, ints, LISTS + 3 * place, i)
    objects[i].place = place
    objects[i].uses = uses


@step
def evict(objects, ints):
    ints[HAS_EVICTED] = 1
    if ints[MAIN_LIST + BYTES] > ints[MAIN_LIMIT] or ints[SMALL_LIST + OLDEST] == NOBODY:
        evict_main(objects, ints)
    else:
        evict_small(objects, ints)


@step
def evict_small(objects, ints):
    """The oldest of the small queue go on into the main one, up to the first that was not used enough."""
    while ints[SMALL_LIST + OLDEST] != NOBODY:
        oldest = ints[SMALL_LIST + OLDEST]
        unlink(objects, ints, SMALL_LIST, oldest)
        if objects[oldest].uses < ints[THRESHOLD]:
            ints[FREE] += objects[oldest].size_bytes
            remember(objects, ints, oldest)
            return
        enter(objects, ints, MAIN, oldest, 0)


@step
def remember(objects, ints, i):
    size = objects[i].size_bytes
    objects[i].place = NOWHERE
    if size <= ints[GHOST_LIMIT]:
        while ints[GHOST_LIST + BYTES] + size > ints[GHOST_LIMIT]:
            forgotten = ints[GHOST_LIST + OLDEST]
            unlink(objects, ints, GHOST_LIST, forgotten)
            objects[forgotten].place = NOWHERE
        enter(objects, ints, GHOST, i, 0)


@step
def evict_main(objects, ints):
    while True:
        oldest = ints[MAIN_LIST + OLDEST]
        unlink(objects, ints, MAIN_LIST, oldest)
        if objects[oldest].uses == 0:
            ints[FREE] += objects[oldest].size_bytes
            objects[oldest].place = NOWHERE
            return
        enter(objects, ints, MAIN, oldest, objects[oldest].uses - 1)


@step
def remove(state, i):
    objects, _, ints, _ = state
    if objects[i].place == SMALL or objects[i].place == MAIN:
        unlink(objects, ints, LISTS + 3 * objects[i].place, i)
        objects[i].place = NOWHERE
        ints[FREE] += objects[i].size_bytes


S3FIFO = Policy("s3fifo", __file__, lookup, insert, remove, BLANK, start)
