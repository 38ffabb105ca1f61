"""The copies worth a look where caches hold few assets, and what each is worth beside those that are stored.

A copy is a pair (asset, cache). Those that are stored are listed, and those that would pay if one that is stored were
given up. What an asset's copies save is told apart entry by entry, so that a move is weighed to the last digit.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from cdn.array_records import ArrayRecord
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


@dataclass(frozen=True, eq=False)
class Copies(ArrayRecord):
    """Copies P by asset (``of_asset`` (A + 1,)) and, as ``by_site`` (P,), by cache (``of_site`` (S + 1,)), where each
    has its ``position`` (P,), those that are stored first, up to ``end_stored`` (S,): their ``asset``, ``site``,
    ``size_bytes``, ``is_stored``, ``is_pinned``, and ``worth``: what the asset's entries lose without a stored one or
    gain by another, fill costs (``fixed``) taken off. ``saving``: of each entry by each copy of its asset, copy by copy
    from ``first_saving`` (P,). ``best``, ``second``, ``winner`` (N,): an entry's savings and best copy. ``room`` (S,):
    bytes of storage that are left. ``work`` (1,): copies looked at."""

    of_asset: np.ndarray
    of_site: np.ndarray
    by_site: np.ndarray
    position: np.ndarray
    end_stored: np.ndarray
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
    first_copy = np.full(len(tables.storage_bytes), -1, dtype=np.int64)
    for a in range(len(copies.of_asset) - 1):
        first, end = copies.of_asset[a], copies.of_asset[a + 1]
        for p in range(first, end):
            first_copy[copies.site[p]] = copies.first_saving[p]
        for e in range(tables.indptr[a], tables.indptr[a + 1] if end > first else tables.indptr[a]):
            r = tables.region[e]
            for j in range(tables.first_candidate[r], tables.first_candidate[r + 1] if tables.servable[e] else 0):
                at = first_copy[tables.candidate_site[j]]
                if at >= 0:
                    saving = tables.bytes[e] * tables.candidate_saving[j] - tables.peak_bps[e] * rate[j]
                    copies.saving[at + e - tables.indptr[a]] = max(saving, 0.0)
        for p in range(first, end):
            first_copy[copies.site[p]] = -1
        weigh_asset(tables, copies, a)


@routine
def weigh_asset(tables, copies, asset):
    """Sets the worth of all copies of an asset, and what its entries save."""
    first, end = copies.of_asset[asset], copies.of_asset[asset + 1]
    first_entry, n_entries = tables.indptr[asset], tables.indptr[asset + 1] - tables.indptr[asset]
    copies.work[0] += (end - first) * (1 + n_entries)
    best, second = copies.best[first_entry:][:n_entries], copies.second[first_entry:][:n_entries]
    winner = copies.winner[first_entry:][:n_entries]
    best[:], second[:], winner[:] = 0.0, 0.0, -1
    for p in range(first, end):
        saving = copies.saving[copies.first_saving[p] :][:n_entries]
        for e in range(n_entries if copies.is_stored[p] else 0):
            if saving[e] > best[e]:
                best[e], second[e], winner[e] = saving[e], best[e], p
            elif saving[e] > second[e]:
                second[e] = saving[e]
    for p in range(first, end):
        saving, worth = copies.saving[copies.first_saving[p] :][:n_entries], 0.0
        for e in range(n_entries):
            if copies.is_stored[p]:
                worth += best[e] - second[e] if winner[e] == p else 0.0
            else:
                worth += max(saving[e] - best[e], 0.0)
        copies.worth[p] = worth - copies.fixed[p]


@routine
def worth_instead(tables, copies, new, old):
    """What a copy is worth once another of its asset is given up."""
    asset, worth = copies.asset[new], -copies.fixed[new]
    first_entry, n_entries = tables.indptr[asset], tables.indptr[asset + 1] - tables.indptr[asset]
    saving = copies.saving[copies.first_saving[new] :][:n_entries]
    best, second = copies.best[first_entry:][:n_entries], copies.second[first_entry:][:n_entries]
    winner = copies.winner[first_entry:][:n_entries]
    for e in range(n_entries):
        other = second[e] if winner[e] == old else best[e]
        worth += max(saving[e] - other, 0.0)
    return worth


def count_savings(tables, asset: np.ndarray) -> np.ndarray:
    """(P + 1,) where each copy's savings begin, the last one their number. ``asset``: of each copy."""
    return np.append(0, np.cumsum(np.diff(tables.indptr)[asset]))


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
    of_site, by_site = csr_indptr(np.sort(site), n_sites), np.lexsort((-stored, site))
    copies = Copies(
        of_asset=csr_indptr(asset, len(tables.size_bytes)),
        of_site=of_site,
        by_site=by_site,
        position=np.argsort(by_site),
        end_stored=of_site[:-1] + np.bincount(site[stored > 0], minlength=n_sites),
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
