"""Repair: from blocks that together fit the limits up to a little, a placement that fits, and no room left unused.

Pairs are dropped where a cache is too full, least worth per byte first, and added where there is room, most worth per
byte first; a pair's worth (what its entries would lose without it) is looked up again when its turn comes, since others
have come and gone (lazy evaluation, Minoux 1978).
"""

import heapq
from typing import Any

import numpy as np

from cdn.compilation import kernel, routine, separate
from cdn.placement.decomposition.bits import clear_bit, has_bit, set_bit
from cdn.placement.decomposition.blocks import IS_PINNED, load_block, unload_block
from cdn.placement.decomposition.copying import with_more_room
from cdn.placement.decomposition.local_search import add_use
from cdn.placement.decomposition.passes import CHUNKS, BlockPasses
from cdn.placement.decomposition.tables import BlockPrices, BlockTables
from cdn.placement.decomposition.valuing import value_caches

WORTH_WINDOW, LEAST_IMPROVEMENT = 0.6, 1e-7
"""Closed pairs worth less per byte than this share of their cache's price are not looked at."""


@separate
def _worth_now(tables, rate, row, asset, site):
    """What the entries of an asset save more if the cache stores it than without it, all others staying."""
    worth = 0.0
    e, end = tables.indptr[asset], tables.indptr[asset + 1]
    for k in range(tables.first_served[site], tables.first_served[site + 1]):
        r = tables.served_region[k]
        e += np.searchsorted(tables.region[e:end], r)
        if e == end:
            break
        if tables.region[e] != r or not tables.servable[e]:
            continue
        j = tables.served_candidate[k]
        own, other = tables.bytes[e] * tables.candidate_saving[j] - tables.peak_bps[e] * rate[j], 0.0
        for j in range(tables.first_candidate[r], tables.first_candidate[r + 1]):
            s = tables.candidate_site[j]
            if s != site and has_bit(row, s):
                other = max(other, tables.bytes[e] * tables.candidate_saving[j] - tables.peak_bps[e] * rate[j])
        worth += max(own - other, 0.0)
    return worth


@kernel
def _list_chunk(tables, prices, floor_price, ws, order, begin, step, opened, use):
    """Pairs worth looking at of every ``step``-th asset: open ones, and closed ones that would save enough per byte.

    ``prices``: rate prices only. Adds to ``use`` (3, S) storage, fill, and in (2, 0) what all saves, fill costs off.
    """
    n_sites = len(tables.storage_bytes)
    is_open = np.zeros(n_sites, dtype=np.bool_)
    pairs, worths, n = np.empty((256, 2), dtype=np.int32), np.empty(256), 0
    for q in range(begin, len(order), step):
        asset = order[q]
        size = tables.size_bytes[asset]
        n_touched = load_block(tables, prices, asset, ws)
        row = opened[asset]
        for i in range(ws.numbers[0]):
            is_open[i] = has_bit(row, ws.site[i])
        use[2, 0] += value_caches(ws, is_open)
        add_use(tables, ws, asset, is_open, 1.0, use)
        for i in range(ws.numbers[0]):
            s = ws.site[i]
            worth = (ws.loss[i] if is_open[i] else ws.gain[i]) - ws.price[i]
            if is_open[i]:
                if ws.flags[s] & IS_PINNED:
                    continue
            elif worth <= floor_price[s] * size or worth <= 0:
                continue
            if n == len(pairs):
                pairs, worths = with_more_room(pairs, worths, 0)
            pairs[n, 0], pairs[n, 1] = asset, s if is_open[i] else -1 - s
            worths[n] = worth
            n += 1
        unload_block(tables, asset, ws, n_touched)
    return pairs[:n].copy(), worths[:n].copy()


@routine
def _is_new(tables, asset, site):
    for k in range(tables.stored_indptr[asset], tables.stored_indptr[asset + 1]):
        if tables.stored_site[k] == site:
            return False
    return True


@kernel
def _drop(tables, rate, opened, pairs, worths, excess, fill_excess):
    """Drops open pairs, least worth per byte first, until no cache is over its limits by ``excess`` (S,) bytes, nor by
    ``fill_excess`` (S,) newly filled; both are changed. Returns what that costs."""
    heap = [(0.0, 0)]
    heap.pop()
    for k in range(len(worths)):
        s = pairs[k, 1]
        if s >= 0 and (excess[s] > 0 or fill_excess[s] > 0):
            heap.append((worths[k] / tables.size_bytes[pairs[k, 0]], k))
    heapq.heapify(heap)
    lost = 0.0
    while len(heap) > 0:
        stale, k = heapq.heappop(heap)
        asset, s = pairs[k, 0], pairs[k, 1]
        new = _is_new(tables, asset, s)
        if excess[s] <= 0 and not (new and fill_excess[s] > 0):
            continue
        size = tables.size_bytes[asset]
        worth = _worth_now(tables, rate, opened[asset], asset, s) - (tables.fill_cost[s] * size if new else 0.0)
        if len(heap) > 0 and worth / size > heap[0][0] and worth / size > stale * (1 + 1e-12) + 1e-300:
            heapq.heappush(heap, (worth / size, k))
            continue
        clear_bit(opened[asset], s)
        lost += worth
        excess[s] -= size
        if new:
            fill_excess[s] -= size
    return lost


