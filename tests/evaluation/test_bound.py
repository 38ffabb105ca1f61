"""Bounds against exact fractions, against all placements of tiny problems, and against what branch and bound finds."""

from dataclasses import replace

import numba
import numpy as np
import pytest
from evaluation.exact_arithmetic import exact, exact_bound, exact_least_cost, random_prices, written_out
from hypothesis import example, given, settings
from hypothesis import strategies as st
from instances import problem_of, random_problem, two_edges_one_mid

from cdn.evaluation import lower_bound
from cdn.model.branching import Branching
from cdn.model.demand import Demand
from cdn.model.index import Index
from cdn.model.placement import Prices
from cdn.model.problem import Problem
from cdn.model.site_assets import SiteAssets
from cdn.model.topology import Appliance, Region, Site, Topology
from cdn.planning import plan_placement

SEEDS = st.integers(0, 2**32 - 1)


def unpriced(problem: Problem, serve, branching=None) -> Prices:
    """Limits cost nothing."""
    hours, n_caches = len(problem.demand.peak_hours()), problem.n_caches
    nothing = np.zeros(n_caches)
    links = np.zeros((hours, len(problem.link_capacity_bps)))
    return Prices(nothing, nothing, np.zeros((hours, n_caches)), links, serve, branching)


def uneven(problem: Problem, rng: np.random.Generator) -> Problem:
    """The problem with numbers that float64 rounds at every step."""
    demand = problem.demand
    changed = [values * rng.random(len(demand)) for values in (demand.bytes, demand.peak_bps)]
    demand = Demand(
        demand.region_index, demand.asset_index, demand.indptr, demand.region, demand.requests, *changed,
        demand.hour_factor,
    )  # fmt: skip
    return problem.replace(demand=demand, cost_per_byte=problem.cost_per_byte * rng.random(problem.cost_per_byte.shape))


@settings(deadline=None, max_examples=150)
@given(SEEDS, st.booleans(), st.booleans())
def test_the_bound_is_the_formula_and_never_above_it(seed, limits, branching):
    """Against exact fractions, without any tolerance from above and with 1e-12 of the terms' sizes from below."""
    rng = np.random.default_rng(seed)
    problem = uneven(random_problem(rng, limits=limits), rng)
    prices = random_prices(problem, rng, branching)
    bound, formula = lower_bound(problem, prices), exact_bound(problem, prices)
    assert bound <= formula
    sizes = problem.demand.bytes @ problem.origin_cost[problem.demand.region] + np.abs(prices.serve).sum()
    sizes += problem.size_bytes.sum() * sum(p.sum() for p in (problem.fill_cost_per_byte, prices.fill, prices.storage))
    sizes += 100 * sum(p.sum() for p in (prices.storage, prices.fill, prices.egress))
    if prices.branching is not None:
        sizes += np.abs(prices.branching.serve).sum()
    assert formula - exact(bound) <= 1e-12 * sizes


@settings(deadline=None, max_examples=60)
@given(SEEDS)
@example(5057400)  # groups of regions, and no share of any price
def test_links_are_priced_along_the_path(seed):
    """Two edges and a mid, whose paths share links; every link has a limit and a price."""
    rng = np.random.default_rng(seed)
    asked = [(r, a, 100 * rng.random()) for r in ("r1", "r2") for a in ("x", "y")]
    problem = problem_of(
        two_edges_one_mid(), {"x": 10, "y": 5}, asked, peak_bps=rng.random(4), link_capacity_bps=rng.random(6)
    )
    prices = random_prices(problem, rng, branching=True)
    bound, formula = lower_bound(problem, prices), exact_bound(problem, prices)
    assert bound <= formula and formula - exact(bound) <= 1e-9


@settings(deadline=None, max_examples=100)
@given(SEEDS)
def test_no_placement_costs_less_than_a_bound(seed):
    """All placements of 4 assets on 2 caches, any prices, any trees; exact, without tolerance."""
    rng = np.random.default_rng(seed)
    problem = uneven(random_problem(rng, n_sites=2, n_regions=3, n_assets=4), rng)
    if rng.random() < 0.5:
        problem = problem.replace(fill_bytes=rng.integers(0, 40, 2))
    least = exact_least_cost(problem)
    for _ in range(3):
        assert lower_bound(problem, random_prices(problem, rng, branching=True)) <= least


