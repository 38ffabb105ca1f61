"""Room for a block in parts, and what groups of its entries say of a cache."""

from dataclasses import dataclass

import numpy as np

from cdn.array_records import ArrayRecord
from cdn.compilation import inlined, routine, separate
from cdn.placement.decomposition.blocks import Workspace, new_workspace

MOST_GROUPS = 64
ABSENT = -1


@dataclass(frozen=True, eq=False)
class PartRoom(ArrayRecord):
    """Room for one block in parts, up to G = ``MOST_GROUPS`` groups of its entries; group 0 is the rest, where the
    relaxation decides.

    ``group`` (E,) of each entry of the block; the entries by group in ``entry`` (E,) from ``first`` (G + 1,), with
    their ``credits`` (E,). ``charged``, ``best`` (S, G): what a group is charged of each cache of the block; ``opens``
    (S, G): 1 where it opens the cache, ``ABSENT`` where it has no use for it. ``place`` (S,) of the block's caches in
    the part, ``member`` (S,) the other way round; ``current``, ``open_part`` (S,): what is open. ``upper`` (S, G),
    ``home`` (S,), by cache of the problem: what caches outside the block would save each group, and the first group
    that a cache may serve. ``bound`` (G,) of each group as last proved, ``stale`` (G,) where it has changed since.
    ``leader`` (G,) of the groups that hang together, with the leaders' ``gap``, ``norm`` and ``size`` (G,);
    ``cache_leader``, ``cache_size`` (S,): the same of caches.
    """

    group: np.ndarray
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
    home: np.ndarray
    bound: np.ndarray
    stale: np.ndarray
    leader: np.ndarray
    gap: np.ndarray
    norm: np.ndarray
    size: np.ndarray
    cache_leader: np.ndarray
    cache_size: np.ndarray


def new_part_room(sizes: tuple[int, int, int]) -> tuple[PartRoom, Workspace]:
    """Room for blocks of these ``block_sizes``, and a workspace for their parts."""
    n_sites, most_entries, _ = sizes
    by_group = (n_sites, MOST_GROUPS)
    room = PartRoom(
        group=np.zeros(most_entries, dtype=np.int64),
        entry=np.zeros(most_entries, dtype=np.int64),
        credits=np.zeros(most_entries),
        first=np.zeros(MOST_GROUPS + 1, dtype=np.int64),
        charged=np.zeros(by_group),
        best=np.zeros(by_group),
        opens=np.full(by_group, ABSENT, dtype=np.int8),
        place=np.full(n_sites, -1, dtype=np.int64),
        member=np.zeros(n_sites, dtype=np.int64),
        current=np.zeros(n_sites, dtype=np.bool_),
        open_part=np.zeros(n_sites, dtype=np.bool_),
        upper=np.zeros(by_group),
        home=np.zeros(n_sites, dtype=np.int64),
        bound=np.zeros(MOST_GROUPS),
        stale=np.zeros(MOST_GROUPS, dtype=np.bool_),
        leader=np.zeros(MOST_GROUPS, dtype=np.int64),
        gap=np.zeros(MOST_GROUPS),
        norm=np.zeros(MOST_GROUPS),
        size=np.zeros(MOST_GROUPS, dtype=np.int64),
        cache_leader=np.zeros(n_sites, dtype=np.int64),
        cache_size=np.zeros(n_sites, dtype=np.int64),
    )
    return room, new_workspace(*sizes)


@separate
def list_groups(ws, parts):
    """Lists the block's entries by their ``group``. Returns how many parts it falls into: one where a cache must store
    the asset, whose price no group may save."""
    for i in range(ws.numbers[0]):
        if ws.forced[i]:
            return 1
    first, entry = parts.first, parts.entry
    first[:] = 0
    n_entries = ws.numbers[1]
    for k in range(n_entries):
        first[parts.group[k] + 1] += 1
    n_used = 0
    for g in range(MOST_GROUPS):
        n_used += first[g + 1] > 0
        first[g + 1] += first[g]
    for k in range(n_entries - 1, -1, -1):
        g = parts.group[k] + 1
        first[g] -= 1
        entry[first[g]] = k
    for g in range(MOST_GROUPS):
        first[g] = first[g + 1]
    first[MOST_GROUPS] = n_entries
    return n_used


@routine
def count_opening(opens):
    """How many groups open a cache, and how many have a use for it."""
    using = opening = 0
    for g in range(len(opens)):
        using += opens[g] != ABSENT
        opening += opens[g] == 1
    return opening, using


@inlined
def is_disputed(opens):
    """Whether some of the groups that have a use for a cache open it and others do not."""
    opening, using = count_opening(opens)
    return opening > 0 and opening < using


@routine
def leader_of(leader, one):
    """The leader of all that one hangs together with."""
    while leader[one] != one:
        leader[one] = leader[leader[one]]
        one = leader[one]
    return one


@routine
def join_if_small(leader, size, one, other, most):
    """Makes what two hang together with one, where that has at most so many members. Returns whether it is new."""
    a, b = leader_of(leader, one), leader_of(leader, other)
    if a == b or size[a] + size[b] > most:
        return False
    leader[b] = a
    size[a] += size[b]
    return True


@separate
def join_disputing(ws, parts, lowest, most):
    """Gives groups, from ``lowest`` on, that dispute a cache one ``leader``, where that has at most so many entries.
    Returns how many caches are disputed, and whether any groups were joined."""
    leader, size, n_disputed, joined = parts.leader, parts.size, 0, False
    for g in range(MOST_GROUPS):
        leader[g], size[g] = g, parts.first[g + 1] - parts.first[g]
    for i in range(ws.numbers[0]):
        opens, first = parts.opens[i], -1
        if not is_disputed(opens):
            continue
        n_disputed += 1
        for g in range(lowest, MOST_GROUPS):
            if opens[g] == ABSENT:
                continue
            if first < 0:
                first = g
            else:
                joined |= join_if_small(leader, size, first, g, most)
    return n_disputed, joined
