"""Files that say what is stored: ``stored now`` per appliance and a placement per site."""

from pathlib import Path

import numpy as np
import pandas as pd

from cdn.errors import DataError, Fault
from cdn.files.schema import Column, TableSchema, positions, read_table, write_table
from cdn.model.fill_plan import StoredNow
from cdn.model.index import Index
from cdn.model.placement import Routing
from cdn.model.problem import Problem
from cdn.model.site_assets import SiteAssets
from cdn.model.topology import Topology

STORED_NOW = TableSchema(
    "stored now",
    (
        Column("appliance_id", "string", "", "where"),
        Column("asset_id", "string", "", "what"),
    ),
    key=("appliance_id", "asset_id"),
)
PLACEMENT = TableSchema(
    "placement",
    (
        Column("site_id", "string", "", "where: an edge or mid site"),
        Column("asset_id", "string", "", "what"),
    ),
    key=("site_id", "asset_id"),
)
ROUTING = TableSchema(
    "routing",
    (
        Column("site_id", "string", "", "the cache that serves"),
        Column("region_id", "string", "", "to whom"),
        Column("asset_id", "string", "", "what"),
        Column("share", "number", "", "share of the entry's demand it serves; the rest comes from the origin", above=0),
    ),
    key=("site_id", "region_id", "asset_id"),
)


def read_stored_now(path: Path | str, topology: Topology, asset_index: Index) -> StoredNow:
    """Reads what each appliance holds. Raises DataError."""
    frame = read_table(path, STORED_NOW)
    return StoredNow(positions(frame, "appliance_id", topology.appliance_index, "topology's appliances"),
                     positions(frame, "asset_id", asset_index, "catalog"))


def write_stored_now(stored: StoredNow, topology: Topology, asset_index: Index, path: Path | str) -> None:
    """Writes what each appliance holds, ordered by appliance, then asset."""
    order = np.lexsort((stored.asset, stored.appliance))
    write_table(pd.DataFrame({"appliance_id": topology.appliance_index.ids_of(stored.appliance[order]),
                              "asset_id": asset_index.ids_of(stored.asset[order])}), path)


def read_placement(path: Path | str, site_index: Index, asset_index: Index) -> SiteAssets:
    """Reads what each site shall store. Raises DataError; the origin holds everything and is not listed."""
    frame = read_table(path, PLACEMENT)
    site = positions(frame, "site_id", site_index, "topology's sites")
    origin = np.flatnonzero(site == len(site_index) - 1)
    if len(origin):
        raise DataError([Fault(str(path), int(frame.index[k]), "site_id", frame["site_id"].iloc[k],
                               "an edge or mid site (the origin holds everything)") for k in origin])
    return SiteAssets.from_pairs(site, positions(frame, "asset_id", asset_index, "catalog"), len(asset_index))


def write_placement(stored: SiteAssets, site_index: Index, asset_index: Index, path: Path | str) -> None:
    """Writes what each site shall store, ordered by site, then asset."""
    order = np.lexsort((stored.asset, stored.site))
    write_table(pd.DataFrame({"site_id": site_index.ids_of(stored.site[order]),
                              "asset_id": asset_index.ids_of(stored.asset[order])}), path)


def read_routing(path: Path | str, problem: Problem) -> Routing:
    """Reads shares of demand. Raises DataError where a row names no entry of the demand."""
    frame = read_table(path, ROUTING)
    site = positions(frame, "site_id", problem.site_index, "topology's sites")
    region = positions(frame, "region_id", problem.region_index, "topology's regions")
    asset = positions(frame, "asset_id", problem.asset_index, "catalog")
    n_regions = len(problem.region_index)
    keys = problem.demand.asset.astype(np.int64) * n_regions + problem.demand.region
    wanted = asset.astype(np.int64) * n_regions + region
    entry = np.minimum(np.searchsorted(keys, wanted), max(len(keys) - 1, 0))
    missing = np.flatnonzero(keys[entry] != wanted) if len(keys) else np.arange(len(wanted))
    if len(missing):
        raise DataError(Fault(str(path), int(frame.index[k]), "asset_id", frame["asset_id"].iloc[k],
                              "a (region, asset) of the demand") for k in missing)
    return Routing(entry, site, frame["share"].to_numpy())


def write_routing(routing: Routing, problem: Problem, path: Path | str) -> None:
    """Writes shares of demand, ordered by asset, region, site."""
    order = np.lexsort((routing.site, routing.entry))
    entry = routing.entry[order]
    write_table(pd.DataFrame({
        "site_id": problem.site_index.ids_of(routing.site[order]),
        "region_id": problem.region_index.ids_of(problem.demand.region[entry]),
        "asset_id": problem.asset_index.ids_of(problem.demand.asset[entry]),
        "share": routing.share[order],
    }), path)


def placement_of_stored(stored: StoredNow, topology: Topology, n_assets: int) -> SiteAssets:
    """What the sites hold, of what their appliances hold."""
    return SiteAssets.from_pairs(topology.appliance_sites[stored.appliance], stored.asset, n_assets)
