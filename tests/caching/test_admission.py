"""What may be stored, and for how long: worked out by hand, and against slow versions."""

import numpy as np
import pytest
from caching.references import Lru
from hypothesis import given, settings
from hypothesis import strategies as st

from cdn.caching import ADMISSIONS, POLICIES, open_cache, simulate_cache
from cdn.errors import UnknownNameError


def hits_of(policy, ids, sizes, capacity, **options):
    return "".join("h" if hit else "." for hit in simulate_cache(policy, ids, sizes, capacity, **options))


def test_the_second_miss_is_admitted():
    """0 is stored at its second request, hits at its third; 1 never gets that far."""
    assert hits_of("lru", [0, 1, 0, 0], [1, 1], 9, admission="bloom") == "...h"


def test_only_objects_below_the_threshold_are_admitted():
    """4 bytes are below 5, 5 are not."""
    assert hits_of("lru", [0, 1, 0, 1], [4, 5], 99, admission="size:threshold_bytes=5") == "..h."


@pytest.mark.parametrize("admission", ["probabilistic", "size-probabilistic"])
def test_chance_admits_its_share_and_is_the_same_each_time(admission):
    ids = np.repeat(np.arange(20_000), 2)
    sizes = np.full(20_000, 100_000)
    hit = simulate_cache("lru", ids, sizes, np.inf, admission=admission)
    share = {"probabilistic": 0.5, "size-probabilistic": np.exp(-0.1)}[admission]
    assert hit.sum() / 20_000 == pytest.approx(share, abs=0.015)
    assert (hit == simulate_cache("lru", ids, sizes, np.inf, admission=admission)).all()


def test_adaptsize_learns_to_refuse_large_objects_that_flush_small_ones():
    """Small popular objects among large ones asked for once: admitted by size, three times as many requests hit."""
    rng = np.random.default_rng(4)
    n_small, n = 500, 60_000
    is_large = rng.random(n) < 0.3
    ids = np.where(is_large, n_small + np.arange(n), rng.integers(0, n_small, n))
    sizes = np.where(np.arange(n_small + n) < n_small, 100, 20_000)
    late = np.arange(n) > n // 2
    admitted = simulate_cache("lru", ids, sizes, 100_000, admission="adaptsize:interval=5000")[late].mean()
    assert admitted > 0.5 and admitted > 3 * simulate_cache("lru", ids, sizes, 100_000)[late].mean()


def test_an_object_lives_up_to_its_time_and_a_hit_does_not_renew_it():
    """Stored at 0 for 10 s: there at 10, gone at 11; stored again at 11."""
    assert hits_of("lru", [0, 0, 0, 0, 0], [1], 9, ttl_s=10, times=[0, 5, 10, 11, 21]) == ".hh.h"
    assert hits_of("lru", [0, 0, 0], [1], 9, ttl_s=0, times=[3, 3, 4]) == ".h."


def mortal_lru(ids, sizes, capacity, times, ttl_s):
    cache, stored, hits = Lru(sizes, capacity), {}, []
    for i, now in zip(ids, times, strict=True):
        if i in cache.queue and now > stored[i] + ttl_s:
            cache.queue.remove(i)
        hits.append(cache.find(i))
        if not hits[-1] and sizes[i] <= capacity:
            while cache.bytes() + sizes[i] > capacity:
                cache.evict(i)
            cache.insert(i)
            stored[i] = now
    return hits


@settings(deadline=None, max_examples=200)
@given(data=st.data(), ttl_s=st.integers(0, 12), capacity=st.integers(0, 30))
def test_lru_with_a_time_to_live_equals_its_reference(data, ttl_s, capacity):
    sizes = data.draw(st.lists(st.integers(0, 9), min_size=1, max_size=6))
    ids = data.draw(st.lists(st.integers(0, len(sizes) - 1), max_size=50))
    times = sorted(data.draw(st.lists(st.integers(0, 40), min_size=len(ids), max_size=len(ids))))
    hit = simulate_cache("lru", ids, sizes, capacity, ttl_s=ttl_s, times=times)
    assert hit.tolist() == mortal_lru(ids, sizes, capacity, times, ttl_s)


@pytest.mark.parametrize("policy", POLICIES)
@settings(deadline=None, max_examples=60)
@given(data=st.data(), ttl_s=st.integers(0, 12))
def test_no_policy_serves_what_has_expired(policy, data, ttl_s):
    """And its bytes are free again: in the end, with everything removed, all are."""
    sizes = data.draw(st.lists(st.integers(1, 9), min_size=1, max_size=6))
    ids = data.draw(st.lists(st.integers(0, len(sizes) - 1), max_size=50))
    times = sorted(data.draw(st.lists(st.integers(0, 40), min_size=len(ids), max_size=len(ids))))
    capacity = 400
    hit = simulate_cache(policy, ids, sizes, capacity, ttl_s=ttl_s, times=times)
    stored = {}
    for k, (i, now) in enumerate(zip(ids, times, strict=True)):
        assert not hit[k] or now <= stored[i] + ttl_s
        stored[i] = stored[i] if hit[k] else now
    if not POLICIES[policy].looks_ahead:
        cache = open_cache(policy, capacity, ttl_s=ttl_s)
        everything = np.arange(len(sizes), dtype=np.int32)
        cache.replay(everything, np.array(sizes), np.zeros(len(sizes), np.int64))
        for i in everything:
            POLICIES[policy].remove(cache.state, i)
        assert cache.free_bytes == capacity


@pytest.mark.parametrize("options, message", [
    ({"ttl_s": 5}, "needs the requests' times"),
    ({"ttl_s": -1}, "ttl_s must not be negative"),
    ({"ttl_s": 5, "times": [2, 1]}, "must not go back"),
    ({"ttl_s": 5, "times": [2]}, "one per request"),
    ({"admission": "probabilistic:probability=0"}, "expected a number above 0, at most 1"),
])
def test_wrong_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        simulate_cache("lru", [0, 0], [1], 1, **options)


def test_an_unknown_admission_policy_is_named_with_the_known():
    with pytest.raises(UnknownNameError, match="unknown admission policy 'x'; known: adaptsize, bloom"):
        simulate_cache("lru", [0], [1], 1, admission="x")
    assert list(ADMISSIONS) == sorted(ADMISSIONS)
