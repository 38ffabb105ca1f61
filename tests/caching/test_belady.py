"""Belady under whatever is announced, not only the truth: a network's cache does not see what one below serves."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cdn.caching import open_cache, simulate_cache
from cdn.caching.policy import NO_NEXT_USE


def latest_goes(ids, next_uses, size_bytes, capacity_bytes):
    """The latest announcement goes first: hits, and what is cached at the end."""
    announced, hits = {}, []
    for i, next_use in zip(ids, next_uses, strict=True):
        hits.append(i in announced)
        if size_bytes[i] <= capacity_bytes:
            others = {j: use for j, use in announced.items() if j != i} if i not in announced else announced
            while i not in announced and sum(size_bytes[j] for j in others) + size_bytes[i] > capacity_bytes:
                del others[max(others, key=others.get)]
            announced = {**others, i: next_use}
    return hits, announced


CUT = st.integers(0, 300)


@settings(deadline=None, max_examples=200)
@example(seed=109, reach=40, cuts=[87])  # a larger ring did not begin at a multiple of its groups
@given(seed=st.integers(0, 2**32), reach=st.sampled_from([40, 5000, 2**40]), cuts=st.lists(CUT, max_size=3))
def test_the_latest_announcement_goes_first_also_where_none_comes_true(seed, reach, cuts):
    """Far, near and past positions, all different; the array grows from piece to piece."""
    rng = np.random.default_rng(seed)
    n, n_objects = 300, int(rng.integers(1, 80))
    ids = rng.permutation(np.concatenate([np.arange(n_objects), rng.integers(0, n_objects, n - n_objects)]))
    _, first, ids = np.unique(ids, return_index=True, return_inverse=True)
    ids = np.argsort(np.argsort(first))[ids].astype(np.int32)
    next_uses = rng.permutation(np.unique(np.concatenate([np.arange(n), np.arange(n) + rng.integers(0, reach, n)])))[:n]
    sizes = rng.integers(0, 9, n_objects)
    capacity = int(rng.integers(0, sizes.sum() + 2))
    cache = open_cache("belady", capacity)
    hits = []
    for begin, end in zip(sorted([0, *cuts]), sorted([*cuts, n]), strict=True):
        known = sizes[: ids[:end].max(initial=-1) + 1]
        hits += cache.replay(ids[begin:end], known, next_uses=next_uses[begin:end]).tolist()
    expected, cached = latest_goes(ids.tolist(), next_uses.tolist(), sizes.tolist(), capacity)
    assert hits == expected
    assert cache.free_bytes == capacity - sum(int(sizes[j]) for j in cached)


def test_next_uses_may_begin_far_from_0_and_an_object_may_come_though_none_was_announced():
    """Room for two. Positions count from 10**12; of 0, 1 and 2, 1 is latest when 2 comes, so 0 still hits. Then all are
    said never to come again, and 2 comes."""
    at = 10**12 + np.array([3, 9, 5, 0, 0, 0])
    at[3:] = NO_NEXT_USE
    cache = open_cache("belady", 2)
    hit = cache.replay(np.array([0, 1, 2, 0, 2, 2], np.int32), np.ones(3, np.int64), next_uses=at)
    assert hit.tolist() == [False, False, False, True, True, True]


@pytest.mark.parametrize("n_objects", [1, 2, 70, 3000, 70_000])
def test_a_cycle_fits_all_but_one(n_objects):
    """Of a cycle over n objects Belady keeps the first n - 1 - 1 and changes one place: with room for n - 1, in each
    round after the first all hit but one or two, so 1 in n - 1 requests misses."""
    rounds = 4
    hit = simulate_cache("belady", np.tile(np.arange(n_objects), rounds), np.ones(n_objects, np.int64), n_objects - 1)
    again = hit[n_objects:]
    most = max(n_objects - 1, 1)
    assert (~again).sum() == pytest.approx(len(again) / most if n_objects > 1 else len(again), abs=2)
