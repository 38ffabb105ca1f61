"""Which group a pair belongs to."""

import numpy as np
import pandas as pd
from backtesting.backtest_examples import catalog_of, history_of, log_of
from hypothesis import given
from hypothesis import strategies as st

from cdn.backtesting.groupings import (
    AGE,
    NEWS,
    POPULARITY,
    groupings_of,
    region_sizes,
    release_days,
    stated_releases,
)
from cdn.backtesting.windows import first_seen
from cdn.files.catalogs import read_catalog
from cdn.model.catalog import Catalog


def test_every_pair_is_in_one_group_of_each_grouping():
    """Ten titles asked for 100, 90, ... times: the head is the first. Title 11 was never asked for: tail. Title 3 came
    out 13 days before the tested day, title 4 14 days before."""
    history = history_of(log_of([(100, asset % 2, asset, 100 - 10 * asset) for asset in range(10)], 12))
    released = np.full(12, -1)
    released[[3, 4, 5]] = 101 - 13, 101 - 14, 102
    found = groupings_of(history, released, np.zeros(12, dtype=bool), 101, np.array([0, 2]))
    groupings = {grouping.name: grouping for grouping in found}
    region, asset = np.array([0, 1, 1, 0]), np.array([0, 3, 4, 11])
    labels = {name: [grouping.labels[g] for g in grouping.of_pairs(region, asset)]
              for name, grouping in groupings.items()}
    assert labels == {"all": ["all"] * 4, "region": ["north", "south", "south", "north"],
                      "region_size": ["large", "small", "small", "large"],
                      "popularity": ["head", "tail", "tail", "tail"], "age": ["old", "new", "old", "old"],
                      "news": ["old", "known", "old", "old"]}
    assert groupings[AGE].of_asset.tolist()[5] == 1, "not out yet is not new"
    assert len(groupings[POPULARITY]) == 2


def test_new_titles_are_unheard_of_where_neither_log_nor_catalog_tells_of_them():
    """The forecast of day 104 is made from days up to 100. a was asked for on day 100, b first on 103, c on 103 as the
    catalog had said, d on day 104 itself, e is old."""
    history = history_of(log_of([(100, 0, 0, 1)], 5)).before(101)
    released, stated = np.array([100, 103, 103, 104, 50]), np.array([False, False, True, False, False])
    news = {one.name: one for one in groupings_of(history, released, stated, 104, np.array([0, 1]))}[NEWS]
    assert [news.labels[g] for g in news.of_asset] == ["known", "unheard_of", "known", "unheard_of", "old"]


def test_the_catalog_states_releases_or_not():
    dates = np.array([pd.Timestamp("2026-03-01"), None], dtype=object)
    assert stated_releases(Catalog.of_sizes(list("ab"), [1] * 2, attributes={"release_date": dates})).tolist() == [
        True, False]
    assert not stated_releases(catalog_of(3)).any()


def test_what_is_asked_for_early_in_a_log_may_be_of_any_age():
    """The log begins on day 100: first seen on day 113 says nothing, on day 114 it does."""
    history = history_of(log_of([(100, 0, 0, 1), (113, 0, 1, 1), (114, 0, 2, 1)], 4))
    seen = first_seen(history, 4)
    assert release_days(catalog_of(4), seen, 100).tolist() == [-1, -1, 114, -1]


def test_the_catalog_s_release_date_counts_where_it_has_one():
    dates = pd.Series([pd.Timestamp("1970-04-12"), None, None, "1970-04-30T23:00:00Z"])
    catalog = Catalog.of_sizes(list("abcd"), [1] * 4, attributes={"release_date": dates.to_numpy(dtype=object)})
    assert release_days(catalog, np.array([100, 100, 120, -1]), 100).tolist() == [101, -1, 120, 119]


@given(st.lists(st.integers(0, 100), min_size=1, max_size=20))
def test_no_larger_region_is_in_a_smaller_class(requests):
    sizes = region_sizes(np.array(requests))
    order = np.argsort(-np.array(requests), kind="stable")
    assert (np.diff(sizes[order]) >= 0).all()
    if sum(requests):
        assert np.array(requests)[sizes == 0].sum() >= 0.5 * sum(requests)


def test_dates_of_a_catalog_file_are_read(tmp_path):
    (tmp_path / "c.csv").write_text("asset_id,title_id,size_bytes,release_date\na,a,1,2026-03-01T00:00:00Z\nb,b,1,\n")
    days = release_days(read_catalog(tmp_path / "c.csv"), np.array([-1, 30]), 0)
    assert days.tolist() == [(pd.Timestamp("2026-03-01") - pd.Timestamp(0)).days, 30]


def test_region_sizes_by_hand():
    assert region_sizes(np.array([10, 50, 30, 10])).tolist() == [2, 0, 1, 2]
    assert region_sizes(np.array([7])).tolist() == [0]
