"""Several queues in one array, each in a stretch of its own, and an object in one of them at most.

As in ``cdn.caching.queues``, where there is one: a use appends one number, and every entry but the one at an object's
``slot`` is stale. A linked list writes to four neighbours for a move from one queue to another, which lie anywhere in
memory; here a move writes the object's row and one number. A stretch without room behind its end is compacted; one that
its valid entries half fill makes all stretches be laid out anew.

A state's third scalar is the number of queues; then each queue has four: where it starts and ends, where its stretch
ends, and its bytes. The array needs at least twice as many cells as there are objects.
"""

import numpy as np

from cdn.caching.policy import NOT_CACHED, SPARE_CELLS
from cdn.caching.prefetching import prefetch
from cdn.compilation import step

N_QUEUES, FIRST_QUEUE = 2, 3
START, END, LIMIT, BYTES = range(4)
SCALARS = 4
NOBODY = NOWHERE = NOT_CACHED
OBJECT = np.dtype([("size_bytes", np.int64), ("slot", np.int32), ("queue", np.int32)])
BLANK = np.array((0, NOT_CACHED, NOWHERE), OBJECT)
CELLS_PER_OBJECT = 2
ROOM_PER_ENTRY, ROOM_MIN = 16, 65536
AHEAD = 8


def empty_queues(n_queues: int) -> list[int]:
    """Their scalars; limits of 0 make the first entry lay out the stretches."""
    return [n_queues, *[0] * SCALARS * n_queues]


@step
def scalar_of(queue, scalar):
    return FIRST_QUEUE + SCALARS * queue + scalar


@step
def bytes_in(ints, queue):
    return ints[scalar_of(queue, BYTES)]


@step
def append(state, queue, i):
    """Makes an object the newest of a queue, whose bytes it adds to."""
    objects, cells, ints, _ = state
    if ints[scalar_of(queue, END)] >= ints[scalar_of(queue, LIMIT)]:
        make_room(state, queue)
    end = ints[scalar_of(queue, END)]
    cells[end] = i
    objects[i].slot = end
    objects[i].queue = queue
    ints[scalar_of(queue, END)] = end + 1
    ints[scalar_of(queue, BYTES)] += objects[i].size_bytes


@step
def leave(state, i):
    """Takes the object out of the queue that it is in."""
    objects, _, ints, _ = state
    ints[scalar_of(objects[i].queue, BYTES)] -= objects[i].size_bytes
    objects[i].slot = NOT_CACHED
    objects[i].queue = NOWHERE


@step
def move(state, queue, i):
    """Makes an object of some queue the newest of one."""
    objects, _, ints, _ = state
    ints[scalar_of(objects[i].queue, BYTES)] -= objects[i].size_bytes
    append(state, queue, i)


@step
def oldest_of(state, queue):
    """The queue's oldest object; NOBODY where it has none."""
    objects, cells, ints, _ = state
    at, end = ints[scalar_of(queue, START)], ints[scalar_of(queue, END)]
    while at < end and objects[cells[at]].slot != at:
        at += 1
        prefetch(objects, cells[at + AHEAD])
    ints[scalar_of(queue, START)] = at
    return np.int64(cells[at]) if at < end else NOBODY


@step
def make_room(state, queue):
    ints = state[2]
    begin = ints[scalar_of(queue - 1, LIMIT)] if queue > 0 else 0
    slide(state, queue, begin)
    end, limit = ints[scalar_of(queue, END)], ints[scalar_of(queue, LIMIT)]
    if limit - end <= end - begin:
        lay_out(state)


@step
def slide(state, queue, to):
    """Moves the valid entries to the front of a stretch that begins at ``to``, not behind the queue's start."""
    objects, cells, ints, _ = state
    begin = to
    for at in range(ints[scalar_of(queue, START)], ints[scalar_of(queue, END)]):
        prefetch(objects, cells[at + AHEAD])
        i = cells[at]
        if objects[i].slot == at:
            cells[to] = i
            objects[i].slot = to
            to += 1
    ints[scalar_of(queue, START)], ints[scalar_of(queue, END)] = begin, to


@step
def lay_out(state):
    """All entries to the front, then each queue, the last first, back to where its new stretch begins."""
    _, cells, ints, _ = state
    n_queues, n = ints[N_QUEUES], 0
    for queue in range(n_queues):
        slide(state, queue, n)
        n = ints[scalar_of(queue, END)]
    spare = len(cells) - SPARE_CELLS // 2 - n
    is_ample = ROOM_PER_ENTRY * n + ROOM_MIN * n_queues <= spare
    limit = n + (ROOM_PER_ENTRY * n + ROOM_MIN * n_queues if is_ample else spare // n_queues * n_queues)
    for queue in range(n_queues - 1, -1, -1):
        kept = ints[scalar_of(queue, END)] - ints[scalar_of(queue, START)]
        room = ROOM_PER_ENTRY * kept + ROOM_MIN if is_ample else spare // n_queues
        ints[scalar_of(queue, LIMIT)] = limit
        limit -= kept + room
        put_back(state, queue, limit)


@step
def put_back(state, queue, begin):
    objects, cells, ints, _ = state
    start = ints[scalar_of(queue, START)]
    kept = ints[scalar_of(queue, END)] - start
    for k in range(kept - 1, -1, -1):
        i = cells[start + k]
        cells[begin + k] = i
        objects[i].slot = begin + k
    ints[scalar_of(queue, START)], ints[scalar_of(queue, END)] = begin, begin + kept
