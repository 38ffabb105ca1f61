"""The part of each asset in the lower bound: the kernel behind ``bound``, which has the mathematics.

Every float64 operation errs to the safe side: v is raised and costs are lowered by more than rounding can take away,
and sums are corrected by what they can have lost, as in N. J. Higham, Accuracy and Stability of Numerical Algorithms
(2002), section 3.1: u is the unit roundoff, and a sum of n terms is off by less than 2 n u times the terms' sizes.

A *block* is an asset's demand, or one group of it, with the share of F charged to the group. What a
price vector proves of it is worked out once. A leaf bounded by the vector differs only in the sites on its way: one
that stores the asset counts x[s] = sum_r max(0, v[r] - g[s,r]) - F[s] where max(0, x[s]) was taken, one that does not
counts nothing; both add to the bound, by max(0, -x[s]) and max(0, x[s]).
"""

from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np

from cdn.compilation import inlined, kernel, routine, separate
from cdn.evaluation.cases import FREE, NONE, WITH, WITHOUT, Cases, list_leaves, new_walk
from cdn.evaluation.terms import Terms, new_room
from cdn.model.branching import WHOLE

UNIT_ROUNDOFF = 2.0**-53
RAISED, LOWERED = 1 + 8 * UNIT_ROUNDOFF, 1 - 8 * UNIT_ROUNDOFF
CHUNK_ASSETS = 1 << 10
STORED, PINNED, EXCLUDED = 1, 2, 4  # what the problem says of a site, as bits


def asset_bounds(terms: Terms, serve: np.ndarray, cases: Cases) -> np.ndarray:
    """(A,) lower bound of each asset's part. The same to the bit whatever the number of threads (numba's)."""
    n_assets, n_sites = len(terms.size_bytes), len(terms.storage_bytes)
    bounds, n_groups = np.zeros(n_assets), cases.n_groups

    def bound_chunk(first: int) -> None:
        n_entries = np.diff(terms.indptr[first : first + CHUNK_ASSETS + 1]).max()
        room = new_room(n_entries, n_sites, n_groups, terms.server_indptr)
        tree, end = np.searchsorted(cases.asset, (first, first + CHUNK_ASSETS))
        walk = new_walk(np.diff(cases.indptr[tree : end + 1]).max(initial=1), n_sites)
        row = np.searchsorted(cases.share_asset, first)
        _bound_assets(first, terms, serve, cases, tree, row, room, walk, bounds)

    firsts = range(0, n_assets, CHUNK_ASSETS)
    with ThreadPoolExecutor(max(min(numba.get_num_threads(), len(firsts)), 1)) as pool:
        list(pool.map(bound_chunk, firsts))
    return bounds


@kernel
def _bound_assets(first, terms, serve, cases, tree, row, room, walk, bounds):
    """Bounds of one chunk of assets; ``tree`` is the first of its trees, ``row`` of its shares."""
    for a in range(first, min(first + CHUNK_ASSETS, len(bounds))):
        _set_rules(a, terms, room.rule)
        n_entries, next_tree, next_row = terms.indptr[a + 1] - terms.indptr[a], tree, row
        while next_tree < len(cases.asset) and cases.asset[next_tree] == a:
            next_tree += 1
        while next_row < len(cases.share_asset) and cases.share_asset[next_row] == a:
            next_row += 1
        for k in range(n_entries):
            room.entry[k] = terms.indptr[a] + k
        if next_tree > tree and cases.group[tree] == WHOLE:
            nodes = cases.site[cases.indptr[tree] : cases.indptr[tree + 1]]
            bounds[a] = _bound_block(a, n_entries, terms, cases, nodes, cases.serve_start[tree], WHOLE, room, walk)
        elif next_tree > tree or next_row > row:
            bounds[a] = _bound_parts(a, terms, serve, cases, tree, next_tree, row, next_row, room, walk)
        else:
            for k in range(n_entries):
                room.prices[k] = serve[terms.indptr[a] + k]
            bounds[a] = _bound_block(a, n_entries, terms, cases, walk.leaf, NONE, WHOLE, room, walk)
        tree, row = next_tree, next_row
        _clear_rules(a, terms, room.rule)


@inlined
def _bound_parts(a, terms, serve, cases, tree, end_tree, row, end_row, room, walk):
    """The bounds of an asset's groups, added up: its trees and shares up to the ends."""
    room.left[:] = 1.0
    for k in range(row, end_row):
        room.listed[cases.share_site[k]] = True
    n_groups = len(room.group_first) - 1
    _group_entries(a, terms.indptr, cases.entry_group, room)
    total = sizes = 0.0
    for g in range(n_groups):
        first, end = room.group_first[g], room.group_first[g + 1]
        if first == end:
            continue
        _deal_shares(g, cases, row, end_row, room)
        for k in range(first, end):
            room.entry[k - first] = room.grouped[k]
        while tree < end_tree and cases.group[tree] < g:
            tree += 1
        if tree < end_tree and cases.group[tree] == g:
            nodes, start = cases.site[cases.indptr[tree] : cases.indptr[tree + 1]], cases.serve_start[tree]
            bound = _bound_block(a, end - first, terms, cases, nodes, start, g, room, walk)
        else:
            for k in range(first, end):
                room.prices[k - first] = serve[room.grouped[k]]
            bound = _bound_block(a, end - first, terms, cases, walk.leaf, NONE, g, room, walk)
        total += bound
        sizes += abs(bound)
    for k in range(row, end_row):
        room.listed[cases.share_site[k]] = False
    # Infinitely much where there is no case that a placement is in.
    return total - 2 * UNIT_ROUNDOFF * (n_groups + 2) * sizes if sizes < np.inf else total


