"""One night, start to end, into ``runs/DATE``: whole or not at all, and the same bytes for the same inputs.

``timings.json`` is the one file that differs between two runs of the same night. A rerun whose other files are all the
same leaves the folder as it is; otherwise the new folder takes the old one's place at once.
"""

import importlib.metadata
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import cdn
from cdn.errors import DataError
from cdn.files.catalogs import read_catalog
from cdn.files.certificates import CERTIFICATE_FILE, read_start_prices
from cdn.files.contents import placement_of_stored, read_stored_now, write_stored_now
from cdn.files.fill_plans import write_fill_plan
from cdn.files.plan_folders import FILL_PLAN_FILE, STORED_AFTER_FILE, PlanInputs, write_plan_folder
from cdn.files.run_folders import MANIFEST_FILE, SUMMARY_FILE, TIMINGS_FILE
from cdn.files.schema import write_table
from cdn.files.topologies import read_topology
from cdn.files.writing import digest_of, staged_folder, write_json
from cdn.filling import FillResult, plan_fill
from cdn.forecasting.demand_forecast import day_number, forecast
from cdn.forecasting.events import Calendar, read_calendar
from cdn.forecasting.history import history_of_log
from cdn.forecasting.knowledge import knowledge_of
from cdn.forecasting.thin_days import thin_days
from cdn.logs.quarantine import Quarantine
from cdn.logs.request_logs import read_request_log
from cdn.logs.store import log_files
from cdn.logs.sweeping import SweepingClients, find_sweeping_clients
from cdn.model.catalog import Catalog
from cdn.model.fill_plan import StoredNow
from cdn.model.network import Network
from cdn.model.request_log import RequestLog
from cdn.model.topology import Topology
from cdn.nightly.configuration import NightlyConfig
from cdn.nightly.replaying import NightReplay, replay_night
from cdn.nightly.summary import summarise_night
from cdn.planning import PlannedPlacement, plan_placement, without_seconds
from cdn.simulation.results import write_results

QUARANTINE_FILE = "quarantine.csv"
LIBRARIES = ("numpy", "pandas", "scipy", "networkx", "pulp", "highspy", "numba", "pyarrow", "duckdb")


@dataclass
class Stopwatch:
    """Seconds per stage; tells ``on_stage`` what begins."""

    on_stage: Callable[[str], None]
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        self.on_stage(name)
        started = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - started, 3)


@dataclass(frozen=True, eq=False)
class _Night:
    """What was read: the inputs, the history before the planned day, and the day itself where it is known."""

    topology: Topology
    catalog: Catalog
    stored_now: StoredNow
    calendar: Calendar | None
    day: pd.Timestamp
    history: RequestLog
    day_log: RequestLog | None
    quarantines: dict[str, Quarantine]
    sweeping: SweepingClients | None


def run_night(
    config: NightlyConfig, day: pd.Timestamp | None = None, on_stage: Callable[[str], None] = lambda name: None
) -> tuple[Path, dict[str, Any]]:
    """Runs one night; returns its run folder and its summary. ``day`` overrides the configuration's.

    Raises DataError for inputs that cannot be used, SolverError where a solver fails; last night's run then stays.
    """
    record, watch = config.record, Stopwatch(on_stage)
    with watch.stage("reading"):
        night = _read_night(config, day or config.day)
    with watch.stage("forecast"):
        history = history_of_log(night.history, day_number(night.day), record.forecast.history_days)
        knowledge = knowledge_of(night.catalog, night.topology, night.calendar)
        demand = forecast(
            history,
            night.day,
            record.forecast.method,
            night.catalog,
            knowledge,
            level=record.forecast.level,
            **record.forecast.parameters,
        )
    inputs = PlanInputs(
        Network(night.topology),
        night.catalog,
        config.path(record.inputs.catalog),
        demand,
        night.stored_now,
        night.day,
        1.0 - record.placement.reactive_share,
        record.placement.fill_days,
    )
    with watch.stage("placement"):
        problem, last = inputs.build_problem(), record.inputs.last_night
        planned = plan_placement(
            problem,
            record.placement.method,
            start_prices=None if last is None else read_start_prices(config.path(last), problem),
            gap=record.placement.gap,
            time_limit_s=record.placement.time_limit_s,
            robust=record.placement.robust,
            seed=record.placement.seed,
        )
    with watch.stage("fill plan"):
        fill = plan_fill(
            planned.problem, inputs.planned_network, night.catalog, night.stored_now, planned.placement, night.day
        )
    replay = None
    with watch.stage("replay"):
        if night.day_log is not None:
            stored_after = placement_of_stored(fill.stored_after, night.topology, len(night.catalog))
            replay = replay_night(record, inputs, stored_after, night.history, night.day_log, on_stage)
    logs = {name: quarantine_summary(quarantine) for name, quarantine in night.quarantines.items()}
    logs["history"]["days_cut_short"] = len(thin_days(history))
    if night.sweeping is not None:
        logs["history"]["sweeping_left_out"] = night.sweeping.summary()
    summary = summarise_night(night.day, inputs, planned, fill, replay, night.day_log, logs)
    return _write_run(config, night, inputs, planned, fill, replay, summary, watch), summary


