"""A published graph made plain."""

import math

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from importing.graph_examples import ZOO_GML, ZOO_GRAPHML

from cdn.errors import DataError
from cdn.importing.network_graph import great_circle_km, plain_network

DEGREE_KM = 6371.0088 * math.pi / 180


def plain(raw):
    return plain_network(raw, "g")


def test_a_zoo_graph_is_made_plain():
    """The hyperedge lies midway between West (0, 0) and East (0, 30), the peer of another network where East is."""
    network = plain(nx.parse_graphml(ZOO_GRAPHML))
    graph = network.graph
    assert network.nodes == ["West", "East", "node-2", "Peer"]
    assert network.hosts.tolist() == [True, True, False, False]
    assert graph.nodes["node-2"]["latitude"] == pytest.approx(0)
    assert graph.nodes["node-2"]["longitude"] == pytest.approx(15)
    assert graph.nodes["Peer"]["longitude"] == pytest.approx(30)
    assert graph.edges["West", "node-2"]["capacity_bps"] == 1e10
    assert graph.edges["West", "node-2"]["length_km"] == pytest.approx(15 * DEGREE_KM)
    assert graph.edges["East", "Peer"] == {"capacity_bps": None, "length_km": pytest.approx(0, abs=1e-3)}
    assert len(network.notes) == 3


def test_repeated_labels_get_a_number_that_no_label_has():
    raw = nx.Graph()
    for node, label in enumerate(["A", "A", "A-2", "A", "", "None", None, "x\x1b\ny"]):
        raw.add_node(node, label=label)
    nx.add_path(raw, range(8))
    assert plain(raw).nodes == ["A", "A-3", "A-2", "A-4", "node-4", "node-5", "node-6", "x y"]


def test_parallel_links_add_up_and_loops_go():
    """1 + 2 Gbit/s; the shorter length counts. One unknown capacity makes the sum unknown."""
    raw = nx.MultiGraph()
    raw.add_edge(0, 1, LinkSpeedRaw=1e9, dist=7)
    raw.add_edge(1, 0, LinkSpeedRaw=2e9, dist=5)
    raw.add_edge(1, 2, LinkSpeedRaw=1e9)
    raw.add_edge(1, 2)
    raw.add_edge(2, 2)
    network = plain(raw)
    assert network.graph.edges["node-0", "node-1"] == {"capacity_bps": 3e9, "length_km": 5}
    assert network.graph.edges["node-1", "node-2"] == {"capacity_bps": None, "length_km": None}
    assert network.graph.number_of_edges() == 2
    assert any(note.startswith("1 links from a node to itself") for note in network.notes)
    assert any(note.startswith("2 links run parallel") for note in network.notes)


def test_the_directions_of_a_directed_graph_are_one_link_with_the_smaller_capacity():
    raw = nx.DiGraph()
    raw.add_edge(0, 1, capacity_gbps=1, length_km=5)
    raw.add_edge(1, 0, capacity_gbps=4, length_km=5)
    raw.add_edge(2, 1, capacity_bps=7e9)
    edges = plain(raw).graph.edges
    assert edges["node-0", "node-1"] == {"capacity_bps": 1e9, "length_km": 5}
    assert edges["node-2", "node-1"]["capacity_bps"] == 7e9


def test_of_several_parts_the_largest_is_kept_and_of_equals_the_first():
    raw = nx.Graph([(0, 1), (2, 3), (3, 4), (5, 6), (6, 7)])
    network = plain(raw)
    assert network.nodes == ["node-2", "node-3", "node-4"]
    assert network.notes[0] == "the graph falls into 3 parts: the largest was kept, 3 of 8 nodes"


def test_places_spread_outwards_from_the_located_nodes():
    """a - b - c in a row, only a is located: b goes where a is, then c where b is."""
    raw = nx.path_graph(3)
    raw.nodes[0].update(lat=10, lon=20)
    for _, attributes in plain(raw).graph.nodes(data=True):
        assert (attributes["latitude"], attributes["longitude"]) == pytest.approx((10, 20))


def test_the_middle_of_places_on_both_sides_of_the_date_line():
    """Between 170 E and 170 W lies 180, not Greenwich; between the poles nothing, so the first neighbour counts."""
    raw = nx.path_graph(3)
    raw.nodes[0].update(lat=0, lon=170)
    raw.nodes[2].update(lat=0, lon=-170)
    assert abs(plain(raw).graph.nodes["node-1"]["longitude"]) == pytest.approx(180)
    raw.nodes[0].update(lat=90, lon=0)
    raw.nodes[2].update(lat=-90, lon=0)
    assert plain(raw).graph.nodes["node-1"]["latitude"] == 90


