"""``cdn simulate`` from files to table, JSON and result files."""

import json
from dataclasses import replace

import pytest
from click.testing import CliRunner
from simulation.replay_examples import small_topology

from cdn.cli import cli
from cdn.errors import DataError, UnknownNameError
from cdn.files.topologies import write_topology
from cdn.model.topology import Appliance
from cdn.simulation import read_results

DAY = "2024-05-0"


def log_file(path, words, day):
    rows = [",".join([f"{DAY}{day}T{hour:02d}:{minute:02d}:00Z", *request.split(), "10"])
            for hour, part in enumerate(words.split("|")) for minute, request in enumerate(part.split(","))]
    path.write_text("\n".join(["time,region_id,asset_id,bytes", *rows, ""]))


@pytest.fixture
def folder(tmp_path):
    """The small network; a placement of the whole storage; today's log and yesterday's."""
    write_topology(small_topology(storage_scale=2), tmp_path / "topology.toml")
    (tmp_path / "catalog.csv").write_text("asset_id,title_id,size_bytes\na,a,10\nb,b,10\nc,c,10\nd,d,10\n")
    (tmp_path / "placement.csv").write_text("site_id,asset_id\ne1,a\ne1,d\ne2,c\nm,b\nm,c\n")
    log_file(tmp_path / "today.csv", "east a, west a, east b, west d | east a, west b, west d", 2)
    log_file(tmp_path / "yesterday.csv", "east a, east b, west b", 1)
    return tmp_path


def run(folder, *options):
    arguments = ["simulate", "--topology", folder / "topology.toml", "--catalog", folder / "catalog.csv",
                 "--log", folder / "today.csv", "--out", folder / "out", *options]
    return CliRunner().invoke(cli, [str(part) for part in arguments])


def test_json_and_files_say_the_same(folder):
    """Pinned by hand (1 e1, 2 e2, m mid, o origin): 1, 1 (e1 costs west 2), m, 1 (d), 1, m, 1. All from caches."""
    result = run(folder, "--placement", folder / "placement.csv", "--warm-up", folder / "yesterday.csv",
                 "--policy", "pinned,lru,lfu,fifo,hybrid", "--reactive-share", "0.5", "--json", "--quiet")
    assert result.exit_code == 0, result.output
    payload = json.loads(result.stdout)
    assert set(payload["strategies"]) == {"pinned", "lru", "lfu", "fifo", "hybrid"}
    assert payload["parameters"] == {"copy": "lce", "egress_limits": False, "admission": "none",
                                     "admission_parameters": {}, "ttl_s": None, "reactive_share": 0.5,
                                     "hybrid_policy": "lru", "policies": {"lru": {}, "lfu": {}, "fifo": {}}}
    pinned = payload["strategies"]["pinned"]
    assert (pinned["requests"], pinned["offload"], pinned["midgress_bytes"]) == (7, 1.0, 20)
    assert pinned["delivery_cost"] == 10 * (0 + 2 + 1 + 2 + 0 + 1 + 2)
    assert json.loads((folder / "out" / "replay.json").read_text()) == payload
    read = read_results(folder / "out", small_topology(2))
    assert read["pinned"].site_bytes.sum() == 70


def test_the_warm_up_is_not_counted_but_warms(folder):
    """Cold, lru misses the first a, b and d; yesterday left a and b at e1, b at e2 and both at the mid."""
    cold = json.loads(run(folder, "--policy", "lru", "--json").stdout)["strategies"]["lru"]
    warm = json.loads(run(folder, "--policy", "lru", "--json", "--warm-up", folder / "yesterday.csv").stdout)
    assert (cold["requests"], warm["strategies"]["lru"]["requests"]) == (7, 7)
    assert (cold["origin_bytes"], warm["strategies"]["lru"]["origin_bytes"]) == (30, 10)


def test_the_table_has_a_row_per_policy(folder):
    result = run(folder, "--placement", folder / "placement.csv", "--policy", "pinned,lru")
    assert result.exit_code == 0
    assert "7 requests, 70 B" in result.stdout
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in result.stdout.splitlines() if "│" in line]
    assert [row[0] for row in rows] == ["pinned", "lru"] * 2
    assert rows[0] == ["pinned", "100.00 %", "100.00 %", "80", "0 B", "e1", "0.0667 bit/s", "0.00 %"]
    assert rows[2:] == [["pinned", "0.00 %", "0.00 %"], ["lru", "42.86 %", "42.86 %"]]
    assert "cold" in result.stdout and "spilled" not in result.stdout


def test_a_row_of_an_unknown_asset_is_left_out_and_said(folder):
    log_file(folder / "today.csv", ", ".join(["east a"] * 37 + ["east zz"]), 2)
    result = run(folder, "--policy", "lru", "--json")
    assert json.loads(result.stdout)["strategies"]["lru"]["requests"] == 37
    assert "1 of 38 rows left out" in result.stderr


@pytest.mark.parametrize("options, message", [
    (["--policy", "pinned"], "pinned needs --placement"),
    (["--policy", "hybrid"], "hybrid needs --hybrid-placement"),
    (["--policy", "lru", "--reactive-share", "2"], "reactive-share"),
    (["--policy", "lru", "--reactive-share", "nan"], "reactive-share"),
    (["--policy", "lru", "--ttl-s", "inf"], "'inf' is not a finite number"),
])
def test_usage_errors(folder, options, message):
    result = run(folder, *options)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not (folder / "out").exists()


