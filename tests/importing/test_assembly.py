"""From a published graph and a policy to a topology."""

import math

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from importing.graph_examples import ZOO_GML

from cdn.errors import DataError, UnknownNameError
from cdn.files.topologies import read_topology, write_topology
from cdn.importing.assembly import PolicyError, build_topology, import_topology
from cdn.importing.network_graph import plain_network
from cdn.importing.policy import ImportPolicy, longitude_zone
from cdn.importing.region_weights import node_weights
from cdn.importing.site_choice import SITE_CHOICES
from cdn.model.network import Network
from cdn.model.topology import Appliance, Link, Region, Site

GB = 10**9


def built(raw, weight=None, **policy):
    network = plain_network(raw, "g")
    chosen = ImportPolicy(**({"storage_gb_edge": 100, "storage_gb_mid": 400, "edges": 1, "mids": 1} | policy))
    weights, rule = node_weights(network) if weight is None else (np.array(weight, dtype=float), "given")
    return build_topology(network, chosen, weights, rule)


def row(*lengths):
    """Nodes A, B, C, ... in a row along the equator, a degree apart, with the given lengths in km between them."""
    raw = nx.Graph()
    for k in range(len(lengths) + 1):
        raw.add_node(k, label="ABCDEFGH"[k], lat=0, lon=k)
    for k, length in enumerate(lengths):
        raw.add_edge(k, k + 1, length_km=length)
    return raw


def test_a_row_of_three_worked_out_by_hand():
    """A - 1000 km - B - 2000 km - C. A GB costs 1 a link and 10 per 1000 km: A-B 11, B-C 21. C weighs half of all: from
    B all is served for 11/4 + 21/2 = 13.25, from C for 32/4 + 21/4 = 13.25, a tie. B comes first, so it is the most
    central node."""
    topology = built(
        row(1000, 2000),
        [1, 1, 2],
        link_cost_per_gb=1,
        cost_per_gb_per_1000km=10,
        origin_cost_per_gb=50,
        edge_choice="heaviest",
    ).topology
    assert topology.sites == (
        Site("C-edge", "edge", 0, 2, "Etc/GMT"),
        Site("B-mid", "mid", 0, 1, "Etc/GMT"),
        Site("origin", "origin", 0, 1, "Etc/GMT"),
    )
    assert topology.appliances == (Appliance("C-edge-1", "C-edge", 100 * GB), Appliance("B-mid-1", "B-mid", 400 * GB))
    assert topology.regions == (
        Region("A", "A", "Etc/GMT", 0.25, 0, 0),
        Region("B", "B", "Etc/GMT", 0.25, 0, 1),
        Region("C", "C", "Etc/GMT", 0.5, 0, 2),
    )
    assert topology.links == (
        Link("A", "B", math.inf, 11 / GB, 5.0),
        Link("B", "C", math.inf, 21 / GB, 10.0),
        Link("C-edge", "C"),
        Link("B-mid", "B", math.inf, 1 / GB),
        Link("origin", "B", math.inf, 50 / GB),
    )
    assert (Network(topology).cost_per_byte * GB).round(9).tolist() == [[32, 21, 0], [12, 1, 22], [61, 50, 71]]


def test_storage_goes_by_the_weight_that_is_served():
    """Edges at A and C; A serves A and, tied, B (weights 1 + 3), C serves C (4): 8 of 8, so half of 200 GB each. The
    middle tie goes to the site that was chosen first, C."""
    topology = built(
        row(1000, 1000),
        [1, 3, 4],
        edges=2,
        edge_choice="heaviest",
        regions=2,
        apportion="served",
        appliances_per_site=3,
    ).topology
    assert [site.id for site in topology.sites[:2]] == ["C-edge", "B-edge"]
    per_site = {site.id: [a.storage_bytes for a in topology.appliances_of(site.id)] for site in topology.sites[:2]}
    assert sum(map(sum, per_site.values())) == 200 * GB
    assert sum(per_site["C-edge"]) == round(200 * GB * 4 / 7)
    assert all(max(sizes) - min(sizes) <= 1 and len(sizes) == 3 for sizes in per_site.values())
    assert [region.id for region in topology.regions] == ["B", "C"]
    assert [region.weight for region in topology.regions] == [0.428571, 0.571429]


