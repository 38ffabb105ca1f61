"""WAPE and bias worked out by hand, and what holds of all."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdn.backtesting.point_errors import absolute_errors, bias, ratio, wape

COUNTS = st.lists(st.tuples(st.integers(0, 50), st.floats(0, 50), st.integers(0, 2)), min_size=1, max_size=30)


def test_by_hand():
    """True 4, 1, 0, 5 and forecast 3, 1, 2, 0: off by 1, 0, 2, 5 of 10; 6 instead of 10."""
    true, forecast = np.array([4, 1, 0, 5]), np.array([3, 1, 2, 0])
    assert wape(true, forecast) == 0.8 and bias(true, forecast) == -0.4
    assert absolute_errors(true, forecast, np.array([0, 0, 1, 2]), 4).tolist() == [1, 2, 5, 0]


def test_nothing_asked_for_has_no_relative_error():
    assert np.isnan(wape([0.0], [1.0])) and np.isnan(bias([0.0], [1.0]))
    assert ratio([1.0, 2.0], [4.0, 0.0]).tolist()[0] == 0.25 and np.isnan(ratio([1.0, 2.0], [4.0, 0.0])[1])


@given(COUNTS)
def test_the_total_is_off_by_no_more_than_its_parts(rows):
    true, forecast, group = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    errors = absolute_errors(true, forecast, group.astype(int), 3)
    assert errors.sum() == pytest.approx(np.abs(true - forecast).sum())
    if true.sum():
        assert wape(true, forecast) >= abs(bias(true, forecast)) - 1e-9
        assert wape(true, true) == 0 and wape(true, 2 * true) == pytest.approx(1)