def test_hybrid_is_never_trimmed_by_the_log_it_is_tested_on(folder):
    """A placement alone does not say what it is worth, and the replayed log may not."""
    result = run(folder, "--placement", folder / "placement.csv", "--policy", "hybrid")
    assert result.exit_code == 2 and "--demand or --warm-up" in result.stderr


def test_unknown_policies_are_listed(folder):
    result = run(folder, "--policy", "lru,opt")
    assert isinstance(result.exception, UnknownNameError)
    assert "unknown policy 'opt'; known: 2q, arc, clock, fifo, gdsf, hybrid, lfu, lfuda" in str(result.exception)


@pytest.mark.parametrize("file, text, message", [
    ("placement.csv", "site_id,asset_id\ne1,a\ne1,b\ne1,c\n", "site 'e1' pins 30 bytes, but 20 are left"),
    ("placement.csv", "site_id,asset_id\no,a\n", "an edge or mid site"),
    ("placement.csv", "site_id,asset_id\ne9,a\n", "an id of the topology's sites"),
    ("catalog.csv", "asset_id,title_id,size_bytes,pinned_sites\na,a,90,e1\n", "rules that can be kept"),
])
def test_bad_files_are_data_errors_and_nothing_is_written(folder, file, text, message):
    (folder / file).write_text(text)
    if file == "catalog.csv":
        log_file(folder / "today.csv", "east a", 2)
    result = run(folder, "--placement", folder / "placement.csv", "--policy", "pinned")
    assert isinstance(result.exception, DataError)
    assert message in str(result.exception)
    assert not (folder / "out").exists()


def test_policies_take_parameters(folder):
    """One segment is lru; of two, each is half of the cache."""
    payload = json.loads(run(folder, "--policy", "lru,slru:n_segments=1,slru:n_segments=2", "--json").stdout)
    found = payload["strategies"]
    assert found["slru:n_segments=1"] == found["lru"] and "slru:n_segments=2" in found
    assert payload["parameters"]["policies"]["slru:n_segments=2"] == {"n_segments": 2}
    assert read_results(folder / "out", small_topology(2)).keys() == found.keys()
    for policy, message in (("belady", "unknown policy 'belady'"), ("slru:n=1", "unknown parameter of slru 'n'"),
                            ("slru:n_segments=0", "n_segments: got '0', expected a whole number from 1")):
        error = run(folder, "--policy", policy).exception
        assert error.exit_code == 2 and message in str(error)


def test_reactive_caches_have_gates(folder):
    """Nothing is smaller than 1 byte, so lru stores nothing; with no reactive cache a gate is a mistake."""
    words = ("--policy", "lru", "--admission", "size:threshold_bytes=1", "--ttl-s", 60, "--json")
    payload = json.loads(run(folder, *words).stdout)
    assert payload["strategies"]["lru"]["offload"] == 0
    assert payload["parameters"]["admission"] == "size:threshold_bytes=1" and payload["parameters"]["ttl_s"] == 60
    assert payload["parameters"]["admission_parameters"] == {"threshold_bytes": 1}
    result = run(folder, "--placement", folder / "placement.csv", "--policy", "pinned", "--ttl-s", 60)
    assert result.exit_code == 2 and "--admission and --ttl-s are of reactive caches" in result.output


def lines(path):
    return path.read_text().splitlines()[1:]


def test_every_class_and_who_served_by_hour(tmp_path):
    """e1 pins a, b and may serve 22 bytes an hour, e2 pins c, m pins a, d; nothing is large enough for f, and x has no
    rights in the east. With the true demand e2 would pin x.

    In hour 0: a and b from e1; a again is refused and m has it, b again is refused and nobody has it; c from e2, twice;
    f and, in the east, x cannot be placed; x in the west was foreseen by the truth. In hour 1 e1 may serve again; e is
    new, and then not even the truth would have had it."""
    edge = Appliance("e1-1", "e1", 20, egress_bps=0.05)
    topology = small_topology(storage_scale=2)
    write_topology(replace(topology, appliances=(edge, *topology.appliances[1:])), tmp_path / "topology.toml")
    assets = "".join(f"{asset},{asset},{size},{region}\n" for asset, size, region in
                     (*((asset, 10, "") for asset in "abcde"), ("f", 50, ""), ("x", 10, "west")))
    (tmp_path / "catalog.csv").write_text("asset_id,title_id,size_bytes,allowed_regions\n" + assets)
    (tmp_path / "placement.csv").write_text("site_id,asset_id\ne1,a\ne1,b\ne2,c\nm,a\nm,d\n")
    (tmp_path / "truth.csv").write_text("site_id,asset_id\ne1,a\ne1,b\ne2,c\ne2,x\nm,a\nm,d\n")
    log_file(tmp_path / "today.csv", "east a, east b, east a, east b, west c, east c, west f, east x, west x | east a, "
                                     "west e, west e", 2)  # fmt: skip
    result = run(tmp_path, "--policy", "pinned", "--placement", tmp_path / "placement.csv", "--true-placement",
                 tmp_path / "truth.csv", "--egress-limits", "--json")
    assert result.exit_code == 0, result.output
    assert lines(tmp_path / "out" / "replay_hours.csv") == [
        "pinned,e1,0,20", "pinned,e1,1,10", "pinned,e2,0,20", "pinned,m,0,10", "pinned,o,0,40", "pinned,o,1,20"]
    assert sorted(lines(tmp_path / "out" / "replay_classes.csv")) == [
        "pinned,capacity,1,1,10", "pinned,cold,1,1,10", "pinned,forecast,0,1,10", "pinned,health,0,1,10",
        "pinned,hit,0,4,40", "pinned,hit,1,1,10", "pinned,not_placeable,0,2,20", "pinned,spilled,0,1,10"]
