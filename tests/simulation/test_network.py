"""Networks of caches: by hand, against a slow walk, and what must hold of every one of them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulation.network_reference import CACHES, SlowNetwork
from simulation.replay_examples import (
    E1,
    E2,
    MID_SITE,
    ORIGIN_SITE,
    listed_topology,
    log_of,
    no_demand,
    pairs,
    small_catalog,
    small_topology,
)
from simulation.test_replaying import fitting_pins, networks, served

from cdn.caching import ADMISSIONS, POLICIES, REACTIVE_POLICIES, simulate_cache
from cdn.errors import UnknownNameError
from cdn.model.catalog import Catalog
from cdn.model.network import Network
from cdn.model.problem import build_problem
from cdn.model.request_log import RequestLog
from cdn.model.site_assets import SiteAssets
from cdn.simulation import COPY_RULES, MISS_CLASSES, REQUEST_CLASSES, replay, summarise
from cdn.simulation.metrics import by_class

HOUR_US = 3_600_000_000


def problem_with_egress(topology, catalog, bytes_per_hour):
    problem = build_problem(Network(topology), catalog, no_demand(topology.region_index, catalog.asset_index))
    return problem.replace(egress_bps=np.array(bytes_per_hour) * 8 / 3600)


def names(result):
    return [REQUEST_CLASSES[k] for k in result.request_class]


@pytest.mark.parametrize("copy, expected", [("lce", "o1m1"), ("lcd", "omm1"), ("edge", "o1o1"), ("nocopy", "oooo")])
def test_copy_rules_by_hand(copy, expected):
    """east a, east a, west a, then east a again; e1 and the mid are empty.

    lce: 1 fills mid and e1, 2 is e1's, 3 finds the mid's copy, 4 is e1's.
    lcd: 1 fills the mid alone, 2 is the mid's and fills e1, 3 is the mid's and fills e2, 4 is e1's.
    edge: 1 fills e1 alone, 2 is e1's, 3 finds nothing but fills e2, 4 is e1's. nocopy: nothing is ever stored."""
    words = "east a, east a, west a, east a"
    assert served(small_topology(), small_catalog(), words, policy="lru", copy=copy) == expected


def test_spill_by_hand():
    """Pins: a at e1 and at the mid. 10 bytes a request; e1 may serve 25 bytes an hour, the mid 10.

    Hour 0: e1, e1 (20 of 25), then e1 refuses: the mid, and then the mid refuses too: the origin. A request of 5 bytes
    still fits e1's. Hour 1: e1 again."""
    topology, catalog = small_topology(), small_catalog()
    log = log_of("east a, east a, east a, east a, east a | east a", topology, catalog, bytes_=[10, 10, 10, 10, 5, 10])
    problem = problem_with_egress(topology, catalog, [25, 10, 10])
    stored = pairs("e1 a, m a", topology, catalog)
    result = replay(problem, topology, catalog, log, pinned=stored, egress_limits=True)
    assert result.served_by.tolist() == [E1, E1, MID_SITE, ORIGIN_SITE, E1, E1]
    assert names(result) == ["hit", "hit", "spilled", "health", "hit", "hit"]
    metrics = summarise(problem, topology, log, result)
    assert (metrics.spilled_requests, metrics.spilled_bytes) == (1, 10)
    assert metrics.missed_requests == dict.fromkeys(MISS_CLASSES, 0) | {"health": 1}
    assert metrics.missed_bytes["health"] == metrics.origin_bytes == 10
    free = replay(problem, topology, catalog, log, pinned=stored)
    assert free.served_by.tolist() == [E1] * 6


def test_a_reactive_cache_without_egress_refuses_what_it_holds():
    """lru, lce, e2 may serve 10 bytes an hour. West's a: origin (copies at e2 and the mid), e2, then e2 refuses: mid.
    Refusing is a use: b then evicts nothing that matters here, as e2 holds one asset only."""
    topology, catalog = small_topology(), small_catalog()
    log = log_of("west a, west a, west a, west b", topology, catalog)
    problem = problem_with_egress(topology, catalog, [np.inf, 10, np.inf])
    result = replay(problem, topology, catalog, log, policy="lru", egress_limits=True)
    assert result.served_by.tolist() == [ORIGIN_SITE, E2, MID_SITE, ORIGIN_SITE]
    assert names(result) == ["cold", "hit", "spilled", "cold"]


def test_the_warm_up_spends_the_hour_it_shares_with_the_log():
    topology, catalog = small_topology(), small_catalog()
    whole = log_of("east a, east a", topology, catalog)
    first = np.array([True, False])
    problem = problem_with_egress(topology, catalog, [10, 10, 10])
    stored = pairs("e1 a", topology, catalog)
    rest = replay(problem, topology, catalog, whole.select(~first), pinned=stored, egress_limits=True,
                  warm_up=whole.select(first))
    assert rest.served_by.tolist() == [ORIGIN_SITE]
    assert names(rest) == ["health"]


