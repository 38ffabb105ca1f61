"""Backtests of the forecasting benchmark: each forecast made once for all settings, results kept in a folder block by
block, so that a run that is cut short goes on where it was and a method that changed is run again alone."""

import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from forecasting_data import DataSet

from cdn.backtesting.placing import Setting
from cdn.backtesting.running import Backtest, BacktestPlan, date_of, remembering, run_backtest
from cdn.backtesting.windows import days_to_test
from cdn.forecasting.demand_forecast import DayForecast, day_number
from cdn.forecasting.history import History

BLOCK_DAYS = 10


class Forecasts:
    """Forecasts of a data set, each made once for all settings it is placed in, and the seconds each took."""

    def __init__(self, data: DataSet) -> None:
        self._forecast = remembering(next(iter(data.settings.values())))
        self._found: dict[tuple[int, pd.Timestamp, str], DayForecast] = {}
        self.seconds: dict[tuple[str, int], list[float]] = {}

    def __call__(self, before: History, day: pd.Timestamp, method: str) -> DayForecast:
        key = before.until_day, day, method
        if key not in self._found:
            started = time.perf_counter()
            self._found[key] = self._forecast(before, day, method)
            horizon = day_number(day) - before.until_day + 1
            self.seconds.setdefault((method, horizon), []).append(time.perf_counter() - started)
        return self._found[key]

    def forget(self) -> None:
        """Of days that are done with; what methods look back on stays."""
        self._found.clear()
        self.seconds.clear()


def backtest(data: DataSet, setting: Setting, plan: BacktestPlan, forecasts: Forecasts) -> Backtest:
    started = time.perf_counter()
    result = run_backtest(data.history, setting, plan, data.log, progress, forecasts)
    seconds = result.seconds.assign(forecast_s=[np.mean(forecasts.seconds[key]) for key in zip(
        result.seconds["method"], result.seconds["horizon"], strict=True)])
    progress(f"{len(seconds)} runs in {time.perf_counter() - started:.0f} s")
    return replace(result, seconds=seconds)


def backtests_in_blocks(data: DataSet, plan: BacktestPlan, kept: Path | None) -> dict[str, Backtest]:
    """The same of every setting, in blocks of days; what lies in the folder ``kept`` already is read from there, what
    does not is written there: ``SETTING-METHOD-FIRSTDAY.parquet``, remove one to have it run again."""
    days = days_to_test(data.history, plan.n_days, plan.horizons)
    forecasts, parts = Forecasts(data), []
    for block in np.split(days, range(BLOCK_DAYS, len(days), BLOCK_DAYS)):
        until = replace(data, history=data.history.before(int(block[-1]) + 1))
        for k, (where, setting) in enumerate(data.settings.items()):
            paths = {method: None if kept is None else kept / f"{k}-{method}-{date_of(block[0]):%Y-%m-%d}.parquet"
                     for method in plan.methods}
            left = tuple(method for method, path in paths.items() if path is None or not path.exists())
            if left:
                found = backtest(until, setting, replace(plan, methods=left, n_days=len(block)), forecasts)
                tables = dict(list(found.sums.merge(found.seconds, on=["method", "horizon", "day"]).groupby("method")))
                for method in left:
                    parts.append((where, tables[method]))
                    if paths[method] is not None:
                        kept.mkdir(parents=True, exist_ok=True)
                        tables[method].to_parquet(paths[method])
            parts += [(where, pd.read_parquet(path)) for method, path in paths.items() if method not in left]
        forecasts.forget()
    return {where: _joined(plan, days, [table for of, table in parts if of == where]) for where in data.settings}


def _joined(plan: BacktestPlan, days: np.ndarray, tables: list[pd.DataFrame]) -> Backtest:
    table = pd.concat(tables, ignore_index=True)
    timed = ["method", "horizon", "day", "forecast_s", "placement_s"]
    none = np.empty(0, dtype=np.int64)
    return Backtest(plan, table.drop(columns=timed[3:]), table[timed].drop_duplicates(timed[:3]), days, none, none)


def progress(words: str) -> None:
    print(words, file=sys.stderr, flush=True)
