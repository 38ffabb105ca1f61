"""Networks of a backtest: one cache in every region or one for all where none is given, or one where bytes from the
origin are all that counts."""

from dataclasses import replace

import numpy as np

from cdn.model.catalog import Catalog
from cdn.model.index import Index
from cdn.model.network import Network
from cdn.model.topology import EDGE, ORIGIN, Appliance, Region, ServingCost, Site, Topology


def one_cache_per_region(region_index: Index, catalog: Catalog, cache_share: float) -> Network:
    """Every region has an edge of its own that stores ``cache_share`` of the catalog's bytes. A byte from the origin
    costs 1, from the edge nothing: delivery cost is bytes from the origin, and regions do not touch each other.

    Raises ValueError for a share outside 0..1.
    """
    return _edges_before_the_origin({f"edge-{region}": (region,) for region in region_index}, catalog, cache_share)


def one_cache_for_all(region_index: Index, catalog: Catalog, cache_share: float) -> Network:
    """The same with a single edge that serves every region: what is asked for in all is what counts."""
    return _edges_before_the_origin({"edge": tuple(region_index)}, catalog, cache_share)


def for_offload(network: Network) -> Network:
    """The same caches where a byte from the origin costs 1 and one from any cache that may serve for no more than the
    origin's cost nothing: the cheapest placement is the one that keeps most bytes off the origin."""
    topology, cost = network.topology, network.cost_per_byte
    site, region = np.nonzero(np.isfinite(cost) & (cost <= cost[-1]))
    rows = [ServingCost(topology.regions[r].id, topology.sites[s].id, float(s == len(cost) - 1))
            for s, r in zip(site.tolist(), region.tolist(), strict=True)]
    return Network(replace(topology, serving_costs=tuple(rows)))


def _edges_before_the_origin(regions_of: dict[str, tuple[str, ...]], catalog: Catalog, cache_share: float) -> Network:
    if not 0 < cache_share <= 1:
        raise ValueError(f"cache_share is above 0 and at most 1, not {cache_share}")
    storage_bytes = int(cache_share * catalog.footprint_bytes)
    regions = [region for served in regions_of.values() for region in served]
    costs = [ServingCost(region, edge, 0.0) for edge, served in regions_of.items() for region in served]
    costs += [ServingCost(region, ORIGIN, 1.0) for region in regions]
    return Network(Topology(
        (*(Site(edge, EDGE, serves=served) for edge, served in regions_of.items()), Site(ORIGIN, ORIGIN)),
        tuple(Appliance(f"{edge}-1", edge, storage_bytes) for edge in regions_of),
        tuple(Region(region, ORIGIN) for region in regions),
        serving_costs=tuple(costs),
    ))
