"""Noise floor, new titles and the rest."""

import numpy as np
import pytest
from backtesting.backtest_examples import demand_of, setting_of
from generator.sample_parameters import small

from cdn.backtesting.networks import one_cache_per_region
from cdn.backtesting.placing import Setting
from cdn.backtesting.regret_parts import in_halves, knowing, offload, regret_parts, split_regret
from cdn.backtesting.running import date_of
from cdn.generator.expected import demand_of_sample
from cdn.generator.samples import draw_sample
from cdn.simulation.true_demand import demand_of_log

DAY = date_of(100)


def test_halves_add_up():
    true = demand_of([(0, 0, 9), (1, 0, 1), (1, 2, 40)])
    halves = in_halves(true, np.random.default_rng(1))
    total = np.zeros((2, 3))
    for half in halves:
        total[half.region, half.asset] += half.requests
        assert half.bytes == pytest.approx(100 * half.requests)
    assert total.tolist() == [[9, 0, 0], [1, 0, 40]]
    assert 5 < halves[0].requests[-1] < 35
    with pytest.raises(ValueError, match="only counted requests"):
        in_halves(demand_of([(0, 0, 1.5)]), np.random.default_rng(1))


def test_knowing_takes_the_true_entries_of_some_titles():
    forecast, true = demand_of([(0, 0, 4), (1, 1, 2)]), demand_of([(0, 0, 1), (0, 1, 5), (1, 2, 7)])
    known = knowing(forecast, true, np.array([False, True, False]))
    assert list(zip(known.region, known.asset, known.requests, strict=True)) == [(0, 0, 4), (0, 1, 5)]


def test_by_hand():
    """Room for one title. The forecast knows nothing of the new title c, of which 6 of 10 are asked; a has 3, b 1. It
    stores b: regret 6/10 - 1/10, all but b for a gone once c is known. With that it stores c: nothing lost."""
    true, forecast = demand_of([(0, 0, 3), (0, 1, 1), (0, 2, 6)]), demand_of([(0, 1, 2), (0, 0, 1)])
    parts = regret_parts(setting_of(3, 0.34), forecast, true, np.array([False, False, True]), DAY,
                         np.random.default_rng(0))
    assert (parts.regret, parts.new_titles) == pytest.approx((0.5, 0.5))
    assert parts.rest == pytest.approx(-parts.floor) and parts.floor == parts.split / 4


def test_where_chance_decides_nothing_there_is_no_floor():
    true = demand_of([(0, 0, 4000), (0, 1, 1000), (0, 2, 10)])
    assert split_regret(setting_of(3, 0.34), true, DAY, np.random.default_rng(0)) == 0


def test_the_floor_is_about_what_knowing_the_expected_demand_loses():
    """The generator knows the popularity it draws from: placing with it is the best anybody can do in advance. Over six
    samples the floor from halves comes to four fifths of what that loses."""
    known, floor = [], []
    for seed in range(6):
        sample = draw_sample(small(n_titles=2000, days=1, requests_per_day=30_000), np.random.default_rng(seed))
        setting = Setting(one_cache_per_region(sample.regions.index, sample.catalog, 0.05), sample.catalog)
        true = demand_of_log(sample.draw_day(0))
        best, expected = (offload(setting, true, setting.place(demand, DAY), DAY)
                          for demand in (true, demand_of_sample(sample)))
        known.append(best - expected)
        floor.append(split_regret(setting, true, DAY, np.random.default_rng(0)) / 4)
    assert 0.65 * np.mean(known) < np.mean(floor) < 1.1 * np.mean(known)
