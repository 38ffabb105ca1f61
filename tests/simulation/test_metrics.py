"""Metrics of a replay worked out by hand, and what must add up in every replay."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from simulation.replay_examples import (
    E1,
    EAST,
    MID_SITE,
    ORIGIN_SITE,
    REQUESTS,
    WEST,
    listed_topology,
    log_of,
    problem_of,
    small_catalog,
    small_topology,
)

from cdn.caching import POLICIES
from cdn.evaluation import evaluate
from cdn.model.catalog import Catalog
from cdn.model.network import Network
from cdn.model.placement import Placement
from cdn.model.problem import build_problem
from cdn.model.request_log import RequestLog
from cdn.model.site_assets import SiteAssets
from cdn.simulation import Replay, demand_of_log, replay, summarise
from cdn.simulation.classes import COLD, CONTENT, HIT
from cdn.simulation.metrics import pair_bytes

GB_PER_HOUR_BPS = 1e9 * 8 / 3600


@pytest.fixture
def lru_by_hand():
    """The replay ``omom2m1 | ...`` of ``test_reactive_by_hand`` under lru; every request 10 bytes, the fifth only 4."""
    topology, catalog = small_topology(), small_catalog()
    log = log_of(REQUESTS, topology, catalog, bytes_=[10] * 4 + [4] + [10] * 8)
    problem = problem_of(topology, catalog)
    result = replay(problem, topology, catalog, log, policy="lru")
    return problem, topology, log, summarise(problem, topology, log, result)


def test_totals_by_hand(lru_by_hand):
    """lru: o m o m 2 m | 1 o m o m o m. Bytes: origin 5 x 10, mid 6 x 10, e1 10, e2 4, in all 124.

    Costs per byte: origin 4, mid 1, own edge 0."""
    _, _, log, metrics = lru_by_hand
    assert (metrics.requests, metrics.bytes) == (13, 124) == (len(log), log.total_bytes)
    assert metrics.offload == pytest.approx(74 / 124)
    assert metrics.request_hit_ratio == pytest.approx(8 / 13)
    assert metrics.delivery_cost == 50 * 4 + 60 * 1
    assert (metrics.origin_bytes, metrics.midgress_bytes) == (50, 60)
    # East asked at 1 3 4 7 9 12, of which 1 3 12 came from the origin; west at 2 5 6 8 10 11 13, 8 and 10 from there.
    assert metrics.region_offload[[EAST, WEST]].tolist() == pytest.approx([30 / 60, 44 / 64])


def test_hours_and_links_by_hand(lru_by_hand):
    """Before the bar (hour 0) o m o m 2 m, after it 1 o m o m o m.

    Over m -> e1 goes what east gets from mid and origin (1 3 4 | 9 12), over m -> e2 west's (2 6 | 8 10 11 13), over
    o -> m what the origin serves. Links as listed: e1-m, m-e2, o-m."""
    problem, _, _, metrics = lru_by_hand
    assert metrics.site_bytes[:, :2].tolist() == [[0, 10], [4, 0], [30, 30], [20, 30]]
    assert metrics.site_bytes[:, 2:].sum() == 0
    assert metrics.origin_bytes_by_hour[:3].tolist() == [20, 30, 0]
    to_m, m_to_e2, o_to_m, m_to_e1, e2_to_m, m_to_o = metrics.link_bytes[:, :2].tolist()
    assert (m_to_e1, m_to_e2, o_to_m) == ([30, 20], [20, 40], [20, 30])
    assert to_m == e2_to_m == m_to_o == [0, 0]
    assert metrics.peak_bps.tolist() == pytest.approx([10 * 8 / 3600, 4 * 8 / 3600, 30 * 8 / 3600, 30 * 8 / 3600])
    assert metrics.busiest_site == MID_SITE
    assert (metrics.egress_bps == problem.egress_bps).all()


def test_peak_keeps_days_apart_where_hours_of_the_day_do_not():
    """1 GB at 00:30 on two days: 2 GB in hour 0, but no clock hour carried more than one."""
    topology, catalog = small_topology(), small_catalog()
    half_past = np.array([0, 24]) * 3_600_000_000 + 1_800_000_000
    log = RequestLog(topology.region_index, catalog.asset_index, half_past, [EAST, EAST], [0, 0], [10**9, 10**9])
    result = Replay([ORIGIN_SITE, ORIGIN_SITE], [COLD, CONTENT])
    metrics = summarise(problem_of(topology, catalog), topology, log, result)
    assert metrics.site_bytes[ORIGIN_SITE, 0] == 2 * 10**9
    assert metrics.peak_bps[ORIGIN_SITE] == pytest.approx(GB_PER_HOUR_BPS)


def test_an_empty_log_has_no_offload_and_no_nan_but_in_regions():
    topology, catalog = small_topology(), small_catalog()
    log = log_of("east a", topology, catalog).select(np.zeros(1, dtype=bool))
    metrics = summarise(problem_of(topology, catalog), topology, log, Replay([], []))
    assert (metrics.offload, metrics.request_hit_ratio, metrics.delivery_cost, metrics.origin_bytes) == (0, 0, 0, 0)
    assert np.isnan(metrics.region_offload).all()
    assert metrics.peak_bps.tolist() == [0, 0, 0, 0]


def test_requests_of_no_bytes_count_as_requests():
    topology, catalog = small_topology(), small_catalog()
    log = log_of("east a, east a", topology, catalog, bytes_=0)
    metrics = summarise(problem_of(topology, catalog), topology, log, Replay([ORIGIN_SITE, E1], [COLD, HIT]))
    assert (metrics.offload, metrics.request_hit_ratio) == (0, 0.5)


def test_a_replay_of_another_log_is_refused():
    topology, catalog = small_topology(), small_catalog()
    with pytest.raises(ValueError, match="the replay has 1 requests, the log 2"):
        log = log_of("east a, east a", topology, catalog)
        summarise(problem_of(topology, catalog), topology, log, Replay([0], [HIT]))


@st.composite
def replays(draw):
    """A random network of listed costs, a log, and what the strategies made of it."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    n_caches, n_regions, n_assets = (int(rng.integers(1, high)) for high in (5, 5, 20))
    n_requests = int(rng.integers(0, 300))
    kinds = rng.choice(["edge", "mid"], n_caches)
    cost = rng.integers(0, 5, (n_caches + 1, n_regions)).astype(float)
    topology = listed_topology(kinds, rng.integers(0, 100, n_caches).tolist(), cost)
    catalog = Catalog.of_sizes([f"x{a}" for a in range(n_assets)], rng.integers(1, 30, n_assets))
    log = RequestLog(topology.region_index, catalog.asset_index, np.sort(rng.integers(0, 10**11, n_requests)),
                     rng.integers(0, n_regions, n_requests), rng.integers(0, n_assets, n_requests),
                     rng.integers(0, 40, n_requests))
    problem = build_problem(Network(topology), catalog, demand_of_log(log))
    policy = draw(st.sampled_from([None, *POLICIES]))
    return problem, topology, catalog, log, replay(problem, topology, catalog, log, policy=policy)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])  # compiled as it draws
