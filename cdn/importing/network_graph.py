"""A published graph made plain: one connected undirected network with unique names, coordinates and lengths."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np

from cdn.errors import DataError, Fault
from cdn.units import BPS_PER_GBPS

EARTH_RADIUS_KM = 6371.0088
LABELS = ("label", "name", "Label", "Name")
LATITUDES = ("Latitude", "latitude", "lat")
LONGITUDES = ("Longitude", "longitude", "lon")
POPULATIONS = ("population", "Population", "pop")
LENGTHS_KM = ("length_km", "distance_km", "dist")
# Topology Zoo gives LinkSpeedRaw in bit/s.
CAPACITIES_BPS = {"capacity_bps": 1.0, "LinkSpeedRaw": 1.0, "capacity_gbps": BPS_PER_GBPS}


@dataclass(frozen=True, eq=False)
class NetworkGraph:
    """A connected undirected graph. Node attributes: ``latitude``, ``longitude`` (degrees or None), ``population``,
    ``traffic`` (or None), ``hosts`` (False: a router of another network or a hyperedge, neither site nor region).
    Edge attributes: ``length_km`` (or None), ``capacity_bps`` (or None). ``notes``: what was changed or made up."""

    graph: nx.Graph
    notes: tuple[str, ...] = ()

    @property
    def nodes(self) -> list[str]:
        """Node ids, in the source's order."""
        return list(self.graph)

    @property
    def hosts(self) -> np.ndarray:
        """(N,) bool: the node may be a region or hold a site."""
        return np.array([hosts for _, hosts in self.graph.nodes(data="hosts")], dtype=bool)


def plain_network(raw: nx.Graph, source: str) -> NetworkGraph:
    """Makes a published graph plain; ``source`` names it in errors.

    Labels become unique ids; parallel links become one (capacities added up); both directions of a directed graph
    become one link (the smaller capacity); loops go; of several components the largest stays; a node without
    coordinates takes the mean of its neighbours'; a link without a length takes the great-circle distance. Raises
    DataError for attributes that are no numbers or out of range, with ``node[id]`` or ``edge[a-b]`` as the row.
    """
    notes: list[str] = []
    ids = _unique_ids(raw, notes)
    graph = nx.Graph()
    faults: list[Fault] = []
    for node, attributes in raw.nodes(data=True):
        graph.add_node(ids[node], **_node_values(attributes, _Place(source, f"node[{node}]", faults)))
    graph.add_edges_from(_links(raw, ids, source, faults, notes))
    if faults:
        raise DataError(faults)
    graph = _largest_component(graph, notes)
    _settle_hosts(graph, notes)
    _locate(graph, notes)
    _measure(graph, notes)
    return NetworkGraph(nx.freeze(graph), tuple(notes))


@dataclass(frozen=True)
class _Place:
    """Where attributes stand, for the faults found in them."""

    source: str
    row: str
    faults: list[Fault]

    def number(self, attributes: Mapping[str, Any], names: Iterable[str], expected: str, low: float,
               high: float) -> float | None:
        """The first of the named attributes that is there, as a number from low to high."""
        name = next((name for name in names if attributes.get(name) not in (None, "", "None")), None)
        if name is None:
            return None
        try:
            value = float(attributes[name])
        except (TypeError, ValueError):
            value = math.nan
        if not low <= value <= high or math.isinf(value):
            self.faults.append(Fault(self.source, self.row, name, attributes[name], expected))
        return value


def _unique_ids(raw: nx.Graph, notes: list[str]) -> dict[Any, str]:
    """Label where it names one node; ``label-2``, ``label-3`` for the further ones; ``node-ID`` where there is none."""
    labels = {node: _label(node, attributes) for node, attributes in raw.nodes(data=True)}
    taken, seen = set(labels.values()), set()
    numbers: dict[str, int] = defaultdict(lambda: 2)
    ids: dict[Any, str] = {}
    for node, label in labels.items():
        ids[node] = label
        while ids[node] in (taken if label in seen else ()):
            ids[node] = f"{label}-{numbers[label]}"
            numbers[label] += 1
        taken.add(ids[node])
        seen.add(label)
    renamed = sum(ids[node] != label for node, label in labels.items())
    if renamed:
        notes.append(f"{renamed} nodes repeat another's label: a number was added to theirs")
    return ids


def _label(node: Any, attributes: Mapping[str, Any]) -> str:
    for name in LABELS:
        label = " ".join("".join(c if c.isprintable() else " " for c in str(attributes.get(name) or "")).split())
        if label and label != "None":
            return label
    return f"node-{node}"


def _node_values(attributes: Mapping[str, Any], place: _Place) -> dict[str, Any]:
    latitude = place.number(attributes, LATITUDES, "degrees from -90 to 90", -90, 90)
    longitude = place.number(attributes, LONGITUDES, "degrees from -180 to 180", -180, 180)
    both = latitude is not None and longitude is not None
    return {
        "latitude": latitude if both else None,
        "longitude": longitude if both else None,
        "population": place.number(attributes, POPULATIONS, "a number >= 0", 0, math.inf),
        "traffic": place.number(attributes, ("traffic",), "a number >= 0", 0, math.inf),
        "hosts": not attributes.get("hyperedge") and bool(attributes.get("Internal", True)),
    }


