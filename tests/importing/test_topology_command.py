"""``cdn topology import`` and the topologies that were made by it."""

import json
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner
from importing.graph_examples import ZOO_GML, ZOO_GRAPHML

from cdn.cli import cli
from cdn.errors import CdnError
from cdn.files.describing import record_table, schema_table
from cdn.files.topologies import (
    ApplianceRecord,
    LinkRecord,
    RegionRecord,
    ServingCostRecord,
    SiteRecord,
    TopologyRecord,
    read_topology,
)
from cdn.importing.region_weights import NODE_WEIGHTS
from cdn.model.network import Network

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "topologies" / "README.md").read_text(encoding="utf-8")
COMMANDS = [
    shlex.split(line) for line in README.replace("\\\n", " ").splitlines() if line.startswith("cdn topology import ")
]


def run(*arguments, **options):
    return CliRunner().invoke(cli, ["topology", "import", *map(str, arguments)], catch_exceptions=False, **options)


@pytest.fixture
def zoo(tmp_path):
    path = tmp_path / "zoo.graphml"
    path.write_text(ZOO_GRAPHML)
    return path


def test_it_says_what_it_made_and_what_it_assumed(tmp_path, zoo):
    result = run(zoo, "--storage-gb-edge", 100, "--out", tmp_path / "t.toml")
    assert result.exit_code == 0
    for words in ("edge sites", "2", "400 GB", "weights of the regions: uniform", "no limit on the appliances' egress"):
        assert words in result.stdout
    topology = read_topology(tmp_path / "t.toml")
    assert [region.id for region in topology.regions] == ["West", "East"]


def test_json_is_one_object_on_stdout(tmp_path, zoo):
    result = run(
        zoo, "--storage-gb-edge", 100, "--storage-gb-mid", 10, "--mids", 1, "--out", tmp_path / "t.toml", "--json"
    )
    made = json.loads(result.stdout)
    assert {name: made[name] for name in ("nodes", "links", "regions", "edge_sites", "mid_sites", "appliances")} == {
        "nodes": 4,
        "links": 7,
        "regions": 2,
        "edge_sites": 2,
        "mid_sites": 1,
        "appliances": 3,
    }
    assert made["storage_bytes"] == 210 * 10**9
    assert made["origin"] == "West"
    assert "1 links have no length" not in " ".join(made["assumed"])


def test_the_file_names_the_command_that_made_it(tmp_path, zoo):
    """And doing as it says gives the same bytes."""
    run(zoo, "--storage-gb-edge", 100, "--fill-window", "02:00-08:00", "--out", tmp_path / "t.toml")
    first_line = (tmp_path / "t.toml").read_text().splitlines()[0]
    assert first_line == f"# made by: cdn topology import {zoo} --storage-gb-edge 100 --fill-window 02:00-08:00"
    run(*shlex.split(first_line.partition("import ")[2]), "--out", tmp_path / "u.toml")
    assert (tmp_path / "u.toml").read_bytes() == (tmp_path / "t.toml").read_bytes()


def test_storage_as_a_share_of_a_catalog(tmp_path, zoo):
    """5 % of 2000 bytes are 100 at every site, edge or mid."""
    (tmp_path / "c.csv").write_text("asset_id,title_id,size_bytes\na,a,500\nb,b,1500\n")
    shares = ("--storage-share", "0.05", "--catalog", tmp_path / "c.csv")
    run(zoo, *shares, "--out", tmp_path / "t.toml")
    assert read_topology(tmp_path / "t.toml").storage_bytes.tolist() == [100] * 4
    run(zoo, *shares, "--storage-gb-mid", 1, "--out", tmp_path / "t.toml")
    assert read_topology(tmp_path / "t.toml").storage_bytes.tolist() == [100, 100, 10**9, 10**9]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "no graph says what its sites store"),
        (["--storage-share", "0.1"], "go together"),
        (["--storage-gb-edge", "-1"], "Invalid value"),
        (["--storage-gb-edge", "nan"], "'nan' is not a finite number"),
        (["--storage-gb-edge", "1", "--fill-window", "noon"], "fill_window"),
        (["--storage-gb-edge", "1", "--time-zone", "Mars"], "time_zone is in the IANA database"),
        (["--storage-gb-edge", "1", "--edge-choice", "best"], "Invalid value"),
    ],
)
def test_usage_errors(tmp_path, zoo, options, message):
    result = run(zoo, *options, "--out", tmp_path / "t.toml")
    assert result.exit_code == 2
    assert message in result.output
    assert not (tmp_path / "t.toml").exists()


@pytest.mark.parametrize(
    "options", [["--edges", "3"], ["--origin", "Atlantis"], ["--weight-by", "population"], ["--weights", "none.csv"]]
)
def test_what_the_graph_cannot_give_leaves_no_file(tmp_path, zoo, options):
    with pytest.raises(CdnError):
        run(zoo, "--storage-gb-edge", 1, *options, "--out", tmp_path / "t.toml")
    assert not (tmp_path / "t.toml").exists()


def test_weights_decide_which_nodes_are_regions(tmp_path):
    (tmp_path / "g.gml").write_text(ZOO_GML)
    (tmp_path / "w.csv").write_text("node_id,weight\nMünchen,3\nParis,1\n", encoding="utf-8")
    run(tmp_path / "g.gml", "--storage-gb-edge", 1, "--weights", tmp_path / "w.csv", "--out", tmp_path / "t.toml")
    regions = read_topology(tmp_path / "t.toml").regions
    assert [(region.id, region.weight) for region in regions] == [("Paris", 0.25), ("München", 0.75)]


def test_the_readme_names_the_commands_of_the_imported_topologies():
    made = {command[command.index("--out") + 1] for command in COMMANDS}
    imported = {
        f"topologies/{path.name}"
        for path in (ROOT / "topologies").glob("*.toml")
        if path.read_text(encoding="utf-8").startswith("# made by: cdn topology import")
    }
    assert made == imported


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[3])
def test_the_bundled_topologies_are_what_their_commands_make(tmp_path, monkeypatch, command):
    pytest.importorskip("topohub")
    monkeypatch.chdir(ROOT)
    at = command.index("--out") + 1
    run(*command[3:at], tmp_path / "t.toml", *command[at + 1 :])
    assert (tmp_path / "t.toml").read_bytes() == (ROOT / command[at]).read_bytes()


@pytest.mark.parametrize("path", sorted((ROOT / "topologies").glob("*.toml")), ids=lambda path: path.name)
def test_the_bundled_topologies_are_sound(path):
    """Every site serves some region cheaper than the origin: else it would stand there for nothing."""
    network = Network(read_topology(path))
    assert (network.cost_per_byte[:-1] < network.cost_per_byte[-1]).any(axis=1).all()
    assert (network.topology.storage_bytes > 0).all()


@pytest.mark.parametrize(
    "record", [TopologyRecord, SiteRecord, ApplianceRecord, RegionRecord, LinkRecord, ServingCostRecord]
)
def test_the_readme_has_the_table_of_every_record(record):
    assert record_table(record) in README


def test_the_readme_has_the_table_of_the_weights_file():
    assert schema_table(NODE_WEIGHTS) in README


def test_the_readme_lists_every_file_and_option():
    for path in (ROOT / "topologies").iterdir():
        assert path.name == "README.md" or f"`{path.name}`" in README
    result = run("--help")
    known = set(re.findall(r"(--[a-z0-9-]+)", result.output))
    assert set(re.findall(r"`(--[a-z0-9-]+)", README)) <= known
    assert known - set(re.findall(r"--[a-z0-9-]+", README)) <= {"--json", "--quiet", "--help"}
