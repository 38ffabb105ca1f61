"""The files of a replay: ``replay.json`` with the totals, ``replay_hours.csv`` per site, ``replay_links.csv`` per link,
``replay_classes.csv`` per class of request.

Tables leave out rows of 0 bytes. ``replay.json`` is written last: where it is, the tables beside it are whole.
"""

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from cdn.errors import DataError, Fault
from cdn.files.schema import Column, TableSchema, positions, read_table, write_table
from cdn.files.topologies import parse_record
from cdn.files.writing import write_json
from cdn.model.index import Index
from cdn.model.topology import Topology
from cdn.simulation.classes import REQUEST_CLASSES
from cdn.simulation.metrics import Metrics
from cdn.units import HOURS_PER_DAY

SUMMARY_FILE, HOURS_FILE, LINKS_FILE = "replay.json", "replay_hours.csv", "replay_links.csv"
CLASSES_FILE = "replay_classes.csv"
_COUNTS = ("missed_requests", "missed_bytes", "spilled_requests", "spilled_bytes")
_HOUR = Column("hour", "integer", "UTC hour", "hour of the day, 0 to 23", minimum=0)
_BYTES = Column("bytes", "integer", "bytes", "bytes served in that hour", minimum=0)
_STRATEGY = Column("strategy", "string", "", "what was replayed: pinned, hybrid, or a policy")
REPLAY_HOURS = TableSchema(
    "replay hours",
    (_STRATEGY, Column("site_id", "string", "", "the site that served"), _HOUR, _BYTES),
    key=("strategy", "site_id", "hour"),
)
REPLAY_LINKS = TableSchema(
    "replay links",
    (
        _STRATEGY,
        Column("link", "integer", "", "which of the topology's links, 1 is the first", minimum=1),
        Column("a", "string", "", "from"),
        Column("b", "string", "", "to"),
        _HOUR,
        _BYTES,
    ),
    key=("strategy", "link", "a", "b", "hour"),
)
REPLAY_CLASSES = TableSchema(
    "replay classes",
    (
        _STRATEGY,
        Column("class", "string", "", "what became of the requests: hit, spilled, or a class of miss"),
        _HOUR,
        Column("requests", "integer", "", "requests of that class in that hour", minimum=0),
        _BYTES,
    ),
    key=("strategy", "class", "hour"),
)


