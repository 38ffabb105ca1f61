"""One asset at given prices: an uncapacitated facility-location problem over the caches that may serve its regions.

    max  sum_e max over stored s of saving[e,s]  -  sum over stored s of price[s],      saving >= 0 (the origin)

This module sets the block up in a workspace; ``local_search`` solves it, ``proofs`` bounds it.
"""

from dataclasses import dataclass

import numpy as np

from cdn.array_records import ArrayRecord
from cdn.compilation import inlined, kernel, routine, separate

UNDECIDED, OPEN, CLOSED = 0, 1, 2
IS_STORED, IS_PINNED, IS_EXCLUDED = 1, 2, 4


@dataclass(frozen=True, eq=False)
class Workspace(ArrayRecord):
    """Room for one block, used again for the next: S caches, E entries and T (entry, cache) pairs at most.

    ``upper``, ``local``, ``flags``, ``touched`` are by cache of the problem; ``site``, ``price``, ``forced``,
    ``state``, ``gain``, ``loss``, ``margin`` (what flipping it costs, others following) by cache of the block;
    ``entry``, ``first``, ``best``, ``second``, ``winner`` by its entries; ``cache``, ``saving`` by its pairs,
    entry-major, most saving first; ``turn_first``, ``turn_entry``, ``turn_saving``: the entries of each cache.
    ``numbers``: caches and entries of the block.
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
    turn_saving: np.ndarray
    numbers: np.ndarray


@kernel
def block_sizes(tables):
    """Caches of the problem, and the most entries and (entry, cache) pairs of a block."""
    most_entries, most_pairs = 1, 1
    for asset in range(len(tables.indptr) - 1):
        pairs = 0
        for e in range(tables.indptr[asset], tables.indptr[asset + 1]):
            r = tables.region[e]
            pairs += tables.first_candidate[r + 1] - tables.first_candidate[r]
        most_entries = max(most_entries, tables.indptr[asset + 1] - tables.indptr[asset])
        most_pairs = max(most_pairs, pairs)
    return len(tables.storage_bytes), most_entries, most_pairs


def new_workspace(n_sites, most_entries, most_pairs):
    """Room for any block of these ``block_sizes``."""
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
        np.zeros(most_pairs),
        np.zeros(2, dtype=np.int64),
    )


@routine
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


@routine
def may_store(tables, asset, s, flags):
    """The cache could store the asset were it empty (``Problem.storable``)."""
    if flags & IS_PINNED:
        return True
    size = tables.size_bytes[asset]
    fits = size <= tables.storage_bytes[s] and (flags & IS_STORED or size <= tables.fill_bytes[s])
    return fits and not flags & IS_EXCLUDED


@inlined
def pair_price(tables, prices, asset, s, flags):
    """What storing the asset at the cache costs at these prices."""
    per_byte = prices.storage[s]
    if not flags & IS_STORED:
        per_byte += prices.fill[s] + tables.fill_cost[s]
    return tables.size_bytes[asset] * per_byte


@separate
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


@inlined
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
                    _put_in_order(ws, start, n_pairs, i, saving)
                    n_pairs += 1
        if n_pairs > start:
            ws.entry[n_entries], ws.first[n_entries] = e, start
            n_entries += 1
    ws.first[n_entries] = n_pairs
    ws.numbers[1] = n_entries
    list_entries_of_caches(ws)


@inlined
def _put_in_order(ws, start, end, i, saving):
    """Adds a pair to an entry's that are in order; without prices of rates it is the last."""
    p = end
    while p > start and ws.saving[p - 1] < saving:
        ws.cache[p], ws.saving[p] = ws.cache[p - 1], ws.saving[p - 1]
        p -= 1
    ws.cache[p], ws.saving[p] = i, saving


@separate
def list_entries_of_caches(ws):
    """Sets ``turn_first``, ``turn_entry`` and ``turn_saving`` of a workspace whose pairs are listed."""
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
            ws.turn_entry[ws.turn_first[i]], ws.turn_saving[ws.turn_first[i]] = k, ws.saving[p]
    for i in range(n):
        ws.turn_first[i] = ws.turn_first[i + 1]
    ws.turn_first[n] = ws.first[n_entries]


@separate
def unload_block(tables, asset, ws, n_touched):
    """Clears what ``load_block`` marked."""
    for k in range(n_touched):
        s = ws.touched[k]
        ws.upper[s] = 0.0
        ws.local[s] = -1
    flag_pairs(tables, asset, ws, False)
