"""The proof of a block case by case: the search tree whose leaves bound it, the loosest leaf always branched on next.

Credits of a branch that prove D + x[i] (cache i open) or D - x[i] (closed) too little *fix* cache i the other way
(``proofs`` has D and x); what neither fixes is branched on. Best-first, because the proof is as good as its loosest
leaf: with a limit to the branches, going deep first spends them all on one side of the first choice.
"""

import numpy as np

from cdn.compilation import inlined, routine, separate
from cdn.placement.decomposition.copying import copy_first
from cdn.placement.decomposition.local_search import improve
from cdn.placement.decomposition.proofs import FORCED_CLOSED, FORCED_OPEN, FREE, collect, lower_credits, recall_credits
from cdn.placement.decomposition.valuing import value_caches

ROOT_STEPS, NODE_STEPS = 200, 40
SETTLED = -1
"""In place of the cache to branch on, where there is none."""


@separate
def prove_block(ws, is_open, fixed, flips, room, tolerance, most_credits, start):
    """Bounds the block within ``tolerance`` of its value, or as well as ``most_credits`` branches allow.

    ``is_open``: a good start, replaced by the best found. ``start``: credits (E,) of much the same block to start from,
    or none (0,). Those of the root stay in ``room.root``. The tree goes to ``room.nodes`` in preorder: the cache
    branched on (of the block; open first), or -1 - c at a leaf that the credits ``room.credits[c]`` bound.
    Returns the value, the bound, the number of nodes and of credits that bound leaves.
    """
    n, n_entries = ws.numbers[0], ws.numbers[1]
    value = value_caches(ws, is_open)
    current = np.empty(n, dtype=np.bool_)
    room.above[0], room.rule[:n] = -1, FREE
    value = _start_branch(ws, is_open, current, fixed, flips, room, value)
    credits = room.credits[0]
    if len(start):
        copy_first(n_entries, start, credits)
    else:
        collect(ws, current, room)
        for k in range(n_entries):
            credits[k] = ws.best[k] - room.given[k]
    _bound_branch(ws, room, 0, 0, value, tolerance, NODE_STEPS if len(start) else ROOT_STEPS)
    copy_first(n_entries, credits, room.root)
    n_nodes = n_credits = 1
    bound = -np.inf
    while True:
        loosest = np.argmax(room.bound[:n_credits])
        if room.chosen[loosest] == SETTLED or room.bound[loosest] <= value + tolerance or n_credits + 2 > most_credits:
            break
        goal, branch_bound, chosen = value + tolerance, room.bound[loosest], room.chosen[loosest]
        room.bound[loosest] = -np.inf
        _set_rules(room, n, room.leaf[loosest])
        recall_credits(ws, room, room.credits[loosest])
        node, n_nodes, fixed_bound = _fix(ws, room, loosest, chosen, branch_bound, goal, n_nodes)
        bound = max(bound, fixed_bound)
        first = n_nodes
        n_nodes = _add_children(room, node, chosen, n_nodes)
        for side in range(2):
            _set_rules(room, n, first + side)
            value = _start_branch(ws, is_open, current, fixed, flips, room, value)
            copy_first(n_entries, room.credits[loosest], room.credits[n_credits])
            _bound_branch(ws, room, n_credits, first + side, value, tolerance, NODE_STEPS)
            n_credits += 1
    bound = max(bound, room.bound[loosest])
    n_nodes = _list_nodes(room)
    return value, bound, n_nodes, _drop_unused(room, n_nodes, n_credits, n_entries)


@routine
def _set_rules(room, n, node):
    """How each cache is branched on the way to a node."""
    room.rule[:n] = FREE
    while room.above[node] >= 0:
        parent, side = room.above[node] // 2, room.above[node] % 2
        room.rule[room.site[parent]] = FORCED_CLOSED if side else FORCED_OPEN
        node = parent


