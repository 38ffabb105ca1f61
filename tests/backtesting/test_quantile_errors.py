"""Quantile loss and coverage."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdn.backtesting.quantile_errors import quantile_loss, quantiles_of
from cdn.forecasting.coverage import covered
from cdn.forecasting.negative_binomial import cumulative


def test_by_hand():
    """At 0.9 a unit too low costs 0.9 and a unit too high 0.1."""
    assert quantile_loss(np.array([10.0, 10.0]), np.array([8.0, 12.0]), 0.9) == pytest.approx([1.8, 0.2])


def test_a_count_is_covered_by_the_part_of_its_step_that_lies_inside():
    """Poisson 1: F = 0.368, 0.736, 0.920, 0.981. The step of 0 is covered by (0.368 - 0.1) / 0.368, that of 1 whole,
    that of 2 by (0.9 - 0.736) / 0.184, that of 3 not at all."""
    inside = covered(np.arange(4), np.ones(4), np.zeros(4))
    assert inside == pytest.approx([0.7282, 1, 0.8929, 0], abs=1e-4)


@pytest.mark.parametrize("mean", [0.02, 0.5, 3.0, 80.0, 800.0])
@pytest.mark.parametrize("phi", [0.0, 0.3, 2.0])
def test_counts_of_the_forecast_distribution_are_covered_as_often_as_it_says(mean, phi):
    """However small and discrete: by the sum over all counts, not by drawing. Too wide or too narrow is seen."""
    count = np.arange(60_000)
    means, phis = np.full(len(count), mean), np.full(len(count), phi)
    chance = cumulative(count, means, phis) - cumulative(count - 1, means, phis)
    assert chance.sum() == pytest.approx(1) and (chance * count).sum() == pytest.approx(mean, rel=1e-4)
    assert (chance * covered(count, means, phis)).sum() == pytest.approx(0.8, abs=1e-6)
    if mean >= 80:
        assert (chance * covered(count, means, phis + 3)).sum() > 0.85


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
