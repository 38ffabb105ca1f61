"""One set of caches for each asset, proved best: a model over all sets, by PuLP + HiGHS.

    max  sum_c saving[c] z[c]
    one_each   sum of an asset's z = 1                 has_pair   y[s,a] = sum of the z whose set has the pair
    storage    sum_a size[a] y[s,a] <= storage[s]      fill       sum_a size[a] new[s,a] y[s,a] <= fill[s]

with y whole: then z is too. The relaxation is as good as the best prices (Geoffrion 1974), and there is a row for each
pair where ``model`` has one for each connection. A good choice among the sets of least reduced cost shows which of all
sets can be in a better one at all (Balas and Zemel 1980).
"""

from dataclasses import dataclass

import numpy as np
import pulp
import scipy.sparse as sp

from cdn.model.problem import Problem
from cdn.placement.candidates import Candidates
from cdn.placement.clock import Clock
from cdn.placement.exchanging import exchange
from cdn.placement.model import solution_of
from cdn.placement.solving import OPTIMAL, solve
from cdn.placement.subsets import Subsets, list_subsets

FIRST_SETS, FIRST_SETS_PER_ASSET, FIRST_GAP = 600, 8, 3e-4
FIRST_TIME_SHARE = 0.2
SAFE = 1e-6
"""Share of the saving by which the relaxation's figures may be off."""


@dataclass(frozen=True, eq=False)
class Choice:
    """``held`` (P,) pairs, feasible, with what they save; no choice saves more than ``most_saving``. ``is_optimal``:
    within the asked gap."""

    held: np.ndarray
    saving: float
    most_saving: float
    is_optimal: bool


def choose_sets(problem: Problem, candidates: Candidates, gap: float, time_limit_s: float | None) -> Choice:
    """The choice that saves most under storage and fill limits, within ``gap`` of the saving. Raises SolverError where
    HiGHS fails."""
    clock = Clock(time_limit_s)
    sets, limits = list_subsets(problem, candidates), _limit_rows(problem, candidates)
    unit = float(np.abs(sets.saving).max(initial=0.0)) or 1.0
    held, saving = exchange(problem, candidates, candidates.pinned)
    relaxation = _SetModel(sets, limits, unit, whole=False)
    if not relaxation.solve(None, clock.left_s()):
        return Choice(held, saving, float(np.inf), False)
    most, loss = relaxation.saving + SAFE * max(abs(relaxation.saving), unit), relaxation.losses()

    def look_among(kept: np.ndarray, asked: float, share: float) -> float:
        """Replaces what is held by a better choice among the kept sets; the most that any of those saves."""
        nonlocal held, saving
        model = _SetModel(sets.take(np.union1d(kept, sets.least())), limits, unit, whole=True)
        model.solve(asked, clock.left_s(share))
        if model.saving > saving:
            held, saving = exchange(problem, candidates, model.held())
        return model.most_saving

    n_first = max(FIRST_SETS, FIRST_SETS_PER_ASSET * len(sets.least()))
    look_among(np.argsort(loss, kind="stable")[:n_first], max(gap, FIRST_GAP), FIRST_TIME_SHARE)
    if most - saving > gap * abs(saving) and not clock.is_past():
        # What is left out cannot be in a choice that saves more.
        most = min(most, max(saving, look_among(np.flatnonzero(loss <= most - saving), gap, 1.0)))
    return Choice(held, saving, most, most - saving <= (gap + SAFE) * max(abs(saving), unit))


def _limit_rows(problem: Problem, c: Candidates) -> sp.csr_array:
    """(K, P) the share that each pair takes of storage and fill limits, of those that could be exceeded."""
    size, n = problem.size_bytes[c.asset].astype(np.float64), len(c.site)
    parts = []
    for limit, counted in ((problem.storage_bytes, np.ones(n, dtype=bool)), (problem.usable_fill_bytes, c.new)):
        used = np.bincount(c.site[counted], weights=size[counted], minlength=problem.n_caches)
        pair = np.flatnonzero(counted & (used > limit)[c.site])
        share = size[pair] / limit[c.site[pair]]
        rows = sp.csr_array((share, (c.site[pair], pair)), shape=(problem.n_caches, n))
        parts.append(rows[np.flatnonzero(used > limit)])
    return sp.csr_array(sp.vstack(parts))


class _SetModel:
    """The model over some sets; its relaxation without y. ``saving`` of the solution, -inf where there is none, and
    ``most_saving`` that any has, once solved."""

    def __init__(self, sets: Subsets, limits: sp.csr_array, unit: float, whole: bool) -> None:
        self._sets, self._unit, self._whole = sets, unit, whole
        self.saving, self.most_saving = -np.inf, np.inf
        self._lp = pulp.LpProblem("sets", pulp.LpMinimize)
        self._z = [self._lp.add_variable(f"z{k}", 0, None) for k in range(len(sets))]
        self._lp.setObjective(pulp.LpAffineExpression(list(zip(self._z, (-sets.saving / unit).tolist(), strict=True))))
        n = np.arange(len(sets))
        one_each = sp.csr_array((np.ones(len(n)), (sets.asset, n)), shape=(len(sets.least()), len(n)))
        self._add_rows("one_each", one_each, self._z, pulp.LpConstraintEQ)
        if not whole:
            self._add_rows("limit", sp.csr_array(limits @ sets.pairs), self._z, pulp.LpConstraintLE)
            return
        pairs = range(sets.pairs.shape[0])
        y = [self._lp.add_variable(f"y{k}", 0, 1, "Integer") for k in pairs]
        has_pair = sp.hstack([sets.pairs, -sp.eye_array(len(y))])
        self._add_rows("has_pair", sp.csr_array(has_pair), self._z + y, pulp.LpConstraintEQ, 0.0)
        self._add_rows("limit", limits, y, pulp.LpConstraintLE)

    def _add_rows(self, name: str, rows: sp.csr_array, variables: list, sense: int, limit: float = 1.0) -> None:
        for k, (start, end) in enumerate(zip(rows.indptr[:-1], rows.indptr[1:], strict=True)):
            terms = [(variables[j], v) for j, v in zip(rows.indices[start:end], rows.data[start:end], strict=True)]
            self._lp.addConstraint(pulp.LpConstraint(terms, sense, rhs=limit), f"{name}_{k}")

    def solve(self, gap: float | None, time_limit_s: float | None) -> bool:
        """Solves it; is the solution as good as asked?"""
        solved = solve(self._lp, self._whole, gap, time_limit_s)
        if solved.has_solution:
            self.saving = -solved.objective * self._unit
        if solved.bound is not None and np.isfinite(solved.bound):
            self.most_saving = -solved.bound * self._unit
        return solved.status == OPTIMAL

    def losses(self) -> np.ndarray:
        """(M,) what the relaxation's value would lose at least by each set."""
        return np.array([z.dj or 0.0 for z in self._z]) * self._unit

    def held(self) -> np.ndarray:
        """(P,) the pairs of the chosen sets."""
        return self._sets.pairs @ (solution_of(self._z) > 0.5) > 0
