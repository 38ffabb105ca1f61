"""Where each addition is copied from: the cheapest site that holds the file from the transfer's start to its end.

A copy added tonight counts once its own transfer has ended; one that is removed tonight counts for transfers that end
before. Cost is ``Network.transfer_cost_per_byte``; of equals the first listed site is taken and the origin, which holds
everything, last. Where no site with the file has a path (costs are listed, no links) the source is the origin.
"""

from dataclasses import dataclass

import numpy as np

from cdn.compilation import kernel
from cdn.model.arrays import csr_indptr


@dataclass(frozen=True, eq=False)
class Copies:
    """C copies: ``site`` holds ``asset`` from step ``from_step`` (``from_us``) until ``until_step`` (``until_us``)."""

    site: np.ndarray
    asset: np.ndarray
    from_step: np.ndarray
    from_us: np.ndarray
    until_step: np.ndarray
    until_us: np.ndarray


def choose_sources(step: np.ndarray, asset: np.ndarray, site: np.ndarray, start_us: np.ndarray, end_us: np.ndarray,
                   copies: Copies, cost_per_byte: np.ndarray, n_assets: int) -> np.ndarray:
    """(M,) int32 source of additions given as arrays (M,); ``cost_per_byte`` (S + 1, S + 1) from row to column."""
    asked_for = np.zeros(n_assets, dtype=bool)
    asked_for[asset] = True
    used = np.flatnonzero(asked_for[copies.asset])
    used = used[np.argsort(copies.asset[used], kind="stable")]
    return _choose(step, asset, site, start_us, end_us, csr_indptr(copies.asset[used], n_assets), copies.site[used],
                   copies.from_step[used], copies.from_us[used], copies.until_step[used], copies.until_us[used],
                   np.ascontiguousarray(cost_per_byte))


@kernel
def _choose(step, asset, site, start, end, indptr, holder, from_step, from_us, until_step, until_us, cost):
    origin = len(cost) - 1
    source = np.full(len(step), origin, dtype=np.int32)
    for k in range(len(step)):
        for j in range(indptr[asset[k]], indptr[asset[k] + 1]):
            if from_step[j] >= step[k] or from_us[j] > start[k] or until_step[j] < step[k] or until_us[j] < end[k]:
                continue
            price, best = cost[holder[j], site[k]], cost[source[k], site[k]]
            if price < best or (price == best and np.isfinite(price) and holder[j] < source[k]):
                source[k] = holder[j]
    return source
