"""Blocks in parts: the regions' groups decide alone, and shares of the prices of caches they have in common bring them
together.

Lagrangian decomposition (Guignard and Kim, Mathematical Programming 1987): each group gets copies of its own of the
caches, and price[i] is dealt out over the groups that cache i may serve. What the groups save by themselves then bounds
what the block saves. The credits of the block's relaxation say how to deal out at first: each group pays what its
entries gain beyond their credits. After that a group that opens a cache others leave closed is charged more of it
(subgradient steps as long as Polyak's). A group is small, and starts from the credits and caches it had before.
"""

from typing import NamedTuple

import numpy as np

from cdn.compilation import kernel, routine
from cdn.placement.decomposition.blocks import UNDECIDED, Workspace, list_entries_of_caches, new_workspace
from cdn.placement.decomposition.groups import home_groups
from cdn.placement.decomposition.local_search import improve, value_caches
from cdn.placement.decomposition.proofs import prove_block
from cdn.placement.decomposition.tables import BlockTables

MOST_TURNS, PATIENCE = 6, 2
PART_TOLERANCE, PART_BRANCHES = 0.25, 16
ABSENT = -1


class PartRoom(NamedTuple):
    """Room for one block in parts, G groups.

    ``region_group`` (R,), ``home_group`` (S,); the block's entries group by group in ``entry`` (E,) from ``first``
    (G + 1,), with their ``credits`` (E,). ``charged``, ``best`` (S, G): what a group is charged of each cache of the
    block; ``opens`` (S, G): 1 where it opens the cache, ``ABSENT`` where it has no use for it. ``place`` (S,) of the
    block's caches in the part, ``member`` (S,) the other way round; ``current``, ``open_part`` (S,): what is open.
    ``upper`` (S, G), by cache of the problem: what caches outside the block would save each group. ``bound`` (G,) of
    each group as last proved, ``stale`` (G,) where it has been charged otherwise since. ``leader`` (G,) of the groups
    that hang together by disputed caches, with the leaders' ``gap`` and ``norm`` (G,).
    """

    region_group: np.ndarray
    home_group: np.ndarray
    entry: np.ndarray
    credits: np.ndarray
    first: np.ndarray
    charged: np.ndarray
    best: np.ndarray
    opens: np.ndarray
    place: np.ndarray
    member: np.ndarray
    current: np.ndarray
    open_part: np.ndarray
    upper: np.ndarray
    bound: np.ndarray
    stale: np.ndarray
    leader: np.ndarray
    gap: np.ndarray
    norm: np.ndarray


def new_part_room(
    tables: BlockTables, groups: np.ndarray, sizes: tuple[int, int, int]
) -> tuple[PartRoom, Workspace]:
    """Room for blocks of these ``block_sizes`` and ``groups`` of regions (R,), and a workspace for their parts."""
    n_sites, most_entries, _ = sizes
    n_groups = int(groups.max(initial=0)) + 1
    room = PartRoom(
        groups,
        home_groups(tables, groups),
        np.zeros(most_entries, dtype=np.int64),
        np.zeros(most_entries),
        np.zeros(n_groups + 1, dtype=np.int64),
        np.zeros((n_sites, n_groups)),
        np.zeros((n_sites, n_groups)),
        np.full((n_sites, n_groups), ABSENT, dtype=np.int8),
        np.full(n_sites, -1, dtype=np.int64),
        np.zeros(n_sites, dtype=np.int64),
        np.zeros(n_sites, dtype=np.bool_),
        np.zeros(n_sites, dtype=np.bool_),
        np.zeros((n_sites, n_groups)),
        np.zeros(n_groups),
        np.zeros(n_groups, dtype=np.bool_),
        np.zeros(n_groups, dtype=np.int64),
        np.zeros(n_groups),
        np.zeros(n_groups),
    )
    return room, new_workspace(*sizes)


@kernel
def list_groups(tables, ws, parts):
    """Lists the block's entries by group. Returns how many parts it falls into: one where a cache must store the asset,
    whose price no group may save."""
    for i in range(ws.numbers[0]):
        if ws.forced[i]:
            return 1
    first, entry = parts.first, parts.entry
    first[:] = 0
    n_entries = ws.numbers[1]
    for k in range(n_entries):
        first[parts.region_group[tables.region[ws.entry[k]]] + 1] += 1
    n_used = 0
    for g in range(len(first) - 1):
        n_used += first[g + 1] > 0
        first[g + 1] += first[g]
    for k in range(n_entries - 1, -1, -1):
        g = parts.region_group[tables.region[ws.entry[k]]] + 1
        first[g] -= 1
        entry[first[g]] = k
    for g in range(len(first) - 1):
        first[g] = first[g + 1]
    first[-1] = n_entries
    return n_used


