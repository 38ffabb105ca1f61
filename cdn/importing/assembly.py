"""From a plain network and a policy to a topology.

The graph's nodes stay routers. A region hangs on its node; every site hangs on its node by a link of its own: an edge
site's costs nothing, a mid site's one more hop, the origin's the transit that makes it the dearest source.
"""

from dataclasses import dataclass, field
from pathlib import Path

import networkx as nx
import numpy as np
from scipy.sparse.csgraph import dijkstra

from cdn.errors import CdnError, DataError, UnknownNameError
from cdn.files.topologies import rate_bps, window_minutes
from cdn.importing.apportionment import APPORTIONMENTS, served_weight, split_evenly
from cdn.importing.graph_files import near_names, read_graph
from cdn.importing.network_graph import NetworkGraph, plain_network
from cdn.importing.policy import DEFAULT_EDGES, DEFAULT_MIDS, LATENCY_MS_PER_KM, ImportPolicy, longitude_zone
from cdn.importing.region_weights import node_weights, read_node_weights
from cdn.importing.site_choice import SITE_CHOICES, most_central
from cdn.model.topology import EDGE, MID, ORIGIN, Appliance, Link, Region, Site, Topology
from cdn.units import BYTES_PER_GB

NODES_MAX = 10_000
NODES_LISTED = 40
COST_DIGITS = 6


class PolicyError(CdnError):
    """The policy asks for what the graph cannot give."""

    exit_code = 2


@dataclass(frozen=True)
class ImportedTopology:
    """The topology, and in words what was changed in the graph or made up because it lacks it."""

    topology: Topology
    assumed: tuple[str, ...]


def import_topology(source: str, policy: ImportPolicy, weights_path: Path | str | None = None,
                    weight_rule: str | None = None) -> ImportedTopology:
    """Makes a topology from a ``.graphml`` or ``.gml`` file or a topohub name such as ``topozoo/Geant2012``.

    The nodes' weights come from ``weights_path``, else by ``weight_rule`` (``REGION_WEIGHTS``), else from what the
    graph has. The same source and policy give the same topology. Raises DataError for a broken graph or weights file,
    UnknownNameError for an unknown topohub graph or origin node, PolicyError, MissingExtraError.
    """
    network = plain_network(read_graph(source), source)
    if len(network.graph) > NODES_MAX:
        raise DataError.of_file(source, f"a graph of at most {NODES_MAX} nodes", len(network.graph))
    if weights_path is None:
        weight, rule = node_weights(network, weight_rule, source)
    else:
        weight, rule = read_node_weights(weights_path, network), Path(weights_path).name
    return build_topology(network, policy, weight, rule)


def build_topology(network: NetworkGraph, policy: ImportPolicy, weight: np.ndarray, rule: str) -> ImportedTopology:
    """The topology of a plain network whose nodes weigh ``weight`` (N,), by ``rule``.

    Raises PolicyError where more sites are asked for than there are nodes, UnknownNameError for an unknown origin.
    """
    return _Assembly(network, policy, weight, rule).finished()


