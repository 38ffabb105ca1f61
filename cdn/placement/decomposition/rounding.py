"""From the blocks' own choices to a placement that keeps storage and fill.

At prices close to the best ones the blocks' choices nearly fit. Sites that hold too much drop what is worth least per
byte, then room is filled with what saves most per byte; both with lazy re-evaluation, since dropping makes what is left of
an asset worth more and adding makes what is missing worth less (submodularity, as in ``greedy``).
"""

import heapq
from dataclasses import dataclass

import numpy as np
from numba import njit

from cdn.placement.decomposition.blocks import BlockPrices
from cdn.placement.decomposition.passes import BlockSolver, gather, in_threads


@dataclass(eq=False)
class Holding:
    """What each site holds, in the layout of ``BlockSolver.chosen``, and what room that leaves: ``storage_left``,
    ``fill_left`` (S,), negative where too much is held."""

    first: np.ndarray
    site: np.ndarray
    count: np.ndarray
    storage_left: np.ndarray
    fill_left: np.ndarray

    def copy(self) -> "Holding":
        return Holding(self.first, self.site.copy(), self.count.copy(), self.storage_left.copy(), self.fill_left.copy())

    @property
    def arrays(self) -> tuple:
        return self.first, self.site, self.count, self.storage_left, self.fill_left


@njit(cache=True, nogil=True)
def _saving_table(data, rate, n_caches):
    """(R, S) saving per byte and price per bit/s of each region-site pair; 0 where the site saves nothing."""
    n_regions = len(data.pair_indptr) - 1
    saving, charge = np.zeros((n_regions, n_caches)), np.zeros((n_regions, n_caches))
    for r in range(n_regions):
        for k in range(data.pair_indptr[r], data.pair_indptr[r + 1]):
            saving[r, data.pair_site[k]] = data.pair_saving[k]
            if len(rate) > 0:
                charge[r, data.pair_site[k]] = rate[k]
    return saving, charge


@njit(cache=True, nogil=True)
def _contains(first, site, asset, count, wanted):
    for i in range(first[asset], first[asset] + count):
        if site[i] == wanted:
            return True
    return False


@njit(cache=True, nogil=True)
def is_new(asset, site, data):
    """Must the asset be filled to be at the site?"""
    for k in range(data.stored_indptr[asset], data.stored_indptr[asset + 1]):
        if data.stored_site[k] == site:
            return False
    return True


@njit(cache=True, nogil=True)
def gain_of(asset, site, data, saving, charge, first, held, count):
    """Cost that one more site saves an asset, the fill cost taken off."""
    total = 0.0
    for e in range(data.indptr[asset], data.indptr[asset + 1]):
        r = data.region[e]
        if not data.wanted[e] or saving[r, site] == 0.0:
            continue
        w = data.bytes[e] * saving[r, site] - data.peak_bps[e] * charge[r, site]
        for i in range(first[asset], first[asset] + count[asset]):
            if w <= 0:
                break
            w = min(w, data.bytes[e] * (saving[r, site] - saving[r, held[i]])
                    - data.peak_bps[e] * (charge[r, site] - charge[r, held[i]]))
        if w > 0:
            total += w
    if data.fill_cost[site] > 0 and is_new(asset, site, data):
        total -= data.fill_cost[site] * data.size[asset]
    return total


@njit(cache=True, nogil=True)
def loss_of(asset, site, data, saving, charge, first, held, count):
    """Cost that dropping one held site of an asset adds, the fill cost taken off."""
    total = 0.0
    for e in range(data.indptr[asset], data.indptr[asset + 1]):
        r = data.region[e]
        if not data.wanted[e] or saving[r, site] == 0.0:
            continue
        w = data.bytes[e] * saving[r, site] - data.peak_bps[e] * charge[r, site]
        for i in range(first[asset], first[asset] + count[asset]):
            if w <= 0:
                break
            if held[i] != site:
                w = min(w, data.bytes[e] * (saving[r, site] - saving[r, held[i]])
                        - data.peak_bps[e] * (charge[r, site] - charge[r, held[i]]))
        if w > 0:
            total += w
    if data.fill_cost[site] > 0 and is_new(asset, site, data):
        total -= data.fill_cost[site] * data.size[asset]
    return total


