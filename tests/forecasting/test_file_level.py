"""Titles split over their files: shares by hand, known mixes found again, parts that add up."""

import functools
from datetime import date

import numpy as np
import pandas as pd
import pytest
from forecasting.tiny_histories import METHODS, day_of
from hypothesis import given, settings
from hypothesis import strategies as st

from cdn.errors import UnknownNameError
from cdn.forecasting.demand_forecast import forecast
from cdn.forecasting.events import Calendar
from cdn.forecasting.expectation import ExpectedRequests
from cdn.forecasting.file_mixes import FileMixes, estimate_mixes, file_shares
from cdn.forecasting.forecasters import FORECASTERS
from cdn.forecasting.history import History, history_of_log
from cdn.forecasting.knowledge import Knowledge, knowledge_of
from cdn.forecasting.levels import LEVELS, by_title, split_over_files
from cdn.forecasting.title_files import TitleFiles, title_history, title_knowledge
from cdn.generator.parameters import GeneratorParameters
from cdn.generator.samples import concatenated, draw_sample
from cdn.model.catalog import Catalog
from cdn.model.index import Index

FILES = ["a-hd", "b-sd", "a-sd", "b-hd", "c-hd", "c-sd"]
CATALOG = Catalog.of_sizes(FILES, [500, 100, 100, 500, 500, 100], title_ids=np.array(list("ababcc")),
                           attributes={"encode": np.array([name[2:] for name in FILES], dtype=object)})
ENCODES = [{"name": f"{rung}-{language}", "bitrate_mbps": rate, "request_share": share * spoken, "language": language}
           for rung, rate, share in (("sd", 1.0, 2), ("hd", 3.0, 4), ("uhd", 12.0, 1))
           for language, spoken in (("en", 3), ("de", 1))]


def history_of(rows, catalog=CATALOG, n_regions=2, first_day=100, n_days=3) -> History:
    """From (day, region, asset, requests)."""
    day, asset, region, requests = np.array(sorted((d, a, r, n) for d, r, a, n in rows), dtype=np.int64).T
    hours = np.zeros((n_days, 24, n_regions))
    np.add.at(hours, (day, 12, region), 10 * requests)
    return History(Index(f"r{k}" for k in range(n_regions)), catalog.asset_index, first_day,
                   np.isin(np.arange(n_days), day), day, region, asset, requests, 10 * requests, hours)


@functools.cache
def laddered(region_mix=20.0, title_mix=30.0, n_regions=24):
    """Four weeks of 240,000 requests: 400 titles of six files each."""
    parameters = GeneratorParameters.model_validate({
        "n_regions": n_regions, "n_titles": 400, "start_day": date(2026, 3, 2), "days": 28,
        "requests_per_day": 10_000.0, "encodes": ENCODES, "region_mix": region_mix, "title_mix": title_mix})
    sample = draw_sample(parameters, np.random.default_rng(5))
    log = concatenated([log for _, log in sample.draw_days()])
    return sample, history_of_log(log, int(log.day[-1]) + 1, 28)


def test_titles_in_order_of_their_first_files_and_classes_by_rung():
    files = TitleFiles.of_catalog(CATALOG)
    assert files.title_index.ids.tolist() == ["a", "b", "c"] and files.title.tolist() == [0, 1, 0, 1, 2, 2]
    assert files.classes == ("hd", "sd") and files.file_class.tolist() == [0, 1, 1, 0, 0, 1]
    assert files.file.tolist() == [0, 2, 1, 3, 4, 5] and files.indptr.tolist() == [0, 2, 4, 6]


def test_without_rungs_in_the_catalog_classes_are_ranks_of_rate_then_size_within_the_language():
    """x: two German files, the larger one of the lower rate; y: one French, one without a language."""
    catalog = Catalog.of_sizes(list("pqrs"), [900, 100, 5, 6], title_ids=np.array(list("xxyy")), attributes={
        "bitrate_bps": np.array([1.0, 2.0, np.nan, np.nan]),
        "language": np.array(["de", "de", "fr", None], dtype=object)})
    files = TitleFiles.of_catalog(catalog)
    assert [files.classes[k] for k in files.file_class] == ["1 of 2 de", "2 of 2 de", "1 of 1 fr", "1 of 1"]


