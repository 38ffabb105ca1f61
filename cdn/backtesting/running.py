"""The backtest: every method forecasts every tested day from what came before, places, and is held against the day."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from cdn.backtesting.alignment import align
from cdn.backtesting.groupings import groupings_of, region_sizes, release_days, stated_releases
from cdn.backtesting.placing import Delivery, Setting, delivered, delivered_within_limits, ladder_of, served_by_policy
from cdn.backtesting.rankings import TOP_K
from cdn.backtesting.scoring import Served, score_day
from cdn.backtesting.windows import days_to_test, first_seen, missing_days, true_demand
from cdn.errors import CdnError
from cdn.forecasting.demand_forecast import DayForecast, day_forecast
from cdn.forecasting.events import Calendar
from cdn.forecasting.forecasters import forecaster_of
from cdn.forecasting.history import HISTORY_DAYS, History
from cdn.forecasting.knowledge import knowledge_of
from cdn.forecasting.marginal_prices import losses
from cdn.forecasting.past_forecasts import PastForecasts
from cdn.forecasting.thin_days import thin_days
from cdn.model.demand import Demand
from cdn.model.problem import Problem
from cdn.model.request_log import RequestLog
from cdn.model.site_assets import SiteAssets
from cdn.placement.robust import parse_robust

DEFAULT_HORIZONS = (1, 7)
ForecastDay = Callable[[History, pd.Timestamp, str], DayForecast]


@dataclass(frozen=True)
class BacktestPlan:
    """What is tested: ``methods`` of FORECASTERS, the last ``n_days`` whole days, ``horizons`` in days, each forecast
    from a history of ``history_days``. ``robust``: rules of ``ROBUST``; every forecast is placed by each of them too.
    Raises ValueError for numbers that make no sense, UnknownNameError for a method or rule."""

    methods: tuple[str, ...]
    n_days: int
    horizons: tuple[int, ...] = DEFAULT_HORIZONS
    history_days: int = HISTORY_DAYS
    top_k: int = TOP_K
    robust: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for method in self.methods:
            forecaster_of(method)
        for rule in self.robust:
            parse_robust(rule)
        if not self.methods or not self.horizons:
            raise ValueError("a backtest has at least one method and one horizon")
        for name, value in (("n_days", self.n_days), ("horizon", min(self.horizons)),
                            ("history_days", self.history_days), ("top_k", self.top_k)):
            if value < 1:
                raise ValueError(f"{name} is at least 1, not {value}")

    @property
    def labels(self) -> tuple[str, ...]:
        """What is compared: the methods, then all of them placed by each rule, such as ``ensemble quantile:0.3``."""
        return self.methods + tuple(f"{method} {rule}" for rule in self.robust for method in self.methods)


@dataclass(frozen=True, eq=False)
class Backtest:
    """``sums``: one row per method, horizon, day, grouping and group (``scoring.SUMS``). ``seconds``: of each forecast
    and its placement; the one thing that differs between two runs. ``days`` tested, ``missing``, ``thin``: day
    numbers."""

    plan: BacktestPlan
    sums: pd.DataFrame
    seconds: pd.DataFrame
    days: np.ndarray
    missing: np.ndarray
    thin: np.ndarray


@dataclass(frozen=True, eq=False)
class _TestedDay:
    """One day as it came to be: its demand and its problem, how caches that know it deliver it, and the bytes of each
    entry (N,) that LRU serves."""

    number: int
    true: Demand
    problem: Problem
    clairvoyant: Delivery
    lru: np.ndarray | None

    @property
    def timestamp(self) -> pd.Timestamp:
        return date_of(self.number)


def date_of(day: int) -> pd.Timestamp:
    """The UTC day of a day number."""
    return pd.Timestamp(0) + pd.Timedelta(days=int(day))


def run_backtest(history: History, setting: Setting, plan: BacktestPlan, log: RequestLog | None = None,
                 on_progress: Callable[[str], None] = lambda words: None,
                 forecast_day: ForecastDay | None = None) -> Backtest:
    """Backtests the methods on a history that holds all days, tested ones included.

    ``log``: the requests themselves, for the comparison with LRU, which starts cold at the log's first request; it must
    end with the last tested day or later. ``forecast_day``: how a method's name becomes the forecast of a day; by
    default from what the catalog tells, and a method that looks back on its own forecasts makes each of them once.
    Raises DataError where no day can be tested, CdnError where a method fails, ValueError where egress limits are to be
    kept and there is no log.
    """
    if setting.egress_limits and log is None:
        raise ValueError("egress limits are kept by requests one by one: a log is needed")
    days = days_to_test(history, plan.n_days, plan.horizons)
    released = release_days(setting.catalog, first_seen(history, len(setting.catalog)), history.first_day)
    stated = stated_releases(setting.catalog)
    sizes = region_sizes(np.bincount(history.region, history.requests, len(history.region_index)))
    ladder = ladder_of(setting.problem(true_demand(history, days[0]), date_of(days[0])), setting.network.topology)
    forecast_day = forecast_day or remembering(setting)
    sums, seconds = [], []
    for tested in _tested(history, setting, days, log):
        for horizon in plan.horizons:
            on_progress(f"{tested.timestamp:%Y-%m-%d} from {horizon} day(s) before")
            before = history.window(tested.number - horizon + 1, plan.history_days)
            forecasts, took = _forecasts(before, plan, tested, forecast_day)
            demands = [one.demand for one in forecasts]
            served, placing = _served(setting, plan, tested, demands, log)
            groupings = groupings_of(before, released, stated, tested.number, sizes)
            both = align(tested.true, demands)
            loss = losses(ladder, both.region, both.asset, both.true_bytes, both.bytes)
            # Marginal prices know of no rule: only what is placed as expected is held against them.
            ways = 1 + len(plan.robust)
            loss = np.concatenate([loss, np.full((ways - 1) * len(loss), np.nan)])
            frames = score_day(groupings, tested.true, forecasts * ways, served, loss, plan.top_k)
            for method, frame, *times in zip(plan.labels, frames, took * ways, placing, strict=True):
                where = {"method": method, "horizon": horizon, "day": f"{tested.timestamp:%Y-%m-%d}"}
                sums.append(frame.assign(**where))
                seconds.append(where | {"forecast_s": times[0], "placement_s": times[1]})
    table = pd.concat(sums, ignore_index=True)
    return Backtest(plan, table[["method", "horizon", "day", *table.columns.drop(["method", "horizon", "day"])]],
                    pd.DataFrame(seconds), days, missing_days(history), thin_days(history))


def remembering(setting: Setting, calendar: Calendar | None = None) -> ForecastDay:
    """Forecasts from what catalog and calendar tell and the regions' clocks; none is made twice."""
    zones = tuple(region.time_zone for region in setting.network.topology.regions)
    knowledge = replace(knowledge_of(setting.catalog, calendar=calendar), time_zones=zones)
    past = PastForecasts()
    return lambda before, day, method: day_forecast(before, day, method, setting.catalog, knowledge, past=past)


