"""Does placing for more than the expected demand pay? Each day's log replayed request by request, with egress limits.

A quarter of the example: 800 titles, 2,700 requests a day, a quarter of the storage.
"""

import sys
import time
from functools import partial
from typing import Any

import numpy as np
from forecasting_data import DataSet, generated
from forecasting_tables import percent_gained, print_table

from cdn.backtesting.bootstrap import Resamples
from cdn.backtesting.placing import Setting
from cdn.backtesting.running import date_of
from cdn.backtesting.windows import days_to_test, true_demand
from cdn.evaluation import evaluate
from cdn.forecasting.demand_forecast import forecast
from cdn.forecasting.knowledge import knowledge_of
from cdn.model.demand import Demand
from cdn.model.problem import Problem
from cdn.planning import plan_placement
from cdn.simulation.replaying import replay

TESTED, HISTORY, METHOD, PLACER = 12, 28, "launch_curves", "decomposition"
QUARTER: dict[str, Any] = {"n_titles": 800, "requests_per_day": 2700.0, "launches_per_day": 0.6}
EGRESS_SHARES = (np.inf, 0.7, 0.4)
"""Egress of every cache over what it would serve in its busiest hour without a limit."""
RULES = (None, "quantile:0.3", "quantile:0.7", "peaks:0.3", "peaks:0.7", "scenarios:6")
EXPECTED, NO_LIMIT, KNOWN = "what is expected", "what is expected, as if without limits", "the day itself"


def robust_section(methods: tuple[str, ...], n_days: int | None) -> None:
    """Offload and delivery cost per rule, against placing for what is expected, paired by day."""
    data = generated(QUARTER)
    setting = data.settings["example network"]
    days = days_to_test(data.history, n_days or TESTED, (1,))
    print(f"\n### Robust placing: {len(days)} days, {METHOD}, {PLACER}, example network\n")
    forecasts = [_forecast(data, setting, day) for day in days.tolist()]
    usual = _usual_egress_bps(_problem(setting, forecasts[0], int(days[0])))
    for share in EGRESS_SHARES:
        limit = np.full(len(usual), np.inf) if np.isinf(share) else share * usual
        sums: dict[str, list[tuple[float, ...]]] = {}
        for day, demand in zip(days.tolist(), forecasts, strict=True):
            _add_day(sums, data, setting, demand, day, limit)
        where = "without egress limits" if np.isinf(share) else f"egress of {share:.0%} of the unlimited busiest hour"
        print(f"{where}\n")
        print_table(["placed for", "offload", "points above", "delivery cost against", "seconds"],
                    _rows(sums, len(days)))


def _forecast(data: DataSet, setting: Setting, day: int) -> Demand:
    knowledge = knowledge_of(setting.catalog, setting.network.topology)
    return forecast(data.history.window(day, HISTORY), date_of(day), METHOD, setting.catalog, knowledge)


def _problem(setting: Setting, demand: Demand, day: int) -> Problem:
    problem = setting.problem(demand, date_of(day))
    return problem.replace(storage_bytes=problem.storage_bytes / 4)


def _usual_egress_bps(problem: Problem) -> np.ndarray:
    placed = plan_placement(problem.replace(egress_bps=np.full(problem.n_caches, np.inf)), PLACER, threads=1)
    return evaluate(problem, placed.placement).egress_bps[:, :-1].max(axis=0)


def _add_day(sums: dict[str, list[tuple[float, ...]]], data: DataSet, setting: Setting, demand: Demand, day: int,
             limit: np.ndarray) -> None:
    expected, true = (_problem(setting, one, day).replace(egress_bps=limit)
                      for one in (demand, true_demand(data.history, day)))
    place = partial(plan_placement, method=PLACER, threads=1, seed=day)
    ways = {rule or EXPECTED: partial(place, expected, robust=rule) for rule in RULES} | {KNOWN: partial(place, true)}
    if np.isfinite(limit).any():
        ways[NO_LIMIT] = partial(place, expected.replace(egress_bps=np.full(len(limit), np.inf)))
    log = data.log.select(data.log.day == day)
    for name, plan in ways.items():
        started = time.perf_counter()
        stored = plan().placement.stored
        took = time.perf_counter() - started
        served_by = replay(true, setting.network.topology, setting.catalog, log, pinned=stored,
                           egress_limits=True).served_by
        cost = true.cost_per_byte[served_by, log.region] @ log.bytes
        kept = log.bytes[served_by < true.n_caches].sum()
        sums.setdefault(name, []).append((float(kept), float(log.bytes.sum()), float(cost), took))
    print(f"{date_of(day):%Y-%m-%d}", file=sys.stderr)


def _rows(sums: dict[str, list[tuple[float, ...]]], n_days: int) -> list[list[str]]:
    resamples = Resamples.of_days(n_days, np.random.default_rng(0))
    base = np.array(sums[EXPECTED])
    rows = []
    for name, of_days in sums.items():
        mine = np.array(of_days)
        total = mine.sum(axis=0)
        kept, dearer = ("" if name == EXPECTED else percent_gained(resamples, mine[:, k] - base[:, k], whole)
                        for k, whole in ((0, mine[:, 1]), (2, base[:, 2])))
        rows.append([name, f"{100 * total[0] / total[1]:.2f} %", kept, dearer and f"{dearer} %",
                     f"{mine[:, 3].mean():.1f}"])
    return rows
