"""Drawn requests and expected demand of a sample."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from generator.sample_parameters import MONDAY, small
from hypothesis import given, settings
from hypothesis import strategies as st

from cdn.generator.expected import demand_of_sample, expected_demand
from cdn.generator.regions import Regions, made_up_regions
from cdn.generator.samples import concatenated, draw_sample
from cdn.model.index import Index

COLUMNS = ("time_us", "region", "asset", "bytes")


def sample_of(seed=0, **changes):
    return draw_sample(small(**changes), np.random.default_rng(seed))


def columns(log):
    return [getattr(log, name).tolist() for name in COLUMNS]


def test_the_same_seed_gives_the_same_sample():
    first, second, other = sample_of(1), sample_of(1), sample_of(2)
    assert columns(first.draw_day(2)) == columns(second.draw_day(2))
    assert first.catalog.size_bytes.tolist() == second.catalog.size_bytes.tolist()
    assert columns(first.draw_day(2)) != columns(other.draw_day(2))


def test_a_day_is_the_same_whichever_days_were_drawn_before():
    sample = sample_of()
    in_order = dict(sample.draw_days())
    assert list(in_order) == [MONDAY + timedelta(days=k) for k in range(4)]
    assert columns(in_order[MONDAY + timedelta(days=3)]) == columns(sample.draw_day(3))
    assert columns(sample.draw_day(1)) != columns(sample.draw_day(3))


@settings(max_examples=40, deadline=None)
@given(n_regions=st.integers(1, 6), n_titles=st.integers(1, 40), days=st.integers(1, 4), requests=st.floats(0.5, 400),
       complete=st.floats(0, 1), encodes=st.integers(1, 3), seed=st.integers(0, 1000))
def test_every_sample_is_sound(n_regions, n_titles, days, requests, complete, encodes, seed):
    """Requests lie within their day, after the title's release, and never get more than the asset has."""
    ladder = [{"name": f"e{k}", "bitrate_mbps": k + 0.5} for k in range(encodes)]
    sample = sample_of(seed, n_regions=n_regions, n_titles=n_titles, days=days, requests_per_day=requests,
                       complete_share=complete, encodes=ladder, launches_per_day=3.0)
    assert len(sample.catalog) == n_titles * encodes
    released = sample.catalog.attributes["release_date"].astype("datetime64[us]").astype(np.int64)
    for day, log in sample.draw_days():
        assert (log.time_us.astype("datetime64[us]").astype("datetime64[D]") == np.datetime64(day)).all()
        assert (log.time_us % 1_000_000 == 0).all()
        assert (released[log.asset] <= log.time_us).all()
        assert (log.bytes >= 1).all() and (log.bytes <= sample.catalog.size_bytes[log.asset]).all()


def test_a_share_of_the_requests_is_for_the_whole_asset():
    """Segments of 25 MB against assets of gigabytes: hardly any part is rounded up to the whole."""
    sample = sample_of(requests_per_day=20000.0, complete_share=0.6)
    log = sample.draw_day(0)
    size = sample.catalog.size_bytes[log.asset]
    partial = log.bytes[log.bytes < size]
    assert (log.bytes == size).mean() == pytest.approx(0.6, abs=0.03)
    assert (partial % 25_000_000 == 0).all()


def test_mean_bytes_is_the_mean_of_what_is_drawn():
    """Standard error of 200,000 draws: below 0.15 % of the mean."""
    sample = sample_of(n_titles=1)
    drawn = sample.draw_bytes(np.zeros(200_000, dtype=np.int64), np.random.default_rng(3))
    assert drawn.mean() == pytest.approx(sample.mean_bytes()[0], rel=0.006)


def test_expected_requests_are_the_mean_of_the_drawn_ones():
    """Per (region, asset) and per (region, hour), 60 draws of one day: Poisson, so within 6 standard errors."""
    sample = sample_of(requests_per_day=500.0, least_requests=0.0)
    log = concatenated([replace(sample, day_seeds=(np.random.SeedSequence(seed),)).draw_day(0) for seed in range(60)])
    demand = demand_of_sample(sample, MONDAY)
    counts = np.bincount(log.asset * 3 + log.region, minlength=180)
    expected = np.zeros(180)
    expected[demand.asset * 3 + demand.region] = 60 * demand.requests
    assert (np.abs(counts - expected) <= 6 * np.sqrt(expected) + (expected > 0)).all()
    by_hour = np.bincount(log.hour * 3 + log.region, minlength=72).reshape(24, 3)
    expected = 60 * sample.requests_per_hour(0)
    assert (np.abs(by_hour - expected) <= 6 * np.sqrt(expected) + 1).all()


