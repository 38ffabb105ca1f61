"""Groups of a block's entries: where the relaxation leaves caches undecided, the entries that pay for them.

At the credits of the relaxation most caches are decided: paid in full or not worth their price, and nothing is lost
there. What is lost comes from a few caches here and a few there, half of each of three, say. Entries that pay for
undecided caches together become a group, small enough to be proved case by case; all others are the rest (group 0).
Where groups turn out to dispute a cache all the same, they become one, and entries of the rest that pay for a cache
which the rest disputes go over to the other group.
"""

from cdn.compilation import routine, separate
from cdn.placement.decomposition.charges import deal_out
from cdn.placement.decomposition.part_room import (
    ABSENT,
    MOST_GROUPS,
    join_disputing,
    join_if_small,
    leader_of,
    list_groups,
)

UNDECIDED = 0.05
"""A cache that was paid in at least this share of the late steps, and not paid in as many, is undecided."""
MOST_CACHES, MOST_ENTRIES = 10, 50
"""Of a group to begin with, and of one that other groups and entries have joined."""
REST = 0


@separate
def group_entries(ws, room, parts, is_open):
    """Sets the ``group`` of each entry of a block whose relaxation is in ``room``, and lists the entries by it. Returns
    how many parts the block falls into."""
    cache_leader = parts.cache_leader
    for i in range(ws.numbers[0]):
        paid = room.active[i]
        undecided = UNDECIDED < paid < 1 - UNDECIDED or is_open[i] != (paid > 0.5)
        cache_leader[i], parts.cache_size[i] = i if undecided else -1, 1
    for k in range(ws.numbers[1]):
        parts.group[k] = _first_undecided(ws, parts, room.root[k], k)
    number, n_groups = parts.place, 0
    for k in range(ws.numbers[1]):
        if parts.group[k] < 0:
            parts.group[k] = REST
            continue
        top = leader_of(cache_leader, parts.group[k])
        if number[top] < 0:
            # The groups that are too many for their room share numbers: larger than need be, and as true.
            number[top] = 1 + n_groups % (MOST_GROUPS - 1)
            n_groups += 1
        parts.group[k] = number[top]
    number[: ws.numbers[0]] = -1
    return list_groups(ws, parts)


@routine
def _first_undecided(ws, parts, credit, k):
    """The first undecided cache that an entry pays for at its credit, or -1; joins the others it pays for to that."""
    first = -1
    for p in range(ws.first[k], ws.first[k + 1]):
        i = ws.cache[p]
        if parts.cache_leader[i] < 0 or ws.saving[p] <= credit:
            continue
        if first < 0:
            first = i
        else:
            join_if_small(parts.cache_leader, parts.cache_size, first, i, MOST_CACHES)
    return first


@separate
def merge_disputing(ws, parts, by_entry):
    """Makes one group of groups that dispute a cache, and lets entries of the rest join. ``by_entry`` (E,) takes the
    entries' credits. Returns whether anything changed; ``list_groups`` is then to be called anew."""
    merged = join_disputing(ws, parts, REST + 1, MOST_ENTRIES)[1]
    leader = parts.leader
    for g in range(MOST_GROUPS):
        for q in range(parts.first[g], parts.first[g + 1]):
            k = parts.entry[q]
            by_entry[k] = parts.credits[q]
            parts.group[k] = leader_of(leader, g)
    moved = False
    for i in range(ws.numbers[0]):
        to = _adversary_of_rest(parts, i)
        if to != REST:
            moved |= _move_payers(ws, parts, by_entry, i, to)
    for g in range(1, MOST_GROUPS):
        to = leader_of(leader, g)
        if to != g:
            _merge_charges(ws, parts, g, to)
    if moved:
        _leave_unused(ws, parts)
    return merged or moved


@routine
def _adversary_of_rest(parts, i):
    """The leader of the first group that decides otherwise on a cache than the rest; ``REST`` where there is none."""
    opens = parts.opens[i]
    if opens[REST] != ABSENT:
        for g in range(1, MOST_GROUPS):
            if opens[g] != ABSENT and opens[g] != opens[REST]:
                return leader_of(parts.leader, g)
    return REST


@routine
def _move_payers(ws, parts, by_entry, i, to):
    """Moves the rest's entries that pay for a cache to another group, and what they pay for any. Returns whether there
    were any."""
    moved = False
    for t in range(ws.turn_first[i], ws.turn_first[i + 1]):
        k = ws.turn_entry[t]
        if parts.group[k] == REST and parts.size[to] < MOST_ENTRIES and _pays(ws, k, i, by_entry[k]):
            parts.group[k] = to
            parts.size[to] += 1
            parts.stale[to] = parts.stale[REST] = moved = True
            for p in range(ws.first[k], ws.first[k + 1]):
                c = ws.cache[p]
                if parts.opens[c, to] == ABSENT:
                    parts.opens[c, to], parts.charged[c, to] = parts.opens[c, REST], 0.0
                paid = min(max(ws.saving[p] - by_entry[k], 0.0), parts.charged[c, REST])
                parts.charged[c, REST] -= paid
                parts.charged[c, to] += paid
    return moved


@routine
def _pays(ws, k, i, credit):
    for p in range(ws.first[k], ws.first[k + 1]):
        if ws.cache[p] == i:
            return ws.saving[p] > credit
    return False


@routine
def _merge_charges(ws, parts, g, to):
    """Charges a group what another was charged, which is no more."""
    opens, charged = parts.opens, parts.charged
    parts.stale[to] = True
    for i in range(ws.numbers[0]):
        if opens[i, g] == ABSENT:
            continue
        if opens[i, to] == ABSENT:
            opens[i, to], charged[i, to] = 0, 0.0
        opens[i, to] = max(opens[i, to], opens[i, g])
        charged[i, to] += charged[i, g]
        opens[i, g], charged[i, g] = ABSENT, 0.0


@routine
def _leave_unused(ws, parts):
    """Caches that no entry of the rest has a use for any more are charged to the others."""
    used = parts.current
    used[: ws.numbers[0]] = False
    for k in range(ws.numbers[1]):
        if parts.group[k] == REST:
            for p in range(ws.first[k], ws.first[k + 1]):
                used[ws.cache[p]] = True
    for i in range(ws.numbers[0]):
        if not used[i] and parts.opens[i, REST] != ABSENT:
            parts.opens[i, REST], parts.charged[i, REST] = ABSENT, 0.0
            deal_out(ws.price[i], parts.charged[i], parts.opens[i])
