"""Branch and bound over pairs, depth first, with bounds at prices of items.

A pair is in or out: the one whose use by sets was least settled of late, weighed by the root of its price, since what
is decided on a large or dear one moves the bound. Prices of a node are where those of its children begin.
"""

from dataclasses import dataclass

import numpy as np

from cdn.array_records import ArrayRecord
from cdn.compilation import kernel, routine, separate
from cdn.placement.choosing.deciding import conclude, decide, rule_out, take_back
from cdn.placement.choosing.pricing import FIRST_LENGTH, bound_at_prices, improve_prices, weigh_sets
from cdn.placement.choosing.rounding import round_sets
from cdn.placement.choosing.tables import SetTables

NODE_STEPS, NODE_PATIENCE, NODE_ROUNDS, ENOUGH_DECIDED = 80, 30, 3, 8
"""Steps of prices at a node; again, up to so many times, where they decided that many pairs."""
MOST_DEPTH = 256
"""Deeper nodes begin at the prices of this depth."""
DONE = -1


@dataclass(frozen=True, eq=False)
class Search(ArrayRecord):
    """Where a search stands: ``depth`` (1,), ``DONE`` at the end, and whether its node ``is_new`` (1,); of the nodes
    above it ``branched`` pair, ``first_side``, ``n_tried`` sides (P + 1,) and their prices ``price_at`` (.., L).
    ``saving`` (1,) and ``chosen`` sets (A,) are the best found; only what saves more than ``least`` (1,) is looked for,
    and, once found, more than that by the share ``gap`` (1,). ``n_nodes`` (1,) so far."""

    depth: np.ndarray
    is_new: np.ndarray
    branched: np.ndarray
    first_side: np.ndarray
    n_tried: np.ndarray
    price_at: np.ndarray
    saving: np.ndarray
    chosen: np.ndarray
    least: np.ndarray
    gap: np.ndarray
    n_nodes: np.ndarray

    def has_found(self) -> bool:
        """Whether ``chosen`` is a choice."""
        return bool((self.chosen >= 0).all())


def begin_search(tables: SetTables, price: np.ndarray, saving: float, least: float, gap: float) -> Search:
    """At the root, with ``price`` (L,); ``saving`` of what is known already."""
    n_pairs, n_assets = len(tables.pair_asset), len(tables.of_asset) - 1
    price_at = np.zeros((min(n_pairs + 1, MOST_DEPTH), len(price)))
    price_at[0] = price
    return Search(
        depth=np.zeros(1, dtype=np.int64),
        is_new=np.ones(1, dtype=bool),
        branched=np.zeros(n_pairs + 1, dtype=np.int64),
        first_side=np.zeros(n_pairs + 1, dtype=np.int64),
        n_tried=np.zeros(n_pairs + 1, dtype=np.int64),
        price_at=price_at,
        saving=np.array([saving]),
        chosen=np.full(n_assets, -1, dtype=np.int64),
        least=np.array([least]),
        gap=np.array([gap]),
        n_nodes=np.zeros(1, dtype=np.int64),
    )


@routine
def _note(tables, ws, search, saving):
    """Keeps what is in ``ws.best_set`` if it is the best so far."""
    if saving > search.saving[0]:
        search.saving[0] = saving
        search.chosen[:] = ws.best_set
        search.least[0] = max(search.least[0], saving + search.gap[0] * abs(saving))


@separate
def _look(tables, ws, decisions, search):
    """Bounds a node and decides what it can. Returns whether anything better may be below."""
    depth = search.depth[0]
    for _ in range(NODE_ROUNDS):
        ws.level[:] = 0.5
        least = search.least[0]
        bound, _ = improve_prices(tables, ws, decisions, least, NODE_STEPS, NODE_PATIENCE, FIRST_LENGTH)
        if bound <= search.least[0]:
            return False
        bound = bound_at_prices(tables, ws, decisions)
        _note(tables, ws, search, round_sets(tables, ws, decisions.ruled_out))
        weigh_sets(tables, ws, decisions.ruled_out)
        if bound <= search.least[0]:
            return False
        rule_out(tables, ws, decisions, bound - search.least[0], depth)
        n_decided = conclude(tables, ws, decisions, depth)
        if n_decided < 0:
            return False
        if n_decided < ENOUGH_DECIDED:
            break
    return True


@routine
def _least_settled(tables, ws, state):
    """The open pair to branch on; -1 where all limited ones are decided."""
    chosen, most = -1, -1.0
    for p in range(len(state)):
        if state[p] == 0 and tables.of_pair[p + 1] > tables.of_pair[p]:
            unsettled = min(ws.level[p], 1 - ws.level[p]) * np.sqrt(ws.pair_price[p])
            if unsettled > most:
                chosen, most = p, unsettled
    return chosen


@routine
def _visit(tables, ws, decisions, search):
    """Looks at a new node. Returns whether to branch on it."""
    depth = search.depth[0]
    search.n_nodes[0] += 1
    ws.price[:] = search.price_at[min(depth, len(search.price_at) - 1)]
    if conclude(tables, ws, decisions, depth) < 0 or not _look(tables, ws, decisions, search):
        return False
    p = _least_settled(tables, ws, decisions.state)
    if p < 0:  # limits no longer matter, so the best set of each asset is the best choice
        weigh_sets(tables, ws, decisions.ruled_out)
        saving = 0.0
        for a in range(len(ws.best_set)):
            saving += tables.saving[ws.best_set[a]]
        _note(tables, ws, search, saving)
        return False
    search.price_at[min(depth, len(search.price_at) - 1)] = ws.price
    search.branched[depth], search.n_tried[depth] = p, 0
    search.first_side[depth] = 1 if ws.level[p] >= 0.5 else -1
    return True


@kernel
def search_on(tables, ws, decisions, search, n_nodes):
    """Goes on for so many nodes, or to the end: then nothing saves more than ``search.least``."""
    until = search.n_nodes[0] + n_nodes
    while search.depth[0] != DONE and search.n_nodes[0] < until:
        depth = search.depth[0]
        if search.is_new[0]:
            search.is_new[0] = False
            if not _visit(tables, ws, decisions, search):
                take_back(decisions, depth)
                search.depth[0] = depth - 1
            continue
        take_back(decisions, depth + 1)
        if search.n_tried[depth] == 2:
            take_back(decisions, depth)
            search.depth[0] = depth - 1
            continue
        side = search.first_side[depth] if search.n_tried[depth] == 0 else -search.first_side[depth]
        search.n_tried[depth] += 1
        decide(decisions, search.branched[depth], side, depth + 1)
        search.depth[0] = depth + 1
        search.is_new[0] = True


@kernel
def look_at_root(tables, ws, decisions, least):
    """Rules out sets that nothing which saves more than ``least`` can have, at the prices. Returns whether each asset
    has one left, and what a choice rounded before that saves (``ws.chosen``; -inf: not found)."""
    bound = bound_at_prices(tables, ws, decisions)
    saving = round_sets(tables, ws, decisions.ruled_out)
    ws.chosen[:] = ws.best_set
    if not weigh_sets(tables, ws, decisions.ruled_out) or bound <= least:
        return False, saving
    rule_out(tables, ws, decisions, bound - least, 0)
    return weigh_sets(tables, ws, decisions.ruled_out), saving
