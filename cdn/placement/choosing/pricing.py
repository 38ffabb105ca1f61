"""Prices of items, one for each pair and limit: what they bound, and steps that lower it.

What any choice saves is at most the best set of each asset less the prices of its pairs, and the best packing of each
limit with those prices as its worth: Lagrangian decomposition (Guignard and Kim 1987). At the best prices that is as
good as choosing among whole packings, which a price per byte is not. Steps are subgradients whose direction keeps most
of the one before (Camerini, Fratta and Maffioli 1975), as long as Polyak (1969) has them for a known target.
"""

import numpy as np

from cdn.compilation import kernel, routine
from cdn.placement.choosing.knapsacks import pack
from cdn.placement.choosing.tables import ALIVE

FIRST_LENGTH, LEAST_LENGTH = 0.1, 1e-3
KEPT_DIRECTION = 0.9
MEMORY = 0.05
"""The share of the last look in ``level``."""
PAYING = 1e-3
"""Steps that lower the bound by less than this share of the way to the target do not count."""


@routine
def weigh_sets(tables, ws, ruled_out):
    """What each set is worth at the prices, and the best of each asset; False where an asset has none left."""
    ws.pair_price[:] = 0.0
    for i in range(len(ws.price)):
        ws.pair_price[tables.item_pair[i]] += ws.price[i]
    for a in range(len(tables.of_asset) - 1):
        best = -1
        for m in range(tables.of_asset[a], tables.of_asset[a + 1]):
            if ruled_out[m] != ALIVE:
                continue
            worth = tables.saving[m]
            for k in range(tables.of_set[m], tables.of_set[m + 1]):
                worth -= ws.pair_price[tables.pair[k]]
            ws.worth[m] = worth
            if best < 0 or worth > ws.worth[best]:
                best = m
        if best < 0:
            return False
        ws.best_set[a] = best
    return True


@routine
def bound_at_prices(tables, ws, decisions):
    """No choice that keeps what is decided saves more; -inf where there is none. Notes what each part does."""
    if not weigh_sets(tables, ws, decisions.ruled_out):
        return -np.inf
    bound = 0.0
    ws.is_used[:] = False
    for a in range(len(tables.of_asset) - 1):
        best = ws.best_set[a]
        bound += ws.worth[best]
        for k in range(tables.of_set[best], tables.of_set[best + 1]):
            ws.is_used[tables.pair[k]] = True
    for limit in range(len(tables.limit_bytes)):
        ws.packed[limit] = pack(tables, ws, decisions.state, limit, ws.is_packed, -1, False)
        bound += ws.packed[limit]
    return bound


@routine
def _turn(tables, ws, kept):
    """Turns the direction towards what sets use and packings lack; its length squared."""
    length = 0.0
    for i in range(len(ws.price)):
        wanted = (1.0 if ws.is_used[tables.item_pair[i]] else 0.0) - (1.0 if ws.is_packed[i] else 0.0)
        ws.step[i] = kept * ws.step[i] + (1 - kept) * wanted
        if ws.price[i] <= 0 and ws.step[i] < 0:
            ws.step[i] = 0.0
        length += ws.step[i] ** 2
    return length


@kernel
def improve_prices(tables, ws, decisions, target, n_steps, patience, length):
    """Takes up to so many steps from ``ws.price``, and leaves the best prices there. Returns the bound they prove, and
    the length of steps now; ends at the target, or where steps are short and do not pay any more."""
    least, idle = np.inf, 0
    ws.best_price[:] = ws.price
    for n in range(n_steps):
        bound = bound_at_prices(tables, ws, decisions)
        idle = 0 if bound < least - PAYING * (least - target) or n == 0 else idle + 1
        if bound < least:
            least = bound
            ws.best_price[:] = ws.price
        if bound <= target:
            break
        if idle > patience:
            length, idle = length / 2, 0
            ws.price[:] = ws.best_price
            if length < LEAST_LENGTH:
                break
        squared = _turn(tables, ws, KEPT_DIRECTION if n > 0 else 0.0)
        if squared < 1e-30:
            break
        for p in range(len(ws.level)):
            ws.level[p] += MEMORY * ((1.0 if ws.is_used[p] else 0.0) - ws.level[p])
        step = length * (bound - target) / squared
        for i in range(len(ws.price)):
            ws.price[i] = max(0.0, ws.price[i] + step * ws.step[i])
    ws.price[:] = ws.best_price
    return least, length
