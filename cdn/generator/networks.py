"""A topology to go with made-up regions: an edge site in most, mid sites at exchanges, one origin."""

import math

from cdn.generator.samples import Sample
from cdn.model.topology import EDGE, MID, ORIGIN, Appliance, Link, Region, Site, Topology
from cdn.units import BITS_PER_BYTE, BYTES_PER_GB, SECONDS_PER_DAY

REGIONS_PER_MID = 10
REGIONS_WITH_EDGE = 0.7
EDGE_STORAGE, MID_STORAGE = 0.05, 0.15
"""Storage of an edge and a mid site as shares of the catalog's bytes."""
NIGHTLY_FILL = 0.1
"""Share of its storage that a site can take in during one fill window."""
EGRESS_OVER_PEAK = 0.9
"""Serving rate of an edge site over its region's peak; of a mid site over half the peaks of its regions."""
FILL_WINDOW_MINUTES = (2 * 60, 6 * 60)
CENTS_WITHIN, CENTS_TO_MID, CENTS_BETWEEN_MIDS, CENTS_TO_ORIGIN = 0.2, 2.2, 0.6, 1.9


def made_up_topology(sample: Sample) -> Topology:
    """Regions take turns at the mid sites; the largest ``REGIONS_WITH_EDGE`` of them have an edge site of their own."""
    regions, catalog = sample.regions, sample.catalog
    bytes_per_day = float(sample.parameters.requests_per_day * sample.mean_bytes().mean())
    peak_bps = sample.parameters.peak_over_mean * bytes_per_day * BITS_PER_BYTE / SECONDS_PER_DAY * regions.weight
    n_mids = math.ceil(len(regions) / REGIONS_PER_MID)
    n_edges = math.ceil(len(regions) * REGIONS_WITH_EDGE)
    mids = [f"mid-{m + 1:02d}" for m in range(n_mids)]
    sites = [Site(mid, MID) for mid in mids] + [Site("origin", ORIGIN)]
    appliances = [_appliance(mid, MID_STORAGE * catalog.footprint_bytes, peak_bps[m::n_mids].sum() / 2)
                  for m, mid in enumerate(mids)]
    links = [_link(mid, mids[0], CENTS_BETWEEN_MIDS, 4) for mid in mids[1:]]
    links += [_link("origin", mid, CENTS_TO_ORIGIN, 10) for mid in mids]
    members = []
    for r, (id_, zone) in enumerate(zip(regions.index, regions.time_zones, strict=True)):
        node = f"router-{id_}"
        members.append(Region(id_, node, zone, float(regions.weight[r])))
        # Slightly different costs, so that no two regions are exact copies.
        links.append(_link(node, mids[r % n_mids], CENTS_TO_MID + 0.1 * (r % 7), 3 + r % 7))
        if r < n_edges:
            edge = f"edge-{id_}"
            sites.append(Site(edge, EDGE, time_zone=zone, serves=(id_,)))
            links.append(_link(edge, node, CENTS_WITHIN, 1))
            appliances.append(_appliance(edge, EDGE_STORAGE * catalog.footprint_bytes, peak_bps[r]))
    return Topology(tuple(sites), tuple(appliances), tuple(members), tuple(links))


def _appliance(site_id: str, storage: float, peak_bps: float) -> Appliance:
    start, end = FILL_WINDOW_MINUTES
    fill_bps = NIGHTLY_FILL * storage * BITS_PER_BYTE / ((end - start) * 60)
    return Appliance(f"{site_id}-1", site_id, round(storage), round(EGRESS_OVER_PEAK * peak_bps), round(fill_bps),
                     FILL_WINDOW_MINUTES)


def _link(a: str, b: str, cents_per_gb: float, latency_ms: float) -> Link:
    return Link(a, b, cost_per_byte=cents_per_gb / BYTES_PER_GB, latency_ms=latency_ms)
