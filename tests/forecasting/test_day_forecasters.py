"""Each forecaster on histories small enough to work out by hand, and what holds of all of them."""

import numpy as np
import pytest
from forecasting.tiny_histories import FORECAST_DAY, METHODS, as_table, history_of, log_of
from hypothesis import given, settings
from hypothesis import strategies as st

from cdn.errors import CdnError, UnknownNameError
from cdn.forecasting.events import Calendar
from cdn.forecasting.exponential import exponential
from cdn.forecasting.forecasters import (
    FOLLOW_CALENDAR,
    FORECASTERS,
    check_follows_calendar,
    forecaster_of,
    parameters_of,
)
from cdn.forecasting.history import history_of_log
from cdn.forecasting.knowledge import Knowledge
from cdn.forecasting.last_day import last_day
from cdn.forecasting.moving_average import moving_average
from cdn.forecasting.seasonal_naive import seasonal_naive
from cdn.model.index import UNKNOWN

ROW = st.tuples(st.integers(1, 10), st.integers(0, 1), st.integers(0, 2), st.integers(1, 9))
# Of titles nobody asked for yet these say something too.
FORESEES_NEW = {"empirical_bayes", "launch_curves", "low_rank", "gradient_boosting", "ensemble"}
CUT = {"shrinkage", "empirical_bayes", "launch_curves", "low_rank", "ensemble"}
# Trees promise no totals.
KEEPS_TOTALS = [method for method in FORECASTERS if method != "gradient_boosting"]
EXAMPLES = {"ensemble": 4, "gradient_boosting": 30}
DAILY = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 2), st.integers(1, 9)), min_size=1, max_size=5)
ROWS = st.lists(ROW, min_size=1, max_size=20)


def table(forecaster, rows, **parameters):
    return as_table(forecaster(history_of(rows), FORECAST_DAY, **parameters))


def test_last_day_is_the_last_day_that_is_not_missing():
    assert table(last_day, [(5, 0, 0, 9), (2, 0, 1, 4), (2, 1, 0, 3)]) == {(0, 1): 4, (1, 0): 3}


def test_moving_average_divides_by_the_days_that_are_there():
    """Of the last 3 days two are there: a has 2 and 4, so 3 a day; b has 1 and 0, so 1/2; the 9 lie outside."""
    rows = [(4, 0, 0, 9), (3, 0, 0, 2), (3, 0, 1, 1), (1, 0, 0, 4)]
    assert table(moving_average, rows, window_days=3) == {(0, 0): 3, (0, 1): 0.5}
    assert table(moving_average, rows, window_days=4) == pytest.approx({(0, 0): 5, (0, 1): 1 / 3})


def test_moving_average_with_an_empty_window_takes_the_last_day():
    assert table(moving_average, [(9, 0, 0, 9), (8, 0, 0, 2)], window_days=3) == {(0, 0): 2}


def test_exponential_smoothing_by_its_recursion():
    """Levels of a with 1/4: 8; then 1/4 * 4 + 3/4 * 8 = 7; the missing day keeps 7; then 3/4 * 7 = 5.25. b: 1/4 * 4."""
    rows = [(4, 0, 0, 8), (3, 0, 0, 4), (1, 0, 1, 4)]
    assert table(exponential, rows, smoothing=0.25) == pytest.approx({(0, 0): 5.25, (0, 1): 1})


def test_exponential_with_smoothing_one_is_the_last_day():
    rows = [(4, 0, 0, 8), (1, 0, 1, 4)]
    assert {pair: n for pair, n in table(exponential, rows, smoothing=1.0).items() if n} == table(last_day, rows)


def test_seasonal_naive_is_the_same_weekday_of_last_week():
    assert table(seasonal_naive, [(14, 0, 0, 1), (7, 0, 0, 5), (1, 0, 0, 9)]) == {(0, 0): 5}


def test_seasonal_naive_takes_the_week_before_where_last_week_s_day_is_missing():
    assert table(seasonal_naive, [(14, 0, 0, 1), (1, 0, 0, 9)]) == {(0, 0): 1}


def test_seasonal_naive_falls_back_to_the_last_day():
    assert table(seasonal_naive, [(6, 0, 0, 5), (2, 0, 0, 9)]) == {(0, 0): 9}


