"""ARC: two LRU queues, of objects used once and more often, whose shares follow hits on the ghosts of either.

Megiddo, Modha, "ARC: a self-tuning, low overhead replacement cache", FAST 2003. Sizes count in bytes, as in
libCacheSim: the target ``p`` moves by the ratio of the ghosts' bytes, at least 1 byte.
"""

from cdn.caching.policy import CAPACITY, FREE, Policy
from cdn.caching.segments import (
    BLANK,
    CELLS_PER_OBJECT,
    FIRST_QUEUE,
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

ONCE, OFTEN, ONCE_GHOST, OFTEN_GHOST = range(4)
N_QUEUES = 4
WAS_GHOST, WAS_OFTEN_GHOST = (FIRST_QUEUE + SCALARS * N_QUEUES + k for k in range(2))
P = 0


def start(capacity_bytes):
    return [capacity_bytes, capacity_bytes, *empty_queues(N_QUEUES), 0, 0], [0.0]


@step
def lookup(state, i, next_use):
    objects, _, ints, floats = state
    queue = objects[i].queue
    ints[WAS_GHOST] = 0
    if queue == NOWHERE:
        return False
    ints[WAS_OFTEN_GHOST] = queue == OFTEN_GHOST
    if queue <= OFTEN:
        move(state, OFTEN, i)
        return True
    learn(ints, floats, queue)
    leave(state, i)
    return False


@step
def learn(ints, floats, queue):
    ints[WAS_GHOST] = 1
    once = float(bytes_in(ints, ONCE_GHOST))
    often = float(bytes_in(ints, OFTEN_GHOST))
    if queue == ONCE_GHOST:
        floats[P] = min(floats[P] + (max(often / once, 1.0) if once > 0 else 1.0), float(ints[CAPACITY]))
    else:
        floats[P] = max(floats[P] - (max(once / often, 1.0) if often > 0 else 1.0), 0.0)


@step
def insert(state, i, next_use):
    objects, _, ints, _ = state
    size = objects[i].size_bytes
    if size > ints[CAPACITY]:
        return False
    while ints[FREE] < size:
        if ints[WAS_GHOST]:
            replace(state)
        else:
            make_room(state, size)
    append(state, OFTEN if ints[WAS_GHOST] else ONCE, i)
    ints[FREE] -= size
    if ints[WAS_GHOST]:
        ints[WAS_GHOST] = 0
        ints[WAS_OFTEN_GHOST] = 0
    return True


@step
def make_room(state, size):
    """Case IV of the paper: the object is in none of the four queues."""
    ints = state[2]
    once = bytes_in(ints, ONCE) + bytes_in(ints, ONCE_GHOST)
    if once + size > ints[CAPACITY]:
        if bytes_in(ints, ONCE_GHOST) == 0:
            drop(state, oldest_of(state, ONCE))
            return
        leave(state, oldest_of(state, ONCE_GHOST))
    else:
        often = bytes_in(ints, OFTEN) + bytes_in(ints, OFTEN_GHOST)
        if once + often >= 2 * ints[CAPACITY] and bytes_in(ints, OFTEN_GHOST) > 0:
            leave(state, oldest_of(state, OFTEN_GHOST))
    replace(state)


@step
def replace(state):
    """The oldest of one of the two queues leaves and becomes a ghost."""
    objects, _, ints, floats = state
    once = bytes_in(ints, ONCE)
    from_once = once > 0 and (once > floats[P] or (once == floats[P] and ints[WAS_OFTEN_GHOST] == 1))
    queue = ONCE if from_once or bytes_in(ints, OFTEN) == 0 else OFTEN
    victim = oldest_of(state, queue)
    ints[FREE] += objects[victim].size_bytes
    move(state, queue + 2, victim)


@step
def drop(state, i):
    objects, _, ints, _ = state
    leave(state, i)
    ints[FREE] += objects[i].size_bytes


@step
def remove(state, i):
    queue = state[0][i].queue
    if queue in (ONCE, OFTEN):
        drop(state, i)


ARC = Policy("arc", __file__, lookup, insert, remove, BLANK, start, cells_per_object=CELLS_PER_OBJECT)
