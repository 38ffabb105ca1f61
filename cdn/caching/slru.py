"""SLRU: LRU queues of equal shares; a hit lifts an object into the next, what overflows sinks into the one below.

Karedla, Love, Wherry, "Caching strategies to improve disk system performance", Computer 27(3), 1994; four segments, as
in libCacheSim. A new object enters the lowest segment that has room, the first if none has. An object larger than a
segment is not admitted.
"""

from typing import Annotated

from cdn.caching.parameters import Range
from cdn.caching.policy import CAPACITY, FREE, Policy
from cdn.caching.segments import (
    BLANK,
    CELLS_PER_OBJECT,
    FIRST_QUEUE,
    NOBODY,
    NOWHERE,
    SCALARS,
    append,
    bytes_in,
    empty_queues,
    leave,
    move,
    oldest_of,
)
from cdn.compilation import step

N_SEGMENTS_MAX = 4
# There may be one more queue than segments.
N_SEGMENTS = FIRST_QUEUE + SCALARS * (N_SEGMENTS_MAX + 1)
LIMITS = N_SEGMENTS + 1


def start(capacity_bytes, n_segments: Annotated[int, Range(1, N_SEGMENTS_MAX, "segments of equal size")] = 4):
    limits = [capacity_bytes // n_segments] * N_SEGMENTS_MAX
    return [capacity_bytes, capacity_bytes, *empty_queues(N_SEGMENTS_MAX + 1), n_segments, *limits], []


@step
def lookup(state, i, next_use):
    objects, _, ints, _ = state
    segment = objects[i].queue
    if segment == NOWHERE:
        return False
    above = min(segment + 1, ints[N_SEGMENTS] - 1)
    move(state, above, i)
    if above > segment:
        sink(state, above)
    return True


@step
def sink(state, top):
    """What overflows a segment goes down, the oldest first, and out of the lowest."""
    ints = state[2]
    segment = top
    while segment > 0 and bytes_in(ints, segment) > ints[LIMITS + segment]:
        while bytes_in(ints, segment) > ints[LIMITS + segment]:
            move(state, segment - 1, oldest_of(state, segment))
        segment -= 1
    while segment == 0 and bytes_in(ints, 0) > ints[LIMITS]:
        evict(state)


@step
def evict(state):
    drop(state, oldest(state))


@step
def oldest(state):
    """That of the lowest segment that has any."""
    segment, i = 0, oldest_of(state, 0)
    while i == NOBODY:
        segment += 1
        i = oldest_of(state, segment)
    return i


@step
def drop(state, i):
    objects, _, ints, _ = state
    leave(state, i)
    ints[FREE] += objects[i].size_bytes


@step
def insert(state, i, next_use):
    objects, _, ints, _ = state
    size = objects[i].size_bytes
    if size > ints[CAPACITY] or size > ints[LIMITS]:
        return False
    while ints[FREE] < size:
        evict(state)
    enter(state, i)
    return True


@step
def enter(state, i):
    ints = state[2]
    segment = segment_with_room(ints, state[0][i].size_bytes)
    store(state, segment if segment < ints[N_SEGMENTS] else 0, i)


@step
def segment_with_room(ints, size_bytes):
    """The lowest; ``N_SEGMENTS`` if none has room."""
    segment = 0
    while segment < ints[N_SEGMENTS] and bytes_in(ints, segment) + size_bytes > ints[LIMITS + segment]:
        segment += 1
    return segment


@step
def store(state, segment, i):
    objects, _, ints, _ = state
    append(state, segment, i)
    ints[FREE] -= objects[i].size_bytes


@step
def remove(state, i):
    if state[0][i].queue != NOWHERE:
        drop(state, i)


SLRU = Policy("slru", __file__, lookup, insert, remove, BLANK, start, cells_per_object=CELLS_PER_OBJECT)
