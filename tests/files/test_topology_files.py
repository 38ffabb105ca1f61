"""The topology file: what it means, what is refused, and that it survives being written and read."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cdn.errors import DataError
from cdn.files.topologies import read_topology, window_minutes, write_topology
from cdn.model.network import Network
from cdn.model.topology import Appliance, Link, Region, ServingCost, Site, Topology

SMALL = """
sites = [{id = "o", kind = "origin"}, {id = "e", kind = "edge", latitude = 52.5, longitude = 13.4, \
          time_zone = "Europe/Berlin", fill_cost_per_gb = 0.5, serves = ["r"]}]
appliances = [{id = "a", site = "e", storage_gb = 1.5, egress_gbps = 40, fill_gbps = 0.1, fill_window = "22:30-06:00"},
              {id = "b", site = "e", storage_gb = 0}]
regions = [{id = "r", site_or_node = "n", time_zone = "Europe/Berlin", weight = 3, latitude = 1, longitude = 2},
           {id = "q", site_or_node = "o"}]
links = [{a = "o", b = "n", capacity_gbps = 100, cost_per_gb = 4, latency_ms = 7.5}, {a = "e", b = "n"}]
"""


def write(folder, text, name="t.toml"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def faults_of(path):
    with pytest.raises(DataError) as caught:
        read_topology(path)
    return [(fault.row, fault.column) for fault in caught.value.faults]


def test_units_become_bytes_bits_and_cost_per_byte(tmp_path):
    """1.5 GB = 1.5e9 bytes; 40 Gbit/s = 4e10 bit/s; 4 a GB = 4e-9 a byte; 22:30 is minute 1350."""
    topology = read_topology(write(tmp_path, SMALL, "net.toml"))
    assert topology.name == "net"
    assert [site.id for site in topology.sites] == ["e", "o"]
    assert topology.sites[0] == Site("e", "edge", 52.5, 13.4, "Europe/Berlin", 0.5e-9, ("r",))
    assert topology.appliances == (Appliance("a", "e", 1_500_000_000, 4e10, 1e8, (1350, 360)), Appliance("b", "e", 0))
    assert topology.regions == (Region("r", "n", "Europe/Berlin", 3.0, 1.0, 2.0), Region("q", "o"))
    assert topology.links == (Link("o", "n", 1e11, 4e-9, 7.5), Link("e", "n"))
    assert topology.appliances[1].fill_bps == math.inf
    assert topology.serving_costs is None


def test_it_reads_back_as_written_with_a_comment_on_top(tmp_path):
    topology = read_topology(write(tmp_path, SMALL))
    write_topology(topology, tmp_path / "u.toml", "made by me\n[[sites]]\x1b")
    assert (tmp_path / "u.toml").read_text().startswith("# made by me\n# [[sites]]\n\n")
    assert read_topology(tmp_path / "u.toml") == topology


IDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), min_size=1, max_size=6)
AMOUNTS = st.one_of(st.just(0.0), st.floats(1e-6, 1e9).map(lambda value: float(f"{value:.9g}")))
LIMITS = st.one_of(st.just(math.inf), AMOUNTS.map(lambda gbps: round(gbps * 1e9, 3)))
WINDOWS = st.tuples(st.integers(0, 1439), st.integers(0, 1439))
PLACES = st.tuples(st.floats(-90, 90), st.floats(-180, 180))


@st.composite
def topologies(draw):
    site_ids = draw(st.lists(IDS, min_size=1, max_size=4, unique=True))
    region_ids = draw(st.lists(IDS, min_size=1, max_size=3, unique=True))
    zones = st.sampled_from(["UTC", "Europe/Berlin", "Etc/GMT-14"])
    per_byte = AMOUNTS.map(lambda cost_per_gb: cost_per_gb / 1e9)
    serves = st.none() | st.lists(st.sampled_from(region_ids), min_size=1, unique=True).map(tuple)
    sites = [
        Site(
            id_,
            draw(st.sampled_from(["edge", "mid"])),
            *draw(PLACES),
            draw(zones),
            draw(st.none() | per_byte),
            draw(serves),
        )
        for id_ in site_ids[:-1]
    ] + [Site(site_ids[-1], "origin")]
    appliances = [
        # Gigabytes as float64 name each byte up to 2**51 of them, 2.25 PB in one appliance.
        Appliance(f"{k}", site.id, draw(st.integers(0, 2**51)), draw(LIMITS), draw(LIMITS), draw(WINDOWS))
        for k, site in enumerate(sites[:-1])
    ]
    regions = [
        Region(id_, draw(st.sampled_from(site_ids)), draw(zones), draw(AMOUNTS), *draw(PLACES)) for id_ in region_ids
    ]
    ends = st.tuples(st.sampled_from(site_ids), IDS).filter(lambda pair: pair[0] != pair[1])
    links = [Link(a, b, draw(LIMITS), draw(per_byte), draw(AMOUNTS)) for a, b in draw(st.lists(ends, max_size=4))]
    listed = (
        tuple(ServingCost(region, site_ids[-1], draw(per_byte)) for region in region_ids)
        if draw(st.booleans())
        else None
    )
    return Topology(tuple(sites), tuple(appliances), tuple(regions), tuple(links), listed)


@settings(max_examples=60, deadline=None)
@given(topologies())
def test_any_topology_survives_being_written_and_read(tmp_path_factory, topology):
    path = tmp_path_factory.mktemp("t") / "t.toml"
    write_topology(topology, path)
    assert read_topology(path) == topology


@pytest.mark.parametrize(
    ("text", "minutes", "seconds"),
    [
        ("00:00-24:00", (0, 0), 86400),
        ("02:00-08:00", (120, 480), 6 * 3600),
        ("22:30-06:00", (1350, 360), 7.5 * 3600),
        ("05:00-05:00", (300, 300), 86400),
        ("23:59-24:00", (1439, 0), 60),
    ],
)
def test_windows(text, minutes, seconds):
    assert window_minutes(text) == minutes
    assert Appliance("a", "s", 1, fill_window_minutes=minutes).fill_window_seconds == seconds


@pytest.mark.parametrize(
    "text", ["24:00-25:00", "22:00-24:30", "2:00-8:00", "02:00", "02:00-08:60", "02:00-08:00\n", ""]
)
def test_what_is_no_window_is_a_fault(tmp_path, text):
    with pytest.raises(ValueError):
        window_minutes(text)
    path = write(tmp_path, SMALL.replace('"22:30-06:00"', repr(text).replace("'", '"')))
    assert faults_of(path) == [("appliances[1]", "fill_window")]


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("storage_gb = 1.5", "storage_gb = -1", ("appliances[1]", "storage_gb")),
        ("storage_gb = 1.5", "storage_gb = nan", ("appliances[1]", "storage_gb")),
        ("storage_gb = 1.5", "storage_gb = 1e300", ("appliances[1]", "storage_gb")),
        ("storage_gb = 1.5", 'storage_gb = "1.5"', ("appliances[1]", "storage_gb")),
        ("storage_gb = 1.5", "storage_gb = true", ("appliances[1]", "storage_gb")),
        ("storage_gb = 1.5, ", "", ("appliances[1]", "storage_gb")),
        ("egress_gbps = 40", "egress_gbps = nan", ("appliances[1]", "egress_gbps")),
        ("egress_gbps = 40", "egress_gpbs = 40", ("appliances[1]", "egress_gpbs")),
        ('site = "e", storage_gb = 0', 'site = "x", storage_gb = 0', ("appliances[2]", "site")),
        ('site = "e", storage_gb = 0', 'site = "o", storage_gb = 0', ("appliances[2]", "site")),
        ('id = "b"', 'id = "a"', ("appliances[2]", "id")),
        ('id = "b"', 'id = ""', ("appliances[2]", "id")),
        ('id = "q"', 'id = "r"', ("regions[2]", "id")),
        ('kind = "edge"', 'kind = "ege"', ("sites[2]", "kind")),
        ('kind = "edge"', 'kind = "origin"', ("sites", "kind")),
        ("latitude = 52.5", "latitude = 95", ("sites[2]", "latitude")),
        ('serves = ["r"]', 'serves = ["r", "z"]', ("sites[2]", "serves")),
        ('serves = ["r"]', "serves = []", ("sites[2]", "serves")),
        ('time_zone = "Europe/Berlin", fill', 'time_zone = "Europe/Bonn", fill', ("sites[2]", "time_zone")),
        ('time_zone = "Europe/Berlin", fill', 'time_zone = "../../etc", fill', ("sites[2]", "time_zone")),
        ("weight = 3", "weight = inf", ("regions[1]", "weight")),
        ('site_or_node = "n"', 'site_or_node = "m"', ("regions[1]", "site_or_node")),
        ("cost_per_gb = 4", "cost_per_gb = inf", ("links[1]", "cost_per_gb")),
        ("latency_ms = 7.5", "latency_ms = -7.5", ("links[1]", "latency_ms")),
        ('{a = "e", b = "n"}', '{a = "e", b = "e"}', ("links[2]", "b")),
        ('{a = "e", b = "n"}', '{a = "e"}', ("links[2]", "b")),
    ],
)
def test_each_fault_is_found_where_it_stands(tmp_path, old, new, place):
    assert old in SMALL
    assert place in faults_of(write(tmp_path, SMALL.replace(old, new, 1)))


def test_all_faults_are_reported_at_once(tmp_path):
    text = SMALL.replace("storage_gb = 1.5", "storage_gb = -1").replace("weight = 3", "weight = -3")
    assert faults_of(write(tmp_path, text)) == [("appliances[1]", "storage_gb"), ("regions[1]", "weight")]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sites = 1\nregions = []",
        "sites = []\nregions = []",
        "a = " + "[" * 5000,
        "a = " + "1" * 5000,
        "sites = [",
        'sites = [{id = "o", kind = "origin"}]\nregions = []',
    ],
)
def test_what_is_no_topology_is_refused(tmp_path, text):
    with pytest.raises(DataError):
        read_topology(write(tmp_path, text))


def test_missing_folders_and_other_encodings_are_refused(tmp_path):
    (tmp_path / "latin.toml").write_bytes("# é\n".encode("latin-1"))
    for path in (tmp_path / "none.toml", tmp_path, tmp_path / "latin.toml"):
        with pytest.raises(DataError, match="a readable TOML file"):
            read_topology(path)


LISTED = """
sites = [{id = "far", kind = "origin"}, {id = "e", kind = "edge"}]
regions = [{id = "r", site_or_node = "anywhere"}, {id = "q", site_or_node = "anywhere"}]
"""


def test_listed_costs_replace_paths_and_only_they_may_serve(tmp_path):
    """No links at all; `origin` names the site `far`; (e, q) is not listed, so e may not serve q."""
    rows = [("r", "origin", 5), ("q", "origin", 6), ("r", "e", 2)]
    inline = (
        "serving_costs = ["
        + ", ".join(f'{{region_id = "{r}", site_id = "{s}", cost_per_gb = {c}}}' for r, s, c in rows)
        + "]\n"
    )
    topology = read_topology(write(tmp_path, inline + LISTED))
    assert Network(topology).cost_per_byte.tolist() == [[2e-9, math.inf], [5e-9, 6e-9]]
    (tmp_path / "costs.csv").write_text(
        "region_id,site_id,cost_per_gb\n" + "".join(f"{r},{s},{c}\n" for r, s, c in rows)
    )
    beside = read_topology(write(tmp_path, 'serving_costs = "costs.csv"\n' + LISTED))
    assert beside == topology


@pytest.mark.parametrize(
    ("rows", "place"),
    [
        (["r,origin,5", "q,origin,6", "z,e,2"], (4, "region_id")),
        (["r,origin,5", "q,origin,6", "r,z,2"], (4, "site_id")),
        (["r,origin,5", "q,origin,6", "r,far,2"], (4, "site_id")),
        (["r,origin,5", "q,origin,-6"], (3, "cost_per_gb")),
        (["r,origin,5", "r,e,2"], (None, "region_id")),
    ],
)
def test_faults_of_listed_costs(tmp_path, rows, place):
    """An unknown region, an unknown site, the origin named twice in two ways, a negative cost, no origin for q."""
    (tmp_path / "costs.csv").write_text("\n".join(["region_id,site_id,cost_per_gb", *rows]) + "\n")
    assert faults_of(write(tmp_path, 'serving_costs = "costs.csv"\n' + LISTED)) == [place]


def test_a_fault_in_an_inline_cost_is_told_once(tmp_path):
    """`serving_costs` may also be a file's name, but that a list is no text helps nobody."""
    text = 'serving_costs = [{region_id = "r", site_id = "e", cost_per_gb = "x"}]\n' + LISTED
    assert faults_of(write(tmp_path, text)) == [("serving_costs[1]", "cost_per_gb")]
