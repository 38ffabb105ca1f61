"""A move of a copy, weighed before it is made: what has to go, what that loses, and what fills the room that is left.

Hardly one move in a thousand is made, so a move is looked at by what costs least first: what a byte is worth at the
margins of the caches, then the copies that would go, then those that would fill up. Only assets that a move gives up
or adds change what their copies are worth, so what is expected is nearly always what is gained.
"""

import numpy as np

from cdn.compilation import routine
from cdn.placement.decomposition.copies import worth_instead


@routine
def note_margins(copies, s, margins):
    """Sets what a byte is worth at a cache: (0, s) the least that is stored, (2, s) the most that is not, (1, s) the
    lesser of both."""
    least, most = np.inf, 0.0
    for k in range(copies.of_site[s], copies.of_site[s + 1]):
        p = copies.by_site[k]
        density = copies.worth[p] / copies.size_bytes[p]
        if not copies.is_stored[p]:
            most = max(most, density)
        elif not copies.is_pinned[p]:
            least = min(least, density)
    margins[0, s], margins[1, s], margins[2, s] = least, min(least, most), most


@routine
def _least_worth(copies, s, flips, n):
    """The stored copy of a cache worth least per byte that is not among the flips; -1 where there is none."""
    chosen, least = -1, np.inf
    copies.work[0] += copies.end_stored[s] - copies.of_site[s]
    for k in range(copies.of_site[s], copies.end_stored[s]):
        p = copies.by_site[k]
        if copies.is_pinned[p] or p in flips[:n]:
            continue
        if copies.worth[p] < least * copies.size_bytes[p]:
            chosen, least = p, copies.worth[p] / copies.size_bytes[p]
    return chosen


@routine
def _least_large(copies, s, need, margin):
    """The stored copy of a cache that by itself makes enough room for least, what is left over taken off; and that."""
    chosen, least = -1, np.inf
    for k in range(copies.of_site[s], copies.end_stored[s]):
        p = copies.by_site[k]
        if not copies.is_pinned[p] and copies.size_bytes[p] >= need:
            lost = copies.worth[p] - margin * (copies.size_bytes[p] - need)
            if lost < least:
                chosen, least = p, lost
    return chosen, least


@routine
def _choose_to_give_up(copies, s, need, margin, flips):
    """Lists what a cache gives up for room: one copy, or several worth least per byte. Returns how many, -1 where that
    is not enough."""
    n, lost, made = 0, 0.0, 0.0
    while made < need:
        p = _least_worth(copies, s, flips, n)
        if p < 0 or n == len(flips) // 4:
            return -1
        flips[n] = p
        n += 1
        lost += copies.worth[p]
        made += copies.size_bytes[p]
    if n > 0:
        p, least = _least_large(copies, s, need, margin)
        if p >= 0 and least < lost - margin * (made - need):
            flips[0] = p
            return 1
    return n


@routine
def choose_move(tables, copies, p, old, threshold, margins, flips):
    """Lists what adding a copy in place of another, ``old`` (or of none: -1), or giving up a stored one flips, unless
    that can gain no more than ``threshold``. Returns how many, and what the flips gain by themselves."""
    s, size = copies.site[p], copies.size_bytes[p]
    if copies.is_stored[p]:
        flips[0] = p
        return 0 if copies.is_pinned[p] or copies.worth[p] > margins[1, s] * size else 1, -copies.worth[p]
    need, gain, freed = max(size - copies.room[s], 0.0), copies.worth[p], 0.0
    if old >= 0:
        gain = worth_instead(tables, copies, p, old) - copies.worth[old]
        freed = margins[1, copies.site[old]] * size
    if not gain + freed - (margins[0, s] * need if need > 0 else 0.0) >= threshold:
        return 0, 0.0
    n, left = _choose_to_give_up(copies, s, need, margins[0, s], flips), copies.room[s] - size
    for k in range(n):
        gain -= copies.worth[flips[k]]
        left += copies.size_bytes[flips[k]]
    if n < 0 or not gain + freed + _hoped(tables, copies, s, left, old, margins, flips[:n]) >= threshold:
        return 0, 0.0
    flips[n], flips[n + 1] = p, old
    return n + 1 + (old >= 0), gain


@routine
def _hoped(tables, copies, s, left, old, margins, given_up):
    """What filling the ``left`` bytes of a cache gains at most, and what is given up in the place of ``old``."""
    hoped = margins[2, s] * left
    for k in range(len(given_up) if old >= 0 else 0):
        q = _copy_at(copies, copies.asset[given_up[k]], copies.site[old])
        if q >= 0 and not copies.is_stored[q]:
            worth = worth_instead(tables, copies, q, given_up[k])
            hoped += max(worth - margins[1, copies.site[old]] * copies.size_bytes[q], 0.0)
    return hoped


@routine
def _copy_at(copies, asset, s):
    """The copy of an asset at a cache; -1 where none is listed."""
    for q in range(copies.of_asset[asset], copies.of_asset[asset + 1]):
        if copies.site[q] == s:
            return q
    return -1


@routine
def expected_fill(copies, s, moved, flips, n):
    """What filling up a cache would gain after the first ``n`` flips, by what copies are worth before them. Those of
    the asset that is ``moved``, whose worth changes, are left out. Overwrites the flips from ``n`` on."""
    room, gained, m = copies.room[s], 0.0, n
    for k in range(n):
        if copies.site[flips[k]] == s:
            room += copies.size_bytes[flips[k]] if copies.is_stored[flips[k]] else -copies.size_bytes[flips[k]]
    while m < len(flips):
        chosen, most = -1, 0.0
        copies.work[0] += copies.of_site[s + 1] - copies.of_site[s]
        for k in range(copies.of_site[s], copies.of_site[s + 1]):
            p = copies.by_site[k]
            if copies.size_bytes[p] > room or copies.worth[p] <= most * copies.size_bytes[p]:
                continue
            is_free = not copies.is_stored[p] or p in flips[:n]
            if is_free and copies.asset[p] != copies.asset[moved] and p not in flips[n:m]:
                chosen, most = p, copies.worth[p] / copies.size_bytes[p]
        if chosen < 0:
            break
        gained += copies.worth[chosen]
        room -= copies.size_bytes[chosen]
        flips[m] = chosen
        m += 1
    return gained


@routine
def expected_exchange(tables, copies, p, old, flips, n):
    """The same for the cache that gives up ``old``: what is given up for ``p`` may take its place. ``flips``: those,
    then ``p`` and ``old``."""
    others, worth = np.full(n, -1), np.zeros(n)
    for k in range(n - 2):
        q = _copy_at(copies, copies.asset[flips[k]], copies.site[old])
        if q >= 0 and not copies.is_stored[q]:
            others[k], worth[k] = q, copies.worth[q]
            copies.worth[q] = worth_instead(tables, copies, q, flips[k])
    gained = expected_fill(copies, copies.site[old], p, flips, n)
    for k in range(n - 2):
        if others[k] >= 0:
            copies.worth[others[k]] = worth[k]
    return gained
