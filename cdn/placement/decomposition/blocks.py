"""One asset at given prices: an uncapacitated facility-location problem over the caches that may serve its regions.

    max  sum_e max over stored s of saving[e,s]  -  sum over stored s of price[s],      saving >= 0 (the origin)

The set function is submodular, so two rules decide most caches outright (Cherenin 1962; Khumawala, Management Science
1972): a cache that does not pay with nobody else but what is open *closes*; one that pays even with everybody not
closed open *opens*. What is left is settled by adding, dropping and swapping single caches.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

UNDECIDED, OPEN, CLOSED = 0, 1, 2
IS_STORED, IS_PINNED, IS_EXCLUDED = 1, 2, 4


class Workspace(NamedTuple):
    """Room for one block, used again for the next: S caches, E entries and T (entry, cache) pairs at most.

    ``upper``, ``local``, ``flags``, ``touched`` are by cache of the problem; ``site``, ``price``, ``forced``,
    ``state``, ``gain``, ``loss`` by cache of the block; ``entry``, ``first``, ``best``, ``second``, ``winner`` by its
    entries; ``cache``, ``saving`` by its pairs, entry-major; ``turn_first``, ``turn_entry``: the entries of each
    cache. ``numbers``: caches and entries of the block.
    """

    upper: np.ndarray
    local: np.ndarray
    flags: np.ndarray
    touched: np.ndarray
    site: np.ndarray
    price: np.ndarray
    forced: np.ndarray
    state: np.ndarray
    gain: np.ndarray
    loss: np.ndarray
    margin: np.ndarray
    entry: np.ndarray
    first: np.ndarray
    best: np.ndarray
    second: np.ndarray
    winner: np.ndarray
    cache: np.ndarray
    saving: np.ndarray
    turn_first: np.ndarray
    turn_entry: np.ndarray
    numbers: np.ndarray


@njit(cache=True, nogil=True)
def new_workspace(tables):
    """Room for the largest block of the problem."""
    n_sites = len(tables.storage_bytes)
    most_entries, most_pairs = 1, 1
    for asset in range(len(tables.indptr) - 1):
        pairs = 0
        for e in range(tables.indptr[asset], tables.indptr[asset + 1]):
            r = tables.region[e]
            pairs += tables.first_candidate[r + 1] - tables.first_candidate[r]
        most_entries = max(most_entries, tables.indptr[asset + 1] - tables.indptr[asset])
        most_pairs = max(most_pairs, pairs)
    return Workspace(
        np.zeros(n_sites),
        np.full(n_sites, -1, dtype=np.int32),
        np.zeros(n_sites, dtype=np.uint8),
        np.zeros(n_sites, dtype=np.int32),
        np.zeros(n_sites, dtype=np.int32),
        np.zeros(n_sites),
        np.zeros(n_sites, dtype=np.bool_),
        np.zeros(n_sites, dtype=np.uint8),
        np.zeros(n_sites),
        np.zeros(n_sites),
        np.zeros(n_sites),
        np.zeros(most_entries, dtype=np.int64),
        np.zeros(most_entries + 1, dtype=np.int64),
        np.zeros(most_entries),
        np.zeros(most_entries),
        np.zeros(most_entries, dtype=np.int32),
        np.zeros(most_pairs, dtype=np.int32),
        np.zeros(most_pairs),
        np.zeros(n_sites + 1, dtype=np.int64),
        np.zeros(most_pairs, dtype=np.int32),
        np.zeros(3, dtype=np.int64),
    )


@njit(cache=True, nogil=True)
def flag_pairs(tables, asset, ws, on):
    """Marks (or unmarks) which caches store, must store and must not store the asset."""
    for k in range(tables.stored_indptr[asset], tables.stored_indptr[asset + 1]):
        ws.flags[tables.stored_site[k]] = IS_STORED if on else 0
    for k in range(tables.pinned_indptr[asset], tables.pinned_indptr[asset + 1]):
        s = tables.pinned_site[k]
        ws.flags[s] = ws.flags[s] | IS_PINNED if on else 0
    for k in range(tables.excluded_indptr[asset], tables.excluded_indptr[asset + 1]):
        s = tables.excluded_site[k]
        ws.flags[s] = ws.flags[s] | IS_EXCLUDED if on else 0


@njit(cache=True, nogil=True)
def may_store(tables, asset, s, flags):
    """The cache could store the asset were it empty (``Problem.storable``)."""
    if flags & IS_PINNED:
        return True
    size = tables.size_bytes[asset]
    fits = size <= tables.storage_bytes[s] and (flags & IS_STORED or size <= tables.fill_bytes[s])
    return fits and not flags & IS_EXCLUDED


@njit(cache=True, nogil=True)
def pair_price(tables, prices, asset, s, flags):
    """What storing the asset at the cache costs at these prices."""
    per_byte = prices.storage[s]
    if not flags & IS_STORED:
        per_byte += prices.fill[s] + tables.fill_cost[s]
    return tables.size_bytes[asset] * per_byte


@njit(cache=True, nogil=True)
def load_block(tables, prices, asset, ws):
    """Sets up the block of an asset: its caches that could pay or are pinned, and the entries these may serve.

    Returns how many caches were looked at (in ``ws.touched``, with ``ws.upper``: saving with nobody else); call
    ``unload_block`` with it afterwards.
    """
    n_touched = 0
    for e in range(tables.indptr[asset], tables.indptr[asset + 1]):
        if not tables.servable[e]:
            continue
        r = tables.region[e]
        for j in range(tables.first_candidate[r], tables.first_candidate[r + 1]):
            saving = tables.bytes[e] * tables.candidate_saving[j] - tables.peak_bps[e] * prices.rate[j]
            if saving > 0:
                s = tables.candidate_site[j]
                if ws.upper[s] == 0:
                    ws.touched[n_touched] = s
                    n_touched += 1
                ws.upper[s] += saving
    flag_pairs(tables, asset, ws, True)
    for k in range(tables.pinned_indptr[asset], tables.pinned_indptr[asset + 1]):
        if ws.upper[tables.pinned_site[k]] == 0:
            ws.touched[n_touched] = tables.pinned_site[k]
            n_touched += 1
    n = 0
    for k in range(n_touched):
        s = ws.touched[k]
        price = pair_price(tables, prices, asset, s, ws.flags[s])
        pinned = ws.flags[s] & IS_PINNED != 0
        if pinned or (ws.upper[s] > price and may_store(tables, asset, s, ws.flags[s])):
            ws.local[s] = n
            ws.site[n], ws.price[n], ws.forced[n] = s, price, pinned
            ws.state[n] = OPEN if pinned else UNDECIDED
            n += 1
    ws.numbers[0], ws.numbers[1] = n, 0
    if n:
        _load_entries(tables, prices, asset, ws)
    return n_touched


@njit(cache=True, nogil=True)
def _load_entries(tables, prices, asset, ws):
    n_entries, n_pairs = 0, 0
    for e in range(tables.indptr[asset], tables.indptr[asset + 1]):
        if not tables.servable[e]:
            continue
        start, r = n_pairs, tables.region[e]
        for j in range(tables.first_candidate[r], tables.first_candidate[r + 1]):
            i = ws.local[tables.candidate_site[j]]
            if i >= 0:
                saving = tables.bytes[e] * tables.candidate_saving[j] - tables.peak_bps[e] * prices.rate[j]
                if saving > 0:
                    ws.cache[n_pairs], ws.saving[n_pairs] = i, saving
                    n_pairs += 1
        if n_pairs > start:
            ws.entry[n_entries], ws.first[n_entries] = e, start
            n_entries += 1
    ws.first[n_entries] = n_pairs
    ws.numbers[1] = n_entries
    _turn(ws)


@njit(cache=True, nogil=True)
def _turn(ws):
    """Lists the entries of each cache."""
    n, n_entries = ws.numbers[0], ws.numbers[1]
    ws.turn_first[: n + 1] = 0
    for p in range(ws.first[n_entries]):
        ws.turn_first[ws.cache[p] + 1] += 1
    for i in range(n):
        ws.turn_first[i + 1] += ws.turn_first[i]
    for k in range(n_entries - 1, -1, -1):
        for p in range(ws.first[k], ws.first[k + 1]):
            i = ws.cache[p] + 1
            ws.turn_first[i] -= 1
            ws.turn_entry[ws.turn_first[i]] = k
    for i in range(n):
        ws.turn_first[i] = ws.turn_first[i + 1]
    ws.turn_first[n] = ws.first[n_entries]


@njit(cache=True, nogil=True)
def unload_block(tables, asset, ws, n_touched):
    """Clears what ``load_block`` marked."""
    for k in range(n_touched):
        s = ws.touched[k]
        ws.upper[s] = 0.0
        ws.local[s] = -1
    flag_pairs(tables, asset, ws, False)


@njit(cache=True, nogil=True)
def decide_by_rules(ws):
    """Opens and closes what the two rules decide; returns how many caches stay undecided."""
    n, n_entries = ws.numbers[0], ws.numbers[1]
    while True:
        undecided = 0
        for i in range(n):
            ws.gain[i], ws.loss[i] = 0.0, 0.0
            undecided += ws.state[i] == UNDECIDED
        if undecided == 0:
            return 0
        for k in range(n_entries):
            base, best, second, winner = 0.0, 0.0, 0.0, -1
            for p in range(ws.first[k], ws.first[k + 1]):
                i, saving = ws.cache[p], ws.saving[p]
                if ws.state[i] == CLOSED:
                    continue
                if ws.state[i] == OPEN and saving > base:
                    base = saving
                if saving > best:
                    second, best, winner = best, saving, i
                elif saving > second:
                    second = saving
            if winner >= 0:
                ws.loss[winner] += best - second
            for p in range(ws.first[k], ws.first[k + 1]):
                if ws.saving[p] > base and ws.state[ws.cache[p]] == UNDECIDED:
                    ws.gain[ws.cache[p]] += ws.saving[p] - base
        changed = False
        for i in range(n):
            if ws.state[i] == UNDECIDED:
                if ws.gain[i] <= ws.price[i]:
                    ws.state[i], changed = CLOSED, True
                elif ws.loss[i] >= ws.price[i]:
                    ws.state[i], changed = OPEN, True
        if not changed:
            return undecided


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
def _count_entry(ws, k, sign):
    """Adds an entry to (or takes it from) what opening would gain and closing would lose."""
    if ws.winner[k] >= 0:
        ws.loss[ws.winner[k]] += sign * (ws.best[k] - ws.second[k])
    for p in range(ws.first[k], ws.first[k + 1]):
        if ws.saving[p] > ws.best[k]:
            ws.gain[ws.cache[p]] += sign * (ws.saving[p] - ws.best[k])


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
def flip(ws, is_open, i):
    """Opens or closes a cache and keeps all of ``value_caches`` up to date; returns what the block's saving gains."""
    is_open[i] = not is_open[i]
    more = -ws.price[i] if is_open[i] else ws.price[i]
    for q in range(ws.turn_first[i], ws.turn_first[i + 1]):
        k = ws.turn_entry[q]
        before = ws.best[k]
        _count_entry(ws, k, -1.0)
        _rank_entry(ws, is_open, k)
        _count_entry(ws, k, 1.0)
        more += ws.best[k] - before
    return more


