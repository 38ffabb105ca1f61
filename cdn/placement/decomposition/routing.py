"""Who serves what when egress or links bind: one small linear program over groups of entries that look alike.

Entries of a region whose nearest, second and third nearest holding sites are the same are served alike: of group g a share
x[g,i] comes from its i-th site, the rest from the origin.

    max  sum_g,i saved[g,i] x[g,i]    sum_i x[g,i] <= 1,    loads of egress and links <= limits,    x >= 0

The number of groups depends on regions and sites only, not on assets; that x = 0 is always feasible makes it a repair.
"""

import numpy as np
import scipy.sparse as sp
from numba import njit
from scipy.optimize import linprog

from cdn.errors import SolverError
from cdn.model.placement import Routing
from cdn.placement.decomposition.blocks import BlockData, Limits
from cdn.placement.decomposition.rounding import Holding

TIERS = 3
SHARE_EPSILON = 1e-9
MOST_GROUP_KEYS = 20_000_000


@njit(cache=True, nogil=True)
def _nearest(data, first, held, count, n_caches, tiers, width, key, local):
    """Key of each entry's group: region and the ranks, in its region, of its nearest holding sites (``width - 1``: none);
    -1 where only the origin can serve it. ``local`` (S,) is scratch."""
    local[:] = False
    for asset in range(len(data.size)):
        for i in range(first[asset], first[asset] + count[asset]):
            local[held[i]] = True
        for e in range(data.indptr[asset], data.indptr[asset + 1]):
            key[e] = -1
            if count[asset] == 0 or not data.wanted[e]:
                continue
            r = data.region[e]
            found, code = 0, np.int64(r)
            for k in range(data.pair_indptr[r], data.pair_indptr[r + 1]):
                if local[data.pair_site[k]] and found < tiers:
                    code = code * width + (k - data.pair_indptr[r])
                    found += 1
            if found > 0:
                for _ in range(tiers - found):
                    code = code * width + (width - 1)
                key[e] = code
        for i in range(first[asset], first[asset] + count[asset]):
            local[held[i]] = False


def route_groups(blocks: BlockData, limits: Limits, holding: Holding) -> tuple[Routing, float]:
    """Shares that keep every egress and link limit, and the delivery cost they save. Raises SolverError."""
    n, n_caches = len(blocks.bytes), len(blocks.storage)
    width = int(np.diff(blocks.pair_indptr).max(initial=0)) + 1
    n_regions = len(blocks.pair_indptr) - 1
    tiers = max([t for t in range(1, TIERS + 1) if n_regions * width**t <= MOST_GROUP_KEYS], default=1)
    key = np.empty(n, dtype=np.int64)
    _nearest(blocks, holding.first, holding.site, holding.count, n_caches, tiers, width, key, np.zeros(n_caches, dtype=bool))
    served = np.flatnonzero(key >= 0)
    groups, group = np.unique(key[served], return_inverse=True)
    pair = _pairs_of(groups, blocks, tiers, width)
    volume = np.bincount(group, weights=blocks.bytes[served], minlength=len(groups))
    rate = np.bincount(group, weights=blocks.peak_bps[served], minlength=len(groups))
    share, saved = _shares(pair, volume, rate, blocks, limits)
    entry, site, part = [], [], []
    for tier in range(tiers):
        x = share[tier][group]
        used = x > SHARE_EPSILON
        entry.append(served[used])
        site.append(blocks.pair_site[pair[tier][group[used]]])
        part.append(x[used])
    return Routing(np.concatenate(entry), np.concatenate(site), np.concatenate(part)), saved


def _pairs_of(groups: np.ndarray, blocks: BlockData, tiers: int, width: int) -> np.ndarray:
    """(tiers, G) region-site pair of each group's tiers, -1 for none."""
    pair = np.full((tiers, len(groups)), -1, dtype=np.int64)
    code = groups.copy()
    for tier in range(tiers - 1, -1, -1):
        pair[tier] = code % width
        code //= width
    return np.where(pair == width - 1, -1, blocks.pair_indptr[code] + pair)


def _shares(pair, volume, rate, blocks: BlockData, limits: Limits) -> tuple[np.ndarray, float]:
    """(tiers, G) shares and what they save."""
    tiers, n_groups = pair.shape
    share = np.zeros((tiers, n_groups))
    if not n_groups:
        return share, 0.0
    tier, group = np.nonzero(pair >= 0)
    column_pair = pair[tier, group]
    saving = volume[group] * blocks.pair_saving[column_pair]
    limit = limits.limit[2 * limits.n_caches:]
    rows = limits.rate_rows[:, column_pair].multiply(rate[group][None, :])
    bound = np.isfinite(limit)
    limit_rows = sp.csr_array(rows)[bound]
    unit = np.maximum(limit[bound], 1e-300)
    once = sp.csr_array((np.ones(len(group)), (group, np.arange(len(group)))), shape=(n_groups, len(group)))
    matrix = sp.vstack([limit_rows.multiply((1 / unit)[:, None]), once], format="csr")
    at_most = np.concatenate([np.where(limit[bound] > 0, 1.0, 0.0), np.ones(n_groups)])
    solved = linprog(-saving / max(saving.max(), 1e-300), A_ub=matrix, b_ub=at_most, bounds=(0, 1), method="highs")
    if solved.x is None:
        raise SolverError(f"HiGHS ended with {solved.message}")
    x = _within(np.clip(solved.x, 0.0, 1.0), limit_rows, limit[bound], group, n_groups)
    share[tier, group] = x
    return share, float(saving @ x)


def _within(x: np.ndarray, rows: sp.csr_array, limit: np.ndarray, group: np.ndarray, n_groups: int) -> np.ndarray:
    """Takes the solver's tolerance back: shares scaled so that no limit is exceeded at all."""
    x = x / np.maximum(np.bincount(group, weights=x, minlength=n_groups), 1.0)[group]
    load = rows @ x
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.where(load > limit, limit / load, 1.0)
    worst = np.ones(len(x))
    coo = sp.coo_array(rows)
    np.minimum.at(worst, coo.col, np.where(coo.data > 0, factor[coo.row], 1.0))
    return x * worst
