"""Titles, series, long-run popularity and release days."""

import numpy as np
import pytest
from generator.sample_parameters import small
from hypothesis import given, settings
from hypothesis import strategies as st

from cdn.generator.parameters import KindParameters
from cdn.generator.titles import LAUNCHES_BEFORE_DAYS, draw_titles, rank_weights


def draw(parameters, seed=0):
    return draw_titles(parameters, 3, np.ones(3), np.random.default_rng(seed))


def test_rank_weights_by_hand():
    """Head of ranks 1 and 2 with s = 1, tail with exponent 2 from rank 2 on: 1, 1/2, then 1/2 (2/3)^2 = 2/9 and
    1/2 (2/4)^2 = 1/8, over their sum 133/72."""
    weights = rank_weights(4, small(zipf_exponent=1, tail_from_share=0.5, tail_exponent=2))
    assert weights == pytest.approx(np.array([1, 1 / 2, 2 / 9, 1 / 8]) / (133 / 72))


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 300), st.floats(1, 12), st.floats(1, 4), st.integers(0, 100))
def test_seasons_and_series_are_whole(n_titles, episodes, seasons, seed):
    kinds = [{"name": "film", "title_share": 0.3, "minutes": 90},
             {"name": "episode", "title_share": 0.7, "minutes": 40, "episodes_per_season": episodes,
              "seasons_per_series": seasons}]
    titles = draw(small(n_titles=n_titles, kinds=kinds), seed)
    assert len(titles) == n_titles == len(titles.release)
    assert np.array_equal(np.unique(titles.release), np.arange(titles.n_releases))
    for release in range(titles.n_releases):
        members = np.flatnonzero(titles.release == release)
        if titles.series[release] < 0:
            assert len(members) == 1 and titles.episode[members[0]] == 0
        else:
            assert titles.episode[members].tolist() == list(range(1, len(members) + 1))
    for series in np.unique(titles.series[titles.series >= 0]):
        of_series = np.flatnonzero(titles.series == series)
        assert titles.season[of_series].tolist() == list(range(1, len(of_series) + 1))
        assert (np.diff(titles.release_day[of_series]) >= 0).all()


def test_weights_are_those_of_the_ranks_dealt_anew():
    parameters = small(n_titles=500)
    weight = draw(parameters).weight
    assert np.sort(weight)[::-1] == pytest.approx(rank_weights(500, parameters))
    assert not np.array_equal(weight, np.sort(weight)[::-1])


def test_episodes_of_a_season_stand_next_to_each_other_without_spread():
    kinds = [{"name": "episode", "title_share": 1, "minutes": 40, "episodes_per_season": 6}]
    titles = draw(small(n_titles=300, kinds=kinds, series_spread=0))
    by_rank = titles.release[np.argsort(-titles.weight, kind="stable")]
    assert (np.diff(by_rank) != 0).sum() == titles.n_releases - 1


def test_launches_come_at_the_given_rate_on_the_given_weekdays():
    """From a Monday on, only Fridays: days 4, 11, ... and -3, -10, .... Rate 2 a day over 35 + 28 days: 126 expected,
    standard deviation 11."""
    parameters = small(n_titles=2000, days=28, launches_per_day=2, launch_weekdays=[0, 0, 0, 0, 1, 0, 0],
                       kinds=[{"name": "film", "title_share": 1, "minutes": 90}])
    day = draw(parameters).release_day
    launched = day[day >= -LAUNCHES_BEFORE_DAYS]
    assert ((launched - 4) % 7 == 0).all()
    assert launched.max() < 28
    assert len(launched) == pytest.approx(126, abs=5 * 11)
    assert (day < -LAUNCHES_BEFORE_DAYS).sum() == 2000 - len(launched)


def test_launches_prefer_what_is_popular():
    kinds = [{"name": "film", "title_share": 1, "minutes": 90}]

    def mean_weight_of_launches(appeal):
        titles = draw(small(n_titles=3000, launch_appeal=appeal, kinds=kinds, days=30))
        return titles.weight[titles.release_day >= -LAUNCHES_BEFORE_DAYS].mean() * 3000

    assert mean_weight_of_launches(2) > mean_weight_of_launches(0) > mean_weight_of_launches(-2)


def test_home_regions_follow_share_and_weight():
    parameters = small(n_titles=4000, home_share=0.25, kinds=[{"name": "film", "title_share": 1, "minutes": 90}])
    home = draw_titles(parameters, 3, np.array([3.0, 1.0, 0.0]), np.random.default_rng(1)).home
    assert (home >= 0).mean() == pytest.approx(0.25, abs=0.035)
    assert (home == 0).sum() == pytest.approx(3 * (home == 1).sum(), rel=0.25)
    assert not (home == 2).any()


def test_running_times_have_the_given_median():
    kind = KindParameters(name="film", title_share=1, minutes=100, minutes_sigma=0.2)
    minutes = draw(small(n_titles=4000, kinds=[kind])).minutes
    assert np.median(minutes) == pytest.approx(100, rel=0.03)
    assert np.log(minutes).std() == pytest.approx(np.hypot(0.2, 0.05), rel=0.1)
