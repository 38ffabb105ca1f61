"""From the best set of each asset at the prices to sets that fit together.

While a limit is exceeded, the set that loses least for what it frees replaces another; then each asset takes the set
that saves most of those that fit.
"""

import numpy as np

from cdn.compilation import routine, separate
from cdn.placement.choosing.tables import ALIVE

TURNS_PER_ASSET = 10
IMPROVING = 1e-9


@routine
def _store(tables, room, m, sign):
    """Takes a set's bytes (sign 1) or gives them back (-1)."""
    for k in range(tables.of_set[m], tables.of_set[m + 1]):
        p = tables.pair[k]
        for j in range(tables.of_pair[p], tables.of_pair[p + 1]):
            i = tables.pair_item[j]
            room[tables.item_limit[i]] -= sign * tables.item_bytes[i]


@routine
def _exceeded(tables, room):
    """By how much all limits are exceeded, as shares of them."""
    total = 0.0
    for limit in range(len(room)):
        total += max(0.0, -room[limit]) / max(tables.limit_bytes[limit], 1.0)
    return total


@routine
def _exceeded_more(tables, room, m):
    """How much more that would be with a set, which has at most one item of each limit."""
    more = 0.0
    for k in range(tables.of_set[m], tables.of_set[m + 1]):
        p = tables.pair[k]
        for j in range(tables.of_pair[p], tables.of_pair[p + 1]):
            i = tables.pair_item[j]
            limit = tables.item_limit[i]
            after = max(0.0, tables.item_bytes[i] - room[limit])
            more += (after - max(0.0, -room[limit])) / max(tables.limit_bytes[limit], 1.0)
    return more


@routine
def _fits(tables, room, m):
    for k in range(tables.of_set[m], tables.of_set[m + 1]):
        p = tables.pair[k]
        for j in range(tables.of_pair[p], tables.of_pair[p + 1]):
            i = tables.pair_item[j]
            if tables.item_bytes[i] > room[tables.item_limit[i]]:
                return False
    return True


@routine
def _free_some(tables, ws, ruled_out, exceeded):
    """Replaces the set that loses least for what it frees; False where none frees anything."""
    least, replaced, by = np.inf, -1, -1
    for a in range(len(tables.of_asset) - 1):
        m = ws.best_set[a]
        _store(tables, ws.room, m, -1.0)
        left = _exceeded(tables, ws.room)
        if left < exceeded:
            for other in range(tables.of_asset[a], tables.of_asset[a + 1]):
                if ruled_out[other] != ALIVE or other == m:
                    continue
                freed = exceeded - left - _exceeded_more(tables, ws.room, other)
                if freed > IMPROVING * exceeded and ws.worth[m] - ws.worth[other] < least * freed:
                    least, replaced, by = (ws.worth[m] - ws.worth[other]) / freed, a, other
        _store(tables, ws.room, m, 1.0)
    if replaced < 0:
        return False
    _store(tables, ws.room, ws.best_set[replaced], -1.0)
    _store(tables, ws.room, by, 1.0)
    ws.best_set[replaced] = by
    return True


@routine
def _save_more(tables, ws, ruled_out):
    """Gives each asset in turn the set that saves most with the room there is, until none changes."""
    changed = True
    while changed:
        changed = False
        for a in range(len(tables.of_asset) - 1):
            best = ws.best_set[a]
            _store(tables, ws.room, best, -1.0)
            for m in range(tables.of_asset[a], tables.of_asset[a + 1]):
                more = tables.saving[m] - tables.saving[best]
                if ruled_out[m] == ALIVE and more > IMPROVING * abs(tables.saving[best]) and _fits(tables, ws.room, m):
                    best = m
            changed |= best != ws.best_set[a]
            ws.best_set[a] = best
            _store(tables, ws.room, best, 1.0)


@separate
def round_sets(tables, ws, ruled_out):
    """Makes ``ws.best_set`` fit, of sets not ruled out; returns what it saves, -inf where that is not found."""
    ws.room[:] = tables.limit_bytes
    for a in range(len(ws.best_set)):
        _store(tables, ws.room, ws.best_set[a], 1.0)
    exceeded = _exceeded(tables, ws.room)
    for _ in range(TURNS_PER_ASSET * len(ws.best_set)):
        if exceeded <= 0 or not _free_some(tables, ws, ruled_out, exceeded):
            break
        exceeded = _exceeded(tables, ws.room)
    if exceeded > 0:
        return -np.inf
    _save_more(tables, ws, ruled_out)
    saving = 0.0
    for a in range(len(ws.best_set)):
        saving += tables.saving[ws.best_set[a]]
    return saving
