"""PFOO-U's plan, replayed request by request: never over the capacity, and the hits it says."""

import numpy as np
import pytest
from caching.bounds.bound_examples import traces
from hypothesis import example, given, settings

from cdn.caching.bounds import BOUNDS, OBJECTIVES, stream_intervals
from cdn.caching.bounds.packing import pack_intervals, value_of

STEPS = (1, 2, 3, 10, 1000)


def replayed_value(ids, sizes, capacity, intervals, kept, objective):
    """Plays the plan with a set of cached objects; asserts the capacity after every request."""
    keeps = set(intervals.start[kept].tolist())
    cached, value = set(), 0
    for k, i in enumerate(ids):
        if i in cached:
            value += 1 if objective == "requests" else sizes[i]
        (cached.add if k in keeps else cached.discard)(i)
        assert sum(sizes[j] for j in cached) <= capacity
    return value


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("objective", OBJECTIVES)
@settings(deadline=None, max_examples=60)
@given(trace=traces())
@example(trace=([0, 1, 2, 0, 1, 2], [1, 1, 1], 2))
@example(trace=([0, 1, 1, 0], [0, 3], 2))
def test_the_plan_is_feasible_for_every_step(objective, step, trace):
    intervals = stream_intervals(*trace, objective)
    kept = pack_intervals(intervals, step)
    assert replayed_value(*trace, intervals, kept, objective) == value_of(intervals, kept) <= BOUNDS["foo"](intervals)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_the_plan_is_feasible_and_maximal_on_a_long_trace(objective, step):
    """Nothing that was left out would fit beside what was taken."""
    rng = np.random.default_rng(8)
    ids = np.minimum(rng.zipf(1.3, 1500) - 1, 199)
    sizes = rng.integers(1, 50, 200)
    intervals = stream_intervals(ids, sizes, 400, objective)
    kept = pack_intervals(intervals, max(step, 100) if step > 1 else 1)
    assert replayed_value(ids.tolist(), sizes.tolist(), 400, intervals, kept, objective) == value_of(intervals, kept)
    held = np.zeros(len(ids), dtype=np.int64)
    for i in np.flatnonzero(kept):
        held[intervals.start[i]:intervals.end[i]] += intervals.size_bytes[i]
    assert held.max() <= 400
    for i in np.flatnonzero(~kept):
        assert held[intervals.start[i]:intervals.end[i]].max() + intervals.size_bytes[i] > 400


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("share", [0.02, 0.2, 0.9])
def test_the_plan_is_that_of_one_interval_after_the_other(objective, share):
    """By value per byte-gap, first come first served, in a plain loop; several blocks of gaps, and several sizes."""
    rng = np.random.default_rng(9)
    ids = np.minimum(rng.zipf(1.2, 1200) - 1, 149)
    sizes = rng.integers(0, 2000, 150)
    intervals = stream_intervals(ids, sizes, int(share * sizes.sum()), objective)
    length = intervals.end - intervals.start
    order = np.argsort(length * intervals.size_bytes if objective == "requests" else length, kind="stable")
    room, expected = intervals.room_bytes.copy(), np.zeros(len(intervals), dtype=bool)
    for i in order.tolist():
        gaps = slice(intervals.start[i], intervals.end[i])
        expected[i] = room[gaps].min() >= intervals.size_bytes[i]
        room[gaps] -= expected[i] * intervals.size_bytes[i]
    assert expected.any()
    assert (pack_intervals(intervals) == expected).all()
