"""Sets of caches that are nearly best for an asset at given prices: what a better choice of all assets is made of.

From the best set a local search finds, caches are added, dropped and swapped one move at a time, best set first, and
every set that comes near the best is kept.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as sp

from cdn.compilation import inlined, kernel, routine
from cdn.placement.decomposition.bits import has_bit
from cdn.placement.decomposition.blocks import load_block, unload_block
from cdn.placement.decomposition.copying import copy_first, with_more_room
from cdn.placement.decomposition.local_search import keep_open
from cdn.placement.decomposition.passes import CHUNKS, BlockPasses
from cdn.placement.decomposition.swapping import NOTHING, least_cost, swap, weigh_extra
from cdn.placement.decomposition.tables import BlockPrices
from cdn.placement.decomposition.valuing import value_caches

LOWERED = 0.9
"""Caches are looked at that would pay at this share of their price."""
BEHIND = 0.08
"""Sets are kept that lose no more than this share of what the asset's bytes cost on average."""
MOST_OF_ASSET, MOST_EXPANDED, MOST_SETS = 80, 12, 200_000
FIRST_KICKS, MORE_KICKS = 100, 12
"""For a first list far more than price steps take: a set that is overlooked is missing in every program."""


@dataclass(frozen=True, eq=False)
class NearSets:
    """M sets of caches, asset by asset, none of them empty: ``asset`` (M,), ``row`` (M, ..) a bit for each cache,
    ``site`` (M, S) the same as 1 where the set has the cache, ``saving`` (M,) against the origin, fill costs taken
    off. ``best``: what the best set of every asset saves at the prices, added up."""

    asset: np.ndarray
    row: np.ndarray
    site: sp.csr_array
    saving: np.ndarray
    best: float

    def open_best(self, size_bytes: np.ndarray, price: np.ndarray, opened: np.ndarray) -> None:
        """Opens (A, ..) of each asset that has a set the one that is best at these prices of storage (S,)."""
        worth = self.saving - size_bytes[self.asset] * (self.site @ price)
        order = np.lexsort((worth, self.asset))
        best = order[np.flatnonzero(np.diff(self.asset[order], append=-1))]
        opened[self.asset[best]] = self.row[best]

    def joined(self, other: "NearSets | None") -> "NearSets":
        """These, and those of the other that are not among them."""
        if other is None:
            return self
        asset, row = np.concatenate([self.asset, other.asset]), np.concatenate([self.row, other.row])
        named = np.column_stack([asset.astype(np.uint64), row])
        first = np.unique(named, axis=0, return_index=True)[1]
        site = sp.csr_array(sp.vstack([self.site, other.site]))[first]
        return NearSets(asset[first], row[first], site, np.append(self.saving, other.saving)[first], self.best)


@inlined
def _load_open(ws, row, is_open, fixed):
    for i in range(ws.numbers[0]):
        fixed[i] = ws.forced[i]
        is_open[i] = ws.forced[i] or has_bit(row, ws.site[i])


@routine
def _add_set(row, value, rows, values, first, n):
    """Adds a set unless it is listed from ``first`` on; returns how many there are."""
    for k in range(first, n):
        same = True
        for w in range(len(row)):
            same = same and rows[k, w] == row[w]
        if same:
            return n
    for w in range(len(row)):
        rows[n, w] = row[w]
    values[n] = value
    return n + 1


@routine
def _add_neighbours(ws, is_open, value, least, place, extra, row, rows, values, first, n):
    """Adds the sets that one flip or swap makes of ``is_open``, worth ``value``, where they are worth ``least``.
    Returns how many sets there are."""
    value_caches(ws, is_open)
    weigh_extra(ws, is_open, place, extra)
    for i in range(NOTHING, ws.numbers[0]):
        if i >= 0 and is_open[i]:
            continue
        for j in range(NOTHING, ws.numbers[0]):
            if j >= 0 and (not is_open[j] or ws.forced[j]):
                continue
            found = value
            if i >= 0:
                found += ws.gain[i] - ws.price[i]
            if j >= 0:
                found += ws.price[j] - ws.loss[j]
                if i >= 0:
                    found += extra[i, place[j]]
            if found < least or (i < 0 and j < 0) or n == first + MOST_OF_ASSET:
                continue
            if i >= 0:
                is_open[i] = True
            if j >= 0:
                is_open[j] = False
            keep_open(ws, is_open, row)
            n = _add_set(row, found, rows, values, first, n)
            if i >= 0:
                is_open[i] = False
            if j >= 0:
                is_open[j] = True
    return n


