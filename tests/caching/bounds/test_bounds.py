"""The chain: every policy, and the exhaustive optimum, <= FOO <= slices <= PFOO-L <= what fits <= infinite cache."""

import math

import numpy as np
import pytest
from caching.bounds.bound_examples import best_value, textbook_foo, traces, value_of_hits
from hypothesis import example, given, settings

from cdn.caching import POLICIES, simulate_cache
from cdn.caching.bounds import BOUNDS, OBJECTIVES, bound_hits, foo, stream_intervals
from cdn.caching.bounds.foo import bound_by_slices
from cdn.errors import UnknownNameError

UPPER = ("infinite", "fitting", "pfoo_l", "foo_slices", "foo")


def all_bounds(ids, sizes, capacity, objective):
    return {name: bound_hits(name, ids, sizes, capacity, objective) for name in BOUNDS}


@pytest.mark.parametrize("objective", OBJECTIVES)
@settings(deadline=None, max_examples=150)
@given(trace=traces())
@example(trace=([], [3], 5))
@example(trace=([0, 0, 0], [3], 2))
@example(trace=([0, 1, 0, 1], [0, 0], 0))
@example(trace=([0, 1, 2, 0, 1, 2], [1, 1, 1], 2))
def test_the_chain_holds_for_every_policy(objective, trace):
    ids, sizes, _ = trace
    found = all_bounds(*trace, objective)
    chain = [found[name] for name in UPPER]
    assert chain == sorted(chain, reverse=True)
    assert 0 <= found["pfoo_u"] <= found["foo"]
    for policy in POLICIES:
        hits = simulate_cache(policy, *trace)
        assert value_of_hits(hits, ids, sizes, objective) <= found["foo"], policy


@pytest.mark.parametrize("objective", OBJECTIVES)
@settings(deadline=None, max_examples=150)
@given(trace=traces(max_requests=16, max_objects=5))
def test_the_exhaustive_optimum_lies_between_pfoo_u_and_foo(objective, trace):
    found = all_bounds(*trace, objective)
    assert found["pfoo_u"] <= best_value(*trace, objective) <= found["foo"]


@pytest.mark.parametrize("objective", OBJECTIVES)
@settings(deadline=None, max_examples=150)
@given(trace=traces())
def test_foo_is_the_textbook_program_in_whole_hits(objective, trace):
    assert bound_hits("foo", *trace, objective) == math.floor(textbook_foo(*trace, objective) + 1e-7)