@given(replays())
def test_replayed_bytes_are_the_requested_bytes(case):
    problem, topology, _, log, result = case
    metrics = summarise(problem, topology, log, result)
    assert metrics.bytes == log.total_bytes == metrics.site_bytes.sum()
    by_region = pair_bytes(problem, log, result.served_by).sum(axis=0)
    assert by_region.tolist() == np.bincount(log.region, weights=log.bytes, minlength=len(by_region)).tolist()
    by_hour = np.bincount(log.hour, weights=log.bytes, minlength=24)
    assert metrics.site_bytes.sum(axis=0).tolist() == by_hour.tolist()
    assert 0 <= metrics.offload <= 1 and 0 <= metrics.request_hit_ratio <= 1
    all_from_origin = float(problem.origin_cost[log.region] @ log.bytes)
    assert metrics.delivery_cost <= all_from_origin * (1 + 1e-12)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])  # compiled as it draws
@given(case=replays(), seed=st.integers(0, 2**32))
def test_a_clairvoyant_replay_is_what_the_judge_promised(case, seed):
    """Judged with the log's own demand, a placement's cost, offload, hit ratio and peak egress are those of its replay
    (a log within one day)."""
    problem, topology, catalog, log, _ = case
    log = log.select(log.day == (log.day[0] if len(log) else 0))
    problem = problem.replace(demand=demand_of_log(log), servable=np.ones(len(demand_of_log(log)), dtype=bool),
                              storage_bytes=np.full(problem.n_caches, 1e6))
    held = np.random.default_rng(seed).random((problem.n_caches, len(catalog))) < 0.4
    stored = SiteAssets.from_dense(held)
    judged = evaluate(problem, Placement(stored))
    metrics = summarise(problem, topology, log, replay(problem, topology, catalog, log, pinned=stored))
    assert metrics.delivery_cost == pytest.approx(judged.delivery_cost)
    assert metrics.offload == pytest.approx(judged.offload)
    assert metrics.request_hit_ratio == pytest.approx(judged.request_hit_ratio)
    assert metrics.site_bytes.sum(axis=1) == pytest.approx(judged.served_bytes)


def test_serving_links_add_up_to_cost(lru_by_hand):
    """Bytes over each link times its cost per byte is the delivery cost: nothing is carried that is not paid for."""
    _, topology, _, metrics = lru_by_hand
    per_link = metrics.link_bytes.sum(axis=1).reshape(2, -1).sum(axis=0)
    assert sum(per_link * [link.cost_per_byte for link in topology.links]) == metrics.delivery_cost
