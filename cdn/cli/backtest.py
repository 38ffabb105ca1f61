"""``cdn backtest``: forecasts of days that have passed against what then happened."""

from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cdn.backtesting.networks import for_offload, one_cache_per_region
from cdn.backtesting.placing import Setting
from cdn.backtesting.rankings import TOP_K
from cdn.backtesting.results import summary_of, write_backtest
from cdn.backtesting.running import Backtest, BacktestPlan, remembering, run_backtest
from cdn.backtesting.summaries import comparisons, overall, scores
from cdn.backtesting.usable_methods import unusable_methods
from cdn.cli.options import (
    PATH,
    DayParam,
    FiniteRange,
    NamesParam,
    RobustParam,
    catalog_option,
    json_option,
    out_option,
    print_result,
    quiet_option,
    stderr_console,
    sweeping_option,
    sweeping_words,
)
from cdn.errors import UnknownNameError
from cdn.files.catalogs import read_catalog
from cdn.files.topologies import read_topology
from cdn.files.writing import digest_of
from cdn.forecasting.demand_forecast import day_number
from cdn.forecasting.events import read_calendar
from cdn.forecasting.forecasters import FORECASTERS
from cdn.forecasting.history import HISTORY_DAYS, history_of_log
from cdn.logs.quarantine import DEFAULT_BAD_SHARE
from cdn.logs.region_ids import regions_of_logs
from cdn.logs.request_logs import read_request_log
from cdn.logs.store import log_files
from cdn.logs.sweeping import SweepingClients, find_sweeping_clients
from cdn.model.network import Network
from cdn.model.request_log import RequestLog
from cdn.placement import AUTO, PLACERS
from cdn.reports.backtest_charts import backtest_chart
from cdn.reports.pictures import draw, write_picture
from cdn.reports.themes import PAPER
from cdn.units import format_share

CACHE_SHARE, TESTED_DAYS, BASELINE = 0.05, 14, "last_day"
PICTURE = "backtest"


class HorizonsParam(click.ParamType):
    """Days ahead, joined by commas, such as ``1,7``."""

    name = "days"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        parts = [part.strip() for part in value.split(",")]
        if not all(part.isascii() and part.isdigit() and 0 < int(part) <= 366 for part in parts):
            self.fail(f"{value!r} is not a list of days from 1 to 366 such as 1,7", param, ctx)
        return tuple(sorted({int(part) for part in parts}))


@click.command()
@click.option("--log", "log_paths", type=PATH, required=True, multiple=True,
              help="Log store or request log with the days to forecast from and those to test; repeatable.")
@catalog_option
@click.option("--topology", "topology_path", type=PATH, default=None,
              help="Topology to place in  [default: one cache in every region of the log]")
@click.option("--for-offload", "offload", is_flag=True,
              help="Place in the topology for the bytes kept off the origin, whatever serving from a cache costs.")
@click.option("--cache-share", type=FiniteRange(0, 1, min_open=True), default=CACHE_SHARE, show_default=True,
              help="Storage of such a cache as a share of the catalog's bytes; only without --topology.")
@click.option("--methods", type=NamesParam("forecasting method", FORECASTERS), default=None,
              help="Forecasting methods, joined by commas  [default: all whose libraries are installed]")
@click.option("--days", "n_days", type=click.IntRange(min=1), default=TESTED_DAYS, show_default=True,
              help="How many days are tested: the last whole ones of the log.")
@click.option("--until", type=DayParam(), default=None, help="Test and use only days before this UTC day.")
@click.option("--horizon", "horizons", type=HorizonsParam(), default="1,7", show_default=True,
              help="How many days ahead: 1 is the next day.")
@click.option("--history-days", type=click.IntRange(min=1), default=HISTORY_DAYS, show_default=True,
              help="How many days back each forecast looks.")
@click.option("--placement-method", type=click.Choice([AUTO, *PLACERS]), default="greedy", show_default=True,
              help="How to place with each forecast and with the true day.")
