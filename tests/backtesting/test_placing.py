"""What a placement is worth on the true day: the same as its replay, request by request."""

import numpy as np
import pytest
from backtesting.backtest_examples import REGIONS, catalog_of, history_of, log_of, random_log, setting_of
from instances import random_problem

from cdn.backtesting.networks import for_offload, one_cache_for_all, one_cache_per_region
from cdn.backtesting.placing import delivered, delivered_within_limits, served_by_caches, served_by_policy
from cdn.backtesting.running import date_of, entries_of
from cdn.backtesting.windows import true_demand
from cdn.evaluation import evaluate
from cdn.model.index import Index
from cdn.model.network import Network
from cdn.model.placement import Placement
from cdn.model.site_assets import SiteAssets
from cdn.model.topology import EDGE, MID, ORIGIN, Appliance, Region, ServingCost, Site, Topology
from cdn.simulation.replaying import replay


@pytest.mark.parametrize("method", ["greedy", "popularity", "lp", "decomposition", "auto"])
def test_the_served_bytes_are_those_of_the_replay(method):
    log, setting = random_log(4), setting_of(20, 0.2, method)
    history = history_of(log)
    for day in (104, 109):
        of_day = log.select(log.day == day)
        true = true_demand(history, day)
        stored = setting.place(true_demand(history, day - 1), date_of(day))
        problem = setting.problem(true, date_of(day))
        replayed = replay(problem, setting.network.topology, setting.catalog, of_day, pinned=stored)
        in_caches = of_day.bytes[replayed.served_by < problem.n_caches].sum()
        assert true.bytes @ served_by_caches(problem, stored) == in_caches and 0 < in_caches < true.total_bytes


@pytest.mark.parametrize("seed", range(10))
def test_delivery_is_what_the_judge_says(seed):
    rng = np.random.default_rng(seed)
    problem = random_problem(rng)
    pairs = np.nonzero(rng.random((problem.n_caches, len(problem.asset_index))) < 0.5)
    stored = SiteAssets.from_pairs(*pairs, len(problem.asset_index))
    found, judged = delivered(problem, stored), evaluate(problem, Placement(stored))
    assert found.cost.sum() == pytest.approx(judged.delivery_cost, rel=1e-12)
    assert found.served_bytes.sum() == pytest.approx(judged.offload * problem.demand.total_bytes, rel=1e-12)


def test_requests_delivered_one_by_one_are_the_day_as_a_whole():
    log, setting = random_log(4), setting_of(20)
    day = 104
    of_day, true = log.select(log.day == day), true_demand(history_of(log), day)
    problem, stored = setting.problem(true, date_of(day)), setting.place(true, date_of(day))
    whole = delivered(problem, stored)
    by_requests = delivered_within_limits(setting, problem, stored, of_day, entries_of(true, of_day))
    np.testing.assert_array_equal(whole.served_bytes, by_requests.served_bytes)
    np.testing.assert_allclose(whole.cost, by_requests.cost, rtol=1e-12)


def test_lru_by_hand():
    """The cache holds one asset of each region. North asks a a b a: one hit. South asks c c: one hit."""
    log = log_of([(100, 0, 0, 2), (101, 0, 1, 1), (102, 0, 0, 1), (103, 1, 2, 2)])
    hit = served_by_policy(setting_of(3, 0.34), log)
    assert hit.tolist() == [False, True, False, False, False, True]


def test_each_region_has_its_own_cache():
    network = one_cache_per_region(REGIONS, catalog_of(10), 0.3)
    assert np.isfinite(network.cost_per_byte).tolist() == [[True, False], [False, True], [True, True]]
    assert network.topology.storage_bytes.tolist() == [300, 300]
    assert network.cost_per_byte[-1].tolist() == [1, 1] and network.cost_per_byte[0, 0] == 0


def test_one_cache_serves_every_region():
    network = one_cache_for_all(REGIONS, catalog_of(10), 0.3)
    assert network.cost_per_byte.tolist() == [[0, 0], [1, 1]] and network.topology.storage_bytes.tolist() == [300]


def test_for_offload_only_bytes_from_the_origin_cost():
    """North's edge may serve it alone; the mid serves both, but costs south more than the origin does."""
    costs = (("north", "edge", 0.5), ("north", "mid", 2.0), ("north", "origin", 4.0), ("south", "edge", 1.0),
             ("south", "mid", 6.0), ("south", "origin", 5.0))
    topology = Topology(
        (Site("edge", EDGE, serves=("north",)), Site("mid", MID), Site("origin", ORIGIN)),
        (Appliance("e", "edge", 500), Appliance("m", "mid", 700)),
        tuple(Region(region, "mid") for region in REGIONS),
        serving_costs=tuple(ServingCost(*row) for row in costs),
    )
    network = for_offload(Network(topology))
    assert network.cost_per_byte.tolist() == [[0, np.inf], [0, np.inf], [1, 1]]
    assert network.topology.storage_bytes.tolist() == [500, 700] and network.topology.sites == topology.sites


def test_a_region_may_be_called_origin():
    network = one_cache_per_region(Index(["origin", "edge-origin"]), catalog_of(10), 0.3)
    assert network.topology.n_caches == 2 and network.cost_per_byte[-1].tolist() == [1, 1]


@pytest.mark.parametrize("share", [0, -0.1, 1.1, float("nan")])
def test_a_share_that_makes_no_sense_is_refused(share):
    with pytest.raises(ValueError, match="cache_share is above 0 and at most 1"):
        one_cache_per_region(REGIONS, catalog_of(3), share)
