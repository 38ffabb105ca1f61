"""``cdn fill`` from files to files, with ids that are hostile to spreadsheets, pages, paths and terminals."""

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from filling.fill_instances import Night

from cdn.cli.fill import fill
from cdn.errors import DataError, ShortfallError
from cdn.files.contents import read_stored_now, write_placement, write_stored_now
from cdn.files.demands import write_demand
from cdn.files.fill_plans import read_fill_plan, write_fill_plan
from cdn.files.schema import write_table
from cdn.files.topologies import write_topology

HOSTILE = {"=cmd()": 6, "<b>": 5, "../x": 4, "[red]": 90}


@pytest.fixture
def night():
    return Night(["[s]"], [("'i", "[s]", 100, (600, 601))], HOSTILE, stored=[("'i", "=cmd()")],
                 wanted=[("[s]", "<b>"), ("[s]", "../x"), ("[s]", "[red]")], demand=[("<b>", 7e6), ("../x", 1e6)],
                 fill_bps=0.7e6)


@pytest.fixture
def files(night, tmp_path):
    """The options that name the night's files."""
    write_topology(night.topology, tmp_path / "t.toml")
    catalog = pd.DataFrame({"asset_id": night.catalog.asset_index.ids, "title_id": night.catalog.title_ids,
                            "size_bytes": night.catalog.size_bytes})
    write_table(catalog, tmp_path / "c.csv")
    write_stored_now(night.stored, night.topology, night.catalog.asset_index, tmp_path / "now.parquet")
    write_placement(night.placement, night.topology.site_index, night.catalog.asset_index, tmp_path / "p.csv")
    write_demand(night.demand, tmp_path / "d.parquet")
    names = {"topology": "t.toml", "catalog": "c.csv", "stored": "now.parquet", "placement": "p.csv",
             "demand": "d.parquet"}
    named = [part for name, file in names.items() for part in (f"--{name}", str(tmp_path / file))]
    return ["--day", "2012-12-28", *named]


def run(*arguments):
    return CliRunner().invoke(fill, [str(argument) for argument in arguments])


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_files_in_and_files_out(night, files, tmp_path, suffix):
    """<b> (5 s at 1 Mbit/s) takes 7.142858 s at 0.7, ../x 5.714286; [red] would take 128.6 of the window's 60."""
    out, after = tmp_path / f"plan.{suffix}", tmp_path / f"after.{suffix}"
    done = run(*files, "--out", out, "--stored-after", after, "--json")
    assert done.exit_code == 0, done.output
    payload = json.loads(done.stdout)
    assert payload["not_fitting"] == [{"site_id": "[s]", "asset_id": "[red]", "bytes": 90 * 125_000, "saving": 0.0,
                                       "reason": "fill window used up"}]
    assert (payload["additions"], payload["removals"], payload["kept"], payload["complete"]) == (2, 0, 1, False)
    (row,) = payload["appliances"]
    assert (row["start"], row["end"]) == ("2012-12-27T10:00:00.000000Z", "2012-12-27T10:00:12.857144Z")
    assert row["bytes_from"] == {"origin": 9 * 125_000}
    plan = read_fill_plan(out, night.topology, night.catalog)
    stored_after = read_stored_now(after, night.topology, night.catalog.asset_index)
    assert night.faults(plan, stored_after=stored_after) == []
    assert [step[2] for step in night.steps(plan)] == ["<b>", "../x"]
    assert night.pairs(stored_after) == {("'i", "=cmd()"), ("'i", "<b>"), ("'i", "../x")}


def test_terminal_output_shows_ids_as_they_are(files, tmp_path):
    done = run(*files, "--out", tmp_path / "plan.parquet")
    assert done.exit_code == 0
    for text in ("[s]", "[red]", "'i", "1 files (11.2 MB) do not fit this night: fill window used up 1", "kept"):
        assert text in done.stdout
    assert "planning the night that prepares 2012-12-28" in done.stderr


def test_strict_writes_the_plan_and_then_fails(files, tmp_path):
    out = tmp_path / "plan.parquet"
    done = run(*files, "--out", out, "--strict")
    assert isinstance(done.exception, ShortfallError)
    assert done.exception.exit_code == 3
    assert out.is_file()


def test_without_demand_small_files_go_first_and_the_same_inputs_give_the_same_bytes(night, files, tmp_path):
    at = files.index("--demand")
    files = files[:at] + files[at + 2:]
    out, again = tmp_path / "plan.parquet", tmp_path / "again.parquet"
    assert run(*files, "--out", out, "--quiet").stderr == ""
    run(*files, "--out", again)
    assert [step[2] for step in night.steps(read_fill_plan(out, night.topology, night.catalog))] == ["../x", "<b>"]
    assert out.read_bytes() == again.read_bytes()


def test_pinned_share_leaves_room_to_a_reactive_policy(files, tmp_path):
    """A tenth of 100 s of storage: =cmd() (6) leaves for <b> (5) and ../x (4); [red] (90) is larger than that."""
    payload = json.loads(run(*files, "--out", tmp_path / "plan.parquet", "--pinned-share", 0.1, "--json").stdout)
    assert (payload["removals"], payload["additions"]) == (1, 2)
    assert payload["not_fitting_reasons"] == {"larger than any appliance": 1}


def test_bad_input_is_one_clear_error_and_nothing_is_written(files, tmp_path):
    (tmp_path / "p.csv").write_text("site_id,asset_id\n[s],nobody\n", encoding="utf-8")
    done = run(*files, "--out", tmp_path / "plan.parquet")
    assert isinstance(done.exception, DataError)
    assert "p.csv:2:asset_id: got 'nobody', expected an id of the catalog" in str(done.exception)
    assert not (tmp_path / "plan.parquet").exists()


@pytest.mark.parametrize(("column", "value", "row"), [("bytes", 1, 1), ("step", 9, 2), ("source_id", "", 1)])
def test_what_the_plan_in_memory_leaves_out_is_checked_when_it_is_read(night, tmp_path, column, value, row):
    path = tmp_path / "plan.csv"
    write_fill_plan(night.plan().plan, night.topology, night.catalog, path)
    frame = pd.read_csv(path, dtype=str)
    frame.loc[row - 1, column] = str(value)
    frame.to_csv(path, index=False)
    with pytest.raises(DataError, match=column):
        read_fill_plan(path, night.topology, night.catalog)


def test_an_empty_plan_survives_being_written(tmp_path):
    night = Night(["s"], [("i", "s", 10, (0, 0))], {"a": 1})
    for name in ("plan.csv", "plan.parquet"):
        write_fill_plan(night.plan().plan, night.topology, night.catalog, tmp_path / name)
        plan = read_fill_plan(tmp_path / name, night.topology, night.catalog)
        assert len(plan) == 0
        assert plan.start_us.dtype == np.int64
