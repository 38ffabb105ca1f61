"""The placer ``decomposition`` on problems at the edge of sense."""

import numpy as np
import pytest
from placement.decomposition.block_examples import bare_problem
from placement.decomposition.region_examples import skewed_problem
from placement.decomposition.same_problems import with_bytes
from placement.decomposition.test_decomposition import check, planned

from cdn.model.problem import Problem
from cdn.model.site_assets import SiteAssets

LIMITS = pytest.mark.parametrize("limits", [False, True])


def origin_only(problem: Problem) -> float:
    return float(problem.demand.bytes @ problem.origin_cost[problem.demand.region])


def proved(problem: Problem, gap: float):
    """A placement that keeps all rules, with this gap at most."""
    found = planned(problem)
    check(found)
    assert found.certificate.gap <= gap
    return found


def check_nothing_served(problem: Problem, gap: float = 1e-9) -> None:
    found = proved(problem, gap)
    assert found.evaluation.cost == pytest.approx(origin_only(problem)) and found.evaluation.offload == 0


def everywhere(problem: Problem) -> SiteAssets:
    return SiteAssets.from_dense(np.ones((problem.n_caches, len(problem.size_bytes)), dtype=bool))


def test_empty_demand():
    found = proved(bare_problem([10], [5], [], [], [], np.array([[0.0], [4.0]])), 0)
    assert found.evaluation.cost == 0 and len(found.placement.stored) == 0


@LIMITS
def test_demand_of_nothing(limits):
    problem = skewed_problem(1, n_assets=50, limits=limits)
    assert proved(with_bytes(problem, np.zeros(len(problem.demand))), 0).evaluation.cost == 0


@LIMITS
def test_entries_without_bytes(limits):
    problem = skewed_problem(1, limits=limits)
    odd = np.arange(len(problem.demand)) % 2
    proved(with_bytes(problem, odd * problem.demand.bytes), 0.1)


def test_no_caches():
    check_nothing_served(bare_problem([], [5, 6], [0, 0], [0, 1], [10, 3], np.array([[4.0]])))


def test_one_asset():
    """6 bytes of 5 at most are asked for at the one cache: it is stored if it fits."""
    cost = np.array([[0.0], [4.0]])
    assert proved(bare_problem([5], [5], [0], [0], [6], cost), 1e-6).evaluation.cost == 0
    check_nothing_served(bare_problem([4], [5], [0], [0], [6], cost))


@LIMITS
def test_one_asset_of_many_regions(limits):
    proved(skewed_problem(1, n_assets=1, room=1.0, limits=limits), 0.5 if limits else 1e-6)


@LIMITS
def test_one_site(limits):
    proved(skewed_problem(1, n_sites=1, limits=limits), 0.01)


def test_one_region():
    proved(skewed_problem(1, n_regions=1), 0.03)


@LIMITS
def test_no_storage_anywhere(limits):
    problem = skewed_problem(1, limits=limits)
    check_nothing_served(problem.replace(storage_bytes=np.zeros(5), stored=SiteAssets.empty(300)))


@LIMITS
def test_sites_nobody_uses(limits):
    """Two of five caches may serve no region: they store nothing that is counted and have no price."""
    problem = skewed_problem(1, limits=limits)
    cost = problem.cost_per_byte.copy()
    cost[[1, 3]] = np.inf
    found = proved(problem.replace(cost_per_byte=cost), 0.1)
    assert (found.evaluation.served_bytes[[1, 3]] == 0).all()
    assert (found.certificate.prices.storage[[1, 3]] == 0).all()


@LIMITS
def test_assets_larger_than_any_cache(limits):
    problem = skewed_problem(1, limits=limits)
    check_nothing_served(problem.replace(size_bytes=problem.size_bytes * 10**6, stored=SiteAssets.empty(300)), 1e-4)


def test_storage_of_no_use_has_next_to_no_price():
    """Nothing fits, so that more bytes of room would be worth nothing; a byte stored would save 4."""
    problem = bare_problem([10], [5000], [0], [0], [6000], np.array([[0.0], [4.0]]))
    assert planned(problem).certificate.prices.storage[0] <= 1e-9


