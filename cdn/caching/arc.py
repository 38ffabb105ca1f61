"""ARC: two LRU queues, of objects used once and more often, whose shares follow hits on the ghosts of either.

Megiddo, Modha, "ARC: a self-tuning, low overhead replacement cache", FAST 2003. Sizes count in bytes, as in
libCacheSim: the target ``p`` moves by the ratio of the ghosts' bytes, at least 1 byte.
"""

from cdn.caching.lists import BLANK, BYTES, EMPTY_LIST, NOWHERE, OLDEST, push, renew, unlink
from cdn.caching.policy import CAPACITY, FREE, Policy
from cdn.compilation import step

ONCE, OFTEN, ONCE_GHOST, OFTEN_GHOST = 1, 2, 3, 4
# The list of a place begins at LISTS + 3 * place.
LISTS, WAS_GHOST, WAS_OFTEN_GHOST = -1, 14, 15
P = 0


def start(capacity_bytes):
    return [capacity_bytes, capacity_bytes, *EMPTY_LIST * 4, 0, 0], [0.0]


@step
def lookup(state, i, next_use):
    objects, _, ints, floats = state
    place = objects[i].place
    ints[WAS_GHOST] = 0
    if place == NOWHERE:
        return False
    if place == OFTEN:
        renew(objects, ints, LISTS + 3 * OFTEN, i)
    elif place == ONCE:
        unlink(objects, ints, LISTS + 3 * ONCE, i)
        push(objects, ints, LISTS + 3 * OFTEN, i)
        objects[i].place = OFTEN
    else:
        learn(ints, floats, place)
        forget(objects, ints, i)
    ints[WAS_OFTEN_GHOST] = place == OFTEN_GHOST
    return place in (ONCE, OFTEN)


@step
def learn(ints, floats, place):
    ints[WAS_GHOST] = 1
    once = float(ints[LISTS + 3 * ONCE_GHOST + BYTES])
    often = float(ints[LISTS + 3 * OFTEN_GHOST + BYTES])
    if place == ONCE_GHOST:
        floats[P] = min(floats[P] + (max(often / once, 1.0) if once > 0 else 1.0), float(ints[CAPACITY]))
    else:
        floats[P] = max(floats[P] - (max(once / often, 1.0) if often > 0 else 1.0), 0.0)


@step
def insert(state, i, next_use):
    objects, _, ints, floats = state
    size = objects[i].size_bytes
    if size > ints[CAPACITY]:
        return False
    while ints[FREE] < size:
        if ints[WAS_GHOST]:
            replace(objects, ints, floats)
        else:
            make_room(objects, ints, floats, size)
    place = OFTEN if ints[WAS_GHOST] else ONCE
    push(objects, ints, LISTS + 3 * place, i)
    objects[i].place = place
    ints[FREE] -= size
    if ints[WAS_GHOST]:
        ints[WAS_GHOST] = 0
        ints[WAS_OFTEN_GHOST] = 0
    return True


@step
def make_room(objects, ints, floats, size):
    """Case IV of the paper: the object is in none of the four lists."""
    once = ints[LISTS + 3 * ONCE + BYTES] + ints[LISTS + 3 * ONCE_GHOST + BYTES]
    if once + size > ints[CAPACITY]:
        if ints[LISTS + 3 * ONCE_GHOST + BYTES] == 0:
            leave(objects, ints, ints[LISTS + 3 * ONCE + OLDEST])
            return
        forget(objects, ints, ints[LISTS + 3 * ONCE_GHOST + OLDEST])
    else:
        often = ints[LISTS + 3 * OFTEN + BYTES] + ints[LISTS + 3 * OFTEN_GHOST + BYTES]
        if once + often >= 2 * ints[CAPACITY] and ints[LISTS + 3 * OFTEN_GHOST + BYTES] > 0:
            forget(objects, ints, ints[LISTS + 3 * OFTEN_GHOST + OLDEST])
    replace(objects, ints, floats)


@step
def replace(objects, ints, floats):
    """The oldest of one of the two queues leaves and becomes a ghost."""
    once = ints[LISTS + 3 * ONCE + BYTES]
    from_once = once > 0 and (once > floats[P] or (once == floats[P] and ints[WAS_OFTEN_GHOST] == 1))
    place = ONCE if from_once or ints[LISTS + 3 * OFTEN + BYTES] == 0 else OFTEN
    victim = ints[LISTS + 3 * place + OLDEST]
    leave(objects, ints, victim)
    ghost = place + 2
    push(objects, ints, LISTS + 3 * ghost, victim)
    objects[victim].place = ghost


@step
def leave(objects, ints, i):
    forget(objects, ints, i)
    ints[FREE] += objects[i].size_bytes


@step
def forget(objects, ints, i):
    unlink(objects, ints, LISTS + 3 * objects[i].place, i)
    objects[i].place = NOWHERE


@step
def remove(state, i):
    objects, _, ints, _ = state
    if objects[i].place == ONCE or objects[i].place == OFTEN:
        leave(objects, ints, i)


ARC = Policy("arc", __file__, lookup, insert, remove, BLANK, start)
