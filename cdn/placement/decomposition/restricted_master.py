"""Prices of storage from a linear program: for each asset one of its near-optimal sets of caches, or parts of several.

    max  sum_c saving[c] x[c]  +  sum_s price[s] ((1 - BOX) sold[s] - (1 + BOX) bought[s])
    one_each   sum of an asset's x <= 1 (= 1 where it is pinned)
    storage   sum_c size use[s,c] x[c] + sold[s] - bought[s] <= storage[s]

The duals of the storage rows are better prices, and most assets come out with one whole set: a start for a placement.
Storage bought and sold keeps the duals within ``BOX`` of the prices that proved best so far, since only near those the
listed sets are all that matter; sets of earlier prices stay. This is column generation (Dantzig and Wolfe 1960) from a
start near the end, steadied by a box (Marsten, Hogan and Blankenship 1975).
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pulp
import scipy.sparse as sp

from cdn.errors import SolverError
from cdn.placement.decomposition.near_sets import FIRST_KICKS, MORE_KICKS, NearSets, list_near_sets
from cdn.placement.decomposition.passes import BlockPasses
from cdn.placement.decomposition.tables import BlockPrices, BlockTables
from cdn.placement.model import solution_of
from cdn.placement.solving import solve

BOX, MOST_STEPS, LEAST_GAIN = 0.12, 8, 2e-5
"""How far prices may move in a step, the most steps, and the share of the bound that a step has to gain for another."""


def settle_by_sets(
    passes: BlockPasses, prices: BlockPrices, order: np.ndarray, opened: np.ndarray, left_s: Callable[[], float | None]
) -> tuple[np.ndarray, np.ndarray | None]:
    """Better prices of storage (S,), and the sets that go with them: (A, ..) bits of caches, which together fit but for
    some of the assets in parts; None where there are too many sets for a program, no time, or no cache has a price.
    ``left_s``: seconds that are left. What is ``opened`` (A, ..) becomes the best at the prices last looked at."""
    if not (prices.storage > 0).any():
        return prices.storage, None
    limit = np.where(prices.storage > 0, passes.tables.storage_bytes, 0.0)
    centre, trial, least, pool, start = prices.storage, prices.storage, np.inf, None, None
    for step in range(MOST_STEPS + 1):
        if pool is not None:
            pool.open_best(passes.tables.size_bytes, trial, opened)
        kicks = FIRST_KICKS if pool is None else MORE_KICKS
        sets = list_near_sets(passes, replace(prices, storage=trial), order, opened, kicks)
        if sets is None:
            break
        pool, bound = sets.joined(pool), sets.best + float(trial @ limit)
        has_paid = bound < least * (1 - LEAST_GAIN)
        if bound < least:
            centre, least = trial, bound
        if not has_paid or step == MOST_STEPS:
            break
        found = solve_master(passes.tables, centre, pool, left_s())
        if found is None:
            break
        trial, part = found
        chosen = _larger_parts(pool.asset, part)
        start = np.zeros_like(opened)
        start[pool.asset[chosen]] = pool.row[chosen]
    return centre, start


def solve_master(
    tables: BlockTables, price: np.ndarray, sets: NearSets, time_limit_s: float | None = None
) -> tuple[np.ndarray, np.ndarray] | None:
    """Solves the program: prices (S,) per byte, and the part (M,) of each set; None where time is up or HiGHS fails.
    ``price`` (S,): the middle of the box. Caches without a price are not limited."""
    priced = np.flatnonzero(price > 0)
    limit = tables.storage_bytes[priced].astype(np.float64)
    worth = price[priced] * limit
    unit = max(float(np.abs(part).mean()) if len(part) else 0.0 for part in (worth, sets.saving)) or 1.0
    lp = pulp.LpProblem("sets", pulp.LpMinimize)
    x = [lp.add_variable(f"x{k}", 0, None) for k in range(len(sets.asset))]
    sold, bought = ([lp.add_variable(f"{name}{s}", 0, None) for s in priced] for name in ("sold", "bought"))
    variables = x + sold + bought
    cost = np.concatenate([-sets.saving, (BOX - 1) * worth, (BOX + 1) * worth]) / unit
    lp.setObjective(pulp.LpAffineExpression(list(zip(variables, cost.tolist(), strict=True))))
    asset, number = np.unique(sets.asset, return_inverse=True)
    one_each = sp.csr_array((np.ones(len(x)), (number, np.arange(len(x)))), shape=(len(asset), len(x)))
    _add_rows(lp, "one_each", one_each, x, np.diff(tables.pinned_indptr)[asset] > 0)
    share = sp.csr_array(sets.site[:, priced].multiply(tables.size_bytes[sets.asset][:, None] / limit))
    one = sp.eye_array(len(priced))
    use = sp.csr_array(sp.hstack([share.T, one, -one]))
    rows = _add_rows(lp, "storage", use, variables, np.zeros(len(priced), dtype=bool))
    try:
        solved = solve(lp, integer=False, time_limit_s=time_limit_s)
    except SolverError:  # say, of costs that span too many orders: what there is without the program is good too
        return None
    if not solved.has_solution:
        return None
    storage = price.copy()
    storage[priced] = np.array([max(-(row.pi or 0.0), 0.0) for row in rows]) * unit / limit
    return storage, solution_of(x)


def _add_rows(
    lp: pulp.LpProblem, name: str, rows: sp.csr_array, variables: list, is_exact: np.ndarray
) -> list[pulp.LpConstraint]:
    """Adds rows whose sum is 1, or 1 at most where not ``is_exact``."""
    added = []
    for k, (start, end) in enumerate(zip(rows.indptr[:-1], rows.indptr[1:], strict=True)):
        terms = [(variables[j], v) for j, v in zip(rows.indices[start:end], rows.data[start:end], strict=True)]
        sense = pulp.LpConstraintEQ if is_exact[k] else pulp.LpConstraintLE
        added.append(pulp.LpConstraint(terms, sense, rhs=1.0))
        lp.addConstraint(added[-1], f"{name}_{k}")
    return added


def _larger_parts(asset: np.ndarray, part: np.ndarray) -> np.ndarray:
    """Of each asset the set with the largest part, if that is larger than what is left of the asset: positions.
    ``asset``: of each set, in order."""
    order = np.lexsort((part, asset))
    largest = order[np.flatnonzero(np.diff(asset[order], append=-1))]
    left = 1 - np.bincount(asset, weights=part)
    return largest[part[largest] > left[asset[largest]]]