def test_rates_and_windows_are_the_appliances():
    topology = built(
        row(1), egress_gbps=40, fill_gbps=2.5, fill_window="22:00-06:00", time_zone="Europe/Paris"
    ).topology
    assert {(a.egress_bps, a.fill_bps, a.fill_window_minutes) for a in topology.appliances} == {
        (4e10, 2.5e9, (1320, 360))
    }
    assert {member.time_zone for member in (*topology.sites, *topology.regions)} == {"Europe/Paris"}


def test_capacities_and_lengths_come_from_the_graph_where_it_has_them():
    raw = nx.path_graph(3)
    raw.edges[0, 1]["capacity_gbps"] = 10
    imported = built(raw, default_link_km=300, link_cost_per_gb=0, cost_per_gb_per_1000km=1)
    assert [(link.capacity_bps, link.latency_ms) for link in imported.topology.links[:2]] == [
        (1e10, 1.5),
        (math.inf, 1.5),
    ]
    assert "2 links have no length: 300 km each" in imported.assumed
    assert "1 links have no capacity: no limit" in imported.assumed
    assert {region.time_zone for region in imported.topology.regions} == {"UTC"}


def test_the_origin_hangs_where_it_is_told():
    assert built(row(1, 1), origin="C").topology.links[-1].b == "C"
    with pytest.raises(UnknownNameError, match="unknown origin node 'X'; known: A, B, C"):
        built(row(1, 1), origin="X")


def test_site_ids_avoid_node_ids():
    raw = row(1)
    raw.nodes[0]["label"], raw.nodes[1]["label"] = "origin", "origin-edge"
    topology = built(raw, [2, 1], edge_choice="heaviest", mids=0).topology
    assert [site.id for site in topology.sites] == ["origin-edge-2", "origin-2"]


def test_routers_hold_nothing_and_are_no_regions():
    raw = row(1, 1)
    raw.nodes[1]["Internal"] = 0
    topology = built(raw, edges=2, mids=2).topology
    assert [region.id for region in topology.regions] == ["A", "C"]
    assert {link.b for link in topology.links[2:]} == {"A", "C"}
    with pytest.raises(PolicyError, match="3 edge sites are asked for, but only 2 nodes can hold one"):
        built(raw, edges=3)


def test_as_many_sites_as_there_are_nodes_where_none_are_asked_for():
    topology = built(row(1, 1), edges=None, mids=None).topology
    assert [site.kind for site in topology.sites] == ["edge"] * 3 + ["mid"] * 2 + ["origin"]
    alone = nx.Graph()
    alone.add_node(0)
    assert len(built(alone, edges=None, mids=None).topology.sites) == 3


@pytest.mark.parametrize(
    "change",
    [
        {"storage_gb_edge": -1},
        {"storage_gb_edge": math.nan},
        {"storage_gb_mid": math.inf},
        {"edges": -1},
        {"regions": 0},
        {"appliances_per_site": 0},
        {"egress_gbps": -1},
        {"fill_window": "2-8"},
        {"edge_choice": "best"},
        {"mid_choice": ""},
        {"apportion": "fairly"},
        {"link_cost_per_gb": -1},
        {"default_link_km": math.nan},
    ],
)
def test_a_policy_that_means_nothing_is_refused(change):
    with pytest.raises(ValueError, match=next(iter(change))):
        ImportPolicy(**({"storage_gb_edge": 1, "storage_gb_mid": 1} | change))


