"""The CRAN mirror log: from 26 and 27 December 2012, shrinkage foresees the 28th in small countries better."""

import numpy as np
import pandas as pd

from cdn.forecasting.demand_forecast import day_number, forecast
from cdn.forecasting.history import history_of_log
from cdn.model.catalog import Catalog
from cdn.model.index import Index
from cdn.model.request_log import RequestLog

DAY = pd.Timestamp("2012-12-28")


def test_shrinkage_beats_the_last_day_outside_the_five_largest_regions(shared_data):
    """Clients that sweep the mirror (over 300 packages a day) are left out, as the data's README advises. WAPE = the
    sum of absolute errors over the sum of true requests, per (region, asset)."""
    frame = pd.read_parquet(shared_data / "cran_mirror_requests_2012-2013_8days.parquet")
    frame = frame.dropna(subset=["package", "version", "country"])
    frame["asset_id"] = frame["package"].astype(str) + "_" + frame["version"].astype(str)
    sizes = frame.groupby("asset_id")["size"].max()
    catalog = Catalog.of_sizes(sizes.index, sizes.to_numpy(dtype=np.int64))
    frame = frame[frame.groupby(["log_day", "ip_id"])["package"].transform("nunique") <= 300]
    regions = Index(frame["country"].value_counts().index)  # largest first
    log = RequestLog(regions, catalog.asset_index, frame["timestamp"].to_numpy("datetime64[us]").astype(np.int64),
                     regions.positions_of(frame["country"]), catalog.asset_index.positions_of(frame["asset_id"]),
                     frame["size"].to_numpy(dtype=np.int64))
    number = day_number(DAY)
    history = history_of_log(log, number)
    assert (number - history.observed_days).tolist() == [2, 1]
    came = log.select(log.day == number)
    true = np.zeros((len(regions), len(catalog)))
    np.add.at(true, (came.region, came.asset), 1.0)
    wape = {}
    for method in ("last_day", "shrinkage"):
        demand = forecast(history, DAY, method, catalog)
        expected = np.zeros(true.shape)
        expected[demand.region, demand.asset] = demand.requests
        wape[method] = np.abs(expected - true)[5:].sum() / true[5:].sum()
    assert wape["shrinkage"] < wape["last_day"]