@dataclass
class _Assembly:
    """Work in progress: ids given out so far and what had to be assumed on the way."""

    network: NetworkGraph
    policy: ImportPolicy
    weight: np.ndarray
    rule: str
    assumed: list[str] = field(init=False)
    nodes: list[str] = field(init=False)
    taken: set[str] = field(init=False)

    def __post_init__(self) -> None:
        self.assumed = list(self.network.notes)
        self.nodes = self.network.nodes
        self.taken = set(self.nodes)

    def finished(self) -> ImportedTopology:
        self._keep_heaviest()
        backbone = self._backbone()
        cost = self._node_cost()
        sites, appliances, site_links = self._sites(cost)
        regions = self._regions()
        self._say_costs()
        topology = Topology(tuple(sites), tuple(appliances), tuple(regions), tuple(backbone + site_links))
        return ImportedTopology(topology, tuple(self.assumed))

    def _keep_heaviest(self) -> None:
        """Weights as shares of the regions' total; nodes that are no region weigh 0."""
        order = np.argsort(-self.weight, kind="stable")[: self.policy.regions]
        kept = np.zeros(len(self.weight))
        kept[order] = self.weight[order]
        self.weight = kept / kept.sum()
        self.assumed.append(f"weights of the regions: {self.rule}")

    def _link_cost(self, length_km: float) -> float:
        return round(self.policy.link_cost_per_gb + self.policy.cost_per_gb_per_1000km * length_km / 1000, COST_DIGITS)

    def _length_km(self, length_km: float | None) -> float:
        return self.policy.default_link_km if length_km is None else length_km

    def _backbone(self) -> list[Link]:
        edges = list(self.network.graph.edges(data=True))
        unmeasured = sum(attributes["length_km"] is None for _, _, attributes in edges)
        unlimited = sum(attributes["capacity_bps"] is None for _, _, attributes in edges)
        if unmeasured:
            self.assumed.append(f"{unmeasured} links have no length: {self.policy.default_link_km:g} km each")
        if unlimited:
            self.assumed.append(f"{unlimited} links have no capacity: no limit")
        return [Link(a, b, np.inf if at["capacity_bps"] is None else at["capacity_bps"],
                     self._link_cost(self._length_km(at["length_km"])) / BYTES_PER_GB,
                     round(LATENCY_MS_PER_KM * self._length_km(at["length_km"]), 3)) for a, b, at in edges]

    def _node_cost(self) -> np.ndarray:
        """(N, N) cost of a GB between nodes."""
        priced = nx.Graph()
        priced.add_nodes_from(self.nodes)
        priced.add_weighted_edges_from((a, b, self._link_cost(self._length_km(length)))
                                       for a, b, length in self.network.graph.edges(data="length_km"))
        return dijkstra(nx.to_scipy_sparse_array(priced, weight="weight", format="csr"), directed=False)

    def _sites(self, cost: np.ndarray) -> tuple[list[Site], list[Appliance], list[Link]]:
        policy = self.policy
        edge_nodes = self._chosen(EDGE, policy.edges, DEFAULT_EDGES, policy.edge_choice, cost)
        mid_nodes = self._chosen(MID, policy.mids, DEFAULT_MIDS, policy.mid_choice, cost)
        sites, appliances, links = [], [], []
        for kind, nodes, storage_gb, hop_cost in ((EDGE, edge_nodes, policy.storage_gb_edge, 0.0),
                                                  (MID, mid_nodes, policy.storage_gb_mid, policy.link_cost_per_gb)):
            served = served_weight(self.weight, cost, nodes)
            storage = APPORTIONMENTS[policy.apportion](served) * storage_gb * BYTES_PER_GB * len(nodes)
            for node, storage_bytes in zip(nodes, storage, strict=True):
                site = self._site(node, kind, f"{self.nodes[node]}-{kind}")
                sites.append(site)
                appliances += self._cluster(site, round(float(storage_bytes)))
                links.append(Link(site.id, self.nodes[node], cost_per_byte=round(hop_cost, COST_DIGITS) / BYTES_PER_GB))
            shared_out = " on average, by the weight they serve" if policy.apportion == "served" else ""
            self.assumed.append(f"{len(nodes)} {kind} sites, {storage_gb:g} GB each{shared_out}")
        origin_node = self._origin_node(cost)
        origin = self._site(origin_node, ORIGIN, "origin")
        sites.append(origin)
        transit_cost = round(policy.origin_cost_per_gb, COST_DIGITS)
        links.append(Link(origin.id, self.nodes[origin_node], cost_per_byte=transit_cost / BYTES_PER_GB))
        return sites, appliances, links

    def _chosen(self, kind: str, wanted: int | None, default: int, choice: str, cost: np.ndarray) -> list[int]:
        candidates = np.flatnonzero(self.network.hosts)
        n = min(default, len(candidates)) if wanted is None else wanted
        if n > len(candidates):
            raise PolicyError(f"{n} {kind} sites are asked for, but only {len(candidates)} nodes can hold one")
        return SITE_CHOICES[choice](self.weight, cost, candidates, n)

    def _origin_node(self, cost: np.ndarray) -> int:
        if self.policy.origin is None:
            node = most_central(self.weight, cost, np.flatnonzero(self.network.hosts), 1)[0]
            self.assumed.append(f"the origin hangs on {self.nodes[node]}, the most central node")
            return node
        wanted = self.policy.origin
        if wanted not in self.nodes:
            near = near_names(wanted, self.nodes) if len(self.nodes) > NODES_LISTED else []
            raise UnknownNameError("origin node", wanted, near or self.nodes)
        return self.nodes.index(wanted)

    def _site(self, node: int, kind: str, wanted: str) -> Site:
        latitude, longitude = self._place(node)
        return Site(self._free(wanted), kind, latitude, longitude, self._zone(longitude))

    def _cluster(self, site: Site, storage_bytes: int) -> list[Appliance]:
        policy = self.policy
        egress_bps, fill_bps = rate_bps(policy.egress_gbps), rate_bps(policy.fill_gbps)
        window = window_minutes(policy.fill_window)
        return [Appliance(f"{site.id}-{k}", site.id, part, egress_bps, fill_bps, window)
                for k, part in enumerate(split_evenly(storage_bytes, policy.appliances_per_site), 1)]

    def _regions(self) -> list[Region]:
        regions = []
        for node in np.flatnonzero(self.weight):
            latitude, longitude = self._place(int(node))
            weight = float(f"{self.weight[node]:.6g}")
            id_ = self.nodes[node]
            regions.append(Region(id_, id_, self._zone(longitude), weight, latitude, longitude))
        return regions

    def _place(self, node: int) -> tuple[float | None, float | None]:
        attributes = self.network.graph.nodes[self.nodes[node]]
        if attributes["latitude"] is None:
            return None, None
        return round(attributes["latitude"], 4), round(attributes["longitude"], 4)

    def _zone(self, longitude: float | None) -> str:
        return longitude_zone(longitude) if self.policy.time_zone is None else self.policy.time_zone

    def _free(self, wanted: str) -> str:
        id_, number = wanted, 2
        while id_ in self.taken:
            id_, number = f"{wanted}-{number}", number + 1
        self.taken.add(id_)
        return id_

    def _say_costs(self) -> None:
        policy = self.policy
        self.assumed.append(f"a GB costs {policy.link_cost_per_gb:g} a link and {policy.cost_per_gb_per_1000km:g} per "
                            f"1000 km, {policy.origin_cost_per_gb:g} more out of the origin; latency is 5 us per km")
        rates = {"egress": policy.egress_gbps, "fill": policy.fill_gbps}
        unlimited = [name for name, rate in rates.items() if rate is None]
        if unlimited:
            self.assumed.append(f"no limit on the appliances' {' and '.join(unlimited)} rate")
        if policy.time_zone is None:
            self.assumed.append("time zones: the whole hour nearest to the longitude, no summer time")
