"""A small run folder, made by hand: two edges, a mid and an origin; three regions; a replay of five strategies."""

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np

from cdn.files.topologies import write_topology
from cdn.model.topology import Appliance, Link, Region, Site, Topology
from cdn.simulation.metrics import Metrics
from cdn.simulation.results import write_results

HOSTILE = (
    "[red]x[/]",
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "+1",
    "-1",
    "@user",
    "\t=1",
    "\x1b[2J\x1b]0;t\x07",
    "a|b",
    "a\nb",
    "\u202egnp",
    "`b`",
    "**b**",
    "%s {0} {{ 7 * 7 }}",
    "&lt;",
    "www.a.example",
    "'",
    '"',
    "\\|",
    "\x9b2J",
)
GB = 10**9


def topology(sites=("east", "west", "mid"), regions=("r1", "r2", "r3")) -> Topology:
    east, west, mid = sites
    return Topology(
        sites=(
            Site(east, "edge", 52.5, 13.4),
            Site(west, "edge", 48.9, 2.4),
            Site(mid, "mid", 50.1, 8.7),
            Site("origin", "origin", 53.3, -6.3),
        ),
        appliances=(
            Appliance(f"{east}-1", east, 100 * GB, 1e8),
            Appliance(f"{west}-1", west, 100 * GB, 1e8),
            Appliance(f"{mid}-1", mid, 200 * GB),
        ),
        regions=(
            Region(regions[0], east, latitude=53.0, longitude=11.0),
            Region(regions[1], west, latitude=46.8, longitude=2.4),
            Region(regions[2], "router", latitude=45.5, longitude=9.2),
        ),
        links=(
            Link(east, mid, 1e9, 1e-9),
            Link(west, mid, 1e9, 1e-9),
            Link("router", mid, 1e9, 2e-9),
            Link(mid, "origin", 1e9, 4e-9),
        ),
    )


# Region r1 asked for 300 GB, r2 for 100 GB, r3 for nothing.
OFFLOADS = {
    "clairvoyant": (0.80, 0.90),
    "fifo": (0.60, 0.60),
    "lru": (0.70, 0.50),
    "pinned": (0.75, 0.60),
    "popularity": (0.50, 0.50),
}
REGION_BYTES = (300 * GB, 100 * GB)


def summary_document() -> dict[str, Any]:
    """As ``cdn nightly`` writes it. Offload of the plan: (0.75 * 300 + 0.60 * 100) / 400 = 0.7125, of LRU 0.65, of the
    clairvoyant 0.825: 6.25 points above LRU, a regret of 11.25 points."""
    return {
        "day": "2024-03-12",
        "logs": {
            "history": {"rows_read": 9_000, "quarantined": {"time": 3}, "duplicates": 0},
            "replay": {"rows_read": 1_000, "quarantined": {}, "duplicates": 2},
        },
        "forecast": {
            "entries": 40,
            "requests": 980.5,
            "bytes": 390e9,
            "true_requests": 1_000,
            "true_bytes": 400 * GB,
            "wape": 0.62,
            "wape_regions": 0.08,
        },
        "placement": {
            "method": "lp",
            "status": "feasible",
            "reason": "rounded",
            "cost": 3.21,
            "delivery_cost": 3.0,
            "fill_cost": 0.21,
            "lower_bound": 3.2,
            "solver_bound": None,
            "gap": 0.0031152647975077885,
            "expected_offload": 0.74,
            "stored_pairs": 31,
            "violations": [],
        },
        "sites": [
            _site("east", "edge", 100, 91, 20, 15, 0, 2e-11, 5e7, 1e8),
            _site("west", "edge", 100, 88.5, 10, 12, 3, 3.5e-11, 1.2e8, 1e8),
            _site("mid", "mid", 200, 150, 35, 0, 0, 0.0, 9e7, None),
        ],
        "appliances": [
            _appliance("east", 20, "03:40", {"mid": 5 * GB, "origin": 15 * GB}),
            _appliance("west", 10, "05:00", {"mid": 10 * GB}),
            _appliance("mid", 35, "04:10", {"origin": 35 * GB}),
        ],
        "deferred": {
            "pairs": 2,
            "bytes": 3 * GB,
            "saving": 0.5,
            "by_reason": {"fill window used up": 1, "no storage on any appliance": 1},
            "most_valuable": [
                {"site_id": "west", "asset_id": "film-7", "bytes": GB, "saving": 0.4, "reason": "fill window used up"},
                {
                    "site_id": "west",
                    "asset_id": "film-9",
                    "bytes": 2 * GB,
                    "saving": 0.1,
                    "reason": "no storage on any appliance",
                },
            ],
        },
        "replay": {
            "plan": "pinned",
            "requests": 1_000,
            "bytes": 400 * GB,
            "strategies": {name: _strategy(name) for name in OFFLOADS},
            "offload_regret": _offload("clairvoyant") - _offload("pinned"),
            "cost_regret": 0.2,
            "clairvoyant": {"cost": 2.4, "lower_bound": 2.39, "gap": 0.004},
            "regions": [
                {"region_id": region, "requests": requests, "bytes": float(asked)}
                | {f"offload_{name}": None if not asked else OFFLOADS[name][r] for name in OFFLOADS}
                for r, (region, requests, asked) in enumerate(
                    [("r1", 700, REGION_BYTES[0]), ("r2", 300, REGION_BYTES[1]), ("r3", 0, 0)]
                )
            ],
        },
    }


