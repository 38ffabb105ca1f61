"""One pass over the assets at given prices: what the blocks save, what they use, and how use would answer a price.

Assets are dealt to a fixed number of chunks, whatever the number of threads, and the chunks' sums are added in order:
the same bytes come out for any thread count. An asset with weight w stands for w assets like it.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from cdn.array_records import ArrayRecord
from cdn.compilation import inlined, kernel, routine
from cdn.placement.decomposition.blocks import (
    IS_STORED,
    block_sizes,
    load_block,
    may_store,
    new_workspace,
    unload_block,
)
from cdn.placement.decomposition.branch_search import prove_block
from cdn.placement.decomposition.groups import MOST_ENTRIES, group_entries
from cdn.placement.decomposition.local_search import add_use, keep_open, solve_block
from cdn.placement.decomposition.part_room import new_part_room
from cdn.placement.decomposition.parts import settle_parts
from cdn.placement.decomposition.proofs import new_room
from cdn.placement.decomposition.swapping import MANY_CHOICES, is_wide, swap_and_kick
from cdn.placement.decomposition.tables import BlockPrices, BlockTables
from cdn.placement.decomposition.valuing import value_caches

CHUNKS = 16
ROUNDS = 2
FEW_BRANCHES, MOST_BRANCHES, MOST_WIDE_BRANCHES = 48, 400, 1600
SEARCH_KICKS = 16
NEAR = 0.2
"""Prices within this logarithm of a price are near it."""


@dataclass(frozen=True, eq=False)
class Sums(ArrayRecord):
    """What a pass adds up, each by chunk (K, ..) before that: ``saving`` (), ``use`` (2, S) bytes of storage and fill,
    ``near`` (2, S) bytes that come or go at a price ``NEAR`` the cache's, ``flow`` bit/s and ``loose`` (C,), the part
    of the flow that goes elsewhere if the candidate's rate price rises by ``rate_window``."""

    saving: np.ndarray
    use: np.ndarray
    near: np.ndarray
    flow: np.ndarray
    loose: np.ndarray


def _new_sums(tables: BlockTables) -> Sums:
    n_sites, n_candidates = len(tables.storage_bytes), len(tables.candidate_site)
    shapes = (), (2, n_sites), (2, n_sites), (n_candidates,), (n_candidates,)
    return Sums(*(np.zeros((CHUNKS, *shape)) for shape in shapes))


@routine
def _is_near(worth_per_byte, price):
    return price * np.exp(-NEAR) < worth_per_byte < price * np.exp(NEAR)


@inlined
def _note_critical(tables, prices, ws, asset, weight, is_open, n_touched, near, priced_fill):
    """Adds the asset's bytes to ``near`` (2, S) where its critical price is near the cache's."""
    size = tables.size_bytes[asset]
    for k in range(n_touched):
        s = ws.touched[k]
        i = ws.local[s]
        if i >= 0:
            if ws.forced[i]:
                continue
        elif not may_store(tables, asset, s, ws.flags[s]):
            continue
        worth = ws.upper[s]
        if i >= 0:
            worth = ws.price[i] + (ws.margin[i] if is_open[i] else -ws.margin[i])
        is_new = ws.flags[s] & IS_STORED == 0
        other = prices.fill[s] + tables.fill_cost[s] if is_new else 0.0
        if _is_near(worth / size - other, prices.storage[s]):
            near[0, s] += weight * size
        if priced_fill and is_new and _is_near(worth / size - prices.storage[s] - tables.fill_cost[s], prices.fill[s]):
            near[1, s] += weight * size


@inlined
def _add_flow(tables, ws, weight, rate_window, flow, loose):
    for k in range(ws.numbers[1]):
        if ws.winner[k] < 0:
            continue
        e, s = ws.entry[k], ws.site[ws.winner[k]]
        r = tables.region[e]
        for j in range(tables.first_candidate[r], tables.first_candidate[r + 1]):
            if tables.candidate_site[j] == s:
                flow[j] += weight * tables.peak_bps[e]
                if ws.best[k] - ws.second[k] < rate_window[j] * tables.peak_bps[e]:
                    loose[j] += weight * tables.peak_bps[e]


@inlined
def _search(ws, part, room, parts, is_open, fixed, flips, tolerance):
    """Looks for better than ``is_open``: small blocks by branching, others in parts. Returns the value."""
    if is_wide(ws):
        return swap_and_kick(ws, is_open, fixed, SEARCH_KICKS)
    most_credits = FEW_BRANCHES if ws.numbers[1] <= MOST_ENTRIES else 1
    value, bound = prove_block(ws, is_open, fixed, flips, room, tolerance, most_credits, room.root[:0])[:2]
    if most_credits > 1 or bound <= value + tolerance:
        return value
    if parts is not None and group_entries(ws, room, parts, is_open) > 1:
        return settle_parts(ws, part, room, parts, is_open, fixed, flips, value, tolerance)[0]
    return prove_block(ws, is_open, fixed, flips, room, tolerance, FEW_BRANCHES, room.root[:0])[0]


