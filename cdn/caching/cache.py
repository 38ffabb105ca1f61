"""One cache under one policy, fed with a stream piece by piece."""

import numpy as np

from cdn.caching.admission import Admission
from cdn.caching.loops import NEVER, guarded_loop, is_guarded, lifetime, plain_loop
from cdn.caching.parameters import Choice
from cdn.caching.policy import NO_NEXT_USE, UNBOUNDED_BYTES, Policy


class Cache:
    """Starts empty; ``replay`` goes on where the last call stopped. Memory grows with the objects seen, not requests.

    ``ttl_s``: an object is gone once more than ``ttl_s`` seconds have passed since it was stored (a hit does not renew
    it). ``state`` is what the policy's steps work on (``cdn.caching.policy``).
    """

    def __init__(self, policy: Choice[Policy], capacity_bytes: float, admission: Choice[Admission],
                 ttl_s: float | None = None) -> None:  # fmt: skip
        if not capacity_bytes >= 0:
            raise ValueError(f"capacity_bytes must not be negative, but is {capacity_bytes}")
        self.policy, self.admission = policy.of, admission.of
        self.capacity_bytes = int(min(capacity_bytes, UNBOUNDED_BYTES))
        self.ttl_s = lifetime(ttl_s)
        self.has_ttl, self.is_guarded = ttl_s is not None, is_guarded(admission.of, ttl_s)
        self.state = policy.of.empty_state(self.capacity_bytes, 0, **policy.parameters)
        self.gate = admission.of.empty_gate(self.capacity_bytes, 0, **admission.parameters)
        self.expires = np.zeros(0, dtype=np.int64)
        self.n_objects = 0

    def replay(self, ids: np.ndarray, size_bytes: np.ndarray, times: np.ndarray | None = None,
               next_uses: np.ndarray | None = None) -> np.ndarray:  # fmt: skip
        """(N,) bool: hit or miss of each request.

        ``ids`` (N,) int32, the stream's objects numbered by first appearance; ``size_bytes`` (n_ids,) int64 of all
        objects numbered so far. ``times`` (N,) int64 seconds, needed with ``ttl_s``. ``next_uses`` (N,) int64, needed
        by policies that look ahead: the position in the whole stream of the object's next request, ``NO_NEXT_USE``
        where there is none. Raises ValueError where what is needed is missing.
        """
        if self.policy.looks_ahead and next_uses is None:
            raise ValueError(f"policy {self.policy.name!r} looks ahead: it needs next_uses")
        if self.has_ttl and times is None:
            raise ValueError("a time to live needs the requests' times")
        self._take_in(size_bytes)
        hit = np.zeros(len(ids), dtype=np.bool_)
        next_uses = np.zeros(0, dtype=np.int64) if next_uses is None else next_uses
        if not self.is_guarded:
            plain_loop(self.policy)(self.state, ids, next_uses, hit)
        else:
            times = np.zeros(len(ids), dtype=np.int64) if times is None else times
            loop = guarded_loop(self.policy, self.admission)
            loop(self.state, self.gate, ids, times, next_uses, self.expires, self.ttl_s, hit)
        return hit

    def _take_in(self, size_bytes: np.ndarray) -> None:
        """Makes room for the objects not seen before, and notes their sizes."""
        n = len(size_bytes)
        if n > len(self.state[0]):
            room = n if not self.n_objects else max(n, 2 * len(self.state[0]))
            self.state = self.policy.grown_state(self.state, room)
            if self.is_guarded:
                seen, ints, floats = self.gate
                self.gate = (_grown(seen, room, 0), ints, floats)
                self.expires = _grown(self.expires, room, NEVER)
        self.state[0]["size_bytes"][self.n_objects : n] = size_bytes[self.n_objects : n]
        self.n_objects = max(n, self.n_objects)

    @property
    def free_bytes(self) -> int:
        return int(self.state[2][0])


def _grown(array: np.ndarray, n: int, value: int) -> np.ndarray:
    more = np.full((n, *array.shape[1:]), value, dtype=array.dtype)
    more[: len(array)] = array
    return more


def global_next_uses(following: np.ndarray) -> np.ndarray:
    """(N,) int64 as ``Cache.replay`` wants it, from ``next_uses`` of a whole stream (N where there is none)."""
    return np.where(following < len(following), following.astype(np.int64), NO_NEXT_USE)
