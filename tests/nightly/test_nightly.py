"""A whole small night: the same bytes twice, crashes that leave last night's run, and no look into the future."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from instances import two_edges_one_mid

import cdn.nightly.running as running
from cdn.cli import cli
from cdn.errors import DataError
from cdn.files.schema import read_raw, write_table
from cdn.files.topologies import write_topology
from cdn.nightly import read_config, run_night
from cdn.verification import verify_folder

DAYS = pd.date_range("2026-03-01", "2026-03-04")
CONFIG = """
[inputs]
topology = "t.toml"
catalog = "c.csv"
history = ["history"]
stored_now = "now.csv"
replay = ["day.parquet"]

[placement]
reactive_share = {share}

[forecast]
method = "{method}"
"""


def write_inputs(folder: Path, share: float = 0.0, method: str = "shrinkage") -> Path:
    """Thirty assets with a Zipf demand in two regions over four days; the last day is held out."""
    rng = np.random.default_rng(11)
    write_topology(two_edges_one_mid((60, 50, 120)), folder / "t.toml")
    ids = [f"a{k}" for k in range(30)]
    sizes = rng.integers(5, 40, 30)
    pd.DataFrame({"asset_id": ids, "title_id": ids, "size_bytes": sizes}).to_csv(folder / "c.csv", index=False)
    pd.DataFrame({"appliance_id": ["a-e1", "a-m"], "asset_id": ["a29", "a28"]}).to_csv(folder / "now.csv", index=False)
    (folder / "history").mkdir()
    weight = 1 / np.arange(1, 31)
    for day in DAYS:
        asset = rng.choice(30, 300, p=weight / weight.sum())
        frame = pd.DataFrame(
            {
                "time": day + pd.to_timedelta(np.sort(rng.integers(0, 86400, 300)), unit="s"),
                "region_id": rng.choice(["r1", "r2"], 300),
                "asset_id": np.array(ids)[asset],
                "bytes": sizes[asset],
            }
        )
        name = "day.parquet" if day == DAYS[-1] else f"history/requests-{day:%Y-%m-%d}.parquet"
        write_table(frame, folder / name)
    (folder / "nightly.toml").write_text(CONFIG.format(share=share, method=method))
    return folder / "nightly.toml"


def contents(run: Path) -> dict[str, bytes]:
    return {path.relative_to(run).as_posix(): path.read_bytes() for path in sorted(run.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("share", [0.0, 0.4])
def test_a_night_verifies_and_adds_up(tmp_path, share):
    run, summary = run_night(read_config(write_inputs(tmp_path, share)))
    assert run == tmp_path / "runs" / "2026-03-04"
    assert all(check.holds for check in verify_folder(run)), verify_folder(run)
    strategies = summary["replay"]["strategies"]
    assert summary["replay"]["plan"] == ("hybrid" if share else "pinned")
    assert {"popularity", "lru", "lfu", "fifo", "clairvoyant", "pinned"} <= set(strategies)
    for one in strategies.values():
        assert one["origin_bytes"] == pytest.approx((1 - one["offload"]) * summary["replay"]["bytes"])
    bound = summary["replay"]["clairvoyant"]["lower_bound"]
    for name in ("pinned", "popularity", "clairvoyant"):
        assert strategies[name]["delivery_cost"] >= bound * (1 - 1e-9)


def test_the_same_night_gives_the_same_bytes(tmp_path):
    config = read_config(write_inputs(tmp_path))
    run, _ = run_night(config)
    first = contents(run)
    run_night(config)
    assert contents(run) == first
    shutil.rmtree(run)
    run_night(config)
    again = contents(run)
    assert {name: data for name, data in again.items() if name != "timings.json"} == {
        name: data for name, data in first.items() if name != "timings.json"
    }


@pytest.mark.parametrize("stage", ["write_fill_plan", "write_results", "write_json"])
def test_a_crash_leaves_last_nights_run(tmp_path, monkeypatch, stage):
    config = read_config(write_inputs(tmp_path))
    run, _ = run_night(config)
    before = contents(run)

    def crash(*_, **__):
        raise OSError("no space left on device")

    monkeypatch.setattr(running, stage, crash)
    with pytest.raises(OSError, match="no space"):
        run_night(config)
    assert contents(run) == before
    assert [path.name for path in run.parent.iterdir()] == ["2026-03-04"]


def test_the_plan_does_not_see_the_day(tmp_path):
    """Another replayed day changes the replay, and not one byte of forecast, placement and fill plan."""
    config = read_config(write_inputs(tmp_path))
    run, _ = run_night(config)
    before = contents(run)
    frame = read_raw(tmp_path / "day.parquet")
    frame["asset_id"] = "a5"
    write_table(frame, tmp_path / "day.parquet")
    run_night(config)
    after = contents(run)
    planned = [name for name in before if name.startswith("inputs/")]
    planned += ["placement.parquet", "certificate.json", "fill_plan.parquet", "serve_prices.parquet"]
    assert all(before[name] == after[name] for name in planned)
    assert before["replay.json"] != after["replay.json"]


def test_history_that_holds_the_day_does_not_leak(tmp_path):
    """The day's log among the history is cut off at midnight."""
    config_path = write_inputs(tmp_path)
    run, _ = run_night(read_config(config_path), pd.Timestamp("2026-03-04"))
    before = contents(run)["inputs/demand.parquet"]
    shutil.copy(tmp_path / "day.parquet", tmp_path / "history" / "requests-2026-03-04.parquet")
    run_night(read_config(config_path), pd.Timestamp("2026-03-04"))
    assert contents(run)["inputs/demand.parquet"] == before


