"""Quantile loss and coverage."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdn.backtesting.quantile_errors import covered, quantile_loss, quantiles_of


def test_by_hand():
    """At 0.9 a unit too low costs 0.9 and a unit too high 0.1."""
    assert quantile_loss(np.array([10.0, 10.0]), np.array([8.0, 12.0]), 0.9) == pytest.approx([1.8, 0.2])
    assert covered(np.array([1, 2, 3, 4]), np.array([2, 2, 2, 2]), np.array([3, 3, 3, 3])).tolist() == [
        False, True, True, False]


@given(st.lists(st.integers(0, 30), min_size=5, max_size=40), st.sampled_from([0.1, 0.5, 0.9]), st.integers(0, 30))
def test_nothing_loses_less_than_the_quantile_of_what_happened(values, level, other):
    values = np.array(values, dtype=float)
    quantile = np.quantile(values, level, method="inverted_cdf")
    best = quantile_loss(values, np.full(len(values), quantile), level).sum()
    assert best <= quantile_loss(values, np.full(len(values), float(other)), level).sum() + 1e-9


def test_a_forecast_without_quantiles_has_none():
    assert quantiles_of(SimpleNamespace(bytes=np.ones(2))) == {}
    found = quantiles_of(SimpleNamespace(bytes_p10=[1, 2], bytes_p90=[3, 4]))
    assert {level: values.tolist() for level, values in found.items()} == {0.1: [1, 2], 0.9: [3, 4]}
