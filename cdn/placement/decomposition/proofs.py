"""Proofs of a block's value: serve credits that bound what any placement of the asset could save.

Credits theta[e] >= 0 bound the block of ``cdn.placement.decomposition.blocks`` by weak duality:

    saving  <=  D = sum_e theta[e]  +  sum_i max(0, x[i]),      x[i] = sum_e max(0, saving[e,i] - theta[e]) - price[i]

``collect`` starts from what the open caches save and lets each collect its price from the entries it serves, as long as
no closed cache comes to pay: the dual ascent of Erlenkotter (DUALOC, Operations Research 1978) told from the primal
side. ``lower_credits`` goes on with subgradient steps whose length the block's known value gives (Polyak 1969;
Barahona and Chudak 2005 for facility location), which comes close to the relaxation's value. The rest is the block's
integrality gap and takes branching: credits of a branch that prove D + x[i] (i open) or D - x[i] (i closed) too little
*fix* cache i the other way, and what neither fixes is branched on.
"""

from typing import NamedTuple

import numpy as np

from cdn.compilation import kernel, routine
from cdn.placement.decomposition.local_search import improve
from cdn.placement.decomposition.valuing import value_caches

FREE, FORCED_OPEN, FORCED_CLOSED = 0, 1, 2
ROOT_STEPS, NODE_STEPS = 200, 60
PATIENCE = 8
LATE = 0.05
"""What the last of many steps counts for in the share of steps in which a cache was paid."""


class ProofRoom(NamedTuple):
    """Room for one proof: ``given``, ``step``, ``trial`` (E,) of entries; ``slack``, ``need``, ``excess``, ``active``,
    ``paid`` (S,) of caches and ``rule`` (S,) how each is branched; the entries still ``live`` under the rules with
    their ``first``, ``cache``, ``saving`` as in the workspace, and ``base`` (E,); the tree's ``nodes`` (M,) and
    ``credits`` (K, E), and ``root`` (E,) those of its root."""

    given: np.ndarray
    step: np.ndarray
    trial: np.ndarray
    slack: np.ndarray
    need: np.ndarray
    excess: np.ndarray
    active: np.ndarray
    paid: np.ndarray
    rule: np.ndarray
    base: np.ndarray
    live: np.ndarray
    first: np.ndarray
    cache: np.ndarray
    saving: np.ndarray
    numbers: np.ndarray
    nodes: np.ndarray
    credits: np.ndarray
    root: np.ndarray


@kernel
def new_room(ws, most_credits):
    """Room for the proofs of blocks that fit the workspace, with up to ``most_credits`` branches."""
    n_sites, n_entries = len(ws.site), len(ws.best)
    return ProofRoom(
        np.zeros(n_entries),
        np.zeros(n_entries),
        np.zeros(n_entries),
        np.zeros(n_sites),
        np.zeros(n_sites),
        np.zeros(n_sites),
        np.zeros(n_sites),
        np.zeros(n_sites),
        np.zeros(n_sites, dtype=np.uint8),
        np.zeros(n_entries),
        np.zeros(n_entries, dtype=np.int32),
        np.zeros(n_entries + 1, dtype=np.int64),
        np.zeros(len(ws.cache), dtype=np.int32),
        np.zeros(len(ws.cache)),
        np.zeros(1, dtype=np.int64),
        np.zeros((2 * n_sites + 4) * most_credits, dtype=np.int64),
        np.zeros((most_credits, n_entries)),
        np.zeros(n_entries),
    )


@routine
def collect(ws, is_open, room):
    """Lets open caches collect their prices; after ``value_caches``. Writes what is ``given``; returns the deficits.

    An entry gives more up to the point where one more closed cache would begin to be paid, within the slack of those
    that are, its owner's need and the next best open saving; again and again, until nobody can.
    """
    n, n_entries = ws.numbers[0], ws.numbers[1]
    need, slack, given = room.need, room.slack, room.given
    for i in range(n):
        need[i], slack[i] = 0.0, np.inf
        if is_open[i]:
            if not ws.forced[i] and room.rule[i] != FORCED_OPEN:
                need[i] = ws.price[i]
        elif room.rule[i] != FORCED_CLOSED:
            slack[i] = ws.price[i] - ws.gain[i]
    given[:n_entries] = 0.0
    raised = True
    while raised:
        raised = False
        for k in range(n_entries):
            w = ws.winner[k]
            if w < 0 or need[w] <= 0:
                continue
            now = ws.best[k] - given[k]
            floor, allowed = ws.second[k], np.inf
            for p in range(ws.first[k], ws.first[k + 1]):
                i, saving = ws.cache[p], ws.saving[p]
                if is_open[i] or slack[i] == np.inf:
                    continue
                if saving >= now:
                    allowed = min(allowed, slack[i])
                else:
                    floor = max(floor, saving)
                    break
            step = min(min(now - floor, allowed), need[w])
            if step <= 1e-12 * ws.best[k]:
                continue
            for p in range(ws.first[k], ws.first[k + 1]):
                if ws.saving[p] < now:
                    break
                if not is_open[ws.cache[p]]:
                    slack[ws.cache[p]] -= step
            given[k] += step
            need[w] -= step
            raised = True
    deficit = 0.0
    for i in range(n):
        deficit += need[i]
        if not is_open[i] and slack[i] < 0:
            deficit -= slack[i]
    return deficit


