"""Moves of copies where caches hold few assets: there the rounding decides, not the prices.

A move adds a copy, or one in place of another copy of its asset, or gives one up. Its cache makes room by giving up
what is worth least per byte, and whatever room is left over is filled again with what is worth most. What it gains is
known exactly, and it is taken if that is more than a threshold drawn at random, next to nothing at the end: simulated
annealing (Kirkpatrick et al. 1983) that begins cold, since prices have brought it near. Moves that cannot pay are
told by what a byte is worth at the margins of the caches, without being tried.
"""

from collections.abc import Callable

import numpy as np

from cdn.compilation import kernel, routine
from cdn.placement.decomposition.copies import Copies, list_copies, weigh_asset, worth_instead
from cdn.placement.decomposition.passes import BlockPasses
from cdn.placement.decomposition.tables import BlockPrices

MOST_SAVINGS = 1 << 25
"""Room for an instance's savings, 8 bytes each."""
MOVES_PER_COPY, MOST_MOVES, MOST_WORK = 400, 12_000_000, 5 << 30
"""When moves end: after so many tried, or so many copies looked at (five nanoseconds each)."""
ROUNDS = 24
HOTTEST, COLDEST = 0.03, 0.003
"""How much a move may lose at first and at last, as a share of what the added copy's bytes are worth."""
SWAPPED = 0.7
"""The share of additions that take the place of another copy."""
MOST_FLIPS = 1 << 14


@routine
def _list_first(copies, p):
    """Keeps the stored copies of a cache before the others."""
    s = copies.site[p]
    if copies.is_stored[p]:
        k = copies.end_stored[s]
        copies.end_stored[s] += 1
    else:
        copies.end_stored[s] -= 1
        k = copies.end_stored[s]
    other = copies.by_site[k]
    copies.by_site[copies.position[p]], copies.by_site[k] = other, p
    copies.position[other], copies.position[p] = copies.position[p], k


@routine
def _flip(tables, copies, p):
    """Stores a copy or gives it up; returns what that gains."""
    gained = -copies.worth[p] if copies.is_stored[p] else copies.worth[p]
    copies.room[copies.site[p]] += copies.size_bytes[p] if copies.is_stored[p] else -copies.size_bytes[p]
    copies.is_stored[p] = not copies.is_stored[p]
    _list_first(copies, p)
    weigh_asset(tables, copies, copies.asset[p])
    return gained


@routine
def _note_margins(copies, s, margins):
    """Sets what a byte is worth at a cache: (0, s) the least that is stored, (1, s) the most that is not."""
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
def _fill_up(tables, copies, s, moved, flips, n):
    """Stores what fits a cache, most worth per byte first, but not the copy ``moved``. Returns the gain, and how many
    flips there are now."""
    gained = 0.0
    while n < len(flips):
        chosen, most = -1, 0.0
        copies.work[0] += copies.of_site[s + 1] - copies.end_stored[s]
        for k in range(copies.end_stored[s], copies.of_site[s + 1]):
            p = copies.by_site[k]
            if copies.size_bytes[p] > copies.room[s] or p == moved:
                continue
            if copies.worth[p] > most * copies.size_bytes[p]:
                chosen, most = p, copies.worth[p] / copies.size_bytes[p]
        if chosen < 0:
            break
        gained += _flip(tables, copies, chosen)
        flips[n] = chosen
        n += 1
    return gained, n


@routine
def _pick_stored(copies, p):
    """A stored copy of the asset of ``p`` that may be given up, each as likely; -1 where there is none."""
    asset, seen, chosen = copies.asset[p], 0, -1
    for q in range(copies.of_asset[asset], copies.of_asset[asset + 1]):
        if copies.is_stored[q] and not copies.is_pinned[q]:
            seen += 1
            if np.random.randint(seen) == 0:
                chosen = q
    return chosen


@routine
def _choose(tables, copies, p, old, threshold, margins, flips):
    """Lists what adding a copy (or giving up a stored one) flips, unless it cannot pay. Returns how many, none where it
    is not to be made, and what they gain if no two of them are of one asset."""
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
    n = _choose_to_give_up(copies, s, need, margins[0, s], flips)
    left = copies.room[s] - size
    for k in range(max(n, 0)):
        gain -= copies.worth[flips[k]]
        left += copies.size_bytes[flips[k]]
    if n < 0:
        return 0, 0.0
    hoped = gain + freed + margins[2, s] * left
    for k in range(n if old >= 0 else 0):
        q = _copy_at(copies, copies.asset[flips[k]], copies.site[old])
        if q >= 0 and not copies.is_stored[q]:
            more = worth_instead(tables, copies, q, flips[k]) - margins[1, copies.site[old]] * copies.size_bytes[q]
            hoped += max(more, 0.0)
    if not hoped >= threshold:
        return 0, 0.0
    flips[n] = p
    n += 1
    if old >= 0:
        flips[n] = old
        n += 1
    return n, gain


@routine
def _expected_fill(copies, s, moved, flips, n):
    """What filling up a cache would gain after the flips, by what copies are worth before them: those of the asset
    that is ``moved``, whose worth changes, left out."""
    room, gained, m = copies.room[s], 0.0, n
    for k in range(n):
        if copies.site[flips[k]] == s:
            room += copies.size_bytes[flips[k]] if copies.is_stored[flips[k]] else -copies.size_bytes[flips[k]]
    while m < len(flips):
        chosen, most = -1, 0.0
        copies.work[0] += copies.of_site[s + 1] - copies.of_site[s]
        copies.work[5] += copies.of_site[s + 1] - copies.of_site[s]
        for k in range(copies.of_site[s], copies.of_site[s + 1]):
            p = copies.by_site[k]
            if copies.size_bytes[p] > room or copies.worth[p] <= most * copies.size_bytes[p] or copies.asset[p] == copies.asset[moved]:
                continue
            if (not copies.is_stored[p] or p in flips[:n]) and p not in flips[n:m]:
                chosen, most = p, copies.worth[p] / copies.size_bytes[p]
        if chosen < 0:
            break
        gained += copies.worth[chosen]
        room -= copies.size_bytes[chosen]
        flips[m] = chosen
        m += 1
    return gained


