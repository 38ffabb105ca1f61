"""W-TinyLFU: a small LRU window before an SLRU main part; the window's oldest enters only if it is used more often
than the object it would replace.

Einziger, Friedman, Manes, "TinyLFU: a highly efficient cache admission policy", ACM Trans. Storage 13(4), 2017. As in
libCacheSim: the window has 1 % of the bytes, the main part two segments of 1:4; uses are counted at insertions, at main
hits and whenever the window's oldest is judged, and halved after 32 main hits per byte of the main part. Uses are
counted exactly, one number per object, where libCacheSim counts in a Bloom filter of ten numbers per byte of cache.
"""

from typing import Annotated

from cdn.caching import slru
from cdn.caching.lists import BLANK, BYTES, EMPTY_LIST, NOBODY, NOWHERE, OLDEST, push, renew, unlink
from cdn.caching.parameters import Range
from cdn.caching.policy import CAPACITY, FREE, Policy
from cdn.caching.slru import LIMITS, LISTS, N_SEGMENTS_MAX
from cdn.compilation import step

# The main part is an SLRU whose scalars come first; its free bytes are the whole cache's.
WINDOW = 9
WINDOW_LIST, WINDOW_LIMIT, MAIN_LIMIT, MAIN_HITS = LIMITS + N_SEGMENTS_MAX, 22, 23, 24
SEGMENTS = 2


def start(
    capacity_bytes,
    window_share: Annotated[float, Range(0, 1, "share of the bytes for new objects", without=(1,))] = 0.01,
):
    window = int(capacity_bytes * window_share)
    main = capacity_bytes - window
    limits = [int(1 / 5 * main), int(4 / 5 * main), 0, 0]
    lists = EMPTY_LIST * N_SEGMENTS_MAX
    return [capacity_bytes, capacity_bytes, SEGMENTS, *lists, *limits, *EMPTY_LIST, window, main, 0], []


@step
def lookup(state, i, next_use):
    objects, _, ints, _ = state
    place = objects[i].place
    if place == NOWHERE:
        return False
    if place == WINDOW:
        renew(objects, ints, WINDOW_LIST, i)
        return True
    slru.lookup(state, i, next_use)
    objects[i].uses += 1
    ints[MAIN_HITS] += 1
    if ints[MAIN_HITS] >= 32 * ints[MAIN_LIMIT]:
        ints[MAIN_HITS] = 0
        for j in range(len(objects)):
            objects[j].uses >>= 1
    return True


@step
def insert(state, i, next_use):
    objects, _, ints, _ = state
    size = objects[i].size_bytes
    if size > ints[CAPACITY] or size > ints[WINDOW_LIMIT] or size > ints[LIMITS]:
        return False
    while ints[FREE] < size:
        evict(objects, ints)
    push(objects, ints, WINDOW_LIST, i)
    objects[i].place = WINDOW
    objects[i].uses += 1
    ints[FREE] -= size
    return True


@step
def main_bytes(ints):
    return ints[LISTS + BYTES] + ints[LISTS + 3 + BYTES]


@step
def evict(objects, ints):
    """The window's oldest go on into the main part while that has room; then one is judged."""
    while ints[WINDOW_LIST + OLDEST] != NOBODY:
        candidate = ints[WINDOW_LIST + OLDEST]
        size = objects[candidate].size_bytes
        fits = main_bytes(ints) + size <= ints[MAIN_LIMIT]
        rival = NOBODY if fits else main_oldest(ints)
        take_from_window(objects, ints, candidate)
        if fits:
            slru.enter(objects, ints, candidate)
        elif objects[candidate].uses > objects[rival].uses:
            take_place(objects, ints, candidate)
        objects[candidate].uses += 1
        if not fits:
            return
    slru.evict(objects, ints)


@step
def take_place(objects, ints, i):
    """One object leaves the main part, more only if then no segment has room: it can come to exceed its share."""
    slru.evict(objects, ints)
    segment = slru.segment_with_room(ints, objects[i].size_bytes)
    if segment == SEGMENTS:
        while main_bytes(ints) + objects[i].size_bytes > ints[MAIN_LIMIT]:
            slru.evict(objects, ints)
        segment = 0
    slru.store(objects, ints, segment, i)


@step
def take_from_window(objects, ints, i):
    unlink(objects, ints, WINDOW_LIST, i)
    objects[i].place = NOWHERE
    ints[FREE] += objects[i].size_bytes


@step
def main_oldest(ints):
    lower = ints[LISTS + OLDEST]
    return lower if lower != NOBODY else ints[LISTS + 3 + OLDEST]


@step
def remove(state, i):
    objects, _, ints, _ = state
    if objects[i].place == WINDOW:
        take_from_window(objects, ints, i)
    else:
        slru.remove(state, i)


WTINYLFU = Policy("wtinylfu", __file__, lookup, insert, remove, BLANK, start)
