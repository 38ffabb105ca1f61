"""The copies worth a look where caches hold few assets, and what each is worth beside those that are stored.

A copy is a pair (asset, cache). Those that are stored are listed, and those that would pay if one that is stored were
given up. What an asset's copies save is told apart entry by entry, so that a move is weighed to the last digit.
"""

from typing import Any, NamedTuple

import numpy as np

from cdn.compilation import kernel, routine
from cdn.model.arrays import csr_indptr
from cdn.placement.decomposition.bits import has_bit
from cdn.placement.decomposition.blocks import IS_PINNED, load_block, unload_block
from cdn.placement.decomposition.copying import with_more_room
from cdn.placement.decomposition.passes import CHUNKS, BlockPasses
from cdn.placement.decomposition.repairing import opened_pairs
from cdn.placement.decomposition.tables import BlockPrices
from cdn.placement.decomposition.valuing import flip, value_caches

LEAST_WORTH = 0.7
"""Copies worth less per byte than this share of their cache's price are not listed."""
MOST_BEHIND = 0.3
"""Nor are those that would lose more than this share of their price where they take another's place."""


class Copies(NamedTuple):
    """Copies P by asset (``of_asset`` (A + 1,)) and, as ``by_site`` (P,), by cache (``of_site`` (S + 1,)): their
    ``asset``, ``site``, ``size_bytes``, ``is_stored``, ``is_pinned``, and ``worth``: what the asset's entries lose
    without a stored one or gain by another, fill costs (``fixed``) taken off. ``saving``: of each entry by each copy of
    its asset, (entries, copies) asset by asset from ``first_saving`` (A,). ``best``, ``second``, ``winner`` (N,): an
    entry's savings and best copy. ``room`` (S,): bytes of storage that are left. ``work`` (1,): copies looked at."""

    of_asset: np.ndarray
    of_site: np.ndarray
    by_site: np.ndarray
    asset: np.ndarray
    site: np.ndarray
    size_bytes: np.ndarray
    is_stored: np.ndarray
    is_pinned: np.ndarray
    fixed: np.ndarray
    worth: np.ndarray
    first_saving: np.ndarray
    saving: np.ndarray
    best: np.ndarray
    second: np.ndarray
    winner: np.ndarray
    room: np.ndarray
    work: np.ndarray


@routine
def _mark_worth(ws, is_open, price, size, given_up, listed):
    """Marks closed caches of a block that pay; ``given_up``: in place of a cache that was just closed, or -1."""
    behind = ws.gain[given_up] - price[ws.site[given_up]] * size if given_up >= 0 else 0.0
    for i in range(ws.numbers[0]):
        own = price[ws.site[i]] * size
        worth = ws.gain[i] - ws.price[i]
        if not is_open[i] and worth > LEAST_WORTH * own and worth > 0:
            listed[i] |= given_up < 0 or ws.gain[i] - own > behind - MOST_BEHIND * own


@kernel
def _list_chunk(tables, prices, price, ws, order, begin, step, opened):
    """Copies of every ``step``-th asset, (n, 4): asset, cache, whether stored, whether pinned; and (n,) fill costs.
    ``prices``: rate prices only."""
    n_sites = len(tables.storage_bytes)
    is_open, listed = np.zeros(n_sites, dtype=np.bool_), np.zeros(n_sites, dtype=np.bool_)
    copies, fixed, n = np.empty((256, 4), dtype=np.int64), np.empty(256), 0
    for q in range(begin, len(order), step):
        asset = order[q]
        n_touched = load_block(tables, prices, asset, ws)
        for i in range(ws.numbers[0]):
            is_open[i] = has_bit(opened[asset], ws.site[i])
            listed[i] = is_open[i]
        value_caches(ws, is_open)
        _mark_worth(ws, is_open, price, tables.size_bytes[asset], -1, listed)
        for i in range(ws.numbers[0]):
            if is_open[i]:
                flip(ws, is_open, i)
                _mark_worth(ws, is_open, price, tables.size_bytes[asset], i, listed)
                flip(ws, is_open, i)
        if n + n_sites > len(copies):
            copies, fixed = with_more_room(copies, fixed, n_sites)
        for i in range(ws.numbers[0]):
            if listed[i]:
                s = ws.site[i]
                copies[n, 0], copies[n, 1], copies[n, 2] = asset, s, is_open[i]
                copies[n, 3], fixed[n] = ws.flags[s] & IS_PINNED != 0, ws.price[i]
                n += 1
        unload_block(tables, asset, ws, n_touched)
    return copies[:n].copy(), fixed[:n].copy()


