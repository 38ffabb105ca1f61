"""A policy in plain Python, for trying out an idea before it is compiled: some 1e6 requests in seconds."""

from collections.abc import Iterable
from typing import Protocol

import numpy as np


class Trial(Protocol):
    """What a policy in plain Python is: an object that knows which ids it holds. Bytes are counted for it."""

    def lookup(self, i: int) -> bool:
        """Whether ``i`` is held; notes the use."""

    def evict(self) -> int:
        """Lets go of one id, and says which."""

    def insert(self, i: int) -> None:
        """Holds ``i`` from now on."""


def try_policy(cache: Trial, ids: Iterable[int], size_bytes: np.ndarray, capacity_bytes: float) -> np.ndarray:
    """(N,) bool: what ``simulate_cache`` gives for the same policy compiled.

    ``ids`` (N,) positions in ``size_bytes`` (n_ids,). An object larger than the cache is not inserted.
    """
    free_bytes, hits = capacity_bytes, []
    for i in ids:
        hits.append(cache.lookup(i))
        if not hits[-1] and size_bytes[i] <= capacity_bytes:
            while free_bytes < size_bytes[i]:
                free_bytes += size_bytes[cache.evict()]
            cache.insert(i)
            free_bytes -= size_bytes[i]
    return np.array(hits, dtype=np.bool_)
