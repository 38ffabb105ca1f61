"""Every forecaster on real and generated days: errors, regret, and what the regret is made of. Prints Markdown.

    python benchmarks/forecasting.py [counts] [mirror] [generator] [agreement] [parts] [files] [robust] [hours]
                                     [launches] [busy] [worlds]
                                     [--methods a,b] [--days N] [--kept FOLDER] [--until DAY]

counts: CRAN's daily counts; mirror: the CRAN mirror log by country; generator: the sample with its default settings;
agreement: the regret by marginal prices against the replayed one; parts: noise floor, new titles, the rest; files:
whole titles against the files of a ladder; robust: placing for more than the expected demand;
hours: the hours of the day around a clock change; launches: new titles of the daily counts, known and unheard of;
busy: the generator's sample with ten times the requests; worlds: four samples of the generator, pooled.
"""

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from forecasting_data import DataSet, daily_counts, generated, mirror_log
from forecasting_files import files_section
from forecasting_hours import hours_section
from forecasting_launches import launches_section
from forecasting_robust import robust_section
from forecasting_runs import Forecasts, backtest, backtests_in_blocks
from forecasting_tables import figure, print_errors, print_region_intervals, print_regret, print_table
from scipy.stats import spearmanr

from cdn.backtesting.alignment import align
from cdn.backtesting.groupings import ALL, NEW_DAYS, release_days
from cdn.backtesting.placing import Setting, ladder_of
from cdn.backtesting.regret_parts import offload, regret_parts
from cdn.backtesting.running import Backtest, BacktestPlan, date_of
from cdn.backtesting.usable_methods import unusable_methods
from cdn.backtesting.windows import days_to_test, first_seen, true_demand
from cdn.forecasting.demand_forecast import day_number, forecast
from cdn.forecasting.forecasters import FORECASTERS
from cdn.forecasting.marginal_prices import losses
from cdn.generator.expected import demand_of_sample

COUNTS_DAYS, COUNTS_HISTORY, GENERATED_TESTED, GENERATED_HISTORY = 63, 60, 14, 28
AGREEMENT_DAYS, PARTS_DAYS, LONG_HISTORY = 14, 7, 60
BUSY_REQUESTS, BUSY_TESTED = 100_000, 7
WORLD_SEEDS = (2, 3, 4, 5)


def counts(methods: tuple[str, ...], n_days: int | None, kept: Path | None = None,
           until: pd.Timestamp | None = None) -> None:
    plan, data = BacktestPlan(methods, n_days or COUNTS_DAYS, (1, 7), COUNTS_HISTORY), daily_counts()
    data = data if until is None else replace(data, history=data.history.before(day_number(until)))
    for k, (where, result) in enumerate(backtests_in_blocks(data, plan, kept).items()):
        if k == 0:
            print(f"\n### CRAN daily counts: {_span(result)}\n")
            print_errors(result)
        print_regret(result, where)


def mirror(methods: tuple[str, ...], n_days: int | None) -> None:
    for with_sweeps in (False, True):
        data = mirror_log(with_sweeps)
        forecasts = Forecasts(data)
        for k, (where, setting) in enumerate(data.settings.items()):
            result = backtest(data, setting, BacktestPlan(methods, 1, (1,), 2), forecasts)
            if k == 0:
                clients = "with" if with_sweeps else "without"
                print(f"\n### CRAN mirror log, 28 December 2012 from the two days before, {clients} sweeping clients\n")
                print_errors(result)
            print_regret(result, where)
            print_region_intervals(result)


def generator(methods: tuple[str, ...], n_days: int | None) -> None:
    _generated("The generator's sample", generated(), methods, n_days or GENERATED_TESTED)


def busy(methods: tuple[str, ...], n_days: int | None) -> None:
    """The same titles, regions and caches with ten times the requests: a tenth of the noise."""
    data = generated({"requests_per_day": BUSY_REQUESTS})
    _generated("The generator's sample with ten times the requests", data, methods, n_days or BUSY_TESTED)


