"""Published graphs as they are read."""

import sys

import pytest
from importing.graph_examples import ZOO_GML, ZOO_GRAPHML

from cdn.errors import DataError, UnknownNameError
from cdn.importing.graph_files import MissingExtraError, near_names, read_graph, topohub_names


def write(folder, name, content):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def test_graphml_keeps_nodes_and_attributes(tmp_path):
    graph = read_graph(write(tmp_path, "t.graphml", ZOO_GRAPHML))
    assert list(graph) == ["0", "1", "2", "3"]
    assert graph.nodes["1"]["Longitude"] == 30
    assert graph.edges["0", "2"]["LinkSpeedRaw"] == 1e10


def test_gml_with_repeated_labels_and_edges_is_read_as_the_multigraph_it_is(tmp_path):
    graph = read_graph(write(tmp_path, "t.gml", ZOO_GML))
    assert graph.is_multigraph()
    assert graph.number_of_edges(0, 1) == 2
    assert graph.nodes[2]["label"] == "München"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_gml_in_other_encodings_is_read(tmp_path, encoding):
    graph = read_graph(write(tmp_path, "t.gml", 'graph [ node [ id 0 label "Zürich" ] ]'.encode(encoding)))
    assert graph.nodes[0]["label"] == "Zürich"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.graphml", ""),
        ("t.graphml", "<a/>"),
        ("t.graphml", ZOO_GRAPHML[:900]),
        ("t.graphml", b"\xff\xfe"),
        ("t.graphml", ZOO_GRAPHML.replace('attr.type="double"', 'attr.type="foo"')),
        ("t.graphml", ZOO_GRAPHML.replace(">0</data>", ">zero</data>")),
        (
            "t.graphml",
            '<graphml xmlns="http://graphml.graphdrawing.org/xmlns"><graph edgedefault="directed"/></graphml>',
        ),
        ("t.gml", ""),
        ("t.gml", "graph [ node ["),
        ("t.gml", "graph [ " * 5000),
        ("t.gml", "graph [ ]"),
        ("t.gml", "graph [ node [ id 0 ] node [ id 0 ] ]"),
        ("t.gml", "graph [ node [ id 0 ] edge [ source 0 target 9 ] ]"),
        ("t.gml", 'graph [ node [ label "no id" ] ]'),
    ],
)
def test_a_broken_file_is_refused_by_name(tmp_path, name, content):
    with pytest.raises(DataError) as caught:
        read_graph(write(tmp_path, name, content))
    assert [fault.file for fault in caught.value.faults] == [str(tmp_path / name)]


def test_what_is_neither_a_file_nor_a_name_is_refused(tmp_path):
    for source in (str(tmp_path / "none.gml"), str(tmp_path), "geant", write(tmp_path, "t.json", "{}")):
        with pytest.raises(DataError):
            read_graph(source)


def test_without_the_extra_the_error_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "topohub", None)
    with pytest.raises(MissingExtraError, match="install the extra 'topologies'") as caught:
        read_graph("topozoo/Geant2012")
    assert caught.value.exit_code == 2


def test_near_names_are_close_or_hold_the_last_part():
    known = ["zoo/Geant2001", "zoo/Geant2012", "lib/geant", "lib/polska"]
    assert near_names("zoo/geant2012", known)[0] == "zoo/Geant2012"
    assert near_names("lib/pol", known) == ["lib/polska"]
    assert set(near_names("x/geant", known)) >= {"lib/geant"}
    assert near_names("lib/unheard-of-place", ["zoo/Aarnet"]) == []


def test_an_unknown_topohub_graph_lists_near_names():
    pytest.importorskip("topohub")
    with pytest.raises(UnknownNameError, match="topozoo/Geant2012"):
        read_graph("topozoo/geant2021")
    for name in ("../topohub/data/topozoo/Geant2012", "topozoo/../topozoo/Geant2012", "nothing/like/it"):
        with pytest.raises(UnknownNameError):
            read_graph(name)


def test_topohub_graphs_have_coordinates_and_traffic():
    """SNDlib's germany50 has a demand matrix; the traffic of its nodes is each demand counted at both ends."""
    pytest.importorskip("topohub")
    graph = read_graph("sndlib/germany50")
    demands = graph.graph["demands"]
    total = sum(volume for row in demands.values() for volume in row.values())
    assert sum(traffic for _, traffic in graph.nodes(data="traffic")) == 2 * total > 0
    aachen = next(attributes for _, attributes in graph.nodes(data=True) if attributes["name"] == "Aachen")
    assert (aachen["latitude"], aachen["longitude"]) == (50.76, 6.04)
    assert "topozoo/Geant2012" in topohub_names()


def test_a_drawings_coordinates_are_no_places():
    """SNDlib's atlanta has pixels for positions: neither they nor the lengths between them mean anything."""
    pytest.importorskip("topohub")
    graph = read_graph("sndlib/atlanta")
    assert not any("latitude" in attributes for _, attributes in graph.nodes(data=True))
    assert not any("dist" in attributes for _, _, attributes in graph.edges(data=True))
