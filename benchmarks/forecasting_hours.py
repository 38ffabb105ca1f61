"""Hours around a clock change: bytes foreseen in another hour than they come in, by UTC and by local time."""

import numpy as np
import pandas as pd
from forecasting_data import generated
from forecasting_tables import print_table

from cdn.backtesting.running import date_of
from cdn.forecasting.hour_profiles import hour_shares
from cdn.forecasting.knowledge import knowledge_of

CHANGE, HISTORY = pd.Timestamp("2026-03-29"), 28
SPANS = (("week before", -7, 0), ("day of the change", 0, 1), ("first week after", 1, 8), ("second week after", 8, 14))


def hours_section(methods: tuple[str, ...], n_days: int | None) -> None:
    """Against the generator's own hours: the network's bytes in the wrong hour, and too low a rate in the busiest hour
    of all regions together, which is what an egress limit sees."""
    data = generated()
    setting = data.settings["example network"]
    zones = knowledge_of(setting.catalog, setting.network.topology).time_zones
    weight = data.sample.regions.weight
    rows = []
    for name, start, end in SPANS:
        cells = [name]
        for known in (None, zones):
            elsewhere, missed = [], []
            for ahead in range(start, end):
                day = (CHANGE - pd.Timestamp(0)).days + ahead
                true = data.sample.hour_factors((date_of(day).date() - data.sample.parameters.start_day).days)
                true = true / true.sum(axis=0)
                shares = hour_shares(data.history.window(day, HISTORY), day, known)
                elsewhere.append(float(weight @ np.abs(shares - true).sum(axis=0)) / 2)
                hourly, foreseen = true @ weight, shares @ weight
                missed.append(float(np.maximum(hourly - foreseen, 0).max() / hourly.max()))
            cells += [f"{100 * np.mean(elsewhere):.2f} %", f"{100 * np.mean(missed):.2f} %"]
        rows.append(cells)
    print(f"\n### Hours of the day around the clock change of {CHANGE:%d %B %Y}\n")
    print_table(["", "UTC: bytes in another hour", "UTC: most that an hour misses, of the peak",
                 "local: bytes in another hour", "local: most that an hour misses, of the peak"], rows)