def _generated(title: str, data: DataSet, methods: tuple[str, ...], n_days: int) -> None:
    forecasts = Forecasts(data)
    for k, (where, setting) in enumerate(data.settings.items()):
        result = backtest(data, setting, BacktestPlan(methods, n_days, (1, 7), GENERATED_HISTORY), forecasts)
        if k == 0:
            print(f"\n### {title}: {_span(result)}\n")
            print_errors(result)
        print_regret(result, where)


def worlds(methods: tuple[str, ...], n_days: int | None) -> None:
    """Four samples, pooled: days of one sample share their titles and hits, and differ less than they seem to."""
    plan = BacktestPlan(methods, n_days or GENERATED_TESTED, (1, 7), GENERATED_HISTORY)
    found: dict[str, list[Backtest]] = {}
    for seed in WORLD_SEEDS:
        data = generated(seed=seed)
        forecasts = Forecasts(data)
        for where, setting in data.settings.items():
            result = backtest(data, setting, plan, forecasts)
            sums = result.sums.assign(day=f"{seed} " + result.sums["day"])
            found.setdefault(where, []).append(replace(result, sums=sums))
    print(f"\n### The generator's samples of {len(WORLD_SEEDS)} seeds, {plan.n_days} days each\n")
    for where, results in found.items():
        sums, seconds = (pd.concat([getattr(one, name) for one in results], ignore_index=True)
                         for name in ("sums", "seconds"))
        print_regret(replace(results[0], sums=sums, seconds=seconds), where)


def agreement(methods: tuple[str, ...], n_days: int | None) -> None:
    """Regret by replay and by marginal prices, over methods, days and two horizons."""
    rows = []
    for name, data in (("daily counts", daily_counts()), ("generator", generated())):
        for where, setting in data.settings.items():
            found, seconds = _both_regrets(data, setting, methods, n_days or AGREEMENT_DAYS)
            for column, label in (("own", "own prices"), ("fixed", "prices of the day")):
                within = [spearmanr(rows_["replay"], rows_[column]).statistic
                          for _, rows_ in found.groupby(["day", "horizon"])]
                best = [rows_["replay"][rows_[column].idxmin()] - rows_["replay"].min()
                        for _, rows_ in found.groupby(["day", "horizon"])]
                rows.append([f"{name}, {where}", label, f"{len(found)}",
                             figure(spearmanr(found["replay"], found[column]).statistic),
                             figure(float(np.mean(within))),
                             f"{100 * np.mean(best):.2f}", f"{100 * np.mean(found[column] - found['replay']):+.2f}",
                             f"{1000 * seconds['replay']:.0f}", f"{1000 * seconds['prices']:.1f}"])
    print("\n### Regret by marginal prices against regret by replay\n")
    print_table(["data, network", "prices", "runs", "Spearman, all runs", "Spearman of methods within a day, mean",
                 "points lost by choosing by it", "mean difference, points", "ms / run, replay",
                 "ms / run, prices"], rows)


def _both_regrets(data: DataSet, setting: Setting, methods: tuple[str, ...],
                  n_days: int) -> tuple[pd.DataFrame, dict[str, float]]:
    rows, seconds = [], {"replay": 0.0, "prices": 0.0}
    for day in days_to_test(data.history, n_days, (1, 7)).tolist():
        true, at = true_demand(data.history, day), date_of(day)
        problem = setting.problem(true, at)
        ladder = ladder_of(problem, setting.network.topology)
        best = offload(setting, true, setting.place(true, at), at)
        for horizon in (1, 7):
            before = data.history.window(day - horizon + 1, LONG_HISTORY)
            forecasts = [forecast(before, at, method, setting.catalog) for method in methods]
            started = time.perf_counter()
            replayed = [best - offload(setting, true, setting.place(demand, at), at) for demand in forecasts]
            seconds["replay"] += time.perf_counter() - started
            both = align(true, forecasts)
            started = time.perf_counter()
            own = losses(ladder, both.region, both.asset, both.true_bytes, both.bytes)
            seconds["prices"] += time.perf_counter() - started
            fixed = losses(ladder, both.region, both.asset, both.true_bytes, both.bytes, own_prices=False)
            rows += [{"day": day, "horizon": horizon, "method": method, "replay": replay_, "own": own_, "fixed": fixed_}
                     for method, replay_, own_, fixed_ in zip(methods, replayed, own, fixed, strict=True)]
    return pd.DataFrame(rows), {name: total / len(rows) for name, total in seconds.items()}