class StrategyRecord(BaseModel):
    """The totals of one replay in ``replay.json``; null stands for no limit and for the offload of no bytes."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    requests: int = Field(ge=0)
    bytes: int = Field(ge=0)
    offload: float = Field(ge=0, le=1)
    request_hit_ratio: float = Field(ge=0, le=1)
    delivery_cost: float = Field(ge=0)
    origin_bytes: int = Field(ge=0)
    midgress_bytes: int = Field(ge=0)
    missed_requests: dict[str, int]
    missed_bytes: dict[str, int]
    spilled_requests: int = Field(ge=0)
    spilled_bytes: int = Field(ge=0)
    region_offload: dict[str, float | None]
    peak_bps: dict[str, float]
    egress_bps: dict[str, float | None]


class _Summary(BaseModel):
    model_config = ConfigDict(extra="forbid")

    parameters: dict[str, Any]
    strategies: dict[str, StrategyRecord]


def summary_of(metrics: Metrics, topology: Topology) -> dict[str, Any]:
    """The totals of one replay by id, for JSON."""
    sites, regions = topology.site_index.ids, topology.region_index.ids
    record: dict[str, Any] = {name: getattr(metrics, name) for name in (
        "requests", "bytes", "offload", "request_hit_ratio", "delivery_cost", "origin_bytes", "midgress_bytes",
        *_COUNTS)}
    return record | {
        "region_offload": dict(zip(regions, map(_number, metrics.region_offload), strict=True)),
        "peak_bps": dict(zip(sites, map(_number, metrics.peak_bps), strict=True)),
        "egress_bps": dict(zip(sites[:-1], map(_number, metrics.egress_bps), strict=True)),
    }


def write_results(folder: Path | str, results: Mapping[str, Metrics], topology: Topology,
                  parameters: Mapping[str, Any] | None = None) -> None:
    """Writes the replays of one log, by strategy. ``parameters``: what they were made with, kept as they are."""
    folder = Path(folder)
    write_table(_stacked(results, lambda metrics: _hours_frame(metrics, topology), REPLAY_HOURS), folder / HOURS_FILE)
    write_table(_stacked(results, lambda metrics: _links_frame(metrics, topology), REPLAY_LINKS), folder / LINKS_FILE)
    write_table(_stacked(results, _classes_frame, REPLAY_CLASSES), folder / CLASSES_FILE)
    write_json(folder / SUMMARY_FILE, {
        "parameters": dict(parameters or {}),
        "strategies": {name: summary_of(metrics, topology) for name, metrics in results.items()},
    })


def read_results(folder: Path | str, topology: Topology) -> dict[str, Metrics]:
    """Reads what ``write_results`` wrote. Raises DataError where a file is missing, torn or of another topology."""
    folder = Path(folder)
    path = folder / SUMMARY_FILE
    summary = parse_record(path, _load_json(path), _Summary)
    hours, links = read_table(folder / HOURS_FILE, REPLAY_HOURS), read_table(folder / LINKS_FILE, REPLAY_LINKS)
    classes = read_table(folder / CLASSES_FILE, REPLAY_CLASSES)
    for frame in (hours, links, classes):
        _check_rows(frame, summary)
    class_ = positions(classes, "class", Index(REQUEST_CLASSES), "classes of requests")
    site = positions(hours, "site_id", topology.site_index, "topology's sites")
    link = _directed_links(links, topology)
    n_sites, n_links = len(topology.sites), 2 * len(topology.links)
    return {name: _metrics(path, record, topology,
                           site_bytes=_table(hours, site, name, n_sites),
                           link_bytes=_table(links, link, name, n_links),
                           class_requests=_table(classes, class_, name, len(REQUEST_CLASSES), "requests"),
                           class_bytes=_table(classes, class_, name, len(REQUEST_CLASSES)))
            for name, record in summary.strategies.items()}


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _stacked(results: Mapping[str, Metrics], frame_of: Callable[[Metrics], pd.DataFrame],
             schema: TableSchema) -> pd.DataFrame:
    frames = [frame_of(metrics).assign(strategy=name) for name, metrics in results.items()]
    return pd.concat(frames)[schema.column_names] if frames else pd.DataFrame(columns=schema.column_names)


def _hours_frame(metrics: Metrics, topology: Topology) -> pd.DataFrame:
    site, hour = np.nonzero(metrics.site_bytes)
    return pd.DataFrame({"site_id": topology.site_index.ids_of(site), "hour": hour,
                         "bytes": metrics.site_bytes[site, hour]})


def _links_frame(metrics: Metrics, topology: Topology) -> pd.DataFrame:
    directed, hour = np.nonzero(metrics.link_bytes)
    n_links = len(topology.links)
    ends = [(link.a, link.b) for link in topology.links] + [(link.b, link.a) for link in topology.links]
    return pd.DataFrame({"link": directed % max(n_links, 1) + 1, "a": [ends[k][0] for k in directed],
                         "b": [ends[k][1] for k in directed], "hour": hour,
                         "bytes": metrics.link_bytes[directed, hour]})


def _classes_frame(metrics: Metrics) -> pd.DataFrame:
    class_, hour = np.nonzero(metrics.class_requests)
    return pd.DataFrame({"class": np.array(REQUEST_CLASSES, dtype=object)[class_], "hour": hour,
                         "requests": metrics.class_requests[class_, hour], "bytes": metrics.class_bytes[class_, hour]})


def _load_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError.of_file(path, f"a readable JSON file ({error})") from error


def _check_rows(frame: pd.DataFrame, summary: _Summary) -> None:
    known = "a strategy of " + SUMMARY_FILE
    faults = [Fault(frame.attrs["file"], int(row), "strategy", name, known)
              for row, name in frame["strategy"].items() if name not in summary.strategies]
    faults += [Fault(frame.attrs["file"], int(row), "hour", int(hour), "an hour from 0 to 23")
               for row, hour in frame["hour"].items() if hour >= HOURS_PER_DAY]
    if faults:
        raise DataError(faults)


def _directed_links(frame: pd.DataFrame, topology: Topology) -> np.ndarray:
    """(rows,) position among the 2 L directed links."""
    n_links = len(topology.links)
    known = {(k % n_links + 1, *ends): k for k, ends in enumerate(
        [(link.a, link.b) for link in topology.links] + [(link.b, link.a) for link in topology.links])}
    rows = list(zip(frame["link"].astype(np.int64), frame["a"], frame["b"], strict=True))
    faults = [Fault(frame.attrs["file"], int(frame.index[k]), "link", "/".join(map(str, row)), "a link of the topology")
              for k, row in enumerate(rows) if row not in known]
    if faults:
        raise DataError(faults)
    return np.array([known[row] for row in rows], dtype=np.int64)


def _table(frame: pd.DataFrame, row: np.ndarray, strategy: str, n_rows: int, column: str = "bytes") -> np.ndarray:
    mine = (frame["strategy"] == strategy).to_numpy()
    table = np.zeros((n_rows, HOURS_PER_DAY), dtype=np.int64)
    table[row[mine], frame["hour"].to_numpy(dtype=np.int64)[mine]] = frame[column].to_numpy(dtype=np.int64)[mine]
    return table


def _metrics(path: Path, record: StrategyRecord, topology: Topology, **tables: Any) -> Metrics:
    sites, regions = list(topology.site_index), list(topology.region_index)
    for name, ids in (("region_offload", regions), ("peak_bps", sites), ("egress_bps", sites[:-1])):
        if set(getattr(record, name)) != set(ids):
            raise DataError.of_file(path, f"{name} of the topology's sites or regions, each once")
    totals = record.model_dump(exclude={"region_offload", "peak_bps", "egress_bps", *_COUNTS})
    metrics = Metrics(
        **totals,
        **tables,
        region_offload=np.array([np.nan if (v := record.region_offload[r]) is None else v for r in regions]),
        peak_bps=np.array([record.peak_bps[s] for s in sites]),
        egress_bps=np.array([np.inf if (v := record.egress_bps[s]) is None else v for s in sites[:-1]]),
    )
    for name in _COUNTS:
        if getattr(record, name) != getattr(metrics, name):
            raise DataError.of_file(path, f"{name} that are the sums of {CLASSES_FILE}")
    return metrics
