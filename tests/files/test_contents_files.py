"""What is stored now, placements and routings as files."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from instances import problem_of, two_edges_one_mid

from cdn.errors import DataError
from cdn.files.contents import (
    placement_of_stored,
    read_placement,
    read_routing,
    read_stored_now,
    write_placement,
    write_routing,
    write_stored_now,
)
from cdn.model.fill_plan import StoredNow
from cdn.model.index import Index
from cdn.model.placement import Routing
from cdn.model.site_assets import SiteAssets

TOPOLOGY = two_edges_one_mid()
ASSETS = Index(["a", "b", "c"])
PROBLEM = problem_of(TOPOLOGY, {"a": 1, "b": 2, "c": 3}, [("r1", "a", 5.0), ("r2", "a", 5.0), ("r1", "c", 5.0)])
PAIRS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), unique=True)


def write(folder, text):
    path = folder / "t.csv"
    path.write_text(text, encoding="utf-8")
    return path


def places_of(caught):
    return [(fault.row, fault.column) for fault in caught.value.faults]


def test_stored_now_is_read_by_appliance(tmp_path):
    stored = read_stored_now(write(tmp_path, "appliance_id,asset_id\na-m,c\na-e1,a\n"), TOPOLOGY, ASSETS)
    assert stored.appliance.tolist() == [2, 0]
    assert stored.asset.tolist() == [2, 0]
    assert placement_of_stored(stored, TOPOLOGY, len(ASSETS)).dense(3).tolist() == [
        [True, False, False],
        [False, False, False],
        [False, False, True],
    ]


@pytest.mark.parametrize(
    ("rows", "place"),
    [
        ("e1,a", (3, "appliance_id")),
        ("a-e1,z", (3, "asset_id")),
        ("a-e1,", (3, "asset_id")),
        ("a-e1,b", (3, "appliance_id+asset_id")),
    ],
)
def test_bad_rows_of_stored_now(tmp_path, rows, place):
    with pytest.raises(DataError) as caught:
        read_stored_now(write(tmp_path, f"appliance_id,asset_id\na-e1,b\n{rows}\n"), TOPOLOGY, ASSETS)
    assert places_of(caught) == [place]


@pytest.mark.parametrize(
    ("rows", "place"), [("a-e1,a", (2, "site_id")), ("e1,z", (2, "asset_id")), ("o,a", (2, "site_id"))]
)
def test_bad_rows_of_a_placement(tmp_path, rows, place):
    """An appliance is no site; an unknown asset; the origin holds everything and is not listed."""
    with pytest.raises(DataError) as caught:
        read_placement(write(tmp_path, f"site_id,asset_id\n{rows}\n"), TOPOLOGY.site_index, ASSETS)
    assert places_of(caught) == [place]


@pytest.mark.parametrize(
    ("rows", "place"),
    [
        ("e1,r2,c,1", (2, "asset_id")),
        ("e1,r1,b,1", (2, "asset_id")),
        ("e1,r1,a,0", (2, "share")),
        ("e1,z,a,1", (2, "region_id")),
    ],
)
def test_bad_rows_of_a_routing(tmp_path, rows, place):
    """(r2, c) and (r1, b) are no entries of the demand; nobody serves a share of nothing; z is no region."""
    with pytest.raises(DataError) as caught:
        read_routing(write(tmp_path, f"site_id,region_id,asset_id,share\n{rows}\n"), PROBLEM)
    assert places_of(caught) == [place]


def test_a_routing_of_no_demand_is_refused_row_by_row(tmp_path):
    nothing_asked = problem_of(TOPOLOGY, {"a": 1}, [])
    with pytest.raises(DataError) as caught:
        read_routing(write(tmp_path, "site_id,region_id,asset_id,share\ne1,r1,a,1\n"), nothing_asked)
    assert places_of(caught) == [(2, "asset_id")]


@settings(max_examples=30, deadline=None)
@given(PAIRS)
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_contents_read_back_as_written(tmp_path_factory, suffix, pairs):
    first, asset = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    path = tmp_path_factory.mktemp("contents") / f"t{suffix}"
    placed = SiteAssets.from_pairs(first, asset, 3)
    write_placement(placed, TOPOLOGY.site_index, ASSETS, path)
    again = read_placement(path, TOPOLOGY.site_index, ASSETS)
    assert again.indptr.tolist() == placed.indptr.tolist()
    assert again.site.tolist() == placed.site.tolist()
    write_stored_now(StoredNow(first, asset), TOPOLOGY, ASSETS, path)
    stored = read_stored_now(path, TOPOLOGY, ASSETS)
    assert list(zip(stored.appliance.tolist(), stored.asset.tolist(), strict=True)) == sorted(pairs)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_routing_reads_back_as_written(tmp_path, suffix):
    """Demand entries by asset, then region: 0 = (r1, a), 1 = (r2, a), 2 = (r1, c)."""
    routing = Routing([2, 0, 0], [0, 2, 1], [1.0, 0.25, 1 / 3])
    write_routing(routing, PROBLEM, tmp_path / f"t{suffix}")
    again = read_routing(tmp_path / f"t{suffix}", PROBLEM)
    assert again.entry.tolist() == [0, 0, 2]
    assert again.site.tolist() == [1, 2, 0]
    assert again.share.tolist() == [1 / 3, 0.25, 1.0]
