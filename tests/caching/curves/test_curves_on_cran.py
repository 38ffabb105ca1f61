"""The US part of a real download log: figures that were measured elsewhere, and the bounds above them."""

import numpy as np
import pandas as pd
import pytest

from cdn.caching import POLICIES, simulate_cache
from cdn.caching.bounds import bound_hits
from cdn.caching.curves import miss_ratio_curve

LOG = "cran_mirror_requests_2012-2013_8days.parquet"


@pytest.fixture(scope="module")
def us_requests(shared_data):
    """(assets, size_bytes): an asset is a package's version, its size the largest transfer to anyone."""
    rows = pd.read_parquet(shared_data / LOG).dropna(subset=["package", "version"])
    rows["asset"] = rows["package"] + " " + rows["version"]
    largest = rows.groupby("asset")["size"].max()
    us = rows[rows["country"] == "US"].sort_values("timestamp", kind="stable")
    asset, names = pd.factorize(us["asset"])
    return asset, largest[names].to_numpy(dtype=np.int64)


def test_lru_on_the_us_part(us_requests):
    """Footprint 13.15 GB; hit ratio 0.345 with a cache of 5 % of it, 0.464 with 20 %, 0.599 unbounded."""
    asset, size = us_requests
    footprint = int(size.sum())
    assert footprint == pytest.approx(13.15e9, abs=0.005e9)
    curve = miss_ratio_curve("lru", asset, size, [footprint // 20, footprint // 5, footprint])
    assert np.round(1 - curve.miss_ratio, 3).tolist() == [0.345, 0.464, 0.599]


@pytest.mark.parametrize("objective", ["requests", "bytes"])
def test_policies_stay_below_the_bounds(us_requests, objective):
    asset, size = us_requests
    capacity = int(size.sum()) // 20
    pfoo_u, foo, pfoo_l = (bound_hits(name, asset, size, capacity, objective)
                           for name in ("pfoo_u", "foo_slices", "pfoo_l"))
    assert pfoo_u <= foo <= pfoo_l
    for policy in POLICIES:
        hit = simulate_cache(policy, asset, size, capacity)
        assert (hit.sum() if objective == "requests" else size[asset[hit]].sum()) <= foo
