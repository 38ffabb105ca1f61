"""The functions that measure samples, on the real log the published figures come from.

The CRAN mirror log: a region is a country, an asset a package and version. *Sweepers* are clients that ask for more
than 300 distinct packages on one day. The log's notes give s 0.79 with and 0.89 without them, 0.73 (Pearson) and 0.56
(Spearman) between the ten largest countries. For metro video they give one-hit shares of 42 to 52 % and a peak of 2
over the mean: this log shows the same on each of its four full days.
"""

import numpy as np
import pandas as pd
import pytest

from cdn.generator import measures
from cdn.model.index import Index
from cdn.model.request_log import RequestLog

FULL_DAY_REQUESTS = 1000


@pytest.fixture(scope="module")
def rows(shared_data) -> pd.DataFrame:
    rows = pd.read_parquet(shared_data / "cran_mirror_requests_2012-2013_8days.parquet")
    rows["asset"] = rows["package"] + "_" + rows["version"]
    return rows.dropna(subset=["timestamp", "size", "country", "asset"])


@pytest.fixture(scope="module")
def whole_log(rows) -> RequestLog:
    return as_log(rows)


@pytest.fixture(scope="module")
def log(rows) -> RequestLog:
    """Without the sweepers."""
    packages = rows.groupby(["log_day", "ip_id"])["package"].transform("nunique")
    return as_log(rows[packages <= 300])


def as_log(rows: pd.DataFrame) -> RequestLog:
    region, regions = pd.factorize(rows["country"])
    asset, assets = pd.factorize(rows["asset"])
    time_us = rows["timestamp"].to_numpy("datetime64[us]").astype(np.int64)
    return RequestLog(Index(regions), Index(assets), time_us, region, asset, rows["size"].to_numpy(np.int64))


def test_zipf_exponent_with_sweepers(whole_log):
    assert measures.fit_zipf_exponent(measures.requests_per_asset(whole_log)) == pytest.approx(0.79, abs=0.005)


def test_zipf_exponent_without_sweepers(log):
    """0.896 here, 0.89 in the notes: they count seven sweepers, while fifteen client-days pass 300 packages."""
    assert measures.fit_zipf_exponent(measures.requests_per_asset(log)) == pytest.approx(0.89, abs=0.01)


def test_correlation_between_the_ten_largest_countries(log):
    """Over the 500 most requested assets (of 2,477), which is how both published figures come out."""
    pearson, spearman = measures.region_correlations(log)
    assert pearson == pytest.approx(0.73, abs=0.005)
    assert spearman == pytest.approx(0.56, abs=0.01)


def full_days(log: RequestLog) -> RequestLog:
    return log.select(np.isin(log.day, np.flatnonzero(np.bincount(log.day) >= FULL_DAY_REQUESTS)))


def test_objects_asked_for_once_in_a_day(log):
    shares = measures.daily_one_hit_shares(full_days(log))
    assert len(shares) == 4
    assert shares.min() == pytest.approx(0.42, abs=0.005)
    assert shares.max() == pytest.approx(0.52, abs=0.005)


def test_peak_over_mean(log):
    assert measures.peak_over_mean(full_days(log)) == pytest.approx(2.0, abs=0.15)