@njit(cache=True, nogil=True)
def descend(ws, is_open, fixed, tiny, flips, n_flips):
    """Adds and drops single caches that are not ``fixed``, best first, until none pays. Notes the flips; returns what
    the saving gained and how many flips are noted."""
    more = 0.0
    while True:
        best, move = tiny, -1
        for i in range(ws.numbers[0]):
            if not fixed[i]:
                gain = ws.price[i] - ws.loss[i] if is_open[i] else ws.gain[i] - ws.price[i]
                if gain > best:
                    best, move = gain, i
        if move < 0 or n_flips >= len(flips):
            return more, n_flips
        more += flip(ws, is_open, move)
        flips[n_flips] = move
        n_flips += 1


@njit(cache=True, nogil=True)
def improve(ws, is_open, fixed, flips, rounds):
    """Local search from ``is_open``: adds and drops; then each cache in turn is flipped and held while the others
    follow, and flipped back if that does not pay: swaps, and a mid for several edges or the other way round.

    Up to ``rounds`` rounds over the caches. Returns the block's saving; all of ``value_caches`` fits.
    """
    total = value_caches(ws, is_open)
    scale = 1.0
    for k in range(ws.numbers[1]):
        scale += ws.best[k]
    tiny = 1e-13 * scale
    more, n_flips = descend(ws, is_open, fixed, tiny, flips, 0)
    total += more
    n, still, i = ws.numbers[0], 0, 0
    for _ in range(rounds * n):
        if still >= n:
            break
        if not fixed[i]:
            fixed[i] = True
            flips[0] = i
            more = flip(ws, is_open, i)
            follow, n_flips = descend(ws, is_open, fixed, tiny, flips, 1)
            fixed[i] = False
            ws.margin[i] = -(more + follow)
            if more + follow > tiny:
                total += more + follow
                still = 0
            else:
                for q in range(n_flips - 1, -1, -1):
                    flip(ws, is_open, flips[q])
        still += 1
        i = i + 1 if i + 1 < n else 0
    return total


