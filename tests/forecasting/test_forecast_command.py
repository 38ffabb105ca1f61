"""``cdn forecast`` as it is called."""

import json

import pandas as pd
import pytest
from click.testing import CliRunner

from cdn.cli import cli
from cdn.errors import CdnError, DataError, UnknownNameError
from cdn.files.demands import read_demand
from cdn.files.topologies import read_topology
from cdn.model.index import Index

TOPOLOGY = """
[[sites]]
id = "origin"
kind = "origin"
[[regions]]
id = "big"
site_or_node = "origin"
[[regions]]
id = "small"
site_or_node = "origin"
"""
LOG = """time,region_id,asset_id,bytes
2012-12-26T12:00:00Z,big,[red]a,100
2012-12-27T12:00:00Z,big,[red]a,100
2012-12-27T12:00:00Z,big,[red]a,100
2012-12-27T12:00:00Z,small,b,200
2012-12-28T12:00:00Z,small,b,200
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "topology.toml").write_text(TOPOLOGY)
    (tmp_path / "catalog.csv").write_text("asset_id,title_id,size_bytes\n[red]a,a,100\nb,b,200\n")
    (tmp_path / "log.csv").write_text(LOG)
    return tmp_path


def invoke(folder, *arguments, out="demand.csv"):
    files = {"--log": "log.csv", "--topology": "topology.toml", "--catalog": "catalog.csv", "--out": out}
    options = [part for option, name in files.items() for part in (option, str(folder / name))]
    return CliRunner().invoke(cli, ["forecast", *options, *map(str, arguments)], catch_exceptions=False)


def test_the_demand_file_is_the_forecast(folder):
    """The last day before the 28th: big asked twice for a, small once for b; the 28th itself is not looked at."""
    result = invoke(folder, "--day", "2012-12-28", "--method", "last_day", "--json")
    figures = json.loads(result.stdout)
    assert (figures["regions"], figures["entries"], figures["requests"]) == (2, 2, 3.0)
    assert figures["bytes"] == pytest.approx(400) and (figures["days_observed"], figures["days_missing"]) == (2, 0)
    assert [asset["asset_id"] for asset in figures["top_assets"]] == ["[red]a", "b"]
    assert figures["log"]["duplicates"] == 1
    regions = read_topology(folder / "topology.toml").region_index
    demand = read_demand(folder / "demand.csv", regions, Index(["[red]a", "b"]))
    assert demand.requests.tolist() == [2, 1] and demand.bytes.tolist() == pytest.approx([200, 200])
    assert demand.hour_factor.shape == (24, 2)


@pytest.mark.parametrize("out", ["demand.csv", "demand.parquet"])
def test_the_same_call_writes_the_same_bytes(folder, out):
    first = invoke(folder, "--day", "2012-12-28", out=out) and (folder / out).read_bytes()
    assert invoke(folder, "--day", "2012-12-28", out=out).exit_code == 0 and (folder / out).read_bytes() == first


def test_the_table_shows_ids_as_they_are(folder):
    text = invoke(folder, "--day", "2012-12-28", "--method", "shrinkage").stdout
    assert "shrinkage for 2012-12-28 from 2 day(s), 0 missing" in text and "[red]a" in text
    assert "5 rows read, 0 bad, 1 exact duplicates" in text


def test_parameters_reach_the_method(folder):
    invoke(folder, "--day", "2012-12-28", "--method", "moving_average", "--parameter", "window_days=1")
    assert pd.read_csv(folder / "demand.csv")["requests"].tolist() == [2, 1]
    invoke(folder, "--day", "2012-12-28", "--method", "moving_average", "--parameter", "window_days=2")
    assert pd.read_csv(folder / "demand.csv")["requests"].tolist() == [1.5, 0.5]
    with pytest.raises(UnknownNameError, match="known: window_days"):
        invoke(folder, "--day", "2012-12-28", "--method", "moving_average", "--parameter", "k=1")
    for value in ("window_days", "window_days=many", "window_days=[1]"):
        assert invoke(folder, "--day", "2012-12-28", "--parameter", value).exit_code == 2


@pytest.mark.parametrize(("method", "parameter", "message"), [
    ("ensemble", "experts=1", "experts is a dict or null, not 1"),
    ("ensemble", "trees=7", "trees is true or false or null, not 7"),
    ("ensemble", "judged_days=2.5", "judged_days is a whole number, not 2.5"),
    ("moving_average", "window_days=null", "window_days is a whole number, not None"),
    ("low_rank", "factors=true", "factors is a whole number, not True"),
    ("shrinkage", "k=false", "k is a number or null, not False"),
    ("shrinkage", "k=-1", "k is a positive number, not -1")])
def test_parameters_of_another_type_are_refused(folder, method, parameter, message):
    with pytest.raises(CdnError, match=f"forecasting method {method}: {message}"):
        invoke(folder, "--day", "2012-12-28", "--method", method, "--parameter", parameter)
    assert not (folder / "demand.csv").exists()


def test_nothing_is_written_where_nothing_can_be_forecast(folder):
    with pytest.raises(DataError, match="requests in the days before 2012-12-26"):
        invoke(folder, "--day", "2012-12-26")
    (folder / "log.csv").write_text(LOG + "x,big,b,1\n")
    with pytest.raises(DataError, match=r"log\.csv:7:time: got 'x'"):
        invoke(folder, "--day", "2012-12-28")
    assert not (folder / "demand.csv").exists()
    tolerant = invoke(folder, "--day", "2012-12-28", "--bad-share", "0.2", "--quarantine", folder / "bad.csv")
    assert tolerant.exit_code == 0
    assert pd.read_csv(folder / "bad.csv")["line"].tolist() == [7]


def test_a_calendar_and_the_record_beside_the_demand(folder):
    """The 28th is known to be three times as busy; the record names the method, its parameters and the files."""
    (folder / "calendar.csv").write_text("date,kind,factor\n2012-12-28,sale,3\n")
    method = ("--day", "2012-12-28", "--method", "empirical_bayes", "--parameter", "min_requests=0")
    invoke(folder, *method)
    usual = pd.read_csv(folder / "demand.csv")
    invoke(folder, *method, "--calendar", folder / "calendar.csv")
    busy = pd.read_csv(folder / "demand.csv")
    assert busy["requests"].sum() == pytest.approx(3 * usual["requests"].sum())
    assert {"bytes_p10", "bytes_p90"} <= set(busy.columns)
    record = json.loads((folder / "demand.forecast.json").read_text())
    assert record["method"] == "empirical_bayes" and record["parameters"]["min_requests"] == 0
    assert list(record["inputs"]["calendar"]) == [str(folder / "calendar.csv")]


@pytest.mark.parametrize(("row", "message"), [
    ("2012-12-28,sale,-1,,", "factor"), ("2012-12-28,sale,2,nowhere,", "nowhere"), ("2012-12-28,sale,2,,x", "'x'"),
    ("soon,sale,2,,", "soon")])
def test_a_calendar_with_faults_is_refused(folder, row, message):
    (folder / "calendar.csv").write_text(f"date,kind,factor,region_id,asset_id\n{row}\n")
    with pytest.raises(DataError, match=message):
        invoke(folder, "--day", "2012-12-28", "--calendar", folder / "calendar.csv")


def test_sweeping_clients_are_left_out_when_asked(folder):
    """Client s asks for both assets on one day, client t for one: with a limit of one asset a day, s
    sweeps, and the 26th, which nobody else asked on, counts as missing."""
    rows = ["2012-12-26T10:00:00Z,big,[red]a,10,s", "2012-12-26T10:01:00Z,big,b,10,s",
            "2012-12-27T10:00:00Z,big,b,10,t"]
    (folder / "log.csv").write_text("\n".join(["time,region_id,asset_id,bytes,session_id", *rows]) + "\n")
    requests = []
    for options in ([], ["--exclude-sweeping", "--sweeping-assets", 1]):
        result = invoke(folder, "--day", "2012-12-28", "--method", "moving_average", "--json", *options)
        requests.append(json.loads(result.stdout)["requests"])
    assert requests == [1.5, 1.0]


def test_the_level_reaches_the_forecast_and_its_record(folder):
    """Both assets as files of one title: big asked for a alone, small for b alone, and yet each is expected to ask for
    the other file too; a region's parts are its title's."""
    (folder / "catalog.csv").write_text("asset_id,title_id,size_bytes\n[red]a,t,100\nb,t,200\n")
    by_level = {}
    for level in ("file", "title"):
        invoke(folder, "--day", "2012-12-28", "--method", "last_day", "--level", level)
        by_level[level] = pd.read_csv(folder / "demand.csv")
        assert json.loads((folder / "demand.forecast.json").read_text())["level"] == level
    assert len(by_level["file"]) == 2 and len(by_level["title"]) == 4
    totals = [frame.groupby("region_id")["requests"].sum() for frame in by_level.values()]
    pd.testing.assert_series_equal(*totals, check_dtype=False)
