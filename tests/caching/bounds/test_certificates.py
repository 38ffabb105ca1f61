"""Any prices prove a bound; what are no prices is refused."""

import numpy as np
import pytest
from caching.bounds.bound_examples import best_value, traces
from hypothesis import given, settings
from hypothesis import strategies as st

from cdn.caching.bounds import OBJECTIVES, stream_intervals
from cdn.caching.bounds.certificates import price_bound
from cdn.caching.bounds.knapsack import bound_by_knapsack, one_price


@pytest.mark.parametrize("objective", OBJECTIVES)
@settings(deadline=None, max_examples=150)
@given(trace=traces(max_requests=14, max_objects=4), data=st.data())
def test_any_prices_bound_the_exhaustive_optimum(objective, trace, data):
    intervals = stream_intervals(*trace, objective)
    price = data.draw(st.lists(st.floats(0, 2), min_size=len(trace[0]), max_size=len(trace[0])))
    assert price_bound(intervals, np.cumsum(np.array(price))) >= best_value(*trace, objective)


@pytest.mark.parametrize("objective", OBJECTIVES)
@settings(deadline=None, max_examples=150)
@given(trace=traces(), data=st.data())
def test_no_single_price_proves_more_than_pfoo_l(objective, trace, data):
    intervals = stream_intervals(*trace, objective)
    price = one_price(intervals) * data.draw(st.floats(0.3, 3)) + data.draw(st.sampled_from([0, 0.01]))
    assert bound_by_knapsack(intervals) <= price_bound(intervals, price * np.arange(intervals.n_requests))


@pytest.mark.parametrize("objective", OBJECTIVES)
@settings(deadline=None, max_examples=150)
@given(trace=traces())
def test_pfoo_l_is_the_fractional_knapsack(objective, trace):
    """Filled up one by one in exact order, as the paper describes it."""
    intervals = stream_intervals(*trace, objective)
    length = (intervals.end - intervals.start).astype(float)
    resource = length * intervals.size_bytes
    room, value = float(intervals.room_bytes.sum()), 0.0
    for i in np.argsort(resource if objective == "requests" else length, kind="stable"):
        share = 1.0 if resource[i] <= room else room / resource[i]
        value, room = value + share * intervals.value[i], room - share * resource[i]
    assert bound_by_knapsack(intervals) == int(value + 1e-7)


@pytest.mark.parametrize("paid", [[0.0, 1.0, 0.5], [0.0, np.nan, 1.0], [0.0, np.inf, np.inf], [0.0, 1.0]])
def test_what_are_no_prices_is_refused(paid):
    with pytest.raises(ValueError, match="paid must be finite"):
        price_bound(stream_intervals([0, 0, 0], [1], 1, "requests"), np.array(paid))
