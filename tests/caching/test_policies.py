"""Each kernel against an obvious reference, hand-worked traces, and what must hold of any policy."""

from collections import OrderedDict

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cdn.caching import POLICIES, simulate_cache
from cdn.caching.policies import relabel
from cdn.errors import UnknownNameError


def reference_queue(ids, size_bytes, capacity_bytes, move_on_hit):
    """LRU where a hit moves the object to the back, FIFO where it does not."""
    cache, hits = OrderedDict(), []
    for i in ids:
        hits.append(i in cache)
        if i in cache and move_on_hit:
            cache.move_to_end(i)
        elif i not in cache and size_bytes[i] <= capacity_bytes:
            while sum(size_bytes[j] for j in cache) + size_bytes[i] > capacity_bytes:
                cache.popitem(last=False)
            cache[i] = True
    return hits


def reference_lfu(ids, size_bytes, capacity_bytes):
    """Each cached object with (frequency, when it got it); the smallest of those pairs goes first."""
    cache, hits = {}, []
    for k, i in enumerate(ids):
        hits.append(i in cache)
        if i not in cache and size_bytes[i] > capacity_bytes:
            continue
        while i not in cache and sum(size_bytes[j] for j in cache) + size_bytes[i] > capacity_bytes:
            del cache[min(cache, key=cache.get)]
        cache[i] = (cache.get(i, (0, 0))[0] + 1, k)
    return hits


REFERENCES = {
    "lru": lambda ids, sizes, capacity: reference_queue(ids, sizes, capacity, move_on_hit=True),
    "fifo": lambda ids, sizes, capacity: reference_queue(ids, sizes, capacity, move_on_hit=False),
    "lfu": reference_lfu,
}


@st.composite
def traces(draw, equal_sizes=False):
    n_ids = draw(st.integers(1, 8))
    one_size = draw(st.integers(1, 9)) if equal_sizes or draw(st.booleans()) else None
    sizes = [one_size] * n_ids if one_size else draw(st.lists(st.integers(0, 9), min_size=n_ids, max_size=n_ids))
    ids = draw(st.lists(st.integers(0, n_ids - 1), max_size=60))
    return ids, sizes, draw(st.integers(0, sum(sizes) + 2))


def test_every_policy_has_a_reference():
    assert set(REFERENCES) == set(POLICIES)


@pytest.mark.parametrize("policy", REFERENCES)
@settings(deadline=None, max_examples=300)
@given(trace=traces())
@example(trace=([], [3], 5))
@example(trace=([0, 0, 0], [3], 5))
@example(trace=([0, 0, 0], [3], 0))
@example(trace=([0, 1, 0, 1, 1], [6, 2], 5))
@example(trace=([0, 1, 0, 1], [0, 0], 0))
def test_kernel_equals_its_reference(policy, trace):
    ids, sizes, capacity = trace
    assert simulate_cache(policy, ids, sizes, capacity).tolist() == REFERENCES[policy](*trace)


@pytest.mark.parametrize("policy", REFERENCES)
def test_kernel_equals_its_reference_on_a_long_skewed_trace(policy):
    """Long enough for frequencies and queues to be entered, emptied and entered again many times."""
    rng = np.random.default_rng(7)
    ids = np.minimum(rng.zipf(1.3, 4000) - 1, 199)
    sizes = rng.integers(1, 50, 200)
    hits = simulate_cache(policy, ids, sizes, 400)
    assert hits.tolist() == REFERENCES[policy](ids.tolist(), sizes.tolist(), 400)
    assert 0 < hits.sum() < len(ids)


def hits_of(policy, ids, sizes, capacity):
    """As a word: h for a hit, . for a miss."""
    return "".join("h" if hit else "." for hit in simulate_cache(policy, ids, sizes, capacity))