def test_classes_of_misses_by_hand():
    """e1 pins a. c is kept from all caches for east; d (50 bytes) is larger than any; with the true demand the plan
    would have had b at the mid. First requests of b and of x are cold, unless the warm-up had them."""
    topology = small_topology()
    catalog = Catalog.of_sizes(["a", "b", "c", "d", "x"], [10, 10, 10, 50, 10], allowed_regions={2: ("west",)})
    log = log_of("east a, east c, east d, east b, east b, east x, east x", topology, catalog)
    problem = problem_with_egress(topology, catalog, [np.inf] * 3)
    how = {"pinned": pairs("e1 a", topology, catalog), "true_placement": pairs("m b", topology, catalog)}
    first = ["hit", "not_placeable", "not_placeable"]
    assert names(replay(problem, topology, catalog, log, **how)) == [*first, "cold", "forecast", "cold", "capacity"]
    warm = {"warm_up": RequestLog(topology.region_index, catalog.asset_index, [0, 0], [0, 0], [1, 4], [1, 1])}
    later = RequestLog(topology.region_index, catalog.asset_index, log.time_us + HOUR_US, log.region, log.asset,
                       log.bytes)
    assert names(replay(problem, topology, catalog, later, **how, **warm)) == [*first, "forecast", "forecast",
                                                                              "capacity", "capacity"]
    del how["true_placement"]
    assert names(replay(problem, topology, catalog, later, **how, **warm)) == [*first] + ["content"] * 4


def test_an_unknown_copy_rule_is_named():
    with pytest.raises(UnknownNameError, match="unknown copy rule 'lce2'; known: edge, lcd, lce, nocopy"):
        served(small_topology(), small_catalog(), policy="lru", copy="lce2")


@settings(deadline=None, max_examples=300)
@given(network=networks(), policy=st.sampled_from([None, *CACHES]), copy=st.sampled_from(sorted(COPY_RULES)),
       share=st.sampled_from([0.25, 0.5, 1.0]), limited=st.booleans(), seed=st.integers(0, 2**32))
def test_it_equals_the_slow_walk(network, policy, copy, share, limited, seed):
    """Every copy rule, egress budget and class of miss; no byte is lost, no budget exceeded."""
    topology, catalog, log, wanted = network
    rng = np.random.default_rng(seed)
    share = share if policy else 0.0
    problem = problem_with_egress(topology, catalog, rng.integers(0, 40, topology.n_caches))
    log = RequestLog(log.region_index, log.asset_index, np.sort(rng.integers(0, 3 * HOUR_US, len(log))), log.region,
                     log.asset, log.bytes)
    pinned = fitting_pins(problem, wanted, share)
    truth = SiteAssets.from_dense(rng.random((problem.n_caches, len(catalog))) < 0.3) if rng.random() < 0.5 else None
    slow = SlowNetwork(problem, topology, catalog, pinned, policy=policy, share=share, copy=copy, egress_limits=limited,
                       truth=truth)
    how = {"pinned": pinned, "policy": policy, "reactive_share": share, "copy": copy, "egress_limits": limited,
           "true_placement": truth}
    cut = rng.integers(0, len(log) + 1)
    early = np.arange(len(log)) < cut
    result = replay(problem, topology, catalog, log, **how)
    rest = replay(problem, topology, catalog, log.select(~early), warm_up=log.select(early), **how)
    expected, classes = slow.run(log)
    assert result.served_by.tolist() == expected
    assert result.request_class.tolist() == classes
    assert rest.served_by.tolist() == expected[cut:]
    assert rest.request_class.tolist() == classes[cut:]
    check_what_must_add_up(problem, topology, log, result)
    if limited:
        check_egress(problem, log, result)


def check_what_must_add_up(problem, topology, log, result):
    metrics = summarise(problem, topology, log, result)
    assert metrics.class_requests.sum() == len(log)
    assert metrics.class_bytes.sum() == log.total_bytes == metrics.site_bytes.sum()
    assert sum(metrics.missed_requests.values()) == (result.served_by == problem.n_caches).sum()
    assert sum(metrics.missed_bytes.values()) == metrics.origin_bytes
    assert metrics.class_bytes.sum(axis=0).tolist() == metrics.site_bytes.sum(axis=0).tolist()
    assert by_class(log, result.request_class, log.bytes).tolist() == metrics.class_bytes.tolist()


def check_egress(problem, log, result):
    hour = log.time_us // HOUR_US
    for s in range(problem.n_caches):
        for h in np.unique(hour):
            served_bytes = log.bytes[(result.served_by == s) & (hour == h)].sum()
            assert served_bytes <= problem.egress_bps[s] * 3600 / 8


