"""A policy's steps inside another kernel: caches in a row, where the copy rule decides after the lookup who stores."""

import numpy as np
import pytest
from caching.references import REFERENCES, Lru, S3fifo

from cdn.caching import POLICIES, open_cache
from cdn.caching import lru as lru_steps
from cdn.caching import s3fifo as s3fifo_steps
from cdn.caching.policies import relabel
from cdn.compilation import step

EVERYWHERE, DOWN = 0, 1
RULES = {EVERYWHERE: "everywhere", DOWN: "down"}


def walk_of(policy_steps):
    """A kernel over many caches of one policy: the first that has the object serves, N where none has."""
    lookup, insert = policy_steps.lookup, policy_steps.insert

    @step
    def walk(states, ids, rule, served_by):
        n = len(states)
        for k in range(len(ids)):
            i = ids[k]
            at = 0
            while at < n and not lookup(states[at], i, 0):
                at += 1
            served_by[k] = at
            for below in range(at - 1, -1, -1):
                if rule == EVERYWHERE or below == at - 1:
                    insert(states[below], i, 0)

    return walk


def slow_walk(kind, ids, size_bytes, capacities, rule):
    caches = [kind(size_bytes, capacity) for capacity in capacities]
    served_by = []
    for i in ids:
        at = next((n for n, cache in enumerate(caches) if cache.find(i)), len(caches))
        served_by.append(at)
        for below in range(at - 1, -1, -1):
            cache = caches[below]
            if (rule == EVERYWHERE or below == at - 1) and size_bytes[i] <= cache.capacity and cache.fits(i):
                while cache.bytes() + size_bytes[i] > cache.capacity:
                    cache.evict(i)
                cache.insert(i)
    return served_by


@pytest.fixture(scope="module")
def trace():
    rng = np.random.default_rng(9)
    ids, members = relabel((np.minimum(rng.zipf(1.2, 3000), 120) - 1).astype(np.int32), 120)
    return ids, rng.integers(1, 10, 120)[members]


@pytest.mark.parametrize("rule", RULES, ids=list(RULES.values()))
@pytest.mark.parametrize("name, steps, kind", [("lru", lru_steps, Lru), ("s3fifo", s3fifo_steps, S3fifo)])
def test_three_caches_in_a_row(name, steps, kind, rule, trace):
    ids, size_bytes = trace
    capacities = (100, 150, 300)
    states = []
    for capacity in capacities:
        state = POLICIES[name].empty_state(capacity, len(size_bytes))
        state[0]["size_bytes"] = size_bytes
        states.append(state)
    served_by = np.zeros(len(ids), dtype=np.int64)
    walk_of(steps)(tuple(states), ids, rule, served_by)
    assert served_by.tolist() == slow_walk(kind, ids.tolist(), size_bytes.tolist(), capacities, rule)
    assert set(served_by.tolist()) == {0, 1, 2, 3}


def test_a_network_of_one_cache_is_the_cache(trace):
    ids, size_bytes = trace
    cache = open_cache("lru", 100)
    cache.replay(ids[:0], size_bytes)
    served_by = np.zeros(len(ids), dtype=np.int64)
    walk_of(lru_steps)((cache.state,), ids, EVERYWHERE, served_by)
    assert (served_by == 0).tolist() == REFERENCES["lru"](ids.tolist(), size_bytes.tolist(), 100)
    assert cache.free_bytes >= 0