def test_shares_by_hand():
    """The region's mix is 3 : 1, worth k2 = 4 requests. Of title a it asked 4 times for hd, 12 for sd: hd has
    (4 + 4 * 3/4) / 20 = 7/20. c nobody asked for: 3/4. Another region, of mix 1 : 1, has 1/2."""
    files = TitleFiles.of_catalog(CATALOG)
    mixes = FileMixes(np.array([0.5, 0.5]), np.array([[0.75, 0.25], [0.5, 0.5]]), 1, 1, 4.0, np.array([0, 4]),
                      np.array([4, 12]))
    pair, file, share = file_shares(mixes, files, np.array([0, 0, 1]), np.array([0, 2, 2]))
    assert pair.tolist() == [0, 0, 1, 1, 2, 2] and file.tolist() == [0, 2, 4, 5, 4, 5]
    np.testing.assert_allclose(share, [7 / 20, 13 / 20, 3 / 4, 1 / 4, 1 / 2, 1 / 2])


def test_known_mixes_are_found_again():
    """Drawn with regions worth 20 and titles worth 30 requests; 24 regions tell the former to a third or so."""
    sample, history = laddered()
    files = TitleFiles.of_catalog(sample.catalog)
    mixes = estimate_mixes(history, files, np.arange(24))
    assert 20 / 1.5 < mixes.country_k < 20 * 1.5 and mixes.title_k == pytest.approx(30, rel=0.1)
    column = [files.classes.index(f"{encode['name']} {encode['language']}") for encode in ENCODES]
    largest = np.argsort(-np.bincount(history.region, history.requests))[:8]
    np.testing.assert_allclose(mixes.region[largest][:, column], sample.popularity.region_mix[largest], atol=0.03)


def test_shrunken_shares_are_nearer_the_truth_than_counts_and_than_the_regions_mix():
    """Mean squared error of the shares of every title in every region that asked for it."""
    sample, history = laddered()
    files = TitleFiles.of_catalog(sample.catalog)
    mixes = estimate_mixes(history, files, np.arange(24))
    titles = title_history(history, files)
    key = np.unique(titles.asset.astype(np.int64) * 24 + titles.region)
    region, title = key % 24, key // 24
    true = np.stack([sample.popularity.mix(r) for r in range(24)])[region, title].ravel()

    def error(one):
        pair, _, share = file_shares(one, files, region, title)
        assert (np.bincount(pair) == 6).all()
        return float(((share - true) ** 2).mean())

    def worth(k):
        return FileMixes(mixes.world, mixes.region, k, k, k, mixes.key, mixes.requests)

    best = error(mixes)
    assert best < 0.5 * error(worth(1e-3)) and best < 0.9 * error(worth(1e9))


def test_titles_that_lack_a_file_do_not_make_it_look_unloved():
    """Asked for 2 : 1 : 1 wherever all three are there; half of the requests go to titles without the third. Shares are
    1/2, 1/4, 1/4, not 7/12, 7/24, 1/8."""
    kinds = ["x", "y", "z"] * 20 + ["x", "y"] * 20
    title = np.repeat(np.arange(40), [3] * 20 + [2] * 20)
    catalog = Catalog.of_sizes([f"f{k}" for k in range(100)], np.full(100, 10), title_ids=title.astype(str),
                               attributes={"encode": np.array(kinds, dtype=object)})
    n = np.concatenate([np.tile([600, 300, 300], 20), np.tile([800, 400], 20)])
    history = history_of([(0, 0, a, n[a]) for a in range(100)], catalog, 1)
    mixes = estimate_mixes(history, TitleFiles.of_catalog(catalog), np.array([0]))
    np.testing.assert_allclose(mixes.region[0], [0.5, 0.25, 0.25], atol=1e-3)


def test_a_countrys_regions_lean_on_their_country():
    """Countries differ by much, regions within by little; a region that asked twice has its country's mix."""
    rng = np.random.default_rng(3)
    mix, country = np.array([0.9, 0.1]), np.repeat([0, 1], 6)
    rows = []
    for r in range(12):
        for high, low in ((0, 2), (3, 1)):
            n = 1 if r == 11 else 500
            n_high = rng.binomial(n, mix[country[r]])
            rows += [(0, r, high, n_high), (0, r, low, n - n_high)]
    history = history_of([row for row in rows if row[3]], n_regions=12)
    mixes = estimate_mixes(history, TitleFiles.of_catalog(CATALOG), country)
    np.testing.assert_allclose(mixes.region[:, 0], mix[country], atol=0.06)
    assert mixes.country_k < 20 < mixes.region_k


