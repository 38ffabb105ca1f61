"""Branch and bound on what the rules of ``facility`` leave undecided, one component after the other."""

import numpy as np
from numba import njit

from cdn.placement.decomposition.facility import CLOSED, OPEN, UNDECIDED, decide, dual_ascent


@njit(cache=True, nogil=True)
def _root_of(parent, j):
    while parent[j] != j:
        parent[j] = parent[parent[j]]
        j = parent[j]
    return j


@njit(cache=True, nogil=True)
def _label_components(n_entries, first, term_site, term, status, reached, label):
    """Puts undecided sites that can serve the same entry better than the open ones into one component."""
    for e in range(n_entries):
        best = 0.0
        for k in range(first[e], first[e + 1]):
            if status[term_site[k]] == OPEN and term[k] > best:
                best = term[k]
        reached[e] = best
        joined = -1
        for k in range(first[e], first[e + 1]):
            if status[term_site[k]] == UNDECIDED and term[k] > best:
                root = _root_of(label, term_site[k])
                if joined >= 0 and root != joined:
                    label[max(root, joined)] = min(root, joined)
                    root = min(root, joined)
                joined = root


@njit(cache=True, nogil=True)
def _extract(component, n_entries, n_sites, first, term_site, term, price, status, reached, label, work):
    """Copies one component's sites, entries and additional savings to ``work``. Returns entries and sites."""
    m = 0
    for j in range(n_sites):
        if status[j] == UNDECIDED and _root_of(label, j) == component:
            work.own_site[m] = j
            work.own_index[j] = m
            work.own_price[m] = price[j]
            m += 1
    n = terms = 0
    work.own_first[0] = 0
    for e in range(n_entries):
        start = terms
        for k in range(first[e], first[e + 1]):
            j = term_site[k]
            if status[j] == UNDECIDED and term[k] > reached[e] and _root_of(label, j) == component:
                work.own_term_site[terms] = work.own_index[j]
                work.own_term[terms] = term[k] - reached[e]
                terms += 1
        if terms > start:
            n += 1
            work.own_first[n] = terms
    return n, m


@njit(cache=True, nogil=True)
def _branch(n, m, work, tolerance, node_limit):
    """Best choice for a component (left in ``work.best``), its value, an upper bound, and the nodes spent."""
    first, term_site, term, price = work.own_first, work.own_term_site, work.own_term, work.own_price
    stack, stack_bound = np.zeros((m + 2, m), dtype=np.int8), np.full(m + 2, np.inf)
    status = np.empty(m, dtype=np.int8)
    for j in range(m):
        work.best[j] = CLOSED
    best = cut = 0.0
    depth, nodes = 1, 0
    while depth > 0:
        depth -= 1
        if stack_bound[depth] <= best * (1 + tolerance) or nodes >= node_limit:
            cut = max(cut, stack_bound[depth])
            continue
        nodes += 1
        for j in range(m):
            status[j] = stack[depth, j]
        value, bound, undecided = decide(n, m, first, term_site, term, price, status, work.gain, work.keep)
        if value > best:
            # What is undecided counts as closed: a feasible choice already.
            best = value
            for j in range(m):
                work.best[j] = OPEN if status[j] == OPEN else CLOSED
        if undecided == 0:
            continue
        bound = min(bound, stack_bound[depth])
        if bound > best * (1 + tolerance):
            chosen = _most_promising(m, status, price, work.gain, work.keep)
            bound = min(bound, value + dual_ascent(n, m, first, term_site, term, price, status, work.slack, work.credit))
        if bound <= best * (1 + tolerance):
            cut = max(cut, bound)
            continue
        for state in (CLOSED, OPEN):
            for j in range(m):
                stack[depth, j] = status[j]
            stack[depth, chosen] = state
            stack_bound[depth] = bound
            depth += 1
    return best, max(best, cut), nodes


@njit(cache=True, nogil=True)
def _most_promising(m, status, price, gain, keep):
    """The undecided site whose decision, either way, moves the bound most."""
    chosen, most = -1, -1.0
    for j in range(m):
        if status[j] == UNDECIDED:
            moved = min(gain[j] - price[j], price[j] - keep[j])
            if moved > most:
                chosen, most = j, moved
    return chosen


@njit(cache=True, nogil=True)
def solve_facility(n_entries, n_sites, first, term_site, term, price, status, work, tolerance, node_limit):
    """Decides every site in ``status``. Returns the value, an upper bound on the best one, and branching nodes."""
    value, bound, undecided = decide(n_entries, n_sites, first, term_site, term, price, status, work.gain, work.keep)
    if undecided == 0:
        return value, value, 0
    label, reached = work.label, work.reached
    for j in range(n_sites):
        label[j] = j
    _label_components(n_entries, first, term_site, term, status, reached, label)
    total = bound = value
    spent = 0
    for component in range(n_sites):
        if status[component] != UNDECIDED or _root_of(label, component) != component:
            continue
        n, m = _extract(component, n_entries, n_sites, first, term_site, term, price, status, reached, label, work)
        best, most, nodes = _branch(n, m, work, tolerance, max(node_limit - spent, 1))
        spent += nodes
        total += best
        bound += most
        for j in range(m):
            status[work.own_site[j]] = work.best[j]
    return total, bound, spent