@inlined
def _group_entries(a, indptr, entry_group, room):
    """Lists the asset's entries group by group, in each in their order."""
    room.group_first[:] = 0
    for e in range(indptr[a], indptr[a + 1]):
        room.group_first[entry_group[e] + 1] += 1
    for g in range(len(room.group_first) - 1):
        room.group_first[g + 1] += room.group_first[g]
    for e in range(indptr[a + 1] - 1, indptr[a] - 1, -1):
        g = entry_group[e] + 1
        room.group_first[g] -= 1
        room.grouped[room.group_first[g]] = e
    for g in range(len(room.group_first) - 1):
        room.group_first[g] = room.group_first[g + 1]
    room.group_first[-1] = indptr[a + 1] - indptr[a]


@inlined
def _deal_shares(g, cases, row, end_row, room):
    """Sets the group's shares of the listed caches: what it asks for, as far as groups before have left it."""
    for k in range(row, end_row):
        room.share[cases.share_site[k]] = 0.0
    for k in range(row, end_row):
        if cases.share_group[k] == g:
            s = cases.share_site[k]
            room.share[s] = min(cases.share[k], room.left[s])
            room.left[s] -= room.share[s]


@routine
def _set_rules(a, terms, rule):
    for k in range(terms.stored_indptr[a], terms.stored_indptr[a + 1]):
        rule[terms.stored_site[k]] |= STORED
    for k in range(terms.pinned_indptr[a], terms.pinned_indptr[a + 1]):
        rule[terms.pinned_site[k]] |= PINNED
    for k in range(terms.excluded_indptr[a], terms.excluded_indptr[a + 1]):
        rule[terms.excluded_site[k]] |= EXCLUDED


@inlined
def _clear_rules(a, terms, rule):
    for k in range(terms.stored_indptr[a], terms.stored_indptr[a + 1]):
        rule[terms.stored_site[k]] = 0
    for k in range(terms.pinned_indptr[a], terms.pinned_indptr[a + 1]):
        rule[terms.pinned_site[k]] = 0
    for k in range(terms.excluded_indptr[a], terms.excluded_indptr[a + 1]):
        rule[terms.excluded_site[k]] = 0


@separate
def _bound_block(a, n_entries, terms, cases, nodes, start, group, room, walk):
    """The least bound of the leaves of a tree, whose price vectors begin at ``start``, for ``room.entry``; NONE: the
    one vector is in ``room.prices``."""
    n_met = _meet(terms.pinned_site[terms.pinned_indptr[a] : terms.pinned_indptr[a + 1]], room, 0)
    n_met = _meet(nodes, room, n_met)
    n_met = _list_pairs(n_entries, terms, room, n_met)
    _price_sites(a, terms, room, walk.known, n_met)
    if group != WHOLE:
        _charge_group(len(room.group_first) - 1, room, n_met)
    least = np.inf
    for vector in range(list_leaves(nodes, walk)):
        if walk.first_leaf[vector] != NONE:
            if start != NONE:
                for k in range(n_entries):
                    room.prices[k] = cases.serve[start + vector * n_entries + k]
            credit, credit_size = _add_gains(n_entries, room)
            taken, taken_size = _take_gains(n_entries, room, walk.known, n_met)
            lost = (n_entries + 2) * credit_size + (n_met + 2) * taken_size
            least = min(least, _bound_leaves(vector, nodes, credit - taken, lost, room.net, walk))
    for k in range(n_met):
        room.met[room.sites[k]] = False
        walk.known[room.sites[k]] = FREE
    return least


@inlined
def _charge_group(n_groups, room, n_met):
    """Leaves of each price the group's share, lowered by what adding up the shares can have raised them. Where none is
    listed the first group that meets the cache is charged all of it."""
    for k in range(n_met):
        s = room.sites[k]
        share = room.share[s]
        if not room.listed[s]:
            share, room.left[s] = room.left[s], 0.0
        lowered = share * (1 - 2 * (n_groups + 4) * UNIT_ROUNDOFF)
        room.price[s] = room.price[s] * lowered if share > 0 else 0.0


# Arrays are taken out of their records before inner loops.


@routine
def _meet(nodes, room, n_met):
    """Lists the sites among the nodes that have not been met; returns how many are met now."""
    sites, met = room.sites, room.met
    for s in nodes:
        if s >= 0 and not met[s]:
            met[s] = True
            sites[n_met] = s
            n_met += 1
    return n_met


