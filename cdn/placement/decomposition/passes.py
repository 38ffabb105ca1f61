"""One pass over all blocks at given prices, in threads; the same numbers for any number of threads.

Assets are cut into a fixed number of ranges of about equal work. Each range has its own sums, added up in order.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit

from cdn.placement.decomposition.blocks import BlockData, BlockPrices, Limits, block_prices
from cdn.placement.decomposition.branching import solve_facility
from cdn.placement.decomposition.facility import OPEN, UNDECIDED

RANGES = 64


class Effort(NamedTuple):
    """How hard a pass tries on each block: relaxation steps, relative slack of bounds, branching nodes."""

    iterations: int
    tolerance: float
    node_limit: int


class Work(NamedTuple):
    """Scratch of one thread, sized for the largest block. ``local`` (S,) is -1 between blocks."""

    local: np.ndarray
    total: np.ndarray
    touched: np.ndarray
    price: np.ndarray
    status: np.ndarray
    site: np.ndarray
    first: np.ndarray
    entry: np.ndarray
    term_site: np.ndarray
    term_pair: np.ndarray
    term: np.ndarray
    gain: np.ndarray
    keep: np.ndarray
    slack: np.ndarray
    credit: np.ndarray
    kept_credit: np.ndarray
    root_credit: np.ndarray
    slope: np.ndarray
    warm: np.ndarray
    rho: np.ndarray
    trial: np.ndarray
    hint: np.ndarray
    label: np.ndarray
    reached: np.ndarray
    best: np.ndarray
    own_entry: np.ndarray
    own_site: np.ndarray
    own_index: np.ndarray
    own_price: np.ndarray
    own_first: np.ndarray
    own_term_site: np.ndarray
    own_term: np.ndarray


def make_work(n_caches: int, most_entries: int, most_terms: int) -> Work:
    """Fresh scratch for blocks of at most so many entries and terms."""
    per_site = {name: np.zeros(n_caches) for name in ("total", "price", "gain", "keep", "slack", "rho", "own_price")}
    ids = {name: np.zeros(n_caches, dtype=np.int64) for name in ("touched", "site", "label", "own_site", "own_index")}
    per_entry = {name: np.zeros(most_entries) for name in ("credit", "kept_credit", "root_credit", "slope", "warm", "reached")}
    return Work(
        **per_site, **ids, **per_entry, local=np.full(n_caches, -1, dtype=np.int64),
        **{name: np.zeros(n_caches, dtype=np.int8) for name in ("status", "best", "trial", "hint")},
        first=np.zeros(most_entries + 1, dtype=np.int64), own_first=np.zeros(most_entries + 1, dtype=np.int64),
        **{name: np.zeros(most_entries, dtype=np.int64) for name in ("entry", "own_entry")},
        term_site=np.zeros(most_terms, dtype=np.int64), term_pair=np.zeros(most_terms, dtype=np.int64),
        term=np.zeros(most_terms), own_term_site=np.zeros(most_terms, dtype=np.int64), own_term=np.zeros(most_terms))


@njit(cache=True, nogil=True)
def site_prices(asset, data, prices, n_touched, work):
    """Price of opening each touched site; infinite where the asset can never be stored there."""
    size = data.size[asset]
    for t in range(n_touched):
        s = work.touched[t]
        fits = size <= data.storage[s] and size <= data.fill[s]
        work.price[s] = size * (prices.storage[s] + prices.new[s]) if fits else np.inf
    for k in range(data.stored_indptr[asset], data.stored_indptr[asset + 1]):
        s = data.stored_site[k]
        work.price[s] = size * prices.storage[s] if size <= data.storage[s] else np.inf
    for k in range(data.excluded_indptr[asset], data.excluded_indptr[asset + 1]):
        work.price[data.excluded_site[k]] = np.inf


@njit(cache=True, nogil=True)
def gather(asset, data, prices, work):
    """Collects the block: the sites that can pay for themselves and the pinned ones, and what they save each entry.

    Most assets end here, at the price of one addition per entry and site. Returns entries, sites (open where pinned).
    """
    n_touched = 0
    with_rates = len(prices.rate) > 0
    for e in range(data.indptr[asset], data.indptr[asset + 1]):
        if not data.wanted[e]:
            continue
        r, volume, peak = data.region[e], data.bytes[e], data.peak_bps[e]
        for k in range(data.pair_indptr[r], data.pair_indptr[r + 1]):
            w = volume * data.pair_saving[k]
            if with_rates:
                w -= peak * prices.rate[k]
            if w > 0:
                s = data.pair_site[k]
                if work.total[s] == 0.0:
                    work.touched[n_touched] = s
                    n_touched += 1
                work.total[s] += w
    site_prices(asset, data, prices, n_touched, work)
    n_sites = 0
    for k in range(data.pinned_indptr[asset], data.pinned_indptr[asset + 1]):
        s = data.pinned_site[k]
        if work.price[s] == np.inf or work.total[s] == 0.0:
            work.price[s] = _pinned_price(asset, s, data, prices)
        work.site[n_sites] = s
        work.local[s] = n_sites
        work.status[n_sites] = OPEN
        n_sites += 1
    for t in range(n_touched):
        s = work.touched[t]
        if work.total[s] > work.price[s] and work.local[s] < 0:
            work.site[n_sites] = s
            work.local[s] = n_sites
            work.status[n_sites] = UNDECIDED
            n_sites += 1
        work.total[s] = 0.0
    n_entries = 0
    if n_sites > 0:
        n_entries = _gather_terms(asset, data, prices, with_rates, work)
    for j in range(n_sites):
        work.local[work.site[j]] = -1
    # From here on prices stand by local number.
    for j in range(n_sites):
        work.slack[j] = work.price[work.site[j]]
    for j in range(n_sites):
        work.price[j] = work.slack[j]
    return n_entries, n_sites


@njit(cache=True, nogil=True)
def _pinned_price(asset, site, data, prices):
    for k in range(data.stored_indptr[asset], data.stored_indptr[asset + 1]):
        if data.stored_site[k] == site:
            return data.size[asset] * prices.storage[site]
    return data.size[asset] * (prices.storage[site] + prices.new[site])


@njit(cache=True, nogil=True)
def _gather_terms(asset, data, prices, with_rates, work):
    n_entries = terms = 0
    work.first[0] = 0
    for e in range(data.indptr[asset], data.indptr[asset + 1]):
        if not data.wanted[e]:
            continue
        r, volume, peak = data.region[e], data.bytes[e], data.peak_bps[e]
        start = terms
        for k in range(data.pair_indptr[r], data.pair_indptr[r + 1]):
            j = work.local[data.pair_site[k]]
            if j < 0:
                continue
            w = volume * data.pair_saving[k]
            if with_rates:
                w -= peak * prices.rate[k]
            if w > 0:
                work.term_site[terms] = j
                work.term_pair[terms] = k
                work.term[terms] = w
                terms += 1
        if terms > start:
            work.entry[n_entries] = e
            n_entries += 1
            work.first[n_entries] = terms
    return n_entries


@njit(cache=True, nogil=True)
def _solve_range(begin, end, data, prices, effort, work, credit, chosen_first, chosen, n_chosen, sums, used, filled, flow):
    """Solves the blocks of assets begin..end. ``sums``: value, bound, nodes, blocks that were branched on."""
    for asset in range(begin, end):
        n_entries, n_sites = gather(asset, data, prices, work)
        _recall(asset, n_sites, work, chosen_first, chosen, n_chosen)
        n_chosen[asset] = 0
        if n_sites == 0:
            continue
        for i in range(n_entries):
            work.warm[i] = credit[work.entry[i]]
        value, bound, nodes = solve_facility(n_entries, n_sites, work.status, work.price, work, effort.iterations,
                                             effort.tolerance, effort.node_limit)
        for i in range(n_entries):
            credit[work.entry[i]] = work.warm[i]
        sums[0] += value
        sums[1] += bound
        sums[2] += nodes
        sums[3] += nodes > 0
        _note_choice(asset, n_entries, n_sites, data, prices, work, chosen_first, chosen, n_chosen, used, filled, flow)


@njit(cache=True, nogil=True)
def _recall(asset, n_sites, work, chosen_first, chosen, n_chosen):
    """Marks in ``work.hint`` the sites that were chosen the last time."""
    for i in range(chosen_first[asset], chosen_first[asset] + n_chosen[asset]):
        work.local[chosen[i]] = 1
    for j in range(n_sites):
        work.hint[j] = work.local[work.site[j]] == 1
    for i in range(chosen_first[asset], chosen_first[asset] + n_chosen[asset]):
        work.local[chosen[i]] = -1


@njit(cache=True, nogil=True)
def _note_choice(asset, n_entries, n_sites, data, prices, work, chosen_first, chosen, n_chosen, used, filled, flow):
    size = data.size[asset]
    for j in range(n_sites):
        if work.status[j] == OPEN:
            s = work.site[j]
            chosen[chosen_first[asset] + n_chosen[asset]] = s
            n_chosen[asset] += 1
            used[s] += size
            filled[s] += size
    for k in range(data.stored_indptr[asset], data.stored_indptr[asset + 1]):
        for i in range(chosen_first[asset], chosen_first[asset] + n_chosen[asset]):
            if chosen[i] == data.stored_site[k]:
                filled[chosen[i]] -= size
    if len(flow) == 0:
        return
    for e in range(n_entries):
        best, pair = 0.0, -1
        for k in range(work.first[e], work.first[e + 1]):
            if work.status[work.term_site[k]] == OPEN and work.term[k] > best:
                best, pair = work.term[k], work.term_pair[k]
        if pair >= 0:
            flow[pair] += data.peak_bps[work.entry[e]]


@dataclass(eq=False)
class Pass:
    """What one pass found: ``value`` of the chosen sites, ``bound`` on the best value of all blocks, ``load`` (rows,)
    of each limit, nodes spent branching and blocks that needed it."""

    value: float
    bound: float
    load: np.ndarray
    nodes: int
    branched: int


class BlockSolver:
    """Solves all blocks of one problem again and again at different prices. ``chosen_first`` (A + 1,), ``chosen``,
    ``n_chosen`` (A,): the sites the last pass opened, ``chosen[chosen_first[a]:][:n_chosen[a]]`` for asset a."""

    def __init__(self, blocks: BlockData, limits: Limits, threads: int) -> None:
        self.blocks, self.limits, self.threads = blocks, limits, threads
        n_assets, n_caches = len(blocks.size), len(blocks.storage)
        pins = np.diff(blocks.pinned_indptr)
        room = np.minimum(np.diff(blocks.indptr), n_caches) + pins
        self.chosen_first = np.concatenate([[0], np.cumsum(room)]).astype(np.int64)
        self.chosen = np.zeros(self.chosen_first[-1], dtype=np.int32)
        self.n_chosen = np.zeros(n_assets, dtype=np.int32)
        self.credit = np.full(len(blocks.bytes), -1.0, dtype=np.float32)
        work_of = blocks.indptr + np.arange(n_assets + 1)
        self.cuts = np.unique(np.searchsorted(work_of, np.linspace(0, work_of[-1], RANGES + 1)))
        most_entries = int(np.diff(blocks.indptr).max(initial=0))
        most_terms = min(most_entries * int(np.diff(blocks.pair_indptr).max(initial=0)), len(blocks.pair_site))
        self.make_work = lambda: make_work(n_caches, most_entries, most_terms)

    def ranges(self) -> Iterator[tuple[int, int]]:
        """Asset ranges of about equal work; they do not depend on the number of threads."""
        return zip(self.cuts[:-1].tolist(), self.cuts[1:].tolist(), strict=True)

    def prices_of(self, price: np.ndarray) -> BlockPrices:
        """Prices (rows,) as the kernels take them: without rate prices where there are none."""
        prices = block_prices(self.blocks, self.limits, price)
        return prices if self.limits.rate_rows.shape[0] else prices._replace(rate=np.zeros(0))

    def solve(self, price: np.ndarray, effort: Effort) -> Pass:
        """One pass at prices (rows,)."""
        prices = self.prices_of(price)
        n, n_pairs = self.limits.n_caches, len(self.blocks.pair_site)
        with_rates = self.limits.rate_rows.shape[0] > 0

        def run(bounds: tuple[int, int]):
            sums, used, filled = np.zeros(4), np.zeros(n), np.zeros(n)
            flow = np.zeros(n_pairs if with_rates else 0)
            _solve_range(*bounds, self.blocks, prices, effort, self.make_work(), self.credit, self.chosen_first, self.chosen,
                         self.n_chosen, sums, used, filled, flow)
            return sums, used, filled, flow

        results = list(in_threads(run, list(self.ranges()), self.threads))
        sums, used, filled, flow = (np.sum([result[k] for result in results], axis=0) for k in range(4)) if results else (
            np.zeros(4), np.zeros(n), np.zeros(n), np.zeros(n_pairs if with_rates else 0))
        load = np.concatenate([used, filled, self.limits.rate_rows @ flow]) if with_rates else np.concatenate([used, filled])
        return Pass(float(sums[0]), float(sums[1]), load, int(sums[2]), int(sums[3]))


def in_threads(run, tasks: list, threads: int):
    """Results in the order of the tasks. The kernels release the interpreter's lock."""
    if threads <= 1 or len(tasks) <= 1:
        return [run(task) for task in tasks]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, tasks))
