"""Markdown tables of the forecasting benchmark."""

import numpy as np
import pandas as pd

from cdn.backtesting.bootstrap import Interval, Resamples
from cdn.backtesting.groupings import ALL, KNOWN, REGION
from cdn.backtesting.point_errors import ratio
from cdn.backtesting.running import Backtest
from cdn.backtesting.scoring import SUMS
from cdn.backtesting.summaries import COMPARED, comparisons, overall, scores

BASELINES = ("last_day", "seasonal_naive")
SCALES = (1, "+.3f"), (100, "+.2f"), (100, "+.2f")
"""How the figures of COMPARED are shown."""
SAVED = {"regret_saved": "points", "cost_regret_saved": "% of cost"}
LAST_BASELINE = "ensemble"
REGRET_BASELINES = (*BASELINES, LAST_BASELINE)
"""Points saved against the ensemble are below 0, or within noise of it, where it keeps its promise."""
QUANTILE_METRICS = {"coverage": "coverage of 80 %", "quantile_loss": "quantile loss"}
COVERED = {"head": "head", KNOWN: "new, known"}
"""Nobody can be held to an interval of a title nobody could know of."""
PARTS = (("popularity", "head"), ("popularity", "tail"), ("age", "new"), ("age", "old"))


def print_table(columns: list[str], rows: list[list[str]]) -> None:
    """The first column is text, the others are figures."""
    print("| " + " | ".join(columns) + " |\n| --- |" + " ---: |" * (len(columns) - 1))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print(flush=True)


def figure(value: float, form: str = ".3f") -> str:
    return "" if np.isnan(value) else f"{value:{form}}"


def between(row: pd.Series, name: str, scale: float = 1.0, form: str = "+.3f") -> str:
    """A value and its interval; bold where that leaves out 0."""
    value, low, high = (scale * row[name + end] for end in ("", "_low", "_high"))
    if np.isnan(value):
        return ""
    text = f"{value:{form}}" + ("" if np.isnan(low) else f" ({low:{form}}, {high:{form}})")
    return f"**{text}**" if low > 0 or high < 0 else text


def percent_gained(resamples: Resamples, gained: np.ndarray, whole: np.ndarray) -> str:
    """What was gained day by day (D,), in percent of the ``whole`` (D,), and its interval over days."""
    found = resamples.interval(np.column_stack([gained, whole]), lambda sums: ratio(sums[..., 0], sums[..., 1]))
    row = pd.Series({"x": found.value, "x_low": found.low, "x_high": found.high})
    return between(row, "x", 100, "+.2f")


def print_errors(result: Backtest) -> None:
    """Errors and skill per horizon: over all, and WAPE of head, tail, new and old."""
    figures = scores(result.sums)
    against = {name: comparisons(result.sums, name) for name in BASELINES if name in result.plan.methods}
    # Not every method says how far off it may be.
    quantiles = {name: heading for name, heading in QUANTILE_METRICS.items() if figures[name].notna().any()}
    for horizon in result.plan.horizons:
        rows = []
        whole = overall(figures)
        whole = whole[whole["horizon"] == horizon]
        for row in whole.to_dict("records"):
            mine = figures[(figures["method"] == row["method"]) & (figures["horizon"] == horizon)]
            parts = {(one["grouping"], one["group"]): one["wape"] for one in mine.to_dict("records")}
            covered = {one["group"]: one["coverage"] for one in mine.to_dict("records")}
            rows.append([row["method"], figure(row["wape"]), figure(row["bias"], "+.3f"), figure(row["top_overlap"]),
                         figure(row["weighted_kendall"]), *(figure(parts[part]) for part in PARTS),
                         *(figure(row[name]) for name in quantiles),
                         *(figure(covered.get(name, np.nan)) for name in COVERED if quantiles)])
        print(f"{_ahead(horizon)}: errors of requests\n")
        print_table(["method", "WAPE", "bias", "top 100", "Kendall", *(f"WAPE {name}" for _, name in PARTS),
                     *quantiles.values(), *(f"coverage {name}" for name in COVERED.values() if quantiles)], rows)
        rows = []
        for method in whole["method"]:
            cells = [method]
            for table in against.values():
                for group in (ALL, "new"):
                    one = table[(table["method"] == method) & (table["horizon"] == horizon) & (table["group"] == group)]
                    cells.append(between(one.iloc[0], "wape_skill") if len(one) else "")
            rows.append(cells)
        print(f"{_ahead(horizon)}: skill, 1 - WAPE / WAPE of the baseline (95 % interval)\n")
        print_table(["method", *(f"against {name}{of}" for name in against for of in ("", ", new titles"))], rows)


