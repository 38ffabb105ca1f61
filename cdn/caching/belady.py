"""Belady: the object whose next request is farthest away goes first. It looks ahead: a bound, not a policy.

Belady, "A study of replacement algorithms for a virtual-storage computer", IBM Systems J. 5(2), 1966: fewest misses
where all sizes are equal, and only there. As in libCacheSim every miss is stored, also what is never asked for again.

Which of several such objects goes first changes no hit: all of them go before any other, so what others must leave is
decided by the free bytes and theirs together, and that sum is the same in any order. Other next uses never tie. So
misses are libCacheSim's without its heap: what is asked for soon is in a calendar, the rest in a heap of our own.
"""

import numpy as np

from cdn.caching.calendars import (
    BASE,
    GROUP,
    LATEST,
    N_WORDS,
    NOWHERE,
    SCALARS,
    WINDOW,
    ask_for,
    enter,
    latest_before,
    lay_out,
    object_at,
    strike,
    strike_latest,
)  # fmt: skip
from cdn.caching.latest_heap import N_CELLS, TOP, cell_of, id_at, next_use_at, push, take
from cdn.caching.policy import CAPACITY, FREE, NO_NEXT_USE, NOT_CACHED, Policy
from cdn.compilation import step

OBJECT = np.dtype([("size_bytes", np.int64), ("slot", np.int64)])
NOW = 3 + SCALARS


def start(capacity_bytes):
    return [capacity_bytes, capacity_bytes, 0, *[0] * SCALARS, 0], []


@step
def lookup(state, i, next_use):
    objects, cells, ints, _ = state
    if objects[i].slot == NOT_CACHED:
        return False
    ints[NOW] = take_out(objects, cells, ints, i)
    note(objects, cells, ints, next_use, i)
    return True


@step
def take_out(objects, cells, ints, i):
    """Out of where it is noted. Gives the next use that was expected, 0 if none was."""
    slot = objects[i].slot
    if slot >= 0:
        strike(cells, ints, slot)
        return slot
    expected = next_use_at(cells, cell_of(slot))
    take(objects, cells, ints, cell_of(slot))
    return expected if expected != NO_NEXT_USE else np.int64(0)


@step
def note(objects, cells, ints, next_use, i):
    """Into the calendar if there is a place, else into the heap."""
    if enter(cells, ints, next_use, i):
        objects[i].slot = next_use
        return
    push(objects, cells, ints, next_use, i)
    if ints[NOW] - ints[BASE] >= ints[WINDOW] >> 2:
        turn(objects, cells, ints)


@step
def turn(objects, cells, ints):
    """The calendar begins now. What was announced for the past and did not come goes to the heap: a network's cache
    does not see the requests that one below serves."""
    now = ints[NOW] & ~(min(ints[WINDOW], GROUP) - 1)
    position = latest_before(cells, ints, now)
    while position != NOWHERE and position < now:
        shelve(objects, cells, ints, position)
        position = latest_before(cells, ints, now)
    ints[BASE] = now


@step
def shelve(objects, cells, ints, position):
    """From the calendar to the heap."""
    i = object_at(cells, ints, position)
    strike(cells, ints, position)
    push(objects, cells, ints, position, i)


@step
def insert(state, i, next_use):
    objects, cells, ints, _ = state
    size = objects[i].size_bytes
    if size > ints[CAPACITY]:
        return False
    if ints[N_WORDS] != len(cells):
        grow(objects, cells, ints)
    free = ints[FREE]
    while free < size:
        free += evict(objects, cells, ints)
    ints[FREE] = free - size
    note(objects, cells, ints, next_use, i)
    return True


@step
def grow(objects, cells, ints):
    """The calendar moves to where the longer array has its second half; the heap stays, and takes what was noted."""
    while ints[N_WORDS] and ints[LATEST] != NOWHERE:
        shelve(objects, cells, ints, ints[LATEST])
    for word in range(2 * (ints[N_CELLS] + 1), len(cells) // 2):
        cells[word] = 0  # where the calendar was, the heap's vacant cells are now
    lay_out(cells, ints)


@step
def evict(objects, cells, ints):
    top = next_use_at(cells, TOP) if ints[N_CELLS] else np.int64(NOWHERE)
    if top > ints[LATEST]:
        victim = id_at(cells, TOP)
        take(objects, cells, ints, TOP)
    else:
        victim = object_at(cells, ints, ints[LATEST])
        strike_latest(cells, ints)
    objects[victim].slot = NOT_CACHED
    return objects[victim].size_bytes


@step
def remove(state, i):
    objects, cells, ints, _ = state
    if objects[i].slot == NOT_CACHED:
        return
    take_out(objects, cells, ints, i)
    objects[i].slot = NOT_CACHED
    ints[FREE] += objects[i].size_bytes


@step
def foresee(state, next_use):
    ask_for(state[1], state[2], next_use)


BELADY = Policy(
    "belady", __file__, lookup, insert, remove, np.array((0, NOT_CACHED), OBJECT), start, cell=np.dtype(np.int64),
    cells_per_object=4, looks_ahead=True, foresee=foresee,
)  # fmt: skip
