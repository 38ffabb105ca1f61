"""Next uses against looking forward."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cdn.caching.next_uses import next_uses


@settings(deadline=None)
@given(st.lists(st.integers(0, 5), max_size=30))
def test_next_uses_are_found_by_looking_forward(ids):
    forward = [next((j for j in range(k + 1, len(ids)) if ids[j] == i), len(ids)) for k, i in enumerate(ids)]
    assert next_uses(np.array(ids, dtype=np.int32), 6).tolist() == forward
