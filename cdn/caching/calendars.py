"""Objects by the position of their next request: a bit for each position ahead, and words of words above them.

A heap moves some ten cells for each eviction, and each waits for the last. Here a use sets one bit, and the latest set
bit is found in three words: of 64 positions, of 64 words, and of 64 of those (as a tree of van Emde Boas, FOCS 1975,
cut to what one instruction can search). The positions are a ring of ``WINDOW``, from ``BASE`` on; ``BASE`` is a
multiple of ``GROUP``, so that no group of words is both at the ring's beginning and at its end.

``cells`` holds, as words of 64 bits, a heap (``cdn.caching.latest_heap``) in its first half, and in its second the
objects' ids by place, two to a word, and the three levels of bits.
"""

import numpy as np

from cdn.caching.highest_bit import highest_bit
from cdn.caching.prefetching import prefetch
from cdn.compilation import step

N_WORDS, FIRST_ID, WINDOW, BASE, LATEST, LEVEL_0, LEVEL_1, LEVEL_2 = range(3, 11)
SCALARS = 8
GROUP = 4096
NOWHERE = -1
BIT, ALL = np.int64(1), np.int64(-1)


@step
def word_at(cells, ints, level, number):
    """A word of a level. An unsigned index is not asked whether it counts from the end."""
    return cells[np.uint64(ints[level] + number)]


@step
def set_word(cells, ints, level, number, word):
    cells[np.uint64(ints[level] + number)] = word


@step
def object_at(cells, ints, position):
    return np.int64(cells.view(np.int32)[np.uint64(ints[FIRST_ID] + (position & (ints[WINDOW] - 1)))])


@step
def ask_for(cells, ints, position):
    """For the memory that ``enter`` will write to."""
    at = position & (ints[WINDOW] - 1)
    prefetch(cells, (ints[FIRST_ID] + at) >> 1)
    prefetch(cells, ints[LEVEL_0] + (at >> 6))


@step
def enter(cells, ints, position, i):
    """Notes an object; False where the position is not in the window, or another has its place."""
    if not 0 <= position - ints[BASE] < ints[WINDOW]:
        return False
    at = position & (ints[WINDOW] - 1)
    word = word_at(cells, ints, LEVEL_0, at >> 6)
    bit = BIT << (at & 63)
    if word & bit:
        return False
    set_word(cells, ints, LEVEL_0, at >> 6, word | bit)
    set_word(cells, ints, LEVEL_1, at >> 12, word_at(cells, ints, LEVEL_1, at >> 12) | BIT << ((at >> 6) & 63))
    set_word(cells, ints, LEVEL_2, at >> 18, word_at(cells, ints, LEVEL_2, at >> 18) | BIT << ((at >> 12) & 63))
    cells.view(np.int32)[np.uint64(ints[FIRST_ID] + at)] = i
    ints[LATEST] = max(ints[LATEST], position)
    return True


@step
def strike(cells, ints, position):
    """Takes out the object of a position."""
    if position == ints[LATEST]:
        strike_latest(cells, ints)
        return
    at = position & (ints[WINDOW] - 1)
    word = word_at(cells, ints, LEVEL_0, at >> 6) & ~(BIT << (at & 63))
    set_word(cells, ints, LEVEL_0, at >> 6, word)
    if word == 0:
        word = word_at(cells, ints, LEVEL_1, at >> 12) & ~(BIT << ((at >> 6) & 63))
        set_word(cells, ints, LEVEL_1, at >> 12, word)
        if word == 0:
            strike_group(cells, ints, at >> 12)


@step
def strike_group(cells, ints, group):
    word = word_at(cells, ints, LEVEL_2, group >> 6) & ~(BIT << (group & 63))
    set_word(cells, ints, LEVEL_2, group >> 6, word)


@step
def strike_latest(cells, ints):
    """Takes out the object of the latest position, and finds the one before.

    Whether the word has another bit is a coin's toss, so nothing branches on it."""
    at = ints[LATEST] & (ints[WINDOW] - 1)
    word = word_at(cells, ints, LEVEL_0, at >> 6) & ~(BIT << (at & 63))
    set_word(cells, ints, LEVEL_0, at >> 6, word)
    group = at >> 12
    words = word_at(cells, ints, LEVEL_1, group) & ~(np.int64(word == 0) << ((at >> 6) & 63))
    set_word(cells, ints, LEVEL_1, group, words)
    if words == 0:
        strike_group(cells, ints, group)
        ints[LATEST] = latest_before(cells, ints, ints[LATEST])
    else:
        ints[LATEST] = position_of(ints, last_in(cells, ints, group, words))


@step
def last_in(cells, ints, group, words):
    """The last place taken in those words of a group of which a bit is set."""
    number = (group << 6) | highest_bit(words)
    return (number << 6) | highest_bit(word_at(cells, ints, LEVEL_0, number))


@step
def position_of(ints, at):
    return ints[BASE] + ((at - ints[BASE]) & (ints[WINDOW] - 1))


@step
def latest_before(cells, ints, position):
    """The position found first on the way back round the ring; from ``BASE`` the latest. ``NOWHERE`` if none is."""
    last = ints[WINDOW] - 1
    at = place_up_to(cells, ints, (position - 1) & last)
    if at == NOWHERE:
        at = place_up_to(cells, ints, last)
    return position_of(ints, at) if at != NOWHERE else np.int64(NOWHERE)


@step
def place_up_to(cells, ints, at):
    """The last place up to ``at`` that is taken; ``NOWHERE`` if none is."""
    number, group = at >> 6, at >> 12
    word = word_at(cells, ints, LEVEL_0, number) & ~((ALL << 1) << (at & 63))
    if word != 0:
        return (number << 6) | highest_bit(word)
    words = word_at(cells, ints, LEVEL_1, group) & ~(ALL << (number & 63))
    if words == 0:
        block = group >> 6
        groups = word_at(cells, ints, LEVEL_2, block) & ~(ALL << (group & 63))
        while groups == 0 and block > 0:
            block -= 1
            groups = word_at(cells, ints, LEVEL_2, block)
        if groups == 0:
            return np.int64(NOWHERE)
        group = (block << 6) | highest_bit(groups)
        words = word_at(cells, ints, LEVEL_1, group)
    return last_in(cells, ints, group, words)


@step
def lay_out(cells, ints):
    """An empty ring, the largest that the second half has room for. It begins where the last one did, or a little
    before: at a multiple of the group, which may be larger now."""
    first, room = len(cells) // 2, len(cells) - len(cells) // 2
    window = 32
    while n_words(2 * window) <= room:
        window *= 2
    ints[N_WORDS], ints[FIRST_ID], ints[WINDOW], ints[LATEST] = len(cells), 2 * first, window, NOWHERE
    ints[BASE] &= ~(min(window, GROUP) - 1)
    ints[LEVEL_0] = first + words_of(window, 2)
    ints[LEVEL_1] = ints[LEVEL_0] + words_of(window, 64)
    ints[LEVEL_2] = ints[LEVEL_1] + words_of(window, GROUP)
    for word in range(ints[LEVEL_0], len(cells)):
        cells[word] = 0


@step
def words_of(window, per_word):
    return (window + per_word - 1) // per_word


@step
def n_words(window):
    return words_of(window, 2) + words_of(window, 64) + words_of(window, GROUP) + words_of(window, 64 * GROUP)