@settings(deadline=None, max_examples=15)
@given(SEEDS)
def test_branch_and_bound_never_finds_less_than_a_bound(seed):
    """Five caches with egress and fill limits that bind; HiGHS keeps them to 1e-6."""
    rng = np.random.default_rng(seed)
    problem = random_problem(rng, n_sites=5, n_regions=6, n_assets=16, limits=True)
    cost = plan_placement(problem, "mip", gap=0.0, time_limit_s=60.0).evaluation.cost
    for _ in range(5):
        assert lower_bound(problem, random_prices(problem, rng, branching=True)) <= cost * (1 + 1e-6)


def triangle() -> Problem:
    """One asset of 10 bytes, sites s0, s1, s2 and regions r01, r12, r02, each asking 100 bytes and served for nothing
    by the two sites in its name and by the origin at 1 a byte. Filling costs 1 a byte: 10 for each copy."""
    names = ("01", "12", "02")
    topology = Topology(
        sites=(*(Site(f"s{s}", "edge") for s in range(3)), Site("o", "origin")),
        appliances=tuple(Appliance(f"a{s}", f"s{s}", 10) for s in range(3)),
        regions=tuple(Region(f"r{name}", "o") for name in names),
        links=(),
    )
    cost = np.array([[0.0 if str(s) in name else np.inf for name in names] for s in range(3)] + [[1.0] * 3])
    problem = problem_of(topology, {"x": 10}, [(f"r{name}", "x", 100.0) for name in names])
    return problem.replace(cost_per_byte=cost, fill_cost_per_byte=np.ones(3))


def test_branching_proves_what_no_linear_program_can():
    """The odd cycle. Half a copy everywhere serves every region in full: the relaxation costs 3 * 10 / 2 = 15, proved
    by v = 5 for each region. Whole assets need two copies: 20.

    Branch on s0. Stored: s0 costs 10 and gains v[r01] + v[r02]; with v = (0, 10, 0) for (r01, r12, r02) the leaf proves
    10 - (0 - 10) - max(0, 10 - 10) - max(0, 10 - 10) = 20. Not stored: s0 is left out; with v = (10, 0, 10) it proves
    20 - max(0, 10 - 10) (s1 serves r01) - max(0, 10 - 10) (s2 serves r02) = 20.
    """
    problem = triangle()
    relaxed = plan_placement(problem, "lp")
    assert relaxed.certificate.lower_bound == pytest.approx(15) and relaxed.evaluation.cost == 20
    assert lower_bound(problem, unpriced(problem, [5.0, 5.0, 5.0])) == pytest.approx(15, rel=1e-14)
    vectors = [0.0, 10.0, 0.0, 10.0, 0.0, 10.0]
    proved = lower_bound(problem, unpriced(problem, np.zeros(3), Branching([0], [0, 3], [0, -1, -2], vectors)))
    assert proved == pytest.approx(20, rel=1e-14) and proved <= 20
    other_way = Branching([0], [0, 3], [0, -2, -1], vectors)
    assert lower_bound(problem, unpriced(problem, np.zeros(3), other_way)) == pytest.approx(10, rel=1e-14)


def test_leaves_share_a_price_vector():
    """v = (10, 0, 10) for (r01, r12, r02): x[s0] = 20 - 10 = 10, x[s1] = x[s2] = 10 - 10 = 0. Without a tree it proves
    20 - 10 = 10. Not stored at s0: 10 more, 20, wherever else. Stored at s0, v = (0, 10, 0): x[s0] = 0 - 10, x[s1] =
    x[s2] = 0, and stored at s1 or not it proves 10 + 10 = 20.
    """
    problem = triangle()
    vectors = [10.0, 0.0, 10.0, 0.0, 10.0, 0.0]
    tree = [0, 1, -2, -2, 1, -1, 2, -1, -1]
    assert lower_bound(problem, unpriced(problem, vectors[:3])) == pytest.approx(10, rel=1e-14)
    proved = lower_bound(problem, unpriced(problem, np.zeros(3), Branching([0], [0, 9], tree, vectors)))
    assert proved == pytest.approx(20, rel=1e-14) and proved <= 20


