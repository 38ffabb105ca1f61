"""Belady: the object whose next request is farthest away goes first. It looks ahead: a bound, not a policy.

Belady, "A study of replacement algorithms for a virtual-storage computer", IBM Systems J. 5(2), 1966: fewest misses
where all sizes are equal, and only there. As in libCacheSim every miss is stored, also what is never asked for again.

Which of several such objects goes first changes no hit: all of them go before any other, so what others must leave is
decided by the free bytes and theirs together, and that sum is the same in any order. Next uses otherwise never
tie, so libCacheSim's heap need not be followed: what is asked for soon is in a calendar, the rest in a heap.
"""

import numpy as np

from cdn.caching.calendar import (
    BASE, N_WORDS, NOWHERE, SCALARS, WINDOW, enter, has_entry, latest_before, lay_out, object_at, position_of, strike,
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
    slot = objects[i].slot
    if slot == NOT_CACHED:
        return False
    if slot >= 0:
        ints[NOW] = max(ints[NOW], position_of(ints, slot))
        strike(cells, ints, slot)
    else:
        expected = next_use_at(cells, cell_of(slot))
        ints[NOW] = max(ints[NOW], expected) if expected != NO_NEXT_USE else ints[NOW]
        take(objects, cells, ints, cell_of(slot))
    note(objects, cells, ints, next_use, i)
    return True


@step
def note(objects, cells, ints, next_use, i):
    """Into the calendar if it is vacant there, else into the heap."""
    if next_use != NO_NEXT_USE:
        if next_use - ints[BASE] >= ints[WINDOW]:
            turn(objects, cells, ints)
        at = next_use & (ints[WINDOW] - 1)
        ahead = next_use - ints[BASE]
        if 0 <= ahead < ints[WINDOW] and not has_entry(cells, ints, at):
            enter(cells, ints, at, i)
            objects[i].slot = at
            return
    push(objects, cells, ints, next_use, i)


@step
def turn(objects, cells, ints):
    """The calendar begins now. What was announced for the past and did not come goes to the heap: a network's cache
    does not see the requests that one below serves."""
    now = ints[NOW]
    at = latest_before(cells, ints, now)
    while at != NOWHERE and position_of(ints, at) < now:
        shelve(objects, cells, ints, at)
        at = latest_before(cells, ints, now)
    ints[BASE] = now


@step
def shelve(objects, cells, ints, at):
    """From the calendar to the heap."""
    strike(cells, ints, at)
    push(objects, cells, ints, position_of(ints, at), object_at(cells, ints, at))


@step
def insert(state, i, next_use):
    objects, cells, ints, _ = state
    size = objects[i].size_bytes
    if size > ints[CAPACITY]:
        return False
    if ints[N_WORDS] != len(cells):
        grow(objects, cells, ints)
    while ints[FREE] < size:
        evict(objects, cells, ints)
    ints[FREE] -= size
    note(objects, cells, ints, next_use, i)
    return True


@step
def grow(objects, cells, ints):
    at = latest_before(cells, ints, ints[BASE]) if ints[N_WORDS] else NOWHERE
    while at != NOWHERE:
        shelve(objects, cells, ints, at)
        at = latest_before(cells, ints, ints[BASE])
    lay_out(cells, ints)


@step
def evict(objects, cells, ints):
    top = next_use_at(cells, TOP) if ints[N_CELLS] else np.int64(-1)
    at = latest_before(cells, ints, ints[BASE]) if top < ints[BASE] + ints[WINDOW] else np.int64(NOWHERE)
    if at != NOWHERE and position_of(ints, at) > top:
        victim = object_at(cells, ints, at)
        strike(cells, ints, at)
    else:
        victim = id_at(cells, TOP)
        take(objects, cells, ints, TOP)
    objects[victim].slot = NOT_CACHED
    ints[FREE] += objects[victim].size_bytes


@step
def remove(state, i):
    objects, cells, ints, _ = state
    slot = objects[i].slot
    if slot == NOT_CACHED:
        return
    if slot >= 0:
        strike(cells, ints, slot)
    else:
        take(objects, cells, ints, cell_of(slot))
    objects[i].slot = NOT_CACHED
    ints[FREE] += objects[i].size_bytes


BELADY = Policy(
    "belady", __file__, lookup, insert, remove, np.array((0, NOT_CACHED), OBJECT), start, cell=np.dtype(np.int64),
    cells_per_object=4, looks_ahead=True,
)  # fmt: skip
