"""Graphs as published: GraphML and GML files (Topology Zoo style) and the ones the ``topohub`` package ships."""

import difflib
import re
from importlib import resources
from pathlib import Path
from xml.etree import ElementTree

import networkx as nx

from cdn.errors import CdnError, DataError, UnknownNameError

GRAPHML, GML = ".graphml", ".gml"
NEAR_NAMES_SHOWN = 12
_GRAPH_OPENING = re.compile(r"^(\s*graph\s*\[)", re.MULTILINE)
# What networkx lets through of a broken file: its own errors, and those of the conversions inside it.
_PARSE_ERRORS = (nx.NetworkXException, ElementTree.ParseError, ValueError, LookupError, TypeError, AttributeError,
                 RecursionError)


class MissingExtraError(CdnError):
    """A part of the software that is an optional extra is not installed."""

    exit_code = 2


def read_graph(source: str) -> nx.Graph:
    """The graph as published, nothing changed but attribute names: any networkx class, any attributes.

    ``source`` is a ``.graphml`` or ``.gml`` file, or a topohub name such as ``topozoo/Geant2012``. Raises DataError
    where the file is missing or broken, UnknownNameError for a name topohub does not know, MissingExtraError
    where topohub is not installed.
    """
    suffix = Path(source).suffix.lower()
    if suffix in (GRAPHML, GML):
        return _read_file(Path(source), suffix)
    if "/" in source and not Path(source).exists():
        return _read_topohub(source)
    raise DataError.of_file(source, f"a {GRAPHML} or {GML} file, or a topohub name such as topozoo/Geant2012")


def _read_file(path: Path, suffix: str) -> nx.Graph:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError.of_file(path, f"a readable file ({error.strerror})") from error
    try:
        graph = nx.parse_graphml(data.decode("utf-8-sig")) if suffix == GRAPHML else _parse_gml(_text_of(data))
    except _PARSE_ERRORS as error:
        raise DataError.of_file(path, f"a {suffix} graph ({' '.join(str(error).split())[:200]})") from error
    if not len(graph):
        raise DataError.of_file(path, "a graph with at least one node")
    return graph


def _text_of(data: bytes) -> str:
    """GML is ASCII by definition; UTF-8 and Latin-1 are what is found."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _parse_gml(text: str) -> nx.Graph:
    """Nodes by their id, since labels may repeat; a file that repeats an edge is a multigraph, said or not."""
    try:
        return nx.parse_gml(text, label="id")
    except nx.NetworkXError as error:
        if "duplicated" not in str(error) or re.search(r"^\s*multigraph\b", text, re.MULTILINE):
            raise
        return nx.parse_gml(_GRAPH_OPENING.sub(r"\1\n  multigraph 1", text, count=1), label="id")


def _read_topohub(name: str) -> nx.Graph:
    try:
        import topohub
    except ImportError as error:
        raise MissingExtraError(f"{name!r} is read from topohub, which is not installed: install the extra "
                                "'topologies' (pip install 'cdn-placement[topologies]')") from error
    known = topohub_names()
    if name not in known:
        folders = sorted({f"{each.split('/')[0]}/..." for each in known})
        raise UnknownNameError("topohub graph", name, near_names(name, known) or folders)
    graph = nx.node_link_graph(topohub.get(name), edges="edges")
    _take_positions(graph)
    _take_demands(graph)
    return graph


def topohub_names() -> list[str]:
    """Names of all graphs topohub ships, ascending."""
    root = Path(str(resources.files("topohub"))) / "data"
    return sorted(path.relative_to(root).with_suffix("").as_posix() for path in root.rglob("*.json"))


def near_names(name: str, known: list[str]) -> list[str]:
    """Known names that look like ``name`` or hold its last part."""
    folded = {each.casefold(): each for each in known}
    wanted = name.casefold()
    tail = wanted.rpartition("/")[2]
    near = [folded[each] for each in difflib.get_close_matches(wanted, folded, n=NEAR_NAMES_SHOWN, cutoff=0.6)]
    near += [each for fold, each in folded.items() if tail and tail in fold and each not in near]
    return near[:NEAR_NAMES_SHOWN]


def _take_positions(graph: nx.Graph) -> None:
    """topohub says (longitude, latitude); some SNDlib graphs have a drawing's coordinates there and its lengths."""
    positions = nx.get_node_attributes(graph, "pos")
    if all(abs(x) <= 180 and abs(y) <= 90 for x, y in positions.values()):
        nx.set_node_attributes(graph, {node: {"longitude": x, "latitude": y} for node, (x, y) in positions.items()})
        return
    for _, _, attributes in graph.edges(data=True):
        attributes.pop("dist", None)


def _take_demands(graph: nx.Graph) -> None:
    """Node attribute ``traffic``: demand from and to the node, where the graph carries a demand matrix (SNDlib)."""
    demands = graph.graph.get("demands") or {}
    if not demands:
        return
    traffic = dict.fromkeys(graph.nodes, 0.0)
    for source, row in demands.items():
        for target, volume in row.items():
            traffic[source] += float(volume)
            traffic[target] += float(volume)
    nx.set_node_attributes(graph, traffic, "traffic")
