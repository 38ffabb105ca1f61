"""Each kernel against an obvious reference, hand-worked traces, and what must hold of any policy."""

import numpy as np
import pytest
from caching.references import REFERENCES
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cdn.caching import POLICIES, open_cache, simulate_cache
from cdn.caching.cache import global_next_uses
from cdn.caching.next_uses import next_uses
from cdn.caching.policies import relabel
from cdn.errors import UnknownNameError

# They draw victims by chance: no reference, but what must hold of any policy; lhd is compared with libCacheSim.
BY_CHANCE = {"random", "beladysize", "lhd"}
# They refuse objects that are larger than a part of the cache, or leave out what is not asked for again.
PARTIAL = {"2q", "slru", "s3fifo", "wtinylfu", "beladysize"}
LOOKING_AHEAD = {name for name, policy in POLICIES.items() if policy.looks_ahead}


@st.composite
def traces(draw, equal_sizes=False):
    n_ids = draw(st.integers(1, 8))
    one_size = draw(st.integers(1, 9)) if equal_sizes or draw(st.booleans()) else None
    sizes = [one_size] * n_ids if one_size else draw(st.lists(st.integers(0, 9), min_size=n_ids, max_size=n_ids))
    ids = draw(st.lists(st.integers(0, n_ids - 1), max_size=60))
    return ids, sizes, draw(st.integers(0, sum(sizes) + 2))


def test_every_policy_has_a_reference():
    assert set(REFERENCES) == set(POLICIES) - BY_CHANCE


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
    assert simulate_cache(policy, ids, sizes, capacity).tolist() == REFERENCES[policy](ids, sizes, capacity)


@pytest.mark.parametrize("policy", REFERENCES)
def test_kernel_equals_its_reference_on_a_long_skewed_trace(policy):
    """Long enough for frequencies and queues to be entered, emptied and entered again many times."""
    rng = np.random.default_rng(7)
    ids = np.minimum(rng.zipf(1.3, 3000) - 1, 199)
    sizes = rng.integers(1, 8, 200) if policy == "wtinylfu" else rng.integers(1, 50, 200)
    capacity = 700
    hits = simulate_cache(policy, ids, sizes, capacity)
    assert hits.tolist() == REFERENCES[policy](ids.tolist(), sizes.tolist(), capacity)
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


@pytest.mark.parametrize("policy", sorted(set(POLICIES) - PARTIAL - LOOKING_AHEAD - {"gdsf"}))
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


@pytest.mark.parametrize("policy", sorted(set(POLICIES) - {"beladysize"}))
@settings(deadline=None)
@given(trace=traces())
def test_an_unbounded_cache_misses_first_requests_only(policy, trace):
    ids, sizes, _ = trace
    again = [i in ids[:k] for k, i in enumerate(ids)]
    assert simulate_cache(policy, ids, sizes, np.inf).tolist() == again


@pytest.mark.parametrize("policy", sorted(set(POLICIES) - LOOKING_AHEAD))
@settings(deadline=None)
@given(trace=traces(), data=st.data())
def test_a_prefix_decides_alone(policy, trace, data):
    """What follows changes no earlier hit of a policy that does not look ahead: a warm-up is simply a prefix."""
    ids, sizes, capacity = trace
    cut = data.draw(st.integers(0, len(ids)))
    whole = simulate_cache(policy, ids, sizes, capacity)
    assert whole[:cut].tolist() == simulate_cache(policy, ids[:cut], sizes, capacity).tolist()


@pytest.mark.parametrize("policy", POLICIES)
@settings(deadline=None)
@given(trace=traces(equal_sizes=True))
def test_no_policy_beats_belady_for_equal_sizes(policy, trace):
    """Belady stores every miss; one that need not is beaten by Belady with room for one object more."""
    ids, sizes, capacity = trace
    more = sizes[0] if policy in {"gdsf", "beladysize", "s3fifo"} else 0
    assert simulate_cache(policy, *trace).sum() <= simulate_cache("belady", ids, sizes, capacity + more).sum()


@pytest.mark.parametrize("policy", POLICIES)
@settings(deadline=None)
@given(trace=traces(), cuts=st.lists(st.integers(0, 60), max_size=3))
def test_pieces_give_what_the_whole_gives(policy, trace, cuts):
    """A cache goes on where it stopped, and grows with the objects that each piece brings."""
    ids, sizes, capacity = trace
    ids, members = relabel(np.array(ids, dtype=np.int32), len(sizes))
    sizes = np.array(sizes, dtype=np.int64)[members]
    following = global_next_uses(next_uses(ids, len(members)))
    cache = open_cache(policy, capacity)
    pieces = []
    for piece, ahead in zip(np.split(ids, sorted(cuts)), np.split(following, sorted(cuts)), strict=True):
        known = sizes[: max(cache.n_objects, piece.max(initial=-1) + 1)]
        pieces.append(cache.replay(piece, known, next_uses=ahead))
        assert 0 <= cache.free_bytes <= capacity
    assert np.concatenate(pieces).tolist() == simulate_cache(policy, ids, sizes, capacity).tolist()


@given(st.lists(st.integers(0, 9), max_size=40))
def test_relabel_numbers_by_first_appearance(asset):
    ids, members = relabel(np.array(asset, dtype=np.int32), 10)
    assert members[ids].tolist() == asset
    assert members.tolist() == list(dict.fromkeys(asset))


def test_an_unknown_policy_is_named_with_the_known():
    with pytest.raises(UnknownNameError, match="unknown policy 'lur'; known: 2q, arc"):
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
