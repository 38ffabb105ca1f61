"""Which caches of a block to open, without proof: rules, then local search.

The saving is a submodular function of what is open, so two rules decide many caches outright (Cherenin 1962; Khumawala,
Management Science 1972): a cache that does not pay with nobody else but what is open *closes*; one that pays even with
everybody not closed open *opens*. What is left is settled by flipping caches, others following where that pays.
"""

import numpy as np

from cdn.compilation import inlined, routine, separate
from cdn.placement.decomposition.bits import has_bit, set_bit
from cdn.placement.decomposition.blocks import CLOSED, IS_STORED, OPEN, UNDECIDED
from cdn.placement.decomposition.swapping import is_wide, note_margins, swap_and_kick
from cdn.placement.decomposition.valuing import flip, value_caches

MOST_OPEN_AT_FIRST = 40
KICKS = 4
"""Of a wide block, in place of a round of flips."""


@separate
def decide_by_rules(ws):
    """Opens and closes what the two rules decide; returns how many caches stay undecided."""
    n, n_entries = ws.numbers[0], ws.numbers[1]
    while True:
        undecided = 0
        for i in range(n):
            ws.gain[i], ws.loss[i] = 0.0, 0.0
            undecided += ws.state[i] == UNDECIDED
        if undecided == 0:
            return 0
        for k in range(n_entries):
            base, best, second, winner = 0.0, 0.0, 0.0, -1
            for p in range(ws.first[k], ws.first[k + 1]):
                i, saving = ws.cache[p], ws.saving[p]
                if ws.state[i] == CLOSED:
                    continue
                if ws.state[i] == OPEN and saving > base:
                    base = saving
                if saving > best:
                    second, best, winner = best, saving, i
                elif saving > second:
                    second = saving
            if winner >= 0:
                ws.loss[winner] += best - second
            for p in range(ws.first[k], ws.first[k + 1]):
                if ws.saving[p] > base and ws.state[ws.cache[p]] == UNDECIDED:
                    ws.gain[ws.cache[p]] += ws.saving[p] - base
        changed = False
        for i in range(n):
            if ws.state[i] == UNDECIDED:
                if ws.gain[i] <= ws.price[i]:
                    ws.state[i], changed = CLOSED, True
                elif ws.loss[i] >= ws.price[i]:
                    ws.state[i], changed = OPEN, True
        if not changed:
            return undecided


@inlined
def _pays(ws, is_open, i):
    """What the block's saving gains where a cache is flipped."""
    return ws.price[i] - ws.loss[i] if is_open[i] else ws.gain[i] - ws.price[i]


@routine
def _best_flip(ws, is_open, fixed, least):
    """The cache that pays most, and more than ``least``; -1 where there is none."""
    best, move = least, -1
    for i in range(ws.numbers[0]):
        if not fixed[i]:
            gain = _pays(ws, is_open, i)
            if gain > best:
                best, move = gain, i
    return move


@routine
def _best_flip_near(ws, is_open, fixed, least, flips, n_flips):
    """The same where none paid before these flips: of the caches of entries for which a flip mattered. The last of an
    entry's flips that did is its best or second saving, or was."""
    best, move = least, -1
    for f in range(n_flips):
        flipped = flips[f]
        for q in range(ws.turn_first[flipped], ws.turn_first[flipped + 1]):
            k = ws.turn_entry[q]
            if ws.turn_saving[q] < ws.second[k]:
                continue
            for p in range(ws.first[k], ws.first[k + 1]):
                i = ws.cache[p]
                if not fixed[i]:
                    gain = _pays(ws, is_open, i)
                    if gain > best or (gain == best and i < move):
                        best, move = gain, i
    return move


@inlined
def _are_near(ws, flips, n_flips):
    """Whether the caches of the flips' entries are fewer than all."""
    n_entries = 0
    for f in range(n_flips):
        n_entries += ws.turn_first[flips[f] + 1] - ws.turn_first[flips[f]]
    return n_entries * ws.first[ws.numbers[1]] < ws.numbers[0] * ws.numbers[1]


@routine
def descend(ws, is_open, fixed, tiny, flips, n_flips):
    """Adds and drops single caches that are not ``fixed``, best first, until none pays. Where flips are noted already,
    none paid before those. Notes the flips; returns what the saving gained and how many flips are noted."""
    more, was_settled = 0.0, n_flips > 0
    while True:
        if was_settled and _are_near(ws, flips, n_flips):
            move = _best_flip_near(ws, is_open, fixed, tiny, flips, n_flips)
        else:
            move = _best_flip(ws, is_open, fixed, tiny)
        if move < 0 or n_flips >= len(flips):
            return more, n_flips
        more += flip(ws, is_open, move)
        flips[n_flips] = move
        n_flips += 1