@settings(deadline=None, max_examples=60)
@given(SEEDS)
def test_written_out_price_vectors_prove_the_same(seed):
    rng = np.random.default_rng(seed)
    problem = uneven(random_problem(rng, limits=True), rng)
    prices = random_prices(problem, rng, branching=True)
    apart = replace(prices, branching=written_out(prices.branching, problem))
    assert lower_bound(problem, apart) == pytest.approx(lower_bound(problem, prices), rel=1e-12)


def cycle_of_caches(n: int) -> Problem:
    """One asset of 10 bytes; region r asks 100 bytes and is served for nothing by caches r and r + 1, by the origin at
    1 a byte. A copy costs 10, so every second cache stores it."""
    topology = Topology(
        sites=(*(Site(f"s{s}", "edge") for s in range(n)), Site("o", "origin")),
        appliances=tuple(Appliance(f"a{s}", f"s{s}", 10) for s in range(n)),
        regions=tuple(Region(f"r{r}", "o") for r in range(n)),
        links=(),
    )
    cost = np.full((n + 1, n), np.inf)
    cost[np.arange(n), np.arange(n)] = cost[(np.arange(n) + 1) % n, np.arange(n)] = 0.0
    cost[-1] = 1.0
    problem = problem_of(topology, {"x": 10}, [(f"r{r}", "x", 100.0) for r in range(n)])
    return problem.replace(cost_per_byte=cost, fill_cost_per_byte=np.ones(n))


@pytest.mark.parametrize("side", [0, 1])
def test_trees_as_deep_as_there_are_caches(side):
    """300 caches in a cycle cost 1500 (half of them store the asset), which v = 5 proves without branching; so does a
    tree that tells all caches apart one after the other, each below the same side of the one before."""
    problem = cycle_of_caches(300)
    caches = range(300)
    tree = [*caches, *[-1] * 301] if side == 0 else [node for s in caches for node in (s, -1)] + [-1]
    for nodes in (tree, [0] * 20_000 + [-1] * 20_001):
        branching = Branching([0], [0, len(nodes)], nodes, np.full(300, 5.0))
        proved = lower_bound(problem, unpriced(problem, np.zeros(300), branching))
        assert proved == pytest.approx(1500, rel=1e-12) and proved <= 1500


def test_a_leaf_that_no_placement_is_in_bounds_nothing():
    """Leaves as above, but the case that cannot be has prices that prove nothing (-100 for each region).

    Pinned at s0: not stored there cannot be. Excluded at s0, or too large for it: stored there cannot be; what is left
    is 20 from s1 and s2.
    """
    problem = triangle()
    pair = SiteAssets.from_pairs([0], [0], 1)
    nothing = [-100.0] * 3

    def proved(changed: Problem, leaves) -> float:
        branching = Branching([0], [0, 3], [0, -1, -2], leaves)
        return lower_bound(changed, unpriced(changed, np.zeros(3), branching))

    assert proved(problem.replace(pinned=pair), [0.0, 10.0, 0.0, *nothing]) == pytest.approx(20)
    for changed in (problem.replace(excluded=pair), problem.replace(storage_bytes=np.array([9.0, 10.0, 10.0]))):
        assert proved(changed, [*nothing, 10.0, 0.0, 10.0]) == pytest.approx(20)
    no_fill = problem.replace(fill_bytes=np.array([9.0, 10.0, 10.0]))
    assert proved(no_fill, [*nothing, 10.0, 0.0, 10.0]) == pytest.approx(20)
    assert proved(no_fill.replace(stored=pair), [*nothing, 10.0, 0.0, 10.0]) < 0


def test_a_site_met_twice_is_told_apart_once():
    """Below "stored at s0" s0 is branched on again: its leaf "not stored" is empty and passed over."""
    problem = triangle()
    leaves = [0.0, 10.0, 0.0, -100.0, -100.0, -100.0, 10.0, 0.0, 10.0]
    twice = Branching([0], [0, 5], [0, 0, -1, -2, -3], leaves)
    assert lower_bound(problem, unpriced(problem, np.zeros(3), twice)) == pytest.approx(20)


