"""Random: any cached object goes, each with the same chance.

The seed is fixed, and it is not libCacheSim's, which draws from its hash table: counts agree in distribution only.
"""

from typing import Annotated

from cdn.caching.chance import START, position
from cdn.caching.fifo import lookup
from cdn.caching.parameters import WHOLE_MAX, Range
from cdn.caching.policy import CAPACITY, FREE, Policy
from cdn.caching.samples import BLANK, CHANCE, N_CACHED, add, remove
from cdn.compilation import step


def start(capacity_bytes, seed: Annotated[int, Range(0, WHOLE_MAX, "of the random numbers")] = START):
    return [capacity_bytes, capacity_bytes, 0, seed], []


@step
def insert(state, i, next_use):
    objects, cached, ints, _ = state
    size = objects[i].size_bytes
    if size > ints[CAPACITY]:
        return False
    while ints[FREE] < size:
        remove(state, cached[position(ints, CHANCE, ints[N_CACHED])])
    add(state, i)
    return True


RANDOM = Policy("random", __file__, lookup, insert, remove, BLANK, start, cells_per_object=1)