@pytest.mark.parametrize("method", METHODS)
def test_nothing_is_negative_simple_methods_foresee_no_new_titles_and_order_does_not_matter(method):
    settings(max_examples=EXAMPLES.get(method, 40), deadline=None)(given(rows=ROWS)(_holds_for_all))(method)


def _holds_for_all(method, rows):
    forecaster = FORECASTERS[method]
    expected = forecaster(history_of(rows), FORECAST_DAY)
    keys = list(zip(expected.asset, expected.region, strict=True))
    assert keys == sorted(set(keys)) and (expected.requests >= 0).all() and len(expected)
    assert method in FORESEES_NEW or {int(a) for a in expected.asset} <= {row[2] for row in rows}
    assert as_table(forecaster(history_of(rows[::-1]), FORECAST_DAY)) == as_table(expected)


@pytest.mark.parametrize("method", KEEPS_TOTALS)
def test_days_all_alike_keep_each_region_s_total(method):
    settings(max_examples=EXAMPLES.get(method, 40), deadline=None)(given(daily=DAILY)(_totals_are_kept))(method)


def _totals_are_kept(method, daily):
    """Ten days alike: these methods expect the same volume per region again (without the cut of small ones)."""
    rows = [(ago, *row) for ago in range(1, 11) for row in daily]
    cut = {"min_requests": 0.0} if method in CUT else {}
    expected = FORECASTERS[method](history_of(rows), FORECAST_DAY, **cut)
    totals = np.bincount([row[0] for row in daily], [row[2] for row in daily], minlength=2)
    np.testing.assert_allclose(np.bincount(expected.region, expected.requests, 2), totals, rtol=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_the_future_cannot_be_seen(method):
    """A log poisoned from the forecast day on gives the same forecast to the last bit."""
    rows = [(ago, ago % 2, ago % 3, ago) for ago in range(1, 9)]
    clean = as_table(FORECASTERS[method](history_of(rows), FORECAST_DAY))
    poisoned = log_of([*rows, (0, 1, 2, 1000), (-1, 0, 1, 1000), (-7, 0, 0, 1000)])
    assert as_table(FORECASTERS[method](history_of_log(poisoned, FORECAST_DAY), FORECAST_DAY)) == clean


@pytest.mark.parametrize("method", METHODS)
def test_those_that_follow_the_calendar_are_named(method):
    """Seven usual days, and one said to have three times their requests."""
    history = history_of([(ago, region, asset, 20) for ago in range(1, 8) for region in range(2) for asset in range(3)])
    calendar = Calendar([FORECAST_DAY], [0], [3.0], [UNKNOWN], [UNKNOWN])
    usual, told = (FORECASTERS[method](history, FORECAST_DAY, Knowledge(calendar=known)).requests.sum()
                   for known in (None, calendar))
    assert told == pytest.approx(3 * usual if method in FOLLOW_CALENDAR else usual, rel=0.2)
    if method in FOLLOW_CALENDAR:
        check_follows_calendar(method)
    else:
        with pytest.raises(CdnError, match=f"{method} does not look at a calendar"):
            check_follows_calendar(method)


def test_names_and_parameters():
    assert parameters_of("moving_average") == {"window_days": 7}
    with pytest.raises(UnknownNameError, match=r"known: .*, exponential, .*last_day, .*shrinkage"):
        forecaster_of("crystal_ball")


@pytest.mark.parametrize(("method", "parameter", "value"), [
    ("moving_average", "window_days", 0), ("exponential", "smoothing", 0), ("exponential", "smoothing", 1.1),
    ("shrinkage", "k", 0), ("shrinkage", "k", float("nan")), ("shrinkage", "half_life_days", 0),
    ("shrinkage", "min_requests", -1),
])
def test_parameters_that_make_no_sense_are_refused(method, parameter, value):
    with pytest.raises(ValueError, match=parameter):
        FORECASTERS[method](history_of([(1, 0, 0, 1)]), FORECAST_DAY, **{parameter: value})


def test_a_moving_average_a_week_ahead_uses_the_last_days_there_are():
    """1, 2, .., 10 requests on ten days: the mean of the last seven is 7, for the next day and for a week later."""
    history = history_of([(ago, 0, 0, 11 - ago) for ago in range(1, 11)])
    for ahead in (0, 6):
        assert as_table(moving_average(history, FORECAST_DAY + ahead)) == {(0, 0): pytest.approx(7)}