def quarantine_summary(quarantine: Quarantine) -> dict[str, Any]:
    """Rows read and bad rows by reason."""
    return {
        "rows_read": quarantine.rows_read,
        "quarantined": dict(quarantine.counts),
        "duplicates": quarantine.duplicates,
    }


def _read_night(config: NightlyConfig, day: pd.Timestamp | None) -> _Night:
    inputs = config.record.inputs
    topology = read_topology(config.path(inputs.topology))
    catalog = read_catalog(config.path(inputs.catalog))
    stored = (
        StoredNow.nothing()
        if inputs.stored_now is None
        else read_stored_now(config.path(inputs.stored_now), topology, catalog.asset_index)
    )
    calendar = None
    if inputs.calendar is not None:
        calendar = read_calendar(config.path(inputs.calendar), topology.region_index, catalog.asset_index)
    paths = [config.path(name) for name in inputs.history]
    sweeping = None
    if config.record.forecast.exclude_sweeping:
        files = [file for path in paths for file in log_files(path)]
        sweeping = find_sweeping_clients(files, config.record.forecast.sweeping_assets)
    log, quarantine = read_request_log(paths, topology.region_index, catalog.asset_index, without=sweeping)
    if day is None:
        day = _day_after(log, paths)
    before = day_number(day)
    first = before - config.record.forecast.history_days
    history = log.select((log.day < before) & (log.day >= first))
    if not len(history):
        raise DataError.of_file(
            paths[0], f"requests in the {config.record.forecast.history_days} days before {day:%Y-%m-%d}"
        )
    quarantines, day_log = {"history": quarantine}, None
    if inputs.replay:
        replayed = [config.path(name) for name in inputs.replay]
        whole, quarantines["replay"] = read_request_log(replayed, topology.region_index, catalog.asset_index)
        day_log = whole.select(whole.day == before)
        if not len(day_log):
            raise DataError.of_file(replayed[0], f"requests on the planned day {day:%Y-%m-%d}")
    swept = None if sweeping is None else sweeping.on_days(first, before)
    return _Night(topology, catalog, stored, calendar, day, history, day_log, quarantines, swept)


def _day_after(log: RequestLog, paths: list[Path]) -> pd.Timestamp:
    if not len(log):
        raise DataError.of_file(paths[0], "at least one request")
    return pd.Timestamp(0) + pd.Timedelta(days=int(log.day[-1]) + 1)


def _write_run(
    config: NightlyConfig,
    night: _Night,
    inputs: PlanInputs,
    planned: PlannedPlacement,
    fill: FillResult,
    replay: NightReplay | None,
    summary: dict[str, Any],
    watch: Stopwatch,
) -> Path:
    run = config.path(config.record.output.runs) / night.day.strftime("%Y-%m-%d")
    with watch.stage("writing"), staged_folder(run) as folder:
        write_plan_folder(folder, inputs, planned.problem, planned.placement, without_seconds(planned.certificate))
        write_fill_plan(fill.plan, night.topology, night.catalog, folder / FILL_PLAN_FILE)
        write_stored_now(fill.stored_after, night.topology, night.catalog.asset_index, folder / STORED_AFTER_FILE)
        if replay is not None:
            write_results(folder, replay.metrics, night.topology, {"plan": replay.plan})
        _write_quarantine(night.quarantines, folder)
        write_json(folder / SUMMARY_FILE, summary)
        write_json(folder / MANIFEST_FILE, _manifest(config, night))
        if not _keep_timings(run, folder):
            write_json(folder / TIMINGS_FILE, watch.seconds)
    return run


def _write_quarantine(quarantines: dict[str, Quarantine], folder: Path) -> None:
    rows = pd.concat([quarantine.rows for quarantine in quarantines.values()], ignore_index=True)
    if len(rows):
        write_table(rows, folder / QUARANTINE_FILE)


def _keep_timings(old: Path, new: Path) -> bool:
    """Keeps the old timings where everything else came out the same, so that a rerun gives the same bytes."""
    timings = old / TIMINGS_FILE
    if not timings.is_file() or _digests(old) != _digests(new):
        return False
    (new / TIMINGS_FILE).write_bytes(timings.read_bytes())
    return True


def _digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): digest_of(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != TIMINGS_FILE
    }


def _manifest(config: NightlyConfig, night: _Night) -> dict[str, Any]:
    """Inputs by the name the configuration gives them, with digests; parameters; versions."""
    inputs = config.record.inputs
    names = [
        inputs.topology,
        inputs.catalog,
        *inputs.history,
        *inputs.replay,
        *([inputs.stored_now] if inputs.stored_now else []),
        *([inputs.calendar] if inputs.calendar else []),
        *([f"{inputs.last_night}/{CERTIFICATE_FILE}"] if inputs.last_night else []),
    ]
    digests = {name: {file.name: digest_of(file) for file in _files(config.path(name))} for name in names}
    return {
        "day": night.day.strftime("%Y-%m-%d"),
        "history_days": sorted({str(np.datetime64(int(d), "D")) for d in np.unique(night.history.day)}),
        "inputs": digests,
        "parameters": config.record.model_dump(),
        "versions": {"cdn": cdn.__version__, "python": platform.python_version()}
        | {name: importlib.metadata.version(name) for name in LIBRARIES},
    }


def _files(path: Path) -> list[Path]:
    return list(log_files(path)) if path.is_dir() else [path]