def test_without_the_day_there_is_no_replay(tmp_path):
    path = write_inputs(tmp_path)
    path.write_text(path.read_text().replace('replay = ["day.parquet"]', ""))
    run, summary = run_night(read_config(path))
    assert summary["replay"] is None and not (run / "replay.json").exists()
    assert all(check.holds for check in verify_folder(run))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('method = "shrinkage"', 'method = "magic"', r"forecast:method: got 'magic', expected one of .*exponential"),
        ("reactive_share = 0.0", "reactive_share = 1.5", "placement:reactive_share: got 1.5"),
        ('topology = "t.toml"', "", "inputs:topology: expected a value"),
        ("[placement]", '[placement]\nmehtod = "lp"', "mehtod"),
        ("[inputs]", 'day = "2026-02-31"\n[inputs]', "a day of the calendar"),
        ("[inputs]", "[inputs", "readable TOML"),
        ("[placement]", '[placement]\nreactive_policy = "belady"', "reactive_policy: got 'belady', expected one of 2q"),
        ("[placement]", '[replay]\npolicies = ["lru", "slru:n=2"]\n[placement]', r"policies\[2\].*of slru 'n'"),
    ],
)
def test_bad_configurations_are_refused_with_their_place(tmp_path, old, new, message):
    path = write_inputs(tmp_path)
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(DataError, match=message):
        read_config(path)


def test_policies_take_parameters(tmp_path):
    """One segment is lru."""
    path = write_inputs(tmp_path, 0.3)
    placement = '[placement]\nreactive_policy = "slru:n_segments=1"'
    replay = '\n[replay]\npolicies = ["lru", "slru:n_segments=1", "slru:n_segments=2"]\n'
    path.write_text(path.read_text().replace("[placement]", placement) + replay)
    _, summary = run_night(read_config(path))
    found = summary["replay"]["strategies"]
    assert found["slru:n_segments=1"]["offload"] == found["lru"]["offload"] != found["slru:n_segments=2"]["offload"]


def test_no_history_is_an_error(tmp_path):
    with pytest.raises(DataError, match="requests in the 14 days before 2020-01-01"):
        run_night(read_config(write_inputs(tmp_path)), pd.Timestamp("2020-01-01"))


def test_the_verb_prints_one_json_object(tmp_path):
    result = CliRunner().invoke(
        cli, ["nightly", str(write_inputs(tmp_path)), "--json", "--quiet"], catch_exceptions=False
    )
    assert result.exit_code == 0
    assert json.loads(result.stdout)["day"] == "2026-03-04"


def test_a_night_that_places_robustly_from_titles(tmp_path):
    """The rule stands in the certificate and in what the run was made with; the run still verifies."""
    config = write_inputs(tmp_path)
    text = config.read_text().replace("[placement]", '[placement]\nmethod = "mip"\nrobust = "scenarios:3"\nseed = 5')
    config.write_text(text + 'level = "title"\n')
    run, _ = run_night(read_config(config))
    assert json.loads((run / "certificate.json").read_text())["reason"].endswith("placed for scenarios:3")
    parameters = json.loads((run / "run.json").read_text())["parameters"]
    assert (parameters["placement"]["seed"], parameters["forecast"]["level"]) == (5, "title")
    assert all(check.holds for check in verify_folder(run))


