"""The judge on instances worked out by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from instances import problem_of, random_problem, two_edges_one_mid

from cdn.evaluation import cheapest_routing, evaluate, lower_bound, marginal_saving
from cdn.model.placement import Placement, Prices, Routing
from cdn.model.site_assets import SiteAssets


@pytest.fixture
def problem():
    """r1 asks 100 bytes of x and 10 of y, r2 asks 50 of x. Sizes 10 and 5. All from the origin: 160 * 4 = 640."""
    return problem_of(two_edges_one_mid(), {"x": 10, "y": 5}, [("r1", "x", 100), ("r1", "y", 10), ("r2", "x", 50)])


def stored(problem, *pairs) -> SiteAssets:
    site = [problem.site_index.position_of(s) for s, _ in pairs]
    asset = [problem.asset_index.position_of(a) for _, a in pairs]
    return SiteAssets.from_pairs(site, asset, len(problem.asset_index))


def test_nothing_stored_costs_the_origin(problem):
    found = evaluate(problem, Placement(SiteAssets.empty(2)))
    assert found.cost == 640 and found.offload == 0 and found.request_hit_ratio == 0
    assert found.served_bytes.tolist() == [0, 0, 0, 160] and not found.violations


def test_each_region_goes_to_its_cheapest_copy(problem):
    """x at e1: r1 pays 0, r2 pays 2 * 50 = 100 (other edge), y from the origin 40: together 140."""
    found = evaluate(problem, Placement(stored(problem, ("e1", "x"))))
    assert found.cost == 140
    assert found.offload == pytest.approx(150 / 160) and found.request_hit_ratio == pytest.approx(2 / 3)


def test_links_carry_what_they_should(problem):
    """x at e1 serves r2 over e1-m and m-e2; peaks are bytes * 8 / 86400. The origin's y takes o-m-e1."""
    found = evaluate(problem, Placement(stored(problem, ("e1", "x"))))
    rate = 8 / 86400
    up_e1, up_e2, up_m, down_e1, down_e2, down_m = found.link_bps[0]
    assert (up_e1, up_e2, up_m) == (pytest.approx(50 * rate), 0, 0)
    assert (down_e1, down_e2, down_m) == (pytest.approx(10 * rate), pytest.approx(50 * rate), pytest.approx(10 * rate))
    assert found.cache_link_bps[0][3] == 0


def test_fill_cost_counts_only_what_is_new(problem):
    """x is at e1 already; adding y at e1 moves 5 bytes over cost 4."""
    changed = problem.replace(stored=stored(problem, ("e1", "x")), fill_cost_per_byte=np.array([4.0, 4.0, 3.0]))
    found = evaluate(changed, Placement(stored(problem, ("e1", "x"), ("e1", "y"))))
    assert found.fill_cost == 20 and found.filled_bytes.tolist() == [5, 0, 0]


def test_marginal_saving_is_what_would_be_lost(problem):
    """x at e1 and m: e1 saves r1 100 * (1 - 0); m saves r2 50 * (2 - 1); y at e1 saves 10 * 4."""
    held = stored(problem, ("e1", "x"), ("m", "x"), ("e1", "y"))
    saving = dict(
        zip(zip(held.site.tolist(), held.asset.tolist(), strict=True), marginal_saving(problem, held), strict=True)
    )
    assert saving == {(0, 0): 100, (2, 0): 50, (0, 1): 40}


@pytest.mark.parametrize(
    ("changes", "limit"),
    [
        ({"storage_bytes": np.array([9.0, 10, 10])}, "storage"),
        ({"fill_bytes": np.array([9.0, 10, 10])}, "fill"),
        ({"egress_bps": np.array([1e-6, 1, 1])}, "egress"),
        ({"link_capacity_bps": np.full(6, 1e-6)}, "link"),
    ],
)
def test_each_limit_is_seen(problem, changes, limit):
    found = evaluate(problem.replace(**changes), Placement(stored(problem, ("e1", "x"))))
    assert [violation.limit for violation in found.violations][:1] == [limit]


def test_rules_are_seen(problem):
    pairs = stored(problem, ("e1", "x"))
    pinned = evaluate(problem.replace(pinned=stored(problem, ("e2", "y"))), Placement(pairs))
    excluded = evaluate(problem.replace(excluded=pairs), Placement(pairs))
    assert [str(v) for v in pinned.violations] == ["pinned at e2/y: 0, allowed 1"]
    assert [v.limit for v in excluded.violations] == ["excluded"]


def test_routing_that_cheats_is_seen(problem):
    pairs = stored(problem, ("e1", "x"))
    not_there = evaluate(problem, Placement(pairs, Routing([1], [1], [1.0])))
    too_much = evaluate(problem, Placement(pairs, Routing([0, 0], [0, 0], [1.0, 0.5])))
    assert "serve_stored" in {v.limit for v in not_there.violations}
    assert "serve_once" in {v.limit for v in too_much.violations}
    unlicensed = evaluate(problem.replace(servable=np.zeros(3, dtype=bool)), Placement(pairs, Routing([0], [0], [1.0])))
    assert {v.limit for v in unlicensed.violations} == {"may_serve"}


