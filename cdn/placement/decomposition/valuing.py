"""What the caches of a block are worth beside those that are open, kept up to date while caches open and close."""

from cdn.compilation import routine, separate


@routine
def _rank_entry(ws, is_open, k):
    """Sets the best and second saving of an entry among the open caches, and the best one's cache (-1: the origin)."""
    best, second, winner = 0.0, 0.0, -1
    for p in range(ws.first[k], ws.first[k + 1]):
        if is_open[ws.cache[p]]:
            saving = ws.saving[p]
            if saving > best:
                second, best, winner = best, saving, ws.cache[p]
            elif saving > second:
                second = saving
    ws.best[k], ws.second[k], ws.winner[k] = best, second, winner


@routine
def _count_entry(ws, k, sign):
    """Adds an entry to (or takes it from) what opening would gain and closing would lose."""
    if ws.winner[k] >= 0:
        ws.loss[ws.winner[k]] += sign * (ws.best[k] - ws.second[k])
    for p in range(ws.first[k], ws.first[k + 1]):
        if ws.saving[p] > ws.best[k]:
            ws.gain[ws.cache[p]] += sign * (ws.saving[p] - ws.best[k])


@separate
def value_caches(ws, is_open):
    """Sets each entry's best and second saving among the open caches, ``gain`` of opening each closed cache and
    ``loss`` of closing each open one, prices left out. Returns the block's saving, prices taken off."""
    total = 0.0
    for i in range(ws.numbers[0]):
        ws.gain[i], ws.loss[i] = 0.0, 0.0
        if is_open[i]:
            total -= ws.price[i]
    for k in range(ws.numbers[1]):
        _rank_entry(ws, is_open, k)
        _count_entry(ws, k, 1.0)
        total += ws.best[k]
    return total


@routine
def flip(ws, is_open, i):
    """Opens or closes a cache and keeps all of ``value_caches`` up to date; returns what the block's saving gains."""
    is_open[i] = not is_open[i]
    more = -ws.price[i] if is_open[i] else ws.price[i]
    for q in range(ws.turn_first[i], ws.turn_first[i + 1]):
        k = ws.turn_entry[q]
        if ws.turn_saving[q] < ws.second[k]:
            continue  # neither the best nor the second: nothing changes
        before = ws.best[k]
        _count_entry(ws, k, -1.0)
        _rank_entry(ws, is_open, k)
        _count_entry(ws, k, 1.0)
        more += ws.best[k] - before
    return more