@separate
def improve(ws, is_open, fixed, flips, rounds):
    """Local search from ``is_open``: adds and drops; then each cache in turn is flipped and held while the others
    follow, and flipped back if that does not pay: swaps, and a mid for several edges or the other way round.

    Up to ``rounds`` rounds over the caches. Returns the block's saving; all of ``value_caches`` fits.
    """
    total = value_caches(ws, is_open)
    scale = 1.0
    for k in range(ws.numbers[1]):
        scale += ws.best[k]
    tiny = 1e-13 * scale
    more, n_flips = descend(ws, is_open, fixed, tiny, flips, 0)
    total += more
    n, still, i = ws.numbers[0], 0, 0
    for _ in range(rounds * n):
        if still >= n:
            break
        if not fixed[i]:
            fixed[i] = True
            flips[0] = i
            more = flip(ws, is_open, i)
            follow, n_flips = descend(ws, is_open, fixed, tiny, flips, 1)
            fixed[i] = False
            ws.margin[i] = -(more + follow)
            if more + follow > tiny:
                total += more + follow + descend(ws, is_open, fixed, tiny, flips, 0)[0]
                still = 0
            else:
                for q in range(n_flips - 1, -1, -1):
                    flip(ws, is_open, flips[q])
        still += 1
        i = i + 1 if i + 1 < n else 0
    return total


@inlined
def _single_margins(ws, is_open, which):
    """``margin`` of the caches in ``which``: what flipping one alone would cost."""
    for i in range(ws.numbers[0]):
        if which[i]:
            ws.margin[i] = ws.loss[i] - ws.price[i] if is_open[i] else ws.price[i] - ws.gain[i]


@separate
def solve_block(ws, is_open, fixed, flips, row, rounds):
    """Which caches of a loaded block to open: what the rules decide, the rest by local search, starting from
    everything, or where that would be long to close again from ``row``, a bit for each cache that was open before.
    Returns the block's saving; all of ``value_caches`` fits ``is_open``."""
    n = ws.numbers[0]
    if is_wide(ws):
        _start_from(ws, is_open, fixed, row)
        total = swap_and_kick(ws, is_open, fixed, KICKS * rounds)
        note_margins(ws, is_open)
        return total
    undecided = decide_by_rules(ws)
    for i in range(n):
        is_open[i] = ws.state[i] == OPEN
        if ws.state[i] == UNDECIDED:
            is_open[i] = undecided <= MOST_OPEN_AT_FIRST or has_bit(row, ws.site[i])
        fixed[i] = ws.state[i] != UNDECIDED
    total = value_caches(ws, is_open) if undecided == 0 else improve(ws, is_open, fixed, flips, rounds)
    _single_margins(ws, is_open, fixed)
    return total


@routine
def _start_from(ws, is_open, fixed, row):
    """Opens what was open before, a bit each in ``row``, and fixes what is forced."""
    for i in range(ws.numbers[0]):
        is_open[i] = ws.forced[i] or has_bit(row, ws.site[i])
        fixed[i] = ws.forced[i]


@separate
def resolve_block(ws, is_open, fixed, flips, row, rounds):
    """The same from where an earlier pass left off: ``row`` has a bit per cache of the problem."""
    _start_from(ws, is_open, fixed, row)
    if is_wide(ws):
        return swap_and_kick(ws, is_open, fixed, KICKS * rounds)
    return improve(ws, is_open, fixed, flips, rounds)


@routine
def keep_open(ws, is_open, row):
    """Writes the open caches into ``row``, a bit each."""
    row[:] = np.uint64(0)
    for i in range(ws.numbers[0]):
        if is_open[i]:
            set_bit(row, ws.site[i])


@separate
def add_use(tables, ws, asset, is_open, weight, use):
    """Adds what the open caches of a loaded block use, ``weight`` times: (2, S) storage and fill."""
    weighted_bytes = weight * tables.size_bytes[asset]
    for i in range(ws.numbers[0]):
        if is_open[i]:
            s = ws.site[i]
            use[0, s] += weighted_bytes
            if not ws.flags[s] & IS_STORED:
                use[1, s] += weighted_bytes
