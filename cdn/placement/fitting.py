"""Pairs taken one after the other while they fit: the last step of every rounding."""

import numpy as np

from cdn.compilation import kernel
from cdn.model.problem import Problem


@kernel
def _take(site, size_bytes, new, storage_left, fill_left, taken):
    for k in range(len(site)):
        s = site[k]
        if size_bytes[k] <= storage_left[s] and (not new[k] or size_bytes[k] <= fill_left[s]):
            taken[k] = True
            storage_left[s] -= size_bytes[k]
            if new[k]:
                fill_left[s] -= size_bytes[k]


def take_fitting(
    problem: Problem, site: np.ndarray, asset: np.ndarray, storage_left: np.ndarray, fill_left: np.ndarray
) -> np.ndarray:
    """Which pairs (P,) are taken, going through them in their order and passing over what does not fit.

    A pair that is not stored now uses up ``fill_left`` (S,) as well as ``storage_left`` (S,); both are changed.
    """
    taken = np.zeros(len(site), dtype=bool)
    new = ~problem.stored.contains(site, asset, problem.n_caches)
    size = problem.size_bytes[asset].astype(np.float64)
    _take(site.astype(np.int64), size, new, storage_left, fill_left, taken)
    return taken
