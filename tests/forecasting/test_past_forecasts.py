"""Forecasts used again are those that would be made: with or without them, whatever came before, nothing differs."""

import numpy as np
import pytest
from forecasting.simulated_histories import FIRST_DAY, history_of_counts

from cdn.forecasting.ensemble import EXPERTS, ensemble
from cdn.forecasting.knowledge import NOTHING_KNOWN, Knowledge
from cdn.forecasting.past_forecasts import PastForecasts

DAYS = 50


def counts(seed: int = 3) -> np.ndarray:
    """(D, A, R)."""
    return np.random.default_rng(seed).poisson(np.arange(1, 9)[:, None] * np.array([3, 1]), (DAYS, 8, 2))


def same(one, other) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name))
               for name in ("region", "asset", "requests", "dispersion"))


@pytest.mark.parametrize("ahead", [0, 6])
def test_a_rolling_origin_with_memory_gives_what_each_origin_gives_alone(ahead):
    history, past = history_of_counts(counts()), PastForecasts()
    for until in range(FIRST_DAY + 46, FIRST_DAY + DAYS + 1):
        window = history.window(until, 46)
        kept = len(past)
        with_past = ensemble(window, until + ahead, trees=False, past=past)
        assert same(with_past, ensemble(window, until + ahead, trees=False))
        new = len(past) - kept
    assert new == len(EXPERTS) + 1 if ahead == 0 else new > 0, "one forecast of each, one judged day more"


def test_a_past_that_differs_in_one_count_is_another_past():
    """Both histories end alike; on the third day before the end one has a request more. Nothing of one is used for the
    other, though days and methods are the same."""
    table, other = counts(), counts()
    other[DAYS - 3, 0, 0] += 50
    past = PastForecasts()
    for of in (table, other):
        history = history_of_counts(of)
        assert same(ensemble(history, history.until_day, trees=False, past=past),
                    ensemble(history, history.until_day, trees=False))


def test_what_comes_later_is_not_in_the_key_nor_in_the_forecast():
    """The same window of a clean and a poisoned log: the second is recalled, not made again."""
    clean, poisoned = counts(), counts()
    poisoned[DAYS - 5:] += 1000
    past, until = PastForecasts(), FIRST_DAY + DAYS - 5
    one = ensemble(history_of_counts(clean).window(until, 44), until, trees=False, past=past)
    made = len(past)
    other = ensemble(history_of_counts(poisoned).window(until, 44), until, trees=False, past=past)
    assert same(one, other) and len(past) == made


def test_knowledge_and_parameters_are_part_of_the_key():
    history, past = history_of_counts(counts()), PastForecasts()
    sized = Knowledge(size_bytes=np.arange(1, 9))
    made = []
    for knowledge, least in ((NOTHING_KNOWN, 0.01), (sized, 0.01), (sized, 0.5), (NOTHING_KNOWN, 0.01)):
        ensemble(history, history.until_day, knowledge, trees=False, min_requests=least, past=past)
        made.append(len(past))
    assert made[0] < made[1] < made[2] == made[3]


def test_many_pairs_are_judged_in_some_regions(monkeypatch):
    """Of four regions, the first as large as the other three and all of the same taste, two are looked at: weights and
    forecast come out much the same."""
    table = np.random.default_rng(3).poisson(np.array([30, 10, 10, 10]) * np.linspace(1, 1.3, 12)[:, None], (30, 12, 4))
    history = history_of_counts(table)
    whole = ensemble(history, history.until_day, trees=False)
    monkeypatch.setattr("cdn.forecasting.ensemble.MOST_JUDGED_PAIRS", 24)
    part = ensemble(history, history.until_day, trees=False)
    assert len(part) == len(whole) and not np.array_equal(part.dispersion, whole.dispersion)
    assert part.requests == pytest.approx(whole.requests, rel=0.1)


def test_only_so_many_are_kept():
    history, past = history_of_counts(counts()), PastForecasts(kept=7)
    ensemble(history, history.until_day, trees=False, past=past)
    assert len(past) == 7
