"""Topologies and the paths through them, worked out by hand."""

import math
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from instances import two_edges_one_mid

from cdn.model.network import Network
from cdn.model.topology import Appliance, Link, Region, ServingCost, Site, Topology

ORIGIN = Site("o", "origin")
AT_ORIGIN = (Region("r", "o"),)


def topology(sites=(), regions=AT_ORIGIN, links=(), appliances=(), **fields) -> Topology:
    return Topology((*sites, ORIGIN), tuple(appliances), tuple(regions), tuple(links), **fields)


def test_the_origin_comes_last_wherever_it_is_listed():
    mixed = Topology((ORIGIN, Site("b", "mid"), Site("a", "edge")), (), (Region("r", "o"),))
    assert list(mixed.site_index) == ["b", "a", "o"]
    assert mixed.n_caches == 2 and mixed.origin is ORIGIN


def test_storage_is_the_sum_of_a_sites_appliances():
    net = topology(
        [Site("e", "edge"), Site("m", "mid")],
        appliances=[Appliance("1", "m", 5), Appliance("2", "e", 3), Appliance("3", "m", 4)],
    )
    assert net.storage_bytes.tolist() == [3, 9]
    assert net.appliance_sites.tolist() == [1, 0, 1]
    assert [appliance.id for appliance in net.appliances_of("m")] == ["1", "3"]
    assert net.with_storage_share(0.5).storage_bytes.tolist() == [1, 4]
    assert net.storage_bytes.tolist() == [3, 9]
    assert topology([Site("e", "edge")]).storage_bytes.tolist() == [0]


def test_what_an_appliance_can_take_in_during_its_window():
    """8 bit/s are a byte a second; from 23:00 to 01:00 are 7200 seconds."""
    assert Appliance("a", "e", 1, fill_bps=8.0, fill_window_minutes=(23 * 60, 60)).fill_bytes == 7200
    assert Appliance("a", "e", 1).fill_bytes == math.inf


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"sites": (Site("e", "edge"),)}, "exactly one site of kind 'origin'"),
        ({"sites": (ORIGIN, Site("p", "origin"))}, "exactly one site of kind 'origin'"),
        ({"sites": (ORIGIN, Site("e", "edgy"))}, "kind is one of"),
        ({"sites": (ORIGIN, Site("e", "edge"), Site("e", "mid"))}, "site 'e' stands twice"),
        ({"regions": ()}, "at least one region"),
        ({"regions": (Region("r", "o"), Region("r", "o"))}, "region 'r' stands twice"),
        ({"regions": (Region("r", "o", "Mars/Olympus"),)}, "time zone 'Mars/Olympus'"),
        ({"appliances": (Appliance("a", "o", 1),)}, "no edge or mid site"),
        ({"appliances": (Appliance("a", "x", 1),)}, "no edge or mid site"),
    ],
)
def test_what_is_no_network_is_refused(fields, message):
    whole = {"sites": (ORIGIN,), "appliances": (), "regions": (Region("r", "o"),)}
    with pytest.raises(ValueError, match=message):
        Topology(**(whole | fields))


def test_nothing_can_be_written_into_it():
    net = two_edges_one_mid()
    with pytest.raises(FrozenInstanceError):
        net.name = "other"
    with pytest.raises(FrozenInstanceError):
        net.sites[0].kind = "mid"


def test_costs_follow_the_cheapest_paths():
    """e1 - m - e2 with 1 a link, m - o with 3: an edge serves its own region for 0, the other one's for 1 + 1 = 2; the
    mid both for 1; the origin for 3 + 1 = 4. Filling an edge costs 4, the mid 3."""
    network = Network(two_edges_one_mid())
    assert network.cost_per_byte.tolist() == [[0, 2], [2, 0], [1, 1], [4, 4]]
    assert network.fill_cost_per_byte.tolist() == [4, 4, 3]
    assert network.transfer_cost_per_byte.tolist() == [[0, 2, 1, 4], [2, 0, 1, 4], [1, 1, 0, 3], [4, 4, 3, 0]]
    assert network.path("e1", "e2") == ["e1", "m", "e2"]


def test_a_path_uses_links_in_the_direction_it_walks_them():
    """Links 0: e1-m, 1: e2-m, 2: m-o, as written from a to b; columns 3, 4, 5 are the ways back. The origin to r1 walks
    2 and 0 backwards; e1 to r2 walks 0 forwards and 1 backwards."""
    links = Network(two_edges_one_mid()).path_links.toarray()
    assert np.flatnonzero(links[3 * 2 + 0]).tolist() == [3, 5]
    assert np.flatnonzero(links[0 * 2 + 1]).tolist() == [0, 4]
    assert np.flatnonzero(links[0 * 2 + 0]).tolist() == []
    assert set(links.ravel()) == {0.0, 1.0}