def large_problem(rng: np.random.Generator, n_assets=10_000, order=None) -> Problem:
    """More assets than the kernel takes at a time, two regions each, three caches. ``order`` renumbers the assets."""
    order = np.arange(n_assets) if order is None else order
    asset, region = np.repeat(np.arange(n_assets), 2), np.tile([0, 1], n_assets)
    asked, size = rng.random(2 * n_assets) * 100, rng.integers(1, 100, n_assets)
    held = rng.random((3, n_assets)) < 0.2
    where = np.argsort(order)
    demand = Demand.from_entries(
        Index(["r0", "r1"]), Index(f"x{a}" for a in range(n_assets)), region, where[asset], asked, asked, asked
    )
    base = triangle()
    return Problem(
        base.site_index, demand.region_index, demand.asset_index, size[order], demand, base.cost_per_byte[:, :2],
        np.full(3, 1e4), np.full(3, 50.0), np.full(3, 1e4), np.full(3, 0.1), SiteAssets.from_dense(held[:, order]),
        SiteAssets.empty(n_assets), SiteAssets.empty(n_assets), np.ones(2 * n_assets, dtype=bool),
        base.path_links[:8], np.zeros(0),
    )  # fmt: skip


def test_threads_change_nothing(monkeypatch):
    rng = np.random.default_rng(1)
    problem = large_problem(rng)
    prices = random_prices(problem, rng, branching=True)
    found = set()
    for threads in (1, 2, 3):
        monkeypatch.setattr(numba, "get_num_threads", lambda threads=threads: threads)
        found.add(lower_bound(problem, prices))
    assert len(found) == 1


def test_numbering_the_assets_otherwise_changes_nothing():
    order = np.random.default_rng(2).permutation(10_000)
    problem, renumbered = (large_problem(np.random.default_rng(1), order=each) for each in (None, order))
    serve = np.random.default_rng(3).random((10_000, 2)) * 100
    storage = np.full(3, 0.01)
    one, other = (
        lower_bound(each, Prices(storage, storage, np.zeros((1, 3)), np.zeros((1, 0)), values.ravel()))
        for each, values in ((problem, serve), (renumbered, serve[order]))
    )
    assert other == pytest.approx(one, rel=1e-12)


def test_nothing_proves_nothing():
    problem = triangle()
    assert lower_bound(problem, unpriced(problem, np.zeros(3))) == 0
    assert lower_bound(problem, unpriced(problem, np.full(3, -1.0))) == pytest.approx(-3)
    negative = Prices(np.full(3, -1.0), np.full(3, -1.0), np.full((1, 3), -1.0), np.zeros((1, 0)), np.full(3, 5.0))
    assert lower_bound(problem, negative) == pytest.approx(15), "negative prices count as 0"
    assert lower_bound(problem, unpriced(problem, np.full(3, -1e308))) == -np.inf
    assert lower_bound(problem, unpriced(problem, np.full(3, 1e-300))) == 0
    large = large_problem(np.random.default_rng(1))
    assert lower_bound(large, unpriced(large, np.full(20_000, -1e305))) == -np.inf, "only the sum is beyond float64"


def test_a_cache_that_cannot_be_filled_gains_nothing():
    """Filling s2 costs infinitely much: it gains nothing and the others prove 15 as before, told apart or not. Pinned
    there, all costs are infinite and nothing is proved."""
    problem = triangle().replace(fill_cost_per_byte=np.array([1.0, 1.0, np.inf]))
    assert lower_bound(problem, unpriced(problem, np.full(3, 5.0))) == pytest.approx(15)
    told = Branching([0], [0, 3], [2, -1, -1], np.full(3, 5.0))
    assert lower_bound(problem, unpriced(problem, np.zeros(3), told)) == pytest.approx(15)
    pinned = problem.replace(pinned=SiteAssets.from_pairs([2], [0], 1))
    assert lower_bound(pinned, unpriced(problem, np.full(3, 5.0))) == -np.inf


def test_prices_that_do_not_fit_are_refused():
    problem = triangle()
    with pytest.raises(ValueError, match=r"serve prices have shape \(2,\), expected \(3,\)"):
        lower_bound(problem, unpriced(problem, np.zeros(2)))
    for branching, message in (
        (Branching([1], [0, 1], [-1], np.zeros(3)), "an asset that is not there"),
        (Branching([0], [0, 3], [3, -1, -2], np.zeros(6)), "a cache that is not there"),
        (Branching([0], [0, 3], [2, -1, -2], np.zeros(5)), "needs 6 serve prices and has 5"),
        (Branching([0], [0, 3], [2, -1, -1], np.zeros(6)), "needs 3 serve prices and has 6"),
    ):
        with pytest.raises(ValueError, match=message):
            lower_bound(problem, unpriced(problem, np.zeros(3), branching))
