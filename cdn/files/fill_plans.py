"""The fill plan file: one row per step, in the order the steps are carried out."""

from pathlib import Path

import numpy as np
import pandas as pd

from cdn.errors import DataError, Fault
from cdn.files.schema import CSV, Column, TableSchema, positions, read_table, write_table
from cdn.model.catalog import Catalog
from cdn.model.fill_plan import ADD, REMOVE, FillPlan
from cdn.model.topology import Topology

FILL_PLAN = TableSchema(
    "fill plan",
    (
        Column("step", "integer", "", "1, 2, ... in order", minimum=1),
        Column("start", "time", "UTC", "when it starts"),
        Column("end", "time", "UTC", "when it is done; a removal takes no time"),
        Column("appliance_id", "string", "", "where"),
        Column("action", "string", "", "remove or add", choices=(REMOVE, ADD)),
        Column("asset_id", "string", "", "what"),
        Column("bytes", "integer", "bytes", "its size", above=0),
        Column("source_id", "string", "", "site an addition is copied from", None),
    ),
    key=("step",),
)


def write_fill_plan(plan: FillPlan, topology: Topology, catalog: Catalog, path: Path | str) -> None:
    """Writes the plan in step order."""
    source = np.where(plan.add, topology.site_index.ids_of(np.maximum(plan.source, 0)), "")
    start, end = plan.start_us.astype("datetime64[us]"), plan.end_us.astype("datetime64[us]")
    if Path(path).suffix == CSV:  # tables are written to the second, which would break a transfer's exact length
        start, end = (np.char.add(np.datetime_as_string(times, unit="us"), "Z") for times in (start, end))
    write_table(pd.DataFrame({
        "step": np.arange(1, len(plan) + 1),
        "start": start,
        "end": end,
        "appliance_id": topology.appliance_index.ids_of(plan.appliance),
        "action": np.where(plan.add, ADD, REMOVE),
        "asset_id": catalog.asset_index.ids_of(plan.asset),
        "bytes": catalog.size_bytes[plan.asset],
        "source_id": source,
    }), path)


def read_fill_plan(path: Path | str, topology: Topology, catalog: Catalog) -> FillPlan:
    """Reads a plan in step order. Raises DataError."""
    frame = read_table(path, FILL_PLAN)
    file = frame.attrs["file"]
    frame = frame.sort_values("step", kind="stable")
    frame.attrs["file"] = file
    added = frame["action"].to_numpy() == ADD
    source = np.full(len(frame), -1, dtype=np.int32)
    sourced = frame[added]
    sourced.attrs["file"] = file
    source[added] = positions(sourced, "source_id", topology.site_index, "topology's sites")
    asset = positions(frame, "asset_id", catalog.asset_index, "catalog")
    _check_rows(frame, added, catalog.size_bytes[asset])
    return FillPlan(
        start_us=frame["start"].to_numpy(dtype="datetime64[us]").astype(np.int64),
        end_us=frame["end"].to_numpy(dtype="datetime64[us]").astype(np.int64),
        appliance=positions(frame, "appliance_id", topology.appliance_index, "topology's appliances"),
        add=added,
        asset=asset,
        source=source,
    )


def _check_rows(frame: pd.DataFrame, added: np.ndarray, size_bytes: np.ndarray) -> None:
    """What the plan in memory leaves out must say the same: step numbers, sizes, no source of a removal."""
    step = np.arange(1, len(frame) + 1)
    sourced = frame["source_id"].notna().to_numpy() & ~added
    faults = []
    for column, bad, expected in (("step", frame["step"].to_numpy() != step, "steps 1, 2, 3, ... without a gap"),
                                  ("bytes", frame["bytes"].to_numpy() != size_bytes, "the asset's size in the catalog"),
                                  ("source_id", sourced, "nothing: a removal has no source")):
        faults += [Fault(frame.attrs["file"], int(frame.index[k]), column, frame[column].iloc[k], expected)
                   for k in np.flatnonzero(bad)]
    if faults:
        raise DataError(faults)