def print_regret(result: Backtest, where: str) -> None:
    """Offload and regret per horizon, and what is saved against the baselines; in delivery cost too, where that is not
    the bytes from the origin."""
    figures = overall(scores(result.sums))
    costs_differ = not np.allclose(figures["cost_regret"], figures["regret"], atol=1e-9)
    against = {name: overall(comparisons(result.sums, name))
               for name in REGRET_BASELINES if name in result.plan.methods}
    seconds = result.seconds.groupby(["method", "horizon"])["forecast_s"].mean()
    for horizon in result.plan.horizons:
        mine = figures[figures["horizon"] == horizon]
        first = mine.iloc[0]
        lru = "" if np.isnan(first["lru_offload"]) else f", LRU {100 * first['lru_offload']:.1f} %"
        print(f"{_ahead(horizon)}, {where}: clairvoyant offload {100 * first['clairvoyant_offload']:.1f} %{lru}\n")
        rows = []
        for row in mine.to_dict("records"):
            cells = [row["method"], f"{100 * row['offload']:.1f} %",
                     between(pd.Series(row), "regret", 100, ".2f").strip("*")]
            cells += [_saved(table, row["method"], horizon, "regret_saved") for table in against.values()]
            if costs_differ:
                table = against.get(LAST_BASELINE, figures.iloc[:0])
                cells += [f"{100 * row['cost_regret']:.2f}",
                          _saved(table, row["method"], horizon, "cost_regret_saved")]
            rows.append([*cells, f"{100 * row['decision_loss']:.2f}",
                         f"{1000 * seconds[row['method'], horizon]:.0f}"])
        print_table(["method", "offload", "regret, points", *(f"saved against {name}" for name in against),
                     *(["cost regret, %", f"cost saved against {LAST_BASELINE}"] if costs_differ else []),
                     "by prices", "ms / forecast"], rows)
        if LAST_BASELINE in against and len(mine) > 1:
            _print_best(against[LAST_BASELINE], horizon, costs_differ)


def _print_best(table: pd.DataFrame, horizon: int, costs_differ: bool) -> None:
    """The method with most saved, by an interval that allows for its having been picked after the fact."""
    mine = table[table["horizon"] == horizon].set_index("method")
    found = {name: {method: Interval(row[name], row[f"{name}_all_low"], row[f"{name}_all_high"])
                    for method, row in mine.iterrows()}
             for name in SAVED if costs_differ or name == "regret_saved"}
    print(_best_words(found))


def _best_words(found: dict[str, dict[str, Interval]]) -> str:
    """Of intervals of each statistic by method, the method with most."""
    words = []
    for name, of_method in found.items():
        method = max(of_method, key=lambda method: of_method[method].value)
        best = of_method[method]
        row = pd.Series({"x": best.value, "x_low": best.low, "x_high": best.high})
        words.append(f"{method} {between(row, 'x', 100, '+.2f')} {SAVED[name]}")
    n_methods = len(next(iter(found.values())))
    return f"Most saved against {LAST_BASELINE}, intervals for all {n_methods} at once: {'; '.join(words)}\n"


def _saved(table: pd.DataFrame, method: str, horizon: int, name: str) -> str:
    one = table[(table["method"] == method) & (table["horizon"] == horizon)]
    return between(one.iloc[0], name, 100, "+.2f") if len(one) else ""


def print_region_intervals(result: Backtest) -> None:
    """Where a single day is tested: intervals over regions, drawn one by one."""
    rows_of = {method: rows[list(SUMS)].to_numpy()
               for method, rows in result.sums[result.sums["grouping"] == REGION].groupby("method", sort=False)}
    rows = []
    for method, mine in rows_of.items():
        cells = [method]
        for name in REGRET_BASELINES:
            if name in rows_of and name != method:
                both = np.concatenate([mine, rows_of[name]], axis=1)
                resamples = Resamples.of_days(len(both), np.random.default_rng(0), block_days=1)
                for statistic, (scale, form) in zip(COMPARED.values(), SCALES, strict=True):
                    interval = resamples.interval(both, statistic)
                    row = pd.Series({"x": interval.value, "x_low": interval.low, "x_high": interval.high})
                    cells.append(between(row, "x", scale, form))
            else:
                cells += [""] * len(COMPARED)
        rows.append(cells)
    print("Against the baselines, intervals over regions\n")
    shown = ("WAPE skill", "points saved", "cost saved, %")
    headings = [f"{what}, {name}" for name in REGRET_BASELINES for what in shown]
    print_table(["method", *headings], rows)
    others = [method for method in rows_of if method != LAST_BASELINE]
    if LAST_BASELINE in rows_of and len(others) > 1:
        both = np.array([np.concatenate([rows_of[method], rows_of[LAST_BASELINE]], axis=1) for method in others])
        resamples = Resamples.of_days(both.shape[1], np.random.default_rng(0), block_days=1)
        print(_best_words({name: dict(zip(others, resamples.intervals_of_all(both, COMPARED[name]), strict=True))
                           for name in SAVED}))


def _ahead(horizon: int) -> str:
    return "Next day" if horizon == 1 else f"{horizon} days ahead"