@routine
def _kick_and_add(ws, is_open, fixed, kicks, behind, trial, tried, row, rows, values, first, n):
    """``swapping.swap_and_kick`` that adds what it comes by: a kick's end is near the best more often than not. Returns
    the best value, and how many sets there are. ``trial``, ``tried``: room."""
    m = ws.numbers[0]
    total, taken = swap(ws, is_open, fixed), 0
    tiny = 1e-12 * (abs(total) + ws.price[:m].sum())  # where a set just pays its price, its value is all rounding
    keep_open(ws, is_open, row)
    n = _add_set(row, total, rows, values, first, n)
    tried[:m] = False
    while taken < kicks:
        chosen = least_cost(ws, is_open, fixed, tried)
        if chosen < 0:
            break
        tried[chosen] = True
        taken += 1
        copy_first(m, is_open, trial)
        trial[chosen] = not trial[chosen]
        fixed[chosen] = True
        held = swap(ws, trial, fixed)
        if held >= total - behind and n < first + MOST_OF_ASSET:
            keep_open(ws, trial, row)
            n = _add_set(row, held, rows, values, first, n)
        fixed[chosen] = False
        found = swap(ws, trial, fixed)
        if found >= total - behind and n < first + MOST_OF_ASSET:
            keep_open(ws, trial, row)
            n = _add_set(row, found, rows, values, first, n)
        if found > total + tiny:
            total, taken = found, 0
            copy_first(m, trial, is_open)
            tried[:m] = False
        value_caches(ws, is_open)
    return total, n


@routine
def _next_to_expand(values, is_expanded, first, n):
    """The best set that is not expanded; -1 where there is none."""
    chosen = -1
    for k in range(first, n):
        if not is_expanded[k - first] and (chosen < 0 or values[k] > values[chosen]):
            chosen = k
    return chosen


@kernel
def _list_chunk(tables, prices, lowered, ws, order, begin, step, opened, behind, kicks):
    """Near-optimal sets of every ``step``-th asset: (M,) assets, rows of bits (M, ..), (M,) values at the prices. Those
    that the local search finds best replace the ones ``opened``. ``behind``: per byte of the asset."""
    n_sites, n_words = len(tables.storage_bytes), opened.shape[1]
    is_open, fixed = np.zeros(n_sites, dtype=np.bool_), np.zeros(n_sites, dtype=np.bool_)
    place, extra = np.zeros(n_sites, dtype=np.int64), np.zeros((n_sites, n_sites))
    is_expanded, row = np.zeros(MOST_OF_ASSET, dtype=np.bool_), np.zeros(n_words, dtype=np.uint64)
    rows, values, n = np.zeros((256, n_words), dtype=np.uint64), np.zeros(256), 0
    trial, tried = np.zeros(n_sites, dtype=np.bool_), np.zeros(n_sites, dtype=np.bool_)
    counts = np.zeros(len(order), dtype=np.int64)
    for q in range(begin, len(order), step):
        asset = order[q]
        n_touched = load_block(tables, lowered, asset, ws)
        if ws.numbers[0]:
            for i in range(ws.numbers[0]):
                ws.price[i] += (prices.storage[ws.site[i]] - lowered.storage[ws.site[i]]) * tables.size_bytes[asset]
            _load_open(ws, opened[asset], is_open, fixed)
            if n + MOST_OF_ASSET > len(values):
                rows, values = with_more_room(rows, values, MOST_OF_ASSET)
            first = n
            best, n = _kick_and_add(
                ws, is_open, fixed, kicks, behind * tables.size_bytes[asset], trial, tried, row, rows, values, first, n
            )
            keep_open(ws, is_open, opened[asset])
            is_expanded[:] = False
            for _ in range(MOST_EXPANDED):
                k = _next_to_expand(values, is_expanded, first, n)
                if k < 0:
                    break
                is_expanded[k - first] = True
                _load_open(ws, rows[k], is_open, fixed)
                least = best - behind * tables.size_bytes[asset]
                n = _add_neighbours(ws, is_open, values[k], least, place, extra, row, rows, values, first, n)
                best = max(best, values[k])
            counts[q] = n - first
        else:
            keep_open(ws, is_open, opened[asset])
        unload_block(tables, asset, ws, n_touched)
    return counts[begin::step], rows[:n].copy(), values[:n].copy()


def list_near_sets(
    passes: BlockPasses, prices: BlockPrices, order: np.ndarray, opened: np.ndarray, kicks: int = FIRST_KICKS
) -> NearSets | None:
    """Sets of caches that are near each asset's best at these prices, found from what is ``opened`` (A, ..) with so
    many ``kicks``; None where there are too many. The best replaces what is opened."""
    size, n_sites = passes.tables.size_bytes, len(passes.tables.storage_bytes)
    lowered = replace(prices, storage=LOWERED * prices.storage)
    behind = BEHIND * float(prices.storage.mean())

    def work(task: int, ws: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return _list_chunk(passes.tables, prices, lowered, ws, order, task, CHUNKS, opened, behind, kicks)

    parts = passes.run(work)
    counts, rows, values = (np.concatenate([part[k] for part in parts]) for k in range(3))
    asset = np.repeat(np.concatenate([order[task::CHUNKS] for task in range(CHUNKS)]), counts)
    if len(values) > MOST_SETS:
        return None
    has = np.unpackbits(rows.view(np.uint8), axis=1, count=n_sites, bitorder="little")
    kept = np.flatnonzero(has.any(axis=1))
    kept = kept[np.argsort(asset[kept], kind="stable")]
    site = sp.csr_array(has[kept].astype(np.float64))
    saving = values[kept] + size[asset[kept]] * (site @ prices.storage)
    best = np.maximum.reduceat(values, (np.cumsum(counts) - counts)[counts > 0]) if len(values) else values
    return NearSets(asset[kept], rows[kept], site, saving, float(best.sum()))