@routine
def _expected_exchange(tables, copies, p, old, flips, n, kept):
    """The same for the cache that gives up ``old``: what is given up for ``p`` may take its place. ``kept``: room."""
    for k in range(n - 2):
        q = _copy_at(copies, copies.asset[flips[k]], copies.site[old])
        flips[n + k] = q
        if q >= 0:
            kept[k] = copies.worth[q]
            if not copies.is_stored[q]:
                copies.worth[q] = worth_instead(tables, copies, q, flips[k])
    others = flips[n : 2 * n - 2].copy()
    gained = _expected_fill(copies, copies.site[old], p, flips, n)
    for k in range(len(others)):
        if others[k] >= 0:
            copies.worth[others[k]] = kept[k]
    return gained


@routine
def _copy_at(copies, asset, s):
    """The copy of an asset at a cache; -1 where none is listed."""
    for q in range(copies.of_asset[asset], copies.of_asset[asset + 1]):
        if copies.site[q] == s:
            return q
    return -1


@kernel
def _anneal(tables, copies, n_moves, most_work, hottest, coldest, seed):
    """Tries so many moves, or as many as so much work allows; changes ``copies`` in place. Returns what they gain."""
    np.random.seed(seed)
    copies.work[0] = 0
    n_sites = len(copies.of_site) - 1
    margins, flips, total = np.zeros((3, n_sites)), np.empty(MOST_FLIPS, dtype=np.int64), 0.0
    kept = np.empty(MOST_FLIPS)
    for s in range(n_sites):
        _note_margins(copies, s, margins)
    for move in range(n_moves):
        s = np.random.randint(n_sites)
        if copies.of_site[s] == copies.of_site[s + 1]:
            continue
        p = copies.by_site[np.random.randint(copies.of_site[s], copies.of_site[s + 1])]
        done = max(move / n_moves, copies.work[0] / most_work)
        if done >= 1.0:
            break
        heat = hottest * (coldest / hottest) ** done
        threshold = heat * np.log(1.0 - np.random.random()) * margins[1, s] * copies.size_bytes[p]
        old = -1
        if not copies.is_stored[p] and np.random.random() < SWAPPED:
            old = _pick_stored(copies, p)
        copies.work[1] += 1
        n, expected = _choose(tables, copies, p, old, threshold, margins, flips)
        if n == 0:
            continue
        copies.work[2] += 1
        expected += _expected_fill(copies, s, p, flips, n)
        if old >= 0:
            expected += _expected_exchange(tables, copies, p, old, flips, n, kept)
        if expected < threshold:
            continue
        copies.work[3] += 1
        gained = 0.0
        for k in range(n):
            gained += _flip(tables, copies, flips[k])
        more, n = _fill_up(tables, copies, s, p, flips, n)
        gained += more
        if old >= 0:
            more, n = _fill_up(tables, copies, copies.site[old], p, flips, n)
            gained += more
        if gained < threshold:
            for k in range(n - 1, -1, -1):
                _flip(tables, copies, flips[k])
            continue
        total += gained
        copies.work[8] += 1
        _note_margins(copies, s, margins)
        if old >= 0:
            _note_margins(copies, copies.site[old], margins)
    return total


def move_copies(
    passes: BlockPasses,
    prices: BlockPrices,
    order: np.ndarray,
    opened: np.ndarray,
    is_late: Callable[[], bool],
) -> float:
    """Improves what is ``opened`` (A, ..), in place; returns how much more it saves, never less than nothing. Keeps
    storage, pins and exclusions; of fill only the cost is looked at."""
    copies = list_copies(passes, prices, order, opened, MOST_SAVINGS)
    if copies is None or len(copies.asset) == 0:
        return 0.0
    n_moves, work = min(MOVES_PER_COPY * len(copies.asset), MOST_MOVES) // ROUNDS, MOST_WORK // ROUNDS
    heat = np.geomspace(HOTTEST, COLDEST, ROUNDS + 1)
    gained = 0.0
    for turn in range(ROUNDS):
        if is_late():
            break
        gained += _anneal(passes.tables, copies, n_moves, work, heat[turn], heat[turn + 1], turn)
    print("P", len(copies.asset), "stored", copies.is_stored.sum(), "tried,begun,made",*copies.work[1:4], "accepted", copies.work[8], "scan,fill,weigh,flips M", *(copies.work[4:8]/1e6), flush=True)
    if gained <= 0:
        return 0.0
    _write(copies, opened)
    return gained


def _write(copies: Copies, opened: np.ndarray) -> None:
    """Opens what is stored and closes what is not."""
    for word in range(opened.shape[1]):
        here = copies.site >> 6 == word
        bit = np.uint64(1) << (copies.site[here] & 63).astype(np.uint64)
        np.bitwise_and.at(opened[:, word], copies.asset[here], ~bit)
        stored = copies.is_stored[here]
        np.bitwise_or.at(opened[:, word], copies.asset[here][stored], bit[stored])
