"""The check of any number of files, each by its kind and all against the topology and the catalog among them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow.compute as pc

from cdn.checking.findings import CheckedFile, CheckReport, Known
from cdn.checking.kinds import TOPOLOGY, kind_of
from cdn.checking.references import check_catalog, check_topology
from cdn.checking.tables import TABLE_CHECKS
from cdn.errors import DataError, Fault
from cdn.files.catalogs import CATALOG
from cdn.files.demands import HOURS
from cdn.files.topologies import SERVING_COSTS
from cdn.logs.quarantine import QuarantineCounter
from cdn.logs.request_log_files import REQUEST_LOG
from cdn.logs.request_logs import known_chunks
from cdn.logs.store import log_files
from cdn.units import HOURS_PER_DAY, MICROSECONDS_PER_SECOND, SECONDS_PER_HOUR

UNREADABLE = "unreadable"
LOG_FORMAT = "request_log"
_MICROSECONDS_PER_DAY = HOURS_PER_DAY * SECONDS_PER_HOUR * MICROSECONDS_PER_SECOND


def check_files(paths: Sequence[Path | str], topology_path: Path | str | None = None,
                catalog_path: Path | str | None = None) -> CheckReport:
    """Checks topologies, catalogs, request logs, demand, stored now, placements, routings, fill plans, serving costs.

    Ids and limits are checked against ``topology_path`` and ``catalog_path``, else against the only topology and the
    only catalog among ``paths``. Raises nothing for bad data: every fault is in the report.
    """
    files = {Path(path): None for path in (topology_path, catalog_path, *paths) if path is not None}
    kinds = {path: _kind_or_fault(path) for path in files}
    for path, wanted in ((topology_path, TOPOLOGY), (catalog_path, CATALOG.name)):
        kind = None if path is None else kinds[Path(path)]
        if path is not None and isinstance(kind, str) and kind != wanted:
            fault = Fault(str(path), None, None, kind, f"a {wanted}")
            kinds[Path(path)] = CheckedFile(str(path), kind, faults=(fault,))
    referring = {kind for kind in kinds.values() if isinstance(kind, str)} - {TOPOLOGY}
    notes: list[str] = []
    checked: dict[Path, CheckedFile] = {}
    topology = catalog = None
    reference = _reference(TOPOLOGY, topology_path, kinds, notes if referring else [])
    for path in [path for path, kind in kinds.items() if kind == TOPOLOGY]:
        checked[path], found = check_topology(path)
        topology = found if path == reference else topology
    referring_to_assets = referring - {CATALOG.name, HOURS.name, SERVING_COSTS.name}
    reference = _reference(CATALOG.name, catalog_path, kinds, notes if referring_to_assets else [])
    for path in [path for path, kind in kinds.items() if kind == CATALOG.name]:
        checked[path], found_catalog = check_catalog(path, topology)
        catalog = found_catalog if path == reference else catalog
    known = Known(topology, catalog, frozenset(str(path) for path in files))
    for path, kind in kinds.items():
        if path not in checked:
            checked[path] = kind if isinstance(kind, CheckedFile) else _check_table(path, kind, known)
    for name, value, who in ((TOPOLOGY, topology, referring), (CATALOG.name, catalog, referring_to_assets)):
        if value is None and who:
            notes.append(f"no sound {name}: {', '.join(sorted(who))} not checked against one")
    ordered = tuple(checked[path] for path in files)
    return CheckReport(ordered, (*(note for file in ordered for note in file.notes), *notes))


def _kind_or_fault(path: Path) -> str | CheckedFile:
    try:
        return kind_of(path)
    except DataError as error:
        return CheckedFile(str(path), UNREADABLE, faults=error.faults)


def _reference(kind: str, given: Path | str | None, kinds: dict[Path, str | CheckedFile],
               notes: list[str]) -> Path | None:
    """The one file of a kind that the others are held against."""
    if given is not None:
        return Path(given)
    found = [path for path, each in kinds.items() if each == kind]
    if len(found) > 1:
        notes.append(f"{len(found)} files are a {kind}: say which one the others refer to with --{kind}")
    return found[0] if len(found) == 1 else None


def _check_table(path: Path, kind: str, known: Known) -> CheckedFile:
    try:
        return _check_request_log(path, known) if kind == REQUEST_LOG.name else TABLE_CHECKS[kind](path, known)
    except DataError as error:
        return CheckedFile(str(path), kind, faults=error.faults)


def _check_request_log(path: Path, known: Known) -> CheckedFile:
    """Every row of a log file or log store; a block at a time, so the log may be larger than memory."""
    counter = QuarantineCounter()
    region_index = None if known.topology is None else known.topology.region_index
    asset_index = None if known.catalog is None else known.catalog.asset_index
    regions: set[str] = set()
    assets: set[str] = set()
    days: set[int] = set()
    total_bytes = 0
    for chunk, _, _ in known_chunks(log_files(path), LOG_FORMAT, region_index, asset_index, counter):
        regions.update(pc.unique(chunk.region_id).to_pylist())
        assets.update(pc.unique(chunk.asset_id).to_pylist())
        days.update(np.unique(chunk.time_us // _MICROSECONDS_PER_DAY).tolist())
        total_bytes += int(chunk.bytes.sum())
    quarantine = counter.quarantine()
    faults = list(quarantine.faults())
    if quarantine.bad_rows > len(faults):
        more = f"{quarantine.bad_rows - len(faults)} more bad rows"
        faults.append(Fault(str(path), None, None, more, "good rows"))
    if quarantine.rows_read == 0:
        faults.append(Fault(str(path), None, None, None, "at least one request"))
    return CheckedFile(str(path), REQUEST_LOG.name, quarantine.rows_read, len(regions), None, len(assets), total_bytes,
                       len(days), tuple(faults))