def test_the_longer_way_is_taken_where_it_is_cheaper():
    """o - x directly costs 5; o - y - z - x costs 3 x 1."""
    net = topology(
        regions=[Region("r", "x")],
        links=[
            Link("o", "x", cost_per_byte=5),
            Link("o", "y", cost_per_byte=1),
            Link("y", "z", cost_per_byte=1),
            Link("z", "x", cost_per_byte=1),
        ],
    )
    assert Network(net).cost_per_byte.tolist() == [[3]]
    assert Network(net).path("o", "x") == ["o", "y", "z", "x"]


def test_latency_breaks_ties_and_is_no_cost():
    """Two ways from o to x, each 2e-9 a byte: by y 30 ms, by z 20 ms."""
    links = [
        Link(a, b, cost_per_byte=1e-9, latency_ms=ms)
        for a, b, ms in (("o", "y", 10), ("y", "x", 20), ("o", "z", 15), ("z", "x", 5))
    ]
    network = Network(topology(regions=[Region("r", "x")], links=links))
    assert network.path("o", "x") == ["o", "z", "x"]
    assert network.cost_per_byte.tolist() == [[2e-9]]
    assert network.latency_ms.tolist() == [[20]]


def test_of_parallel_links_the_cheapest_counts_in_whatever_order():
    cheap, dear = Link("o", "x", 10.0, 1.0), Link("x", "o", 99.0, 2.0)
    for links in ((cheap, dear), (dear, cheap)):
        network = Network(topology(regions=[Region("r", "x")], links=links))
        assert network.cost_per_byte.tolist() == [[1]]
        used = np.flatnonzero(network.path_links.toarray()[0])
        assert network.link_capacity_bps[used].tolist() == [10]


def test_a_site_without_a_path_may_not_serve_and_the_origin_must_have_one():
    network = Network(topology([Site("island", "edge")]))
    assert network.cost_per_byte.tolist() == [[math.inf], [0]]
    assert network.path("island", "o") is None
    assert network.fill_cost_per_byte.tolist() == [0]
    with pytest.raises(ValueError, match=r"the origin cannot serve 1 region\(s\), first \['r'\]"):
        _ = Network(topology(regions=[Region("r", "nowhere")])).cost_per_byte


def test_a_site_serves_only_the_regions_it_says():
    net = two_edges_one_mid()
    private = replace(net, sites=(replace(net.sites[0], serves=("r1",)), *net.sites[1:]))
    assert Network(private).cost_per_byte.tolist() == [[0, math.inf], [2, 0], [1, 1], [4, 4]]


def test_listed_costs_replace_paths_but_not_fill_costs():
    listed = (ServingCost("r1", "o", 9.0), ServingCost("r2", "o", 9.0), ServingCost("r2", "e1", 0.5))
    network = Network(replace(two_edges_one_mid(), serving_costs=listed))
    assert network.cost_per_byte.tolist() == [[math.inf, 0.5], [math.inf] * 2, [math.inf] * 2, [9, 9]]
    assert network.fill_cost_per_byte.tolist() == [4, 4, 3]


def test_a_sites_own_fill_cost_replaces_its_path():
    net = two_edges_one_mid()
    own = replace(net, sites=(replace(net.sites[0], fill_cost_per_byte=0.25), *net.sites[1:]))
    assert Network(own).fill_cost_per_byte.tolist() == [0.25, 4, 3]


NODES = list("oabcd")
LINKS = st.lists(
    st.tuples(st.sampled_from(NODES), st.sampled_from(NODES), st.integers(0, 9)).filter(lambda x: x[0] != x[1]),
    max_size=10,
)


@settings(max_examples=60, deadline=None)
@given(LINKS)
def test_path_costs_are_shortest_distances(links):
    """Against the textbook recursion (Floyd and Warshall); no path walks a link more than once."""
    cost = {(a, b): 0 if a == b else math.inf for a in NODES for b in NODES}
    for a, b, c in links:
        cost[a, b] = cost[b, a] = min(cost[a, b], c)
    for k in NODES:
        for a in NODES:
            for b in NODES:
                cost[a, b] = min(cost[a, b], cost[a, k] + cost[k, b])
    net = topology(
        [Site(node, "edge") for node in NODES[1:]], links=[Link(a, b, math.inf, float(c)) for a, b, c in links]
    )
    network = Network(net)
    for a in NODES:
        for b in NODES:
            assert network.path_cost_per_byte(a, b) == cost[a, b]
    assert network.path_links.shape == (5, 2 * len(links))
    assert (network.path_links.toarray() <= 1).all()