@pytest.mark.parametrize("policy", POLICIES)
def test_a_network_of_one_cache_is_that_cache(policy):
    """Random sizes (larger than the cache, too) and capacities, copied everywhere or down: with one cache the same."""
    rng = np.random.default_rng(17)
    for capacity, n_assets, copy in ((0, 9, "lce"), (37, 30, "lcd"), (400, 60, "edge"), (10**6, 60, "lce")):
        topology = listed_topology(["edge"], [max(capacity, 1)], [[1.0], [2.0]])
        catalog = Catalog.of_sizes([f"x{a}" for a in range(n_assets)], rng.integers(2, 60, n_assets))
        asset = rng.integers(0, n_assets, 1000)
        log = RequestLog(topology.region_index, catalog.asset_index, np.arange(1000), np.zeros(1000), asset,
                         np.ones(1000))
        problem = problem_with_egress(topology, catalog, [np.inf])
        hit = simulate_cache(policy, asset, catalog.size_bytes, max(capacity, 1))
        result = replay(problem, topology, catalog, log, policy=policy, copy=copy)
        assert (result.served_by == np.where(hit, 0, 1)).all()


@pytest.mark.parametrize("policy, options", [
    *[("lru", {"admission": name}) for name in sorted(set(ADMISSIONS) - {"adaptsize", "size", "size-probabilistic"})],
    ("lru", {"admission": "adaptsize:interval=100"}), ("lru", {"admission": "size-probabilistic:exponent=0.03"}),
    ("s3fifo", {"admission": "size:threshold_bytes=20"}), ("fifo", {"ttl_s": 3}),
    ("lfu", {"ttl_s": 5.0, "admission": "bloom"}), ("lru", {"ttl_s": 0})])
def test_a_gate_in_a_network_of_one_cache_is_that_caches(policy, options):
    rng = np.random.default_rng(23)
    topology = listed_topology(["edge"], [300], [[1.0], [2.0]])
    catalog = Catalog.of_sizes([f"x{a}" for a in range(60)], rng.integers(2, 60, 60))
    asset = np.minimum(rng.zipf(1.2, 2000) - 1, 59)
    time_s = np.arange(2000) // 3
    log = RequestLog(topology.region_index, catalog.asset_index, time_s * 1_000_000, np.zeros(2000), asset,
                     np.ones(2000))
    problem = problem_with_egress(topology, catalog, [np.inf])
    hit = simulate_cache(policy, asset, catalog.size_bytes, 300, times=time_s, **options)
    result = replay(problem, topology, catalog, log, policy=policy, **options)
    assert (result.served_by == np.where(hit, 0, 1)).all() and hit.any()
    free = replay(problem, topology, catalog, log, policy=policy)
    assert options == {"admission": "none"} or (free.served_by != result.served_by).any()


def test_each_cache_has_its_own_gate():
    """bloom, lru: east's first a is refused by e1 and the mid, its second stored by both. West's first is the mid's,
    which has it; e2 refuses what it sees for the first time, so west's second is the mid's too, its third e2's. With a
    copy's life of 60 s, a request a minute finds it, as it is gone only after more than that; 59 s are too few."""
    words = "east a, east a, west a, west a, west a"
    inputs = small_topology(), small_catalog()
    assert served(*inputs, words, policy="lru", admission="bloom") == "oomm2"
    assert served(*inputs, "east a, east a", policy="lru", ttl_s=60) == "o1"
    assert served(*inputs, "east a, east a", policy="lru", ttl_s=59) == "oo"
    for options, message in (({"ttl_s": -1}, "ttl_s must not be negative"), ({"admission": "x"}, "admission policy")):
        with pytest.raises((ValueError, UnknownNameError), match=message):
            served(*inputs, words, policy="lru", **options)


@pytest.mark.parametrize("policy", REACTIVE_POLICIES)
def test_the_same_log_gives_the_same_answers_and_ample_egress_changes_nothing(policy):
    rng = np.random.default_rng(5)
    topology = listed_topology(["edge", "edge", "mid"], [90, 120, 300], [[0, 2], [2, 0], [1, 1], [4, 4]])
    catalog = Catalog.of_sizes([f"x{a}" for a in range(80)], rng.integers(1, 20, 80))
    asset = np.minimum(rng.zipf(1.3, 3000) - 1, 79)
    log = RequestLog(topology.region_index, catalog.asset_index, np.arange(3000), rng.integers(0, 2, 3000), asset,
                     catalog.size_bytes[asset])
    problem = problem_with_egress(topology, catalog, [1e9] * 3)
    for copy in ("lce", "lcd"):
        first = replay(problem, topology, catalog, log, policy=policy, copy=copy)
        again = replay(problem, topology, catalog, log, policy=policy, copy=copy, egress_limits=True)
        assert (first.served_by == again.served_by).all() and (first.request_class == again.request_class).all()
        assert set(first.served_by.tolist()) >= {1, 2, 3}