def _links(raw: nx.Graph, ids: Mapping[Any, str], source: str, faults: list[Fault],
           notes: list[str]) -> list[tuple[str, str, dict[str, float | None]]]:
    """One link per pair of nodes that is joined, in the order the pairs first appear."""
    directions: dict[frozenset[str], dict[tuple[str, str], list[tuple[float | None, float | None]]]] = {}
    loops = merged = 0
    for a, b, attributes in raw.edges(data=True):
        place = _Place(source, f"edge[{a}-{b}]", faults)
        length = place.number(attributes, LENGTHS_KM, "a length in km >= 0", 0, math.inf)
        capacity = _capacity_bps(attributes, place)
        if a == b:
            loops += 1
            continue
        ends = (ids[a], ids[b])
        ways = directions.setdefault(frozenset(ends), {})
        way = ends if raw.is_directed() or not ways else next(iter(ways))
        merged += way in ways
        ways.setdefault(way, []).append((length, capacity))
    if loops:
        notes.append(f"{loops} links from a node to itself were left out")
    if merged:
        notes.append(f"{merged} links run parallel to another: each bundle became one link, capacities added up")
    return [(*next(iter(ways)), _bundle(ways.values())) for ways in directions.values()]


def _capacity_bps(attributes: Mapping[str, Any], place: _Place) -> float | None:
    for name, factor in CAPACITIES_BPS.items():
        value = round((place.number(attributes, (name,), "a capacity >= 0", 0, math.inf) or 0.0) * factor, 3)
        # A speed of 0 stands for an unknown one.
        if value:
            return value
    return None


def _bundle(ways: Iterable[list[tuple[float | None, float | None]]]) -> dict[str, float | None]:
    """The links of one pair as one: shortest length; capacities added up, the smaller of two directions."""
    ways = list(ways)
    lengths = [length for way in ways for length, _ in way if length is not None]
    sums = [sum(capacity for _, capacity in way if capacity is not None) if all(c is not None for _, c in way) else None
            for way in ways]
    known = [total for total in sums if total is not None]
    return {"length_km": min(lengths, default=None), "capacity_bps": min(known, default=None)}


def _largest_component(graph: nx.Graph, notes: list[str]) -> nx.Graph:
    components = list(nx.connected_components(graph))
    if len(components) == 1:
        return graph
    largest = max(components, key=len)  # the first of equals
    notes.append(f"the graph falls into {len(components)} parts: the largest was kept, {len(largest)} of "
                 f"{len(graph)} nodes")
    # Not subgraph(): its order is that of a set of texts, which differs from run to run.
    graph.remove_nodes_from([node for node in graph if node not in largest])
    return graph


def _settle_hosts(graph: nx.Graph, notes: list[str]) -> None:
    routers = [node for node, hosts in graph.nodes(data="hosts") if not hosts]
    if len(routers) == len(graph):
        nx.set_node_attributes(graph, True, "hosts")
    elif routers:
        notes.append(f"{len(routers)} nodes are hyperedges or of other networks: routers only, no site or region")


def _locate(graph: nx.Graph, notes: list[str]) -> None:
    """Gives nodes without coordinates the mean of their neighbours', working outwards from the located ones."""
    missing = [node for node, latitude in graph.nodes(data="latitude") if latitude is None]
    if len(missing) == len(graph):
        notes.append("no node has coordinates")
        return
    left = missing
    while left:
        found = {node: place for node in left if (place := _neighbours_mean(graph, node)) is not None}
        for node, (latitude, longitude) in found.items():
            graph.nodes[node].update(latitude=latitude, longitude=longitude)
        left = [node for node in left if node not in found]
    if missing:
        notes.append(f"{len(missing)} nodes without coordinates were placed amid their neighbours")


def _neighbours_mean(graph: nx.Graph, node: str) -> tuple[float, float] | None:
    places = [(graph.nodes[n]["latitude"], graph.nodes[n]["longitude"]) for n in graph[node]
              if graph.nodes[n]["latitude"] is not None]
    if not places:
        return None
    x, y, z = np.mean([_unit_vector(*place) for place in places], axis=0)
    if math.hypot(x, y, z) < 1e-9:  # neighbours on opposite sides of the earth have no middle
        return places[0]
    return math.degrees(math.atan2(z, math.hypot(x, y))), math.degrees(math.atan2(y, x))


def _unit_vector(latitude: float, longitude: float) -> tuple[float, float, float]:
    phi, lam = math.radians(latitude), math.radians(longitude)
    return math.cos(phi) * math.cos(lam), math.cos(phi) * math.sin(lam), math.sin(phi)


def great_circle_km(latitude_a: float, longitude_a: float, latitude_b: float, longitude_b: float) -> float:
    """Distance over a sphere of mean radius 6371 km (haversine formula: Sinnott, Sky and Telescope 68, 1984).

    >>> round(great_circle_km(52.37, 4.89, 50.85, 4.35))  # Amsterdam - Brussels
    173
    """
    phi_a, phi_b = math.radians(latitude_a), math.radians(latitude_b)
    half = math.sin((phi_b - phi_a) / 2) ** 2
    half += math.cos(phi_a) * math.cos(phi_b) * math.sin(math.radians(longitude_b - longitude_a) / 2) ** 2
    return 2 * EARTH_RADIUS_KM * math.asin(min(1.0, math.sqrt(half)))


def _measure(graph: nx.Graph, notes: list[str]) -> None:
    measured = 0
    for a, b, attributes in graph.edges(data=True):
        ends = [graph.nodes[node][name] for node in (a, b) for name in ("latitude", "longitude")]
        if attributes["length_km"] is None and None not in ends:
            attributes["length_km"] = great_circle_km(*ends)
            measured += 1
    if measured:
        notes.append(f"{measured} links have no length: great-circle distance")