@routine
def _compact(ws, room):
    """Lists what the branch's rules leave open: an entry's credit never needs to be below its ``base``, the best saving
    of what is forced open, so only pairs above it with free caches matter. Returns the forced caches' prices."""
    rule, forced_price = room.rule, 0.0
    for i in range(ws.numbers[0]):
        if ws.forced[i]:
            rule[i] = FORCED_OPEN
        if rule[i] == FORCED_OPEN:
            forced_price += ws.price[i]
    n_live, n_pairs = 0, 0
    for k in range(ws.numbers[1]):
        base = 0.0
        for p in range(ws.first[k], ws.first[k + 1]):
            if rule[ws.cache[p]] == FORCED_OPEN:
                base = ws.saving[p]
                break
        room.base[k] = base
        start = n_pairs
        for p in range(ws.first[k], ws.first[k + 1]):
            if ws.saving[p] <= base:
                break
            if rule[ws.cache[p]] == FREE:
                room.cache[n_pairs], room.saving[n_pairs] = ws.cache[p], ws.saving[p]
                n_pairs += 1
        if n_pairs > start:
            room.live[n_live], room.first[n_live] = k, start
            n_live += 1
    room.first[n_live] = n_pairs
    room.numbers[0] = n_live
    return forced_price


@routine
def _bound(ws, room, theta):
    """What the credits of the live entries and their free caches add to D; sets the free caches' ``excess``."""
    n = ws.numbers[0]
    total = 0.0
    for i in range(n):
        room.excess[i] = -ws.price[i]
    for q in range(room.numbers[0]):
        credit = theta[room.live[q]]
        total += credit
        for p in range(room.first[q], room.first[q + 1]):
            if room.saving[p] <= credit:
                break
            room.excess[room.cache[p]] += room.saving[p] - credit
    for i in range(n):
        total += max(room.excess[i], 0.0)
        room.paid[i] = 1.0 if room.excess[i] > 0 else 0.0
    return total


@routine
def _subgradient(room, theta):
    """Writes the subgradient of D into ``step``; returns its square norm."""
    norm = 0.0
    for q in range(room.numbers[0]):
        credit, g = theta[room.live[q]], 1.0
        for p in range(room.first[q], room.first[q + 1]):
            if room.saving[p] <= credit:
                break
            g -= room.paid[room.cache[p]]
        room.step[q] = g
        norm += g * g
    return norm


@routine
def lower_credits(ws, room, credits, target, steps):
    """Improves ``credits`` (E,) by subgradient steps towards ``target``, a value some placement reaches; returns the
    best bound. ``excess`` is that of the best credits, ``active`` how often each free cache paid of late: about what
    the relaxation opens of it (Barahona and Anbil, Mathematical Programming 2000)."""
    n, n_entries = ws.numbers[0], ws.numbers[1]
    constant = -_compact(ws, room)
    n_live = room.numbers[0]
    for k in range(n_entries):
        constant += room.base[k]
        credits[k] = max(credits[k], room.base[k])
    for q in range(n_live):
        constant -= room.base[room.live[q]]
    q = 0
    for k in range(n_entries):
        if q < n_live and room.live[q] == k:
            q += 1
        else:
            credits[k] = room.base[k]
    theta = room.trial
    theta[:n_entries] = credits[:n_entries]
    room.active[:n] = 0.0
    now = constant + _bound(ws, room, theta)
    best, beta, waited = now, 1.0, 0
    for taken in range(steps):
        if best <= target:
            break
        norm = _subgradient(room, theta)
        if norm == 0:
            break
        length = beta * (now - target) / norm
        for q in range(n_live):
            k = room.live[q]
            theta[k] = max(theta[k] - length * room.step[q], room.base[k])
        now = constant + _bound(ws, room, theta)
        for i in range(n):
            room.active[i] += max(LATE, 1.0 / (taken + 1)) * (room.paid[i] - room.active[i])
        if now < best - 1e-3 * (best - target):
            best, waited = now, 0
            credits[:n_entries] = theta[:n_entries]
        else:
            waited += 1
            if waited >= PATIENCE:
                waited, beta = 0, 0.5 * beta
                theta[:n_entries] = credits[:n_entries]
                now = constant + _bound(ws, room, theta)
    return constant + _bound(ws, room, credits)


