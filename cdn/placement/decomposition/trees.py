"""Proofs of blocks as they are collected: trees of cases, their credits as serve prices, and shares of prices."""

from typing import NamedTuple

import numpy as np

from cdn.compilation import inlined, kernel, routine, separate
from cdn.model.branching import WHOLE, Branching, count_entries
from cdn.model.shares import Shares
from cdn.placement.decomposition.blocks import may_store
from cdn.placement.decomposition.copying import copy_first
from cdn.placement.decomposition.part_room import MOST_GROUPS

TREES, NODES, PRICES, SHARES = 0, 1, 2, 3
MOST_PRICE = float(np.finfo(np.float32).max)


class Trees(NamedTuple):
    """What a chunk has proved, with room for more: ``counts`` (4,) says how many trees, nodes, prices and shares.

    ``sizes`` (T, 4): asset, group, nodes and credits of each tree; ``site`` their nodes, with -1 - c at a leaf bounded
    by the tree's credits c; ``serve`` prices of the credits, one per demand entry of the asset and group. ``owner``
    (K, 3): asset, site and group of each ``share``.
    """

    counts: np.ndarray
    sizes: np.ndarray
    site: np.ndarray
    serve: np.ndarray
    owner: np.ndarray
    share: np.ndarray


@inlined
def new_trees():
    """No trees yet."""
    return Trees(
        np.zeros(4, dtype=np.int64),
        np.empty((16, 4), dtype=np.int64),
        np.empty(256, dtype=np.int32),
        np.empty(1024, dtype=np.float32),
        np.empty((64, 3), dtype=np.int32),
        np.empty(64),
    )


@routine
def _grown(values, needed):
    """The same values with room for as many as needed."""
    if needed <= len(values):
        return values
    larger = np.empty((max(2 * len(values), needed), *values.shape[1:]), dtype=values.dtype)
    copy_first(values.size, values.ravel(), larger.ravel())
    return larger


@routine
def with_room(trees, nodes, prices, shares):
    """The same trees with room for one more tree, and so many more of the rest."""
    n = trees.counts
    return Trees(
        n,
        _grown(trees.sizes, n[TREES] + 1),
        _grown(trees.site, n[NODES] + nodes),
        _grown(trees.serve, n[PRICES] + prices),
        _grown(trees.owner, n[SHARES] + shares),
        _grown(trees.share, n[SHARES] + shares),
    )


@routine
def write_credits(ws, credits, serve):
    """A proof without cases: lowers the serve prices (N,) of the block's entries by their credits."""
    for k in range(ws.numbers[1]):
        serve[ws.entry[k]] -= credits[k]


@separate
def add_tree(trees, tables, origin_cost, ws, room, asset, group, entry_group, nodes, credits):
    """A proof case by case, from ``room``: ``ws`` has the block, or that of a group of entries. Returns the trees."""
    start, end = tables.indptr[asset], tables.indptr[asset + 1]
    trees = with_room(trees, nodes, credits * (end - start), 0)
    n = trees.counts
    tree = trees.sizes[n[TREES]]
    tree[0], tree[1], tree[2], tree[3] = asset, group, nodes, credits
    for k in range(nodes):
        node = room.nodes[k]
        trees.site[n[NODES] + k] = ws.site[node] if node >= 0 else node
    written = n[PRICES]
    for c in range(credits):
        k = 0
        for e in range(start, end):
            if group != WHOLE and entry_group[e] != group:
                continue
            price = tables.bytes[e] * origin_cost[tables.region[e]]
            if k < ws.numbers[1] and ws.entry[k] == e:
                price -= room.credits[c, k]
                k += 1
            trees.serve[written] = min(price, MOST_PRICE)
            written += 1
    n[TREES], n[NODES], n[PRICES] = n[TREES] + 1, n[NODES] + nodes, written
    return trees


