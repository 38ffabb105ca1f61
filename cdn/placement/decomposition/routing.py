"""Who serves what where egress or links bind, what is stored being fixed.

Prices of the limits steer the entries; then those that want to go through a limit that is nearly full take their turns,
the one that would lose most per bit/s first, each from its best cache that has room, in part where there is only part.
What no cache can take goes to the origin, so there always is a routing.
"""

from typing import Any

import numpy as np

from cdn.compilation import kernel
from cdn.model.placement import Routing
from cdn.placement.decomposition.bits import has_bit
from cdn.placement.decomposition.limits import RateLimits, rate_changes
from cdn.placement.decomposition.passes import CHUNKS, BlockPasses
from cdn.placement.decomposition.tables import BlockTables

STEPS, FIRST_STEP, LAST_STEP = 40, 0.8, 0.1
TIGHT_SHARE = 0.9
SLACK = 1e-9
"""Limits are kept with this share to spare: sums are rounded."""


@kernel
def _steer_chunk(tables, rate, window, opened, begin, end, choice, regret, flow, loose):
    """Entries of assets ``begin`` to ``end`` to their best open candidate at these rate prices (``choice``, -1: origin)
    and what the next best would cost more per bit/s (``regret``)."""
    for asset in range(begin, end):
        row = opened[asset]
        for e in range(tables.indptr[asset], tables.indptr[asset + 1]):
            r, best, second, chosen = tables.region[e], 0.0, 0.0, -1
            if tables.servable[e]:
                for j in range(tables.first_candidate[r], tables.first_candidate[r + 1]):
                    if not has_bit(row, tables.candidate_site[j]):
                        continue
                    saving = tables.bytes[e] * tables.candidate_saving[j] - tables.peak_bps[e] * rate[j]
                    if saving > best:
                        second, best, chosen = best, saving, j
                    elif saving > second:
                        second = saving
            choice[e] = chosen
            regret[e] = best - second
            if chosen >= 0:
                flow[chosen] += tables.peak_bps[e]
                if best - second < window[chosen] * tables.peak_bps[e]:
                    loose[chosen] += tables.peak_bps[e]


@kernel
def _take_turns(tables, rate, opened, asset, turns, factor, use_first, use_limit, room, out_choice, out_share):
    """Entries in their turns: shares of the best open candidates while the limits on the way have room (H, K)."""
    n_out = 0
    n_hours = factor.shape[0]
    for q in range(len(turns)):
        e = turns[q]
        row, r, peak, left, floor = opened[asset[q]], tables.region[e], tables.peak_bps[e], 1.0, np.inf
        last = -1
        while left > 0:
            best, chosen = 0.0, -1
            for j in range(tables.first_candidate[r], tables.first_candidate[r + 1]):
                if not has_bit(row, tables.candidate_site[j]):
                    continue
                saving = tables.bytes[e] * tables.candidate_saving[j] - peak * rate[j]
                # In falling order of saving, equals in the order listed.
                later = saving < floor or (saving == floor and j > last)
                if later and (saving > best or (saving == best and chosen < 0)) and saving > 0:
                    best, chosen = saving, j
            if chosen < 0:
                break
            floor, last, share = best, chosen, left
            for u in range(use_first[chosen], use_first[chosen + 1]):
                for h in range(n_hours):
                    load = peak * factor[h, chosen]
                    # In an hour in which the region asks for nothing the room may be below 0 by a rounding.
                    if load > 0 and load * share > room[h, use_limit[u]]:
                        share = max(room[h, use_limit[u]], 0.0) / load
            if share <= 1e-9:
                continue
            for u in range(use_first[chosen], use_first[chosen + 1]):
                for h in range(n_hours):
                    room[h, use_limit[u]] -= peak * factor[h, chosen] * share
            out_choice[n_out, 0], out_choice[n_out, 1], out_share[n_out] = e, chosen, share
            n_out += 1
            left = left - share if share < left else 0.0
            if n_out == len(out_share):
                return n_out
    return n_out


def route(passes: BlockPasses, limits: RateLimits, opened: np.ndarray, rate: np.ndarray, window: np.ndarray) -> Routing:
    """Shares of the entries that keep every egress and link limit; ``rate`` (H, K): prices to start from. Prices that
    suited what the blocks opened need not suit what is stored, so nothing is tried as a start too; the better stays."""
    found = [_route_from(passes, limits, opened, start, window) for start in (rate, np.zeros_like(rate))]
    return max(found, key=lambda routing: saving_of(passes, routing))


