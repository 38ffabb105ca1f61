"""Intervals of differences between methods: how often they hold what is true."""

import numpy as np
import pytest

from cdn.backtesting.bootstrap import Resamples


def mean(sums):
    return sums[..., 0] / sums[..., 1]


def days_of(rng, n_days, persistence):
    """Differences per day around 1, each day's surprise carried on to the next with ``persistence``; and their
    number."""
    surprise = rng.normal(size=n_days + 50)
    value = np.zeros(n_days + 50)
    for k in range(1, len(value)):
        value[k] = persistence * value[k - 1] + surprise[k]
    return np.stack([1 + value[50:], np.ones(n_days)], axis=1)


@pytest.mark.parametrize(("n_days", "persistence", "least"), [(14, 0.0, 0.9), (28, 0.4, 0.85), (60, 0.5, 0.86)])
def test_the_interval_holds_the_true_difference_about_as_often_as_it_says(n_days, persistence, least):
    rng = np.random.default_rng(5)
    inside = 0
    for _ in range(300):
        per_day = days_of(rng, n_days, persistence)
        interval = Resamples.of_days(n_days, rng, draws=400).interval(per_day, mean)
        assert interval.value == pytest.approx(per_day[:, 0].mean())
        inside += interval.low <= 1 <= interval.high
    assert least <= inside / 300 <= 0.99


def test_days_drawn_one_by_one_are_too_sure_of_themselves():
    """With persistent surprises, blocks of seven days hold the truth clearly more often than blocks of one."""
    inside = {1: 0, 7: 0}
    rng = np.random.default_rng(1)
    for _ in range(200):
        per_day = days_of(rng, 60, 0.6)
        for block in inside:
            interval = Resamples.of_days(60, rng, block_days=block, draws=300).interval(per_day, mean)
            inside[block] += interval.low <= 1 <= interval.high
    assert inside[7] > inside[1] + 20


def test_pairing_takes_out_what_the_days_have_in_common():
    """Two methods that differ by 1 on days that differ by hundreds: the difference is certain, the levels are not."""
    rng = np.random.default_rng(2)
    common = rng.normal(0, 300, 40)
    per_day = np.stack([common + 1 + rng.normal(0, 0.1, 40), common, np.ones(40)], axis=1)
    resamples = Resamples.of_days(40, np.random.default_rng(0))
    difference = resamples.interval(per_day, lambda sums: (sums[..., 0] - sums[..., 1]) / sums[..., 2])
    level = resamples.interval(per_day, lambda sums: sums[..., 0] / sums[..., 2])
    assert difference.excludes_zero and difference.high - difference.low < 0.2
    assert not level.excludes_zero and level.high - level.low > 50


def test_the_same_seed_draws_the_same_days():
    per_day = days_of(np.random.default_rng(3), 20, 0.3)
    one, same, other = (Resamples.of_days(20, np.random.default_rng(seed)).interval(per_day, mean)
                        for seed in (4, 4, 5))
    assert one == same and one != other


def test_every_draw_has_as_many_days_in_blocks():
    resamples = Resamples.of_days(21, np.random.default_rng(0), block_days=5, draws=50)
    assert (resamples.times.sum(axis=1) == 21).all() and resamples.times.shape == (50, 21)
    neighbours = resamples.times * np.roll(resamples.times, 1, axis=1)
    assert (neighbours.sum(axis=1) > 0).all()


@pytest.mark.parametrize("n_days", [0, 1, 3])
def test_too_few_days_have_no_interval(n_days):
    resamples = Resamples.of_days(n_days, np.random.default_rng(0))
    interval = resamples.interval(np.ones((n_days, 2)), lambda sums: sums[..., 0])
    assert interval.value == n_days and np.isnan([interval.low, interval.high]).all() and not interval.excludes_zero


def test_a_statistic_that_means_nothing_has_no_interval():
    resamples = Resamples.of_days(9, np.random.default_rng(0))
    interval = resamples.interval(np.full((9, 1), np.nan), lambda sums: sums[..., 0])
    assert np.isnan([interval.value, interval.low, interval.high]).all()


def test_the_luckiest_of_ten_equals_is_not_taken_for_the_best():
    """Ten methods as good as the baseline: one interval each calls some method better or worse in every third case or
    more; intervals of all at once in about one of twenty."""
    rng = np.random.default_rng(7)
    alone = at_once = 0
    for _ in range(200):
        per_day = np.stack([rng.normal(0, 1, (10, 28)), np.ones((10, 28))], axis=2)
        resamples = Resamples.of_days(28, rng, draws=400)
        alone += any(resamples.interval(one, mean).excludes_zero for one in per_day)
        at_once += any(one.excludes_zero for one in resamples.intervals_of_all(per_day, mean))
    assert alone >= 60 and at_once <= 24


def test_a_true_difference_among_ten_is_found():
    rng = np.random.default_rng(8)
    per_day = np.stack([rng.normal(0, 1, (10, 28)), np.ones((10, 28))], axis=2)
    per_day[3, :, 0] += 2
    found = Resamples.of_days(28, rng).intervals_of_all(per_day, mean)
    assert [one.excludes_zero for one in found] == [k == 3 for k in range(10)]
    assert [one.value for one in found] == pytest.approx(per_day[:, :, 0].mean(axis=1))


def test_intervals_of_all_at_once_where_there_is_little_to_say():
    """The same as the baseline on every day: no doubt that there is no difference. No bytes at all: no interval, and
    the others have theirs. Three days: none."""
    same, nothing = np.stack([np.zeros(20), np.ones(20)], axis=1), np.zeros((20, 2))
    other = days_of(np.random.default_rng(1), 20, 0.0)
    with np.errstate(invalid="ignore"):
        first, second, third = Resamples.of_days(20, np.random.default_rng(0)).intervals_of_all(
            np.array([same, nothing, other]), mean)
    assert (first.low, first.high) == (0, 0) and not first.excludes_zero
    assert np.isnan([second.low, second.high]).all() and third.low < third.value < third.high
    few = Resamples.of_days(3, np.random.default_rng(0)).intervals_of_all(np.array([other[:3]]), mean)
    assert np.isnan([few[0].low, few[0].high]).all()
