"""LFU: the object with the fewest uses since it was inserted goes first; of several the first to have that many.

Uses are forgotten at eviction. Shah, Mitra, Matani, "An O(1) algorithm for implementing the LFU cache eviction scheme"
(2010): every number of uses has a queue of its objects, and the queues are linked in ascending order, so a use moves an
object into the next queue. Where it is alone in its queue and would be in the next, the queue itself is renumbered.
"""

import numpy as np

from cdn.caching.lists import BLANK, NOBODY
from cdn.caching.policy import CAPACITY, FREE, Policy
from cdn.compilation import step

# Cells are queues, number 0 the start of their chain; an object's ``place`` is its queue.
QUEUE = np.dtype(
    [("uses", np.int64), ("newest", np.int32), ("oldest", np.int32), ("higher", np.int32), ("lower", np.int32)]
)
N_QUEUES, VACANT = 2, 3
FIRST = 0


def start(capacity_bytes):
    return [capacity_bytes, capacity_bytes, 1, 0], []


@step
def lookup(state, i, next_use):
    objects, queues, ints, _ = state
    queue = objects[i].place
    if queue == FIRST:
        return False
    uses, higher = queues[queue].uses + 1, queues[queue].higher
    taken = higher != FIRST and queues[higher].uses == uses
    if queues[queue].newest == queues[queue].oldest and not taken:
        queues[queue].uses = uses
        return True
    to = higher if taken else open_queue(queues, ints, queue, uses)
    unlink(objects, queues, ints, i)
    join(objects, queues, to, i)
    return True


@step
def open_queue(queues, ints, lower, uses):
    """A queue for a number of uses, right above another."""
    queue = ints[VACANT]
    if queue == FIRST:
        queue = ints[N_QUEUES]
        ints[N_QUEUES] += 1
    else:
        ints[VACANT] = queues[queue].higher
    higher = queues[lower].higher
    queues[queue].uses = uses
    queues[queue].newest = NOBODY
    queues[queue].oldest = NOBODY
    queues[queue].lower = lower
    queues[queue].higher = higher
    queues[lower].higher = queue
    queues[higher].lower = queue
    return queue


@step
def join(objects, queues, queue, i):
    newest = queues[queue].newest
    objects[i].place = queue
    objects[i].newer = NOBODY
    objects[i].older = newest
    if newest == NOBODY:
        queues[queue].oldest = i
    else:
        objects[newest].newer = i
    queues[queue].newest = i


@step
def unlink(objects, queues, ints, i):
    """Takes an object out of its queue, and the queue out of the chain if it was the last."""
    queue, newer, older = objects[i].place, objects[i].newer, objects[i].older
    objects[i].place = FIRST
    if newer == NOBODY:
        queues[queue].newest = older
    else:
        objects[newer].older = older
    if older == NOBODY:
        queues[queue].oldest = newer
    else:
        objects[older].newer = newer
    if queues[queue].oldest == NOBODY:
        lower, higher = queues[queue].lower, queues[queue].higher
        queues[lower].higher = higher
        queues[higher].lower = lower
        queues[queue].higher = ints[VACANT]
        ints[VACANT] = queue


@step
def insert(state, i, next_use):
    objects, queues, ints, _ = state
    size = objects[i].size_bytes
    if size > ints[CAPACITY]:
        return False
    while ints[FREE] < size:
        remove(state, queues[queues[FIRST].higher].oldest)
    ints[FREE] -= size
    queue = queues[FIRST].higher
    if queue == FIRST or queues[queue].uses != 1:
        queue = open_queue(queues, ints, FIRST, 1)
    join(objects, queues, queue, i)
    return True


@step
def remove(state, i):
    objects, queues, ints, _ = state
    if objects[i].place != FIRST:
        unlink(objects, queues, ints, i)
        ints[FREE] += objects[i].size_bytes


LFU = Policy("lfu", __file__, lookup, insert, remove, BLANK, start, cell=QUEUE, cells_per_object=1)