@click.option("--robust", type=RobustParam(), multiple=True,
              help="Place every forecast by this rule too: peaks:Q, quantile:Q or scenarios:N; repeatable. Caches then "
                   "refuse what exceeds their hour's egress.")
@click.option("--baseline", default=None, help=f"Method to compare with  [default: {BASELINE} or the first]")
@click.option("--top-k", type=click.IntRange(min=1), default=TOP_K, show_default=True,
              help="Length of the regions' top lists that are compared.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True,
              help="Seed of the intervals and of the scenarios.")
@click.option("--calendar", "calendar_path", type=PATH, default=None,
              help="Holidays and promotions known in advance; methods that look at none pass over it.")
@click.option("--exclude-sweeping", is_flag=True, help="Leave out the requests of sweeping clients.")
@sweeping_option
@click.option("--drop-duplicates", is_flag=True, help="Leave out rows that repeat an earlier row in every column.")
@click.option("--bad-share", type=FiniteRange(0, 1), default=DEFAULT_BAD_SHARE, show_default=True,
              help="Refuse the log where a larger share of the rows is bad.")
@out_option
@json_option
@quiet_option
def backtest(log_paths: tuple[Path, ...], catalog_path: Path, topology_path: Path | None, offload: bool,
             cache_share: float, methods: tuple[str, ...] | None, n_days: int, until: pd.Timestamp | None,
             horizons: tuple[int, ...], history_days: int, placement_method: str, robust: tuple[str, ...],
             baseline: str | None, top_k: int, seed: int, calendar_path: Path | None, exclude_sweeping: bool,
             sweeping_assets: int, drop_duplicates: bool, bad_share: float, out_path: Path, as_json: bool,
             quiet: bool) -> None:
    """Forecast the last days of a log from the days before them: errors, ranks, and the offload each forecast keeps."""
    progress = stderr_console(quiet)
    methods = methods or _usable_methods(progress)
    plan = BacktestPlan(methods, n_days, horizons, history_days, top_k, tuple(dict.fromkeys(robust)))
    baseline = _baseline(baseline, plan.labels)
    with progress.status("reading") as status:
        catalog = read_catalog(catalog_path)
        files = _files(log_paths, until)
        network = (Network(read_topology(topology_path)) if topology_path
                   else one_cache_per_region(regions_of_logs(files), catalog, cache_share))
        if offload:
            network = for_offload(network)
        sweeping = find_sweeping_clients(files, sweeping_assets)
        log, quarantine = read_request_log(
            files, network.topology.region_index, catalog.asset_index, bad_share=bad_share,
            drop_duplicates=drop_duplicates, without=sweeping if exclude_sweeping else None)
        if until is not None:
            log = log.select(log.day < day_number(until))
        calendar = (read_calendar(calendar_path, network.topology.region_index, catalog.asset_index)
                    if calendar_path else None)
        setting = Setting(network, catalog, placement_method, egress_limits=bool(robust), seed=seed)
        result = run_backtest(_history(log), setting, plan, log, status.update, remembering(setting, calendar))
        status.update("drawing intervals")
        figures, compared = scores(result.sums, seed), comparisons(result.sums, baseline, seed)
        inputs = [*files, catalog_path, *(path for path in (topology_path, calendar_path) if path)]
        parameters = {
            "inputs": {str(path): digest_of(path) for path in inputs}, "methods": list(methods), "baseline": baseline,
            "placement_method": placement_method, "for_offload": offload, "robust": list(plan.robust),
            "cache_share": None if topology_path else cache_share, "seed": seed,
            "top_k": top_k, "sweeping": sweeping.summary() | {"left_out": exclude_sweeping},
            "log": quarantine.summary()}
        write_backtest(out_path, result, figures, compared, parameters)
        write_picture(draw(backtest_chart(overall(figures)), PAPER), out_path, PICTURE)
    payload = {"out": str(out_path), "parameters": parameters, **summary_of(result, figures, compared)}
    print_result(as_json, payload, lambda console: _show(console, result, overall(figures), overall(compared),
                                                         sweeping, exclude_sweeping))