@routine
def load_part(ws, part, parts, charged, g):
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


@routine
def _charge_by_credits(tables, ws, parts, credits):
    """Deals each price out by what the groups' entries gain beyond their credits, or evenly where none does."""
    charged, opens = parts.charged, parts.opens
    charged[: ws.numbers[0]], opens[: ws.numbers[0]] = 0.0, ABSENT
    for k in range(ws.numbers[1]):
        g = parts.region_group[tables.region[ws.entry[k]]]
        for p in range(ws.first[k], ws.first[k + 1]):
            opens[ws.cache[p], g] = 0
    for k in range(ws.numbers[1]):
        g = parts.region_group[tables.region[ws.entry[k]]]
        for p in range(ws.first[k], ws.first[k + 1]):
            charged[ws.cache[p], g] += max(ws.saving[p] - credits[k], 0.0)
    for i in range(ws.numbers[0]):
        _deal_out(ws.price[i], charged[i], opens[i])


@routine
def _deal_out(price, charged, opens):
    """Scales what the groups that have a use for a cache are charged to its price; evenly where that is nothing."""
    total, n = 0.0, 0
    for g in range(len(charged)):
        if opens[g] != ABSENT:
            total += charged[g]
            n += 1
    for g in range(len(charged)):
        if opens[g] != ABSENT:
            charged[g] = price * (charged[g] / total if total > 0 else 1 / n)


@routine
def prove_part(ws, part, room, parts, charged, g, fixed, flips, tolerance, most_credits):
    """Proves the block of one group as ``prove_block`` does, from what it opened and the credits it had before, within
    its share of the block's ``tolerance``."""
    n, begin = load_part(ws, part, parts, charged, g), parts.first[g]
    n_entries = part.numbers[1]
    for j in range(n):
        parts.open_part[j], fixed[j] = parts.opens[parts.member[j], g] == 1, False
    improve(part, parts.open_part, fixed, flips, 1)
    start = parts.credits[begin : begin + n_entries]
    allowed = PART_TOLERANCE * tolerance * n_entries / ws.numbers[1]
    found = prove_block(part, parts.open_part, fixed, flips, room, allowed, most_credits, start)
    start[:] = room.root[:n_entries]
    for j in range(n):
        parts.opens[parts.member[j], g] = parts.open_part[j]
    return found


@routine
def _prove_parts(ws, part, room, parts, fixed, flips, tolerance):
    """Each group by itself that is charged otherwise than when last proved; returns the sum of all groups' bounds."""
    total = 0.0
    for g in range(len(parts.first) - 1):
        if parts.first[g] == parts.first[g + 1]:
            continue
        if parts.stale[g]:
            found = prove_part(ws, part, room, parts, parts.charged, g, fixed, flips, tolerance, PART_BRANCHES)
            parts.bound[g], parts.stale[g] = found[1], False
        total += parts.bound[g]
    return total


@routine
def _charge_as_best(ws, parts):
    for i in range(ws.numbers[0]):
        for g in range(parts.opens.shape[1]):
            if parts.opens[i, g] != ABSENT and parts.charged[i, g] != parts.best[i, g]:
                parts.charged[i, g] = parts.best[i, g]
                parts.stale[g] = True


@routine
def _count_opening(opens):
    """How many groups open a cache, and how many have a use for it."""
    using = opening = 0
    for g in range(len(opens)):
        using += opens[g] != ABSENT
        opening += opens[g] == 1
    return opening, using


@routine
def _join(ws, parts, is_open, fixed, flips, value, share):
    """Opens what at least a ``share`` of the groups open, then adds and drops; keeps it where that saves more than
    ``value``. Returns the better saving."""
    n = ws.numbers[0]
    for i in range(n):
        opening, using = _count_opening(parts.opens[i])
        parts.current[i], fixed[i] = opening > 0 and opening >= share * using, False
    found = improve(ws, parts.current, fixed, flips, 0)
    if found > value:
        is_open[:n] = parts.current[:n]
    return max(found, value)


@routine
def _is_disputed(opens):
    """Whether some of the groups that have a use for a cache open it and others do not."""
    opening, using = _count_opening(opens)
    return opening > 0 and opening < using


