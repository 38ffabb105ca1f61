"""Regret by marginal prices: by hand, against the replay, and what must hold of it."""

from dataclasses import replace

import pytest
from backtesting.backtest_examples import (
    SIZE_BYTES,
    catalog_of,
    demand_of,
    random_log,
    setting_of,
    usable_forecasters,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from cdn.backtesting.alignment import align
from cdn.backtesting.placing import Setting, ladder_of, served_by_caches
from cdn.backtesting.regret_parts import offload
from cdn.backtesting.running import date_of
from cdn.backtesting.windows import true_demand
from cdn.forecasting.demand_forecast import forecast
from cdn.forecasting.history import history_of_log
from cdn.forecasting.marginal_prices import decide, losses
from cdn.model.network import Network
from cdn.model.topology import Appliance, Region, ServingCost, Site, Topology

DAY = date_of(100)
TABLES = st.lists(st.integers(0, 9), min_size=10, max_size=10)


def loss_of(setting, true, forecasts, **options):
    both = align(true, forecasts)
    ladder = ladder_of(setting.problem(true, DAY), setting.network.topology)
    return losses(ladder, both.region, both.asset, both.true_bytes, both.bytes, **options)


def test_by_hand():
    """One region asks 5, 3, 2 times for a, b, c; the cache holds two of the three, so its price is 2 requests an asset.
    A forecast that takes c for b serves 7 instead of 8 of 10."""
    setting, true = setting_of(3, 2 / 3), demand_of([(0, 0, 5), (0, 1, 3), (0, 2, 2)])
    wrong, right = demand_of([(0, 0, 9), (0, 1, 1), (0, 2, 2)]), demand_of([(0, 0, 3), (0, 1, 2), (0, 2, 1)])
    ladder = ladder_of(setting.problem(true, DAY), setting.network.topology)
    decisions = decide(ladder, true.region, true.asset, true.bytes[None, :])
    assert decisions.price.tolist() == [[2.0, 0.0]] and decisions.held[0].tolist() == [[True, True, False]]
    assert loss_of(setting, true, [wrong, right]) == pytest.approx([0.1, 0])


def test_at_fixed_prices_volume_counts():
    """Half the volume: b (1.5 expected, worth 3) falls below the price of 2, and the request above the price is
    lost."""
    setting, true = setting_of(3, 2 / 3), demand_of([(0, 0, 5), (0, 1, 3), (0, 2, 2)])
    half = demand_of([(0, 0, 2.5), (0, 1, 1.5), (0, 2, 1)])
    assert loss_of(setting, true, [half], own_prices=False) == pytest.approx([0.1])
    assert loss_of(setting, true, [half]) == pytest.approx([0])


@settings(deadline=None, max_examples=60)
@given(TABLES, TABLES, st.sampled_from([0.2, 0.4, 0.6]))
def test_with_a_cache_per_region_it_is_the_regret_of_the_replay(true, guess, share):
    """Assets of one size and no ties in the forecast: the greedy placement and the prices choose the same."""
    pairs = [(k // 5, k % 5) for k in range(10)]
    true = demand_of([(*pair, n) for pair, n in zip(pairs, true, strict=True) if n], 5)
    guess = demand_of([(*pair, n + 0.01 * k) for k, (pair, n) in enumerate(zip(pairs, guess, strict=True)) if n], 5)
    setting = setting_of(5, share)
    best, placed = (offload(setting, true, setting.place(demand, DAY), DAY) for demand in (true, guess))
    loss = loss_of(setting, true, [guess, true])
    assert loss == pytest.approx([best - placed, 0], abs=1e-9)
    assert (loss_of(setting, true, [guess, true], own_prices=False) >= -1e-9).all()


def two_rungs(n_assets: int) -> Setting:
    """An edge of one asset in either region, a mid of two behind both."""
    sites = (Site("en", "edge"), Site("es", "edge"), Site("m", "mid"), Site("origin", "origin"))
    storage = (("en", 1), ("es", 1), ("m", 2))
    costs = [ServingCost(region, site, cost) for region, edge in (("north", "en"), ("south", "es"))
             for site, cost in ((edge, 1.0), ("m", 3.0), ("origin", 7.0))]
    topology = Topology(sites, tuple(Appliance(f"{site}-1", site, n * SIZE_BYTES) for site, n in storage),
                        (Region("north", "origin"), Region("south", "origin")), serving_costs=tuple(costs))
    return Setting(Network(topology), catalog_of(n_assets))


def test_a_mid_sees_what_the_edges_leave():
    """Both edges hold a. The mid is left with b (4 + 3), c (2 + 2) and d (1 + 0): it holds b and c, d is its price, 4 a
    byte saved. A forecast that sees d in place of c loses the 4 requests for c and gains 1: (4 - 1) * 4 of 7 * 23."""
    rows = [(0, 0, 6), (1, 0, 5), (0, 1, 4), (1, 1, 3), (0, 2, 2), (1, 2, 2), (0, 3, 1)]
    true, setting = demand_of(rows, 4), two_rungs(4)
    wrong = demand_of([(r, {2: 3, 3: 2}.get(a, a), n) for r, a, n in rows], 4)
    ladder = ladder_of(setting.problem(true, DAY), setting.network.topology)
    decisions = decide(ladder, true.region, true.asset, true.bytes[None, :])
    assert decisions.price.round(9).tolist() == [[24.0, 18.0, 4.0]]
    assert loss_of(setting, true, [true, wrong]) == pytest.approx([0, 12 / (7 * 23)])
    served = served_by_caches(setting.problem(true, DAY), replace(setting, method="lp").place(true, DAY))
    assert served.tolist() == [True] * 6 + [False]


@pytest.mark.parametrize("setting", [setting_of(20, 0.25), two_rungs(20)], ids=["a cache per region", "two rungs"])
def test_it_ranks_forecasts_as_the_replay_does(setting):
    log = random_log(8, n_days=16, per_day=150)
    history = history_of_log(log, 116, 16)
    replayed, by_prices = [], []
    for day in range(104, 116):
        true, before = true_demand(history, day), history.window(day, 10)
        forecasts = [forecast(before, date_of(day), method, setting.catalog) for method in usable_forecasters()]
        best = offload(setting, true, setting.place(true, DAY), DAY)
        replayed += [best - offload(setting, true, setting.place(demand, DAY), DAY) for demand in forecasts]
        by_prices += loss_of(setting, true, forecasts).tolist()
    assert spearmanr(replayed, by_prices).statistic > 0.9


def test_without_demand_or_caches_there_is_nothing_to_lose():
    setting, nothing = setting_of(3), demand_of([])
    assert loss_of(setting, nothing, [demand_of([(0, 0, 3)]), nothing]).tolist() == [0, 0]
