"""Every set of caches that could store an asset, and what it saves, where there are few caches and assets.

A set is left out where fewer of its caches save as much.
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from cdn.model.problem import Problem
from cdn.placement.candidates import Candidates

MOST_SUBSETS = 200_000


@dataclass(frozen=True, eq=False)
class Subsets:
    """M sets of pairs, each of one asset: ``asset`` (M,) numbered from 0, ``saving`` (M,) against the origin with fill
    costs taken off, ``pairs`` (P, M): 1 where the set has the candidate pair."""

    asset: np.ndarray
    saving: np.ndarray
    pairs: sp.csc_array

    def __len__(self) -> int:
        return len(self.asset)

    def least(self) -> np.ndarray:
        """The first set of each asset: its pins alone."""
        return np.flatnonzero(np.diff(self.asset, prepend=-1))

    def take(self, kept: np.ndarray) -> "Subsets":
        """Only the kept sets (positions)."""
        return Subsets(self.asset[kept], self.saving[kept], sp.csc_array(self.pairs[:, kept]))


def are_few(candidates: Candidates) -> bool:
    """Whether there are few enough sets to list them all."""
    caches = np.unique(candidates.asset, return_counts=True)[1]
    return float(np.exp2(caches).sum()) <= MOST_SUBSETS


def list_subsets(problem: Problem, candidates: Candidates) -> Subsets:
    """All sets that ``candidates`` allow, the pins in each of their asset's."""
    c = candidates
    fill_cost = problem.fill_cost_per_byte[c.site] * problem.size_bytes[c.asset] * c.new
    first, of_triple = np.flatnonzero(np.diff(c.asset, prepend=-1)), c.asset[c.entry_pair]
    number, savings, rows, columns, n = [], [], [], [], 0
    for k, (start, end) in enumerate(zip(first, np.append(first[1:], len(c.asset))[: len(first)], strict=True)):
        own = slice(*np.searchsorted(of_triple, (c.asset[start], c.asset[start] + 1)))
        kept, saving = _sets_of(c, int(start), int(end), own, fill_cost)
        has, pair = np.nonzero(kept[:, None] >> np.arange(end - start) & 1)
        rows.append(pair + start)
        columns.append(has + n)
        number.append(np.full(len(kept), k))
        savings.append(saving)
        n += len(kept)
    row, column = np.concatenate([np.zeros(0, dtype=np.int64), *rows]), np.concatenate([np.zeros(0, int), *columns])
    return Subsets(
        np.concatenate([np.zeros(0, dtype=np.int64), *number]),
        np.concatenate([np.zeros(0), *savings]),
        sp.csc_array((np.ones(len(row)), (row, column)), shape=(len(c.asset), n)),
    )


def _sets_of(c: Candidates, start: int, end: int, own: slice, fill_cost: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The sets of one asset's pairs worth a look, a bit for each, and what they save. ``own``: its triples."""
    n = end - start
    entry = np.unique(c.entry[own], return_inverse=True)[1]
    saving = np.zeros((int(entry.max(initial=-1)) + 1, n))
    saving[entry, c.entry_pair[own] - start] = c.saving[own]
    best, cost = np.zeros((len(saving), 1 << n)), np.zeros(1 << n)
    for i in range(n):
        best[:, 1 << i : 2 << i] = np.maximum(best[:, : 1 << i], saving[:, i : i + 1])
        cost[1 << i : 2 << i] = cost[: 1 << i] + fill_cost[start + i]
    value, sets = best.sum(axis=0) - cost, np.arange(1 << n)
    kept = np.ones(1 << n, dtype=bool)
    for i in range(n):
        has = sets >> i & 1 == 1
        kept &= has if c.pinned[start + i] else ~has | (value > value[sets & ~(1 << i)])
    return sets[kept], value[kept]