@njit(cache=True, nogil=True)
def drop(asset, site, data, first, held, count, storage_left, fill_left):
    """Takes a held pair away."""
    last = first[asset] + count[asset] - 1
    for i in range(first[asset], last + 1):
        if held[i] == site:
            held[i] = held[last]
            break
    count[asset] -= 1
    storage_left[site] += data.size[asset]
    if is_new(asset, site, data):
        fill_left[site] += data.size[asset]


@njit(cache=True, nogil=True)
def add(asset, site, data, first, held, count, storage_left, fill_left):
    """Holds one more pair, where the layout has room for it (more sites than entries never pay)."""
    if first[asset] + count[asset] >= first[asset + 1]:
        return False
    held[first[asset] + count[asset]] = site
    count[asset] += 1
    storage_left[site] -= data.size[asset]
    if is_new(asset, site, data):
        fill_left[site] -= data.size[asset]
    return True


@njit(cache=True, nogil=True)
def _trim(data, saving, charge, first, held, count, storage_left, fill_left):
    """Drops what costs least per byte until every site keeps its limits; pins stay."""
    heap = [(0.0, 0, 0)]
    heap.pop()
    for asset in range(len(data.size)):
        for i in range(first[asset], first[asset] + count[asset]):
            s = held[i]
            if (storage_left[s] < 0 or fill_left[s] < 0) and not _contains(
                    data.pinned_indptr, data.pinned_site, asset, data.pinned_indptr[asset + 1] - data.pinned_indptr[asset], s):
                heap.append((loss_of(asset, s, data, saving, charge, first, held, count) / data.size[asset], asset, np.int64(s)))
    heapq.heapify(heap)
    while len(heap) > 0:
        _, asset, s = heapq.heappop(heap)
        if storage_left[s] >= 0 and (fill_left[s] >= 0 or not is_new(asset, s, data)):
            continue
        fresh = loss_of(asset, s, data, saving, charge, first, held, count) / data.size[asset]
        if len(heap) > 0 and fresh > heap[0][0]:
            heapq.heappush(heap, (fresh, asset, s))
            continue
        drop(asset, s, data, first, held, count, storage_left, fill_left)


@njit(cache=True, nogil=True)
def load_of(first, held, count, data):
    """(S,) bytes held and bytes newly filled at each site."""
    used, filled = np.zeros(len(data.storage)), np.zeros(len(data.storage))
    for asset in range(len(data.size)):
        for i in range(first[asset], first[asset] + count[asset]):
            used[held[i]] += data.size[asset]
            if is_new(asset, held[i], data):
                filled[held[i]] += data.size[asset]
    return used, filled


@njit(cache=True, nogil=True)
def _collect(begin, end, data, prices, saving, charge, work, first, held, count, storage_left, fill_left):
    """Pairs of assets begin..end that fit and save at least the site's price per byte: density, asset, site (rows)."""
    found = np.empty((1024, 3))
    n = 0
    for asset in range(begin, end):
        if count[asset] == first[asset + 1] - first[asset]:
            continue
        _, n_sites = gather(asset, data, prices, work)
        size = data.size[asset]
        for j in range(n_sites):
            s = work.site[j]
            if size > storage_left[s] or _contains(first, held, asset, count[asset], s):
                continue
            if size > fill_left[s] and is_new(asset, s, data):
                continue
            gain = gain_of(asset, s, data, saving, charge, first, held, count)
            if gain > 0 and gain >= size * prices.storage[s]:
                if n == len(found):
                    longer = np.empty((2 * n, 3))
                    longer[:n] = found
                    found = longer
                found[n, 0], found[n, 1], found[n, 2] = -gain / size, asset, s
                n += 1
    return found[:n]