@kernel
def _fill_savings(tables, rate, copies):
    """Sets what each entry saves by each copy of its asset."""
    place = np.full(len(tables.storage_bytes), -1, dtype=np.int64)
    for a in range(len(copies.of_asset) - 1):
        first, n = copies.of_asset[a], copies.of_asset[a + 1] - copies.of_asset[a]
        for k in range(n):
            place[copies.site[first + k]] = k
        row = copies.first_saving[a]
        for e in range(tables.indptr[a], tables.indptr[a + 1] if n else tables.indptr[a]):
            r = tables.region[e]
            for j in range(tables.first_candidate[r], tables.first_candidate[r + 1] if tables.servable[e] else 0):
                k = place[tables.candidate_site[j]]
                if k >= 0:
                    saving = tables.bytes[e] * tables.candidate_saving[j] - tables.peak_bps[e] * rate[j]
                    copies.saving[row + k] = max(saving, 0.0)
            row += n
        for k in range(n):
            place[copies.site[first + k]] = -1
        weigh_asset(tables, copies, a)


@routine
def weigh_asset(tables, copies, asset):
    """Sets the worth of all copies of an asset, and what its entries save."""
    first, end = copies.of_asset[asset], copies.of_asset[asset + 1]
    copies.work[0] += (end - first) * (1 + tables.indptr[asset + 1] - tables.indptr[asset])
    for p in range(first, end):
        copies.worth[p] = -copies.fixed[p]
    row = copies.first_saving[asset] - first
    for e in range(tables.indptr[asset], tables.indptr[asset + 1] if end > first else tables.indptr[asset]):
        best, second, winner = 0.0, 0.0, -1
        for p in range(first, end):
            if copies.is_stored[p]:
                saving = copies.saving[row + p]
                if saving > best:
                    best, second, winner = saving, best, p
                elif saving > second:
                    second = saving
        copies.best[e], copies.second[e], copies.winner[e] = best, second, winner
        for p in range(first, end):
            if p == winner:
                copies.worth[p] += best - second
            elif not copies.is_stored[p]:
                copies.worth[p] += max(copies.saving[row + p] - best, 0.0)
        row += end - first


@routine
def worth_instead(tables, copies, new, old):
    """What a copy is worth once another of its asset is given up."""
    asset, worth = copies.asset[new], -copies.fixed[new]
    first, end = copies.of_asset[asset], copies.of_asset[asset + 1]
    row = copies.first_saving[asset] - first
    for e in range(tables.indptr[asset], tables.indptr[asset + 1]):
        other = copies.second[e] if copies.winner[e] == old else copies.best[e]
        worth += max(copies.saving[row + new] - other, 0.0)
        row += end - first
    return worth


def count_savings(tables, asset: np.ndarray) -> np.ndarray:
    """(A + 1,) where each asset's savings begin, the last one their number. ``asset``: of each copy."""
    n_assets = len(tables.indptr) - 1
    return np.append(0, np.cumsum(np.diff(tables.indptr) * np.bincount(asset, minlength=n_assets)))


def list_copies(
    passes: BlockPasses, prices: BlockPrices, order: np.ndarray, opened: np.ndarray, most_savings: int
) -> Copies | None:
    """Copies worth a look beside what is ``opened``; None where they have more than ``most_savings`` savings."""
    tables = passes.tables
    n_sites = len(tables.storage_bytes)
    unpriced, price = BlockPrices(np.zeros(n_sites), np.zeros(n_sites), prices.rate), prices.storage

    def work(task: int, ws: Any) -> tuple[np.ndarray, np.ndarray]:
        return _list_chunk(tables, unpriced, price, ws, order, task, CHUNKS, opened)

    parts = passes.run(work)
    found, fixed = (np.concatenate([part[k] for part in parts]) for k in (0, 1))
    in_order = np.lexsort((found[:, 1], found[:, 0]))
    asset, site, stored, pinned = found[in_order].T
    size, first_saving = tables.size_bytes[asset], count_savings(tables, asset)
    if first_saving[-1] > most_savings:
        return None
    site_used, asset_used = opened_pairs(tables, opened)
    used = np.bincount(site_used, weights=tables.size_bytes[asset_used], minlength=n_sites)
    n_entries = len(tables.bytes)
    copies = Copies(
        of_asset=csr_indptr(asset, len(tables.size_bytes)),
        of_site=csr_indptr(np.sort(site), n_sites),
        by_site=np.argsort(site, kind="stable"),
        asset=asset.copy(),
        site=site.copy(),
        size_bytes=size.astype(np.float64),
        is_stored=stored.astype(np.bool_),
        is_pinned=pinned.astype(np.bool_),
        fixed=fixed[in_order],
        worth=np.zeros(len(asset)),
        first_saving=first_saving[:-1],
        saving=np.zeros(first_saving[-1]),
        best=np.zeros(n_entries),
        second=np.zeros(n_entries),
        winner=np.full(n_entries, -1),
        room=tables.storage_bytes - used,
        work=np.zeros(1, dtype=np.int64),
    )
    _fill_savings(tables, prices.rate, copies)
    return copies
