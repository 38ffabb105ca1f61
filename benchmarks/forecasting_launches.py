"""New titles of the daily counts, those asked for before the forecast and those nobody had heard of, apart.

The counts have no release calendar: of a title that comes out after the forecast is made nothing can be known, and of a
week ahead that is half of the new ones; of their intervals nothing is to be judged. What nobody can know in advance
stands below the methods: the level a title has on the days around, and that times what the day did to new titles, the
median ratio.
"""

import sys

import numpy as np
import pandas as pd
from forecasting_data import daily_counts
from forecasting_tables import figure, print_table

from cdn.backtesting.groupings import NEW_DAYS
from cdn.backtesting.running import date_of, remembering
from cdn.backtesting.windows import days_to_test, first_seen
from cdn.forecasting.coverage import covered
from cdn.forecasting.history import History

TESTED, HISTORY, EVERY, AROUND = 28, 60, 3, 4
"""Every third of the last four weeks: all weekdays, and days on which robots come and stay away."""


def launches_section(methods: tuple[str, ...], n_days: int | None) -> None:
    data = daily_counts()
    history, setting = data.history, next(iter(data.settings.values()))
    released = first_seen(history, len(setting.catalog)) - history.first_day
    forecast_day = remembering(setting)
    days = days_to_test(history, n_days or TESTED, (1, 7))[::-EVERY][::-1]
    rows = []
    for day in days.tolist():
        for horizon in (1, 7):
            print(f"{date_of(day):%Y-%m-%d} from {horizon} day(s) before", file=sys.stderr, flush=True)
            before, d = history.window(day - horizon + 1, HISTORY), day - history.first_day
            new = np.flatnonzero((released >= NEW_DAYS) & (released <= d) & (d - released < NEW_DAYS))
            asked, true = before.asset_days[new].any(axis=1), history.asset_days[new, d]
            for method in methods:
                counts = forecast_day(before, date_of(day), method).counts
                mean, phi = np.zeros(len(released)), np.zeros(len(released))
                mean[counts.asset], phi[counts.asset] = counts.requests, counts.dispersion
                rows.append(pd.DataFrame({"method": method, "horizon": horizon, "asked": asked, "true": true,
                                          "mean": mean[new], "covered": covered(true, mean[new], phi[new])}))
            own = _level_around(history, released, new, d)
            with np.errstate(divide="ignore", invalid="ignore"):
                day_factor = np.nanmedian(true / own)
            for what, mean in (("knowing its level", own), ("knowing its level and the day", own * day_factor)):
                rows.append(pd.DataFrame({"method": what, "horizon": horizon, "asked": asked, "true": true,
                                          "mean": mean, "covered": np.nan}))
    found = pd.concat(rows).assign(error=lambda table: (table["true"] - table["mean"]).abs())
    print(f"\n### New titles of the daily counts: {len(days)} days, {date_of(days[0]):%Y-%m-%d} to "
          f"{date_of(days[-1]):%Y-%m-%d}\n")
    for horizon, of_horizon in found.groupby("horizon"):
        one = of_horizon[of_horizon["method"] == methods[0]]
        requests = one["true"][one["asked"]].sum() / one["true"].sum()
        print(f"{horizon} day(s) ahead: {len(one)} titles' days, {one['asked'].mean():.0%} of them asked for "
              f"before the forecast, with {requests:.0%} of the requests\n")
        print_table(["method", "WAPE", "WAPE, asked for before", "bias, asked for before",
                     "coverage of 80 %, asked for before"],
                    [[str(method), *_cells(table)] for method, table in of_horizon.groupby("method", sort=False)])


def _level_around(history: History, released: np.ndarray, new: np.ndarray, d: int) -> np.ndarray:
    """(N,) mean of the days at most ``AROUND`` from day d on which the title was out, d left out; 0 without any."""
    days = np.array([k for k in range(d - AROUND, min(d + AROUND + 1, len(history.observed))) if k != d])
    out = days >= released[new, None]
    return (history.asset_days[new][:, days] * out).sum(axis=1) / np.maximum(out.sum(axis=1), 1)


def _cells(table: pd.DataFrame) -> list[str]:
    asked = table[table["asked"]]
    total = asked["true"].sum()
    return [figure(table["error"].sum() / table["true"].sum()), figure(asked["error"].sum() / total),
            figure(asked["mean"].sum() / total - 1, "+.3f"), figure(asked["covered"].mean())]
