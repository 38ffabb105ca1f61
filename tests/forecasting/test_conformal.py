"""Intervals moved by scores hold what they say, class by class."""

import numpy as np
import pytest

from cdn.forecasting.conformal import widenings


def test_intervals_that_are_too_narrow_or_too_wide_hold_four_fifths_afterwards():
    """Normal values of sd 1 and 3, all given the interval -0.5 to 2: by hand, what holds 80 % of other such values."""
    rng = np.random.default_rng(1)
    sd = np.array([1.0, 3.0])
    group = rng.integers(0, 2, 20_000)
    checked, other = (sd[group] * rng.standard_normal(len(group)) for _ in range(2))
    wider = widenings(np.maximum(-0.5 - checked, checked - 2.0), np.ones(len(group)), group, 2, 0.8)[group]
    inside = (other >= -0.5 - wider) & (other <= 2.0 + wider)
    assert [inside[group == g].mean() for g in (0, 1)] == pytest.approx([0.8, 0.8], abs=0.015)


def test_a_score_counts_as_often_as_it_stands_for():
    """60 scores of 0 that stand for one value each and 60 of 1 that stand for four: 80 % is among the latter, 20 %
    at the last of the former."""
    score, weight = np.repeat([0.0, 1.0], 60), np.repeat([1.0, 4.0], 60)
    one = np.zeros(120, dtype=int)
    assert widenings(score, weight, one, 1, 0.8).tolist() == [1.0]
    assert widenings(score, weight, one, 1, 0.2).tolist() == [0.0]


def test_a_class_of_few_scores_takes_that_of_all():
    score = np.append(np.arange(100.0), 1000.0)
    group = np.append(np.zeros(100, dtype=int), 1)
    assert widenings(score, np.ones(101), group, 3, 0.5).tolist() == [49.0, 50.0, 50.0]
