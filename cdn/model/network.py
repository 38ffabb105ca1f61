"""Cheapest paths through the topology's graph: serving costs, fill costs and which links a path uses.

The graph is undirected (every link carries traffic both ways). A path is chosen by cost; among equal
costs the lower latency wins (latency enters the path choice as 1e-9 GB-cost per ms and is then left
out of the cost).
"""

import itertools
from dataclasses import dataclass
from functools import cached_property

import networkx as nx
import numpy as np
import scipy.sparse as sp

from cdn.model.topology import Topology
from cdn.units import BYTES_PER_GB

LATENCY_TIE_BREAK_PER_MS = 1e-9


def build_graph(topology: Topology) -> nx.Graph:
    """The network as a graph: nodes are sites, routers named by links, and nodes regions hang on.

    Edge attributes: ``cost_per_byte``, ``latency_ms``, ``capacity_bps``, ``weight``, ``link`` (position
    in ``topology.links``). Of parallel links the cheapest is kept.
    """
    graph = nx.Graph()
    graph.add_nodes_from(site.id for site in topology.sites)
    graph.add_nodes_from(region.node_id for region in topology.regions)
    for position, link in enumerate(topology.links):
        weight = link.cost_per_byte * BYTES_PER_GB + LATENCY_TIE_BREAK_PER_MS * link.latency_ms
        if graph.has_edge(link.a, link.b) and graph.edges[link.a, link.b]["weight"] <= weight:
            continue
        graph.add_edge(
            link.a,
            link.b,
            weight=weight,
            cost_per_byte=link.cost_per_byte,
            latency_ms=link.latency_ms,
            capacity_bps=link.capacity_bps,
            link=position,
        )
    return graph


@dataclass(frozen=True, eq=False)
class Network:
    """Paths of one topology, worked out once. Sites S caches + origin last, R regions, L links."""

    topology: Topology

    @cached_property
    def graph(self) -> nx.Graph:
        return build_graph(self.topology)

    @cached_property
    def _paths(self) -> dict[str, dict[str, list[str]]]:
        return {
            site.id: nx.single_source_dijkstra_path(self.graph, site.id, weight="weight")
            for site in self.topology.sites
        }

    def path(self, site_id: str, node_id: str) -> list[str] | None:
        """Nodes from a site to a node along the cheapest path; None where there is none."""
        return self._paths[site_id].get(node_id)

    def path_cost_per_byte(self, site_id: str, node_id: str) -> float:
        """Cost of a byte along the cheapest path; infinite where there is none."""
        path = self.path(site_id, node_id)
        if path is None:
            return np.inf
        return float(sum(self.graph.edges[a, b]["cost_per_byte"] for a, b in itertools.pairwise(path)))

    @cached_property
    def cost_per_byte(self) -> np.ndarray:
        """Serving cost (S + 1, R), infinite where a site may not serve a region.

        Raises ValueError where the origin cannot reach a region.
        """
        topology = self.topology
        if topology.serving_costs is not None:
            costs = self._listed_costs()
        else:
            costs = np.array(
                [
                    [self.path_cost_per_byte(site.id, region.node_id) for region in topology.regions]
                    for site in topology.sites
                ]
            )
        for s, site in enumerate(topology.sites):
            if site.serves is not None:
                costs[s, [region.id not in site.serves for region in topology.regions]] = np.inf
        unreached = np.flatnonzero(~np.isfinite(costs[-1]))
        if len(unreached):
            names = [topology.regions[r].id for r in unreached[:5]]
            raise ValueError(f"the origin cannot serve {len(unreached)} region(s), first {names}")
        return costs

    def _listed_costs(self) -> np.ndarray:
        topology = self.topology
        costs = np.full((len(topology.sites), len(topology.regions)), np.inf)
        for row in topology.serving_costs or ():
            costs[topology.site_index.position_of(row.site_id), topology.region_index.position_of(row.region_id)] = (
                row.cost_per_byte
            )
        return costs

    @cached_property
    def transfer_cost_per_byte(self) -> np.ndarray:
        """Cost (S + 1, S + 1) of a byte moved from site (row) to site (column); infinite without a path."""
        sites = self.topology.sites
        return np.array([[self.path_cost_per_byte(a.id, b.id) for b in sites] for a in sites])

    @cached_property
    def fill_cost_per_byte(self) -> np.ndarray:
        """Cost (S,) of a byte filled from the origin; a site's own ``fill_cost_per_byte`` overrides its path,
        and without a path (costs listed, no links) it is 0."""
        from_origin = self.transfer_cost_per_byte[-1, :-1]
        own = [site.fill_cost_per_byte for site in self.topology.sites[:-1]]
        return np.array(
            [
                path if mine is None else mine
                for path, mine in zip(np.where(np.isfinite(from_origin), from_origin, 0.0), own, strict=True)
            ],
            dtype=float,
        )

    @cached_property
    def path_links(self) -> sp.csr_array:
        """Directed links on the serving paths, ((S + 1) * R, 2 L): row s * R + r; column l for a link walked
        from a to b, L + l from b to a. Empty rows where costs are listed and no path exists."""
        topology = self.topology
        rows, columns = [], []
        for s, site in enumerate(topology.sites):
            for r, region in enumerate(topology.regions):
                path = self.path(site.id, region.node_id) or []
                for a, b in itertools.pairwise(path):
                    rows.append(s * len(topology.regions) + r)
                    columns.append(self._directed_link(a, b))
        shape = (len(topology.sites) * len(topology.regions), 2 * len(topology.links))
        return sp.csr_array((np.ones(len(rows)), (rows, columns)), shape=shape)

    def _directed_link(self, a: str, b: str) -> int:
        position = self.graph.edges[a, b]["link"]
        return position if self.topology.links[position].a == a else position + len(self.topology.links)

    @cached_property
    def link_capacity_bps(self) -> np.ndarray:
        """Capacity (2 L,) of each directed link."""
        capacities = [link.capacity_bps for link in self.topology.links]
        return np.array(capacities + capacities, dtype=float)

    @cached_property
    def latency_ms(self) -> np.ndarray:
        """One-way latency (S + 1, R) of the serving paths; 0 where costs are listed and no path exists."""
        topology = self.topology
        table = np.zeros((len(topology.sites), len(topology.regions)))
        for s, site in enumerate(topology.sites):
            for r, region in enumerate(topology.regions):
                path = self.path(site.id, region.node_id) or []
                table[s, r] = sum(self.graph.edges[a, b]["latency_ms"] for a, b in itertools.pairwise(path))
        return table