@njit(cache=True, nogil=True)
def _fill(found, data, saving, charge, first, held, count, storage_left, fill_left):
    """Adds pairs (rows of ``_collect``), best per byte first, while they fit."""
    heap = [(found[k, 0], np.int64(found[k, 1]), np.int64(found[k, 2])) for k in range(len(found))]
    heapq.heapify(heap)
    while len(heap) > 0:
        stale, asset, s = heapq.heappop(heap)
        size = data.size[asset]
        if size > storage_left[s] or (size > fill_left[s] and is_new(asset, s, data)):
            continue
        fresh = -gain_of(asset, s, data, saving, charge, first, held, count) / size
        if fresh >= 0:
            continue
        if len(heap) > 0 and fresh > heap[0][0] and fresh > stale:
            heapq.heappush(heap, (fresh, asset, s))
            continue
        add(asset, s, data, first, held, count, storage_left, fill_left)


@njit(cache=True, nogil=True)
def _saving_of_range(begin, end, data, saving, first, held, count):
    """Cost that assets begin..end save, each entry from its best held site; fill cost taken off."""
    total = 0.0
    for asset in range(begin, end):
        if count[asset] == 0:
            continue
        for e in range(data.indptr[asset], data.indptr[asset + 1]):
            if data.wanted[e]:
                best = 0.0
                for i in range(first[asset], first[asset] + count[asset]):
                    best = max(best, saving[data.region[e], held[i]])
                total += best * data.bytes[e]
        for i in range(first[asset], first[asset] + count[asset]):
            if data.fill_cost[held[i]] > 0 and is_new(asset, held[i], data):
                total -= data.fill_cost[held[i]] * data.size[asset]
    return total


FILL_SHARES = (0.8, 0.3, 0.0)


class Rounding:
    """Turns what the blocks chose at some prices into holdings that keep storage and fill."""

    def __init__(self, solver: BlockSolver, prices: BlockPrices) -> None:
        self.solver, self.prices, self.data = solver, prices, solver.blocks
        self.saving, self.charge = _saving_table(self.data, prices.rate, len(self.data.storage))

    def of_choices(self) -> Holding:
        """The last pass's choices, trimmed and filled."""
        solver, data = self.solver, self.data
        held, filled = load_of(solver.chosen_first, solver.chosen, solver.n_chosen, data)
        holding = Holding(solver.chosen_first, solver.chosen.copy(), solver.n_chosen.copy(), data.storage - held, data.fill - filled)
        return self.complete(holding)

    def complete(self, holding: Holding) -> Holding:
        """Trims and fills in place."""
        _trim(self.data, self.saving, self.charge, *holding.arrays)
        for share in FILL_SHARES:
            found = self._collect(holding, share)
            if len(found):
                _fill(found, self.data, self.saving, self.charge, *holding.arrays)
        return holding

    def _collect(self, holding: Holding, share: float) -> np.ndarray:
        lowered = self.prices._replace(storage=self.prices.storage * share, new=self.data.fill_cost)

        def run(bounds: tuple[int, int]):
            return _collect(*bounds, self.data, lowered, self.saving, self.charge, self.solver.make_work(), *holding.arrays)

        return np.concatenate([np.zeros((0, 3)), *in_threads(run, list(self.solver.ranges()), self.solver.threads)])

    def saving_of(self, holding: Holding) -> float:
        """Cost the holding saves without egress and link limits."""

        def run(bounds: tuple[int, int]) -> float:
            return _saving_of_range(*bounds, self.data, self.saving, *holding.arrays[:3])

        return float(sum(in_threads(run, list(self.solver.ranges()), self.solver.threads)))

    def fill_cost_of(self, holding: Holding) -> float:
        """Cost of what the holding newly fills."""
        _, filled = load_of(holding.first, holding.site, holding.count, self.data)
        return float(self.data.fill_cost @ filled)

    def ruined(self, holding: Holding, share: float) -> Holding:
        """A copy that lost a share of every site, what is worth least per byte, and was filled up again."""
        tried = holding.copy()
        reserve = np.where(np.isfinite(self.data.storage), share * self.data.storage, 0.0)
        tried.storage_left -= reserve
        _trim(self.data, self.saving, self.charge, *tried.arrays)
        tried.storage_left += reserve
        return self.complete(tried)