@separate
def _start_branch(ws, is_open, current, fixed, flips, room, value):
    """Adds and drops under the branch's rules from the best placement known, ``is_open``, which becomes what is
    better; returns the best value known."""
    n = ws.numbers[0]
    for i in range(n):
        fixed[i] = ws.forced[i] or room.rule[i] != FREE
        current[i] = ws.forced[i] or room.rule[i] == FORCED_OPEN or (is_open[i] and room.rule[i] != FORCED_CLOSED)
    found = improve(ws, current, fixed, flips, 0)
    if found > value:
        copy_first(n, current, is_open)
    return max(found, value)


@separate
def _bound_branch(ws, room, c, node, value, tolerance, steps):
    """Branch c, a leaf at ``node``, under the rules set: improves its credits, and chooses the cache to branch on."""
    branch_bound = lower_credits(ws, room, room.credits[c], value + 0.5 * tolerance, steps)
    room.bound[c], room.leaf[c], room.chosen[c], room.site[node] = branch_bound, node, SETTLED, -1 - c
    if branch_bound > value + tolerance:
        room.chosen[c] = _choose(ws, room, branch_bound, value + tolerance)


@inlined
def _choose(ws, room, branch_bound, goal):
    """The cache to branch on: of those the credits do not fix, one that paid in about half of the steps and may serve
    many."""
    best, chosen = -1.0, SETTLED
    for i in range(ws.numbers[0]):
        if room.rule[i] != FREE or ws.forced[i] or branch_bound - abs(room.excess[i]) <= goal:
            continue
        half = min(room.active[i], 1.0 - room.active[i]) + 0.01
        score = half * (ws.turn_first[i + 1] - ws.turn_first[i])
        if score > best:
            best, chosen = score, i
    return chosen


@inlined
def _fix(ws, room, c, chosen, branch_bound, goal, n_nodes):
    """Branches on every cache but ``chosen`` that branch c's credits fix: one side is worth too little and is a leaf,
    the search goes on in the other. Returns the node it goes on at, the number of nodes, and the leaves' bound."""
    node, bound = room.leaf[c], -np.inf
    for i in range(ws.numbers[0]):
        if room.rule[i] != FREE or ws.forced[i] or i == chosen:
            continue
        excess = room.excess[i]
        if branch_bound - abs(excess) > goal:
            continue
        bound = max(bound, branch_bound - abs(excess))
        n_nodes = _add_children(room, node, i, n_nodes)
        too_little = n_nodes - 2 if excess <= 0 else n_nodes - 1
        room.site[too_little] = -1 - c
        node = 2 * n_nodes - 3 - too_little
    return node, n_nodes, bound


@routine
def _add_children(room, node, i, n_nodes):
    """Branches on cache i at a node: the next two nodes are its children, open and closed. Returns how many there are
    now."""
    room.site[node] = i
    for side in range(2):
        room.below[node, side], room.above[n_nodes + side] = n_nodes + side, 2 * node + side
    return n_nodes + 2


@inlined
def _list_nodes(room):
    """Writes the tree's ``nodes`` in preorder; returns how many there are."""
    n_nodes, node = 0, 0
    while True:
        room.nodes[n_nodes] = room.site[node]
        n_nodes += 1
        if room.site[node] >= 0:
            node = room.below[node, 0]
            continue
        while room.above[node] > 0 and room.above[node] % 2 == 1:
            node = room.above[node] // 2
        if room.above[node] < 0:
            return n_nodes
        node = room.below[room.above[node] // 2, 1]


@inlined
def _drop_unused(room, n_nodes, n_credits, n_entries):
    """Credits that only led on to others bound no leaf: they go, and the rest move up. Returns how many are left."""
    place = np.full(n_credits, -1, dtype=np.int64)
    for k in range(n_nodes):
        if room.nodes[k] < 0:
            place[-1 - room.nodes[k]] = 0
    n = 0
    for c in range(n_credits):
        if place[c] == 0:
            place[c] = n
            copy_first(n_entries, room.credits[c], room.credits[n])
            n += 1
    for k in range(n_nodes):
        if room.nodes[k] < 0:
            room.nodes[k] = -1 - place[-1 - room.nodes[k]]
    return n
