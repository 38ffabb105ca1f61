"""The last pass: every block solved and proved at the final prices, and placed at prices that react to use.

Blocks at the final prices prove the bound; what is placed answers reacting prices (``balancing``) from the start.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from cdn.compilation import inlined, kernel, routine
from cdn.model.branching import WHOLE, Branching
from cdn.placement.decomposition.balancing import BATCHES, reacting_prices
from cdn.placement.decomposition.blocks import load_block, unload_block
from cdn.placement.decomposition.branch_search import prove_block
from cdn.placement.decomposition.copying import copy_first
from cdn.placement.decomposition.groups import MOST_ENTRIES, REST, group_entries
from cdn.placement.decomposition.local_search import add_use, keep_open, resolve_block, solve_block
from cdn.placement.decomposition.part_room import MOST_GROUPS
from cdn.placement.decomposition.parts import prove_part, settle_parts
from cdn.placement.decomposition.passes import CHUNKS, ROUNDS, BlockPasses
from cdn.placement.decomposition.swapping import is_wide
from cdn.placement.decomposition.tables import BlockPrices
from cdn.placement.decomposition.trees import add_shares, add_tree, branching_of, new_trees, write_credits

MOST_PART_BRANCHES = 192


@inlined
def _prove_asset(
    tables, rate, ws, part, room, parts, origin_cost, asset, n_touched, is_open, fixed, flips, value, tolerance, most,
    serve, entry_group, trees
):  # fmt: skip
    """Proves a loaded block: by credits alone, else in parts, else by branching. ``is_open``: a good start, replaced by
    the best found. Returns the value, the bound and the trees."""
    small = ws.numbers[1] <= MOST_ENTRIES or is_wide(ws)
    at_first = most if small else 1
    value, bound, nodes, credits = prove_block(ws, is_open, fixed, flips, room, tolerance, at_first, room.root[:0])
    if not small and bound > value + tolerance:
        if parts is not None and group_entries(ws, room, parts, is_open) > 1:
            value = settle_parts(ws, part, room, parts, is_open, fixed, flips, value, tolerance)[0]
            _note_groups(tables, ws, parts, asset, entry_group)
            before = trees.counts.copy()
            in_parts, trees = _prove_parts(
                tables, ws, part, room, parts, origin_cost, asset, fixed, flips, tolerance, most, serve, entry_group,
                trees
            )  # fmt: skip
            if in_parts < bound:
                return value, in_parts, add_shares(trees, tables, rate, ws, parts, asset, entry_group, n_touched)
            copy_first(len(before), before, trees.counts)
            _reset_serve(tables, origin_cost, asset, serve, entry_group)
            most = 1
        value, bound, nodes, credits = prove_block(ws, is_open, fixed, flips, room, tolerance, most, room.root[:0])
    if nodes == 1:
        write_credits(ws, room.credits[0], serve)
    else:
        trees = add_tree(trees, tables, origin_cost, ws, room, asset, WHOLE, entry_group, nodes, credits)
    return value, bound, trees


@inlined
def _note_groups(tables, ws, parts, asset, entry_group):
    """Writes the groups of the asset's demand entries; those no cache of the block may serve are of the rest."""
    entry_group[tables.indptr[asset] : tables.indptr[asset + 1]] = REST
    for k in range(ws.numbers[1]):
        entry_group[ws.entry[k]] = parts.group[k]


@inlined
def _prove_parts(
    tables, ws, part, room, parts, origin_cost, asset, fixed, flips, tolerance, most, serve, entry_group, trees
):  # fmt: skip
    """Proves each group's block at what it is charged. Returns the sum of the bounds, and the trees."""
    total = 0.0
    for g in range(MOST_GROUPS):
        if parts.first[g] == parts.first[g + 1]:
            continue
        _, bound, nodes, credits = prove_part(
            ws, part, room, parts, parts.best, g, fixed, flips, tolerance, min(most, MOST_PART_BRANCHES)
        )
        total += bound
        if nodes == 1:
            write_credits(part, room.credits[0], serve)
        else:
            trees = add_tree(trees, tables, origin_cost, part, room, asset, g, entry_group, nodes, credits)
    return total, trees


@routine
def _reset_serve(tables, origin_cost, asset, serve, entry_group):
    """Serve prices of the asset's entries: what the origin costs, and one group."""
    for e in range(tables.indptr[asset], tables.indptr[asset + 1]):
        entry_group[e] = REST
        serve[e] = tables.bytes[e] * origin_cost[tables.region[e]]


@kernel
def prove_chunk(
    tables, prices, reacting, ws, part, room, parts, origin_cost, assets, begin, step, rounds, tolerances, opened,
    serve, entry_group, sums, use
):  # fmt: skip
    """Every ``step``-th asset from ``begin``: proves its block at ``prices``, writes ``serve`` and
    ``entry_group`` (N,) or trees, and opens what
    suits ``reacting`` prices. Adds to ``sums`` value and bound of the blocks, to ``use`` (2, S) storage and fill.
    Returns the trees."""
    n_sites = len(tables.storage_bytes)
    is_open, fixed = np.zeros(n_sites, dtype=np.bool_), np.zeros(n_sites, dtype=np.bool_)
    flips = np.zeros(2 * n_sites + 2, dtype=np.int64)
    trees = new_trees()
    for q in range(begin, len(assets), step):
        asset = assets[q]
        n_touched = load_block(tables, prices, asset, ws)
        _reset_serve(tables, origin_cost, asset, serve, entry_group)
        if ws.numbers[0]:
            value = solve_block(ws, is_open, fixed, flips, opened[asset], rounds)
            value, bound, trees = _prove_asset(
                tables, prices.rate, ws, part, room, parts, origin_cost, asset, n_touched, is_open, fixed, flips, value,
                tolerances[0] * value + tolerances[1], len(room.credits), serve, entry_group, trees
            )  # fmt: skip
            sums[0] += value
            sums[1] += bound
            keep_open(ws, is_open, opened[asset])
        unload_block(tables, asset, ws, n_touched)
        n_touched = load_block(tables, reacting, asset, ws)
        if ws.numbers[0]:
            resolve_block(ws, is_open, fixed, flips, opened[asset], min(rounds, 1))
            add_use(tables, ws, asset, is_open, 1.0, use)
        keep_open(ws, is_open, opened[asset])
        unload_block(tables, asset, ws, n_touched)
    return trees


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
    entry_group = np.zeros(len(serve), dtype=np.int16)
    total, used, trees = np.zeros(2), np.zeros((2, n_sites)), []
    n_batches = max(1, min(BATCHES, len(order) // CHUNKS))
    for batch in range(n_batches):
        assets = np.ascontiguousarray(order[batch::n_batches])
        late = is_late()
        rounds, allowed = (0, np.array([np.inf, 0.0])) if late else (ROUNDS, np.array(tolerances))
        reacting = reacting_prices(passes, prices, elasticity, used, batch / n_batches)

        def work(task: int, ws: Any, assets=assets, reacting=reacting, rounds=rounds, allowed=allowed):
            sums, use = np.zeros(2), np.zeros((2, n_sites))
            room, parts, part = passes.rooms(ws)
            shared = (origin_cost, assets, task, CHUNKS, rounds, allowed)
            filled = (opened, serve, entry_group, sums, use)
            found = prove_chunk(tables, prices, reacting, ws, part, room, parts, *shared, *filled)
            return sums, use, found

        for sums, use, found in passes.run(work):
            total += sums
            used += use
            trees.append(found)
    branching = branching_of(trees, entry_group, tables.indptr)
    return Proof(float(total[0]), float(total[1]), serve, branching, used)
