"""The measuring functions on logs whose figures are worked out by hand."""

import numpy as np
import pytest
from generator.sample_parameters import log_of
from hypothesis import given
from hypothesis import strategies as st

from cdn.generator import measures


def test_zipf_exponent_of_two_objects_by_hand():
    """Counts 2 and 1: p(2) must be 1/3 = 2^-s / (1 + 2^-s), so 2^-s = 1/2 and s = 1."""
    assert measures.fit_zipf_exponent(np.array([1, 0, 2])) == pytest.approx(1.0)


@given(st.floats(0.0, 3.0), st.integers(2, 400))
def test_zipf_exponent_is_found_again_from_exact_proportions(s, n):
    counts = np.arange(1, n + 1) ** -s * 1e12
    assert measures.fit_zipf_exponent(np.random.default_rng(0).permutation(counts)) == pytest.approx(s, abs=1e-6)


@given(st.lists(st.integers(0, 50), min_size=2, max_size=30).filter(lambda c: sum(k > 0 for k in c) > 1))
def test_no_other_exponent_is_more_likely(counts):
    """Log likelihood -s sum n_k log k - N log sum_j j^-s, at the fit and beside it. NaN only where one is infinite."""
    counts = np.array(counts)
    s = measures.fit_zipf_exponent(counts)
    ordered = np.sort(counts[counts > 0])[::-1]
    log_rank = np.log(np.arange(1, len(ordered) + 1))

    def likelihood(t):
        return -t * (ordered @ log_rank) - ordered.sum() * np.log(np.exp(-t * log_rank).sum())

    assert likelihood(s) >= max(likelihood(s - 0.01), likelihood(s + 0.01))


def test_zipf_exponent_needs_two_objects():
    assert np.isnan(measures.fit_zipf_exponent(np.array([5, 0])))


def test_one_hits_overall_and_by_day():
    """a0 twice (once a day), a1 once, a2 thrice on one day: overall 1 of 3; by day 2 of 2 (a0, a1) and 1 of 2 (a0)."""
    log = log_of([(0, 0, 0, 1), (0, 0, 1, 1), (1, 1, 0, 1), (1, 0, 2, 3)])
    assert measures.one_hit_share(measures.requests_per_asset(log)) == pytest.approx(1 / 3)
    assert measures.daily_one_hit_shares(log).tolist() == pytest.approx([1.0, 0.5])


def test_correlation_of_regions_by_hand():
    """Requests (4, 2, 1) and (2, 1, 3) for the same three assets: deviations (5/3, -1/3, -4/3) and (0, -1, 1), so
    Pearson = (0 + 1/3 - 4/3) / sqrt(42/9 * 2) = -0.3273; ranks (3, 2, 1) and (2, 1, 3): Spearman = -1/2."""
    rows = [(0, 0, 0, 4), (0, 0, 1, 2), (0, 0, 2, 1), (0, 1, 0, 2), (0, 1, 1, 1), (0, 1, 2, 3)]
    assert measures.region_correlations(log_of(rows), n_assets=3) == pytest.approx((-1 / np.sqrt(84 / 9), -0.5))


def test_correlation_looks_at_the_largest_regions_and_assets_only():
    """Regions 0 and 2 ask alike for assets 0 and 1; region 1 and asset 2 ask for little and would spoil it."""
    rows = [(0, 0, 0, 9), (0, 0, 1, 5), (0, 2, 0, 9), (0, 2, 1, 5), (0, 1, 1, 3), (0, 0, 2, 2)]
    log = log_of(rows, n_regions=3)
    assert measures.region_correlations(log, n_regions=2, n_assets=2) == pytest.approx((1.0, 1.0))
    assert measures.region_correlations(log, n_regions=3, n_assets=2)[0] < 1


def test_peak_over_mean_is_the_median_day():
    """All requests of a day in one hour: 24 times the mean hour, every day."""
    assert measures.peak_over_mean(log_of([(0, 0, 0, 5), (1, 0, 0, 7), (2, 1, 1, 2)])) == 24