def parts(methods: tuple[str, ...], n_days: int | None) -> None:
    """The regret of each method, next day, in its parts; on the generator beside the floor that is known."""
    cases = [("CRAN daily counts", daily_counts(), n_days or PARTS_DAYS, COUNTS_HISTORY),
             ("CRAN mirror log without sweeping clients", mirror_log(False), 1, 2),
             ("generator", generated(), n_days or PARTS_DAYS, GENERATED_HISTORY)]
    for name, data, tested, history_days in cases:
        for where, setting in data.settings.items():
            days = days_to_test(data.history, tested, (1,))
            _print_parts(f"{name}, {where}", data, setting, methods, days, history_days)


def _print_parts(title: str, data: DataSet, setting: Setting, methods: tuple[str, ...], days: np.ndarray,
                 history_days: int) -> None:
    released = release_days(setting.catalog, first_seen(data.history, len(setting.catalog)), data.history.first_day)
    found: dict[str, list] = {method: [] for method in methods}
    known = []
    for day in days.tolist():
        true, at, before = true_demand(data.history, day), date_of(day), data.history.window(day, history_days)
        new = (released >= 0) & (day - released < NEW_DAYS)
        for method in methods:
            demand = forecast(before, at, method, setting.catalog)
            found[method].append(regret_parts(setting, demand, true, new, at, np.random.default_rng(day)))
        if data.sample is not None:
            expected = demand_of_sample(data.sample, at.date())
            known.append(offload(setting, true, setting.place(true, at), at)
                         - offload(setting, true, setting.place(expected, at), at))
    print(f"\n### What the regret is made of: {title}, {len(days)} day(s)\n")
    if known:
        print(f"Placing with the generator's own expected demand of the day loses {100 * np.mean(known):.2f} points: "
              "the true noise floor.\n")
    rows = [[method, *(f"{100 * np.mean([getattr(one, part) for one in of_days]):.2f}"
                       for part in ("regret", "floor", "new_titles", "rest", "split"))]
            for method, of_days in found.items()]
    print_table(["method", "regret, points", "noise floor", "new titles", "the rest: drift, method",
                 "half against half"], rows)


def _span(result: Backtest) -> str:
    requests = result.sums[(result.sums["grouping"] == ALL) & (result.sums["method"] == result.plan.methods[0])
                           & (result.sums["horizon"] == result.plan.horizons[0])]["true_requests"].sum()
    first, last = date_of(result.days[0]), date_of(result.days[-1])
    return f"{len(result.days)} days, {first:%Y-%m-%d} to {last:%Y-%m-%d}, {requests:,.0f} requests"


SECTIONS = {"counts": counts, "mirror": mirror, "generator": generator, "busy": busy, "worlds": worlds,
            "agreement": agreement, "parts": parts, "files": files_section, "robust": robust_section,
            "hours": hours_section, "launches": launches_section}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"any of {', '.join(SECTIONS)}; all by default")
    parser.add_argument("--methods", default=None, help="forecasters, joined by commas; all by default")
    parser.add_argument("--days", type=int, default=None, help="how many days are tested")
    parser.add_argument("--kept", type=Path, default=None,
                        help="folder of results of the daily counts: written as they come, read where there")
    parser.add_argument("--until", type=pd.Timestamp, default=None, help="the daily counts before this day only")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.sections if name not in SECTIONS]
    if unknown:
        parser.error(f"unknown section {unknown[0]!r}; known: {', '.join(SECTIONS)}")
    unusable = {} if arguments.methods else unusable_methods(FORECASTERS)
    for reason in unusable.values():
        print(reason, file=sys.stderr)
    methods = tuple(arguments.methods.split(",") if arguments.methods
                    else (name for name in FORECASTERS if name not in unusable))
    for name in arguments.sections or SECTIONS:
        started = time.process_time()
        of_counts = {"kept": arguments.kept, "until": arguments.until} if name == "counts" else {}
        SECTIONS[name](methods, arguments.days, **of_counts)
        print(f"{name}: {time.process_time() - started:.0f} s of CPU", file=sys.stderr)


if __name__ == "__main__":
    main()
