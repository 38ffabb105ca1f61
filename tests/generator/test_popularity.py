"""Shares of requests by region and day."""

import numpy as np
import pytest
from generator.sample_parameters import MONDAY, small

from cdn.generator.popularity import draw_popularity
from cdn.generator.titles import draw_titles

FILMS = [{"name": "film", "title_share": 1, "minutes": 90, "launch_boost": 9, "decay_days": 4, "decay_shape": 0.5}]


def popularity_of(n_regions=3, **changes):
    parameters = small(**{"n_titles": 200, "kinds": FILMS} | changes)
    rng = np.random.default_rng(4)
    return draw_popularity(draw_titles(parameters, n_regions, np.ones(n_regions), rng), parameters, n_regions, rng)


def test_life_of_a_title_by_hand():
    """Boost 9, scale 4 days, shape 1/2: on the release day 9, four days later 1 + 8/e, sixteen days later 1 + 8/e^2."""
    popularity = popularity_of(days=30, launches_per_day=3)
    released = popularity.titles.release_day
    title = int(np.flatnonzero((released >= 0) & (released < 10))[0])
    day = int(released[title])
    life = [popularity.title_life(day + after)[title] for after in (-1, 0, 4, 16)]
    assert life == pytest.approx([0, 9, 1 + 8 / np.e, 1 + 8 / np.e**2])


def test_shares_add_up_and_nothing_is_asked_for_before_its_release():
    popularity = popularity_of(days=14, launches_per_day=5)
    for day in (0, 13):
        weight = popularity.title_weight(day)
        for region in range(3):
            shares = popularity.shares(region, weight)
            assert shares.sum() == pytest.approx(1.0)
            assert not shares[popularity.titles.release_day > day].any()
            assert shares[popularity.titles.release_day <= day].all()


def test_without_tastes_regions_agree_but_for_local_titles():
    """A home boost of 5 and nothing else: a local title is asked for five times as much at home as elsewhere."""
    popularity = popularity_of(taste_genre=0, taste_title=0, home_share=0.5, home_boost=5)
    home = popularity.titles.home
    taste = np.array([popularity.taste(region) for region in range(3)])
    assert (taste == np.where(home == np.arange(3)[:, None], 5.0, 1.0)).all()


def test_genre_tastes_are_shared_by_a_genre():
    popularity = popularity_of(taste_genre=1, taste_title=0, home_share=0)
    for region in range(3):
        taste = popularity.taste(region)
        for genre in range(8):
            assert np.ptp(taste[popularity.titles.genre == genre]) == 0
        assert len(set(taste)) == 8


def test_tastes_are_the_same_whenever_asked_for_and_differ_by_region():
    popularity = popularity_of()
    assert np.array_equal(popularity.taste(1), popularity.taste(1))
    assert not np.array_equal(popularity.taste(1), popularity.taste(2))


def test_drift_runs_evenly_from_monday_to_monday():
    """In logarithms; Tuesday is a seventh of the way."""
    popularity = popularity_of(days=14, drift=0.5)
    first, second, next_monday = (np.log(popularity.drift(day)) for day in (0, 1, 7))
    assert MONDAY.weekday() == 0
    assert second == pytest.approx(first * 6 / 7 + next_monday / 7)
    assert first.std() == pytest.approx(0.5, rel=0.2)


def test_encodes_split_a_titles_requests():
    encodes = [{"name": "hd", "bitrate_mbps": 5, "request_share": 3}, {"name": "sd", "bitrate_mbps": 1}]
    popularity = popularity_of(encodes=encodes)
    shares = popularity.shares(0, popularity.title_weight(0)).reshape(-1, 2)
    assert shares[:, 0] == pytest.approx(3 * shares[:, 1])


LADDER = [{"name": "hd", "bitrate_mbps": 5, "request_share": 3}, {"name": "sd", "bitrate_mbps": 1}]


def test_without_mixes_all_regions_and_titles_split_alike():
    popularity = popularity_of(encodes=LADDER)
    for region in range(3):
        assert popularity.mix(region) == pytest.approx(np.tile([0.75, 0.25], (200, 1)))


def test_mixes_have_the_mean_and_the_spread_of_their_dirichlet():
    """Beta variance m (1 - m) / (k + 1): of regions about 0.75 with k = 20, of titles about their region with k = 4."""
    popularity = popularity_of(encodes=LADDER, n_regions=400, region_mix=20.0, title_mix=4.0, n_titles=400)
    of_regions = popularity.region_mix[:, 0]
    assert of_regions.mean() == pytest.approx(0.75, abs=4 * np.sqrt(0.1875 / 21 / 400))
    assert of_regions.var() == pytest.approx(0.1875 / 21, rel=0.3)
    mean, of_titles = popularity.region_mix[7, 0], popularity.mix(7)[:, 0]
    assert of_titles.var() == pytest.approx(mean * (1 - mean) / 5, rel=0.3)
    np.testing.assert_allclose(popularity.mix(7).sum(axis=1), 1)
    np.testing.assert_array_equal(popularity.mix(7), popularity.mix(7))


def test_a_tiny_concentration_still_gives_shares():
    popularity = popularity_of(encodes=LADDER, region_mix=1e-9, title_mix=1e-9)
    np.testing.assert_allclose(popularity.mix(0).sum(axis=1), 1)


def test_mixes_move_nothing_but_what_files_get():
    """The titles' own shares are the same with and without."""
    plain, mixed = (popularity_of(encodes=LADDER, **mixes) for mixes in ({}, {"region_mix": 5.0, "title_mix": 5.0}))
    of_titles = [one.shares(1, one.title_weight(2)).reshape(-1, 2).sum(axis=1) for one in (plain, mixed)]
    np.testing.assert_allclose(*of_titles)
