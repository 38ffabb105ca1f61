"""Demand and request logs in memory."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdn.model.demand import Demand
from cdn.model.index import Index
from cdn.model.request_log import RequestLog

REGIONS, ASSETS = Index(["r", "q", "p"]), Index(["a", "b"])
DAY_US = 86400 * 10**6


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 1), st.integers(0, 9), st.integers(0, 9))))
def test_entries_of_the_same_pair_are_added_up(entries):
    region, asset, requests, bytes_ = np.array(entries, dtype=np.int64).reshape(-1, 4).T
    demand = Demand.from_entries(REGIONS, ASSETS, region, asset, requests, bytes_)
    expected: dict[tuple[int, int], list[int]] = {}
    for r, a, n, b in entries:
        total = expected.setdefault((a, r), [0, 0])
        total[0] += n
        total[1] += b
    assert list(zip(demand.asset.tolist(), demand.region.tolist(), strict=True)) == sorted(expected)
    assert demand.requests.tolist() == [expected[key][0] for key in sorted(expected)]
    assert demand.bytes.tolist() == [expected[key][1] for key in sorted(expected)]
    assert demand.total_bytes == sum(entry[3] for entry in entries)
    assert demand.peak_bps.tolist() == [b * 8 / 86400 for b in demand.bytes]


@pytest.mark.parametrize(
    "change",
    [
        {"bytes": [-1.0]},
        {"bytes": [np.nan]},
        {"requests": [np.inf]},
        {"peak_bps": [-1.0]},
        {"bytes": [1.0, 2.0]},
        {"indptr": [0, 1]},
        {"indptr": [0, 1, 2]},
        {"hour_factor": [[1.0, 1.0]]},
        {"hour_factor": [1.0, 1.0, 1.0]},
    ],
)
def test_what_does_not_fit_is_refused(change):
    fields = {"indptr": [0, 1, 1], "region": [0], "requests": [1.0], "bytes": [1.0], "peak_bps": [1.0]} | {
        "hour_factor": [[1.0] * 3]
    }
    Demand(REGIONS, ASSETS, **fields)
    with pytest.raises(ValueError):
        Demand(REGIONS, ASSETS, **(fields | change))


def test_only_hours_that_can_bind_are_peak_hours():
    """Hour 0: nobody near the peak (below hour 1 everywhere); 1: r peaks; 2: q and p peak; 3: as hour 1; 4: q alone."""
    factor = np.array([[0.5, 0.1, 0.1], [1.0, 0.2, 0.1], [0.3, 1.0, 1.0], [1.0, 0.2, 0.1], [0.2, 1.0, 0.5]])
    demand = Demand.from_entries(REGIONS, ASSETS, [0], [0], [1], [1], None, factor)
    assert demand.peak_hours().tolist() == [1, 2]


@given(st.lists(st.lists(st.integers(0, 4), min_size=3, max_size=3), min_size=1, max_size=8))
def test_the_peak_hours_bound_every_hour(levels):
    """Whatever a site serves, its rate in any hour is at most its rate in some peak hour; and no peak hour is spare."""
    factor = np.array(levels) / 4
    kept = Demand.from_entries(REGIONS, ASSETS, [0], [0], [1], [1], None, factor).peak_hours()
    for row in factor:
        assert any((row <= factor[h]).all() for h in kept)
    for h in kept:
        assert not any((factor[h] <= factor[k]).all() for k in kept if k != h)


def log(time_us, region=None, asset=None, bytes_=None):
    n = len(time_us)
    return RequestLog(
        REGIONS, ASSETS, time_us, region or [0] * n, asset or [0] * n, list(range(n)) if bytes_ is None else bytes_
    )


def test_requests_are_put_in_time_order_and_equal_times_keep_theirs():
    unordered = log([5, 3, 5, 3, 1])
    assert unordered.time_us.tolist() == [1, 3, 3, 5, 5]
    assert unordered.bytes.tolist() == [4, 1, 3, 0, 2]
    assert unordered.total_bytes == 10


def test_days_and_hours_are_utc():
    requests = log([-1, 0, DAY_US - 1, DAY_US, DAY_US + 13 * 3600 * 10**6])
    assert requests.day.tolist() == [-1, 0, 0, 1, 1]
    assert requests.hour.tolist() == [23, 0, 23, 0, 13]


def test_selected_requests_stay_in_order():
    kept = log([1, 2, 3]).select(np.array([True, False, True]))
    assert kept.time_us.tolist() == [1, 3] and kept.bytes.tolist() == [0, 2]
    assert len(log([]).select(np.zeros(0, dtype=bool))) == 0


@pytest.mark.parametrize(
    "change", [{"region": [3]}, {"region": [-1]}, {"asset": [2]}, {"bytes_": [-1]}, {"region": [0, 0]}]
)
def test_requests_that_fit_nothing_are_refused(change):
    with pytest.raises(ValueError):
        log([1], **change)


def test_logs_and_demand_are_frozen():
    demand = Demand.from_entries(REGIONS, ASSETS, [0], [0], [1], [1])
    for values in (log([1, 2]).time_us, demand.bytes, demand.hour_factor, demand.indptr):
        with pytest.raises(ValueError):
            values[0] = 7
