"""SLRU: LRU queues of equal shares; a hit lifts an object into the next, what overflows sinks into the one below.

Karedla, Love, Wherry, "Caching strategies to improve disk system performance", Computer 27(3), 1994; four segments, as
in libCacheSim. A new object enters the lowest segment that has room, the first if none has. An object larger than a
segment is not admitted.
"""

from typing import Annotated

from cdn.caching.lists import BLANK, BYTES, EMPTY_LIST, NOBODY, NOWHERE, OLDEST, push, renew, unlink
from cdn.caching.parameters import Range
from cdn.caching.policy import CAPACITY, FREE, Policy
from cdn.compilation import step

N_SEGMENTS, LISTS, LIMITS = 2, 3, 15
N_SEGMENTS_MAX = 4


def start(capacity_bytes, n_segments: Annotated[int, Range(1, N_SEGMENTS_MAX, "segments of equal size")] = 4):
    limits = [capacity_bytes // n_segments] * N_SEGMENTS_MAX
    return [capacity_bytes, capacity_bytes, n_segments, *EMPTY_LIST * N_SEGMENTS_MAX, *limits], []


@step
def lookup(state, i, next_use):
    objects, _, ints, _ = state
    place = objects[i].place
    if place == NOWHERE:
        return False
    if place == ints[N_SEGMENTS]:
        renew(objects, ints, LISTS + 3 * (place - 1), i)
    else:
        move(objects, ints, i, place - 1, place)
        sink(objects, ints, place)
    return True


@step
def move(objects, ints, i, segment, to):
    unlink(objects, ints, LISTS + 3 * segment, i)
    push(objects, ints, LISTS + 3 * to, i)
    objects[i].place = to + 1


@step
def sink(objects, ints, top):
    """From a segment that overflows the oldest go down, one at a time, each time until those below overflow no more."""
    segment = top
    while segment <= top:
        base = LISTS + 3 * segment
        if ints[base + BYTES] <= ints[LIMITS + segment]:
            segment += 1
        elif segment == 0:
            evict(objects, ints)
        else:
            move(objects, ints, ints[base + OLDEST], segment, segment - 1)
            segment -= 1


@step
def evict(objects, ints):
    """The oldest of the lowest segment that has any."""
    segment = 0
    while ints[LISTS + 3 * segment + OLDEST] == NOBODY:
        segment += 1
    drop(objects, ints, ints[LISTS + 3 * segment + OLDEST])


@step
def drop(objects, ints, i):
    unlink(objects, ints, LISTS + 3 * (objects[i].place - 1), i)
    objects[i].place = NOWHERE
    ints[FREE] += objects[i].size_bytes


@step
def insert(state, i, next_use):
    objects, _, ints, _ = state
    size = objects[i].size_bytes
    if size > ints[CAPACITY] or size > ints[LIMITS]:
        return False
    while ints[FREE] < size:
        evict(objects, ints)
    enter(objects, ints, i)
    return True


@step
def enter(objects, ints, i):
    segment = segment_with_room(ints, objects[i].size_bytes)
    store(objects, ints, segment if segment < ints[N_SEGMENTS] else 0, i)


@step
def segment_with_room(ints, size_bytes):
    """The lowest; ``N_SEGMENTS`` if none has room."""
    segment = 0
    while segment < ints[N_SEGMENTS] and ints[LISTS + 3 * segment + BYTES] + size_bytes > ints[LIMITS + segment]:
        segment += 1
    return segment


@step
def store(objects, ints, segment, i):
    push(objects, ints, LISTS + 3 * segment, i)
    objects[i].place = segment + 1
    ints[FREE] -= objects[i].size_bytes


@step
def remove(state, i):
    objects, _, ints, _ = state
    if objects[i].place != NOWHERE:
        drop(objects, ints, i)


SLRU = Policy("slru", __file__, lookup, insert, remove, BLANK, start)
