"""The check of what the other files refer to: the topology and the catalog."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from cdn.checking.findings import CheckedFile
from cdn.checking.kinds import TOPOLOGY
from cdn.errors import DataError, Fault
from cdn.files.catalogs import CATALOG, catalog_of
from cdn.files.schema import read_table
from cdn.files.topologies import read_topology
from cdn.model.catalog import Catalog
from cdn.model.network import Network
from cdn.model.topology import Topology


def check_topology(path: Path) -> tuple[CheckedFile, Topology | None]:
    """Everything its reader checks, and that the origin reaches every region. The topology only where it is sound."""
    try:
        topology = read_topology(path)
    except DataError as error:
        return CheckedFile(str(path), TOPOLOGY, faults=error.faults), None
    try:
        costs = Network(topology).cost_per_byte
    except ValueError as error:
        fault = Fault(str(path), None, None, None, f"a path from the origin to every region ({error})")
        return CheckedFile(str(path), TOPOLOGY, faults=(fault,)), None
    empty = [site.id for site, storage in zip(topology.sites, topology.storage_bytes, strict=False) if storage == 0]
    useless = [site.id for site, row in zip(topology.sites[:-1], costs, strict=False) if not np.isfinite(row).any()]
    notes = [f"{path}: {what}: {', '.join(ids[:5])}{', ...' if len(ids) > 5 else ''}"
             for what, ids in (("sites without storage", empty), ("sites that reach no region", useless)) if ids]
    return CheckedFile(str(path), TOPOLOGY, None, len(topology.regions), len(topology.sites),
                       bytes=int(topology.storage_bytes.sum()), notes=tuple(notes)), topology


def check_catalog(path: Path, topology: Topology | None) -> tuple[CheckedFile, Catalog | None]:
    """Columns; that licences end after they start; that rules name sites and regions there are and can be kept."""
    try:
        frame = read_table(path, CATALOG)
    except DataError as error:
        return CheckedFile(str(path), CATALOG.name, faults=error.faults), None
    faults = [*_licence_faults(frame), *_contradictions(frame)]
    notes: list[str] = []
    if topology is not None:
        faults += _rule_faults(frame, topology)
        faults += _pinned_faults(frame, topology)
        too_large = int((frame["size_bytes"] > topology.storage_bytes.max(initial=0)).sum())
        notes += [f"{path}: {too_large} assets fit no site and are always served by the origin"] if too_large else []
    checked = CheckedFile(str(path), CATALOG.name, len(frame), assets=len(frame), bytes=int(frame["size_bytes"].sum()),
                          faults=tuple(faults), notes=tuple(notes))
    return checked, catalog_of(frame)


def _licence_faults(frame: pd.DataFrame) -> Iterator[Fault]:
    for k in np.flatnonzero((frame["licence_end"] <= frame["licence_start"]).to_numpy()):
        yield Fault(frame.attrs["file"], int(frame.index[k]), "licence_end", str(frame["licence_end"].iloc[k]),
                    "a time after licence_start")


def _named(frame: pd.DataFrame, column: str) -> pd.Series:
    """The ids of a list column, one per row of the series; its index is the row of the file."""
    return frame.loc[frame[column].map(len) > 0, column].explode()


def _contradictions(frame: pd.DataFrame) -> Iterator[Fault]:
    excluded = _named(frame, "excluded_sites")
    for row, site in excluded.items():
        if site in frame.at[row, "pinned_sites"]:
            yield Fault(frame.attrs["file"], int(row), "excluded_sites", site, "no site that pinned_sites names too")


def _rule_faults(frame: pd.DataFrame, topology: Topology) -> Iterator[Fault]:
    caches = {site.id for site in topology.sites[:-1]}
    regions = {region.id for region in topology.regions}
    for column, ids, expected in (("allowed_regions", regions, "an id of the topology's regions"),
                                  ("pinned_sites", caches, "an id of the topology's edge and mid sites"),
                                  ("excluded_sites", caches, "an id of the topology's edge and mid sites")):
        named = _named(frame, column)
        for row, id_ in named[~named.isin(ids)].items():
            yield Fault(frame.attrs["file"], int(row), column, id_, expected)


def _pinned_faults(frame: pd.DataFrame, topology: Topology) -> Iterator[Fault]:
    pinned = _named(frame, "pinned_sites")
    needed = frame["size_bytes"].loc[pinned.index].groupby(pinned.to_numpy()).sum()
    for site, storage in zip(topology.sites[:-1], topology.storage_bytes, strict=True):
        taken = needed.get(site.id, 0)
        if taken > storage:
            yield Fault(frame.attrs["file"], None, "pinned_sites", site.id,
                        f"pinned assets of {storage:.0f} bytes at most, its storage; they take {taken:.0f}")
