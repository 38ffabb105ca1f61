"""When each appliance removes and adds what. Transfers of one appliance run one after the other at its fill rate.

Site by site the additions are taken most valuable first. Each goes to the appliance that has room and time for it and
finishes it earliest (then the one with the most room, then the first listed); what fits nowhere is deferred and the
next one is tried. Removals are carried out as late as they can be: those that make room, least valuable first, at the
start of the addition they make room for; forbidden content, and what overfills an appliance, as its window opens; the
rest as its window closes. Where an addition is deferred for lack of time, its site keeps that rest. Because a schedule
does not depend on where its files come from, sources are chosen afterwards.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from cdn.compilation import kernel, routine
from cdn.filling.differences import DISPLACED, FORBIDDEN, LEAVES, STAYS, Additions, Difference
from cdn.filling.results import NO_STORAGE, NO_TIME, TOO_LARGE
from cdn.model.arrays import csr_indptr
from cdn.model.fill_plan import StoredNow
from cdn.units import BITS_PER_BYTE, MICROSECONDS_PER_SECOND

NEVER = np.iinfo(np.int64).max // 4
# Where a step stands among those of its appliance; removals for the k-th addition have turn 2 k, the addition 2 k + 1.
_FORBIDDEN_TURN, _OVERFULL_TURN, _CLOSING_TURN = -2, -1, 2**40


@dataclass(frozen=True, eq=False)
class Appliances:
    """All appliances of ``n_caches`` sites: ``site``, ``storage_bytes``, ``opening_us``, ``closing_us`` (number of
    appliances,) integers; ``fill_bps`` as long."""

    n_caches: int
    site: np.ndarray
    storage_bytes: np.ndarray
    fill_bps: tuple[float, ...]
    opening_us: np.ndarray
    closing_us: np.ndarray


@dataclass(frozen=True, eq=False)
class Schedule:
    """Additions (M,): ``appliance`` (-1 where deferred), ``start_us``, ``end_us``, ``turn``, ``reason``. Stored pairs
    (P,): ``leave_us`` (NEVER where it stays), ``leave_turn``. Turns order the steps of one appliance."""

    appliance: np.ndarray
    start_us: np.ndarray
    end_us: np.ndarray
    turn: np.ndarray
    reason: np.ndarray
    leave_us: np.ndarray
    leave_turn: np.ndarray


def schedule_night(appliances: Appliances, stored_now: StoredNow, difference: Difference,
                   size_bytes: np.ndarray) -> Schedule:
    """Gives every addition an appliance and a time, and every removal a time."""
    additions, n = difference.additions, len(appliances.site)
    size = size_bytes[stored_now.asset]
    leave_us = np.full(len(stored_now), NEVER, dtype=np.int64)
    leave_turn = np.full(len(stored_now), _OVERFULL_TURN, dtype=np.int64)
    at_once = (difference.fate == FORBIDDEN) | (difference.fate == DISPLACED)
    leave_us[at_once] = appliances.opening_us[stored_now.appliance[at_once]]
    leave_turn[difference.fate == FORBIDDEN] = _FORBIDDEN_TURN

    leaving = np.flatnonzero(difference.fate == LEAVES)
    leaving = leaving[np.lexsort((difference.keep_rank[leaving], stored_now.appliance[leaving]))]
    staying = _bytes_per_appliance(stored_now, size, difference.fate == STAYS, n)
    used = staying + _bytes_per_appliance(stored_now, size, difference.fate == LEAVES, n)
    order = np.argsort(appliances.site, kind="stable")
    durations, rate = _durations_us(additions, appliances.fill_bps, size_bytes)
    m = len(additions.asset)
    appliance, reason = np.full(m, -1, dtype=np.int32), np.zeros(m, dtype=np.int8)
    start, end, turn = (np.zeros(m, dtype=np.int64) for _ in range(3))
    out_us, out_turn = leave_us[leaving], leave_turn[leaving]
    _schedule(
        csr_indptr(additions.site, appliances.n_caches), size_bytes[additions.asset], durations, rate,
        csr_indptr(appliances.site[order], appliances.n_caches), order, appliances.storage_bytes, appliances.opening_us,
        appliances.closing_us, used, staying, csr_indptr(stored_now.appliance[leaving], n), size[leaving],
        appliance, start, end, turn, reason, out_us, out_turn)
    leave_us[leaving], leave_turn[leaving] = out_us, out_turn
    return Schedule(appliance, start, end, turn, reason, leave_us, leave_turn)


def _bytes_per_appliance(stored_now: StoredNow, size: np.ndarray, mask: np.ndarray, n: int) -> np.ndarray:
    total = np.zeros(n, dtype=np.int64)
    np.add.at(total, stored_now.appliance[mask], size[mask])
    return total


def _durations_us(additions: Additions, fill_bps: tuple[float, ...],
                  size_bytes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(distinct rates, M) microseconds of each transfer, rounded up; (number of appliances,) which rate each has."""
    rates = sorted(set(fill_bps))
    table = np.empty((len(rates), len(additions.asset)), dtype=np.int64)
    sizes, where = np.unique(size_bytes[additions.asset], return_inverse=True)
    for row, rate_bps in zip(table, rates, strict=True):
        row[:] = np.array([transfer_us(size, rate_bps) for size in sizes.tolist()], dtype=np.int64)[where]
    return table, np.array([rates.index(rate) for rate in fill_bps], dtype=np.int64)


