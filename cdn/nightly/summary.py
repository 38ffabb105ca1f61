"""The run's summary: what the report prints, as one JSON document of plain numbers by id."""

from typing import Any

import numpy as np
import pandas as pd

from cdn.files.plan_folders import PlanInputs
from cdn.filling.results import REASONS, FillResult, appliance_fills
from cdn.model.demand import Demand
from cdn.model.request_log import RequestLog
from cdn.nightly.replaying import NightReplay, region_requests
from cdn.planning import PlannedPlacement
from cdn.simulation.strategies import CLAIRVOYANT

DEFERRED_LISTED = 100


def summarise_night(
    day: pd.Timestamp,
    inputs: PlanInputs,
    planned: PlannedPlacement,
    fill: FillResult,
    replay: NightReplay | None,
    day_log: RequestLog | None,
    logs: dict[str, Any],
) -> dict[str, Any]:
    """Everything the report needs. Keys: day, logs, forecast, placement, sites, appliances, deferred, replay."""
    return {
        "day": day.strftime("%Y-%m-%d"),
        "logs": logs,
        "forecast": _forecast(inputs.demand, day_log),
        "placement": _placement(planned),
        "sites": _sites(inputs, planned, fill, replay),
        "appliances": _appliances(inputs, fill),
        "deferred": _deferred(inputs, fill),
        "replay": None if replay is None or day_log is None else _replay(inputs, replay, day_log),
    }


def _forecast(demand: Demand, day_log: RequestLog | None) -> dict[str, Any]:
    """Totals, and where the day is known the error: WAPE of requests per (region, asset) and per region."""
    forecast: dict[str, Any] = {
        "entries": len(demand),
        "requests": float(demand.requests.sum()),
        "bytes": demand.total_bytes,
    }
    if day_log is None or not len(day_log):
        return forecast
    n_regions = len(demand.region_index)
    asked = pd.Series(demand.requests, index=demand.asset.astype(np.int64) * n_regions + demand.region)
    true = pd.Series(1, index=day_log.asset.astype(np.int64) * n_regions + day_log.region).groupby(level=0).sum()
    both = pd.concat([asked, true], axis=1).fillna(0.0).to_numpy()
    regions = np.bincount(demand.region, weights=demand.requests, minlength=n_regions)
    true_regions, _ = region_requests(day_log)
    return forecast | {
        "true_requests": len(day_log),
        "true_bytes": day_log.total_bytes,
        "wape": float(np.abs(both[:, 0] - both[:, 1]).sum() / len(day_log)),
        "wape_regions": float(np.abs(regions - true_regions).sum() / len(day_log)),
    }


def _placement(planned: PlannedPlacement) -> dict[str, Any]:
    certificate, evaluation = planned.certificate, planned.evaluation
    figures = {name: value for name, value in certificate.figures.items() if name != "seconds"}
    return figures | {
        "expected_offload": evaluation.offload,
        "stored_pairs": len(planned.placement.stored),
        "violations": [str(violation) for violation in evaluation.violations],
    }


def _sites(
    inputs: PlanInputs, planned: PlannedPlacement, fill: FillResult, replay: NightReplay | None
) -> list[dict[str, Any]]:
    topology = inputs.planned_topology
    site_of, size = topology.appliance_sites, inputs.catalog.size_bytes
    by_appliance = appliance_fills(fill, size)

    def total(name: str) -> np.ndarray:
        return np.bincount(site_of, weights=[getattr(one, name) for one in by_appliance], minlength=topology.n_caches)

    columns = {name: total(name) for name in ("stored_bytes", "added_bytes", "removed_bytes", "additions", "removals")}
    deferred = np.bincount(fill.deferred.site, weights=size[fill.deferred.asset], minlength=topology.n_caches)
    storage, whole = topology.storage_bytes, inputs.network.topology.storage_bytes
    metrics = None if replay is None else replay.metrics[replay.plan]
    price = planned.certificate.prices.storage if planned.certificate.prices is not None else None
    return [
        {
            "site_id": site.id,
            "kind": site.kind,
            "storage_bytes": float(whole[s]),
            "pinned_storage_bytes": float(storage[s]),
            "deferred_bytes": float(deferred[s]),
            "storage_price_per_byte": None if price is None else float(price[s]),
            "served_bytes": None if metrics is None else int(metrics.site_bytes[s].sum()),
            "peak_bps": None if metrics is None else float(metrics.peak_bps[s]),
            "egress_bps": _finite(planned.problem.egress_bps[s]),
        }
        | {name: float(values[s]) for name, values in columns.items()}
        for s, site in enumerate(topology.sites[:-1])
    ]