@inlined
def _list_pairs(n_entries, terms, room, n_met):
    """Lists the pairs of the block's entries, and meets their caches. Caches that cost a region as much as the origin
    are passed over: there g >= k >= v."""
    region, asked_bytes, peak_bps, servable = terms.region, terms.bytes, terms.peak_bps, terms.servable
    server_indptr, server, origin_cost = terms.server_indptr, terms.server, terms.origin_cost
    server_cost, server_rate_price = terms.server_cost, terms.server_rate_price
    sites, met, most, pair_first = room.sites, room.met, room.most, room.pair_first
    pair_site, pair_cost, entry = room.pair_site, room.pair_cost, room.entry
    n_pairs = 0
    for q in range(n_entries):
        e = entry[q]
        r, begin = region[e], n_pairs
        most[q] = asked_bytes[e] * origin_cost[r]
        pair_first[q] = begin
        if not servable[e]:
            continue
        for k in range(server_indptr[r], server_indptr[r + 1]):
            s = server[k]
            cost = asked_bytes[e] * server_cost[k] + peak_bps[e] * server_rate_price[k]
            cost = cost if cost >= 0 else 0.0  # not-a-number, where a price is beyond float64
            p = n_pairs
            while p > begin and pair_cost[p - 1] > cost:
                pair_cost[p], pair_site[p] = pair_cost[p - 1], pair_site[p - 1]
                p -= 1
            pair_cost[p], pair_site[p] = cost, s
            n_pairs += 1
            if not met[s]:
                met[s] = True
                sites[n_met] = s
                n_met += 1
    pair_first[n_entries] = n_pairs
    return n_met


@inlined
def _price_sites(a, terms, room, known, n_met):
    """For the sites met: the price of storing the asset, and what the rules say. Where it would cost infinitely much no
    placement stores it that costs less than a bound, pins aside, which nothing can be proved with."""
    size = terms.size_bytes[a]
    for k in range(n_met):
        s = room.sites[k]
        rule = room.rule[s]
        price = terms.storage_price[s] + (0.0 if rule & STORED else terms.fill_price[s])
        room.price[s] = size * price * LOWERED
        if rule & PINNED:
            known[s] = WITH
        elif price == np.inf or not _is_storable(size, terms.storage_bytes[s], terms.usable_fill_bytes[s], rule):
            known[s] = WITHOUT


@inlined
def _add_gains(n_entries, room):
    """Adds up the v[r], their sizes, and per cache max(0, v - g)."""
    gain, prices, most, pair_first = room.gain, room.prices, room.most, room.pair_first
    pair_site, pair_cost = room.pair_site, room.pair_cost
    credit = credit_size = 0.0
    for e in range(n_entries):
        v = min(prices[e], most[e])
        credit += v
        credit_size += abs(v)
        for p in range(pair_first[e], pair_first[e + 1]):
            left = v * RAISED - pair_cost[p]
            if left <= 0:
                break  # all that follow cost as much or more
            gain[pair_site[p]] += left
    return credit, credit_size


@inlined
def _take_gains(n_entries, room, known, n_met):
    """Sets x, and adds up what is taken of it, and the sizes, where no more is known than the rules; the gains are
    blank afterwards."""
    sites, price, gain, net = room.sites, room.price, room.gain, room.net
    taken = taken_size = 0.0
    correction = 1 + 2 * (n_entries + 2) * UNIT_ROUNDOFF
    for k in range(n_met):
        s = sites[k]
        x = gain[s] * correction - price[s]
        x += 4 * UNIT_ROUNDOFF * abs(x)
        net[s], gain[s] = x, 0.0
        if known[s] == WITH or (known[s] == FREE and not x <= 0):  # so that not-a-number is not passed over
            taken += x
            taken_size += abs(x)
    return taken, taken_size


@inlined
def _bound_leaves(vector, nodes, base, lost, net, walk):
    """The least bound of the vector's leaves, from ``base``, the bound where no more is known than the rules, which
    rounding may have made too high by 2 u ``lost`` and its own rounding."""
    above, next_leaf = walk.above, walk.next_leaf
    least = np.inf
    leaf = walk.first_leaf[vector]
    while leaf != NONE:
        more, depth = 0.0, 0
        branch = above[leaf]
        while branch != NONE:
            x = net[nodes[branch // 2]]
            added = x if branch % 2 else -x
            if not added <= 0:
                more += added
            depth += 1
            branch = above[branch // 2]
        bound = base + more
        bound -= 2 * UNIT_ROUNDOFF * (lost + (depth + 2) * more + abs(base) + abs(bound))
        least = min(least, bound if not np.isnan(bound) else -np.inf)  # so that it is not passed over
        leaf = next_leaf[leaf]
    return least


@inlined
def _is_storable(size, storage_bytes, usable_fill_bytes, rule):
    """``Problem.storable`` of one pair."""
    if rule & PINNED:
        return True
    fits = size <= storage_bytes and (rule & STORED or size <= usable_fill_bytes)
    return fits and not rule & EXCLUDED
