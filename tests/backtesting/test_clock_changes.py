"""Regions keep their own clocks: what a forecast makes of the hours when these change."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from cdn.forecasting.demand_forecast import day_number, forecast
from cdn.forecasting.history import history_of_log
from cdn.generator.parameters import GeneratorParameters
from cdn.generator.samples import concatenated, draw_sample


@pytest.fixture(scope="module")
def sample():
    """Five weeks of many requests in ten regions, Istanbul one of them; the others put their clocks on 29 March
    2026."""
    parameters = GeneratorParameters(n_regions=10, n_titles=200, start_day=date(2026, 3, 2), days=35,
                                     requests_per_day=60_000)
    sample = draw_sample(parameters, np.random.default_rng(1))
    return sample, concatenated([log for _, log in sample.draw_days()])


@pytest.mark.parametrize(("day", "most_elsewhere"),
                         [("2026-03-28", 0.02), ("2026-03-30", 0.075), ("2026-04-04", 0.075)])
def test_after_a_clock_change_no_more_is_in_the_wrong_hour_than_an_hour_moves(sample, day, most_elsewhere):
    """An hour's shift puts 6.8 % of the bytes into another hour, were nothing done about it; sampling alone 1 %."""
    sample, log = sample
    day = pd.Timestamp(day)
    factor = forecast(history_of_log(log, day_number(day), 28), day, "last_day", sample.catalog).hour_factor
    true = sample.hour_factors((day.date() - sample.parameters.start_day).days)
    elsewhere = np.abs(true / true.sum(axis=0) - factor / factor.sum(axis=0)).sum(axis=0) / 2
    turkey = sample.regions.time_zones.index("Europe/Istanbul")
    assert elsewhere[turkey] < 0.02
    assert np.delete(elsewhere, turkey).mean() < most_elsewhere