@njit(cache=True, nogil=True)
def _single_margins(ws, is_open, which):
    """``margin`` of the caches in ``which``: what flipping one alone would cost."""
    for i in range(ws.numbers[0]):
        if which[i]:
            ws.margin[i] = ws.loss[i] - ws.price[i] if is_open[i] else ws.price[i] - ws.gain[i]


@njit(cache=True, nogil=True)
def solve_block(ws, is_open, fixed, flips, rounds):
    """Which caches of a loaded block to open: what the rules decide, the rest by local search, starting from
    everything. Returns the block's saving; all of ``value_caches`` fits ``is_open``."""
    n = ws.numbers[0]
    undecided = decide_by_rules(ws)
    for i in range(n):
        is_open[i] = ws.state[i] != CLOSED
        fixed[i] = ws.state[i] != UNDECIDED
    total = value_caches(ws, is_open) if undecided == 0 else improve(ws, is_open, fixed, flips, rounds)
    _single_margins(ws, is_open, fixed)
    return total


@njit(cache=True, nogil=True)
def resolve_block(ws, is_open, fixed, flips, row, rounds):
    """The same from where an earlier pass left off: ``row`` has a bit per cache of the problem."""
    for i in range(ws.numbers[0]):
        s = ws.site[i]
        is_open[i] = ws.forced[i] or (row[s >> 6] >> np.uint64(s & 63)) & np.uint64(1)
        fixed[i] = ws.forced[i]
    return improve(ws, is_open, fixed, flips, rounds)


@njit(cache=True, nogil=True)
def keep_open(ws, is_open, row):
    """Writes the open caches into ``row``, a bit each."""
    row[:] = np.uint64(0)
    for i in range(ws.numbers[0]):
        if is_open[i]:
            s = ws.site[i]
            row[s >> 6] |= np.uint64(1) << np.uint64(s & 63)
