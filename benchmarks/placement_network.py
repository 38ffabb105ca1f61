"""A made-up network at any size: cities on a map, caches in them, what serving costs, and limits that bind.

Cities lie at random on a map of 3,000 x 2,000 km, the larger the rank the smaller. A region is one provider's clients
in a city; the largest regions have an edge of their own, and a tenth of the caches are mids in the largest cities.
Costs per GB (stated, of the order of those in ``cran.py``): 0.5 per 1000 km, plus 0.2 from a region's own edge, 0.6
from another edge of the city, 1.2 from one elsewhere, 2.2 from a mid, 6 from the origin. Each region may be served by
``CONNECTIONS`` caches: the cheapest mids and the cheapest edges.
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numba import njit

from cdn.model.arrays import csr_indptr
from cdn.model.demand import Demand
from cdn.units import BYTES_PER_GB

MAP_KM = (3000.0, 2000.0)
CITY_RADIUS_KM = 15.0
REGIONS_PER_CITY = 5
MID_SHARE = 0.1
CONNECTIONS, MID_CONNECTIONS = 6, 2
PER_GB_KM = 0.5 / 1000
OWN_EDGE, CITY_EDGE, OTHER_EDGE, MID, ORIGIN = 0.2, 0.6, 1.2, 2.2, 6.0
FILL_COST_SHARE = 0.2
"""Filling a byte over the cost of delivering it from the origin: the network is idle at night."""
SWEEPS = 2
TIGHT, LOOSE = (0.7, 0.8), 1.5
"""A tight limit over the load without limits, and a loose one."""


@dataclass(frozen=True, eq=False)
class MadeUpNetwork:
    """A made-up network of S caches (edges first, then mids), R regions. ``region_city`` (R,), ``site_city`` (S,);
    ``cost_per_byte`` (S + 1, R), infinite where there is no connection; ``origin_cost_per_byte`` (S,) of a byte from
    the origin to each cache."""

    region_city: np.ndarray
    site_city: np.ndarray
    is_mid: np.ndarray
    cost_per_byte: np.ndarray
    origin_cost_per_byte: np.ndarray


def draw_network(
    n_regions: int, n_sites: int, rng: np.random.Generator, connections: int = CONNECTIONS
) -> MadeUpNetwork:
    """Draws cities, regions and caches. Regions come in order of size, as ``made_up_regions`` gives them."""
    n_mids = max(1, round(MID_SHARE * n_sites))
    n_edges = n_sites - n_mids
    if n_edges > n_regions:
        raise ValueError(f"{n_edges} edges for {n_regions} regions: each edge belongs to one region")
    n_cities = max(4, n_regions // REGIONS_PER_CITY, n_mids)
    city_place = rng.random((n_cities, 2)) * MAP_KM
    city_weight = np.arange(1, n_cities + 1) ** -0.5
    region_city = rng.choice(n_cities, n_regions, p=city_weight / city_weight.sum())
    region_place = city_place[region_city] + CITY_RADIUS_KM * rng.standard_normal((n_regions, 2))
    edge_place = region_place[:n_edges] + 2.0 * rng.standard_normal((n_edges, 2))
    place = np.concatenate([edge_place, city_place[:n_mids]])
    site_city = np.concatenate([region_city[:n_edges], np.arange(n_mids)])
    is_mid = np.arange(n_sites) >= n_edges
    step = np.where(site_city[:, None] == region_city, CITY_EDGE, OTHER_EDGE)
    step[np.arange(n_edges), np.arange(n_edges)] = OWN_EDGE
    step[is_mid] = MID
    cost = step + PER_GB_KM * _distance_km(place, region_place)
    cost[~_connected(cost, is_mid, connections)] = np.inf
    centre = np.array([MAP_KM]) / 2
    origin = ORIGIN + PER_GB_KM * _distance_km(centre, region_place)
    return MadeUpNetwork(
        region_city,
        site_city,
        is_mid,
        np.concatenate([cost, origin]) / BYTES_PER_GB,
        (ORIGIN + PER_GB_KM * _distance_km(centre, place)[0]) / BYTES_PER_GB,
    )


def _distance_km(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.hypot(*(a[:, None, :] - b[None, :, :]).transpose(2, 0, 1))


def _connected(cost: np.ndarray, is_mid: np.ndarray, connections: int) -> np.ndarray:
    """(S, R) bool: the cheapest mids of each region and, for the rest of its connections, its cheapest edges."""
    n_mids = min(MID_CONNECTIONS, int(is_mid.sum()), connections)
    connected = np.zeros(cost.shape, dtype=bool)
    for kind, n in ((is_mid, n_mids), (~is_mid, connections - n_mids)):
        sites = np.flatnonzero(kind)
        nearest = sites[np.argsort(cost[sites], axis=0, kind="stable")[:n]]
        np.put_along_axis(connected, nearest, True, axis=0)
    return connected


def place_in_turn(
    network: MadeUpNetwork,
    demand: Demand,
    size_bytes: np.ndarray,
    storage_bytes: np.ndarray,
    rng: np.random.Generator | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """A plausible placement: each cache in turn, ``SWEEPS`` times, takes what saves most per byte while the others hold
    what they hold.

    Returns what is held (S, A) bool and the flow (S, R) bit/s at the regions' own peaks. With ``rng`` the worth of a
    fifth of the assets is misjudged by a lognormal factor, as yesterday's plan was.
    """
    n_assets = len(size_bytes)
    order = np.argsort(demand.region, kind="stable")
    indptr = csr_indptr(demand.region[order], len(network.region_city))
    asset, bytes_ = demand.asset[order], demand.bytes[order]
    factor = np.ones(n_assets)
    if rng is not None:
        factor = np.exp(1.5 * rng.standard_normal(n_assets) * (rng.random(n_assets) < 0.2))
    held = np.zeros((len(network.site_city), n_assets), dtype=bool)
    for site in np.tile(np.arange(len(held)), SWEEPS):
        held[site] = False
        worth = factor * _worth(site, indptr, asset, bytes_, network.cost_per_byte, held)
        ranked = np.argsort(-worth / size_bytes, kind="stable")
        ranked = ranked[worth[ranked] > 0]
        held[site, ranked[np.cumsum(size_bytes[ranked]) <= storage_bytes[site]]] = True
    return held, _flow(indptr, asset, demand.peak_bps[order], network.cost_per_byte, held)


@njit(cache=True)
def _worth(site, indptr, asset, bytes_, cost, held):
    """(A,) delivery cost that each asset would save at a site."""
    worth = np.zeros(held.shape[1])
    for r in range(cost.shape[1]):
        if not np.isfinite(cost[site, r]):
            continue
        connected = np.flatnonzero(np.isfinite(cost[:-1, r]))
        for e in range(indptr[r], indptr[r + 1]):
            paid = cost[-1, r]
            for s in connected:
                if held[s, asset[e]]:
                    paid = min(paid, cost[s, r])
            worth[asset[e]] += bytes_[e] * max(paid - cost[site, r], 0.0)
    return worth


@njit(cache=True)
def _flow(indptr, asset, peak_bps, cost, held):
    """(S, R) bit/s that each cache serves each region when the cheapest holder serves."""
    flow = np.zeros((cost.shape[0] - 1, cost.shape[1]))
    for r in range(cost.shape[1]):
        connected = np.flatnonzero(np.isfinite(cost[:-1, r]))
        for e in range(indptr[r], indptr[r + 1]):
            best = -1
            for s in connected:
                if held[s, asset[e]] and (best < 0 or cost[s, r] < cost[best, r]):
                    best = s
            if best >= 0:
                flow[best, r] += peak_bps[e]
    return flow


def shared_links(network: MadeUpNetwork) -> sp.csr_array:
    """Links ((S + 1) R, 2 L) that several paths share: one uplink per mid, one access link per city. A path from
    another city leaves its own city's access link upwards (the second half of the columns) and enters the region's."""
    n_sites, n_regions = len(network.site_city), len(network.region_city)
    mids = np.flatnonzero(network.is_mid)
    n_cities = max(network.region_city.max(), network.site_city.max()) + 1
    n_links = len(mids) + n_cities
    path_site, path_region = np.nonzero(np.isfinite(network.cost_per_byte))
    row = path_site * n_regions + path_region
    into = len(mids) + network.region_city[path_region]
    home = np.append(network.site_city, -1)[path_site]
    abroad = home != network.region_city[path_region]
    leaving = abroad & (home >= 0) & ~np.append(network.is_mid, False)[path_site]
    from_mid = np.append(network.is_mid, False)[path_site]
    uplink = np.searchsorted(mids, path_site[from_mid])
    rows = np.concatenate([row[abroad], row[leaving], row[from_mid]])
    columns = np.concatenate([into[abroad], n_links + len(mids) + home[leaving], uplink])
    shape = ((n_sites + 1) * n_regions, 2 * n_links)
    return sp.csr_array((np.ones(len(rows)), (rows, columns)), shape=shape)


def tight_limits(load: np.ndarray, tight_share: float, rng: np.random.Generator) -> np.ndarray:
    """Limits for a load without limits: a share of them below it, the others above; none where there is no load."""
    tight = rng.random(len(load)) < tight_share
    limit = load * np.where(tight, rng.uniform(*TIGHT, len(load)), LOOSE)
    return np.where(load > 0, limit, np.inf)
