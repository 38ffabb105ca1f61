"""The last pass: every block solved and proved at the final prices, and placed at prices that react to use.

Blocks at the final prices prove the bound; what is placed answers reacting prices (``balancing``) from the start.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from cdn.compilation import kernel
from cdn.model.branching import Branching
from cdn.placement.decomposition.balancing import BATCHES, reacting_prices
from cdn.placement.decomposition.blocks import load_block, unload_block
from cdn.placement.decomposition.local_search import add_use, keep_open, resolve_block, solve_block
from cdn.placement.decomposition.passes import CHUNKS, ROUNDS, BlockPasses
from cdn.placement.decomposition.proofs import new_room, prove_block
from cdn.placement.decomposition.tables import BlockPrices

MOST_BRANCHES = 400


class Trees(NamedTuple):
    """Trees of a chunk, one after the other: ``sizes`` (3 T,) asset, nodes and credits of each; ``site`` nodes, with
    -1 - c at a leaf bounded by the tree's credits c; ``serve`` prices of the credits, one per demand entry of the
    asset."""

    sizes: np.ndarray
    site: np.ndarray
    serve: np.ndarray


@kernel
def _grown(values, needed):
    """The same values with room for as many as needed."""
    if needed <= len(values):
        return values
    larger = np.empty(max(2 * len(values), needed), dtype=values.dtype)
    larger[: len(values)] = values
    return larger


@kernel
def _write_credits(ws, start, credits, origin_price, serve):
    """Serve prices: what the origin would cost, less the credit where the block has one."""
    serve[:] = origin_price
    for k in range(ws.numbers[1]):
        serve[ws.entry[k] - start] -= credits[k]


@kernel
def _prove_chunk(
    tables, prices, reacting, ws, room, origin_cost, assets, begin, step, rounds, tolerances, opened, serve, sums, use
):
    """Every ``step``-th asset from ``begin``: proves its block at ``prices``, writes ``serve`` or a tree, and opens
    what suits ``reacting`` prices. Adds to ``sums`` value and bound of the blocks, to ``use`` (2, S) storage and
    fill."""
    n_sites = len(tables.storage_bytes)
    is_open, fixed = np.zeros(n_sites, dtype=np.bool_), np.zeros(n_sites, dtype=np.bool_)
    flips = np.zeros(2 * n_sites + 2, dtype=np.int64)
    sizes, site, prices_out = np.empty(48, dtype=np.int64), np.empty(256, dtype=np.int32), np.empty(1024)
    n_trees, n_nodes, n_prices = 0, 0, 0
    for q in range(begin, len(assets), step):
        asset = assets[q]
        start, end = tables.indptr[asset], tables.indptr[asset + 1]
        n_touched = load_block(tables, prices, asset, ws)
        origin_price = tables.bytes[start:end] * origin_cost[tables.region[start:end]]
        serve[start:end] = origin_price
        found = ws.numbers[0] > 0
        if found:
            value = solve_block(ws, is_open, fixed, flips, rounds)
            tolerance = tolerances[0] * value + tolerances[1]
            value, bound, nodes, credits = prove_block(ws, is_open, fixed, flips, room, tolerance)
            sums[0] += value
            sums[1] += bound
            keep_open(ws, is_open, opened[asset])
            if nodes == 1:
                _write_credits(ws, start, room.credits[0], origin_price, serve[start:end])
            else:
                sizes, site = _grown(sizes, 3 * n_trees + 3), _grown(site, n_nodes + nodes)
                prices_out = _grown(prices_out, n_prices + credits * (end - start))
                sizes[3 * n_trees], sizes[3 * n_trees + 1], sizes[3 * n_trees + 2] = asset, nodes, credits
                n_trees += 1
                for k in range(nodes):
                    node = room.nodes[k]
                    site[n_nodes + k] = ws.site[node] if node >= 0 else node
                n_nodes += nodes
                for c in range(credits):
                    part = prices_out[n_prices : n_prices + end - start]
                    _write_credits(ws, start, room.credits[c], origin_price, part)
                    n_prices += end - start
        else:
            opened[asset] = np.uint64(0)
        unload_block(tables, asset, ws, n_touched)
        n_touched = load_block(tables, reacting, asset, ws)
        if ws.numbers[0]:
            resolve_block(ws, is_open, fixed, flips, opened[asset], min(rounds, 1))
            add_use(tables, ws, asset, is_open, 1.0, use)
        keep_open(ws, is_open, opened[asset])
        unload_block(tables, asset, ws, n_touched)
    return sizes[: 3 * n_trees].copy(), site[:n_nodes].copy(), prices_out[:n_prices].copy()


@dataclass(frozen=True, eq=False)
class Proof:
    """What the last pass found: ``saving`` and ``bound`` of the blocks added up, serve prices (N,) of assets without a
    tree, the trees; ``use`` (2, S) of storage and fill by what was placed."""

    saving: float
    bound: float
    serve: np.ndarray
    branching: Branching | None
    use: np.ndarray


def prove(
    passes: BlockPasses,
    prices: BlockPrices,
    order: np.ndarray,
    origin_cost: np.ndarray,
    opened: np.ndarray,
    tolerances: tuple[float, float],
    elasticity: np.ndarray,
    is_late: Callable[[], bool],
) -> Proof:
    """Proves all blocks. ``tolerances``: of a block, as a share of its value, and in cost beside that. ``elasticity``
    (2, S) of the use of storage and fill: the less a use answers its price, the more the price reacts. When it
    ``is_late``, the blocks that are left are solved and proved in a hurry."""
    tables = passes.tables
    n_sites = len(tables.storage_bytes)
    serve = tables.bytes * origin_cost[tables.region]
    rooms = {id(ws): new_room(ws, MOST_BRANCHES) for ws in passes.workspaces}
    total, used, trees = np.zeros(2), np.zeros((2, n_sites)), []
    n_batches = max(1, min(BATCHES, len(order) // CHUNKS))
    for batch in range(n_batches):
        assets = order[batch::n_batches]
        late = is_late()
        rounds, allowed = (0, np.array([np.inf, 0.0])) if late else (ROUNDS, np.array(tolerances))
        reacting = reacting_prices(passes, prices, elasticity, used, batch / n_batches)

        def work(task: int, ws: Any, assets=assets, reacting=reacting, rounds=rounds, allowed=allowed):
            sums, use = np.zeros(2), np.zeros((2, n_sites))
            shared = (rooms[id(ws)], origin_cost, assets, task, CHUNKS, rounds, allowed)
            found = _prove_chunk(tables, prices, reacting, ws, *shared, opened, serve, sums, use)
            return sums, use, Trees(*found)

        for sums, use, found in passes.run(work):
            total += sums
            used += use
            trees.append(found)
    return Proof(float(total[0]), float(total[1]), serve, _as_branching(trees, np.diff(tables.indptr)), used)


def _as_branching(trees: list[Trees], n_entries: np.ndarray) -> Branching | None:
    """All trees by asset. Empties ``trees``, one part after the other: together they are large."""
    sizes = np.concatenate([part.sizes.reshape(-1, 3) for part in trees])
    if not len(sizes):
        return None
    order = np.argsort(sizes[:, 0])
    asset, nodes, vectors = sizes[order].T
    prices = vectors * n_entries[asset]
    site, serve = np.empty(nodes.sum(), dtype=np.int32), np.empty(prices.sum())
    first_node, first_price = (np.cumsum(lengths) - lengths for lengths in (nodes, prices))
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    tree = 0
    while trees:
        part = trees.pop(0)
        node = price = 0
        for _ in range(len(part.sizes) // 3):
            k = place[tree]
            site[first_node[k] : first_node[k] + nodes[k]] = part.site[node : node + nodes[k]]
            serve[first_price[k] : first_price[k] + prices[k]] = part.serve[price : price + prices[k]]
            node, price, tree = node + nodes[k], price + prices[k], tree + 1
    for values in (site, serve):
        # Ours alone: locked as they stand, where the branching would copy what others could write.
        values.flags.writeable = False
    return Branching(asset, np.concatenate([[0], np.cumsum(nodes)]), site, serve)
