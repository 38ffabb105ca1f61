"""W-TinyLFU: a small LRU window before an SLRU main part; the window's oldest enters only if it is used more often
than the object it would replace.

Einziger, Friedman, Manes, "TinyLFU: a highly efficient cache admission policy", ACM Trans. Storage 13(4), 2017. As in
libCacheSim: the window has 1 % of the bytes, the main part two segments of 1:4; uses are counted at insertions, at main
hits and whenever the window's oldest is judged, and halved after 32 main hits per byte of the main part. Uses are
counted exactly, one number per object, where libCacheSim counts in a Bloom filter of ten numbers per byte of cache.
"""

from typing import Annotated

import numpy as np

from cdn.caching import slru
from cdn.caching.parameters import Range
from cdn.caching.policy import CAPACITY, FREE, NOT_CACHED, Policy
from cdn.caching.segments import (
    CELLS_PER_OBJECT,
    NOBODY,
    NOWHERE,
    append,
    bytes_in,
    empty_queues,
    move,
    oldest_of,
)
from cdn.caching.slru import LIMITS, N_SEGMENTS_MAX
from cdn.compilation import step

OBJECT = np.dtype([("size_bytes", np.int64), ("slot", np.int32), ("queue", np.int32), ("uses", np.int64)])
# The main part is an SLRU whose scalars come first; its free bytes are the whole cache's.
WINDOW = N_SEGMENTS_MAX
WINDOW_LIMIT, MAIN_LIMIT, MAIN_HITS = (LIMITS + N_SEGMENTS_MAX + k for k in range(3))
SEGMENTS = 2


def start(
    capacity_bytes,
    window_share: Annotated[float, Range(0, 1, "share of the bytes for new objects", without=(1,))] = 0.01,
):
    window = int(capacity_bytes * window_share)
    main = capacity_bytes - window
    limits = [int(1 / 5 * main), int(4 / 5 * main), 0, 0]
    queues = empty_queues(N_SEGMENTS_MAX + 1)
    return [capacity_bytes, capacity_bytes, *queues, SEGMENTS, *limits, window, main, 0], []


@step
def lookup(state, i, next_use):
    objects, _, ints, _ = state
    queue = objects[i].queue
    if queue == NOWHERE:
        return False
    if queue == WINDOW:
        move(state, WINDOW, i)
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
        evict(state)
    append(state, WINDOW, i)
    objects[i].uses += 1
    ints[FREE] -= size
    return True


@step
def main_bytes(ints):
    return bytes_in(ints, 0) + bytes_in(ints, 1)


@step
def evict(state):
    """The window's oldest go on into the main part while that has room; then one is judged."""
    objects, _, ints, _ = state
    candidate = oldest_of(state, WINDOW)
    while candidate != NOBODY:
        fits = main_bytes(ints) + objects[candidate].size_bytes <= ints[MAIN_LIMIT]
        rival = NOBODY if fits else slru.oldest(state)
        slru.drop(state, candidate)
        if fits:
            slru.enter(state, candidate)
        elif objects[candidate].uses > objects[rival].uses:
            take_place(state, candidate)
        objects[candidate].uses += 1
        if not fits:
            return
        candidate = oldest_of(state, WINDOW)
    slru.evict(state)


@step
def take_place(state, i):
    """One object leaves the main part, more only if then no segment has room: it can come to exceed its share."""
    objects, _, ints, _ = state
    slru.evict(state)
    segment = slru.segment_with_room(ints, objects[i].size_bytes)
    if segment == SEGMENTS:
        while main_bytes(ints) + objects[i].size_bytes > ints[MAIN_LIMIT]:
            slru.evict(state)
        segment = 0
    slru.store(state, segment, i)


remove = slru.remove
WTINYLFU = Policy(
    "wtinylfu", __file__, lookup, insert, remove, np.array((0, NOT_CACHED, NOWHERE, 0), OBJECT), start,
    cells_per_object=CELLS_PER_OBJECT,
)  # fmt: skip
