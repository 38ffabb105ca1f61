"""A bound on one facility location problem by relaxing "served once", and a choice of sites read off it.

With a credit u[e] >= 0 per entry

    L(u) = sum_e u[e] + sum_j max(0, rho[j]),     rho[j] = sum_e max(0, w[e,j] - u[e]) - F[j]

is at least the value of every choice of sites, and its least value is that of the linear relaxation. Credits start where
the last pass left them or at dual ascent (Erlenkotter 1978, Bilde & Krarup 1977) and follow subgradients with Polyak's
step; rho fixes sites whose other decision could not beat the best choice known (Beasley 1993; Barahona & Chudak 2005).
"""

import numpy as np
from numba import njit

from cdn.placement.decomposition.facility import CLOSED, OPEN, UNDECIDED, decide

START_STEP, LEAST_STEP, PATIENCE = 1.0, 0.05, 4


@njit(cache=True, nogil=True)
def dual_ascent(n_entries, n_sites, first, term_site, term, price, slack, credit):
    """Fills ``credit`` so that no site's rho is positive: from the largest saving down, one entry at a time to its next
    level while every site that would pay has slack."""
    for j in range(n_sites):
        slack[j] = price[j]
    for e in range(n_entries):
        credit[e] = 0.0
        for k in range(first[e], first[e + 1]):
            credit[e] = max(credit[e], term[k])
    moved = True
    while moved:
        moved = False
        for e in range(n_entries):
            level, room = 0.0, np.inf
            for k in range(first[e], first[e + 1]):
                if term[k] >= credit[e]:
                    room = min(room, slack[term_site[k]])
                elif term[k] > level:
                    level = term[k]
            step = min(room, credit[e] - level)
            if step <= 1e-12 * credit[e]:
                continue
            for k in range(first[e], first[e + 1]):
                if term[k] >= credit[e]:
                    slack[term_site[k]] -= step
            # A partial step blocks the entry for good; a whole one lands exactly on the next level.
            credit[e] = credit[e] - step if step < credit[e] - level else level
            moved = moved or step < room


@njit(cache=True, nogil=True)
def relaxed_value(n_entries, n_sites, first, term_site, term, price, status, credit, rho):
    """L at these credits, with the sites' status kept: rho of the open ones counts as it is, of the closed ones not."""
    for j in range(n_sites):
        rho[j] = -price[j]
    total = 0.0
    for e in range(n_entries):
        u = credit[e]
        total += u
        for k in range(first[e], first[e + 1]):
            if term[k] > u:
                rho[term_site[k]] += term[k] - u
    for j in range(n_sites):
        if status[j] == OPEN or (status[j] == UNDECIDED and rho[j] > 0):
            total += rho[j]
    return total


@njit(cache=True, nogil=True)
def _surplus(n_entries, first, term_site, term, status, credit, rho, slope):
    """Subgradient of L in ``slope``; returns its square, leaving out credits of 0 that would have to go below."""
    square = 0.0
    for e in range(n_entries):
        served = 0
        for k in range(first[e], first[e + 1]):
            state = status[term_site[k]]
            if term[k] > credit[e] and (state == OPEN or (state == UNDECIDED and rho[term_site[k]] > 0)):
                served += 1
        slope[e] = 0.0 if served == 0 and credit[e] <= 0 else 1.0 - served
        square += slope[e] * slope[e]
    return square


@njit(cache=True, nogil=True)
def choose_sites(n_entries, n_sites, first, term_site, term, price, status, rho, trial, gain, keep):
    """A choice read off rho: of the sites that pay or nearly do, greedily. Left in ``trial``; returns its value."""
    for j in range(n_sites):
        trial[j] = status[j]
        if status[j] == UNDECIDED and rho[j] < -0.1 * price[j]:
            trial[j] = CLOSED
    while True:
        value, _, undecided = decide(n_entries, n_sites, first, term_site, term, price, trial, gain, keep)
        if undecided == 0:
            return value
        chosen = -1
        for j in range(n_sites):
            if trial[j] == UNDECIDED and (chosen < 0 or gain[j] - price[j] > gain[chosen] - price[chosen]):
                chosen = j
        trial[chosen] = OPEN


@njit(cache=True, nogil=True)
def relax(n_entries, n_sites, first, term_site, term, price, status, best, best_choice, iterations, tolerance,
          fix, work):
    """Lowers L from ``work.credit``, improves the best choice, fixes sites in ``status`` where ``fix``.

    Returns the bound (on choices that keep ``status``) and the best value. ``work.credit`` ends at the best credits.
    """
    credit, rho, slope, kept = work.credit, work.rho, work.slope, work.kept_credit
    bound = np.inf
    step_share, waited = START_STEP, 0
    for i in range(iterations):
        value = relaxed_value(n_entries, n_sites, first, term_site, term, price, status, credit, rho)
        improved = value < bound * (1 - 1e-5)
        if value < bound:
            bound = value
            for e in range(n_entries):
                kept[e] = credit[e]
        if (i == 0 and best <= 0) or i == iterations - 1 or i % 10 == 9:
            found = choose_sites(n_entries, n_sites, first, term_site, term, price, status, rho, work.trial, work.gain, work.keep)
            if found > best:
                best = found
                for j in range(n_sites):
                    best_choice[j] = work.trial[j]
        if bound <= best * (1 + tolerance):
            break
        for j in range(n_sites if fix else 0):
            if status[j] == UNDECIDED and rho[j] <= 0 and value + rho[j] <= best:
                status[j] = CLOSED
            elif status[j] == UNDECIDED and rho[j] > 0 and value - rho[j] <= best:
                status[j] = OPEN
        square = _surplus(n_entries, first, term_site, term, status, credit, rho, slope)
        if square == 0.0:
            break
        waited = 0 if improved else waited + 1
        if waited >= PATIENCE:
            step_share, waited = step_share * 0.5, 0
            if step_share < LEAST_STEP:
                break
        step = step_share * (value - best) / square
        for e in range(n_entries):
            credit[e] = max(credit[e] - step * slope[e], 0.0)
    for e in range(n_entries):
        credit[e] = kept[e]
    return bound, best
