"""What days do to all titles alike: found, foreseen, and not imagined where there is nothing."""

import numpy as np
import pytest
from forecasting.simulated_histories import FIRST_DAY, history_of_counts

from cdn.forecasting.day_factors import day_factors, log_foreseen
from cdn.forecasting.empirical_bayes import empirical_bayes
from cdn.forecasting.launches import launches_of
from cdn.forecasting.titles import TitleAttributes

N_DAYS, SMALL, HITS = 60, 300, 20


def robots(every: int) -> np.ndarray:
    """(D, A, 1) counts of 300 titles asked for 6 times a day, and of 20 hits, 3,000 times; on every k-th day a robot
    fetches each of them 20 times more. Every title is there from the first day on."""
    rate = np.repeat([6.0, 3000.0], [SMALL, HITS]) + 20 * (np.arange(N_DAYS) % every == 0)[:, None]
    return np.random.default_rng(1).poisson(rate)[:, :, None]


def factors_of(counts: np.ndarray, horizon: int = 1):
    history = history_of_counts(counts)
    launches = launches_of(history, TitleAttributes.of_nothing(counts.shape[1]))
    return day_factors(history, FIRST_DAY + len(counts) - 1 + horizon, launches)


@pytest.mark.parametrize("horizon", [1, 2, 7])
def test_a_robot_that_comes_every_other_day_is_foreseen(horizon):
    """The small titles have 26 and 6 requests in turn, 16 on average: factors 1.625 and 0.375, but for what their
    leaning on 1 takes. The last day (59) was one without: an odd number of days later the robot is there."""
    found = factors_of(robots(2), horizon)
    small, hits = found.past[:SMALL], found.past[SMALL:]
    assert np.abs(small[:, 10:50:2] - 1.625).max() < 0.2 and np.abs(small[:, 11:50:2] - 0.375).max() < 0.2
    assert np.abs(hits - 1).max() < 0.05
    assert found.foreseen[:SMALL, -1] == pytest.approx(1.625 if horizon % 2 else 0.375, abs=0.2)
    assert found.foreseen[SMALL:, -1] == pytest.approx(1, abs=0.05)


def test_a_forecast_follows_the_robot():
    """Tomorrow the robot is there: 26 requests each, where the last week's mean is 14.6 (3 of 7 days with it). All
    titles together are expected what they usually have, which takes a tenth of that away."""
    expected = empirical_bayes(history_of_counts(robots(2)), FIRST_DAY + N_DAYS)
    assert expected.requests[expected.asset < SMALL].mean() == pytest.approx(23.4, rel=0.1)


@pytest.mark.parametrize("horizon", [1, 7])
def test_noise_is_not_foreseen(horizon):
    counts = np.random.default_rng(2).poisson(np.repeat([0.5, 6.0, 300.0], 200), (N_DAYS, 600))[:, :, None]
    found = factors_of(counts, horizon)
    assert np.abs(found.past - 1).max() < 0.1 and np.abs(found.foreseen - 1).max() < 0.05


def test_missing_days_and_short_histories_have_no_factors():
    counts = robots(2)
    counts[20:23] = 0
    found = factors_of(counts)
    assert (found.past[:, 20:23] == 1).all() and np.isfinite(found.foreseen).all()
    for short in (counts[:1], counts[:20], np.where(np.arange(N_DAYS)[:, None, None] % 6, 0, counts)):
        found = factors_of(short)
        assert (found.past == 1).all() and (found.foreseen == 1).all()
        assert found.foreseen.shape == (SMALL + HITS, len(short) + 1)


def test_one_title_s_spike_is_nobody_else_s():
    counts = np.random.default_rng(3).poisson(6.0, (N_DAYS, SMALL))[:, :, None]
    counts[40, 0] = 1_000_000
    assert np.abs(factors_of(counts).past[1:, :33] - 1).max() < 0.1


def test_what_is_foreseen_needs_days_that_are_known():
    """Of a series that turns every day, each day from the tenth on (eight lags, two days ahead) is foreseen by what
    was known two days before; of a constant one nothing."""
    logs = 0.5 * (-1.0) ** np.arange(40)
    found = log_foreseen(logs, np.ones(40, dtype=bool), 2)
    assert (found[:9] == 0).all() and found[9:40] == pytest.approx(logs[9:], abs=0.05)
    assert found[-1] == pytest.approx(-0.5, abs=0.05)
    assert (log_foreseen(np.zeros(40), np.ones(40, dtype=bool), 2) == 0).all()
