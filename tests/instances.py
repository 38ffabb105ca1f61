"""Small problems that several tests share: one worked out by hand, and random ones."""

import numpy as np

from cdn.model.catalog import Catalog
from cdn.model.demand import Demand
from cdn.model.network import Network
from cdn.model.problem import Problem, build_problem
from cdn.model.site_assets import SiteAssets
from cdn.model.topology import Appliance, Link, Region, Site, Topology


def two_edges_one_mid(storage=(10, 10, 10)) -> Topology:
    """Regions r1 on edge e1, r2 on edge e2; both edges hang on mid m, m on the origin o.

    Costs per byte: edge 0 to its own region, mid 1, the other edge 1 + 1 = 2, origin 1 + 3 = 4.
    """
    return Topology(
        sites=(Site("e1", "edge"), Site("e2", "edge"), Site("m", "mid"), Site("o", "origin")),
        appliances=tuple(
            Appliance(f"a-{site}", site, size) for site, size in zip(("e1", "e2", "m"), storage, strict=True)
        ),
        regions=(Region("r1", "e1"), Region("r2", "e2")),
        links=(
            Link("e1", "m", cost_per_byte=1.0),
            Link("e2", "m", cost_per_byte=1.0),
            Link("m", "o", cost_per_byte=3.0),
        ),
    )


def problem_of(
    topology: Topology,
    sizes: dict[str, int],
    asked: list[tuple[str, str, float]],
    fill_cost=False,
    peak_bps=None,
    **changes,
) -> Problem:
    """A problem with ``asked`` = (region, asset, bytes); filling costs nothing unless asked for."""
    catalog = Catalog.of_sizes(list(sizes), list(sizes.values()))
    regions, assets, asked_bytes = zip(*asked, strict=True) if asked else ((), (), ())
    demand = Demand.from_entries(
        topology.region_index,
        catalog.asset_index,
        topology.region_index.positions_of(regions),
        catalog.asset_index.positions_of(assets),
        np.ones(len(asked)),
        np.array(asked_bytes, dtype=float),
        peak_bps,
    )
    problem = build_problem(Network(topology), catalog, demand)
    if not fill_cost:
        changes.setdefault("fill_cost_per_byte", np.zeros(problem.n_caches))
    return problem.replace(**changes)


def random_problem(rng: np.random.Generator, n_sites=3, n_regions=4, n_assets=8, limits=False, rules=True) -> Problem:
    """A small random problem: uneven sizes, some pairs not allowed to serve, some assets stored, pinned, excluded;
    with ``limits`` egress and fill limits that bind."""
    topology = Topology(
        sites=(*(Site(f"s{s}", "edge") for s in range(n_sites)), Site("o", "origin")),
        appliances=tuple(Appliance(f"a{s}", f"s{s}", int(rng.integers(0, 60))) for s in range(n_sites)),
        regions=tuple(Region(f"r{r}", "o") for r in range(n_regions)),
        links=(),
    )
    catalog = Catalog.of_sizes([f"t{a}" for a in range(n_assets)], rng.integers(1, 30, n_assets))
    n_entries = int(rng.integers(0, 2 * n_assets))
    requests = rng.integers(0, 20, n_entries).astype(float)
    asset = rng.integers(0, n_assets, n_entries)
    hour_factor = rng.random((3, n_regions))
    demand = Demand.from_entries(
        topology.region_index,
        catalog.asset_index,
        rng.integers(0, n_regions, n_entries),
        asset,
        requests,
        requests * catalog.size_bytes[asset],
        peak_bps=requests,
        hour_factor=hour_factor / hour_factor.max(axis=0),
    )
    cost = rng.integers(0, 8, (n_sites + 1, n_regions)).astype(float)
    cost[:-1][rng.random((n_sites, n_regions)) < 0.2] = np.inf
    cost[-1] = 6.0
    problem = build_problem(Network(topology), catalog, demand)
    stored = rng.random((n_sites, n_assets)) < 0.3
    problem = problem.replace(
        cost_per_byte=cost, stored=SiteAssets.from_dense(stored), fill_cost_per_byte=rng.random(n_sites)
    )
    if limits:
        problem = problem.replace(
            egress_bps=rng.integers(1, 30, n_sites).astype(float), fill_bytes=rng.integers(0, 40, n_sites).astype(float)
        )
    return _with_rules(problem, rng) if rules else problem


def _with_rules(problem: Problem, rng: np.random.Generator) -> Problem:
    """Pins one small asset where it fits and keeps another away from everywhere."""
    smallest = int(problem.size_bytes.argmin())
    roomy = np.flatnonzero(problem.storage_bytes >= problem.size_bytes[smallest])
    other = (smallest + 1) % len(problem.size_bytes)
    everywhere = np.arange(problem.n_caches)
    servable = rng.random(len(problem.demand)) < 0.9
    n_assets = len(problem.size_bytes)
    return problem.replace(
        pinned=SiteAssets.from_pairs(roomy[:1], [smallest] * len(roomy[:1]), n_assets),
        excluded=SiteAssets.from_pairs(everywhere, np.full(len(everywhere), other), n_assets)
        if n_assets > 1
        else problem.excluded,
        servable=servable,
    )
