"""The demand of a log: its own requests, bytes and hours."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulation.replay_examples import EAST, WEST, log_of, small_catalog, small_topology

from cdn.model.request_log import RequestLog
from cdn.simulation import demand_of_log

TOPOLOGY, CATALOG = small_topology(), small_catalog()


def test_by_hand():
    """East asks for 10 a, 10 a, 20 b in hour 0 and 40 a in hour 1: its busiest hour is 40 bytes, both hours have
    factor 1. West asks for 10 c in hour 1 only."""
    log = log_of("east a, east a, east b | east a, west c", TOPOLOGY, CATALOG, bytes_=[10, 10, 20, 40, 10])
    demand = demand_of_log(log)
    assert list(zip(demand.asset.tolist(), demand.region.tolist(), strict=True)) == [(0, EAST), (1, EAST), (2, WEST)]
    assert demand.requests.tolist() == [3, 1, 1]
    assert demand.bytes.tolist() == [60, 20, 10]
    assert demand.hour_factor[:, EAST].tolist() == [1, 1] + [0] * 22
    assert demand.hour_factor[:, WEST].tolist() == [0, 1] + [0] * 22
    # Half of east's bytes fall into its busiest hour, all of west's.
    assert (demand.peak_bps * 3600 / 8).tolist() == pytest.approx([30, 10, 10])


def test_rates_of_two_days_are_a_mean_and_a_silent_region_has_factors_of_one():
    log = log_of("east a" + " | east d" * 24, TOPOLOGY, CATALOG)  # 10 bytes an hour from 00:00 to 01:00 the next day
    demand = demand_of_log(log)
    assert demand.bytes.tolist() == [10, 240]
    rate = demand.hour_factor[:, EAST] * demand.peak_bps.sum() * 3600 / 8
    assert rate.tolist() == pytest.approx([10] + [5] * 23)
    assert demand.hour_factor[:, WEST].tolist() == [1] * 24


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 86_399), st.integers(0, 1), st.integers(0, 3), st.integers(0, 10**12))))
def test_it_adds_up(requests):
    second, region, asset, bytes_ = np.array(requests, dtype=np.int64).reshape(-1, 4).T
    log = RequestLog(TOPOLOGY.region_index, CATALOG.asset_index, second * 1_000_000, region, asset, bytes_)
    demand = demand_of_log(log)
    assert demand.requests.sum() == len(log)
    assert demand.total_bytes == log.total_bytes
    rate = demand.hour_factor * np.bincount(demand.region, weights=demand.peak_bps, minlength=2)
    cell = log.hour * 2 + log.region
    asked = np.bincount(cell, weights=log.bytes.astype(float), minlength=48).reshape(24, 2) * 8 / 3600
    assert rate == pytest.approx(asked)
    assert (demand.hour_factor.max(axis=0) == 1).all()
