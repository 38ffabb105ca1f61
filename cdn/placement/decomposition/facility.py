"""One uncapacitated facility location problem, solved exactly: the kernel inside a block.

    max over S   sum_e max(0, max_(j in S) w[e,j])  -  sum_(j in S) F[j]

The value is submodular in S. With O open, U undecided and everything else closed that gives two rules (the preservation
rules of Goldengorin, Sierksma, Tijssen and Tso 1999): a site that adds no more to O than its price is closed, one
that O + U would miss by at least its price is open. They are applied until nothing changes; what remains falls into
components that share no entry (``branching``), each bounded by a Lagrangean relaxation (``relaxation``) and solved by
depth-first branch and bound with the same rules at every node. Where the node limit is hit the bounds of the unexplored
nodes stand in, so the bound is always a true one.

Entries are rows of a CSR structure: entry e has the terms ``first[e]:first[e + 1]`` with site ``term_site`` and saving ``term``.
"""

from numba import njit

UNDECIDED, OPEN, CLOSED = 0, 1, 2


@njit(cache=True, nogil=True)
def value_and_bound(n_entries, n_sites, first, term_site, term, price, status, gain, keep):
    """Value of the open sites, and an upper bound from submodularity on what any choice for the undecided can give.

    Also leaves in ``gain`` what each undecided site adds to the open ones and in ``keep`` what all would miss without it.
    """
    for j in range(n_sites):
        gain[j] = 0.0
        keep[j] = 0.0
    value = whole = 0.0
    for e in range(n_entries):
        reached = best = second = 0.0
        winner = -1
        for k in range(first[e], first[e + 1]):
            state = status[term_site[k]]
            w = term[k]
            if state == CLOSED:
                continue
            if state == OPEN and w > reached:
                reached = w
            if w > best:
                second = best
                best = w
                winner = term_site[k]
            elif w > second:
                second = w
        value += reached
        whole += best
        if best > reached:
            keep[winner] += best - max(second, reached)
            for k in range(first[e], first[e + 1]):
                if status[term_site[k]] == UNDECIDED and term[k] > reached:
                    gain[term_site[k]] += term[k] - reached
    from_open, from_all = value, whole
    for j in range(n_sites):
        if status[j] == OPEN:
            value -= price[j]
            from_open -= price[j]
            from_all -= price[j]
        elif status[j] == UNDECIDED:
            from_open += max(gain[j] - price[j], 0.0)
            from_all -= min(price[j], keep[j])
    return value, min(from_open, from_all)


@njit(cache=True, nogil=True)
def decide(n_entries, n_sites, first, term_site, term, price, status, gain, keep):
    """Applies the two rules until nothing changes. Returns value, bound and how many sites are undecided."""
    while True:
        value, bound = value_and_bound(n_entries, n_sites, first, term_site, term, price, status, gain, keep)
        changed = False
        undecided = 0
        for j in range(n_sites):
            if status[j] == UNDECIDED:
                if gain[j] <= price[j]:
                    status[j] = CLOSED
                    changed = True
                elif keep[j] >= price[j]:
                    status[j] = OPEN
                    changed = True
                else:
                    undecided += 1
        if not changed:
            return value, bound, undecided
