"""2Q: new objects pass through a FIFO queue; one asked for again soon after it left that enters an LRU queue.

Johnson, Shasha, "2Q: a low overhead high performance buffer management replacement algorithm", VLDB 1994. As in
libCacheSim: A1in has a quarter of the bytes, the ghosts of A1out stand for half of them, and an object larger than A1in
is not admitted.
"""

from typing import Annotated

from cdn.caching.lists import BLANK, BYTES, EMPTY_LIST, NOWHERE, OLDEST, push, renew, unlink
from cdn.caching.parameters import Range
from cdn.caching.policy import CAPACITY, FREE, Policy
from cdn.compilation import step

IN, OUT, MAIN = 1, 2, 3
IN_LIST, OUT_LIST, MAIN_LIST, IN_LIMIT, OUT_LIMIT, MAIN_LIMIT, WAS_GHOST = 2, 5, 8, 11, 12, 13, 14


def start(
    capacity_bytes,
    in_share: Annotated[float, Range(0, 0.5, "share of the bytes for what was asked for once", without=(0,))] = 0.25,
    out_share: Annotated[float, Range(0, 100, "bytes of remembered objects, over the capacity")] = 0.5,
):
    in_limit, out_limit = int(capacity_bytes * in_share), int(capacity_bytes * out_share)
    limits = [in_limit, out_limit, capacity_bytes - in_limit]
    return [capacity_bytes, capacity_bytes, *EMPTY_LIST * 3, *limits, 0], []


@step
def lookup(state, i, next_use):
    objects, _, ints, _ = state
    place = objects[i].place
    ints[WAS_GHOST] = place == OUT
    if place == MAIN:
        renew(objects, ints, MAIN_LIST, i)
    elif place == OUT:
        unlink(objects, ints, OUT_LIST, i)
        objects[i].place = NOWHERE
    return place in (IN, MAIN)


@step
def insert(state, i, next_use):
    objects, _, ints, _ = state
    size = objects[i].size_bytes
    if size > ints[CAPACITY] or size > ints[IN_LIMIT]:
        return False
    while ints[FREE] < size:
        evict(objects, ints)
    if ints[WAS_GHOST]:
        while ints[MAIN_LIST + BYTES] + size > ints[MAIN_LIMIT]:
            leave(objects, ints, MAIN_LIST, ints[MAIN_LIST + OLDEST])
        push(objects, ints, MAIN_LIST, i)
        objects[i].place = MAIN
        ints[WAS_GHOST] = 0
    else:
        push(objects, ints, IN_LIST, i)
        objects[i].place = IN
    ints[FREE] -= size
    return True


@step
def evict(objects, ints):
    if ints[MAIN_LIST + BYTES] > 0 and ints[IN_LIST + BYTES] <= ints[IN_LIMIT]:
        leave(objects, ints, MAIN_LIST, ints[MAIN_LIST + OLDEST])
        return
    victim = ints[IN_LIST + OLDEST]
    leave(objects, ints, IN_LIST, victim)
    size = objects[victim].size_bytes
    if size <= ints[OUT_LIMIT]:
        while ints[OUT_LIST + BYTES] + size > ints[OUT_LIMIT]:
            forgotten = ints[OUT_LIST + OLDEST]
            unlink(objects, ints, OUT_LIST, forgotten)
            objects[forgotten].place = NOWHERE
        push(objects, ints, OUT_LIST, victim)
        objects[victim].place = OUT


@step
def leave(objects, ints, base, i):
    unlink(objects, ints, base, i)
    objects[i].place = NOWHERE
    ints[FREE] += objects[i].size_bytes


@step
def remove(state, i):
    objects, _, ints, _ = state
    if objects[i].place == IN:
        leave(objects, ints, IN_LIST, i)
    elif objects[i].place == MAIN:
        leave(objects, ints, MAIN_LIST, i)


TWOQ = Policy("2q", __file__, lookup, insert, remove, BLANK, start)
