"""``cdn forecast`` from files to files."""

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from instances import two_edges_one_mid

from cdn.cli import cli
from cdn.files.topologies import read_topology, write_topology


@pytest.fixture
def folder(tmp_path):
    """Ten requests of 5 bytes on 14 and 20 on 15 March in the first region, one hour each; assets of 5 bytes."""
    write_topology(two_edges_one_mid((60, 50, 120)), tmp_path / "t.toml")
    pd.DataFrame({"asset_id": ["a", "b"], "title_id": ["a", "b"], "size_bytes": [5, 5]}).to_csv(
        tmp_path / "c.csv", index=False)
    write_log(tmp_path, [("2026-03-14", "a")] * 10 + [("2026-03-15", "a")] * 20)
    return tmp_path


def write_log(folder, requests):
    region = read_topology(folder / "t.toml").region_index.id_of(0)
    lines = [f"{day}T20:00:{i:02d}Z,{region},{asset},5" for i, (day, asset) in enumerate(requests)]
    (folder / "log.csv").write_text("\n".join(["time,region_id,asset_id,bytes", *lines]) + "\n", encoding="utf-8")


def run(folder, *words):
    return CliRunner().invoke(cli, [
        "forecast", "--log", str(folder / "log.csv"), "--topology", str(folder / "t.toml"), "--catalog",
        str(folder / "c.csv"), "--day", "2026-03-16", "--out", str(folder / "d.csv"), "--quiet", *words])


def test_the_mean_of_two_days_from_file_to_file(folder):
    """15 requests of 5 bytes, all in one hour: 75 bytes, 75 * 8 / 3600 bit/s at the peak."""
    result = run(folder, "--method", "moving_average", "--parameter", "window_days=2", "--json")
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    assert (figures["days_observed"], figures["days_missing"], figures["entries"]) == (2, 0, 1)
    assert figures["requests"] == pytest.approx(15) and figures["bytes"] == pytest.approx(75)
    assert figures["peak_bps"] == pytest.approx(75 * 8 / 3600)
    assert figures["top_assets"] == [{"asset_id": "a", "bytes": pytest.approx(75)}]
    table = pd.read_csv(folder / "d.csv")
    assert table["asset_id"].tolist() == ["a"] and np.allclose(table[["requests", "bytes"]], [[15, 75]])
    assert (folder / "d.hours.csv").exists()


def test_requests_on_the_day_and_later_change_no_byte(folder):
    assert run(folder).exit_code == 0
    before = [(folder / name).read_bytes() for name in ("d.csv", "d.hours.csv")]
    write_log(folder, [("2026-03-14", "a")] * 10 + [("2026-03-15", "a")] * 20 + [("2026-03-16", "b")] * 9
              + [("2026-04-01", "a")] * 9)
    assert run(folder).exit_code == 0
    assert [(folder / name).read_bytes() for name in ("d.csv", "d.hours.csv")] == before


def test_the_table_for_people(folder):
    result = run(folder, "--method", "last_day")
    assert result.exit_code == 0 and "last_day for 2026-03-16 from 2 day(s), 0 missing" in result.stdout


@pytest.mark.parametrize(("words", "code", "said"), [
    (("--method", "oracle"), 2, "shrinkage"), (("--parameter", "window_days=3"), 2, "half_life_days"),
    (("--parameter", "k=-1"), 1, "k is a positive number"), (("--parameter", "k=many"), 2, "name=value"),
    (("--history-days", "0"), 2, "history-days"), (("--day", "2026-02-30"), 2, "not a day"),
    (("--day", "2026-03-14"), 1, "requests in the")])
def test_what_is_refused_and_why(folder, words, code, said):
    result = run(folder, *words)
    assert result.exit_code == code and said in " ".join(result.output.split()), result.output
    assert not (folder / "d.csv").exists()
