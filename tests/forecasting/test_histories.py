"""History: exact sums per day, missing days that stay missing, and not one request of the forecast day."""

import numpy as np
import pytest
from forecasting.tiny_histories import ASSETS, FORECAST_DAY, REGIONS, day_of, history_of, log_of
from hypothesis import given, settings
from hypothesis import strategies as st

from cdn.errors import DataError
from cdn.forecasting.history import history_of_log, joined
from cdn.forecasting.log_history import read_history
from cdn.logs.ingestion import ingest
from cdn.model.index import Index
from cdn.model.request_log import RequestLog

ROWS = st.lists(st.tuples(st.integers(-2, 5), st.integers(0, 1), st.integers(0, 2), st.integers(0, 4)), max_size=20)
FIELDS = ("observed", "day", "region", "asset", "requests", "bytes", "hour_bytes")


def assert_equal(one, other):
    assert one.first_day == other.first_day
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


def test_counts_by_day_asset_region_with_a_missing_day():
    """Three days ago 2 + 1 requests, two days ago none in the whole log, yesterday 1: the day between is missing."""
    history = history_of([(3, 1, 0, 2), (3, 0, 0, 1), (1, 0, 2, 1)], bytes_=7, hour=5)
    assert (history.first_day, history.until_day) == (FORECAST_DAY - 3, FORECAST_DAY)
    assert history.observed.tolist() == [True, False, True]
    assert history.observed_days.tolist() == [FORECAST_DAY - 3, FORECAST_DAY - 1]
    entries = zip(history.day, history.asset, history.region, history.requests, history.bytes, strict=True)
    assert [tuple(map(int, entry)) for entry in entries] == [(0, 0, 0, 1, 7), (0, 0, 1, 2, 14), (2, 2, 0, 1, 7)]
    assert history.hour_bytes[0, 5].tolist() == [7, 14] and history.hour_bytes.sum() == 28


def test_days_missing_just_before_the_forecast_day_are_missing_too():
    assert history_of([(3, 0, 0, 1)]).observed.tolist() == [True, False, False]


def test_an_empty_log_has_an_empty_history():
    history = history_of([])
    assert len(history) == 0 and history.observed.shape == (0,) and history.until_day == FORECAST_DAY


@settings(max_examples=100, deadline=None)
@given(ROWS, st.integers(1, 6))
def test_sums_are_those_of_the_rows_of_the_window(rows, n_days):
    history = history_of(rows, n_days)
    inside = [row for row in rows if 1 <= row[0] <= n_days and row[3]]
    assert history.requests.sum() == sum(row[3] for row in inside)
    assert history.bytes.sum() == history.hour_bytes.sum() == 10 * history.requests.sum()
    keys = list(zip(history.day, history.asset, history.region, strict=True))
    assert keys == sorted(set(keys))
    assert history.observed_days.tolist() == sorted({FORECAST_DAY - row[0] for row in inside})


@settings(max_examples=100, deadline=None)
@given(ROWS, st.integers(0, 2**32 - 1))
def test_the_order_of_the_rows_does_not_matter(rows, seed):
    log = log_of(rows)
    order = np.random.default_rng(seed).permutation(len(log))
    shuffled = RequestLog(REGIONS, ASSETS, log.time_us[order], log.region[order], log.asset[order], log.bytes[order])
    assert_equal(history_of_log(log, FORECAST_DAY), history_of_log(shuffled, FORECAST_DAY))


@settings(max_examples=100, deadline=None)
@given(st.lists(ROWS, min_size=1, max_size=4))
def test_histories_of_parts_join_to_the_history_of_the_whole(parts):
    whole = history_of([row for part in parts for row in part])
    assert_equal(joined([history_of(part) for part in parts]), whole)


def test_histories_that_do_not_belong_together_are_not_joined():
    one = history_of([(1, 0, 0, 1)])
    for other in (history_of_log(log_of([(1, 0, 0, 1)]), FORECAST_DAY - 1),
                  history_of([(1, 0, 0, 1)], assets=Index(["x", "y", "z"]))):
        with pytest.raises(ValueError, match="same day and have the same regions and assets"):
            joined([one, other])


def test_history_read_from_files_is_the_history_of_the_log(tmp_path, monkeypatch):
    """Twenty days in a store, of which the ten before the forecast day count, joined four at a time."""
    monkeypatch.setattr("cdn.forecasting.log_history._JOINED_AT_ONCE", 4)
    rng = np.random.default_rng(3)
    n = 400
    day, region, asset, size = (rng.integers(low, high, n) for low, high in ((40, 60), (0, 2), (0, 3), (0, 99)))
    lines = (f"{day_of(d).isoformat()}Z,{REGIONS.id_of(r)},{ASSETS.id_of(a)},{b}"
             for d, r, a, b in zip(day, region, asset, size, strict=True))
    (tmp_path / "log.csv").write_text("\n".join(["time,region_id,asset_id,bytes", *lines]) + "\n")
    ingest([tmp_path / "log.csv"], tmp_path / "store")
    from_store, quarantine = read_history([tmp_path / "store"], REGIONS, ASSETS, 57, n_days=10)
    from_raw, _ = read_history([tmp_path / "log.csv"], REGIONS, ASSETS, 57, n_days=10)
    assert_equal(from_store, from_raw)
    inside = (day >= 47) & (day < 57)
    assert from_store.first_day == 47 and quarantine.bad_rows == 0
    assert from_store.requests.sum() == inside.sum() == quarantine.rows_read


def test_a_store_without_the_days_before_is_refused(tmp_path):
    (tmp_path / "log.csv").write_text("time,region_id,asset_id,bytes\n1970-02-20,big,a,1\n")
    ingest([tmp_path / "log.csv"], tmp_path / "store")
    with pytest.raises(DataError, match="requests in the 60 days before"):
        read_history([tmp_path / "store"], REGIONS, ASSETS, 50)
