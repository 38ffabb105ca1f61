"""The part of each asset in the lower bound: the kernel behind ``bound``, which has the mathematics.

Every float64 operation errs to the safe side: v is raised and costs are lowered by more than rounding can take away,
and sums are corrected by what they can have lost, as in N. J. Higham, Accuracy and Stability of Numerical Algorithms
(2002), section 3.1: u is the unit roundoff, and a sum of n terms is off by less than 2 n u times the terms' sizes.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numba
import numpy as np
from numba import njit

UNIT_ROUNDOFF = 2.0**-53
RAISED, LOWERED = 1 + 8 * UNIT_ROUNDOFF, 1 - 8 * UNIT_ROUNDOFF
CHUNK_ASSETS = 1 << 12
FREE, WITH, WITHOUT = 0, 1, 2  # what a case says of a site
STORED, PINNED, EXCLUDED = 1, 2, 4  # what the problem says of it, as bits


class Terms(NamedTuple):
    """What the kernel reads. A assets, S caches, N demand entries; C pairs of a region and a cache that serves it at
    less than the origin's cost, region after region (``server_indptr`` (R + 1,)), cheapest first.

    ``origin_cost`` (R,), ``server_cost``, ``server_rate_price`` (C,) are lowered below their exact values.
    ``storage_price`` and ``fill_price`` (S,) are per byte, the latter with the cost of filling.
    """

    indptr: np.ndarray
    region: np.ndarray
    bytes: np.ndarray
    peak_bps: np.ndarray
    servable: np.ndarray
    size_bytes: np.ndarray
    origin_cost: np.ndarray
    server_indptr: np.ndarray
    server: np.ndarray
    server_cost: np.ndarray
    server_rate_price: np.ndarray
    storage_bytes: np.ndarray
    usable_fill_bytes: np.ndarray
    storage_price: np.ndarray
    fill_price: np.ndarray
    stored_indptr: np.ndarray
    stored_site: np.ndarray
    pinned_indptr: np.ndarray
    pinned_site: np.ndarray
    excluded_indptr: np.ndarray
    excluded_site: np.ndarray


class Cases(NamedTuple):
    """Trees of cases as in ``Branching``; ``serve_start`` (T,) says where in ``serve`` the prices of each begin."""

    asset: np.ndarray
    indptr: np.ndarray
    site: np.ndarray
    serve: np.ndarray
    serve_start: np.ndarray


def asset_bounds(terms: Terms, serve: np.ndarray, cases: Cases) -> np.ndarray:
    """(A,) lower bound of each asset's part. The same to the bit whatever the number of threads (numba's)."""
    n_assets = len(terms.size_bytes)
    bounds = np.zeros(n_assets)
    firsts = range(0, n_assets, CHUNK_ASSETS)
    with ThreadPoolExecutor(max(min(numba.get_num_threads(), len(firsts)), 1)) as pool:
        list(pool.map(lambda first: _bound_assets(first, terms, serve, cases, bounds), firsts))
    return bounds


@njit(cache=True, nogil=True)
def _bound_assets(first, terms, serve, cases, bounds):
    """Bounds of one chunk of assets."""
    n_sites = len(terms.storage_bytes)
    rule, case = np.zeros(n_sites, dtype=np.int8), np.zeros(n_sites, dtype=np.int8)
    gain, met = np.zeros(n_sites), np.zeros(n_sites, dtype=np.bool_)
    sites = np.empty(n_sites, dtype=np.int32)
    tree = np.searchsorted(cases.asset, first)
    for a in range(first, min(first + CHUNK_ASSETS, len(bounds))):
        _set_rules(a, terms, rule)
        if tree < len(cases.asset) and cases.asset[tree] == a:
            bounds[a] = _bound_tree(a, tree, terms, cases, rule, case, gain, met, sites)
            tree += 1
        else:
            bounds[a] = _bound_case(a, terms, serve, terms.indptr[a], rule, case, sites[:0], gain, met, sites)
        _clear_rules(a, terms, rule)


@njit(cache=True, nogil=True)
def _set_rules(a, terms, rule):
    for k in range(terms.stored_indptr[a], terms.stored_indptr[a + 1]):
        rule[terms.stored_site[k]] |= STORED
    for k in range(terms.pinned_indptr[a], terms.pinned_indptr[a + 1]):
        rule[terms.pinned_site[k]] |= PINNED
    for k in range(terms.excluded_indptr[a], terms.excluded_indptr[a + 1]):
        rule[terms.excluded_site[k]] |= EXCLUDED


@njit(cache=True, nogil=True)
def _clear_rules(a, terms, rule):
    for k in range(terms.stored_indptr[a], terms.stored_indptr[a + 1]):
        rule[terms.stored_site[k]] = 0
    for k in range(terms.pinned_indptr[a], terms.pinned_indptr[a + 1]):
        rule[terms.pinned_site[k]] = 0
    for k in range(terms.excluded_indptr[a], terms.excluded_indptr[a + 1]):
        rule[terms.excluded_site[k]] = 0


@njit(cache=True, nogil=True)
def _bound_tree(a, tree, terms, cases, rule, case, gain, met, sites):
    """The least bound of the tree's leaves. A site met twice on the way to a leaf is told apart once: of the second
    time only the branch that agrees with the first is not empty."""
    first, last = cases.indptr[tree], cases.indptr[tree + 1]
    n_entries = terms.indptr[a + 1] - terms.indptr[a]
    start = cases.serve_start[tree]
    path = np.empty(last - first, dtype=np.int32)  # the sites branched on between the root and here
    branch = np.empty(last - first, dtype=np.int8)
    depth = 0
    least = np.inf
    for node in range(first, last):
        if cases.site[node] >= 0:
            path[depth] = cases.site[node]
            branch[depth] = WITH
            depth += 1
            continue
        empty = False
        for k in range(depth):
            empty |= case[path[k]] == WITH + WITHOUT - branch[k]
            case[path[k]] = branch[k]
        if not empty:
            least = min(least, _bound_case(a, terms, cases.serve, start, rule, case, path[:depth], gain, met, sites))
        for k in range(depth):
            case[path[k]] = FREE
        start += n_entries
        while depth > 0 and branch[depth - 1] == WITHOUT:
            depth -= 1
        if depth > 0:
            branch[depth - 1] = WITHOUT
    return least


@njit(cache=True, nogil=True)
def _bound_case(a, terms, serve, start, rule, case, path, gain, met, sites):
    """The asset's bound when the sites of ``path`` store it or not as ``case`` says, with the prices from ``start`` on;
    infinite where no placement can be so. ``gain`` and ``met`` are blank and left blank; ``sites`` is overwritten."""
    n_forced = _force_sites(a, terms, rule, case, path, met, sites)
    if n_forced < 0:
        return np.inf
    size = terms.size_bytes[a]
    n_entries = terms.indptr[a + 1] - terms.indptr[a]
    credit, credit_size, n_met = _add_gains(a, terms, serve, start, gain, met, sites, n_forced)
    taken = taken_size = 0.0
    correction = 1 + 2 * (n_entries + 2) * UNIT_ROUNDOFF
    for k in range(n_met):
        s = sites[k]
        if case[s] != WITHOUT and _is_storable(size, terms.storage_bytes[s], terms.usable_fill_bytes[s], rule[s]):
            price = terms.storage_price[s] + (0.0 if rule[s] & STORED else terms.fill_price[s])
            net = gain[s] * correction - size * price * LOWERED
            if k < n_forced or not net <= 0:  # so that not-a-number is not passed over
                net += 4 * UNIT_ROUNDOFF * abs(net)
                taken += net
                taken_size += abs(net)
        gain[s] = 0.0
        met[s] = False
    bound = credit - taken
    lost = (n_entries + 2) * credit_size + (n_met + 2) * taken_size + abs(bound)
    bound -= 2 * UNIT_ROUNDOFF * lost
    return bound if not np.isnan(bound) else -np.inf  # so that the least of cases is not taken from the others


@njit(cache=True, nogil=True)
def _force_sites(a, terms, rule, case, path, met, sites):
    """Puts the sites that must store the asset first in ``sites`` and says how many they are; -1, and nothing is met,
    where no placement can be so."""
    size = terms.size_bytes[a]
    n_met = 0
    possible = True
    for k in range(terms.pinned_indptr[a], terms.pinned_indptr[a + 1]):
        s = terms.pinned_site[k]
        possible &= case[s] != WITHOUT
        sites[n_met] = s
        met[s] = True
        n_met += 1
    for s in path:
        if case[s] == WITH and not met[s]:
            possible &= _is_storable(size, terms.storage_bytes[s], terms.usable_fill_bytes[s], rule[s])
            sites[n_met] = s
            met[s] = True
            n_met += 1
    if possible:
        return n_met
    for k in range(n_met):
        met[sites[k]] = False
    return -1


@njit(cache=True, nogil=True)
def _add_gains(a, terms, serve, start, gain, met, sites, n_met):
    """Adds up the v[r], their sizes, and per cache max(0, v - g); counts the sites met. Caches that cost a region as
    much as the origin are passed over: there g >= k >= v."""
    # Taken out of the tuple once: a kernel that reads its arrays from the tuple in the inner loop is ten times slower.
    region, asked_bytes, peak_bps, servable = terms.region, terms.bytes, terms.peak_bps, terms.servable
    server_indptr, server, origin_cost = terms.server_indptr, terms.server, terms.origin_cost
    server_cost, server_rate_price = terms.server_cost, terms.server_rate_price
    credit = credit_size = 0.0
    first = terms.indptr[a]
    for e in range(first, terms.indptr[a + 1]):
        r = region[e]
        v = min(serve[start + e - first], asked_bytes[e] * origin_cost[r])
        credit += v
        credit_size += abs(v)
        if v <= 0 or not servable[e]:
            continue
        for k in range(server_indptr[r], server_indptr[r + 1]):
            left = v * RAISED - asked_bytes[e] * server_cost[k]
            if left <= 0:
                break  # all that follow cost as much or more
            left -= peak_bps[e] * server_rate_price[k]
            if left > 0:
                s = server[k]
                if not met[s]:
                    met[s] = True
                    sites[n_met] = s
                    n_met += 1
                gain[s] += left
    return credit, credit_size, n_met


@njit(cache=True, nogil=True)
def _is_storable(size, storage_bytes, usable_fill_bytes, rule):
    """``Problem.storable`` of one pair."""
    if rule & PINNED:
        return True
    fits = size <= storage_bytes and (rule & STORED or size <= usable_fill_bytes)
    return fits and not rule & EXCLUDED