def test_unlicensed_regions_go_to_the_origin(problem):
    servable = problem.demand.region != 0
    found = evaluate(problem.replace(servable=servable), Placement(stored(problem, ("e1", "x"))))
    assert found.cost == 110 * 4 + 50 * 2


def test_routing_equals_a_slow_search():
    """Against the definition, one entry at a time."""
    for seed in range(30):
        rng = np.random.default_rng(seed)
        problem = random_problem(rng)
        held = SiteAssets.from_dense(rng.random((problem.n_caches, len(problem.asset_index))) < 0.4)
        routing = cheapest_routing(problem, held)
        served = dict(zip(routing.entry.tolist(), routing.site.tolist(), strict=True))
        table = held.dense(problem.n_caches)
        for entry in range(len(problem.demand)):
            asset, region = problem.demand.asset[entry], problem.demand.region[entry]
            able = [
                (problem.cost_per_byte[s, region], s)
                for s in range(problem.n_caches)
                if table[s, asset] and problem.servable[entry] and problem.cost_per_byte[s, region] <= 6.0
            ]
            assert served.get(entry) == (min(able)[1] if able else None)


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 2**32 - 1), st.integers(1, 9))
def test_a_routing_that_says_the_same_costs_the_same(seed, n_sites):
    """The cheapest routing worked out in passing and written down; few and many caches, few and many copies."""
    rng = np.random.default_rng(seed)
    problem = random_problem(rng, n_sites=n_sites, limits=True)
    held = SiteAssets.from_dense(rng.random((n_sites, len(problem.asset_index))) < rng.random())
    found = evaluate(problem, Placement(held))
    routing = cheapest_routing(problem, held)
    order = rng.permutation(len(routing))
    routing = Routing(routing.entry[order], routing.site[order], routing.share[order])
    routed = evaluate(problem, Placement(held, routing))
    for name in (
        "delivery_cost",
        "fill_cost",
        "offload",
        "request_hit_ratio",
        "served_bytes",
        "egress_bps",
        "filled_bytes",
    ):
        np.testing.assert_allclose(getattr(found, name), getattr(routed, name), rtol=1e-12, atol=1e-12)
    assert [str(v) for v in found.violations] == [str(v) for v in routed.violations]
    assert found.served_bytes.sum() == pytest.approx(problem.demand.total_bytes)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(1, 9))
def test_marginal_saving_is_the_judge_s_difference(seed, n_sites):
    rng = np.random.default_rng(seed)
    problem = random_problem(rng, n_sites=n_sites, n_assets=4)
    table = rng.random((n_sites, 4)) < rng.random()
    held = SiteAssets.from_dense(table)
    before = evaluate(problem, Placement(held)).delivery_cost
    for site, asset, saving in zip(held.site, held.asset, marginal_saving(problem, held), strict=True):
        without = table.copy()
        without[site, asset] = False
        after = evaluate(problem, Placement(SiteAssets.from_dense(without))).delivery_cost
        assert after - before == pytest.approx(saving, abs=1e-9)


def test_fractional_placements_are_judged_by_level(problem):
    """Half of x at e1 (5 of 10 bytes, new: filled at 4) serves half of r1's 100; the pin asks for all of it."""
    pairs = stored(problem, ("e1", "x"))
    changed = problem.replace(pinned=pairs, fill_cost_per_byte=np.full(3, 4.0))
    found = evaluate(changed, Placement(pairs, Routing([0], [0], [0.5]), [0.5]))
    assert (found.fill_cost, found.delivery_cost, found.stored_bytes.tolist()) == (20, 640 - 200, [5, 0, 0])
    assert [str(v) for v in found.violations] == ["pinned at e1/x: 0, allowed 1"]
    more = evaluate(changed, Placement(pairs, Routing([0], [0], [0.6]), [0.5]))
    assert [str(v) for v in more.violations][1:] == ["serve_stored at e1/x/r1: 0.6, allowed 0.5"]


def test_any_prices_bound_any_placement():
    """Weak duality with random prices, random placements that keep the rules."""
    for seed in range(60):
        rng = np.random.default_rng(seed)
        problem = random_problem(rng, limits=seed % 2 == 0)
        hours = len(problem.demand.peak_hours())
        prices = Prices(
            rng.random(problem.n_caches) * 5,
            rng.random(problem.n_caches),
            rng.random((hours, problem.n_caches)),
            np.zeros((hours, 0)),
            rng.random(len(problem.demand)) * 500,
        )
        bound = lower_bound(problem, prices)
        for _ in range(20):
            table = (rng.random((problem.n_caches, len(problem.asset_index))) < rng.random()) | problem.pinned.dense(
                problem.n_caches
            )
            found = evaluate(problem, Placement(SiteAssets.from_dense(table)))
            if not found.violations:
                assert bound <= found.cost + 1e-9
