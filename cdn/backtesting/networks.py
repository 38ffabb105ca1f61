"""The network of a backtest that is given none: one cache in every region, the origin behind it."""

from cdn.model.catalog import Catalog
from cdn.model.index import Index
from cdn.model.network import Network
from cdn.model.topology import EDGE, ORIGIN, Appliance, Region, ServingCost, Site, Topology


def one_cache_per_region(region_index: Index, catalog: Catalog, cache_share: float) -> Network:
    """Every region has an edge of its own that stores ``cache_share`` of the catalog's bytes. A byte from the origin
    costs 1, from the edge nothing: delivery cost is bytes from the origin, and regions do not touch each other.

    Raises ValueError for a share outside 0..1.
    """
    if not 0 < cache_share <= 1:
        raise ValueError(f"cache_share is above 0 and at most 1, not {cache_share}")
    storage_bytes = int(cache_share * catalog.footprint_bytes)
    edges = [f"edge-{region}" for region in region_index]
    sites = [Site(edge, EDGE, serves=(region,)) for edge, region in zip(edges, region_index, strict=True)]
    costs = [ServingCost(region, edge, 0.0) for edge, region in zip(edges, region_index, strict=True)]
    costs += [ServingCost(region, ORIGIN, 1.0) for region in region_index]
    return Network(Topology(
        (*sites, Site(ORIGIN, ORIGIN)),
        tuple(Appliance(f"{edge}-1", edge, storage_bytes) for edge in edges),
        tuple(Region(region, ORIGIN) for region in region_index),
        serving_costs=tuple(costs),
    ))

