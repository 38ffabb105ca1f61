"""What every offline bound reasons about: the intervals over which an object is kept for its next request to hit.

Request ``k`` and the next request ``e`` of the same object make an interval. It is a hit at ``e`` if and only if the
object is cached in all gaps ``k, k+1, ..., e-1``, where gap ``t`` is the time between requests ``t`` and ``t+1``. In
every gap a cache holds at most its capacity. That alone is what the bounds use, so they hold for every policy that
starts empty, whatever it admits or evicts, with or without knowledge of the future.

An object larger than the cache never hits, so it has no intervals. (A linear program would give it a fraction.)
"""

from dataclasses import dataclass

import numpy as np

from cdn.caching.next_uses import next_uses
from cdn.compilation import kernel

REQUESTS, BYTES = "requests", "bytes"
OBJECTIVES = (REQUESTS, BYTES)


@dataclass(frozen=True, eq=False)
class Intervals:
    """K intervals of a trace of N requests, in order of their first request.

    ``start``, ``end`` (K,) int32: the two requests. ``size_bytes`` (K,) int64. ``room_bytes`` (N,) int64: what a
    cache can hold in each gap of objects that are asked for again, the smaller of its capacity and their bytes.
    ``unfit_value``: what later requests of objects larger than the cache count, in the objective's unit.
    """

    objective: str
    start: np.ndarray
    end: np.ndarray
    size_bytes: np.ndarray
    room_bytes: np.ndarray
    unfit_value: int

    def __len__(self) -> int:
        return len(self.start)

    @property
    def n_requests(self) -> int:
        return len(self.room_bytes)

    @property
    def value(self) -> np.ndarray:
        """(K,) int64: what a hit counts, 1 or the object's bytes."""
        return np.ones(len(self), dtype=np.int64) if self.objective == REQUESTS else self.size_bytes

    @property
    def total_value(self) -> int:
        """All intervals as hits: what an infinite cache reaches with the objects that fit this one."""
        return len(self) if self.objective == REQUESTS else int(self.size_bytes.sum())


def find_intervals(ids: np.ndarray, size_bytes: np.ndarray, capacity_bytes: int, objective: str) -> Intervals:
    """The intervals of a trace. ``ids`` (N,) int32 in 0..n_ids-1, ``size_bytes`` (n_ids,) int64; O(N)."""
    following = next_uses(ids, len(size_bytes))
    start, end, size, room, unfit_requests, unfit_bytes = _intervals(
        ids, size_bytes, following, np.int64(capacity_bytes))
    return Intervals(objective, start, end, size, room, int(unfit_requests if objective == REQUESTS else unfit_bytes))


@kernel
def _intervals(ids, size_bytes, following, capacity_bytes):
    n = len(ids)
    start, end = np.empty(n, dtype=np.int32), np.empty(n, dtype=np.int32)
    size, room = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
    is_awaited = np.zeros(len(size_bytes), dtype=np.bool_)
    found, awaited_bytes, unfit_requests, unfit_bytes = 0, 0, 0, 0
    for k in range(n):
        wanted, again = ids[k], following[k] < n
        bytes_k = size_bytes[wanted]
        if bytes_k > capacity_bytes:
            unfit_requests += again
            unfit_bytes += again * bytes_k
        else:
            if again:
                start[found], end[found], size[found] = k, following[k], bytes_k
                found += 1
            if again != is_awaited[wanted]:
                is_awaited[wanted] = again
                awaited_bytes += bytes_k if again else -bytes_k
        room[k] = min(awaited_bytes, capacity_bytes)
    return start[:found].copy(), end[:found].copy(), size[:found].copy(), room, unfit_requests, unfit_bytes
