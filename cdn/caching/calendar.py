"""The next requests of what is cached, by position: a bit for each of the positions that lie ahead, and words of words.

A heap moves some ten cells for each eviction, each of which waits for the last. Here a use sets one bit, and the latest
set bit is found in three words: a word of 64 positions, one of 64 words, and one of 64 of those (a tree of van Emde
Boas, FOCS 1975, cut to what one instruction can search). The positions are a ring of ``WINDOW``, from ``BASE`` on.

All is in the words of one array, ``cells``, so that it grows with the objects: a heap's ``cdn.caching.laterheap`` first,
then the ids of the ring, two to a word, then the three levels of bits.
"""

import numpy as np

from cdn.caching.bits import highest_bit
from cdn.compilation import step

N_WORDS, HEAP_WORDS, WINDOW, BASE, LEVEL_0, LEVEL_1, LEVEL_2 = range(3, 10)
SCALARS = 7
NOWHERE = -1
ONE, ALL = np.int64(1), np.int64(-1)
HALF = np.int64(0xFFFFFFFF)


@step
def has_entry(cells, ints, at):
    return (cells[ints[LEVEL_0] + (at >> 6)] >> (at & 63)) & 1 != 0


@step
def enter(cells, ints, at, i):
    """Notes an object at a place of the ring that is vacant."""
    word = ints[HEAP_WORDS] + (at >> 1)
    shift = (at & 1) << 5
    cells[word] = (cells[word] & ~(HALF << shift)) | (np.int64(i) << shift)
    cells[ints[LEVEL_0] + (at >> 6)] |= ONE << (at & 63)
    cells[ints[LEVEL_1] + (at >> 12)] |= ONE << ((at >> 6) & 63)
    cells[ints[LEVEL_2] + (at >> 18)] |= ONE << ((at >> 12) & 63)


@step
def strike(cells, ints, at):
    """Makes a place of the ring vacant."""
    word = ints[LEVEL_0] + (at >> 6)
    cells[word] &= ~(ONE << (at & 63))
    if cells[word] == 0:
        word = ints[LEVEL_1] + (at >> 12)
        cells[word] &= ~(ONE << ((at >> 6) & 63))
        if cells[word] == 0:
            cells[ints[LEVEL_2] + (at >> 18)] &= ~(ONE << ((at >> 12) & 63))


@step
def object_at(cells, ints, at):
    return (cells[ints[HEAP_WORDS] + (at >> 1)] >> ((at & 1) << 5)) & HALF


@step
def latest_up_to(cells, ints, at):
    """The last place up to ``at`` that is taken; ``NOWHERE`` if none is."""
    word = at >> 6
    found = cells[ints[LEVEL_0] + word] & ~((ALL << 1) << (at & 63))
    if found != 0:
        return (word << 6) | highest_bit(found)
    group = word >> 6
    found = cells[ints[LEVEL_1] + group] & ~(ALL << (word & 63))
    if found == 0:
        block = group >> 6
        found = cells[ints[LEVEL_2] + block] & ~(ALL << (group & 63))
        while found == 0:
            block -= 1
            if block < 0:
                return np.int64(NOWHERE)
            found = cells[ints[LEVEL_2] + block]
        group = (block << 6) | highest_bit(found)
        found = cells[ints[LEVEL_1] + group]
    word = (group << 6) | highest_bit(found)
    return (word << 6) | highest_bit(cells[ints[LEVEL_0] + word])


@step
def latest_before(cells, ints, position):
    """The taken place that is found first on the way back round the ring from a position; ``NOWHERE`` if it is empty.

    From ``BASE`` it is the latest of all."""
    last = ints[WINDOW] - 1
    at = latest_up_to(cells, ints, (position - 1) & last)
    return at if at != NOWHERE else latest_up_to(cells, ints, last)


@step
def position_of(ints, at):
    """The position of the stream that a place of the ring stands for."""
    return ints[BASE] + ((at - ints[BASE]) & (ints[WINDOW] - 1))


@step
def lay_out(cells, ints):
    """An empty ring, in as much of the array as the heap of all objects leaves."""
    n_words = len(cells)
    ints[N_WORDS] = n_words
    ints[HEAP_WORDS] = n_words - n_words // 2
    window = 64
    while 2 * window // 2 + 2 * window // 32 + 8 <= n_words // 2:
        window *= 2
    ints[WINDOW] = window
    ints[LEVEL_0] = ints[HEAP_WORDS] + window // 2
    ints[LEVEL_1] = ints[LEVEL_0] + window // 64
    ints[LEVEL_2] = ints[LEVEL_1] + window // 4096 + 1
    for word in range(ints[LEVEL_0], n_words):
        cells[word] = 0
