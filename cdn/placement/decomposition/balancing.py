"""Balancing: every asset placed once more, at prices that react to what all of them use.

Blocks at the final prices together use a little more or less than there is. So assets are taken in batches that each
stand for all, and each batch answers prices raised where the caches are too full and lowered where they have room: the
exponential prices of Plotkin, Shmoys and Tardos (1995), as in Applegate et al. (IPCO 2013).
"""

from typing import Any

import numpy as np

from cdn.compilation import inlined, kernel
from cdn.placement.decomposition.bits import has_bit
from cdn.placement.decomposition.blocks import load_block, unload_block
from cdn.placement.decomposition.local_search import add_use, keep_open, resolve_block
from cdn.placement.decomposition.passes import CHUNKS, BlockPasses
from cdn.placement.decomposition.tables import BlockPrices

BATCHES = 128
REACTION = 8.0
MOST_SHIFT = 0.7


@inlined
def _take_off(tables, asset, row, use):
    """Takes off what the asset uses now."""
    size = tables.size_bytes[asset]
    for s in range(use.shape[1]):
        if has_bit(row, s):
            use[0, s] -= size
            use[1, s] -= size
    for k in range(tables.stored_indptr[asset], tables.stored_indptr[asset + 1]):
        s = tables.stored_site[k]
        if has_bit(row, s):
            use[1, s] += size


@kernel
def _balance_chunk(tables, prices, ws, assets, begin, step, opened, use):
    """Every ``step``-th asset from ``begin`` by local search from where it is; adds the change to ``use`` (2, S)."""
    n_sites = len(tables.storage_bytes)
    is_open, fixed = np.zeros(n_sites, dtype=np.bool_), np.zeros(n_sites, dtype=np.bool_)
    flips = np.zeros(2 * n_sites + 2, dtype=np.int64)
    for q in range(begin, len(assets), step):
        asset = assets[q]
        _take_off(tables, asset, opened[asset], use)
        n_touched = load_block(tables, prices, asset, ws)
        if ws.numbers[0]:
            resolve_block(ws, is_open, fixed, flips, opened[asset], 1)
            add_use(tables, ws, asset, is_open, 1.0, use)
        keep_open(ws, is_open, opened[asset])
        unload_block(tables, asset, ws, n_touched)


def balance(
    passes: BlockPasses,
    prices: BlockPrices,
    elasticity: np.ndarray,
    order: np.ndarray,
    opened: np.ndarray,
    use: np.ndarray,
) -> np.ndarray:
    """One sweep over all assets; changes ``opened`` and returns the use (2, S) after it, given that before.

    ``elasticity`` (2, S) of the use of storage and fill: the less a use answers its price, the more the price reacts.
    """
    tables = passes.tables
    n_sites = len(tables.storage_bytes)
    use, n_batches = use.copy(), max(1, min(BATCHES, len(order) // CHUNKS))
    for batch in range(n_batches):
        assets = np.ascontiguousarray(order[batch::n_batches])
        reacting = reacting_prices(passes, prices, elasticity, use, 1.0)

        def work(task: int, ws: Any, assets=assets, reacting=reacting) -> np.ndarray:
            change = np.zeros((2, n_sites))
            _balance_chunk(tables, reacting, ws, assets, task, CHUNKS, opened, change)
            return change

        for change in passes.run(work):
            use += change
    return use


def reacting_prices(
    passes: BlockPasses, prices: BlockPrices, elasticity: np.ndarray, use: np.ndarray, share: float
) -> BlockPrices:
    """Prices moved by how far ``use`` (2, S) is off a ``share`` of the limits."""
    limits = np.array([passes.tables.storage_bytes, passes.tables.fill_bytes])
    limited = np.isfinite(limits) & (limits > 0)
    limits = np.where(limited, limits, 1.0)
    off = np.where(limited, use / limits - share, 0.0)
    shift = np.exp(np.clip(REACTION * off / elasticity, -MOST_SHIFT, MOST_SHIFT))
    return BlockPrices(prices.storage * shift[0], prices.fill * shift[1], prices.rate)
