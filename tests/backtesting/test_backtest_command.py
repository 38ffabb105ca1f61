"""``cdn backtest`` as it is called, its files and its picture."""

import json
from pathlib import Path

import pandas as pd
import pytest
from backtesting.backtest_examples import random_log
from click.testing import CliRunner

from cdn.backtesting.running import date_of
from cdn.cli import cli
from cdn.errors import DataError, UnknownNameError

SHIFT = 20_000
"""Days from those of the example to those of these logs, 12 to 23 January 2025."""
FILES = ["backtest.json", "backtest.png", "backtest.svg", "comparisons.csv", "days.csv", "scores.csv", "seconds.csv",
         "sums.parquet"]
TOPOLOGY = """
[[sites]]
id = "origin"
kind = "origin"
[[sites]]
id = "edge"
kind = "edge"
[[appliances]]
id = "edge-1"
site = "edge"
storage_gb = 4e-7
[[regions]]
id = "north"
site_or_node = "edge"
[[regions]]
id = "south"
site_or_node = "edge"
[[links]]
a = "edge"
b = "origin"
cost_per_gb = 1.0
"""


@pytest.fixture
def folder(tmp_path) -> Path:
    """Twelve days of two regions and twenty assets; each request has a client, one of which asks for everything."""
    log = random_log(7)
    client = [f"c{k % 40}" for k in range(len(log))]
    rows = pd.DataFrame({"time": pd.to_datetime(log.time_us, unit="us") + pd.Timedelta(days=SHIFT),
                         "region_id": log.region_index.ids_of(log.region),
                         "asset_id": log.asset_index.ids_of(log.asset), "bytes": log.bytes, "session_id": client})
    sweep = rows.iloc[:20].assign(asset_id=[f"a{k}" for k in range(20)], session_id="bot",
                                  time=date_of(SHIFT + 111) + pd.Timedelta(hours=1))
    pd.concat([rows, sweep]).to_csv(tmp_path / "log.csv", index=False, date_format="%Y-%m-%dT%H:%M:%SZ")
    assets = "".join(f"a{k},a{k},100\n" for k in range(20))
    (tmp_path / "catalog.csv").write_text("asset_id,title_id,size_bytes\n" + assets)
    (tmp_path / "topology.toml").write_text(TOPOLOGY)
    return tmp_path


def invoke(folder, *arguments, out="out", log="log.csv"):
    options = ["--log", folder / log, "--catalog", folder / "catalog.csv", "--out", folder / out, "--days", 4,
               "--horizon", "1,3", "--sweeping-assets", 15]
    return CliRunner().invoke(cli, ["backtest", *map(str, [*options, *arguments])], catch_exceptions=False)


@pytest.mark.parametrize("network", [(), ("--topology", "topology.toml")])
def test_files_and_figures(folder, network):
    network = [folder / part if part.endswith("toml") else part for part in network]
    result = invoke(folder, "--methods", "last_day,moving_average", "--json", *network)
    figures = json.loads(result.stdout)
    assert sorted(path.name for path in (folder / "out").iterdir()) == FILES
    assert figures["days"] == [f"{date_of(SHIFT + day):%Y-%m-%d}" for day in (108, 109, 110, 111)]
    assert {(row["method"], row["horizon"]) for row in figures["scores"]} == {
        (method, horizon) for method in ("last_day", "moving_average") for horizon in (1, 3)}
    assert all(0 <= row["offload"] <= row["clairvoyant_offload"] <= 1 and row["lru_offload"] > 0
               for row in figures["scores"])
    assert [row["method"] for row in figures["comparisons"]] == ["moving_average"] * 2
    stored = json.loads((folder / "out" / "backtest.json").read_text())
    assert stored["scores"] == figures["scores"] and stored["parameters"]["baseline"] == "last_day"
    assert stored["parameters"]["sweeping"] == {"client_days": 1, "distinct_assets": 15, "left_out": False,
                                                "requests": 20, "requests_with_session": stored["parameters"]["log"][
                                                    "rows_read"]}
    scores = pd.read_csv(folder / "out" / "scores.csv")
    assert set(scores["grouping"]) == {"all", "region", "region_size", "popularity", "age", "news"}
    assert (folder / "out" / "backtest.png").read_bytes().startswith(b"\x89PNG")


def test_no_figure_of_the_table_is_cut_off_in_a_pipe(folder):
    """With a rule and intervals, in the 100 columns there are."""
    text = invoke(folder, "--methods", "last_day,moving_average", "--topology", folder / "topology.toml", "--days", 5,
                  "--robust", "quantile:0.3").stdout
    assert " to " in text and "quantile:0.3" in text and "\N{HORIZONTAL ELLIPSIS}" not in text


