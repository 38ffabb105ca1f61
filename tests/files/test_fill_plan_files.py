"""The fill plan file."""

import numpy as np
import pytest
from instances import two_edges_one_mid

from cdn.errors import DataError
from cdn.files.fill_plans import read_fill_plan, write_fill_plan
from cdn.model.catalog import Catalog
from cdn.model.fill_plan import FillPlan

TOPOLOGY = two_edges_one_mid()
CATALOG = Catalog.of_sizes(["a", "b"], [5, 7])
HEADER = "step,start,end,appliance_id,action,asset_id,bytes,source_id\n"
REMOVAL = "1,2012-12-28T02:00:00Z,2012-12-28T02:00:00Z,a-e1,remove,a,5,\n"
ADDITION = "2,2012-12-28T02:00:00Z,2012-12-28T02:00:01.5Z,a-e1,add,b,7,m\n"


def read(folder, text):
    path = folder / "plan.csv"
    path.write_text(text, encoding="utf-8")
    return read_fill_plan(path, TOPOLOGY, CATALOG)


def test_steps_are_read_in_their_order_wherever_they_stand(tmp_path):
    plan = read(tmp_path, HEADER + ADDITION + REMOVAL)
    assert plan.add.tolist() == [False, True]
    assert plan.asset.tolist() == [0, 1]
    assert plan.appliance.tolist() == [0, 0]
    assert plan.source.tolist() == [-1, 2]
    assert (plan.end_us - plan.start_us).tolist() == [0, 1_500_000]
    assert plan.start_us[0] == np.datetime64("2012-12-28T02:00:00", "us").astype(np.int64)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_plan_reads_back_to_the_microsecond(tmp_path, suffix):
    plan = FillPlan([10**15, 10**15 + 1], [10**15, 10**15 + 1_000_007], [0, 2], [False, True], [0, 1], [-1, 3])
    path = tmp_path / f"plan{suffix}"
    write_fill_plan(plan, TOPOLOGY, CATALOG, path)
    again = read_fill_plan(path, TOPOLOGY, CATALOG)
    for name in ("start_us", "end_us", "appliance", "add", "asset", "source"):
        assert getattr(again, name).tolist() == getattr(plan, name).tolist(), name


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_an_empty_plan_is_a_plan(tmp_path, suffix):
    path = tmp_path / f"plan{suffix}"
    write_fill_plan(FillPlan([], [], [], [], [], []), TOPOLOGY, CATALOG, path)
    assert len(read_fill_plan(path, TOPOLOGY, CATALOG)) == 0


@pytest.mark.parametrize(
    ("old", "new", "column"),
    [
        (",add,", ",ad,", "action"),
        (",a-e1,add", ",e1,add", "appliance_id"),
        (",b,7", ",z,7", "asset_id"),
        (",7,", ",8,", "bytes"),
        (",m\n", ",\n", "source_id"),
        (",m\n", ",x\n", "source_id"),
        ("2,2012", "4,2012", "step"),
        ("2,2012", "1,2012", "step"),
        ("2,2012", "0,2012", "step"),
        ("02:00:01.5Z", "25:00:01Z", "end"),
    ],
)
def test_an_altered_row_is_a_fault(tmp_path, old, new, column):
    with pytest.raises(DataError) as caught:
        read(tmp_path, HEADER + REMOVAL + ADDITION.replace(old, new, 1))
    assert [(fault.row, fault.column) for fault in caught.value.faults] == [(3, column)]


def test_a_removal_has_no_source(tmp_path):
    with pytest.raises(DataError, match="source_id"):
        read(tmp_path, HEADER + REMOVAL.replace(",5,", ",5,m") + ADDITION)