@routine
def _leader_of(leader, g):
    while leader[g] != g:
        leader[g] = leader[leader[g]]
        g = leader[g]
    return g


@routine
def _link_disputing(ws, parts):
    """Groups that hang together by disputed caches get one ``leader``; returns how many caches are disputed."""
    leader, disputed = parts.leader, 0
    for g in range(len(leader)):
        leader[g] = g
    for i in range(ws.numbers[0]):
        opens, first = parts.opens[i], -1
        if not _is_disputed(opens):
            continue
        disputed += 1
        for g in range(len(opens)):
            if opens[g] != ABSENT:
                if first >= 0:
                    leader[_leader_of(leader, g)] = _leader_of(leader, first)
                first = g
    return disputed


@routine
def _sum_gaps(ws, parts, is_open):
    """Adds up, by leader, how far the groups' bounds are above their parts of what ``is_open`` saves."""
    gap = parts.gap
    gap[:] = 0.0
    value_caches(ws, is_open)
    for g in range(len(gap)):
        if parts.first[g] == parts.first[g + 1]:
            continue
        own = parts.bound[g]
        for q in range(parts.first[g], parts.first[g + 1]):
            own -= ws.best[parts.entry[q]]
        for i in range(ws.numbers[0]):
            if is_open[i] and parts.opens[i, g] != ABSENT:
                own += parts.charged[i, g]
        gap[_leader_of(parts.leader, g)] += own


@routine
def _charge_disputing(ws, parts, is_open, beta):
    """Charges the groups that open a disputed cache more of it, and the others less: subgradient steps, for groups that
    hang together each as long as their own gap says. Returns whether any cache is disputed."""
    if _link_disputing(ws, parts) == 0:
        return False
    _sum_gaps(ws, parts, is_open)
    leader, norm = parts.leader, parts.norm
    norm[:] = 0.0
    for push in range(2):
        for i in range(ws.numbers[0]):
            opens, charged = parts.opens[i], parts.charged[i]
            opening, using = _count_opening(opens)
            if opening == 0 or opening == using:
                continue
            some = 0
            while opens[some] == ABSENT:
                some += 1
            mean, top = opening / using, _leader_of(leader, some)
            if not push:
                norm[top] += opening * (1 - mean) ** 2 + (using - opening) * mean**2
                continue
            step = beta * max(parts.gap[top], 0.0) / norm[top]
            for g in range(len(opens)):
                if opens[g] != ABSENT:
                    charged[g] = max(charged[g] + step * (opens[g] - mean), 0.0)
                    parts.stale[g] = True
            _deal_out(ws.price[i], charged, opens)
    return True


@kernel
def settle_parts(tables, ws, part, room, parts, is_open, fixed, flips, value, tolerance):
    """Deals prices out until the groups' bounds together come near what the block saves, or as near as they come; what
    the groups are charged is then in ``best``. ``is_open`` is replaced by better placements met on the way.

    After ``list_groups``, with the credits of the block's relaxation in ``room.root``. Returns value and bound.
    """
    for q in range(ws.numbers[1]):
        parts.credits[q] = room.root[parts.entry[q]]
    _charge_by_credits(tables, ws, parts, room.root)
    for i in range(ws.numbers[0]):
        for g in range(parts.opens.shape[1]):
            if parts.opens[i, g] != ABSENT:
                parts.opens[i, g] = is_open[i]
    parts.stale[:] = True
    n, least, beta, waited = ws.numbers[0], np.inf, 1.0, 0
    for _ in range(MOST_TURNS):
        bound = _prove_parts(ws, part, room, parts, fixed, flips, tolerance)
        value = _join(ws, parts, is_open, fixed, flips, value, 0.5)
        value = _join(ws, parts, is_open, fixed, flips, value, 0.0)
        if least == np.inf or bound < least - 1e-3 * max(least - value, 0.0):
            least, waited = bound, 0
            parts.best[:n] = parts.charged[:n]
        else:
            waited += 1
            if waited == PATIENCE:
                waited, beta = 0, 0.5 * beta
                _charge_as_best(ws, parts)
                _prove_parts(ws, part, room, parts, fixed, flips, tolerance)
        if least <= value + tolerance:
            break
        if not _charge_disputing(ws, parts, is_open, beta):
            break
    fixed[:n] = False
    return max(value, improve(ws, is_open, fixed, flips, 1)), least
