"""The demand file and its hours."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cdn.errors import DataError
from cdn.files.demands import hours_path, read_demand, write_demand
from cdn.model.demand import Demand
from cdn.model.index import Index

REGIONS, ASSETS = Index(["r", "q"]), Index(["a", "b", "c"])


def read(folder, text, hours=None):
    path = folder / "demand.csv"
    path.write_text(text, encoding="utf-8")
    if hours is not None:
        hours_path(path).write_text(hours, encoding="utf-8")
    return read_demand(path, REGIONS, ASSETS)


def test_entries_are_ordered_by_asset_then_region(tmp_path):
    """A row without a peak spreads its bytes over the day: 86,400 bytes are 8 bit/s."""
    demand = read(tmp_path, "region_id,asset_id,requests,bytes,peak_bps\nq,c,1,10,5\nr,c,2,86400,\nq,a,0.5,30,7\n")
    assert demand.asset.tolist() == [0, 2, 2]
    assert demand.region.tolist() == [1, 0, 1]
    assert demand.requests.tolist() == [0.5, 2, 1]
    assert demand.bytes.tolist() == [30, 86400, 10]
    assert demand.peak_bps.tolist() == [7, 8, 5]
    assert demand.indptr.tolist() == [0, 1, 1, 3]
    assert demand.hour_factor.tolist() == [[1, 1]]


def test_hours_are_scaled_to_a_peak_of_one(tmp_path):
    """Region r peaks at 20 h; a region of which nothing is said is as busy all day."""
    demand = read(tmp_path, "region_id,asset_id,requests,bytes\nr,a,1,1\n", "region_id,hour,factor\nr,20,4\nr,3,1\n")
    assert demand.hour_factor.shape == (24, 2)
    assert demand.hour_factor[:, 0].tolist() == [0.25 if h == 3 else float(h == 20) for h in range(24)]
    assert demand.hour_factor[:, 1].tolist() == [1.0] * 24


@pytest.mark.parametrize(
    ("rows", "row", "column"),
    [
        ("z,a,1,1", 3, "region_id"),
        ("r,z,1,1", 3, "asset_id"),
        ("r,a,-1,1", 3, "requests"),
        ("r,a,1,nan", 3, "bytes"),
        ("r,a,1,inf", 3, "bytes"),
        ("r,b,1,1", 3, "region_id+asset_id"),
    ],
)
def test_bad_rows_are_faults(tmp_path, rows, row, column):
    with pytest.raises(DataError) as caught:
        read(tmp_path, f"region_id,asset_id,requests,bytes\nr,b,1,1\n{rows}\n")
    assert [(fault.row, fault.column) for fault in caught.value.faults] == [(row, column)]


@pytest.mark.parametrize("hours", ["r,24,1", "r,-1,1", "z,1,1", "r,1,-1", "r,1,1\nr,1,1", "r,1.5,1"])
def test_bad_hours_are_faults_of_the_hours_file(tmp_path, hours):
    with pytest.raises(DataError) as caught:
        read(tmp_path, "region_id,asset_id,requests,bytes\nr,a,1,1\n", f"region_id,hour,factor\n{hours}\n")
    assert {fault.file for fault in caught.value.faults} == {str(tmp_path / "demand.hours.csv")}


def test_no_demand_is_demand(tmp_path):
    assert len(read(tmp_path, "region_id,asset_id,requests,bytes\n")) == 0


ENTRIES = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 2), st.floats(0, 1e12), st.floats(0, 1e15), st.floats(0, 1e12)),
    unique_by=lambda entry: entry[:2],
)


@settings(max_examples=40, deadline=None)
@given(ENTRIES, st.booleans(), st.integers(0, 23))
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_demand_reads_back_as_written(tmp_path_factory, suffix, entries, hourly, peak_hour):
    region, asset, requests, bytes_, peak = np.array(entries, dtype=float).reshape(-1, 5).T
    hour_factor = None
    if hourly:
        hour_factor = np.full((24, 2), 0.5)
        hour_factor[peak_hour] = 1
    demand = Demand.from_entries(REGIONS, ASSETS, region, asset, requests, bytes_, peak, hour_factor)
    path = tmp_path_factory.mktemp("demand") / f"d{suffix}"
    write_demand(demand, path)
    again = read_demand(path, REGIONS, ASSETS)
    for name in ("indptr", "region", "requests", "bytes", "peak_bps", "hour_factor"):
        assert np.array_equal(getattr(again, name), getattr(demand, name)), name


def test_writing_demand_without_hours_takes_old_hours_away(tmp_path):
    """Else the next reader would mix two days."""
    flat = Demand.from_entries(REGIONS, ASSETS, [0], [0], [1.0], [1.0])
    hourly = Demand.from_entries(REGIONS, ASSETS, [0], [0], [1.0], [1.0], None, np.eye(24)[:, [3, 5]])
    write_demand(hourly, tmp_path / "d.csv")
    assert hours_path(tmp_path / "d.csv").is_file()
    write_demand(flat, tmp_path / "d.csv")
    assert not hours_path(tmp_path / "d.csv").exists()
