"""Small networks and logs whose replays can be worked out by hand.

    east --- e1 --1-- m --1-- e2 --- west          costs per byte: own edge 0, mid 1, the other edge 2, origin 4
                      |
                      3
                      |
                      o

Assets a, b, c, d of 10 bytes. Storage: one asset at each edge, two at the mid.
"""

import numpy as np

from cdn.model.catalog import Catalog
from cdn.model.demand import Demand
from cdn.model.network import Network
from cdn.model.problem import Problem, build_problem
from cdn.model.request_log import RequestLog
from cdn.model.site_assets import SiteAssets
from cdn.model.topology import Appliance, Link, Region, ServingCost, Site, Topology

E1, E2, MID_SITE, ORIGIN_SITE = 0, 1, 2, 3
EAST, WEST = 0, 1
REQUESTS = "east a, west a, east b, east a, west a, west b | east a, west c, east b, west d, west b, east a, west a"


def small_topology(storage_scale: int = 1) -> Topology:
    return Topology(
        sites=(Site("e1", "edge"), Site("e2", "edge"), Site("m", "mid"), Site("o", "origin")),
        appliances=(Appliance("e1-1", "e1", 10 * storage_scale, egress_bps=1e9),
                    Appliance("e2-1", "e2", 10 * storage_scale),
                    Appliance("m-1", "m", 20 * storage_scale)),
        regions=(Region("east", "e1"), Region("west", "e2")),
        links=(Link("e1", "m", cost_per_byte=1.0), Link("m", "e2", cost_per_byte=1.0),
               Link("o", "m", cost_per_byte=3.0)),
    )


def small_catalog(**rules) -> Catalog:
    return Catalog.of_sizes(["a", "b", "c", "d"], [10, 10, 10, 10], **rules)


def no_demand(region_index, asset_index) -> Demand:
    return Demand.from_entries(region_index, asset_index, [], [], [], [])


def problem_of(topology: Topology, catalog: Catalog) -> Problem:
    return build_problem(Network(topology), catalog, no_demand(topology.region_index, catalog.asset_index))


def log_of(words: str, topology: Topology, catalog: Catalog, bytes_=10) -> RequestLog:
    """``east a, west b | east a``: a request a minute, and at the bar the next hour begins."""
    rows = [(hour * 60 + minute, *request.split()) for hour, part in enumerate(words.split("|"))
            for minute, request in enumerate(part.split(","))]
    return RequestLog(
        topology.region_index,
        catalog.asset_index,
        np.array([minute for minute, _, _ in rows], dtype=np.int64) * 60_000_000,
        topology.region_index.positions_of([region for _, region, _ in rows]),
        catalog.asset_index.positions_of([asset for _, _, asset in rows]),
        np.broadcast_to(bytes_, len(rows)),
    )


def pairs(words: str, topology: Topology, catalog: Catalog) -> SiteAssets:
    """``e1 a, m b``: what is stored where."""
    rows = [pair.split() for pair in words.split(",") if pair]
    return SiteAssets.from_pairs(topology.site_index.positions_of([site for site, _ in rows]),
                                 catalog.asset_index.positions_of([asset for _, asset in rows]), len(catalog))


def listed_topology(kinds, storage_bytes, cost_per_byte) -> Topology:
    """Caches s0, s1, ... of the given kinds, regions r0, ...; ``cost_per_byte`` (S + 1, R), infinite: not listed."""
    cost_per_byte = np.asarray(cost_per_byte, dtype=float)
    sites = [Site(f"s{k}", kind) for k, kind in enumerate(kinds)] + [Site("o", "origin")]
    return Topology(
        sites=tuple(sites),
        appliances=tuple(Appliance(f"a{k}", f"s{k}", stored) for k, stored in enumerate(storage_bytes)),
        regions=tuple(Region(f"r{r}", "anywhere") for r in range(cost_per_byte.shape[1])),
        serving_costs=tuple(ServingCost(f"r{r}", sites[s].id, float(cost))
                            for (s, r), cost in np.ndenumerate(cost_per_byte) if np.isfinite(cost)),
    )