@kernel
def prove_block(ws, is_open, fixed, flips, room, tolerance, most_credits, start):
    """Bounds the block within ``tolerance`` of its value, or as well as ``most_credits`` branches allow.

    ``is_open``: a good start, replaced by the best found. ``start``: credits (E,) of much the same block to start from,
    or none (0,). Those of the root stay in ``room.root``. The tree goes to ``room.nodes`` in preorder: the cache
    branched on (of the block; open first), or -1 - c at a leaf that the credits ``room.credits[c]`` bound.
    Returns the value, the bound, the number of nodes and of credits that bound leaves.
    """
    n, n_entries = ws.numbers[0], ws.numbers[1]
    value, bound, n_nodes, n_credits = value_caches(ws, is_open), -np.inf, 0, 0
    path, side = np.empty(n + 1, dtype=np.int64), np.empty(n + 1, dtype=np.int64)
    # Waiting branches: depth, cache and side of the last step, the parent's credits; or depth -1 for a leaf.
    stack = np.empty((3 * n + 8, 4), dtype=np.int64)
    current = np.empty(n, dtype=np.bool_)
    stack[0] = (0, -1, FREE, -1)
    waiting = branches = 1
    while waiting:
        waiting -= 1
        depth, parent = stack[waiting, 0], stack[waiting, 3]
        if depth < 0:
            room.nodes[n_nodes] = -1 - parent
            n_nodes += 1
            continue
        branches -= 1
        if depth:
            path[depth - 1], side[depth - 1] = stack[waiting, 1], stack[waiting, 2]
        room.rule[:n] = FREE
        for d in range(depth):
            room.rule[path[d]] = side[d]
        found = _solve_branch(ws, is_open, current, fixed, flips, room)
        credits = room.credits[n_credits]
        if parent < 0 and len(start):
            credits[:n_entries] = start[:n_entries]
        elif parent < 0:
            collect(ws, current, room)
            for k in range(n_entries):
                credits[k] = ws.best[k] - room.given[k]
        else:
            credits[:n_entries] = room.credits[parent, :n_entries]
        if found > value:
            value = found
            is_open[:n] = current
        steps = ROOT_STEPS if parent < 0 and not len(start) else NODE_STEPS
        branch_bound = lower_credits(ws, room, credits, value + 0.5 * tolerance, steps)
        if parent < 0:
            room.root[:n_entries] = credits[:n_entries]
        n_credits += 1
        goal = value + tolerance
        chosen = -1
        if branch_bound > goal and n_credits + branches + 2 <= most_credits:
            chosen = _choose(ws, room, branch_bound, goal)
        if chosen < 0:
            room.nodes[n_nodes] = -n_credits
            n_nodes += 1
            bound = max(bound, branch_bound)
            continue
        for i in range(n):
            if room.rule[i] != FREE or ws.forced[i] or i == chosen:
                continue
            excess = room.excess[i]
            if excess <= 0 and branch_bound + excess <= goal:
                # Open it would be worth too little: a leaf for open, and the search goes on with it closed.
                room.nodes[n_nodes], room.nodes[n_nodes + 1] = i, -n_credits
                n_nodes += 2
                bound = max(bound, branch_bound + excess)
                path[depth], side[depth] = i, FORCED_CLOSED
                depth += 1
            elif excess > 0 and branch_bound - excess <= goal:
                room.nodes[n_nodes] = i
                n_nodes += 1
                bound = max(bound, branch_bound - excess)
                path[depth], side[depth] = i, FORCED_OPEN
                depth += 1
                stack[waiting] = (-1, -1, FREE, n_credits - 1)
                waiting += 1
        room.nodes[n_nodes] = chosen
        n_nodes += 1
        for kind in (FORCED_CLOSED, FORCED_OPEN):
            stack[waiting] = (depth + 1, chosen, kind, n_credits - 1)
            waiting += 1
        branches += 2
    return value, bound, n_nodes, _drop_unused(room, n_nodes, n_credits, n_entries)


@routine
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
            room.credits[n, :n_entries] = room.credits[c, :n_entries]
            n += 1
    for k in range(n_nodes):
        if room.nodes[k] < 0:
            room.nodes[k] = -1 - place[-1 - room.nodes[k]]
    return n


@routine
def _solve_branch(ws, is_open, current, fixed, flips, room):
    """Adds and drops under the branch's rules from the best placement known; returns its value."""
    for i in range(ws.numbers[0]):
        fixed[i] = ws.forced[i] or room.rule[i] != FREE
        current[i] = ws.forced[i] or room.rule[i] == FORCED_OPEN or (is_open[i] and room.rule[i] != FORCED_CLOSED)
    return improve(ws, current, fixed, flips, 0)


@routine
def _choose(ws, room, branch_bound, goal):
    """The cache to branch on: of those the credits do not fix, one that paid in about half of the steps and may serve
    many."""
    best, chosen = -1.0, -1
    for i in range(ws.numbers[0]):
        if room.rule[i] != FREE or ws.forced[i] or branch_bound - abs(room.excess[i]) <= goal:
            continue
        half = min(room.active[i], 1.0 - room.active[i]) + 0.01
        score = half * (ws.turn_first[i + 1] - ws.turn_first[i])
        if score > best:
            best, chosen = score, i
    return chosen