def test_without_any_coordinates_there_are_no_lengths():
    network = plain(nx.path_graph(3))
    assert {length for _, _, length in network.graph.edges(data="length_km")} == {None}
    assert network.notes == ("no node has coordinates",)


def test_where_all_nodes_are_of_other_networks_all_are_hosts():
    raw = nx.path_graph(2)
    nx.set_node_attributes(raw, 0, "Internal")
    assert plain(raw).hosts.tolist() == [True, True]


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("Latitude", 91),
        ("Latitude", "north"),
        ("Longitude", float("nan")),
        ("Longitude", -181),
        ("population", -1),
        ("population", float("inf")),
    ],
)
def test_bad_values_of_nodes_are_faults(attribute, value):
    raw = nx.path_graph(2)
    raw.nodes[1][attribute] = value
    with pytest.raises(DataError) as caught:
        plain(raw)
    assert [(fault.row, fault.column) for fault in caught.value.faults] == [("node[1]", attribute)]


@pytest.mark.parametrize(
    ("attribute", "value"),
    [("LinkSpeedRaw", -1), ("LinkSpeedRaw", "fast"), ("dist", -1), ("dist", float("nan")), ("dist", [1])],
)
def test_bad_values_of_links_are_faults(attribute, value):
    raw = nx.path_graph(2)
    raw.edges[0, 1][attribute] = value
    with pytest.raises(DataError) as caught:
        plain(raw)
    assert [(fault.row, fault.column) for fault in caught.value.faults] == [("edge[0-1]", attribute)]


def test_a_speed_of_zero_is_an_unknown_one():
    raw = nx.path_graph(2)
    raw.edges[0, 1]["LinkSpeedRaw"] = 0
    assert plain(raw).graph.edges["node-0", "node-1"]["capacity_bps"] is None


@pytest.mark.parametrize(
    ("a", "b", "km"),
    [
        ((0, 0), (0, 0), 0),
        ((0, 0), (0, 1), DEGREE_KM),
        ((90, 0), (-90, 77), 180 * DEGREE_KM),
        ((0, -179), (0, 179), 2 * DEGREE_KM),
        ((0, 0), (90, 45), 90 * DEGREE_KM),
    ],
)
def test_great_circles(a, b, km):
    assert great_circle_km(*a, *b) == pytest.approx(km, abs=1e-6)


LABELS = st.sampled_from(["A", "A-2", "B", "", "None"])


@st.composite
def published(draw):
    kind = draw(st.sampled_from([nx.Graph, nx.DiGraph, nx.MultiGraph, nx.MultiDiGraph]))
    raw = kind()
    n = draw(st.integers(1, 7))
    for node in range(n):
        raw.add_node(node, label=draw(LABELS))
        if draw(st.booleans()):
            raw.nodes[node].update(Latitude=draw(st.floats(-90, 90)), Longitude=draw(st.floats(-180, 180)))
    for a, b in draw(st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=12)):
        raw.add_edge(a, b, **draw(st.dictionaries(st.sampled_from(["LinkSpeedRaw", "dist"]), st.floats(0, 1e6))))
    return raw


@settings(max_examples=150, deadline=None)
@given(published())
def test_any_graph_becomes_plain(raw):
    """Connected, simple, uniquely named and, where anything is located, with places and lengths throughout."""
    network = plain(raw)
    graph = network.graph
    assert type(graph) is nx.Graph and nx.is_connected(graph) and nx.is_frozen(graph)
    assert len(graph) == max(len(part) for part in nx.connected_components(nx.Graph(raw)))
    assert nx.number_of_selfloops(graph) == 0
    located = [latitude is not None for _, latitude in graph.nodes(data="latitude")]
    assert all(located) or not any(located)
    for _, attributes in graph.nodes(data=True):
        assert attributes["latitude"] is None or (
            -90 <= attributes["latitude"] <= 90 and -180 <= attributes["longitude"] <= 180
        )
    for _, _, attributes in graph.edges(data=True):
        assert attributes["length_km"] is None or 0 <= attributes["length_km"] <= 1e6
        assert not any(located) or attributes["length_km"] is not None
        assert attributes["capacity_bps"] is None or attributes["capacity_bps"] > 0


def test_it_is_the_same_whenever_it_is_made():
    first, second = (plain(nx.parse_gml(ZOO_GML.replace("directed 0", "multigraph 1"), label="id")) for _ in range(2))
    assert list(first.graph.nodes(data=True)) == list(second.graph.nodes(data=True))
    assert list(first.graph.edges(data=True)) == list(second.graph.edges(data=True))
    assert first.nodes == ["Paris", "Paris-2", "München"]