@pytest.mark.parametrize("method", METHODS)
def test_parts_add_up_to_the_titles_forecast(method):
    sample, history = laddered()
    files = TitleFiles.of_catalog(sample.catalog)
    knowledge, day = knowledge_of(sample.catalog), history.until_day
    of_titles = FORECASTERS[method](title_history(history, files), day, title_knowledge(knowledge, files))
    of_files = by_title(FORECASTERS[method], sample.catalog)(history, day, knowledge)
    key = of_files.keys(24)
    assert (np.diff(key) > 0).all()
    total = np.bincount(files.title[of_files.asset] * 24 + of_files.region, of_files.requests, 400 * 24)
    np.testing.assert_allclose(total[of_titles.keys(24)], of_titles.requests)
    assert of_files.requests.sum() == pytest.approx(of_titles.requests.sum())


def test_a_share_is_less_sure_than_its_title():
    """phi of a title 0.5; a new title's hd share 3/4 rests on k2 requests alone: 0.5 + 1.5 (1/4) / (3/4 (k2 + 1))."""
    history = history_of([(0, 0, 0, 300), (0, 0, 2, 100), (0, 0, 3, 300), (0, 0, 1, 100)], n_regions=1)
    titles = ExpectedRequests([0], [2], [8.0], [0.5])
    files = TitleFiles.of_catalog(CATALOG)
    split = split_over_files(titles, history, files, np.array([0]))
    k2 = estimate_mixes(history, files, np.array([0])).title_k
    np.testing.assert_allclose(split.requests, [6, 2], rtol=1e-2)
    np.testing.assert_allclose(split.dispersion[0], 0.5 + 1.5 / 3 / (k2 + 1), rtol=1e-2)


def test_a_catalog_of_one_file_per_title_is_forecast_alike_at_both_levels():
    catalog = Catalog.of_sizes(["p", "q"], [10, 20])
    history = history_of([(0, 0, 0, 3), (1, 1, 1, 2), (2, 0, 1, 5)], catalog)
    one, other = (forecast(history, day_of(103), "shrinkage", catalog, level=level) for level in LEVELS)
    for name in ("region", "indptr", "requests", "bytes", "bytes_p10", "bytes_p90"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 1), st.integers(0, 5), st.integers(1, 50)), min_size=1,
                max_size=25, unique_by=lambda row: row[:3]))
def test_whatever_was_asked_for_parts_are_sound_and_sum_up(rows):
    history = history_of(rows)
    files = TitleFiles.of_catalog(CATALOG)
    titles = title_history(history, files)
    assert titles.requests.sum() == history.requests.sum() and titles.bytes.sum() == history.bytes.sum()
    split = split_over_files(FORECASTERS["moving_average"](titles, 103), history, files, np.array([0, 0]))
    assert split.requests.sum() == pytest.approx(FORECASTERS["moving_average"](titles, 103).requests.sum())
    shuffled = split_over_files(FORECASTERS["moving_average"](titles, 103), history_of(rows[::-1]), files,
                                np.array([0, 0]))
    np.testing.assert_array_equal(split.requests, shuffled.requests)


def test_what_is_known_of_titles():
    """Sizes add up; an event of both files of a title is one; one of all stays."""
    files = TitleFiles.of_catalog(CATALOG)
    calendar = Calendar([7, 7, 7], [0, 0, 1], [2.0, 2.0, 3.0], [-1, -1, -1], [0, 2, -1])
    known = title_knowledge(Knowledge(knowledge_of(CATALOG).titles, None, calendar, CATALOG.size_bytes), files)
    assert known.size_bytes.tolist() == [600, 600, 600] and len(known.titles) == 3
    assert known.calendar.asset.tolist() == [0, -1] and known.calendar.factor.tolist() == [2, 3]


def test_an_unknown_level_is_refused():
    history = history_of([(0, 0, 0, 3)])
    with pytest.raises(UnknownNameError, match="unknown forecast level 'series'; known: file, title"):
        forecast(history, pd.Timestamp(0) + pd.Timedelta(days=103), "last_day", CATALOG, level="series")