def saving_of(passes: BlockPasses, routing: Routing) -> float:
    """What the shares save against the origin."""
    t = passes.tables
    n_regions = len(t.first_candidate) - 1
    keys = np.repeat(np.arange(n_regions), np.diff(t.first_candidate)) * (len(t.storage_bytes) + 1) + t.candidate_site
    wanted = t.region[routing.entry].astype(np.int64) * (len(t.storage_bytes) + 1) + routing.site
    order = np.argsort(keys)
    candidate = order[np.searchsorted(keys[order], wanted)]
    return float((t.bytes[routing.entry] * routing.share) @ t.candidate_saving[candidate])


def _route_from(
    passes: BlockPasses, limits: RateLimits, opened: np.ndarray, rate: np.ndarray, window: np.ndarray
) -> Routing:
    tables = passes.tables
    choice, regret = np.empty(len(tables.region), dtype=np.int32), np.empty(len(tables.region))
    slope = np.zeros_like(rate)
    flow, loose = _steer(passes, limits.rate_prices(rate), window, opened, choice, regret)
    for step in range(STEPS):
        length = FIRST_STEP * (LAST_STEP / FIRST_STEP) ** (step / (STEPS - 1))
        change, slope = rate_changes(limits, window, slope, flow, loose, length)
        rate = np.maximum(rate + change, 0.0)
        flow, loose = _steer(passes, limits.rate_prices(rate), window, opened, choice, regret)
    prices, loads = limits.rate_prices(rate), limits.loads_bps(flow)
    nearly_full = (loads > TIGHT_SHARE * limits.limit_bps).any(axis=0)
    contested = np.asarray((limits.uses @ nearly_full.astype(float)) > 0)
    served = choice >= 0
    in_turn = served & contested[np.maximum(choice, 0)]
    # Those that found every cache too dear come last, for what room is left at no price.
    idle = np.flatnonzero(~served & tables.servable & (tables.peak_bps > 0) & (tables.bytes > 0))
    at_once = np.flatnonzero(served & ~in_turn)
    turns = np.flatnonzero(in_turn & (tables.peak_bps > 0))
    free = np.flatnonzero(in_turn & (tables.peak_bps == 0))
    at_once = np.concatenate([at_once, free])
    turns = turns[np.argsort(-regret[turns] / tables.peak_bps[turns], kind="stable")]
    settled = np.bincount(choice[at_once], weights=tables.peak_bps[at_once], minlength=len(tables.candidate_site))
    room = limits.limit_bps * (1 - SLACK) - limits.loads_bps(settled)
    parts = [(at_once, choice[at_once], np.ones(len(at_once)))]
    for taking, at_prices in ((turns, prices), (_by_worth(tables, idle), np.zeros_like(prices))):
        parts.append(_take(tables, limits, opened, taking, at_prices, room))
    entry, candidate, share = (np.concatenate(values) for values in zip(*parts, strict=True))
    order = np.argsort(entry, kind="stable")
    return Routing(entry[order], tables.candidate_site[candidate[order]], share[order])


def _by_worth(tables: BlockTables, entries: np.ndarray) -> np.ndarray:
    """Entries with most bytes per bit/s first."""
    return entries[np.argsort(-tables.bytes[entries] / tables.peak_bps[entries], kind="stable")]


def _take(tables: BlockTables, limits: RateLimits, opened: np.ndarray, turns: np.ndarray, prices, room):
    """Entries, candidates and shares of what the entries in their ``turns`` find room for; takes it off ``room``."""
    # An entry may be split over all candidates of its region.
    most = int((tables.first_candidate[1:] - tables.first_candidate[:-1]).max(initial=1))
    out, share = np.empty((len(turns) * most + 1, 2), dtype=np.int64), np.empty(len(turns) * most + 1)
    asset = np.searchsorted(tables.indptr, turns, side="right") - 1
    uses = limits.uses
    n = _take_turns(tables, prices, opened, asset, turns, limits.factor, uses.indptr, uses.indices, room, out, share)
    return out[:n, 0], out[:n, 1], share[:n]


def _steer(passes: BlockPasses, rate: np.ndarray, window: np.ndarray, opened: np.ndarray, choice, regret):
    """Flow and its loose part (C,) of all entries at these rate prices."""
    tables = passes.tables
    ends = np.searchsorted(tables.indptr, np.linspace(0, tables.indptr[-1], CHUNKS + 1))
    ends[0], ends[-1] = 0, len(tables.size_bytes)

    def work(task: int, ws: Any):
        flow, loose = np.zeros(len(rate)), np.zeros(len(rate))
        _steer_chunk(tables, rate, window, opened, ends[task], ends[task + 1], choice, regret, flow, loose)
        return flow, loose

    parts = passes.run(work)
    return sum(part[0] for part in parts), sum(part[1] for part in parts)
