"""Instances of one set for each asset, and all choices of them one by one."""

from itertools import product
from typing import Any

import numpy as np
import scipy.sparse as sp
from numba import njit

from cdn.placement.choosing import deciding, knapsacks, pricing, rounding
from cdn.placement.choosing.tables import Limits, SetTables, build_set_tables
from cdn.placement.subsets import Subsets


def as_kernel(routine: Any):
    @njit
    def call(*arguments):
        return routine(*arguments)

    return call


pack, bound_at_prices = as_kernel(knapsacks.pack), as_kernel(pricing.bound_at_prices)
weigh_sets, round_sets = as_kernel(pricing.weigh_sets), as_kernel(rounding.round_sets)
conclude, take_back = as_kernel(deciding.conclude), as_kernel(deciding.take_back)


def random_tables(rng: np.random.Generator, n_assets: int, n_sites: int, n_limits: int) -> SetTables:
    """Every asset may be in each of the caches; all its sets, saving whole numbers by chance. Sizes are whole, so that
    caches are filled to the byte; the first ``n_limits`` caches are limited."""
    size = rng.integers(1, 12, n_assets).astype(float)
    sets = np.array(list(product([0.0, 1.0], repeat=n_sites)))
    pairs = sp.csc_array(np.kron(np.eye(n_assets), sets.T))
    saving = rng.integers(0, 30, (n_assets, len(sets))).astype(float)
    saving[:, 0] = 0
    rows = np.kron(size, np.eye(n_sites))[:n_limits]
    limit = np.floor(rows.sum(axis=1) * rng.random(n_limits))
    return build_set_tables(
        Subsets(np.repeat(np.arange(n_assets), len(sets)), saving.ravel(), pairs),
        Limits(sp.csr_array(rows), limit, np.zeros(n_limits)),
        np.repeat(np.arange(n_assets), n_sites),
    )


def pairs_of(tables: SetTables, m: int) -> list[int]:
    return tables.pair[tables.of_set[m] : tables.of_set[m + 1]].tolist()


def bytes_used(tables: SetTables, chosen) -> np.ndarray:
    """(K,) by the sets together."""
    used = np.zeros(len(tables.limit_bytes))
    held = {p for m in chosen for p in pairs_of(tables, m)}
    for i, p in enumerate(tables.item_pair.tolist()):
        if p in held:
            used[tables.item_limit[i]] += tables.item_bytes[i]
    return used


def all_choices(tables: SetTables) -> list[tuple[float, tuple[int, ...]]]:
    """(saving, sets) of all that fit."""
    by_asset = [range(*bounds) for bounds in zip(tables.of_asset[:-1], tables.of_asset[1:], strict=True)]
    return [
        (float(tables.saving[list(chosen)].sum()), chosen)
        for chosen in product(*by_asset)
        if (bytes_used(tables, chosen) <= tables.limit_bytes).all()
    ]