def _tested(history: History, setting: Setting, days: np.ndarray, log: RequestLog | None) -> Iterator[_TestedDay]:
    hit = None if log is None else served_by_policy(setting, log)
    for day in days.tolist():
        true = true_demand(history, day)
        problem = setting.problem(true, date_of(day))
        stored = setting.place(true, date_of(day))
        lru = None if log is None or hit is None else _bytes_at_entries(true, log, hit, day)
        yield _TestedDay(day, true, problem, _delivered(setting, problem, stored, log, day), lru)


def _delivered(setting: Setting, problem: Problem, stored: SiteAssets, log: RequestLog | None, day: int) -> Delivery:
    if log is None or not setting.egress_limits:
        return delivered(problem, stored)
    of_day = log.select(log.day == day)
    return delivered_within_limits(setting, problem, stored, of_day, entries_of(problem.demand, of_day))


def _bytes_at_entries(true: Demand, log: RequestLog, hit: np.ndarray, day: int) -> np.ndarray:
    """(N,) bytes of the requests of one day that were hits, by entry of the day's demand."""
    hits = log.select((log.day == day) & hit)
    return np.bincount(entries_of(true, hits), hits.bytes, len(true))


def entries_of(true: Demand, log: RequestLog) -> np.ndarray:
    """(requests,) entry of the day's demand that each request of the day belongs to."""
    n_regions = len(true.region_index)
    key = true.asset.astype(np.int64) * n_regions + true.region
    return np.searchsorted(key, log.asset.astype(np.int64) * n_regions + log.region)


def _forecasts(before: History, plan: BacktestPlan, tested: _TestedDay,
               forecast_day: ForecastDay) -> tuple[list[DayForecast], list[float]]:
    forecasts, seconds = [], []
    for method in plan.methods:
        started = time.perf_counter()
        try:
            forecasts.append(forecast_day(before, tested.timestamp, method))
        except CdnError as error:
            raise CdnError(f"{method} for {tested.timestamp:%Y-%m-%d}: {error}") from error
        seconds.append(time.perf_counter() - started)
    return forecasts, seconds


def _served(setting: Setting, plan: BacktestPlan, tested: _TestedDay, forecasts: Sequence[Demand],
            log: RequestLog | None) -> tuple[Served, list[float]]:
    placements: list[SiteAssets] = []
    seconds = []
    for rule in (None, *plan.robust):
        for demand in forecasts:
            started = time.perf_counter()
            placements.append(setting.place(demand, tested.timestamp, rule))
            seconds.append(time.perf_counter() - started)
    found = [_delivered(setting, tested.problem, stored, log, tested.number) for stored in placements]
    origin_cost = tested.true.bytes * tested.problem.origin_cost[tested.true.region]
    return Served(found, tested.clairvoyant, origin_cost, tested.lru), seconds
