"""Moves of copies where caches hold few assets: there the rounding decides, not the prices.

A move adds a copy, or one in place of another copy of its asset, or gives one up. Its cache makes room by giving up
what is worth least per byte, and whatever room is left over is filled again with what is worth most. What it gains is
known exactly, and it is taken if that is more than a threshold drawn at random, next to nothing at the end: simulated
annealing (Kirkpatrick et al. 1983) that begins cold, since prices have brought it near. Moves that cannot pay are told
without being made (``moves``).
"""

from collections.abc import Callable

import numpy as np

from cdn.compilation import kernel, routine
from cdn.placement.decomposition.copies import Copies, list_copies, weigh_asset
from cdn.placement.decomposition.moves import choose_move, expected_exchange, expected_fill, note_margins
from cdn.placement.decomposition.passes import BlockPasses
from cdn.placement.decomposition.tables import BlockPrices

MOST_SAVINGS = 1 << 25
"""Room for an instance's savings, 8 bytes each."""
MOVES_PER_COPY, MOST_MOVES, MOST_WORK = 400, 12_000_000, 5 << 30
"""When moves end: after so many tried, or so many copies looked at (a few nanoseconds each)."""
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
def _make(tables, copies, p, old, flips, n):
    """Makes a move: flips what is listed, and fills up. Returns the gain, and how many flips there are now."""
    gained = 0.0
    for k in range(n):
        gained += _flip(tables, copies, flips[k])
    more, n = _fill_up(tables, copies, copies.site[p], p, flips, n)
    gained += more
    if old >= 0:
        more, n = _fill_up(tables, copies, copies.site[old], p, flips, n)
        gained += more
    return gained, n


@kernel
def _anneal(tables, copies, n_moves, most_work, hottest, coldest, seed):
    """Tries so many moves, or as many as so much work allows; changes ``copies`` in place. Returns what they gain."""
    np.random.seed(seed)
    copies.work[0] = 0
    n_sites = len(copies.of_site) - 1
    margins, flips, total = np.zeros((3, n_sites)), np.empty(MOST_FLIPS, dtype=np.int64), 0.0
    for s in range(n_sites):
        note_margins(copies, s, margins)
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
        n, expected = choose_move(tables, copies, p, old, threshold, margins, flips)
        if n == 0:
            continue
        expected += expected_fill(copies, s, p, flips, n)
        if old >= 0:
            expected += expected_exchange(tables, copies, p, old, flips, n)
        if expected < threshold:
            continue
        gained, n = _make(tables, copies, p, old, flips, n)
        if gained < threshold:
            for k in range(n - 1, -1, -1):
                _flip(tables, copies, flips[k])
            continue
        total += gained
        note_margins(copies, s, margins)
        if old >= 0:
            note_margins(copies, copies.site[old], margins)
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
