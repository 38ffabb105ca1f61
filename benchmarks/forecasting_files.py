"""Whole titles against files: what is kept off the origin where a title is a ladder of files in two languages."""

import numpy as np
import pandas as pd
from forecasting_data import DataSet, ladders
from forecasting_tables import figure, percent_gained, print_table

from cdn.backtesting.alignment import align
from cdn.backtesting.bootstrap import Resamples
from cdn.backtesting.placing import Setting, served_by_caches
from cdn.backtesting.running import date_of
from cdn.backtesting.windows import days_to_test, true_demand
from cdn.forecasting.demand_forecast import forecast
from cdn.forecasting.title_files import TitleFiles
from cdn.model.catalog import Catalog
from cdn.model.demand import Demand
from cdn.model.site_assets import SiteAssets

TESTED, HISTORY = 14, 28
METHODS = ("shrinkage", "launch_curves")
BASELINE = "files, own history"


def whole_titles(files: TitleFiles, setting: Setting) -> Setting:
    """The same network where only whole titles can be stored."""
    size = np.bincount(files.title, setting.catalog.size_bytes, len(files.title_index))
    return Setting(setting.network, Catalog.of_sizes(files.title_index.ids, size.astype(np.int64)), setting.method)


def of_titles(demand: Demand, files: TitleFiles) -> Demand:
    """Demand of titles: that of all their files."""
    return Demand.from_entries(demand.region_index, files.title_index, demand.region, files.title[demand.asset],
                               demand.requests, demand.bytes, demand.peak_bps, demand.hour_factor)


def _whole(coarse: Setting, demand: Demand, files: TitleFiles, day: pd.Timestamp) -> SiteAssets:
    """The files of the titles that are placed as one."""
    stored = coarse.place(of_titles(demand, files), day)
    pair = np.repeat(np.arange(len(stored)), files.n_files[stored.asset])
    first = np.cumsum(files.n_files[stored.asset]) - files.n_files[stored.asset]
    file = files.file[files.indptr[stored.asset][pair] + np.arange(len(pair)) - first[pair]]
    return SiteAssets.from_pairs(stored.site[pair], file, len(files.title))


def files_section(methods: tuple[str, ...], n_days: int | None) -> None:
    """Offload and errors per way of foreseeing and placing, against each file by its own history, paired by day."""
    data = ladders()
    files = TitleFiles.of_catalog(next(iter(data.settings.values())).catalog)
    days = days_to_test(data.history, n_days or TESTED, (1,))
    print(f"\n### Files and titles: {len(days)} days, {len(files.title_index):,} titles of "
          f"{int(files.n_files.max())} files\n")
    for method in [name for name in METHODS if name in methods] or methods:
        for where, setting in data.settings.items():
            _print_ways(f"{method}, {where}", data, setting, files, days, method)


def _print_ways(title: str, data: DataSet, setting: Setting, files: TitleFiles, days: np.ndarray, method: str) -> None:
    coarse = whole_titles(files, setting)
    sums: dict[str, list[tuple[float, ...]]] = {}
    for day in days.tolist():
        true, at = true_demand(data.history, day), date_of(day)
        problem = setting.problem(true, at)
        before = data.history.window(day, HISTORY)
        own, split = (forecast(before, at, method, setting.catalog, level=level, with_quantiles=False)
                      for level in ("file", "title"))
        ways = {
            "whole titles": (None, _whole(coarse, split, files, at)),
            BASELINE: (own, setting.place(own, at)),
            "files, title x shrunken mix": (split, setting.place(split, at)),
            "whole titles, knowing the day": (None, _whole(coarse, true, files, at)),
            "files, knowing the day": (true, setting.place(true, at)),
        }
        for name, (demand, stored) in ways.items():
            served = float(true.bytes @ served_by_caches(problem, stored))
            sums.setdefault(name, []).append((served, true.total_bytes, _error(true, demand), true.requests.sum()))
    print(f"{title}\n")
    print_table(["placed", "WAPE of files", "offload", f"points above {BASELINE}"], _rows(sums, len(days)))


def _error(true: Demand, demand: Demand | None) -> float:
    if demand is None:
        return np.nan
    both = align(true, [demand])
    return float(np.abs(both.true_requests - both.requests[0]).sum())


def _rows(sums: dict[str, list[tuple[float, ...]]], n_days: int) -> list[list[str]]:
    resamples = Resamples.of_days(n_days, np.random.default_rng(0))
    base = np.array(sums[BASELINE])
    rows = []
    for name, of_days in sums.items():
        mine = np.array(of_days)
        total = mine.sum(axis=0)
        gained = "" if name == BASELINE else percent_gained(resamples, mine[:, 0] - base[:, 0], mine[:, 1])
        rows.append([name, figure(total[2] / total[3]), f"{100 * total[0] / total[1]:.2f} %", gained])
    return rows
