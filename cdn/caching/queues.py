"""A queue in one array: ids in the order they came, where an entry whose object has left, or come again, is stale.

A linked list writes to an object's neighbours, which lie anywhere in memory; here a use appends one number, in order.
An object's ``slot`` is the position of its valid entry, and every other entry of it is stale, so nothing is ever taken
out of the middle. When the array has no room left behind its end, the valid entries move to its front: a request's
share of that is a constant, as the array holds at least twice as many entries as there are objects.
"""

from cdn.caching.policy import FREE, NOT_CACHED, SPARE_CELLS
from cdn.caching.prefetching import prefetch
from cdn.compilation import step

START, END, LIMIT, HAND = 2, 3, 4, 5
NO_HAND = -1
HOLE = -1
ROOM_PER_ENTRY, ROOM_MIN = 4, 4096
AHEAD = 8


def empty_queue(capacity_bytes):
    """The scalars of a cache with one queue; a limit of 0 makes the first entry ask how long the array is."""
    return [capacity_bytes, capacity_bytes, 0, 0, 0, NO_HAND], []


@step
def append(state, i):
    """Makes the object the newest of the queue."""
    objects, queue, ints, _ = state
    if ints[END] >= ints[LIMIT]:
        compact(state)
    end = ints[END]
    queue[end] = i
    objects[i].slot = end
    ints[END] = end + 1


@step
def compact(state):
    """Moves the valid entries to the front. An array much longer than they need would fall out of the cache."""
    objects, queue, ints, _ = state
    kept, hand = 0, NO_HAND
    for at in range(ints[START], ints[END]):
        prefetch(objects, queue[at + AHEAD])
        j = queue[at]
        if j != HOLE and objects[j].slot == at:
            queue[kept] = j
            objects[j].slot = kept
            if at == ints[HAND]:
                hand = kept
            kept += 1
    ints[START], ints[END], ints[HAND] = 0, kept, hand
    ints[LIMIT] = min(len(queue) - SPARE_CELLS // 2, max(ROOM_PER_ENTRY * kept, ROOM_MIN))


@step
def take_out(state, i):
    """Makes the object's entry stale and its bytes free, if it is cached."""
    objects, _, ints, _ = state
    if objects[i].slot != NOT_CACHED:
        objects[i].slot = NOT_CACHED
        ints[FREE] += objects[i].size_bytes