@inlined
def add_shares(trees, tables, rate, ws, parts, asset, entry_group, n_touched):
    """How the prices of a block in parts are dealt out. Caches outside the block pay too little for all groups
    together; dealt out by what each would save, they do for each."""
    trees = with_room(trees, 0, 0, n_touched * MOST_GROUPS)
    _save_outside(tables, rate, ws, parts, asset, entry_group)
    for s in range(len(tables.storage_bytes)):
        i = ws.local[s]
        if i >= 0:
            if ws.price[i] > 0:
                _add_rows(trees, asset, s, parts.home[s], parts.best[i], ws.price[i])
        elif ws.upper[s] > 0 and may_store(tables, asset, s, ws.flags[s]):
            _add_rows(trees, asset, s, parts.home[s], parts.upper[s], ws.upper[s])
    for k in range(n_touched):
        s = ws.touched[k]
        if ws.local[s] < 0:
            parts.upper[s] = 0.0
    return trees


@inlined
def _save_outside(tables, rate, ws, parts, asset, entry_group):
    """Sets ``upper`` of the caches outside the block, and the ``home`` of all."""
    parts.home[:] = MOST_GROUPS
    for e in range(tables.indptr[asset], tables.indptr[asset + 1]):
        if not tables.servable[e]:
            continue
        r, g = tables.region[e], entry_group[e]
        for j in range(tables.first_candidate[r], tables.first_candidate[r + 1]):
            s = tables.candidate_site[j]
            parts.home[s] = min(parts.home[s], g)
            saving = tables.bytes[e] * tables.candidate_saving[j] - tables.peak_bps[e] * rate[j]
            if ws.local[s] < 0 and saving > 0:
                parts.upper[s, g] += saving


@routine
def _add_rows(trees, asset, s, home, charged, price):
    """Shares of one cache's price, unless its first group is charged all of it."""
    n, positive = trees.counts, 0
    for g in range(len(charged)):
        positive += charged[g] > 0
    if positive == 1 and charged[home] > 0:
        return
    for g in range(len(charged)):
        if charged[g] > 0:
            row = trees.owner[n[SHARES]]
            row[0], row[1], row[2] = asset, s, g
            trees.share[n[SHARES]] = min(charged[g] / price, 1.0)
            n[SHARES] += 1


def branching_of(
    found: list[Trees], entry_group: np.ndarray, demand_indptr: np.ndarray
) -> Branching | None:
    """All trees and shares as ``Branching``, None where there are none. Empties ``found``, one after the other:
    together they are large."""
    sizes = np.concatenate([part.sizes[: part.counts[TREES]] for part in found])
    owner = np.concatenate([part.owner[: part.counts[SHARES]] for part in found])
    if not len(sizes) and not len(owner):
        return None
    share = np.concatenate([part.share[: part.counts[SHARES]] for part in found])
    rows = np.lexsort(owner.T[::-1])
    columns = (owner[rows, 0], owner[rows, 1], owner[rows, 2], share[rows])
    shares = Shares(entry_group, *columns) if len(owner) or (sizes[:, 1] != WHOLE).any() else None
    order = np.lexsort((sizes[:, 1], sizes[:, 0]))
    asset, group, nodes, vectors = sizes[order].T
    prices = vectors * count_entries(asset, group, entry_group, demand_indptr)
    site, serve = np.empty(nodes.sum(), dtype=np.int32), np.empty(prices.sum(), dtype=np.float32)
    first_node, first_price = (np.cumsum(lengths) - lengths for lengths in (nodes, prices))
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    tree = 0
    while found:
        part = found.pop(0)
        n = part.counts[TREES]
        for values, into, first, lengths in (
            (part.site, site, first_node, nodes),
            (part.serve, serve, first_price, prices),
        ):
            _copy_runs(values, into, first[place[tree : tree + n]], lengths[place[tree : tree + n]])
        tree += n
    for values in (site, serve):
        # Ours alone: locked as they stand, where the branching would copy what others could write.
        values.flags.writeable = False
    return Branching(asset, np.concatenate([[0], np.cumsum(nodes)]), site, serve, group, shares)


@kernel
def _copy_runs(values, into, first, lengths):
    """Runs of ``values``, one after the other, to where each begins."""
    begin = 0
    for k in range(len(first)):
        for q in range(lengths[k]):
            into[first[k] + q] = values[begin + q]
        begin += lengths[k]