def _appliances(inputs: PlanInputs, fill: FillResult) -> list[dict[str, Any]]:
    topology = inputs.planned_topology
    return [
        {
            "appliance_id": topology.appliances[one.appliance].id,
            "site_id": topology.appliances[one.appliance].site_id,
            "storage_bytes": topology.appliances[one.appliance].storage_bytes,
            "stored_bytes": one.stored_bytes,
            "window_opens": _time(one.opening_us),
            "window_closes": _time(one.closing_us),
            "starts": _time(one.start_us),
            "ends": _time(one.end_us),
            "removals": one.removals,
            "additions": one.additions,
            "removed_bytes": one.removed_bytes,
            "added_bytes": one.added_bytes,
            "kept": one.kept,
            "bytes_from": {topology.sites[source].id: copied for source, copied in one.bytes_from.items()},
        }
        for one in appliance_fills(fill, inputs.catalog.size_bytes)
    ]


def _deferred(inputs: PlanInputs, fill: FillResult) -> dict[str, Any]:
    topology, catalog, deferred = inputs.network.topology, inputs.catalog, fill.deferred
    rows = [
        {
            "site_id": topology.sites[deferred.site[k]].id,
            "asset_id": catalog.asset_index.id_of(deferred.asset[k]),
            "bytes": int(catalog.size_bytes[deferred.asset[k]]),
            "saving": float(deferred.saving[k]),
            "reason": REASONS[deferred.reason[k]],
        }
        for k in range(min(len(deferred), DEFERRED_LISTED))
    ]
    return {
        "pairs": len(deferred),
        "bytes": int(catalog.size_bytes[deferred.asset].sum()),
        "saving": float(deferred.saving.sum()),
        "by_reason": deferred.counts(),
        "most_valuable": rows,
    }


def _replay(inputs: PlanInputs, replay: NightReplay, day_log: RequestLog) -> dict[str, Any]:
    names = ("offload", "request_hit_ratio", "delivery_cost", "origin_bytes", "midgress_bytes")
    requests, asked = region_requests(day_log)
    regions = [
        {"region_id": region.id, "requests": int(requests[r]), "bytes": float(asked[r])}
        | {f"offload_{name}": _finite(metrics.region_offload[r]) for name, metrics in replay.metrics.items()}
        for r, region in enumerate(inputs.network.topology.regions)
    ]
    clairvoyant = None if replay.clairvoyant is None else replay.clairvoyant.certificate
    return {
        "plan": replay.plan,
        "requests": len(day_log),
        "bytes": day_log.total_bytes,
        "strategies": {name: {key: getattr(metrics, key) for key in names} for name, metrics in replay.metrics.items()},
        "offload_regret": replay.offload_regret,
        "cost_regret": replay.cost_regret,
        CLAIRVOYANT: None
        if clairvoyant is None
        else {"cost": clairvoyant.cost, "lower_bound": clairvoyant.lower_bound, "gap": clairvoyant.gap},
        "regions": regions,
    }


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _time(moment_us: int | None) -> str | None:
    return None if moment_us is None else pd.Timestamp(moment_us, unit="us").strftime("%Y-%m-%dT%H:%M:%SZ")