def test_a_night_may_start_from_the_prices_of_the_last(tmp_path):
    """Fewer steps; the certificate it started from is named with its digest."""
    config = write_inputs(tmp_path)
    text = config.read_text().replace("[placement]", '[placement]\nmethod = "decomposition"')
    config.write_text(text.replace('replay = ["day.parquet"]', ""))
    last, _ = run_night(read_config(config), DAYS[-2])
    config.write_text(text.replace("[inputs]", f'[inputs]\nlast_night = "runs/{last.name}"'))
    run, summary = run_night(read_config(config))
    assert all(check.holds for check in verify_folder(run)) and summary["replay"] is not None
    reasons = [json.loads((folder / "certificate.json").read_text())["reason"] for folder in (last, run)]
    cold, warm = (float(reason.split("settled in ")[1].split(" passes")[0]) for reason in reasons)
    assert warm < cold
    named = json.loads((run / "run.json").read_text())["inputs"]
    assert "certificate.json" in named[f"runs/{last.name}/certificate.json"]
    config.write_text(config.read_text().replace(f"runs/{last.name}", "nowhere"))
    with pytest.raises(DataError, match="nowhere"):
        run_night(read_config(config))


def test_a_promotion_is_planned_for(tmp_path):
    """The planned day is said to have three times the requests of a usual one; the run names the calendar."""
    config = write_inputs(tmp_path, method="empirical_bayes")
    usual, _ = run_night(read_config(config))
    expected = pd.read_parquet(usual / "inputs" / "demand.parquet")["requests"].sum()
    (tmp_path / "calendar.csv").write_text(f"date,kind,factor\n{DAYS[-1]:%Y-%m-%d},premiere,3\n")
    config.write_text(config.read_text().replace("[inputs]", '[inputs]\ncalendar = "calendar.csv"'))
    run, _ = run_night(read_config(config))
    found = pd.read_parquet(run / "inputs" / "demand.parquet")["requests"].sum()
    assert found == pytest.approx(3 * expected, rel=0.02)
    assert "calendar.csv" in json.loads((run / "run.json").read_text())["inputs"]["calendar.csv"]
    config.write_text(config.read_text().replace("empirical_bayes", "last_day"))
    with pytest.raises(DataError, match="one that looks at the calendar: empirical_bayes"):
        read_config(config)


def test_sweeping_clients_are_left_out_of_the_history(tmp_path):
    """A robot asks for every asset of the catalog once a day, everybody else for six at most."""
    config = write_inputs(tmp_path)
    for day in DAYS[:-1]:
        path = tmp_path / "history" / f"requests-{day:%Y-%m-%d}.parquet"
        frame = pd.read_parquet(path).assign(session_id=lambda rows: [f"s{k // 6}" for k in range(len(rows))])
        robot = pd.DataFrame({"time": frame["time"].iloc[-1], "region_id": "r1", "bytes": 1, "session_id": "robot",
                              "asset_id": [f"a{k}" for k in range(30)]})
        write_table(pd.concat([frame, robot], ignore_index=True), path)
    settings = "exclude_sweeping = true\nsweeping_assets = 20\n"
    run, kept = run_night(read_config(config))
    with_robot = pd.read_parquet(run / "inputs" / "demand.parquet")["requests"].sum()
    assert "sweeping_left_out" not in kept["logs"]["history"]
    config.write_text(config.read_text() + settings)
    run, summary = run_night(read_config(config))
    assert summary["logs"]["history"]["sweeping_left_out"] == {
        "distinct_assets": 20, "client_days": 3, "requests": 90, "requests_with_session": 3 * 330}
    without = pd.read_parquet(run / "inputs" / "demand.parquet")["requests"].sum()
    config.write_text(config.read_text() + "history_days = 2\n")
    _, shorter = run_night(read_config(config))
    assert shorter["logs"]["history"]["sweeping_left_out"]["client_days"] == 2, "of the days that are looked at"
    assert without / with_robot == pytest.approx(300 / 330, rel=0.01)


@pytest.mark.parametrize(("line", "words"), [('robust = "peaks:7"', "robust"), ('robust = "best:1"', "known: peaks")])
def test_a_rule_that_is_none_is_refused_with_its_place(tmp_path, line, words):
    config = write_inputs(tmp_path)
    config.write_text(config.read_text().replace("[placement]", f"[placement]\n{line}"))
    with pytest.raises(DataError, match=words):
        read_config(config)


def test_a_level_that_is_none_is_refused(tmp_path):
    config = write_inputs(tmp_path)
    config.write_text(config.read_text() + 'level = "series"\n')
    with pytest.raises(DataError, match="one of file, title"):
        read_config(config)
