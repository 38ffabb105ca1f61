"""One tested day in sums: what every forecast of it got right and wrong, group by group.

Only sums are kept, so that days can be added up, drawn again (``bootstrap``) and divided at the end (``summaries``).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cdn.backtesting.alignment import Alignment, align
from cdn.backtesting.groupings import ALL, REGION, REGION_SIZE, Grouping
from cdn.backtesting.placing import Delivery
from cdn.backtesting.point_errors import absolute_errors
from cdn.backtesting.quantile_errors import quantile_loss, quantiles_of
from cdn.backtesting.rankings import TOP_K, top_hits, weighted_kendalls
from cdn.forecasting.coverage import covered
from cdn.forecasting.demand_forecast import DayForecast
from cdn.model.demand import Demand

OF_REGIONS = (ALL, REGION, REGION_SIZE)
SUMS = ("true_requests", "forecast_requests", "absolute_error", "true_bytes", "served_bytes", "clairvoyant_bytes",
        "lru_bytes", "top_hits", "top_places", "kendall", "kendall_weight", "true_peak_bps", "peak_error_bps",
        "quantile_loss_bytes", "covered", "intervals", "decision_loss_bytes", "cost", "clairvoyant_cost", "origin_cost")


@dataclass(frozen=True, eq=False)
class Served:
    """How the true demand's entries (N,) are delivered, placed with each of the M ``forecasts``, or ``clairvoyant``
    with the day itself; ``origin_cost`` (N,), were all to come from the origin; ``lru`` (N,): bytes that LRU caches
    serve, None where there is no log to replay."""

    forecasts: Sequence[Delivery]
    clairvoyant: Delivery
    origin_cost: np.ndarray
    lru: np.ndarray | None = None


def score_day(groupings: Sequence[Grouping], true: Demand, forecasts: Sequence[DayForecast], served: Served,
              decision_loss: np.ndarray, top_k: int = TOP_K) -> list[pd.DataFrame]:
    """Per forecast one row per group: ``grouping``, ``group`` and SUMS; NaN where a sum means nothing.

    Requests are counted over the pairs that the day or any forecast has. Ranks and peaks belong to whole regions, so
    groups of assets have none. ``decision_loss`` (M,) as a share of the day's bytes.
    """
    both = align(true, [forecast.demand for forecast in forecasts])
    frames = []
    for m, forecast in enumerate(forecasts):
        of_regions = _region_sums(both, m, true, forecast.demand, top_k)
        parts = [_group_rows(grouping, both, m, true, served) for grouping in groupings]
        for grouping, rows in zip(groupings, parts, strict=True):
            rows |= _quantile_rows(grouping, true, forecast)
            if grouping.name in OF_REGIONS:
                rows |= {name: _by_group(grouping, values) for name, values in of_regions.items()}
            if grouping.name == ALL:
                rows["decision_loss_bytes"] = np.array([decision_loss[m] * true.total_bytes])
        frames.append(pd.concat([_frame(grouping, rows) for grouping, rows in zip(groupings, parts, strict=True)],
                                ignore_index=True))
    return frames


def _frame(grouping: Grouping, rows: dict[str, np.ndarray]) -> pd.DataFrame:
    columns = {name: rows.get(name, np.full(len(grouping), np.nan)) for name in SUMS}
    return pd.DataFrame({"grouping": grouping.name, "group": list(grouping.labels), **columns})


def _group_rows(grouping: Grouping, both: Alignment, m: int, true: Demand, served: Served) -> dict[str, np.ndarray]:
    n = len(grouping)
    group = grouping.of_pairs(both.region, both.asset)
    of_entry = grouping.of_pairs(true.region, true.asset)
    rows = {
        "true_requests": np.bincount(group, both.true_requests, n),
        "forecast_requests": np.bincount(group, both.requests[m], n),
        "absolute_error": absolute_errors(both.true_requests, both.requests[m], group, n),
    }
    of_entries = {
        "true_bytes": true.bytes,
        "served_bytes": served.forecasts[m].served_bytes,
        "clairvoyant_bytes": served.clairvoyant.served_bytes,
        "cost": served.forecasts[m].cost,
        "clairvoyant_cost": served.clairvoyant.cost,
        "origin_cost": served.origin_cost,
    } | ({} if served.lru is None else {"lru_bytes": served.lru})
    return rows | {name: np.bincount(of_entry, values, n) for name, values in of_entries.items()}


def _region_sums(both: Alignment, m: int, true: Demand, forecast: Demand, top_k: int) -> dict[str, np.ndarray]:
    """(R,) each: what belongs to whole regions."""
    n_regions = len(true.region_index)
    hits, places = top_hits(both.region, both.true_requests, both.requests[m], n_regions, top_k)
    tau = weighted_kendalls(both.region, both.true_requests, both.requests[m], n_regions)
    weight = np.where(np.isnan(tau), 0.0, np.bincount(both.region, both.true_requests, n_regions))
    peak, forecast_peak = _peak_bps(true), _peak_bps(forecast)
    return {"top_hits": hits, "top_places": places, "kendall": np.nan_to_num(tau) * weight, "kendall_weight": weight,
            "true_peak_bps": peak, "peak_error_bps": np.abs(forecast_peak - peak)}


def _by_group(grouping: Grouping, of_region: np.ndarray) -> np.ndarray:
    region = np.arange(len(of_region))
    return np.bincount(grouping.of_pairs(region, np.zeros_like(region)), of_region, len(grouping))


def _peak_bps(demand: Demand) -> np.ndarray:
    """(R,) bit rate of each region's busiest hour."""
    return np.bincount(demand.region, demand.peak_bps, len(demand.region_index)) * demand.hour_factor.max(axis=0)


def _quantile_rows(grouping: Grouping, true: Demand, forecast: DayForecast) -> dict[str, np.ndarray]:
    """Over the pairs that the forecast has; nothing where it has no quantiles."""
    demand, counts = forecast.demand, forecast.counts
    quantiles = quantiles_of(demand)
    if not quantiles or counts.dispersion is None:
        return {}
    n_regions = len(true.region_index)
    group = grouping.of_pairs(demand.region, demand.asset)
    true_key = true.asset.astype(np.int64) * n_regions + true.region
    true_requests, true_bytes = (_at(counts.keys(n_regions), true_key, values)
                                 for values in (true.requests, true.bytes))
    loss = sum(quantile_loss(true_bytes, quantile, level) for level, quantile in quantiles.items()) / len(quantiles)
    inside = covered(true_requests, counts.requests, counts.dispersion)
    return {"quantile_loss_bytes": np.bincount(group, loss, len(grouping)),
            "covered": np.bincount(group, inside, len(grouping)),
            "intervals": np.bincount(group, minlength=len(grouping)).astype(float)}


def _at(wanted: np.ndarray, key: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Value of each wanted key among ascending keys, 0 where it is not there."""
    if not len(key):
        return np.zeros(len(wanted))
    place = np.minimum(np.searchsorted(key, wanted), len(key) - 1)
    return np.where(key[place] == wanted, value[place], 0.0)