@kernel
def _add(tables, rate, opened, pairs, worths, room, fill_room):
    """Adds pairs that are not open, most worth per byte first, while ``room`` (S,) and, for what is not stored now,
    ``fill_room`` (S,) allow; both are changed. Returns what that saves."""
    heap = [(0.0, 0)]
    heap.pop()
    for k in range(len(worths)):
        s = pairs[k, 1] if pairs[k, 1] >= 0 else -1 - pairs[k, 1]
        asset = pairs[k, 0]
        if not has_bit(opened[asset], s) and tables.size_bytes[asset] <= room[s]:
            heap.append((-worths[k] / tables.size_bytes[asset], k))
    heapq.heapify(heap)
    saved = 0.0
    while len(heap) > 0:
        stale, k = heapq.heappop(heap)
        asset, s = pairs[k, 0], pairs[k, 1] if pairs[k, 1] >= 0 else -1 - pairs[k, 1]
        size = tables.size_bytes[asset]
        if size > room[s]:
            continue
        new = _is_new(tables, asset, s)
        if new and size > fill_room[s]:
            continue
        worth = _worth_now(tables, rate, opened[asset], asset, s) - (tables.fill_cost[s] * size if new else 0.0)
        if worth <= 0:
            continue
        if len(heap) > 0 and -worth / size > heap[0][0] and -worth / size > stale * (1 - 1e-12):
            heapq.heappush(heap, (-worth / size, k))
            continue
        set_bit(opened[asset], s)
        saved += worth
        room[s] -= size
        if new:
            fill_room[s] -= size
    return saved


class Repair:
    """Drops and adds pairs of what is ``opened`` (A, ..), a bit for each cache, in place. ``saving``: what it saves
    against the origin, fill costs and rate prices taken off."""

    def __init__(self, passes: BlockPasses, prices: BlockPrices, order: np.ndarray, opened: np.ndarray) -> None:
        self.passes, self.rate, self.opened = passes, prices.rate, opened
        self._floor_price = WORTH_WINDOW * (prices.storage + prices.fill)
        self._pairs, self._worths, use = self._list(order)
        self._listed = opened.copy()
        self.saving, self._use = float(use[2, 0]), use[:2, : len(passes.tables.storage_bytes)]
        self._limits = np.array([passes.tables.storage_bytes, passes.tables.fill_bytes])

    def fit(self, freed: float = 0.0) -> None:
        """Makes it fit the limits and uses the room that is left. ``freed``: the share of what every cache stores that
        is first taken away, least worth per byte first, for whatever is worth most then."""
        over = self._use - self._limits
        over[0] += freed * np.minimum(self._limits[0], self._use[0])
        before = over.copy()
        self.saving -= _drop(self.passes.tables, self.rate, self.opened, self._pairs, self._worths, *over)
        self._use -= np.where(before == over, 0.0, before - np.where(before == over, 0.0, over))
        self._relist()
        room = np.where(np.isfinite(self._limits), self._limits - self._use, np.inf)
        self.saving += _add(self.passes.tables, self.rate, self.opened, self._pairs, self._worths, *room)
        self._use = np.where(np.isfinite(self._limits), self._limits - np.where(np.isfinite(room), room, 0), self._use)
        self._relist()

    def improve(self, freed: float) -> bool:
        """``fit`` where that saves more, else nothing; did it?"""
        opened, saving, use = self.opened.copy(), self.saving, self._use.copy()
        self.fit(freed)
        if self.saving > saving + LEAST_IMPROVEMENT * abs(saving):
            return True
        self.opened[:], self.saving, self._use = opened, saving, use
        self._relist()
        return False

    def _relist(self) -> None:
        """Lists the pairs of assets again that have changed."""
        changed = (self.opened != self._listed).any(axis=1)
        pairs, worths, _ = self._list(np.flatnonzero(changed))
        kept = ~changed[self._pairs[:, 0]]
        self._pairs = np.concatenate([self._pairs[kept], pairs])
        self._worths = np.concatenate([self._worths[kept], worths])
        self._listed[changed] = self.opened[changed]

    def _list(self, assets: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        tables = self.passes.tables
        n_sites = len(tables.storage_bytes)
        prices = BlockPrices(np.zeros(n_sites), np.zeros(n_sites), self.rate)

        def work(task: int, ws: Any):
            use = np.zeros((3, max(n_sites, 1)))
            return *_list_chunk(tables, prices, self._floor_price, ws, assets, task, CHUNKS, self.opened, use), use

        parts = self.passes.run(work)
        pairs, worths = (np.concatenate([part[k] for part in parts]) for k in (0, 1))
        return pairs, worths, sum(part[2] for part in parts)


def opened_pairs(tables: BlockTables, opened: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Caches and assets of the open pairs, by asset."""
    n_sites = len(tables.storage_bytes)
    parts = []
    for start in range(0, len(opened), 1 << 14):
        bits = np.unpackbits(opened[start : start + (1 << 14)].view(np.uint8), axis=1, count=n_sites, bitorder="little")
        asset, site = np.nonzero(bits)
        parts.append((site.astype(np.int32), asset + start))
    empty = (np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.int64))
    site, asset = (np.concatenate(part) for part in zip(empty, *parts, strict=True))
    return site, asset