def test_only_whole_weeks_count_and_they_begin_on_monday():
    """Days -2 (a Saturday) to 8 (the second Tuesday): one whole week, days 0 to 6; asset 1 belongs to no release."""
    rows = [(-2, 0, 0, 9), (0, 0, 0, 1), (6, 1, 2, 4), (6, 0, 1, 5), (7, 0, 0, 9), (8, 0, 0, 9)]
    release = np.array([0, -1, 1, 1, 1, 1])
    assert measures.weekly_requests(log_of(rows), release, 2).tolist() == [[[1, 0], [0, 4]]]


def test_charts_take_the_most_requested_and_nothing_unasked():
    requests = np.array([3, 0, 5, 3])
    assert measures.charts(requests, 2).tolist() == [True, False, True, False]
    assert measures.charts(requests, 4).tolist() == [True, False, True, True]


def test_charts_by_kind_share_the_places():
    """Length 2, two lists: the best of each, though both best are of the same list."""
    assert measures.charts(np.array([9, 8, 1, 2]), 2, np.array([0, 0, 1, 1])).tolist() == [True, False, False, True]


def test_persistence_and_single_region_share_by_hand():
    """Two weeks, two regions. Region 0 charts {0, 1} then {1, 2}: 1 of 2 stays; region 1 {0, 3} then {0, 3}: 2 of 2.
    Together 3 of 4. Of the releases 0 to 3 only 0 charts in both regions: 3 of 4 in one."""
    charted = np.zeros((2, 2, 5), dtype=bool)
    for week, region, releases in ((0, 0, [0, 1]), (1, 0, [1, 2]), (0, 1, [0, 3]), (1, 1, [0, 3])):
        charted[week, region, releases] = True
    assert measures.chart_persistence(charted) == 0.75
    assert measures.single_region_share(charted) == 0.75


def test_decay_follows_new_releases_from_their_first_charting_week():
    """Release 0 is old (asked for in week 0), 1 charts from week 1 on with 8, 6, 2; 2 is asked for from week 1 on and
    charts from week 2 on with 4, 4, 1; 3 charts too late to be followed. Medians: 1, (0.75 + 1) / 2, 0.25."""
    requests = np.array([[9, 0, 0, 0], [1, 8, 1, 0], [0, 6, 4, 0], [9, 2, 4, 5], [9, 1, 1, 9]])
    charted = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 1, 1, 0], [1, 0, 1, 1], [1, 0, 0, 1]], dtype=bool)
    assert measures.decay_after_charting(requests, charted, 3).tolist() == [1.0, 0.875, 0.25]
    assert np.isnan(measures.decay_after_charting(requests, charted, 5)).all()


def test_decay_after_peak_by_hand():
    """Asset 0 is there from the first day on: old. Asset 1 peaks on day 3 with 40, 7 days later 10, 14 days later 4.
    Asset 2 never reaches 30. Asset 3 peaks too late. So 0.25 and 0.1."""
    rows = [(0, 0, 0, 50), (2, 0, 1, 20), (3, 0, 1, 40), (10, 1, 1, 10), (17, 0, 1, 4), (3, 0, 2, 29), (10, 0, 2, 1),
            (9, 0, 3, 99), (18, 0, 3, 1)]
    log = log_of(rows)
    assert measures.decay_after_peak(log, np.arange(6), 6).tolist() == [0.25, 0.1]
    assert np.isnan(measures.decay_after_peak(log, np.array([0, -1, 2, 3, 4, 5]), 6)).all()


def test_an_empty_log_has_no_figures():
    log = log_of([])
    weekly = measures.weekly_requests(log, np.arange(6), 6)
    charted = measures.charts(weekly)
    assert weekly.shape == (0, 2, 6)
    assert np.isnan(measures.peak_over_mean(log))
    assert np.isnan(measures.region_correlations(log)).all()
    assert np.isnan([measures.chart_persistence(charted), measures.single_region_share(charted)]).all()
    assert np.isnan(measures.decay_after_charting(weekly[:, 0], charted[:, 0])).all()
    assert np.isnan(measures.decay_after_peak(log, np.arange(6), 6)).all()
    assert len(measures.daily_one_hit_shares(log)) == 0
