"""Local search by adding, dropping and swapping caches of a block, for blocks whose entries see many caches.

All swaps are weighed in one pass over the pairs (Whitaker 1983; Resende and Werneck, European Journal of Operational
Research 2007): opening i and closing j gains what each would alone, and *extra* what the entries that j serves would
have lost and find at i instead.
"""

import numpy as np

from cdn.compilation import inlined, routine, separate
from cdn.placement.decomposition.copying import copy_first
from cdn.placement.decomposition.valuing import flip, value_caches

MANY_CHOICES = 10
"""A block whose entries see more caches than this on average is wide."""
NOTHING = -1


@routine
def is_wide(ws):
    """Whether the entries of a loaded block see many caches."""
    return ws.first[ws.numbers[1]] > MANY_CHOICES * ws.numbers[1]


@routine
def weigh_extra(ws, is_open, place, extra):
    """Sets ``extra`` (cache, open cache by its ``place``) from the entries' best and second savings."""
    n_open = 0
    for i in range(ws.numbers[0]):
        extra[i] = 0.0
        if is_open[i]:
            place[i] = n_open
            n_open += 1
    for k in range(ws.numbers[1]):
        if ws.winner[k] < 0:
            continue
        best, second, j = ws.best[k], ws.second[k], place[ws.winner[k]]
        for p in range(ws.first[k], ws.first[k + 1]):
            if ws.saving[p] <= second:
                break
            extra[ws.cache[p], j] += min(ws.saving[p], best) - second


@inlined
def _best_move(ws, is_open, fixed, place, extra, least):
    """The cache to open and the one to close, ``NOTHING`` for either, that gain most, and how much where that is more
    than ``least``."""
    opening, closing, most = NOTHING, NOTHING, least
    for j in range(ws.numbers[0]):
        if not is_open[j] or fixed[j]:
            continue
        own = ws.price[j] - ws.loss[j]
        if own > most:
            opening, closing, most = NOTHING, j, own
        for i in range(ws.numbers[0]):
            if not is_open[i] and not fixed[i]:
                both = own + ws.gain[i] - ws.price[i] + extra[i, place[j]]
                if both > most:
                    opening, closing, most = i, j, both
    for i in range(ws.numbers[0]):
        if not is_open[i] and not fixed[i] and ws.gain[i] - ws.price[i] > most:
            opening, closing, most = i, NOTHING, ws.gain[i] - ws.price[i]
    return opening, closing, most


@separate
def swap(ws, is_open, fixed):
    """Adds, drops and swaps caches that are not ``fixed``, best first, until none pays. Returns the block's saving; all
    of ``value_caches`` fits."""
    n = ws.numbers[0]
    place, extra = np.empty(n, dtype=np.int64), np.empty((n, n))
    total = value_caches(ws, is_open)
    # Where caches just pay their price, all that a move gains is rounding, and moves would not end.
    tiny = 1e-12 * (1.0 + ws.best[: ws.numbers[1]].sum() + ws.price[:n].sum())
    while True:
        weigh_extra(ws, is_open, place, extra)
        opening, closing, more = _best_move(ws, is_open, fixed, place, extra, tiny)
        if more <= tiny:
            return total
        if opening >= 0:
            total += flip(ws, is_open, opening)
        if closing >= 0:
            total += flip(ws, is_open, closing)


@separate
def swap_and_kick(ws, is_open, fixed, kicks):
    """``swap``, then again from where one cache is flipped that costs little to flip, up to so many after the last that
    paid: held at first while others follow. Returns the block's saving; all of ``value_caches`` fits."""
    n = ws.numbers[0]
    total = swap(ws, is_open, fixed)
    trial, tried, taken = np.empty(n, dtype=np.bool_), np.zeros(n, dtype=np.bool_), 0
    while taken < kicks:
        chosen = least_cost(ws, is_open, fixed, tried)
        if chosen < 0:
            break
        tried[chosen] = True
        taken += 1
        copy_first(n, is_open, trial)
        trial[chosen] = not trial[chosen]
        fixed[chosen] = True
        swap(ws, trial, fixed)
        fixed[chosen] = False
        found = swap(ws, trial, fixed)
        if found > total + 1e-12 * abs(total):
            total, taken = found, 0
            copy_first(n, trial, is_open)
            tried[:] = False
        value_caches(ws, is_open)
    return total


@inlined
def least_cost(ws, is_open, fixed, tried):
    """The cache not yet tried that costs least to flip; ``NOTHING`` where all are tried."""
    chosen, least = NOTHING, np.inf
    for i in range(ws.numbers[0]):
        cost = ws.loss[i] - ws.price[i] if is_open[i] else ws.price[i] - ws.gain[i]
        if not fixed[i] and not tried[i] and cost < least:
            chosen, least = i, cost
    return chosen


@separate
def note_margins(ws, is_open):
    """Sets ``margin``: what flipping each cache would cost, alone or in a swap."""
    n = ws.numbers[0]
    place, extra = np.empty(n, dtype=np.int64), np.empty((n, n))
    weigh_extra(ws, is_open, place, extra)
    for i in range(n):
        ws.margin[i] = ws.loss[i] - ws.price[i] if is_open[i] else ws.price[i] - ws.gain[i]
    for j in range(n):
        if is_open[j]:
            own = ws.loss[j] - ws.price[j]
            for i in range(n):
                if not is_open[i]:
                    both = own + ws.price[i] - ws.gain[i] - extra[i, place[j]]
                    ws.margin[j] = min(ws.margin[j], both)
                    ws.margin[i] = min(ws.margin[i], both)
