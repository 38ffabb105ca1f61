"""What a network's caches admit and how long it lives: a gate per cache, as ``cdn.caching.Cache`` has one.

A gate is told of every request that its cache looks up, and is asked where the copy rule wants a copy. Gates lie one
behind the other, as the caches' states do.
"""

from typing import Any, NamedTuple

import numpy as np

from cdn.caching.admission import Admission
from cdn.caching.loops import NEVER, is_guarded, lifetime
from cdn.caching.parameters import Choice
from cdn.compilation import step
from cdn.units import MICROSECONDS_PER_SECOND


class Gates(NamedTuple):
    """``seen`` (n, 3) and ``expires_us`` (n,) of all caches' assets, scalars (S, ...); nothing where all is admitted
    and lives for ever. ``ttl_us`` int64."""

    seen: np.ndarray
    ints: np.ndarray
    floats: np.ndarray
    expires_us: np.ndarray
    ttl_us: Any


def open_gates(chosen: Choice[Admission], ttl_s: float | None, capacity_bytes: np.ndarray, n_assets: int) -> Gates:
    """Gates of caches of ``capacity_bytes`` (S,) with ``n_assets`` assets in all. ValueError for a negative time."""
    n = n_assets if is_guarded(chosen.of, ttl_s) else 0
    opened = [chosen.of.empty_gate(int(capacity), 0, **chosen.parameters) for capacity in capacity_bytes]
    ints, floats = (np.stack([gate[part] for gate in opened]) for part in (1, 2))
    ttl_us = np.int64(lifetime(ttl_s, MICROSECONDS_PER_SECOND))
    return Gates(np.zeros((n, 3)), ints, floats, np.full(n, NEVER, dtype=np.int64), ttl_us)


@step
def gate_of(gates, first, end, s):
    """The gate of cache ``s``, whose assets are first..end-1."""
    return gates.seen[first:end], gates.ints[s], gates.floats[s]
