"""Greedy: again and again the pair that saves most per byte, with lazy re-evaluation.

The saving of a placement is monotone and submodular in its pairs, so a pair's saving only falls as others are
added and a stale value is an upper bound: only the top of the heap is evaluated again (Minoux 1978; Leskovec et al.
KDD 2007 call it CELF). Keeps storage, fill and the pinned / excluded / licensed
rules; egress and links are not looked at.
"""

import heapq

import numpy as np

from cdn.compilation import kernel, routine
from cdn.model.placement import Placement, PlacerResult
from cdn.model.problem import Problem
from cdn.model.site_assets import SiteAssets
from cdn.placement.candidates import Candidates, find_candidates
from cdn.placement.spare import use_spare_storage


@routine
def _gain(pair, first, entries, saving, reached):
    """Saving a pair adds to what its entries have reached already."""
    total = 0.0
    for k in range(first[pair], first[pair + 1]):
        more = saving[k] - reached[entries[k]]
        if more > 0:
            total += more
    return total


@kernel
def _complete(first, entries, saving, reached, size, fill_cost, new, site, storage_left, fill_left, held):
    """Adds pairs to ``held`` until nothing that fits saves anything; changes its last arguments in place."""
    heap = [(0.0, -1)]
    heap.pop()
    for pair in range(len(size)):
        if not held[pair]:
            gain = _gain(pair, first, entries, saving, reached) - fill_cost[pair]
            if gain > 0:
                heap.append((-gain / size[pair], pair))
    heapq.heapify(heap)
    while len(heap) > 0:
        stale, pair = heapq.heappop(heap)
        s = site[pair]
        if size[pair] > storage_left[s] or (new[pair] and size[pair] > fill_left[s]):
            continue
        gain = _gain(pair, first, entries, saving, reached) - fill_cost[pair]
        if gain <= 0:
            continue
        fresh = -gain / size[pair]
        if len(heap) > 0 and fresh > heap[0][0] and fresh > stale:
            heapq.heappush(heap, (fresh, pair))
            continue
        _hold(pair, first, entries, saving, reached, size, new, site, storage_left, fill_left, held)


@routine
def _hold(pair, first, entries, saving, reached, size, new, site, storage_left, fill_left, held):
    held[pair] = True
    storage_left[site[pair]] -= size[pair]
    if new[pair]:
        fill_left[site[pair]] -= size[pair]
    for k in range(first[pair], first[pair + 1]):
        reached[entries[k]] = max(reached[entries[k]], saving[k])


@kernel
def _hold_given(given, first, entries, saving, reached, size, new, site, storage_left, fill_left, held):
    for pair in given:
        _hold(pair, first, entries, saving, reached, size, new, site, storage_left, fill_left, held)


def complete_greedily(problem: Problem, candidates: Candidates, start: np.ndarray) -> tuple[np.ndarray, float]:
    """Starts with the pairs where ``start`` (P,) holds (the pins always) and adds greedily what still fits.

    Returns which pairs are held (P,) and the cost saved against holding nothing (fill cost taken off).
    """
    c = candidates
    order = np.argsort(c.entry_pair, kind="stable")
    first = np.zeros(len(c.site) + 1, dtype=np.int64)
    np.cumsum(np.bincount(c.entry_pair, minlength=len(c.site)), out=first[1:])
    size = problem.size_bytes[c.asset].astype(np.float64)
    fill_cost = problem.fill_cost_per_byte[c.site] * size * c.new
    reached, held = np.zeros(len(problem.demand)), np.zeros(len(c.site), dtype=bool)
    arrays = (first, c.entry[order], c.saving[order], reached, size)
    left = (problem.storage_bytes.copy(), problem.usable_fill_bytes.copy())
    _hold_given(np.flatnonzero(start | c.pinned), *arrays, c.new, c.site, *left, held)
    _complete(*arrays, fill_cost, c.new, c.site, *left, held)
    return held, float(reached.sum() - fill_cost[held].sum())


def held_pairs(problem: Problem, candidates: Candidates, held: np.ndarray) -> SiteAssets:
    """The held candidate pairs as a set."""
    return SiteAssets.from_pairs(candidates.site[held], candidates.asset[held], len(problem.asset_index))


def place_greedy(problem: Problem) -> PlacerResult:
    """The greedy placement; no bound."""
    candidates = find_candidates(problem)
    held, _ = complete_greedily(problem, candidates, np.zeros(len(candidates.site), dtype=bool))
    stored = use_spare_storage(problem, held_pairs(problem, candidates, held))
    return PlacerResult(Placement(stored), "feasible", "nothing more that fits saves cost")