def transfer_us(size_bytes: int, fill_bps: float) -> int:
    """Microseconds that a file takes, rounded up; exact, so that no rounding ever exceeds the rate."""
    if fill_bps == np.inf:
        return 0
    if fill_bps <= 0:
        return NEVER
    rate = Fraction(fill_bps)
    bits = size_bytes * BITS_PER_BYTE * MICROSECONDS_PER_SECOND * rate.denominator
    return min(-(-bits // rate.numerator), NEVER)


@kernel
def _schedule(site_ptr, size, durations, rate, cluster_ptr, cluster, storage, opening, closing, used, staying,
              leaving_ptr, leaving_size, appliance, start, end, turn, reason, leave_us, leave_turn):
    clock = opening.copy()
    room = storage - staying
    following = leaving_ptr[:-1].copy()
    turns = np.zeros(len(storage), dtype=np.int64)
    for i in range(len(storage)):
        _make_room(i, 0, opening[i], _OVERFULL_TURN, storage, used, following, leaving_ptr, leaving_size, leave_us,
                   leave_turn)
    for site in range(len(site_ptr) - 1):
        short_of_time = False
        members = cluster[cluster_ptr[site]:cluster_ptr[site + 1]]
        for k in range(site_ptr[site], site_ptr[site + 1]):
            i = _earliest(members, size[k], durations[:, k], rate, clock, closing, room)
            if i < 0:
                reason[k] = _why_not(members, size[k], storage, room)
                short_of_time = short_of_time or reason[k] == NO_TIME
                continue
            _make_room(i, size[k], clock[i], 2 * turns[i], storage, used, following, leaving_ptr, leaving_size,
                       leave_us, leave_turn)
            appliance[k], start[k], turn[k] = i, clock[i], 2 * turns[i] + 1
            clock[i] += durations[rate[i], k]
            end[k] = clock[i]
            turns[i] += 1
            used[i] += size[k]
            room[i] -= size[k]
        if not short_of_time:
            for i in members:
                for j in range(following[i], leaving_ptr[i + 1]):
                    leave_us[j], leave_turn[j] = closing[i], _CLOSING_TURN


@routine
def _make_room(i, size, moment, turn, storage, used, following, leaving_ptr, leaving_size, leave_us, leave_turn):
    while used[i] + size > storage[i] and following[i] < leaving_ptr[i + 1]:
        j = following[i]
        leave_us[j], leave_turn[j] = moment, turn
        used[i] -= leaving_size[j]
        following[i] += 1


@routine
def _earliest(members, size, durations, rate, clock, closing, room):
    best = -1
    best_end = 0
    for i in members:
        if room[i] < size or durations[rate[i]] > closing[i] - clock[i]:
            continue
        end = clock[i] + durations[rate[i]]
        if best < 0 or end < best_end or (end == best_end and room[i] > room[best]):
            best, best_end = i, end
    return best


@routine
def _why_not(members, size, storage, room):
    largest, roomiest = -1, -1
    for i in members:
        largest, roomiest = max(largest, storage[i]), max(roomiest, room[i])
    if roomiest >= size:
        return NO_TIME
    return TOO_LARGE if len(members) and size > largest else NO_STORAGE
