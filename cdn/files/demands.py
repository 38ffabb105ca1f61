"""The demand file, and beside it the hours in which regions peak (``NAME.hours.csv``)."""

from pathlib import Path

import numpy as np
import pandas as pd

from cdn.errors import DataError, Fault
from cdn.files.schema import Column, TableSchema, positions, read_table, write_table
from cdn.model.demand import Demand
from cdn.model.index import Index

DEMAND = TableSchema(
    "demand",
    (
        Column("region_id", "string", "", "who asks"),
        Column("asset_id", "string", "", "for what"),
        Column("requests", "number", "requests/day", "expected requests in the period", minimum=0),
        Column("bytes", "number", "bytes/day", "expected bytes in the period", minimum=0),
        Column(
            "peak_bps",
            "number",
            "bit/s",
            "rate in the region's busiest hour; empty: bytes spread over 24 h",
            None,
            minimum=0,
        ),
        Column("bytes_p10", "number", "bytes/day", "10 % quantile of bytes", None, minimum=0),
        Column("bytes_p90", "number", "bytes/day", "90 % quantile of bytes", None, minimum=0),
    ),
    key=("region_id", "asset_id"),
)
HOURS = TableSchema(
    "hours",
    (
        Column("region_id", "string", "", "who asks"),
        Column("hour", "integer", "UTC hour", "0 to 23", minimum=0),
        Column("factor", "number", "", "rate in this hour / rate in the region's busiest hour", minimum=0),
    ),
    key=("region_id", "hour"),
)


QUANTILES = ("bytes_p10", "bytes_p90")


def hours_path(path: Path | str) -> Path:
    """The hours file that belongs to a demand file."""
    return Path(path).with_suffix(".hours.csv")


def read_demand(path: Path | str, region_index: Index, asset_index: Index) -> Demand:
    """Reads demand and, where it is there, its hours file. Raises DataError."""
    frame = read_table(path, DEMAND)
    hours = hours_path(path)
    bytes_ = frame["bytes"].to_numpy()
    peak = frame["peak_bps"].to_numpy()
    return Demand.from_entries(
        region_index,
        asset_index,
        positions(frame, "region_id", region_index, "topology's regions"),
        positions(frame, "asset_id", asset_index, "catalog"),
        frame["requests"].to_numpy(),
        bytes_,
        np.where(np.isnan(peak), bytes_ * 8 / 86400, peak),
        _read_hours(hours, region_index) if hours.is_file() else None,
        *(_quantile(frame, name) for name in QUANTILES),
    )


def _quantile(frame: pd.DataFrame, name: str) -> np.ndarray | None:
    """A quantile column; None where it is empty, the expected bytes in rows that leave it so."""
    values = frame[name].to_numpy(dtype=float)
    missing = np.isnan(values)
    return None if missing.all() else np.where(missing, frame["bytes"].to_numpy(), values)


def _read_hours(path: Path, region_index: Index) -> np.ndarray:
    frame = read_table(path, HOURS)
    region = positions(frame, "region_id", region_index, "topology's regions")
    hour = frame["hour"].to_numpy(dtype=np.int64)
    if (hour > 23).any():
        k = int(np.flatnonzero(hour > 23)[0])
        raise DataError([Fault(str(path), int(frame.index[k]), "hour", int(hour[k]), "an hour from 0 to 23")])
    factor = np.zeros((24, len(region_index)))
    factor[hour, region] = frame["factor"].to_numpy()
    top = factor.max(axis=0)
    return np.where(top > 0, factor / np.where(top > 0, top, 1.0), 1.0)


def demand_frame(demand: Demand) -> pd.DataFrame:
    """The demand as a table of its file format."""
    return pd.DataFrame(
        {
            "region_id": demand.region_index.ids_of(demand.region),
            "asset_id": demand.asset_index.ids_of(demand.asset),
            "requests": demand.requests,
            "bytes": demand.bytes,
            "peak_bps": demand.peak_bps,
            **{name: values for name in QUANTILES if (values := getattr(demand, name)) is not None},
        }
    )


def write_demand(demand: Demand, path: Path | str) -> None:
    """Writes the demand file and its hours file."""
    n_hours, n_regions = demand.hour_factor.shape
    hours = pd.DataFrame(
        {
            "region_id": np.repeat(demand.region_index.ids, n_hours),
            "hour": np.tile(np.arange(n_hours), n_regions),
            "factor": demand.hour_factor.T.ravel(),
        }
    )
    write_table(demand_frame(demand), path)
    if n_hours > 1:
        write_table(hours, hours_path(path))
    else:
        hours_path(path).unlink(missing_ok=True)
