"""The data of the forecasting benchmark: two real logs and a generated one, each as a history, a setting and a log."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from cran import network_of, read_cran

from cdn.backtesting.networks import for_offload, one_cache_for_all, one_cache_per_region
from cdn.backtesting.placing import Setting
from cdn.files.topologies import read_topology
from cdn.forecasting.history import History, history_of_log
from cdn.generator.parameters import EncodeParameters, read_parameters
from cdn.generator.regions import regions_of
from cdn.generator.samples import Sample, concatenated, draw_sample
from cdn.model.catalog import Catalog
from cdn.model.index import Index
from cdn.model.network import Network
from cdn.model.request_log import RequestLog

ROOT = Path(__file__).resolve().parents[1]
COUNTS = ROOT.parent / "shared" / "data" / "cran_daily_counts_2021-03_2022-03.parquet"
CACHE_SHARE, SMALL_SHARE = 0.05, 0.005
FOR_OFFLOAD = ", placed for offload"
"""Networks whose costs differ once more, where only bytes from the origin cost: offload is what is placed for."""
PACKAGE_BYTES = 1_000_000
"""The daily counts have no sizes: every package counts as one unit of this size."""
GENERATED_DAYS, GENERATED_SEED = 42, 2


@dataclass(frozen=True, eq=False)
class DataSet:
    """One data set: settings to place in by name, the whole history, and the requests where their order is known."""

    history: History
    settings: dict[str, Setting]
    log: RequestLog | None = None
    sample: Sample | None = None


def daily_counts() -> DataSet:
    """CRAN's downloads per package and day, 2 March 2021 to 1 March 2022: one region with one cache."""
    frame = pd.read_parquet(COUNTS)
    day = frame["date"].to_numpy().astype("datetime64[D]").astype(np.int64)
    asset, requests = frame["package"].cat.codes.to_numpy(), frame["n_total"].to_numpy(dtype=np.int64)
    order = np.lexsort((asset, day))
    first, n_days = int(day.min()), int(np.ptp(day)) + 1
    catalog = Catalog.of_sizes([str(name) for name in frame["package"].cat.categories],
                               np.full(len(frame["package"].cat.categories), PACKAGE_BYTES))
    region_index = Index(["world"])
    day = day[order] - first
    bytes_ = requests[order] * PACKAGE_BYTES
    # The counts know no hours: every day is flat.
    per_hour = np.bincount(day, bytes_, n_days) / 24
    history = History(region_index, catalog.asset_index, first, np.bincount(day, minlength=n_days) > 0, day,
                      np.zeros(len(day)), asset[order], requests[order], bytes_,
                      np.repeat(per_hour[:, None, None], 24, axis=1))
    return DataSet(history, {f"one cache of {100 * share:g} %":
                             Setting(one_cache_per_region(region_index, catalog, share), catalog)
                             for share in (CACHE_SHARE, SMALL_SHARE)})


def mirror_log(with_sweeps: bool) -> DataSet:
    """The CRAN mirror's requests of 26, 27 and 28 December 2012 by country, with or without the sweeping clients."""
    cran = read_cran()
    log = cran.days("2012-12-26", "2012-12-28", with_sweeps)
    first = int(log.day[0])
    history = history_of_log(log, first + 3, 3)
    network = network_of(cran, CACHE_SHARE)
    settings = {"12 edges and 2 mids of 5 %": Setting(network, cran.catalog),
                f"12 edges and 2 mids of 5 %{FOR_OFFLOAD}": Setting(for_offload(network), cran.catalog),
                "a cache of 5 % per country": Setting(
                    one_cache_per_region(cran.region_index, cran.catalog, CACHE_SHARE), cran.catalog)}
    return DataSet(history, settings, log)


LADDER = tuple(EncodeParameters(name=f"{rung}-{language}", bitrate_mbps=rate, request_share=share * spoken,
                                language=language)
               for rung, rate, share in (("480p", 1.5, 0.2), ("1080p", 5.0, 0.6), ("2160p", 16.0, 0.2))
               for language, spoken in (("en", 0.6), ("de", 0.4)))
REGION_MIX, TITLE_MIX = 5.0, 20.0
"""Regions differ much in language, less in rung; both by one concentration here."""


def ladders() -> DataSet:
    """The same with titles of six files, three rungs in two languages, asked for in shares of each region and title."""
    return generated({"encodes": list(LADDER), "region_mix": REGION_MIX, "title_mix": TITLE_MIX})


def networks_of_one_size(region_index: Index, catalog: Catalog) -> dict[str, Network]:
    """A cache of CACHE_SHARE in every region, and one such cache for all."""
    size = f"{100 * CACHE_SHARE:g} %"
    return {f"a cache of {size} per region": one_cache_per_region(region_index, catalog, CACHE_SHARE),
            f"one cache of {size}": one_cache_for_all(region_index, catalog, CACHE_SHARE)}


def generated(changes: dict[str, Any] | None = None, seed: int = GENERATED_SEED) -> DataSet:
    """The generator's sample with its default settings, six weeks long: launches, tastes and attention as
    calibrated; or with some parameters changed, or of another seed: other titles, other hits."""
    topology = read_topology(ROOT / "topologies" / "example.toml")
    parameters = read_parameters(ROOT / "demand" / "example.toml").model_copy(
        update={"days": GENERATED_DAYS, "held_out_days": 0} | (changes or {}))
    sample = draw_sample(parameters, np.random.default_rng(seed), regions_of(topology))
    log = concatenated([of_day for _, of_day in sample.draw_days()])
    history = history_of_log(log, int(log.day[-1]) + 1, GENERATED_DAYS)
    network = Network(topology)
    networks = {"example network": network, f"example network{FOR_OFFLOAD}": for_offload(network)}
    networks |= networks_of_one_size(topology.region_index, sample.catalog)
    settings = {where: Setting(network, sample.catalog) for where, network in networks.items()}
    return DataSet(history, settings, log, sample)
