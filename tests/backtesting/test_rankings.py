"""Overlap of top lists and the weighted Kendall correlation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdn.backtesting.rankings import top_hits, weighted_kendalls

PAIRS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=40)
ONE_REGION = np.zeros(5, dtype=int)


def test_top_two_by_hand():
    """True order a b c d e; the forecast's first two are a and d: one of two is right."""
    hits, places = top_hits(ONE_REGION, np.array([9, 7, 5, 3, 1]), np.array([8, 1, 2, 6, 0]), 1, k=2)
    assert (hits.tolist(), places.tolist()) == ([1], [2])


def test_ties_at_the_end_of_the_true_list_are_no_error():
    """a leads, b to e were asked for once each: any of them may have the second place."""
    true = np.array([9, 1, 1, 1, 1])
    assert top_hits(ONE_REGION, true, np.array([5, 0, 0, 0, 4]), 1, k=2)[0].tolist() == [2]


def test_what_was_not_asked_for_is_no_hit_and_nothing_forecast_stands_in_no_list():
    true = np.array([2, 1, 0, 0, 0])
    assert [part.tolist() for part in top_hits(ONE_REGION, true, np.array([0, 1, 2, 3, 0]), 1, k=4)] == [[0], [2]]
    assert top_hits(ONE_REGION, true, np.zeros(5), 1, k=4)[0].tolist() == [0]


def test_each_region_has_its_own_list():
    region, true = np.array([0, 1, 0, 1]), np.array([5, 1, 1, 5])
    hits, places = top_hits(region, true, np.array([2, 2, 1, 1]), 3, k=1)
    assert hits.tolist() == [1, 0, 0] and places.tolist() == [1, 1, 0]


@given(PAIRS, st.integers(1, 5))
def test_a_perfect_forecast_hits_all_and_none_more(rows, k):
    region, true, forecast = (np.array(column) for column in zip(*rows, strict=True))
    hits, places = top_hits(region, true, true, 3, k)
    assert hits.tolist() == places.tolist()
    assert (top_hits(region, true, forecast, 3, k)[0] <= places).all()
    assert top_hits(region, true, forecast, 3, k)[0].tolist() == top_hits(region, true, 7 * forecast, 3, k)[0].tolist()


def test_kendall_knows_order_only_and_weighs_the_top():
    true = np.array([50, 40, 30, 20, 10])
    assert weighted_kendalls(ONE_REGION, true, true**2, 1) == pytest.approx([1])
    assert weighted_kendalls(ONE_REGION, true, -true + 60, 1) == pytest.approx([-1])
    top, bottom = (weighted_kendalls(ONE_REGION, true, np.array(forecast), 1)[0]
                   for forecast in ([40, 50, 30, 20, 10], [50, 40, 30, 10, 20]))
    assert top < bottom < 1


def test_kendall_leaves_out_what_neither_has_and_is_nan_without_variation():
    region, true, forecast = np.array([0, 0, 0, 1, 1]), np.array([3, 1, 0, 2, 2]), np.array([3, 1, 0, 1, 2])
    tau = weighted_kendalls(region, true, forecast, 3)
    assert tau[0] == pytest.approx(weighted_kendalls(region[:2], true[:2], forecast[:2], 1)[0])
    assert np.isnan(tau[1:]).all()