def _offload(name: str) -> float:
    return sum(share * asked for share, asked in zip(OFFLOADS[name], REGION_BYTES, strict=True)) / sum(REGION_BYTES)


def _strategy(name: str) -> dict[str, Any]:
    offload = _offload(name)
    return {
        "offload": offload,
        "request_hit_ratio": offload - 0.01,
        "delivery_cost": 5.0 - 3 * offload,
        "origin_bytes": round((1 - offload) * 400 * GB),
        "midgress_bytes": 20 * GB,
    }


def _site(
    site_id, kind, storage_gb, stored_gb, added_gb, removed_gb, deferred_gb, price, peak_bps, egress_bps
) -> dict[str, Any]:
    return {
        "site_id": site_id,
        "kind": kind,
        "storage_bytes": storage_gb * 1e9,
        "pinned_storage_bytes": storage_gb * 1e9,
        "stored_bytes": stored_gb * 1e9,
        "added_bytes": added_gb * 1e9,
        "removed_bytes": removed_gb * 1e9,
        "additions": 4.0,
        "removals": 3.0,
        "deferred_bytes": deferred_gb * 1e9,
        "storage_price_per_byte": price,
        "served_bytes": int(storage_gb) * GB // 2,
        "peak_bps": peak_bps,
        "egress_bps": egress_bps,
    }


def _appliance(site_id, added_gb, ends, bytes_from) -> dict[str, Any]:
    return {
        "appliance_id": f"{site_id}-1",
        "site_id": site_id,
        "storage_bytes": 100 * GB,
        "stored_bytes": 90 * GB,
        "window_opens": "2024-03-11T01:00:00Z",
        "window_closes": "2024-03-11T05:00:00Z",
        "starts": "2024-03-11T01:00:00Z",
        "ends": f"2024-03-11T{ends}:00Z",
        "removals": 3,
        "additions": 4,
        "removed_bytes": 12 * GB,
        "added_bytes": added_gb * GB,
        "kept": 0,
        "bytes_from": bytes_from,
    }


def without_replay(document: dict[str, Any]) -> dict[str, Any]:
    """The same night before its day has passed."""
    changed = copy.deepcopy(document) | {"replay": None}
    for site in changed["sites"]:
        site |= {"served_bytes": None, "peak_bps": None}
    for name in ("true_requests", "true_bytes", "wape", "wape_regions"):
        del changed["forecast"][name]
    return changed


def with_hostile_ids(document: dict[str, Any], hostile: str) -> dict[str, Any]:
    """Every id of the document behind one hostile text, so that ids still differ."""
    changed = copy.deepcopy(document)
    for row in (
        *changed["sites"],
        *changed["appliances"],
        *changed["deferred"]["most_valuable"],
        *(changed["replay"] or {"regions": []})["regions"],
    ):
        for name in ("site_id", "appliance_id", "asset_id", "region_id"):
            if name in row:
                row[name] = hostile + row[name]
        if "bytes_from" in row:
            row["bytes_from"] = {hostile + name: copied for name, copied in row["bytes_from"].items()}
    changed["placement"]["violations"] = [f"storage at {hostile}east: 2, allowed 1"]
    return changed


def write_run(
    folder: Path, document: dict[str, Any], timings: dict[str, float] | None = None, hostile: str = ""
) -> Path:
    """A run folder with what the reports read."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "inputs").mkdir(exist_ok=True)
    network = topology(
        tuple(hostile + name for name in ("east", "west", "mid")), tuple(hostile + name for name in ("r1", "r2", "r3"))
    )
    write_topology(network, folder / "inputs" / "topology.toml")
    (folder / "summary.json").write_text(json.dumps(document, sort_keys=True), encoding="utf-8")
    if timings:
        (folder / "timings.json").write_text(json.dumps(timings), encoding="utf-8")
    if document["replay"] is not None:
        write_results(folder, {name: _metrics(one) for name, one in document["replay"]["strategies"].items()}, network)
    return folder


def _metrics(one: dict[str, Any]) -> Metrics:
    """Bytes from the origin spread over the day with a peak at 20 h; the caches served the rest at noon."""
    weight = np.exp(-(((np.arange(24) - 20) / 4.0) ** 2))
    from_origin = np.floor(one["origin_bytes"] * weight / weight.sum()).astype(np.int64)
    from_origin[20] += one["origin_bytes"] - from_origin.sum()
    site_bytes = np.zeros((4, 24), dtype=np.int64)
    site_bytes[3] = from_origin
    site_bytes[:3, 12] = (400 * GB - one["origin_bytes"]) // 3
    return Metrics(
        requests=1_000,
        bytes=400 * GB,
        region_offload=np.array([0.5, 0.5, np.nan]),
        site_bytes=site_bytes,
        link_bytes=np.zeros((8, 24)),
        peak_bps=np.ones(4),
        egress_bps=np.array([1e8, 1e8, np.inf]),
        class_requests=np.full((8, 24), 5),
        class_bytes=np.full((8, 24), GB),
        **one,
    )
