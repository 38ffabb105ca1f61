"""A sample on disk: its catalog, one request log per day, what appliances hold, and how well it is calibrated."""

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cdn.errors import DataError
from cdn.files.contents import write_stored_now
from cdn.files.schema import write_table
from cdn.files.topologies import read_topology, write_topology
from cdn.files.writing import replace_file, staged_folder, write_json
from cdn.generator.calibration import compare, measure
from cdn.generator.catalog import catalog_frame
from cdn.generator.networks import made_up_topology
from cdn.generator.parameters import read_parameters, topology_path
from cdn.generator.regions import regions_of
from cdn.generator.samples import Sample, concatenated, draw_sample
from cdn.generator.stored import popular_content
from cdn.logs.store import day_of_file, file_of_day
from cdn.model.network import Network
from cdn.model.request_log import RequestLog
from cdn.model.topology import Topology

CATALOG_FILE, CALIBRATION_FILE = "catalog.csv", "calibration.json"
STORED_FILE, TOPOLOGY_FILE = "stored_now.csv", "topology.toml"
HISTORY, HELD_OUT = "history", "held_out"
_KEPT = re.compile(r".+\.(toml|md)")
"""Files that people put beside a sample: they stay."""
STORED_FROM_DAYS = 7
"""The appliances hold what was popular in the first week."""


@dataclass(frozen=True)
class SampleSummary:
    """What was written: ``figures`` as in ``compare``."""

    out: Path
    seed: int
    assets: int
    footprint_bytes: int
    regions: int
    days: int
    requests: int
    bytes: int
    figures: dict[str, dict[str, Any]]


def generate_sample(parameters_path: Path | str, out: Path | str, seed: int | None = None,
                    tell: Callable[[date], None] = lambda day: None) -> SampleSummary:
    """Draws the sample a parameter file describes and writes it into ``out``, whole or not at all.

    An earlier sample there is replaced; .toml and .md files beside it stay. ``seed`` goes before the parameters' own;
    ``tell`` is called with each day drawn. Raises DataError where an input is bad or ``out`` holds anything else.
    """
    parameters, out = read_parameters(parameters_path), Path(out)
    kept = _files_to_keep(out)
    path = topology_path(parameters, parameters_path)
    topology = None if path is None else read_topology(path)
    try:
        regions = None if topology is None else regions_of(topology)
    except ValueError as error:
        raise DataError.of_file(path, str(error)) from error
    seed = parameters.seed if seed is None else seed
    sample = draw_sample(parameters, np.random.default_rng(seed), regions)
    with staged_folder(out) as stage:
        for file in kept:
            shutil.copy2(file, stage)
        log, figures = _write_sample(sample, topology, stage, tell)
    return SampleSummary(out, seed, len(sample.catalog), sample.catalog.footprint_bytes, len(sample.regions),
                         parameters.days, len(log), log.total_bytes, figures)


def _files_to_keep(out: Path) -> list[Path]:
    """What lies in ``out`` beside a sample and stays. Raises DataError for anything but pages and settings."""
    if out.exists() and not out.is_dir():
        raise DataError.of_file(out, "a folder")
    ours = {CATALOG_FILE, CALIBRATION_FILE, STORED_FILE, TOPOLOGY_FILE}
    others = [entry for entry in sorted(out.iterdir()) if entry.name not in ours] if out.is_dir() else []
    kept = [entry for entry in others if entry.is_file() and _KEPT.fullmatch(entry.name)]
    foreign = [entry for entry in others if entry not in kept and not _is_store(entry)]
    if foreign:
        raise DataError.of_file(
            out, "a new folder, or one of an earlier sample and nothing else but .toml and .md files", foreign[0].name)
    return kept


def _is_store(folder: Path) -> bool:
    return (folder.name in (HISTORY, HELD_OUT) and folder.is_dir()
            and all(day_of_file(file) is not None for file in folder.iterdir()))


def _write_sample(sample: Sample, topology: Topology | None, folder: Path, tell: Callable[[date], None]):
    write_table(catalog_frame(sample.catalog), folder / CATALOG_FILE)
    logs, n_history = [], sample.parameters.days - sample.parameters.held_out_days
    for number, (day, log) in enumerate(sample.draw_days()):
        store = folder / (HISTORY if number < n_history else HELD_OUT)
        write_requests(log, file_of_day(store, (day - date(1970, 1, 1)).days))
        logs.append(log)
        tell(day)
    if topology is None:
        topology = made_up_topology(sample)
        write_topology(topology, folder / TOPOLOGY_FILE)
    first_week = concatenated(logs[: min(STORED_FROM_DAYS, n_history)])
    stored = popular_content(Network(topology), sample.catalog, first_week)
    write_stored_now(stored, topology, sample.catalog.asset_index, folder / STORED_FILE)
    whole = concatenated(logs)
    figures = compare(measure(whole, sample.catalog))
    write_json(folder / CALIBRATION_FILE, figures)
    return whole, figures


def write_requests(log: RequestLog, path: Path | str) -> None:
    """Writes a request log as Parquet, in time order. Times as differences, ids by number: some 5 bytes a request."""
    table = pa.table({
        "time": pa.array(log.time_us.astype("datetime64[us]")),
        "region_id": _ids(log.region_index.ids, log.region),
        "asset_id": _ids(log.asset_index.ids, log.asset),
        "bytes": pa.array(log.bytes),
    })
    replace_file(path, lambda temporary: pq.write_table(
        table, temporary, compression="zstd", compression_level=9, store_schema=False,
        use_dictionary=["region_id", "asset_id", "bytes"], column_encoding={"time": "DELTA_BINARY_PACKED"}))


def _ids(ids: np.ndarray, positions: np.ndarray) -> pa.DictionaryArray:
    """Ids by number, with only those that occur in the dictionary."""
    used, numbers = np.unique(positions, return_inverse=True)
    return pa.DictionaryArray.from_arrays(pa.array(numbers.astype(np.int32)), pa.array(ids[used], pa.string()))
