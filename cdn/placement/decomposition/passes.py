"""One pass over the assets at given prices: what the blocks save, what they use, and how use would answer a price.

Assets are dealt to a fixed number of chunks, whatever the number of threads, and the chunks' sums are added in order:
the same bytes come out for any thread count. An asset with weight w stands for w assets like it.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from cdn.compilation import kernel
from cdn.placement.decomposition.blocks import IS_STORED, load_block, may_store, new_workspace, unload_block
from cdn.placement.decomposition.local_search import keep_open, solve_block, value_caches
from cdn.placement.decomposition.proofs import new_room, prove_block
from cdn.placement.decomposition.tables import BlockPrices, BlockTables

CHUNKS = 16
ROUNDS = 2
FEW_BRANCHES = 48
BINS, CURVE_SPAN = 96, 1.2


class Sums(NamedTuple):
    """What a chunk adds up: ``saving`` (1,), ``storage``, ``fill`` bytes (S,), ``flow`` bit/s and ``loose`` (C,), the
    part of the flow that goes elsewhere if the candidate's rate price rises by ``rate_window``; ``storage_curve``,
    ``fill_curve`` (S, BINS): bytes by the logarithm of the price at which they come or go over the price now."""

    saving: np.ndarray
    storage: np.ndarray
    fill: np.ndarray
    flow: np.ndarray
    loose: np.ndarray
    storage_curve: np.ndarray
    fill_curve: np.ndarray


def _new_sums(tables: BlockTables) -> Sums:
    n_sites, n_candidates = len(tables.storage_bytes), len(tables.candidate_site)
    return Sums(
        np.zeros(1),
        np.zeros(n_sites),
        np.zeros(n_sites),
        np.zeros(n_candidates),
        np.zeros(n_candidates),
        np.zeros((n_sites, BINS)),
        np.zeros((n_sites, BINS)),
    )


@kernel
def _note(curve, s, worth_per_byte, price, weighted_bytes):
    """Puts bytes whose critical price is ``worth_per_byte`` into the curve of a cache."""
    if price > 0 and 0.3 * price < worth_per_byte < 3.4 * price:
        x = np.log(worth_per_byte / price)
        if -CURVE_SPAN < x < CURVE_SPAN:
            curve[s, int((x + CURVE_SPAN) / (2 * CURVE_SPAN) * BINS)] += weighted_bytes


@kernel
def _note_critical(tables, prices, ws, asset, weight, is_open, n_touched, sums, priced_fill):
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
        _note(sums.storage_curve, s, worth / size - other, prices.storage[s], weight * size)
        if priced_fill and is_new:
            other = prices.storage[s] + tables.fill_cost[s]
            _note(sums.fill_curve, s, worth / size - other, prices.fill[s], weight * size)


@kernel
def _add_use(tables, ws, asset, weight, is_open, sums):
    size = tables.size_bytes[asset]
    for i in range(ws.numbers[0]):
        if is_open[i]:
            s = ws.site[i]
            sums.storage[s] += weight * size
            if ws.flags[s] & IS_STORED == 0:
                sums.fill[s] += weight * size


@kernel
def _add_flow(tables, ws, weight, rate_window, sums):
    for k in range(ws.numbers[1]):
        if ws.winner[k] < 0:
            continue
        e, s = ws.entry[k], ws.site[ws.winner[k]]
        r = tables.region[e]
        for j in range(tables.first_candidate[r], tables.first_candidate[r + 1]):
            if tables.candidate_site[j] == s:
                sums.flow[j] += weight * tables.peak_bps[e]
                if ws.best[k] - ws.second[k] < rate_window[j] * tables.peak_bps[e]:
                    sums.loose[j] += weight * tables.peak_bps[e]


@kernel
def _price_chunk(
    tables, prices, ws, room, assets, weights, start, step, opened, tolerances, priced_fill, rate_window, sums
):
    """Every ``step``-th asset from ``start``. Flows are added up only where ``rate_window`` has entries; blocks are
    solved by branching to ``tolerances`` (share of the value, cost) where these are not negative, and curves left
    out."""
    branching = tolerances[0] >= 0
    is_open = np.zeros(len(tables.storage_bytes), dtype=np.bool_)
    fixed = np.zeros(len(tables.storage_bytes), dtype=np.bool_)
    flips = np.zeros(2 * len(tables.storage_bytes) + 2, dtype=np.int64)
    for q in range(start, len(assets), step):
        asset, weight = assets[q], weights[q]
        n_touched = load_block(tables, prices, asset, ws)
        if ws.numbers[0]:
            value = solve_block(ws, is_open, fixed, flips, ROUNDS)
            if branching:
                tolerance = tolerances[0] * value + tolerances[1]
                value = prove_block(ws, is_open, fixed, flips, room, tolerance, len(room.credits))[0]
                value_caches(ws, is_open)
            sums.saving[0] += weight * value
            keep_open(ws, is_open, opened[asset])
            _add_use(tables, ws, asset, weight, is_open, sums)
            if len(rate_window):
                _add_flow(tables, ws, weight, rate_window, sums)
        if not branching:
            _note_critical(tables, prices, ws, asset, weight, is_open, n_touched, sums, priced_fill)
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
        self.workspaces = [new_workspace(tables) for _ in range(threads)]
        self._free = list(self.workspaces)
        self._pool = ThreadPoolExecutor(threads)
        self.rooms = {id(workspace): new_room(workspace, FEW_BRANCHES) for workspace in self.workspaces}

    def run(self, work: Callable[[int, Any], Any], n_tasks: int = CHUNKS) -> list[Any]:
        """``work(task, workspace)`` for each task; results in the order of the tasks."""
        if self.threads == 1:
            return [work(task, self.workspaces[0]) for task in range(n_tasks)]

        def one(task: int) -> Any:
            workspace = self._free.pop()
            try:
                return work(task, workspace)
            finally:
                self._free.append(workspace)

        return list(self._pool.map(one, range(n_tasks)))

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

        def work(task: int, workspace: Any) -> Sums:
            sums = _new_sums(self.tables)
            room, how = self.rooms[id(workspace)], (opened, np.array(tolerances), priced_fill, rate_window)
            _price_chunk(self.tables, prices, workspace, room, sample.assets, sample.weight, task, CHUNKS, *how, sums)
            return sums

        parts = self.run(work)
        return Sums(*(sum(values[1:], values[0]) for values in zip(*parts, strict=True)))
