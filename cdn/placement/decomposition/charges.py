"""What groups of a block's entries are charged of the price of each cache: shares that add up to the price.

The credits of the block's relaxation say how to deal prices out at first: each group pays what its entries gain beyond
their credits, and what is then left of a price falls on all alike. After that a group that opens a cache others leave
closed is charged more of it (subgradient steps as long as Polyak's).
"""

from cdn.compilation import routine, separate
from cdn.placement.decomposition.part_room import ABSENT, MOST_GROUPS, count_opening, join_disputing, leader_of
from cdn.placement.decomposition.valuing import value_caches


@separate
def charge_by_credits(ws, parts, credits):
    """Deals each price out by what the groups' entries gain beyond their ``credits`` (E,), what is left evenly."""
    charged, opens = parts.charged, parts.opens
    charged[: ws.numbers[0]], opens[: ws.numbers[0]] = 0.0, ABSENT
    for k in range(ws.numbers[1]):
        g = parts.group[k]
        for p in range(ws.first[k], ws.first[k + 1]):
            opens[ws.cache[p], g] = 0
            charged[ws.cache[p], g] += max(ws.saving[p] - credits[k], 0.0)
    for i in range(ws.numbers[0]):
        left, (_, using) = ws.price[i] - charged[i].sum(), count_opening(opens[i])
        if left > 0:
            for g in range(MOST_GROUPS):
                if opens[i, g] != ABSENT:
                    charged[i, g] += left / using
        deal_out(ws.price[i], charged[i], opens[i])


@routine
def deal_out(price, charged, opens):
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
def charge_as_best(ws, parts):
    """Goes back to the best charges known."""
    for i in range(ws.numbers[0]):
        for g in range(MOST_GROUPS):
            if parts.opens[i, g] != ABSENT and parts.charged[i, g] != parts.best[i, g]:
                parts.charged[i, g] = parts.best[i, g]
                parts.stale[g] = True


@separate
def charge_disputing(ws, parts, is_open, beta):
    """Charges the groups that open a disputed cache more of it, and the others less: subgradient steps, for groups that
    hang together each as long as their own gap says. Returns whether any cache is disputed."""
    if join_disputing(ws, parts, 0, ws.numbers[1])[0] == 0:
        return False
    _sum_gaps(ws, parts, is_open)
    leader, norm = parts.leader, parts.norm
    norm[:] = 0.0
    for push in range(2):
        for i in range(ws.numbers[0]):
            opens, charged = parts.opens[i], parts.charged[i]
            opening, using = count_opening(opens)
            if opening == 0 or opening == using:
                continue
            some = 0
            while opens[some] == ABSENT:
                some += 1
            mean, top = opening / using, leader_of(leader, some)
            if not push:
                norm[top] += opening * (1 - mean) ** 2 + (using - opening) * mean**2
                continue
            step = beta * max(parts.gap[top], 0.0) / norm[top]
            for g in range(len(opens)):
                if opens[g] != ABSENT:
                    charged[g] = max(charged[g] + step * (opens[g] - mean), 0.0)
                    parts.stale[g] = True
            deal_out(ws.price[i], charged, opens)
    return True


@routine
def _sum_gaps(ws, parts, is_open):
    """Adds up, by leader, how far the groups' bounds are above their parts of what ``is_open`` saves."""
    gap = parts.gap
    gap[:] = 0.0
    value_caches(ws, is_open)
    for g in range(MOST_GROUPS):
        if parts.first[g] == parts.first[g + 1]:
            continue
        own = parts.bound[g]
        for q in range(parts.first[g], parts.first[g + 1]):
            own -= ws.best[parts.entry[q]]
        for i in range(ws.numbers[0]):
            if is_open[i] and parts.opens[i, g] != ABSENT:
                own += parts.charged[i, g]
        gap[leader_of(parts.leader, g)] += own