@kernel
def _price_chunk(
    tables, prices, ws, part, room, parts, assets, weights, chunk, n_chunks, opened, tolerances, priced_fill,
    rate_window, sums
):  # fmt: skip
    """Every ``n_chunks``-th asset from ``chunk`` on. Flows are added up only where ``rate_window`` has entries; blocks
    are solved by branching to ``tolerances`` (share of the value, cost) where these are not negative, and ``near`` left
    out."""
    branching = tolerances[0] >= 0
    is_open = np.zeros(len(tables.storage_bytes), dtype=np.bool_)
    fixed = np.zeros(len(tables.storage_bytes), dtype=np.bool_)
    flips = np.zeros(2 * len(tables.storage_bytes) + 2, dtype=np.int64)
    for q in range(chunk, len(assets), n_chunks):
        asset, weight = assets[q], weights[q]
        n_touched = load_block(tables, prices, asset, ws)
        if ws.numbers[0]:
            value = solve_block(ws, is_open, fixed, flips, opened[asset], ROUNDS)
            if branching:
                tolerance = tolerances[0] * value + tolerances[1]
                value = _search(ws, part, room, parts, is_open, fixed, flips, tolerance)
                value_caches(ws, is_open)
            sums.saving[chunk] += weight * value
            keep_open(ws, is_open, opened[asset])
            add_use(tables, ws, asset, is_open, weight, sums.use[chunk])
            if len(rate_window):
                _add_flow(tables, ws, weight, rate_window, sums.flow[chunk], sums.loose[chunk])
        if not branching:
            _note_critical(tables, prices, ws, asset, weight, is_open, n_touched, sums.near[chunk], priced_fill)
        unload_block(tables, asset, ws, n_touched)


@dataclass(frozen=True, eq=False)
class Sample:
    """Assets (K,) that stand for all, each for ``weight`` (K,) assets like it."""

    assets: np.ndarray
    weight: np.ndarray


class BlockPasses:
    """Runs passes over one problem's tables on ``threads`` threads."""

    def __init__(self, tables: BlockTables, threads: int) -> None:
        self.tables, self.threads = tables, threads
        sizes = block_sizes(tables)
        self.workspaces = [new_workspace(*sizes) for _ in range(threads)]
        self._pool = ThreadPoolExecutor(threads)
        self._rooms = {}
        for workspace in self.workspaces:
            # None, not just unused, where no block is so large: kernels are then compiled without the code for parts.
            parts = new_part_room(sizes) if sizes[1] > MOST_ENTRIES else (None, None)
            most = MOST_WIDE_BRANCHES if sizes[2] > MANY_CHOICES * sizes[1] else MOST_BRANCHES
            self._rooms[id(workspace)] = (new_room(workspace, most), *parts)

    def close(self) -> None:
        """Ends the threads."""
        self._pool.shutdown()

    def rooms(self, workspace: Any) -> tuple[Any, Any, Any]:
        """A workspace's room for proofs, room for parts and workspace of parts; without the last two where no block is
        taken in parts."""
        return self._rooms[id(workspace)]

    def run(self, work: Callable[[int, Any], Any], n_tasks: int = CHUNKS) -> list[Any]:
        """``work(task, workspace)`` for each task; results in the order of the tasks."""
        results, tasks = [None] * n_tasks, iter(range(n_tasks))

        def take_tasks(workspace: Any) -> None:
            for task in tasks:
                results[task] = work(task, workspace)

        others = [self._pool.submit(take_tasks, workspace) for workspace in self.workspaces[1:]]
        take_tasks(self.workspaces[0])
        for other in others:
            other.result()
        return results

    def price(
        self,
        prices: BlockPrices,
        sample: Sample,
        opened: np.ndarray,
        tolerances: tuple[float, float],
        priced_fill: bool,
        rate_window: np.ndarray,
    ) -> Sums:
        """Solves the sample's blocks; the sums over all. ``opened`` (A, ..): a bit for each cache that the asset's
        block opens, written. ``tolerances``: negative for rules and moves alone, else branching as far as they ask."""

        sums = _new_sums(self.tables)
        how = (np.array(tolerances), priced_fill, rate_window, sums)
        assets = np.ascontiguousarray(sample.assets)

        def work(chunk: int, workspace: Any) -> None:
            room, parts, part = self.rooms(workspace)
            among = (assets, sample.weight, chunk, CHUNKS)
            _price_chunk(self.tables, prices, workspace, part, room, parts, *among, opened, *how)

        self.run(work)
        return Sums(*(getattr(sums, field.name).sum(axis=0) for field in fields(Sums)))
