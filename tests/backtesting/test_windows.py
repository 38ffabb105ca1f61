"""Windows of a history are what a log cut off there would have given; days that are tested are whole days."""

import numpy as np
import pytest
from backtesting.backtest_examples import history_of, log_of, random_log
from hypothesis import given
from hypothesis import strategies as st

from cdn.backtesting.windows import days_to_test, first_seen, missing_days, true_demand
from cdn.errors import DataError
from cdn.forecasting.history import history_of_log
from cdn.forecasting.thin_days import thin_days
from cdn.simulation.true_demand import demand_of_log

FIELDS = ("observed", "day", "region", "asset", "requests", "bytes", "hour_bytes")
ROWS = st.lists(st.tuples(st.integers(100, 110), st.integers(0, 1), st.integers(0, 2), st.integers(1, 3)), min_size=1,
                max_size=15)


@given(ROWS, st.integers(98, 112), st.integers(1, 12))
def test_a_window_is_the_history_of_the_log_until_then(rows, until_day, n_days):
    log = log_of(rows)
    history = history_of(log)
    if until_day > history.until_day:
        with pytest.raises(ValueError, match=r"asked until"):
            history.window(until_day, n_days)
        return
    cut, expected = history.window(until_day, n_days), history_of_log(log, until_day, n_days)
    assert cut.first_day == expected.first_day
    for name in FIELDS:
        assert getattr(cut, name).tolist() == getattr(expected, name).tolist(), name


def test_the_true_day_is_the_demand_of_its_log():
    log = random_log(3)
    true, expected = true_demand(history_of(log), 105), demand_of_log(log.select(log.day == 105))
    for name in ("indptr", "region", "requests", "bytes", "peak_bps", "hour_factor"):
        assert getattr(true, name) == pytest.approx(getattr(expected, name)), name


def test_missing_days_are_neither_tested_nor_closed_up():
    """Of days 100 to 106, 103 is missing and 105 was cut: 1 request where others have 50."""
    history = history_of(log_of([(day, 0, 0, 50) for day in (100, 101, 102, 104, 106)] + [(105, 0, 0, 1)]))
    assert missing_days(history).tolist() == [103] and thin_days(history).tolist() == [105]
    assert days_to_test(history, 3, (1,)).tolist() == [102, 104, 106]
    assert days_to_test(history, 9, (1, 4)).tolist() == [104, 106]
    assert history.window(104, 3).observed.tolist() == [True, True, False]


def test_a_log_too_short_for_the_horizon_is_refused():
    with pytest.raises(DataError, match=r"7 day\(s\) after an earlier one"):
        days_to_test(history_of(random_log(1, n_days=7)), 3, (1, 7))


def test_first_seen():
    history = history_of(log_of([(101, 1, 2, 1), (100, 0, 0, 2), (103, 0, 2, 1)]))
    assert first_seen(history, 4).tolist() == [100, -1, 101, -1]
    assert np.array_equal(first_seen(history.window(101, 9), 4), [100, -1, -1, -1])


def test_scraps_are_known_as_such_even_where_they_are_most():
    """Four scraps and three whole days, as the CRAN mirror log has them without its sweeping clients."""
    counts = [58, 25, 85, 194, 8582, 8785, 9088]
    history = history_of(log_of([(100 + k, 0, 0, n) for k, n in enumerate(counts)]))
    assert thin_days(history).tolist() == [100, 101, 102, 103]
    spike = history_of(log_of([(100 + k, 0, 0, n) for k, n in enumerate([5, 6, 5, 100_000, 6, 5])]))
    assert not len(thin_days(spike))
