"""Quantile loss and coverage of a whole day, for a forecast that has quantiles."""

from types import SimpleNamespace

import numpy as np
import pytest
from backtesting.backtest_examples import demand_of

from cdn.backtesting.groupings import ALL, REGION, Grouping
from cdn.backtesting.placing import Delivery
from cdn.backtesting.scoring import SUMS, Served, score_day
from cdn.backtesting.summaries import METRICS
from cdn.forecasting.demand_forecast import DayForecast
from cdn.forecasting.expectation import ExpectedRequests

GROUPINGS = [Grouping(ALL, (ALL,)), Grouping(REGION, ("north", "south"), of_region=np.array([0, 1]))]


def with_quantiles(demand, low, high):
    """Every count with a dispersion of 0: Poisson."""
    counts = ExpectedRequests(demand.region, demand.asset, demand.requests, np.zeros(len(demand)))
    names = ("region_index", "asset_index", "region", "asset", "requests", "bytes", "peak_bps", "hour_factor",
             "total_bytes")
    described = SimpleNamespace(**{name: getattr(demand, name) for name in names},
                                bytes_p10=np.array(low, dtype=float), bytes_p90=np.array(high, dtype=float))
    return DayForecast(described, counts)


def nothing_served(n_entries: int) -> Served:
    none = Delivery(np.zeros(n_entries), np.zeros(n_entries))
    return Served([none], none, np.zeros(n_entries))


def test_by_hand():
    """Bytes: a in the north 300 within 100..400; b in the north 0, below 50..100; c in the south 900 above 100..700.
    Losses at 0.1 and 0.9: a (20 + 10), b (45 + 10), c (80 + 180); the mean of the two levels, over 1200 bytes. Counts:
    a 3 of Poisson 2 (steps 0.677 to 0.857) is covered whole, b 0 of 0.7 (0 to 0.497) by (0.497 - 0.1) / 0.497, c 9 of 4
    (0.979 and above) not at all. d in the south, which the forecast lacks, is not counted, but asked for: 100 bytes
    more."""
    true = demand_of([(0, 0, 3), (1, 2, 9), (1, 3, 1)], 4)
    forecast = with_quantiles(demand_of([(0, 0, 2), (0, 1, 0.7), (1, 2, 4)], 4), [100, 50, 100], [400, 100, 700])
    frame, = score_day(GROUPINGS, true, [forecast], nothing_served(3), np.zeros(1))
    values = {name: metric(frame[list(SUMS)].to_numpy()) for name, metric in METRICS.items()}
    assert values["coverage"] == pytest.approx([1.7986 / 3, 1.7986 / 2, 0], abs=1e-4)
    assert values["quantile_loss"] == pytest.approx([172.5 / 1300, 42.5 / 300, 130 / 1000])


def test_without_quantiles_there_is_neither():
    true = demand_of([(0, 0, 3)])
    counts = ExpectedRequests(true.region, true.asset, true.requests)
    frame, = score_day(GROUPINGS, true, [DayForecast(true, counts)], nothing_served(1), np.zeros(1))
    for name in ("coverage", "quantile_loss", "lru_offload"):
        assert np.isnan(METRICS[name](frame[list(SUMS)].to_numpy())).all()
