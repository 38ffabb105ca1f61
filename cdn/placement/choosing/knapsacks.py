"""The best packing of one limit at given prices: a 0-1 knapsack, by branch and bound.

Items by worth per byte, the most first; depth first, with the value of the relaxation as the bound (Horowitz and Sahni
1974). Some thirty items take microseconds.
"""

import numpy as np

from cdn.compilation import routine, separate

MOST_BOUNDS = 20_000
"""After so many bounds the relaxation's value stands for the optimum: never less than it."""
ROUNDING = 1e-13


@routine
def _relaxed(ws, n, first, room, value):
    """The most that items from ``first`` on add to a value, the last in part."""
    k = first
    while k < n and ws.weight[k] <= room:
        value += ws.value[k]
        room -= ws.weight[k]
        k += 1
    return value + ws.value[k] * room / ws.weight[k] if k < n else value


@routine
def _fill(ws, n, room):
    """The value of the best of the first ``n`` items that fit, and which those are (``is_best``)."""
    best, value, k, n_bounds = -1.0, 0.0, 0, 0
    most = _relaxed(ws, n, 0, room, 0.0)
    ws.is_in[:n] = False
    while n_bounds < MOST_BOUNDS:
        hopeless = _relaxed(ws, n, k, room, value) <= best * (1 + ROUNDING)
        n_bounds += 1
        while k < n and not hopeless:
            ws.is_in[k] = ws.weight[k] <= room
            if ws.is_in[k]:
                room -= ws.weight[k]
                value += ws.value[k]
            k += 1
            if not ws.is_in[k - 1]:
                hopeless = _relaxed(ws, n, k, room, value) <= best * (1 + ROUNDING)
                n_bounds += 1
        if k == n and value > best:
            best = value
            ws.is_best[:n] = ws.is_in[:n]
        last = k - 1
        while last >= 0 and not ws.is_in[last]:
            last -= 1
        if last < 0:
            return best
        ws.is_in[last] = False
        room += ws.weight[last]
        value -= ws.value[last]
        k = last + 1
    return most


@separate
def pack(tables, ws, state, limit, packed, forced_item, is_forced_in):
    """The value of the best packing of a limit at the prices; ``packed`` (L,) says which items are in it.

    Items of pairs in or out stay so, and ``forced_item`` (-1: none) as given. -inf where those in do not fit.
    """
    start, end = tables.of_limit[limit], tables.of_limit[limit + 1]
    room, value, n, n_others = tables.limit_bytes[limit], 0.0, 0, 0
    for k in range(start, end):
        i = ws.order[k]
        decided = state[tables.item_pair[i]]
        if i == forced_item:
            decided = 1 if is_forced_in else -1
        packed[i] = decided == 1
        if decided == 1:
            room -= tables.item_bytes[i]
            value += ws.price[i]
    if room < 0:
        return -np.inf
    for k in range(start, end):
        i = ws.order[k]
        if packed[i] or i == forced_item or state[tables.item_pair[i]] != 0 or ws.price[i] <= 0:
            ws.order[start + n_others] = i  # never ahead of k
            n_others += 1
            continue
        density = ws.price[i] / tables.item_bytes[i]
        place = n
        while place > 0 and ws.density[place - 1] < density:
            ws.density[place], ws.item[place] = ws.density[place - 1], ws.item[place - 1]
            place -= 1
        ws.density[place], ws.item[place] = density, i
        n += 1
    ws.order[start + n_others : end] = ws.item[:n]
    n_fitting = 0
    for k in range(n):
        i = ws.item[k]
        if tables.item_bytes[i] <= room:
            ws.item[n_fitting] = i
            ws.value[n_fitting], ws.weight[n_fitting] = ws.price[i], tables.item_bytes[i]
            n_fitting += 1
    if n_fitting == 0:
        return value
    value += _fill(ws, n_fitting, room)
    for k in range(n_fitting):
        packed[ws.item[k]] = ws.is_best[k]
    return value
