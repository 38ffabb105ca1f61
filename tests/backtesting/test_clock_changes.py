"""Regions keep their own clocks: what a forecast makes of the hours when these change."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from cdn.backtesting.networks import one_cache_per_region
from cdn.backtesting.placing import Setting
from cdn.backtesting.running import BacktestPlan, remembering, run_backtest
from cdn.forecasting.demand_forecast import day_number, forecast
from cdn.forecasting.history import history_of_log
from cdn.forecasting.knowledge import knowledge_of
from cdn.generator.parameters import GeneratorParameters
from cdn.generator.samples import concatenated, draw_sample
from cdn.model.network import Network


@pytest.fixture(scope="module")
def sample():
    """Five weeks of many requests in ten regions, Istanbul one of them; the others put their clocks on 29 March
    2026."""
    parameters = GeneratorParameters(n_regions=10, n_titles=200, start_day=date(2026, 3, 2), days=35,
                                     requests_per_day=60_000)
    sample = draw_sample(parameters, np.random.default_rng(1))
    return sample, concatenated([log for _, log in sample.draw_days()])


@pytest.mark.parametrize("day", ["2026-03-28", "2026-03-29", "2026-03-30", "2026-04-04"])
def test_after_a_clock_change_the_hours_are_as_right_as_before(sample, day):
    """Sampling alone puts 1 % of the bytes into another hour; an hour's shift 6.8 %, as where zones are not known."""
    sample, log = sample
    day, zones = pd.Timestamp(day), sample.regions.time_zones
    history, knowledge = history_of_log(log, day_number(day), 28), knowledge_of(sample.catalog)
    true = sample.hour_factors((day.date() - sample.parameters.start_day).days)
    with_zones, without = (
        np.abs(true / true.sum(axis=0) - factor / factor.sum(axis=0)).sum(axis=0) / 2
        for factor in (forecast(history, day, "last_day", sample.catalog, known).hour_factor
                       for known in (replace(knowledge, time_zones=zones), knowledge)))
    assert with_zones.max() < 0.02
    istanbul = zones.index("Europe/Istanbul")
    assert without[istanbul] < 0.02
    assert day == pd.Timestamp("2026-03-28") or np.delete(without, istanbul).min() > 0.05


def test_a_backtest_knows_the_zones_of_its_topology(sample):
    """Six days after the change the busiest hour that the backtest foresees in Berlin is 18 UTC, not 19 as before
    it."""
    sample, log = sample
    history, catalog = history_of_log(log, int(log.day[-1]) + 1, 35), sample.catalog
    topology = one_cache_per_region(sample.regions.index, catalog, 0.05).topology
    regions = tuple(replace(region, time_zone=zone)
                    for region, zone in zip(topology.regions, sample.regions.time_zones, strict=True))
    berlin, busiest = sample.regions.time_zones.index("Europe/Berlin"), []

    for network in (Network(topology), Network(replace(topology, regions=regions))):
        setting = Setting(network, catalog)
        known = remembering(setting)

        def noted(*arguments, known=known):
            found = known(*arguments)
            busiest.append(int(found.demand.hour_factor[:, berlin].argmax()))
            return found

        run_backtest(history, setting, BacktestPlan(("last_day",), 1, (1,), 28), forecast_day=noted)
    assert busiest == [19, 18]
