"""Egress limits: the bytes a cache may serve within one clock hour (UTC).

A cache's budget is its egress rate for 3600 seconds, rounded down. A request that does not fit into what is left is
refused, and leaves the budget as it was, so a smaller one later may still be served.
"""

from typing import NamedTuple

import numpy as np

from cdn.caching.policy import UNBOUNDED_BYTES
from cdn.compilation import step
from cdn.model.problem import Problem
from cdn.units import BITS_PER_BYTE, MICROSECONDS_PER_SECOND, SECONDS_PER_HOUR

MICROSECONDS_PER_HOUR = SECONDS_PER_HOUR * MICROSECONDS_PER_SECOND


class Egress(NamedTuple):
    """``budget_bytes``, ``spent_bytes``, ``hour`` (S,) int64: the last two are of the hour a cache last served in."""

    is_limited: bool
    budget_bytes: np.ndarray
    spent_bytes: np.ndarray
    hour: np.ndarray


def full_budgets(problem: Problem, is_limited: bool) -> Egress:
    budget = np.minimum(problem.egress_bps * SECONDS_PER_HOUR / BITS_PER_BYTE, UNBOUNDED_BYTES).astype(np.int64)
    n = problem.n_caches
    return Egress(is_limited, budget, np.zeros(n, dtype=np.int64), np.full(n, np.iinfo(np.int64).min))


@step
def take(egress, s, bytes_, time_us):
    """Takes the request's bytes out of the cache's budget; False, and nothing taken, where they are not there."""
    if not egress.is_limited:
        return True
    hour = time_us // MICROSECONDS_PER_HOUR
    if egress.hour[s] != hour:
        egress.hour[s] = hour
        egress.spent_bytes[s] = 0
    if egress.spent_bytes[s] + bytes_ > egress.budget_bytes[s]:
        return False
    egress.spent_bytes[s] += bytes_
    return True