def test_a_rule_is_held_against_placing_what_is_expected_within_egress_limits(folder):
    """An egress of a request an hour: less is kept off the origin than without limits, whatever places."""
    limited = TOPOLOGY.replace("storage_gb = 4e-7", "storage_gb = 4e-7\negress_gbps = 3e-10")
    (folder / "limited.toml").write_text(limited)
    offload = {}
    for topology in ("topology.toml", "limited.toml"):
        result = invoke(folder, "--methods", "exponential", "--topology", folder / topology, "--robust", "quantile:0.9",
                        "--robust", "scenarios:2", "--json", out=topology[:-5])
        figures = json.loads(result.stdout)
        labels = ["exponential", "exponential quantile:0.9", "exponential scenarios:2"]
        assert sorted({row["method"] for row in figures["scores"]}) == labels
        assert {row["baseline"] for row in figures["comparisons"]} == {"exponential"}
        assert all(row["decision_loss"] is None for row in figures["scores"] if " " in row["method"])
        offload[topology] = {(row["method"], row["horizon"]): row["offload"] for row in figures["scores"]}
    assert all(0 < offload["limited.toml"][key] < value for key, value in offload["topology.toml"].items())


def test_a_calendar_is_followed_by_the_methods_that_look_at_one(folder):
    """A day is said to have ten times its requests: empirical_bayes expects that many, last_day no more than usual."""
    (folder / "calendar.csv").write_text("date,kind,factor\n2025-01-23,sale,10\n")
    options = ["--methods", "last_day,empirical_bayes", "--horizon", 1, "--until", "2025-01-24", "--days", 1, "--json"]
    usual, told = (json.loads(invoke(folder, *options, *more, out=out).stdout) for out, more in (
        ("usual", []), ("told", ["--calendar", folder / "calendar.csv"])))
    ratio = {method: (1 + one["bias"]) / (1 + other["bias"])
             for one, other in zip(told["scores"], usual["scores"], strict=True) for method in [one["method"]]}
    assert ratio["last_day"] == 1 and ratio["empirical_bayes"] == pytest.approx(10, rel=0.01)
    assert any(path.endswith("calendar.csv") for path in told["parameters"]["inputs"])


def test_the_same_call_writes_the_same_bytes(folder):
    for out in ("one", "two"):
        assert invoke(folder, "--methods", "shrinkage,last_day", out=out).exit_code == 0
    for name in FILES:
        if name != "seconds.csv":
            assert (folder / "one" / name).read_bytes() == (folder / "two" / name).read_bytes(), name


def test_the_table_names_methods_and_sweeping_clients(folder):
    text = invoke(folder, "--methods", "last_day,exponential").stdout
    assert "1 day(s) ahead, 4 day(s) tested" in text and "exponential" in text and "against last_day" in text
    assert "1 client days with more than 15 distinct assets: 20 requests" in text and "kept" in text
    assert "left out" in invoke(folder, "--methods", "last_day", "--exclude-sweeping").stdout


def test_sweeping_clients_change_the_day_unless_they_are_left_out(folder):
    for out, options in (("with", []), ("without", ["--exclude-sweeping"])):
        invoke(folder, "--methods", "last_day", *options, out=out)
    asked = [pd.read_csv(folder / out / "days.csv").set_index(["horizon", "day"])["true_requests"][1, "2025-01-23"]
             for out in ("with", "without")]
    assert asked[0] - asked[1] == 20


def test_days_until(folder):
    figures = json.loads(invoke(folder, "--methods", "last_day", "--until", "2025-01-21", "--json").stdout)
    assert figures["days"][-1] == "2025-01-20" and len(figures["days"]) == 4


@pytest.mark.parametrize(("options", "words"), [
    (["--horizon", "0"], "is not a list of days from 1 to 366"), (["--horizon", "1,x"], "such as 1,7"),
    (["--horizon", ""], "such as 1,7"), (["--days", "0"], "0 is not in the range"),
    (["--cache-share", "0"], "0.0 is not"), (["--placement-method", "magic"], "'magic' is not one of"),
    (["--robust", "magic:1"], "robust rule 'magic'"), (["--robust", "quantile:2"], "with Q from 0.1 to 0.9")])
def test_options_that_make_no_sense_are_a_usage_error(folder, options, words):
    result = invoke(folder, *options)
    assert result.exit_code == 2 and words in result.stderr
    assert not (folder / "out").exists()


def test_unknown_names_list_the_known_ones(folder):
    with pytest.raises(UnknownNameError, match=r"forecasting method 'magic'; known: .*shrinkage"):
        invoke(folder, "--methods", "last_day,magic")
    with pytest.raises(UnknownNameError, match="baseline 'shrinkage'; known: last_day"):
        invoke(folder, "--methods", "last_day", "--baseline", "shrinkage")


def test_logs_that_cannot_be_tested_are_refused(folder):
    with pytest.raises(DataError, match=r"30 day\(s\) after an earlier one"):
        invoke(folder, "--horizon", "30")
    with pytest.raises(DataError, match=r"missing\.csv: expected a log file"):
        invoke(folder, log="missing.csv")
    (folder / "log.csv").write_text("time,region_id,asset_id,bytes\n2025-01-18T00:00:00Z,north,nothing,5\n")
    with pytest.raises(DataError, match=r"asset_id: got 'nothing', expected an asset of the catalog"):
        invoke(folder)
    assert not (folder / "out").exists()
