"""Belady by size: of a sample of cached objects the one with the most bytes times requests until its next use goes.

As in libCacheSim (after Song, Berger, Li, Lloyd, "Learning relaxed Belady for content distribution network caching",
NSDI 2020): what is never asked for again is not stored, and leaves at its last hit; 128 objects are drawn, with
replacement. Not the optimum, which is NP-hard for unequal sizes. The seed is our own: counts agree in
distribution only.
"""

from typing import Annotated

import numpy as np

from cdn.caching.chance import START, position
from cdn.caching.parameters import WHOLE_MAX, Range
from cdn.caching.policy import CAPACITY, FREE, NO_NEXT_USE, NOT_CACHED, Policy
from cdn.caching.samples import CHANCE, N_CACHED, add, remove
from cdn.compilation import step

N_SAMPLE, NOW = 4, 5
OBJECT = np.dtype([("size_bytes", np.int64), ("slot", np.int64), ("next_use", np.int64)])
BLANK = np.array((0, NOT_CACHED, NO_NEXT_USE), OBJECT)


def start(
    capacity_bytes,
    n_sample: Annotated[int, Range(1, 1 << 20, "objects drawn for each eviction")] = 128,
    seed: Annotated[int, Range(0, WHOLE_MAX, "of the random numbers")] = START,
):
    return [capacity_bytes, capacity_bytes, 0, seed, n_sample, 0], []


@step
def lookup(state, i, next_use):
    objects, _, ints, _ = state
    ints[NOW] += 1
    if objects[i].slot == NOT_CACHED:
        return False
    if next_use == NO_NEXT_USE:
        remove(state, i)
    else:
        objects[i].next_use = next_use
    return True


@step
def insert(state, i, next_use):
    objects, _, ints, _ = state
    size = objects[i].size_bytes
    if size > ints[CAPACITY]:
        return False
    while ints[FREE] < size:
        evict(state)
    if next_use == NO_NEXT_USE:
        return False
    objects[i].next_use = next_use
    add(state, i)
    return True


@step
def evict(state):
    objects, cached, ints, _ = state
    victim, most = NOT_CACHED, -np.inf
    for _ in range(ints[N_SAMPLE]):
        drawn = cached[position(ints, CHANCE, ints[N_CACHED])]
        score = float(objects[drawn].size_bytes) * (objects[drawn].next_use - ints[NOW] + 1)
        if score > most:
            victim, most = drawn, score
    remove(state, victim)


BELADYSIZE = Policy(
    "beladysize", __file__, lookup, insert, remove, BLANK, start, cells_per_object=1, looks_ahead=True
)
