"""Relaxation, then branch and bound, on what the rules of ``facility`` leave undecided: one component after the other."""

import numpy as np
from numba import njit

from cdn.placement.decomposition.facility import CLOSED, OPEN, UNDECIDED, decide, value_and_bound
from cdn.placement.decomposition.relaxation import choose_sites, dual_ascent, relax

NODE_ITERATIONS = 12


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
def _extract(component, n_entries, n_sites, status, price, work):
    """Copies one component's sites, entries, additional savings and credits to ``work``. Returns entries and sites."""
    first, term_site, term, reached, label = work.first, work.term_site, work.term, work.reached, work.label
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
        top = 0.0
        for k in range(first[e], first[e + 1]):
            j = term_site[k]
            if status[j] == UNDECIDED and term[k] > reached[e] and _root_of(label, j) == component:
                work.own_term_site[terms] = work.own_index[j]
                work.own_term[terms] = term[k] - reached[e]
                top = max(top, work.own_term[terms])
                terms += 1
        if terms > start:
            work.own_entry[n] = e
            work.credit[n] = min(max(work.warm[e] - reached[e], 0.0), top)
            n += 1
            work.own_first[n] = terms
    return n, m


@njit(cache=True, nogil=True)
def _branch(n, m, work, best, root_bound, root_status, tolerance, node_limit):
    """Branch and bound below a relaxed root. Returns the best value (its choice in ``work.best``), a bound, nodes."""
    first, term_site, term, price = work.own_first, work.own_term_site, work.own_term, work.own_price
    stack, stack_bound = np.zeros((m + 2, m), dtype=np.int8), np.full(m + 2, root_bound)
    status = root_status.copy()
    stack[0] = status
    cut = 0.0
    depth, nodes = 1, 0
    while depth > 0:
        depth -= 1
        bound = stack_bound[depth]
        if bound <= best * (1 + tolerance) or nodes >= node_limit:
            cut = max(cut, bound)
            continue
        nodes += 1
        status[:] = stack[depth]
        value, submodular, undecided = decide(n, m, first, term_site, term, price, status, work.gain, work.keep)
        if value > best:
            # What is undecided counts as closed: a feasible choice already.
            best = value
            for j in range(m):
                work.best[j] = OPEN if status[j] == OPEN else CLOSED
        bound = min(bound, submodular)
        if undecided == 0 or bound <= best * (1 + tolerance):
            cut = max(cut, min(bound, value) if undecided == 0 else bound)
            continue
        relaxed, best = relax(n, m, first, term_site, term, price, status, best, work.best, NODE_ITERATIONS, tolerance,
                              True, work)
        bound = min(bound, relaxed)
        if bound <= best * (1 + tolerance):
            cut = max(cut, bound)
            continue
        value_and_bound(n, m, first, term_site, term, price, status, work.gain, work.keep)
        chosen = _most_promising(m, status, price, work.gain, work.keep)
        if chosen < 0:
            # All fixed against the best choice: what is left is one leaf, whose value decide has to find.
            chosen = 0
            stack[depth] = status
            stack_bound[depth] = bound
            depth += 1
            continue
        for state in (CLOSED, OPEN):
            stack[depth] = status
            stack[depth, chosen] = state
            stack_bound[depth] = bound
            depth += 1
    return best, max(best, cut), nodes


@njit(cache=True, nogil=True)
def _most_promising(m, status, price, gain, keep):
    """The undecided site whose decision, either way, moves the bound most."""
    chosen, most = -1, -np.inf
    for j in range(m):
        if status[j] == UNDECIDED:
            moved = min(gain[j] - price[j], price[j] - keep[j])
            if moved > most:
                chosen, most = j, moved
    return chosen


@njit(cache=True, nogil=True)
def _last_choice(n, m, status, work):
    """Value of what the last pass chose here, without what no longer pays; its choice in ``work.best``."""
    any_hint = False
    for j in range(m):
        work.rho[j] = 1.0 if work.hint[work.own_site[j]] else -np.inf
        any_hint = any_hint or work.rho[j] > 0
    if not any_hint:
        return 0.0
    value = choose_sites(n, m, work.own_first, work.own_term_site, work.own_term, work.own_price, status, work.rho,
                         work.trial, work.gain, work.keep)
    if value <= 0:
        return 0.0
    for j in range(m):
        work.best[j] = work.trial[j]
    return value


@njit(cache=True, nogil=True)
def _solve_component(n, m, work, cold, iterations, tolerance, node_limit):
    """Value of the choice left in ``work.best``, a bound on any, nodes spent."""
    first, term_site, term, price = work.own_first, work.own_term_site, work.own_term, work.own_price
    if cold:
        dual_ascent(n, m, first, term_site, term, price, work.slack, work.credit)
    status = np.zeros(m, dtype=np.int8)
    for j in range(m):
        work.best[j] = CLOSED
    best = _last_choice(n, m, status, work)
    bound, best = relax(n, m, first, term_site, term, price, status, best, work.best, iterations, tolerance, True, work)
    if bound <= best * (1 + tolerance):
        return best, max(bound, best), 0
    for e in range(n):
        work.root_credit[e] = work.credit[e]
    best, bound, nodes = _branch(n, m, work, best, bound, status, tolerance, node_limit)
    for e in range(n):
        work.credit[e] = work.root_credit[e]
    return best, bound, nodes


@njit(cache=True, nogil=True)
def solve_facility(n_entries, n_sites, status, price, work, iterations, tolerance, node_limit):
    """Decides every site in ``status``. Returns the value, an upper bound on the best one, and branching nodes.

    ``work.warm`` holds each entry's credit of the last pass (negative: none yet) and gets the new one.
    """
    first, term_site, term = work.first, work.term_site, work.term
    value, _, undecided = decide(n_entries, n_sites, first, term_site, term, price, status, work.gain, work.keep)
    if undecided == 0:
        return value, value, 0
    for j in range(n_sites):
        work.label[j] = j
    _label_components(n_entries, first, term_site, term, status, work.reached, work.label)
    total = bound = value
    spent = 0
    for component in range(n_sites):
        # A site decided by now belongs to a component that is done.
        if status[component] != UNDECIDED or _root_of(work.label, component) != component:
            continue
        n, m = _extract(component, n_entries, n_sites, status, price, work)
        cold = False
        for i in range(n):
            cold = cold or work.warm[work.own_entry[i]] < 0
        best, most, nodes = _solve_component(n, m, work, cold, iterations, tolerance, max(node_limit - spent, 0))
        spent += nodes
        total += best
        bound += most
        for i in range(n):
            e = work.own_entry[i]
            work.warm[e] = work.credit[i] + work.reached[e]
        for j in range(m):
            status[work.own_site[j]] = work.best[j]
    return total, bound, spent
