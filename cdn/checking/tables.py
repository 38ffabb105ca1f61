"""The check of each kind of table: its own columns first, then its ids and limits against topology and catalog."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from cdn.checking.findings import CheckedFile, Known
from cdn.errors import DataError, Fault
from cdn.files.contents import PLACEMENT, ROUTING, STORED_NOW
from cdn.files.demands import DEMAND, HOURS, hours_path
from cdn.files.fill_plans import FILL_PLAN
from cdn.files.prices import BRANCHING_NODES, BRANCHING_SHARES, SERVE_PRICES, read_nodes
from cdn.files.schema import positions, read_table
from cdn.files.topologies import ORIGIN_ALIAS, SERVING_COSTS
from cdn.model.fill_plan import ADD
from cdn.model.index import UNKNOWN, Index

SHARE_TOLERANCE = 1e-9


def check_demand(path: Path, known: Known) -> CheckedFile:
    """Ids; with the demand its hours file, where there is one."""
    frame = read_table(path, DEMAND)
    faults = [*_region_faults(frame, known), *_asset_faults(frame, known)]
    hours = hours_path(path)
    if hours.is_file() and str(hours) not in known.given:
        try:
            faults += check_hours(hours, known).faults
        except DataError as error:
            faults += error.faults
    return CheckedFile(str(path), DEMAND.name, len(frame), frame["region_id"].nunique(), None,
                       frame["asset_id"].nunique(), round(frame["bytes"].sum()), faults=tuple(faults))


def check_hours(path: Path, known: Known) -> CheckedFile:
    """Ids and hours."""
    frame = read_table(path, HOURS)
    faults = [*_region_faults(frame, known), *_row_faults(frame, frame["hour"] > 23, "hour", "an hour from 0 to 23")]
    return CheckedFile(str(path), HOURS.name, len(frame), frame["region_id"].nunique(), faults=tuple(faults))


def check_stored_now(path: Path, known: Known) -> CheckedFile:
    """Ids; what an appliance stores fits its storage."""
    frame = read_table(path, STORED_NOW)
    faults = list(_asset_faults(frame, known))
    if known.topology is not None:
        index = known.topology.appliance_index
        limits = [appliance.storage_bytes for appliance in known.topology.appliances]
        faults += _id_faults(frame, "appliance_id", index, "topology's appliances")
        faults += _storage_faults(frame, "appliance_id", index, np.array(limits, dtype=float), known)
    return CheckedFile(str(path), STORED_NOW.name, len(frame), assets=frame["asset_id"].nunique(),
                       bytes=_stored_bytes(frame, known), faults=tuple(faults))


def check_placement(path: Path, known: Known) -> CheckedFile:
    """Ids; no origin; what a site stores fits its storage; nothing where the catalog excludes it."""
    frame = read_table(path, PLACEMENT)
    faults = list(_asset_faults(frame, known))
    if known.topology is not None:
        caches = Index(site.id for site in known.topology.sites[:-1])
        faults += _id_faults(frame, "site_id", caches, "topology's edge and mid sites")
        faults += _storage_faults(frame, "site_id", caches, known.topology.storage_bytes, known)
    if known.catalog is not None:
        faults += _excluded_faults(frame, known.catalog.asset_index, known.catalog.excluded_sites)
    return CheckedFile(str(path), PLACEMENT.name, len(frame), sites=frame["site_id"].nunique(),
                       assets=frame["asset_id"].nunique(), bytes=_stored_bytes(frame, known), faults=tuple(faults))


def check_routing(path: Path, known: Known) -> CheckedFile:
    """Ids; the shares of a (region, asset) come to 1 at most."""
    frame = read_table(path, ROUTING)
    faults = [*_region_faults(frame, known), *_asset_faults(frame, known)]
    if known.topology is not None:
        caches = Index(site.id for site in known.topology.sites[:-1])
        faults += _id_faults(frame, "site_id", caches, "topology's edge and mid sites")
    running = frame.groupby(["region_id", "asset_id"])["share"].cumsum()
    faults += _row_faults(frame, running > 1 + SHARE_TOLERANCE, "share", "shares that add up to 1 per (region, asset)")
    return CheckedFile(str(path), ROUTING.name, len(frame), frame["region_id"].nunique(), frame["site_id"].nunique(),
                       frame["asset_id"].nunique(), faults=tuple(faults))


def check_fill_plan_table(path: Path, known: Known) -> CheckedFile:
    """Ids, sizes and times of each step. Whether the plan can be carried out is for the verification to say."""
    frame = read_table(path, FILL_PLAN)
    adds = frame["action"] == ADD
    faults = [*_asset_faults(frame, known),
              *_row_faults(frame, frame["end"] < frame["start"], "end", "a time not before the start"),
              *_row_faults(frame, adds & frame["source_id"].isna(), "source_id", "the site an addition is copied from")]
    if known.topology is not None:
        faults += _id_faults(frame, "appliance_id", known.topology.appliance_index, "topology's appliances")
        sourced = _part(frame, adds & frame["source_id"].notna())
        faults += _id_faults(sourced, "source_id", known.topology.site_index, "topology's sites")
    if known.catalog is not None:
        asset = known.catalog.asset_index.positions_of(frame["asset_id"])
        wrong = (asset != UNKNOWN) & (known.catalog.size_bytes[asset] != frame["bytes"].to_numpy())
        faults += _row_faults(frame, wrong, "bytes", "the asset's size in the catalog")
    return CheckedFile(str(path), FILL_PLAN.name, len(frame), assets=frame["asset_id"].nunique(),
                       bytes=round(frame["bytes"][adds].sum()), faults=tuple(faults))


def check_serving_costs(path: Path, known: Known) -> CheckedFile:
    """Ids; a cost of the origin for every region."""
    frame = read_table(path, SERVING_COSTS)
    faults = list(_region_faults(frame, known))
    named = frame["site_id"]
    if known.topology is not None:
        topology = known.topology
        named = named.where(named.isin(topology.site_index) | (named != ORIGIN_ALIAS), topology.origin.id)
        faults += _id_faults(frame.assign(site_id=named), "site_id", topology.site_index, "topology's sites")
        served = set(frame["region_id"][named == topology.origin.id])
        faults += [Fault(str(path), None, "region_id", region.id, "a serving cost of the origin for every region")
                   for region in topology.regions if region.id not in served]
    return CheckedFile(str(path), SERVING_COSTS.name, len(frame), frame["region_id"].nunique(),
                       named.nunique(), faults=tuple(faults))


def check_serve_prices(path: Path, known: Known) -> CheckedFile:
    """Numbers. Whether there is one for each demand entry, and what they prove, is for the verification to say."""
    return CheckedFile(str(path), SERVE_PRICES.name, len(read_table(path, SERVE_PRICES)))


def check_branching_nodes(path: Path, known: Known) -> CheckedFile:
    """Ids; a site or a price vector. Whether the trees are whole, and what they prove, the verification says."""
    frame = read_nodes(path)
    faults: list[Fault] = []
    if known.catalog is not None:
        faults += _id_faults(frame, "tree_asset_id", known.catalog.asset_index, "catalog")
    inner = _part(frame, frame["branch_site_id"].notna())
    if known.topology is not None:
        caches = Index(site.id for site in known.topology.sites[:-1])
        faults += _id_faults(inner, "branch_site_id", caches, "topology's edge and mid sites")
    return CheckedFile(str(path), BRANCHING_NODES.name, len(frame), sites=inner["branch_site_id"].nunique(),
                       assets=frame["tree_asset_id"].nunique(), faults=tuple(faults))


def check_branching_shares(path: Path, known: Known) -> CheckedFile:
    """Ids and numbers. Whether they fit the groups, and what they prove, the verification says."""
    frame = read_table(path, BRANCHING_SHARES)
    faults: list[Fault] = []
    if known.catalog is not None:
        faults += _id_faults(frame, "asset_id", known.catalog.asset_index, "catalog")
    if known.topology is not None:
        caches = Index(site.id for site in known.topology.sites[:-1])
        faults += _id_faults(frame, "site_id", caches, "topology's edge and mid sites")
    return CheckedFile(str(path), BRANCHING_SHARES.name, len(frame), sites=frame["site_id"].nunique(),
                       assets=frame["asset_id"].nunique(), faults=tuple(faults))


TABLE_CHECKS: Mapping[str, Callable[[Path, Known], CheckedFile]] = {
    DEMAND.name: check_demand, HOURS.name: check_hours, STORED_NOW.name: check_stored_now,
    PLACEMENT.name: check_placement, ROUTING.name: check_routing, FILL_PLAN.name: check_fill_plan_table,
    SERVING_COSTS.name: check_serving_costs, SERVE_PRICES.name: check_serve_prices,
    BRANCHING_NODES.name: check_branching_nodes, BRANCHING_SHARES.name: check_branching_shares,
}


def _part(frame: pd.DataFrame, rows) -> pd.DataFrame:
    part = frame.loc[rows]
    part.attrs["file"] = frame.attrs["file"]
    return part


def _id_faults(frame: pd.DataFrame, column: str, index: Index, what: str) -> tuple[Fault, ...]:
    try:
        positions(frame, column, index, what)
    except DataError as error:
        return error.faults
    return ()


def _region_faults(frame: pd.DataFrame, known: Known) -> tuple[Fault, ...]:
    if known.topology is None:
        return ()
    return _id_faults(frame, "region_id", known.topology.region_index, "topology's regions")


def _asset_faults(frame: pd.DataFrame, known: Known) -> tuple[Fault, ...]:
    return () if known.catalog is None else _id_faults(frame, "asset_id", known.catalog.asset_index, "catalog")


def _row_faults(frame: pd.DataFrame, bad, column: str, expected: str) -> Iterator[Fault]:
    for k in np.flatnonzero(np.asarray(bad)):
        yield Fault(frame.attrs["file"], int(frame.index[k]), column, frame[column].iloc[k], expected)


def _storage_faults(frame: pd.DataFrame, column: str, index: Index, limit_bytes: np.ndarray,
                    known: Known) -> Iterable[Fault]:
    """What stands at each place of ``index`` fits its limit; rows with unknown ids are reported elsewhere."""
    if known.catalog is None:
        return
    place, asset = index.positions_of(frame[column]), known.catalog.asset_index.positions_of(frame["asset_id"])
    both = (place != UNKNOWN) & (asset != UNKNOWN)
    held = np.bincount(place[both], weights=known.catalog.size_bytes[asset[both]], minlength=len(index))
    for k in np.flatnonzero(held > limit_bytes):
        yield Fault(frame.attrs["file"], None, column, index.id_of(int(k)),
                    f"assets of {limit_bytes[k]:.0f} bytes at most, its storage; they take {held[k]:.0f}")


def _excluded_faults(frame: pd.DataFrame, asset_index: Index,
                     excluded: Mapping[int, tuple[str, ...]]) -> Iterator[Fault]:
    forbidden = {(site, asset_index.id_of(asset)) for asset, sites in excluded.items() for site in sites}
    bad = [pair in forbidden for pair in zip(frame["site_id"], frame["asset_id"], strict=True)] if forbidden else []
    return _row_faults(frame, np.array(bad, dtype=bool), "site_id", "a site the catalog does not keep the asset from")


def _stored_bytes(frame: pd.DataFrame, known: Known) -> int | None:
    if known.catalog is None:
        return None
    asset = known.catalog.asset_index.positions_of(frame["asset_id"])
    return int(known.catalog.size_bytes[asset[asset != UNKNOWN]].sum())
