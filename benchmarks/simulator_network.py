"""Requests per second through a network: edges under mids under an origin. Run by ``simulator.py --section network``.

Every region has an edge of its own, a share of the edges a mid. Time of ``replay`` as a whole (tables and numbering
included), and of its parts.
"""

import time

import numpy as np

from cdn.model.catalog import Catalog
from cdn.model.demand import Demand
from cdn.model.network import Network
from cdn.model.problem import build_problem
from cdn.model.request_log import RequestLog
from cdn.model.site_assets import SiteAssets
from cdn.model.topology import Appliance, Link, Region, Site, Topology
from cdn.simulation import replay, summarise
from cdn.simulation.classes import serve_pinned
from cdn.simulation.kinds import kinds_of
from cdn.simulation.routes import build_routes, route_requests

REGIONS_PER_MID = 10
EDGE_SHARE, MID_SHARE = 0.05, 0.2


def network_of(ids, size_bytes, n_regions, seed):
    """(problem, topology, catalog, log): a day of requests spread evenly over the regions."""
    n_mids = -(-n_regions // REGIONS_PER_MID)
    edges, mids = [f"e{k}" for k in range(n_regions)], [f"m{k}" for k in range(n_mids)]
    storage = {"e": int(EDGE_SHARE * size_bytes.sum()), "m": int(MID_SHARE * size_bytes.sum())}
    rate = {kind: len(ids) / n_regions * size_bytes.mean() * 8 / 86_400 for kind in storage}
    topology = Topology(
        sites=(*(Site(s, "edge") for s in edges), *(Site(s, "mid") for s in mids), Site("o", "origin")),
        appliances=tuple(Appliance(f"{s}-1", s, storage[s[0]], egress_bps=rate[s[0]]) for s in (*edges, *mids)),
        regions=tuple(Region(f"r{k}", edge) for k, edge in enumerate(edges)),
        links=(*(Link(edge, mids[k // REGIONS_PER_MID], cost_per_byte=1.0) for k, edge in enumerate(edges)),
               *(Link(mid, "o", cost_per_byte=3.0) for mid in mids)),
    )  # fmt: skip
    catalog = Catalog.of_sizes([str(k) for k in range(len(size_bytes))], size_bytes)
    region = np.random.default_rng(seed).integers(0, n_regions, len(ids))
    log = RequestLog(topology.region_index, catalog.asset_index, np.arange(len(ids)) * (86_400_000_000 // len(ids)),
                     region, ids, size_bytes[ids])  # fmt: skip
    demand = Demand.from_entries(topology.region_index, catalog.asset_index, [], [], [], [])
    problem = build_problem(Network(topology), catalog, demand)
    return problem, topology, catalog, log


def pins_alike(ids, size_bytes, problem, n_regions):
    """Every edge holds the most popular assets, every mid what comes next: three kinds of assets."""
    ranked = np.argsort(-np.bincount(ids, minlength=len(size_bytes)), kind="stable")
    at_edges = fitting(size_bytes[ranked], problem.storage_bytes[0])
    at_mids = at_edges + fitting(size_bytes[ranked[at_edges:]], problem.storage_bytes[n_regions])
    held = [(k, ranked[:at_edges]) for k in range(n_regions)]
    held += [(k, ranked[at_edges:at_mids]) for k in range(n_regions, problem.n_caches)]
    return pins_of(held, len(size_bytes))


def pins_of_its_own(ids, size_bytes, problem, seed):
    """Every cache holds what is most popular with it: the requests of all times a lognormal factor of its own."""
    counts, rng = np.bincount(ids, minlength=len(size_bytes)), np.random.default_rng(seed)
    held = []
    for k in range(problem.n_caches):
        ranked = np.argsort(-counts * rng.lognormal(0, 0.5, len(counts)))
        held.append((k, ranked[: fitting(size_bytes[ranked], problem.storage_bytes[k])]))
    return pins_of(held, len(size_bytes))


def fitting(size_bytes, storage_bytes):
    return np.searchsorted(np.cumsum(size_bytes), storage_bytes, side="right")


def pins_of(held, n_assets):
    site, asset = (np.concatenate(part) for part in zip(*((np.full(len(a), s), a) for s, a in held), strict=True))
    return SiteAssets.from_pairs(site, asset, n_assets)


def best_of(repeats, run):
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        result = run()
        seconds.append(time.perf_counter() - start)
    return min(seconds), result


def measure_network(ids, size_bytes, n_regions, policies, repeats, seed):
    network = problem, topology, catalog, log = network_of(ids, size_bytes, n_regions, seed)
    pinned, own = pins_alike(ids, size_bytes, problem, n_regions), pins_of_its_own(ids, size_bytes, problem, seed)
    n = len(log)
    print(f"\nNetwork: {n:,} requests, {len(size_bytes):,} assets, {n_regions} regions and edges, "
          f"{problem.n_caches - n_regions} mids.\n\n| contents | M/s | ns/request | hit ratio | spilled |\n"
          "|---|---|---|---|---|", flush=True)  # fmt: skip
    ways = {
        "pinned, edges alike": {"pinned": pinned},
        "pinned, each cache its own": {"pinned": own},
        "pinned, edges alike, egress limits": {"pinned": pinned, "egress_limits": True},
    }
    for policy in policies:
        ways |= {f"{policy}, {copy}": {"policy": policy, "copy": copy} for copy in ("lce", "lcd")}
        ways[f"{policy}, lce, egress limits"] = {"policy": policy, "egress_limits": True}
    for name, how in ways.items():
        tiny = log.select(np.arange(n) < 10)
        replay(problem, topology, catalog, tiny, **how)
        seconds, result = best_of(repeats, lambda how=how: replay(*network, **how))
        metrics = summarise(problem, topology, log, result)
        print(f"| {name} | {n / seconds / 1e6:.1f} | {seconds / n * 1e9:.1f} | {metrics.request_hit_ratio:.3f} | "
              f"{metrics.spilled_requests:,} |", flush=True)  # fmt: skip
    for name, pins in (("edges alike", pinned), ("each cache its own", own)):
        routes = build_routes(problem, catalog, pins, None)
        looked_up, route = best_of(repeats, lambda routes=routes: route_requests(routes, log.region, log.asset))
        kinds = kinds_of(routes, len(catalog))[1]
        out = np.empty(n, dtype=np.int32), np.empty(n, dtype=np.int8)
        seen = np.zeros(len(catalog), dtype=bool)
        served, _ = best_of(repeats, lambda route=route, seen=seen, out=out: serve_pinned(
            route, log.asset, problem.n_caches, seen, *out))  # fmt: skip
        print(f"\nOf pinned, {name}, {len(kinds):,} kinds of assets: routes {looked_up / n * 1e9:.1f} ns, who served "
              f"and why {served / n * 1e9:.1f} ns a request.")  # fmt: skip