@pytest.mark.parametrize("objective", OBJECTIVES)
@settings(deadline=None, max_examples=100)
@given(trace=traces())
def test_slices_of_any_length_are_between_foo_and_pfoo_l(objective, trace):
    intervals = stream_intervals(*trace, objective)
    foo, pfoo_l = BOUNDS["foo"](intervals), BOUNDS["pfoo_l"](intervals)
    for length in (1, 2, 5, 13, 100):
        assert foo <= bound_by_slices(intervals, length) <= pfoo_l
    assert bound_by_slices(intervals, 100) == foo


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_merging_what_spans_a_slice_loosens_but_never_breaks_the_bound(objective, monkeypatch):
    """Most of 200 objects lie over a slice of 20 requests; merged to two classes their prices are crude."""
    rng = np.random.default_rng(4)
    ids, sizes = rng.integers(0, 200, 1500), np.maximum(rng.lognormal(5, 1, 200), 1).astype(np.int64)
    intervals = stream_intervals(ids, sizes, int(sizes.sum() // 4), objective)
    fine = bound_by_slices(intervals, 20)
    monkeypatch.setattr(foo, "SPANNING_CLASSES", 2)
    assert BOUNDS["foo"](intervals) <= fine < bound_by_slices(intervals, 20) <= BOUNDS["pfoo_l"](intervals)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_the_chain_holds_on_a_long_skewed_trace(policy, objective):
    """Where bounds, slices and hits are all different numbers."""
    rng = np.random.default_rng(3)
    ids = np.minimum(rng.zipf(1.2, 6000) - 1, 599)
    sizes = np.maximum(rng.lognormal(8, 1.5, 600), 1).astype(np.int64)
    capacity = int(sizes.sum() // 20)
    found = {name: bound_hits(name, ids, sizes, capacity, objective) for name in BOUNDS}
    sliced = bound_by_slices(stream_intervals(ids, sizes, capacity, objective), 1000)
    hits = value_of_hits(simulate_cache(policy, ids, sizes, capacity), ids, sizes, objective)
    assert hits <= found["foo"] and found["pfoo_u"] < found["foo"] < sliced < found["pfoo_l"] < found["infinite"]


def test_by_hand():
    """Sizes 1, requests 0 1 2 0 1 2, room for two. Three intervals of length 3, all over the gap after the third
    request: two hits at most, as FOO says. PFOO-L has room for 1 + 2 + 2 + 2 + 1 of 9 byte-gaps: 8/9 of three hits."""
    ids, sizes = [0, 1, 2, 0, 1, 2], [1, 1, 1]
    assert all_bounds(ids, sizes, 2, "requests") == {
        "infinite": 3, "fitting": 3, "pfoo_l": 2, "foo_slices": 2, "foo": 2, "pfoo_u": 2}


def test_objects_larger_than_the_cache_count_for_the_infinite_one_only():
    assert [bound_hits(name, [0, 0, 1, 1, 1], [9, 4], 5, "requests") for name in UPPER] == [3, 2, 2, 2, 2]
    assert [bound_hits(name, [0, 0, 1, 1, 1], [9, 4], 5, "bytes") for name in UPPER] == [17, 8, 8, 8, 8]


def test_bytes_are_filled_up_by_length_and_not_by_size_times_length():
    """Room 10. Object 0 (10 bytes) is asked for seven times in a row, between two requests of a tiny object (1 byte);
    forty times over, each with a tiny object of its own.

    A cache that keeps nothing but object 0 hits 279 times: 2790 bytes. The order that is right for requests takes the
    tiny ones first (8 byte-gaps against 10), and as a "bound" on bytes falls below that."""
    ids, sizes = [], [10] + [1] * 40
    for tiny in range(1, 41):
        ids += [tiny, *[0] * 7, tiny]
    feasible = 10 * (ids.count(0) - 1)
    assert filled_by(lambda size, length: size * length, ids, sizes, 10) < feasible
    assert feasible <= filled_by(lambda size, length: length, ids, sizes, 10)
    assert feasible <= bound_hits("foo", ids, sizes, 10, "bytes") <= bound_hits("pfoo_l", ids, sizes, 10, "bytes")


def filled_by(cost, ids, sizes, capacity):
    """Bytes of a fractional knapsack of capacity x N byte-gaps that is filled in the order of ``cost``."""
    intervals = stream_intervals(ids, sizes, capacity, "bytes")
    pairs = [(int(s), int(e - b)) for s, b, e in zip(intervals.size_bytes, intervals.start, intervals.end, strict=True)]
    room, value = capacity * len(ids), 0.0
    for size, length in sorted(pairs, key=lambda pair: cost(*pair)):
        share = min(1.0, room / (size * length))
        value, room = value + share * size, room - share * size * length
    return value


def test_an_unbounded_cache_reaches_every_bound():
    ids, sizes = [0, 1, 2, 1, 0, 2, 2], [5, 0, 2**40]
    for objective in OBJECTIVES:
        reached = value_of_hits(simulate_cache("lru", ids, sizes, np.inf), ids, sizes, objective)
        assert set(all_bounds(ids, sizes, np.inf, objective).values()) == {reached}


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_terabytes_lose_no_whole_hit(objective):
    """Sizes and capacity times 2**38: the same hits, and the bytes of them."""
    rng = np.random.default_rng(11)
    ids, sizes, factor = rng.integers(0, 30, 400), rng.integers(1, 9, 30), 2**38
    for name in BOUNDS:
        small = bound_hits(name, ids, sizes, 40, objective)
        large = bound_hits(name, ids, sizes * factor, 40 * factor, objective)
        if objective == "requests":
            assert large == small
        else:  # a fraction of a small byte is many large ones
            assert small * factor <= large < (small + 1) * factor


def test_unknown_names_are_refused_with_the_known():
    with pytest.raises(UnknownNameError, match="unknown bound 'opt'; known: fitting, foo"):
        bound_hits("opt", [0], [1], 1)
    with pytest.raises(UnknownNameError, match="unknown objective 'byte'; known: bytes, requests"):
        bound_hits("foo", [0], [1], 1, "byte")


@pytest.mark.parametrize("asset, sizes, capacity, message", [
    ([0, 2], [1, 1], 1, "assets must be 0..1, found 0..2"),
    ([-1], [1, 1], 1, "assets must be 0..1"),
    ([0], [-1], 1, "must not be negative"),
    ([0], [1], -1, "must not be negative"),
    ([0], [1], np.nan, "must not be negative"),
    ([0, 0, 0], [2**61], 1, "must not exceed"),
])
def test_bad_streams_are_refused(asset, sizes, capacity, message):
    with pytest.raises(ValueError, match=message):
        bound_hits("pfoo_l", asset, sizes, capacity)