def test_one_asset_larger_than_any_cache():
    """The rest is placed as if it were not there."""
    problem = skewed_problem(1)
    size = problem.size_bytes.copy()
    size[0] = 10**6
    found = proved(problem.replace(size_bytes=size), 0.012)
    assert 0 not in found.placement.stored.asset


def test_costs_equal_everywhere():
    """Caches as dear as the origin are worth nothing; what is stored, costs and bound are the origin's."""
    problem = skewed_problem(1)
    problem = problem.replace(cost_per_byte=np.full((6, 6), 3.0))
    assert proved(problem, 1e-9).evaluation.cost == pytest.approx(origin_only(problem))


def test_caches_equal_everywhere():
    problem = skewed_problem(1)
    cost = np.full((6, 6), 3.0)
    cost[-1] = 8
    proved(problem.replace(cost_per_byte=cost), 0.01)


@pytest.mark.parametrize("origin", [False, True])
def test_costs_over_nine_orders_of_magnitude(origin):
    """What little the caches leave to pay is a few per cent of what they save, so gaps are measured by that."""
    problem = skewed_problem(1)
    cost = 10.0 ** np.random.default_rng(0).uniform(-9, 0, (6, 6))
    if not origin:
        cost[-1] = 1.0
    problem = problem.replace(cost_per_byte=cost)
    certificate = proved(problem, 0.15).certificate
    assert certificate.cost - certificate.lower_bound <= 0.01 * (origin_only(problem) - certificate.lower_bound)


def test_demand_over_eighteen_orders_of_magnitude():
    problem = skewed_problem(1)
    proved(with_bytes(problem, 10.0 ** np.random.default_rng(0).uniform(-9, 9, len(problem.demand))), 0.01)


@pytest.mark.parametrize("bytes_", [np.inf, 1e300])
def test_infinite_storage(bytes_):
    """Everything is served by its cheapest cache."""
    problem = skewed_problem(1).replace(storage_bytes=np.full(5, bytes_))
    found = proved(problem, 1e-9)
    best = problem.cost_per_byte.min(axis=0)
    assert found.evaluation.cost == pytest.approx(problem.demand.bytes @ best[problem.demand.region])


def test_all_pinned():
    """There is nothing to decide: cost and bound are what the pins cost."""
    problem = skewed_problem(1)
    problem = problem.replace(pinned=everywhere(problem), storage_bytes=np.full(5, float(problem.size_bytes.sum())))
    found = proved(problem, 1e-9)
    assert len(found.placement.stored) == 5 * 300


def test_all_pinned_where_rates_bind():
    problem = skewed_problem(1, limits=True)
    problem = problem.replace(pinned=everywhere(problem), storage_bytes=np.full(5, float(problem.size_bytes.sum())))
    proved(problem, 0.03)


@LIMITS
def test_everything_excluded(limits):
    problem = skewed_problem(1, limits=limits)
    check_nothing_served(problem.replace(excluded=everywhere(problem)))


@LIMITS
def test_no_licence_to_serve(limits):
    problem = skewed_problem(1, limits=limits)
    check_nothing_served(problem.replace(servable=np.zeros(len(problem.demand), dtype=bool)))


def test_assets_of_one_byte():
    """All the same size: no knapsack, so the blocks' bound is close."""
    model = skewed_problem(1)
    demand = model.demand
    problem = bare_problem([40] * 5, [1] * 300, demand.region, demand.asset, demand.bytes, model.cost_per_byte)
    proved(problem, 0.005)


EGRESS = pytest.mark.parametrize("egress", [[0.0] * 5, [0.0, 1e5, 1e5, 1e5, 1e5]])


@EGRESS
@pytest.mark.filterwarnings("ignore:invalid value")
def test_caches_that_may_serve_nothing(egress):
    found = planned(skewed_problem(1, limits=True).replace(egress_bps=np.array(egress)))
    check(found)
    assert found.evaluation.served_bytes[0] == 0


@EGRESS
@pytest.mark.filterwarnings("error")
def test_caches_that_may_serve_nothing_have_prices(egress):
    planned(skewed_problem(1, limits=True).replace(egress_bps=np.array(egress)))


def test_no_fill_tonight():
    """Only what is there may stay."""
    problem = skewed_problem(1, limits=True).replace(fill_bytes=np.zeros(5))
    found = planned(problem)
    check(found)
    assert len(found.placement.stored.minus(problem.stored, 5)) == 0
