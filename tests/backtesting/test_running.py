"""The backtest as a whole: it sees no future, knows a clairvoyant when it meets one, and gives the same twice."""

import numpy as np
import pandas as pd
import pytest
from backtesting.backtest_examples import (
    demand_of,
    history_of,
    log_of,
    random_log,
    setting_of,
    usable_forecasters,
)

from cdn.backtesting.running import BacktestPlan, date_of, run_backtest
from cdn.backtesting.summaries import comparisons, overall, scores
from cdn.backtesting.usable_methods import unusable_methods
from cdn.backtesting.windows import true_demand
from cdn.errors import CdnError, DataError, UnknownNameError
from cdn.forecasting.expectation import ExpectedRequests
from cdn.forecasting.forecasters import FORECASTERS
from cdn.model.request_log import RequestLog

ALL_METHODS = usable_forecasters()
KEY = ["method", "horizon", "day", "grouping", "group"]


def backtest(log, methods=ALL_METHODS, n_days=4, horizons=(1, 3), cache_share=0.2, **options):
    setting = setting_of(len(log.asset_index), cache_share)
    return run_backtest(history_of(log), setting, BacktestPlan(methods, n_days, horizons, **options), log)


def with_day_changed(log: RequestLog, day: int) -> RequestLog:
    """From that day on everybody asks a thousand times for the last asset."""
    before = log.select(log.day < day)
    new = log_of([(later, region, len(log.asset_index) - 1, 1000) for later in range(day, 112) for region in (0, 1)],
                 len(log.asset_index))
    return RequestLog(log.region_index, log.asset_index,
                      *(np.concatenate([getattr(before, name), getattr(new, name)])
                        for name in ("time_us", "region", "asset", "bytes")))


@pytest.mark.parametrize("method", ALL_METHODS)
def test_what_comes_later_changes_nothing(method):
    """Days 108 to 111 are tested. Poison from day 110 on: what was forecast for 108 and 109 must stay as it was, and so
    must the forecasts of 110 (one day ahead) and of 112 - 3 = 109 and before three days ahead."""
    log = random_log(6)
    clean, poisoned = (backtest(one, (method,)).sums for one in (log, with_day_changed(log, 110)))
    early = clean["day"] < f"{date_of(110):%Y-%m-%d}"
    pd.testing.assert_frame_equal(clean[early], poisoned[early])
    for horizon, last_clean in ((1, 110), (3, 111)):
        rows = [(one["horizon"] == horizon) & (one["day"] <= f"{date_of(last_clean):%Y-%m-%d}")
                & (one["grouping"] == "region") for one in (clean, poisoned)]
        assert clean["forecast_requests"][rows[0]].tolist() == poisoned["forecast_requests"][rows[1]].tolist()
    late = (clean["day"] >= f"{date_of(110):%Y-%m-%d}") & (clean["grouping"] == "all")
    assert (clean["true_requests"][late] != poisoned["true_requests"][late]).all(), "the poison is there"


@pytest.fixture
def clairvoyant(monkeypatch):
    """A forecaster that has seen the days of a log."""

    def of_log(log):
        history = history_of(log)

        def seer(before, day, *known):
            true = true_demand(history, day)
            return ExpectedRequests(true.region, true.asset, true.requests)

        monkeypatch.setitem(FORECASTERS, "seer", seer)
        return "seer"

    return of_log


def test_a_forecast_that_knows_the_day_has_no_error_and_no_regret(clairvoyant):
    log = random_log(6)
    result = backtest(log, (clairvoyant(log), "last_day"))
    figures = scores(result.sums)
    seer, naive = (figures[figures["method"] == name] for name in ("seer", "last_day"))
    asked = seer["true_requests"] > 0
    assert (seer["wape"][asked] == 0).all() and (seer["regret"][asked] == 0).all() and (seer["bias"][asked] == 0).all()
    top = overall(seer)
    assert (top["top_overlap"] == 1).all() and (top["decision_loss"] == 0).all()
    assert overall(naive)["regret"].min() > 0 and overall(naive)["wape"].min() > 0
    saved = overall(comparisons(result.sums, "last_day"))
    assert (saved["wape_skill"] == 1).all() and (saved["regret_saved_low"] > 0).all()
    assert (saved["regret_saved_all_low"] < saved["regret_saved"]).all()
    assert (saved["regret_saved_all_high"] > saved["regret_saved"]).all()


def test_groups_add_up_to_the_whole():
    sums = backtest(random_log(2)).sums
    for name in ("true_requests", "forecast_requests", "absolute_error", "true_bytes", "served_bytes",
                 "clairvoyant_bytes", "lru_bytes"):
        whole = sums[sums["grouping"] == "all"].set_index(KEY[:3])[name]
        for _, rows in sums.groupby("grouping"):
            assert rows.groupby(KEY[:3], sort=False)[name].sum().to_numpy() == pytest.approx(whole.to_numpy()), name


