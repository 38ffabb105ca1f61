"""Byte distances against counting what was used in between."""

import numpy as np
import pytest
from caching.bounds.bound_examples import traces
from hypothesis import given, settings

from cdn.caching.curves.distances import FIRST_USE, others_between_uses


def counted(ids, sizes):
    last, others = {}, []
    for k, i in enumerate(ids):
        others.append(sum(sizes[j] for j in set(ids[last[i] + 1:k])) if i in last else FIRST_USE)
        last[i] = k
    return others


@settings(deadline=None, max_examples=300)
@given(traces(max_requests=60))
def test_others_are_counted(trace):
    ids, sizes, _ = trace
    found = others_between_uses(np.array(ids, dtype=np.int32), np.array(sizes, dtype=np.int64))
    assert found.tolist() == counted(ids, sizes)


@pytest.mark.parametrize("n_objects", [1, 2, 63, 64, 300])
def test_others_are_counted_through_many_packings(n_objects):
    """Ten requests per object at least, so positions run out again and again; some objects are never asked for."""
    rng = np.random.default_rng(n_objects)
    ids = (n_objects * rng.random(max(3000, 10 * n_objects)) ** 2).astype(np.int32)
    sizes = rng.integers(0, 1000, n_objects + 5)
    assert others_between_uses(ids, sizes).tolist() == counted(ids.tolist(), sizes.tolist())


def test_terabytes_do_not_overflow():
    """A hundred objects of 2**55 bytes."""
    ids = np.tile(np.arange(100, dtype=np.int32), 2)
    assert others_between_uses(ids, np.full(100, 2**55)).tolist() == [FIRST_USE] * 100 + [99 * 2**55] * 100
