"""Blocks in parts: groups of entries decide alone, and shares of the prices of caches they have in common bring them
together.

Lagrangian decomposition (Guignard and Kim, Mathematical Programming 1987): each group gets copies of its own of the
caches, and the price of a cache is dealt out over the groups it may serve (``charges``). What the groups save by
themselves then bounds what the block saves. A group is small, and starts from the credits and caches it had before;
groups that do not come to agree on a cache become one (``groups``).
"""

import numpy as np

from cdn.compilation import routine, separate
from cdn.placement.decomposition.blocks import UNDECIDED, list_entries_of_caches
from cdn.placement.decomposition.branch_search import prove_block
from cdn.placement.decomposition.charges import charge_as_best, charge_by_credits, charge_disputing
from cdn.placement.decomposition.copying import copy_first
from cdn.placement.decomposition.groups import REST, merge_disputing
from cdn.placement.decomposition.local_search import improve
from cdn.placement.decomposition.part_room import ABSENT, MOST_GROUPS, count_opening, list_groups

MOST_TURNS, PATIENCE = 4, 2
PART_BRANCHES = 24


@routine
def _load_part(ws, part, parts, charged, g):
    """Sets up the block of one group, ``charged`` (S, G) for the caches; returns how many caches it has."""
    place, n, n_pairs = parts.place, 0, 0
    begin = parts.first[g]
    for q in range(begin, parts.first[g + 1]):
        k = parts.entry[q]
        part.entry[q - begin], part.first[q - begin] = ws.entry[k], n_pairs
        for p in range(ws.first[k], ws.first[k + 1]):
            i = ws.cache[p]
            if place[i] < 0:
                place[i] = n
                part.site[n], part.price[n], parts.member[n] = ws.site[i], charged[i, g], i
                part.forced[n], part.state[n] = False, UNDECIDED
                n += 1
            part.cache[n_pairs], part.saving[n_pairs] = place[i], ws.saving[p]
            n_pairs += 1
    n_entries = parts.first[g + 1] - begin
    part.first[n_entries] = n_pairs
    part.numbers[0], part.numbers[1] = n, n_entries
    for j in range(n):
        place[parts.member[j]] = -1
    list_entries_of_caches(part)
    return n


@separate
def prove_part(ws, part, room, parts, charged, g, fixed, flips, tolerance, most_credits):
    """Proves the block of one group as ``prove_block`` does, from what it opened and the credits it had before, within
    its share of the block's ``tolerance``. The rest, where the relaxation decides, has credits and no cases."""
    n, begin = _load_part(ws, part, parts, charged, g), parts.first[g]
    n_entries = part.numbers[1]
    for j in range(n):
        parts.open_part[j] = parts.opens[parts.member[j], g] == 1
    start = parts.credits[begin : begin + n_entries]
    allowed, most = tolerance * n_entries / ws.numbers[1], 1 if g == REST else most_credits
    found = prove_block(part, parts.open_part, fixed, flips, room, allowed, most, start)
    copy_first(n_entries, room.root, start)
    for j in range(n):
        parts.opens[parts.member[j], g] = parts.open_part[j]
    return found


@routine
def _prove_parts(ws, part, room, parts, fixed, flips, tolerance):
    """Each group by itself that has changed since it was last proved; returns the sum of all groups' bounds."""
    total = 0.0
    for g in range(MOST_GROUPS):
        if parts.first[g] == parts.first[g + 1]:
            continue
        if parts.stale[g]:
            found = prove_part(ws, part, room, parts, parts.charged, g, fixed, flips, tolerance, PART_BRANCHES)
            parts.bound[g], parts.stale[g] = found[1], False
        total += parts.bound[g]
    return total


@routine
def _join(ws, parts, is_open, fixed, flips, value, share):
    """Opens what at least a ``share`` of the groups open, then adds and drops; keeps it where that saves more than
    ``value``. Returns the better saving."""
    n = ws.numbers[0]
    for i in range(n):
        opening, using = count_opening(parts.opens[i])
        parts.current[i], fixed[i] = opening > 0 and opening >= share * using, False
    found = improve(ws, parts.current, fixed, flips, 0)
    if found > value:
        copy_first(n, parts.current, is_open)
    return max(found, value)


@separate
def _regroup(ws, part, room, parts, fixed, flips, tolerance):
    """Merges groups that disagree at the best charges. Returns whether there are any that may become one."""
    charge_as_best(ws, parts)
    _prove_parts(ws, part, room, parts, fixed, flips, tolerance)
    if not merge_disputing(ws, parts, room.root):
        return False
    list_groups(ws, parts)
    for q in range(ws.numbers[1]):
        parts.credits[q] = room.root[parts.entry[q]]
    return True


@routine
def _keep_charges(n, parts):
    """The charges of the block's caches are the best known."""
    for i in range(n):
        copy_first(MOST_GROUPS, parts.charged[i], parts.best[i])


@separate
def settle_parts(ws, part, room, parts, is_open, fixed, flips, value, tolerance):
    """Regroups and deals prices out until the groups' bounds together come near what the block saves, or as near as
    they come; what the groups are charged is then in ``best``. ``is_open`` is replaced by better placements met on the
    way.

    After ``list_groups``, with the credits of the block's relaxation in ``room.root``. Returns value and bound.
    """
    n = ws.numbers[0]
    for q in range(ws.numbers[1]):
        parts.credits[q] = room.root[parts.entry[q]]
    charge_by_credits(ws, parts, room.root)
    for i in range(n):
        for g in range(MOST_GROUPS):
            if parts.opens[i, g] != ABSENT:
                parts.opens[i, g] = is_open[i]
    parts.stale[:] = True
    least, beta, waited = np.inf, 1.0, 0
    for turn in range(MOST_TURNS):
        bound = _prove_parts(ws, part, room, parts, fixed, flips, tolerance)
        value = _join(ws, parts, is_open, fixed, flips, value, 0.5)
        value = _join(ws, parts, is_open, fixed, flips, value, 0.0)
        if least == np.inf or bound < least - 1e-3 * max(least - value, 0.0):
            least, waited = bound, 0
            _keep_charges(n, parts)
        else:
            waited += 1
            if waited == PATIENCE:
                waited, beta = 0, 0.5 * beta
                charge_as_best(ws, parts)
                _prove_parts(ws, part, room, parts, fixed, flips, tolerance)
        if least <= value + tolerance or turn == MOST_TURNS - 1:
            break
        if _regroup(ws, part, room, parts, fixed, flips, tolerance):
            _keep_charges(n, parts)
        elif not charge_disputing(ws, parts, is_open, beta):
            break
    fixed[:n] = False
    return max(value, improve(ws, is_open, fixed, flips, 1)), least