@pytest.mark.parametrize(
    ("longitude", "zone"),
    [
        (0, "Etc/GMT"),
        (7.4, "Etc/GMT"),
        (7.5, "Etc/GMT-1"),
        (-7.6, "Etc/GMT+1"),
        (180, "Etc/GMT-12"),
        (-180, "Etc/GMT+12"),
        (-122, "Etc/GMT+8"),
        (139.7, "Etc/GMT-9"),
        (None, "UTC"),
    ],
)
def test_time_zones_by_longitude(longitude, zone):
    """Tokyo is nine hours ahead of Greenwich, which the Etc zones write as -9."""
    assert longitude_zone(longitude) == zone


LINK_ATTRIBUTES = st.fixed_dictionaries(
    {}, optional={"LinkSpeedRaw": st.integers(0, 10**12), "dist": st.floats(0, 2e4)}
)


@st.composite
def cases(draw):
    n = draw(st.integers(1, 7))
    raw = nx.Graph()
    for node in range(n):
        raw.add_node(node, label=draw(st.sampled_from(["A", "B", "origin", "A-edge", ""])))
        if draw(st.booleans()):
            raw.nodes[node].update(Latitude=draw(st.floats(-90, 90)), Longitude=draw(st.floats(-180, 180)))
    for a, b in draw(st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=12)):
        raw.add_edge(a, b, **draw(LINK_ATTRIBUTES))
    policy = ImportPolicy(
        draw(st.floats(0, 1e6)),
        draw(st.floats(0, 1e6)),
        edge_choice=draw(st.sampled_from(list(SITE_CHOICES))),
        mid_choice=draw(st.sampled_from(list(SITE_CHOICES))),
        regions=draw(st.none() | st.integers(1, 5)),
        apportion=draw(st.sampled_from(["equal", "served"])),
        appliances_per_site=draw(st.integers(1, 3)),
        egress_gbps=draw(st.none() | st.integers(0, 10**6).map(lambda thousandths: thousandths / 1000)),
        link_cost_per_gb=draw(st.floats(0, 10)),
        cost_per_gb_per_1000km=draw(st.floats(0, 10)),
        origin_cost_per_gb=draw(st.floats(0, 10)),
    )
    return raw, policy


@settings(max_examples=80, deadline=None)
@given(cases())
def test_whatever_is_imported_is_a_sound_topology(tmp_path_factory, case):
    """It reads back as it was, its origin reaches every region, its sites all of them, and an edge site serves its own
    node for nothing, no dearer than the origin."""
    raw, policy = case
    network = plain_network(raw, "g")
    topology = build_topology(network, policy, *node_weights(network)).topology
    path = tmp_path_factory.mktemp("t") / "t.toml"
    write_topology(topology, path)
    assert read_topology(path) == topology
    costs = Network(topology).cost_per_byte
    assert np.isfinite(costs).all()
    node_of = {link.a: link.b for link in topology.links}
    for s, site in enumerate(topology.sites[:-1]):
        for r, region in enumerate(topology.regions):
            if site.kind == "edge" and node_of[site.id] == region.node_id:
                assert costs[s, r] == 0 <= costs[-1, r]
    assert sum(region.weight for region in topology.regions) == pytest.approx(1, rel=1e-4)


def test_the_same_source_gives_the_same_topology(tmp_path):
    path = tmp_path / "paris.gml"
    path.write_text(ZOO_GML)
    policy = ImportPolicy(1, 1)
    first, second = (import_topology(str(path), policy) for _ in range(2))
    assert first.topology == second.topology and first.assumed == second.assumed
    assert [region.id for region in first.topology.regions] == ["Paris", "Paris-2", "München"]


def test_a_graph_that_is_too_large_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("cdn.importing.assembly.NODES_MAX", 2)
    (tmp_path / "paris.gml").write_text(ZOO_GML)
    with pytest.raises(DataError, match="a graph of at most 2 nodes"):
        import_topology(str(tmp_path / "paris.gml"), ImportPolicy(1, 1))