def test_expected_demand_by_hand():
    """One title, one encode, two regions with a quarter and three quarters of 800 requests a day, flat days: 200 and
    600 requests of mean bytes m, at m * requests * 8 / 86400 bit/s all day."""
    regions = Regions(Index(["a", "b"]), np.array([0.25, 0.75]), ("UTC", "Asia/Tokyo"))
    parameters = small(n_titles=1, requests_per_day=800.0, peak_over_mean=1.0, weekday_factors=[1.0] * 7, days=1)
    sample = draw_sample(parameters, np.random.default_rng(0), regions)
    demand = demand_of_sample(sample)
    mean = sample.mean_bytes()[0]
    assert demand.requests.tolist() == pytest.approx([200, 600])
    assert demand.bytes.tolist() == pytest.approx([200 * mean, 600 * mean])
    assert demand.peak_bps.tolist() == pytest.approx([200 * mean * 8 / 86400, 600 * mean * 8 / 86400])
    assert demand.hour_factor == pytest.approx(np.ones((24, 2)))


def test_expected_demand_is_asset_major_and_leaves_out_small_entries():
    everything = expected_demand(small(least_requests=0.0), np.random.default_rng(5))
    enough = expected_demand(small(least_requests=0.5), np.random.default_rng(5))
    keys = everything.asset.astype(np.int64) * 3 + everything.region
    assert (np.diff(keys) > 0).all()
    kept = everything.requests >= 0.5
    assert 0 < kept.sum() < len(everything)
    assert enough.requests.tolist() == everything.requests[kept].tolist()
    assert enough.region.tolist() == everything.region[kept].tolist()
    assert enough.asset.tolist() == everything.asset[kept].tolist()


def test_peak_rate_is_that_of_the_busiest_hour():
    """peak_bps / (bytes * 8 / 86400) is the day's peak over its mean; each region's factor reaches 1."""
    sample = sample_of(peak_over_mean=3.0)
    demand = demand_of_sample(sample)
    factors = sample.hour_factors(3)
    ratio = demand.peak_bps / (demand.bytes * 8 / 86400)
    assert ratio == pytest.approx((factors.max(axis=0) / factors.mean(axis=0))[demand.region])
    assert demand.hour_factor.max(axis=0) == pytest.approx(np.ones(3))


def test_only_days_of_the_sample_have_an_expected_demand():
    with pytest.raises(ValueError, match="not a day of the sample"):
        expected_demand(small(), np.random.default_rng(0), day=date(2026, 3, 6))


def test_a_topologys_regions_must_be_given():
    with pytest.raises(ValueError, match="give its regions"):
        draw_sample(small(n_regions=None, topology="t.toml"), np.random.default_rng(0))


def test_made_up_regions_add_up():
    regions = made_up_regions(25)
    assert regions.weight.sum() == pytest.approx(1)
    assert len(set(regions.time_zones)) == 10


def test_encodes_become_assets_of_their_title():
    """Two encodes of 8 and 2 Mbit/s: sizes 4 to 1, ids of the title and the encode, equally many of both."""
    sample = sample_of(encodes=[{"name": "hi", "bitrate_mbps": 8}, {"name": "lo", "bitrate_mbps": 2}])
    catalog = sample.catalog
    sizes = catalog.size_bytes.reshape(-1, 2)
    assert sizes[:, 0] == pytest.approx(4 * sizes[:, 1], rel=1e-5)
    assert list(catalog.asset_index.ids[:2]) == [f"{catalog.title_ids[0]}-hi", f"{catalog.title_ids[0]}-lo"]


def test_sizes_are_bit_rate_times_running_time():
    sample = sample_of()
    seconds = sample.popularity.titles.minutes * 60
    assert sample.catalog.size_bytes * 8 / sample.catalog.attributes["bitrate_bps"] == pytest.approx(seconds, rel=1e-6)


def test_extreme_parameters_stay_within_integers():
    kinds = [{"name": "film", "title_share": 1, "minutes": 1e5, "minutes_sigma": 5}]
    encodes = [{"name": "e", "bitrate_mbps": 1e5}]
    sample = sample_of(kinds=kinds, encodes=encodes, bitrate_sigma=5, taste_title=5, drift=5)
    assert (sample.catalog.size_bytes >= 1).all() and (sample.catalog.size_bytes < 2**53).all()
    assert len(sample.draw_day(0)) > 0


def test_the_ladder_stands_in_the_catalog_where_there_is_one():
    plain, laddered = (sample_of(**encodes).catalog.attributes for encodes in (
        {}, {"encodes": [{"name": "hd-de", "bitrate_mbps": 5, "language": "de"}, {"name": "sd", "bitrate_mbps": 1}]}))
    assert not {"encode", "language"} & set(plain)
    assert laddered["encode"][:3].tolist() == ["hd-de", "sd", "hd-de"]
    assert laddered["language"][:3].tolist() == ["de", None, "de"]
