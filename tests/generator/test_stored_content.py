"""What appliances plausibly hold."""

import numpy as np
from generator.sample_parameters import small
from instances import two_edges_one_mid

from cdn.generator.networks import made_up_topology
from cdn.generator.samples import concatenated, draw_sample
from cdn.generator.stored import popular_content
from cdn.model.catalog import Catalog
from cdn.model.network import Network
from cdn.model.request_log import RequestLog
from cdn.model.topology import Appliance, Topology


def log_of_requests(topology, catalog, table) -> RequestLog:
    """table[r][a] requests of each region and asset."""
    region, asset = np.nonzero(table)
    n = np.asarray(table)[region, asset]
    ones = np.ones(n.sum(), dtype=np.int64)
    return RequestLog(topology.region_index, catalog.asset_index, np.cumsum(ones), np.repeat(region, n),
                      np.repeat(asset, n), ones)


def test_edges_hold_the_most_requested_and_the_mid_what_they_miss():
    """Storage of two assets each, all of size 5. Region r1 asks 9, 5, 4, 1 times for a to d: e1 holds a, b. r2 asks 0,
    8, 2, 7 times: e2 holds b, d. Missed: c 4 + 2, d 1: m holds c, d."""
    topology = two_edges_one_mid((10, 10, 10))
    catalog = Catalog.of_sizes("abcd", [5] * 4)
    log = log_of_requests(topology, catalog, [[9, 5, 4, 1], [0, 8, 2, 7]])
    stored = popular_content(Network(topology), catalog, log)
    held = {(topology.appliances[k].site_id, catalog.asset_index.id_of(a))
            for k, a in zip(stored.appliance, stored.asset, strict=True)}
    assert held == {("e1", "a"), ("e1", "b"), ("e2", "b"), ("e2", "d"), ("m", "c"), ("m", "d")}


def test_assets_are_laid_over_a_clusters_appliances_and_none_is_cut():
    """e1 has two appliances of 10 bytes. By requests: a (6) on the first, b (6) would lie across both and is left out,
    c (6) lies from 12 to 18 on the second, d (2) ends at 20 on the second, e (1) has no room."""
    whole = two_edges_one_mid((0, 0, 0))
    cluster = (Appliance("one", "e1", 10), Appliance("two", "e1", 10))
    topology = Topology(whole.sites, cluster, whole.regions, whole.links)
    catalog = Catalog.of_sizes("abcde", [6, 6, 6, 2, 1])
    stored = popular_content(Network(topology), catalog, log_of_requests(topology, catalog, [[9, 8, 7, 6, 5], [0] * 5]))
    assert stored.appliance.tolist() == [0, 1, 1]
    assert catalog.asset_index.ids_of(stored.asset).tolist() == ["a", "c", "d"]


def test_whatever_is_stored_fits_its_appliance_and_stands_once():
    sample = draw_sample(small(n_titles=300, n_regions=12, requests_per_day=2000.0), np.random.default_rng(3))
    topology = made_up_topology(sample)
    stored = popular_content(Network(topology), sample.catalog, concatenated([log for _, log in sample.draw_days()]))
    size = sample.catalog.size_bytes[stored.asset]
    used = np.bincount(stored.appliance, weights=size, minlength=len(topology.appliances))
    storage = np.array([appliance.storage_bytes for appliance in topology.appliances])
    assert (used <= storage).all()
    assert (used > 0.5 * storage).all()
    assert len(set(zip(stored.appliance.tolist(), stored.asset.tolist(), strict=True))) == len(stored)