def test_the_clairvoyant_placement_is_never_beaten_with_a_cache_per_region():
    figures = overall(scores(backtest(random_log(2)).sums))
    assert (figures["regret"] >= -1e-12).all() and (figures["clairvoyant_offload"] >= figures["lru_offload"]).all()


def test_it_gives_the_same_twice_and_does_not_depend_on_the_order_of_methods():
    log = random_log(9)
    one, again = backtest(log), backtest(log)
    pd.testing.assert_frame_equal(one.sums, again.sums)
    pd.testing.assert_frame_equal(scores(one.sums, 3), scores(again.sums, 3))
    turned = backtest(log, tuple(reversed(ALL_METHODS))).sums
    pd.testing.assert_frame_equal(*(sums.sort_values(KEY, ignore_index=True) for sums in (one.sums, turned)))


def test_by_hand():
    """Yesterday a 4, b 1; today a 2, b 2, c 1, all in the north. One of three assets fits. last_day: off by 2 + 1 + 1
    of 5, same total; it stores a, worth 2 of 5, and nothing is worth more."""
    log = log_of([(100, 0, 0, 4), (100, 0, 1, 1), (101, 0, 0, 2), (101, 0, 1, 2), (101, 0, 2, 1)])
    figures = overall(scores(backtest(log, ("last_day",), 1, (1,), 0.34).sums)).iloc[0]
    assert (figures["wape"], figures["bias"], figures["offload"], figures["regret"]) == (0.8, 0, 0.4, 0)
    assert np.isnan(figures["regret_low"]), "one day has no interval"
    assert figures["lru_offload"] == 0.4, "b is held from yesterday; the second a and the second b are hits"


def test_missing_days_stay_missing():
    """Day 107 has no requests: it is not tested, and the day after is forecast from day 106."""
    log = random_log(5, missing=(7,))
    result = backtest(log, ("last_day",), 4, (1,))
    assert result.missing.tolist() == [107] and 107 not in result.days
    rows = result.sums[(result.sums["day"] == f"{date_of(108):%Y-%m-%d}") & (result.sums["grouping"] == "all")]
    assert rows["forecast_requests"].tolist() == [float((log.day == 106).sum())]


def test_a_day_that_was_cut_short_is_not_tested():
    log = random_log(5)
    short = log.select((log.day != 109) | (np.arange(len(log)) == np.flatnonzero(log.day == 109)[0]))
    result = backtest(short, ("last_day",), 4, (1,))
    assert result.thin.tolist() == [109] and result.days.tolist() == [107, 108, 110, 111]


@pytest.mark.parametrize(("options", "words"), [
    ({"methods": ()}, "at least one method"), ({"horizons": ()}, "at least one method and one horizon"),
    ({"horizons": (0,)}, "horizon is at least 1"), ({"n_days": 0}, "n_days is at least 1"),
    ({"history_days": 0}, "history_days is at least 1"), ({"top_k": 0}, "top_k is at least 1")])
def test_a_plan_that_makes_no_sense_is_refused(options, words):
    with pytest.raises(ValueError, match=words):
        BacktestPlan(**{"methods": ("last_day",), "n_days": 3} | options)


def test_errors_say_which_method_and_day(monkeypatch):
    def broken(history, day, *known):
        raise CdnError("no idea")

    monkeypatch.setitem(FORECASTERS, "broken", broken)
    with pytest.raises(CdnError, match="broken for 1970-04-19: no idea"):
        backtest(random_log(1), ("broken",))
    with pytest.raises(UnknownNameError, match=r"known: .*last_day"):
        BacktestPlan(("nobody",), 3)
    with pytest.raises(DataError, match="3 day"):
        backtest(random_log(1, n_days=3))


def test_a_spike_or_a_constant_series_breaks_nothing():
    spike = log_of([(day, 0, 0, 5) for day in range(100, 110)] + [(105, 1, 1, 100_000)])
    figures = overall(scores(backtest(spike, n_days=3).sums))
    assert np.isfinite(figures["wape"]).all() and np.isfinite(figures["regret"]).all()
    assert demand_of([]).total_bytes == 0


def test_methods_without_their_library_are_left_out(monkeypatch):
    def in_need(history, day, *known):
        try:
            import no_such_library  # noqa: F401
        except ImportError as error:
            raise CdnError("in_need needs no_such_library") from error

    def broken(history, day, *known):
        raise CdnError("no idea")

    monkeypatch.setitem(FORECASTERS, "in_need", in_need)
    monkeypatch.setitem(FORECASTERS, "broken", broken)
    unusable = unusable_methods(FORECASTERS)
    assert unusable["in_need"] == "in_need needs no_such_library"
    assert not {"last_day", "shrinkage", "broken"} & set(unusable)
