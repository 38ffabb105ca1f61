"""Proofs of a block's value: serve credits that bound what any placement of the asset could save.

Credits theta[e] >= 0 bound the block of ``cdn.placement.decomposition.blocks`` by weak duality:

    saving  <=  D = sum_e theta[e]  +  sum_i max(0, x[i]),      x[i] = sum_e max(0, saving[e,i] - theta[e]) - price[i]

``collect`` starts from what the open caches save and lets each collect its price from the entries it serves, as long as
no closed cache comes to pay: the dual ascent of Erlenkotter (DUALOC, Operations Research 1978) told from the primal
side. ``lower_credits`` goes on with subgradient steps whose length the block's known value gives (Polyak 1969;
Barahona and Chudak 2005 for facility location), which comes close to the relaxation's value. The rest is the block's
integrality gap and takes branching (``branch_search``).
"""

from dataclasses import dataclass

import numpy as np

from cdn.array_records import ArrayRecord
from cdn.compilation import inlined, routine
from cdn.placement.decomposition.copying import copy_first

FREE, FORCED_OPEN, FORCED_CLOSED = 0, 1, 2
PATIENCE = 8
LATE = 0.05
"""What the last of many steps counts for in the share of steps in which a cache was paid."""


@dataclass(frozen=True, eq=False)
class ProofRoom(ArrayRecord):
    """Room for one proof: ``given``, ``step``, ``trial`` (E,) of entries; ``slack``, ``need``, ``excess``, ``active``,
    ``paid`` (S,) of caches and ``rule`` (S,) how each is branched; the entries still ``live`` under the rules with
    their ``first``, ``cache``, ``saving`` as in the workspace, and ``base`` (E,).

    Of the tree: ``site``, ``above`` (M,) and ``below`` (M, 2) of its nodes while it grows, ``nodes`` (M,) in the end;
    the ``credits`` (K, E) of each branch, its ``leaf``, ``chosen`` (K,) and ``bound`` (K,), and ``root`` (E,), the
    credits of the root."""

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
    site: np.ndarray
    above: np.ndarray
    below: np.ndarray
    nodes: np.ndarray
    credits: np.ndarray
    leaf: np.ndarray
    chosen: np.ndarray
    bound: np.ndarray
    root: np.ndarray


def new_room(ws, most_credits):
    """Room for the proofs of blocks that fit the workspace, with up to ``most_credits`` branches."""
    n_sites, n_entries = len(ws.site), len(ws.best)
    n_nodes = (2 * n_sites + 4) * most_credits
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
        np.zeros(n_nodes, dtype=np.int32),
        np.zeros(n_nodes, dtype=np.int32),
        np.zeros((n_nodes, 2), dtype=np.int32),
        np.zeros(n_nodes, dtype=np.int32),
        np.zeros((most_credits, n_entries)),
        np.zeros(most_credits, dtype=np.int32),
        np.zeros(most_credits, dtype=np.int32),
        np.zeros(most_credits),
        np.zeros(n_entries),
    )


@inlined
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
                elif saving > floor:
                    floor = saving
            step = min(min(now - floor, allowed), need[w])
            if step <= 1e-12 * ws.best[k]:
                continue
            for p in range(ws.first[k], ws.first[k + 1]):
                if not is_open[ws.cache[p]] and ws.saving[p] >= now:
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


@inlined
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
            if ws.saving[p] > base and rule[ws.cache[p]] == FORCED_OPEN:
                base = ws.saving[p]
        room.base[k] = base
        start = n_pairs
        for p in range(ws.first[k], ws.first[k + 1]):
            if ws.saving[p] > base and rule[ws.cache[p]] == FREE:
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
            room.excess[room.cache[p]] += max(room.saving[p] - credit, 0.0)
    for i in range(n):
        total += max(room.excess[i], 0.0)
        room.paid[i] = 1.0 if room.excess[i] > 0 else 0.0
    return total


@inlined
def _subgradient(room, theta):
    """Writes the subgradient of D into ``step``; returns its square norm."""
    norm = 0.0
    for q in range(room.numbers[0]):
        credit, g = theta[room.live[q]], 1.0
        for p in range(room.first[q], room.first[q + 1]):
            g -= room.paid[room.cache[p]] if room.saving[p] > credit else 0.0
        room.step[q] = g
        norm += g * g
    return norm


@routine
def _begin_branch(ws, room, credits):
    """Sets the room up for the branch whose rules are set, and raises ``credits`` (E,) to what is forced open saves.
    Returns what adds to ``_bound``."""
    constant, q = -_compact(ws, room), 0
    for k in range(ws.numbers[1]):
        if q < room.numbers[0] and room.live[q] == k:
            credits[k] = max(credits[k], room.base[k])
            q += 1
        else:
            credits[k] = room.base[k]
            constant += room.base[k]
    return constant


@inlined
def recall_credits(ws, room, credits):
    """Sets the ``excess`` of the free caches at the credits (E,) of the branch whose rules are set."""
    _begin_branch(ws, room, credits)
    _bound(ws, room, credits)


@inlined
def lower_credits(ws, room, credits, target, steps):
    """Improves ``credits`` (E,) by subgradient steps towards ``target``, a value some placement reaches; returns the
    best bound. ``excess`` is that of the best credits, ``active`` how often each free cache paid of late: about what
    the relaxation opens of it (Barahona and Anbil, Mathematical Programming 2000)."""
    n, n_entries = ws.numbers[0], ws.numbers[1]
    constant = _begin_branch(ws, room, credits)
    n_live = room.numbers[0]
    theta = room.trial
    copy_first(n_entries, credits, theta)
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
            copy_first(n_entries, theta, credits)
        else:
            waited += 1
            if waited >= PATIENCE:
                waited, beta = 0, 0.5 * beta
                copy_first(n_entries, credits, theta)
                now = constant + _bound(ws, room, theta)
    return constant + _bound(ws, room, credits)