@pytest.mark.parametrize("policy, hits", [("lru", ".h...h.h"), ("fifo", ".h...h.."), ("lfu", ".h..hh..")])
def test_hand_worked_trace(policy, hits):
    """Requests 0 0 1 2 0 2 1 2, all of size 1, room for two. All fill up to {0, 1}; then

    - lru: 2 evicts 0, 0 evicts 1, 2 hits, 1 evicts 0, 2 hits;
    - fifo: 2 evicts 0, 0 evicts 1, 2 hits, 1 evicts 2 (a hit moves nothing), 2 evicts 0;
    - lfu: 2 evicts 1 (0 was used twice), 0 hits (3 uses), 2 hits (2 uses), 1 evicts 2, 2 evicts 1.
    """
    assert hits_of(policy, [0, 0, 1, 2, 0, 2, 1, 2], [1, 1, 1], 2) == hits


@pytest.mark.parametrize("policy", POLICIES)
def test_several_are_evicted_until_it_fits_and_the_too_large_change_nothing(policy):
    """Sizes 2 2 2 5 7, room for 6. 0 1 2 fill it; 3 (5 bytes) needs all three gone; 4 (7 bytes) never enters and
    evicts nothing, so 3 hits; 0 evicts 3."""
    assert hits_of(policy, [0, 1, 2, 3, 4, 3, 0, 3], [2, 2, 2, 5, 7], 6) == ".....h.."


def test_lfu_forgets_at_eviction_and_the_first_to_reach_a_frequency_goes_first():
    """Room for two. 0 1 1 0: both used twice, 1 got there first. 2 evicts 1, 0 hits (3 uses); 1 evicts 2 and starts
    again at one use, so 2 evicts 1 though it was used three times in all, and 0 still hits."""
    assert hits_of("lfu", [0, 1, 1, 0, 2, 0, 1, 2, 0], [1, 1, 1], 2) == "..hh.h..h"


@settings(deadline=None)
@given(trace=traces(equal_sizes=True), more=st.integers(1, 3))
def test_lru_stack_property(trace, more):
    """With equal sizes a larger LRU cache hits whatever a smaller one hits (Mattson et al. 1970)."""
    ids, sizes, capacity = trace
    small = simulate_cache("lru", ids, sizes, capacity)
    large = simulate_cache("lru", ids, sizes, capacity + more * sizes[0])
    assert not (small & ~large).any()


@pytest.mark.parametrize("policy", POLICIES)
@settings(deadline=None)
@given(trace=traces())
def test_an_unbounded_cache_misses_first_requests_only(policy, trace):
    ids, sizes, _ = trace
    again = [i in ids[:k] for k, i in enumerate(ids)]
    assert simulate_cache(policy, ids, sizes, np.inf).tolist() == again


@pytest.mark.parametrize("policy", POLICIES)
@settings(deadline=None)
@given(trace=traces(), data=st.data())
def test_a_prefix_decides_alone(policy, trace, data):
    """No policy looks ahead: what follows changes no earlier hit, so a warm-up is simply a prefix."""
    ids, sizes, capacity = trace
    cut = data.draw(st.integers(0, len(ids)))
    whole = simulate_cache(policy, ids, sizes, capacity)
    assert whole[:cut].tolist() == simulate_cache(policy, ids[:cut], sizes, capacity).tolist()


@given(st.lists(st.integers(0, 9), max_size=40))
def test_relabel_numbers_by_first_appearance(asset):
    ids, members = relabel(np.array(asset, dtype=np.int32), 10)
    assert members[ids].tolist() == asset
    assert members.tolist() == list(dict.fromkeys(asset))


def test_an_unknown_policy_is_named_with_the_known():
    with pytest.raises(UnknownNameError, match="unknown policy 'lur'; known: fifo, lfu, lru"):
        simulate_cache("lur", [0], [1], 1)


@pytest.mark.parametrize("asset, sizes, capacity, message", [
    ([0, 2], [1, 1], 1, "assets must be 0..1, found 0..2"),
    ([-1], [1, 1], 1, "assets must be 0..1"),
    ([2**32], [1, 1], 1, "assets must be 0..1"),
    ([0], [-1], 1, "must not be negative"),
    ([0], [1], -1, "must not be negative"),
    ([0], [1], np.nan, "must not be negative"),
])
def test_what_a_kernel_could_not_survive_is_refused(asset, sizes, capacity, message):
    with pytest.raises(ValueError, match=message):
        simulate_cache("lru", asset, sizes, capacity)