def _usable_methods(progress: Console) -> tuple[str, ...]:
    """All methods but those whose library is missing, which are said."""
    unusable = unusable_methods(FORECASTERS)
    for method, reason in unusable.items():
        progress.print(Text(f"without {method}: {reason}"))
    return tuple(method for method in FORECASTERS if method not in unusable)


def _baseline(name: str | None, methods: tuple[str, ...]) -> str:
    if name is None:
        return BASELINE if BASELINE in methods else methods[0]
    if name not in methods:
        raise UnknownNameError("baseline", name, methods)
    return name


def _files(paths: tuple[Path, ...], until: pd.Timestamp | None) -> list[Path]:
    return [file for path in paths for file in log_files(path, None, None if until is None else day_number(until))]


def _history(log: RequestLog):
    """All days of the log."""
    if not len(log):
        return history_of_log(log, 0)
    first, last = int(log.day[0]), int(log.day[-1])
    return history_of_log(log, last + 1, last + 1 - first)


def _show(console: Console, result: Backtest, figures: pd.DataFrame, compared: pd.DataFrame, sweeping: SweepingClients,
          left_out: bool) -> None:
    for horizon, rows in figures.groupby("horizon"):
        console.print(_table(int(horizon), rows, compared))
    for words, days in (("missing", result.missing), ("cut short and not tested", result.thin)):
        if len(days):
            console.print(f"{len(days)} day(s) {words}")
    console.print(Text(sweeping_words(sweeping, left_out)))


def _table(horizon: int, rows: pd.DataFrame, compared: pd.DataFrame) -> Table:
    first = rows.iloc[0]
    known = f"clairvoyant offload {format_share(first['clairvoyant_offload'])}"
    lru = "" if np.isnan(first["lru_offload"]) else f", LRU {format_share(first['lru_offload'])}"
    baseline = compared["baseline"].iloc[0] if len(compared) else None
    caption = "regret in points of offload" + (
        " (too few days for intervals)" if np.isnan(first["regret_low"]) else " with 95 % interval") + (
        f"; saved: against {baseline}, * beyond doubt for all methods at once" if baseline else "") + (
        "; cost regret in % of what the origin alone would cost")
    table = Table(title=f"{horizon} day(s) ahead, {int(first['days'])} day(s) tested: {known}{lru}", caption=caption,
                  box=SIMPLE)
    has_quantiles = rows["coverage"].notna().any()
    headings = ["method", "WAPE", "bias", "top\nlists", "offload", "regret", "saved", "cost\nregret"]
    for heading in [*headings, *(["coverage"] if has_quantiles else [])]:
        table.add_column(heading, justify="left" if heading == "method" else "right", no_wrap=True)
    for row in rows.to_dict("records"):
        mine = compared[(compared["method"] == row["method"]) & (compared["horizon"] == horizon)]
        table.add_row(Text(row["method"].replace(" ", "\n")), _figure(row["wape"], ".3f"), _figure(row["bias"], "+.3f"),
                      _figure(row["top_overlap"], ".3f"), _figure(row["offload"], ".3f"), _regret(row), _saved(mine),
                      _figure(100 * row["cost_regret"], ".1f"),
                      *([_figure(row["coverage"], ".3f")] if has_quantiles else []))
    return table


def _figure(value: float, form: str) -> str:
    return "-" if np.isnan(value) else f"{value:{form}}"


def _regret(row: dict[str, float]) -> str:
    if np.isnan(row["regret"]):
        return "-"
    regret, low, high = (100 * row[f"regret{end}"] for end in ("", "_low", "_high"))
    return f"{regret:.1f}" if np.isnan(low) else f"{regret:.1f}\n{low:.1f} to {high:.1f}"


def _saved(mine: pd.DataFrame) -> str:
    if not len(mine) or np.isnan(mine["regret_saved"].iloc[0]):
        return "-"
    row = mine.iloc[0]
    certain = row["regret_saved_all_low"] > 0 or row["regret_saved_all_high"] < 0
    return f"{100 * row['regret_saved']:+.1f}{'*' if certain else ' '}"
