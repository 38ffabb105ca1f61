"""Shrinkage: the formula by hand, its limits, and the concentration found again in data made with it."""

import numpy as np
import pytest
from forecasting.tiny_histories import FORECAST_DAY, as_table, history_of
from scipy.special import gammaln

from cdn.forecasting.concentration import K_MAX, concentration, concentrations
from cdn.forecasting.forecasters import FORECASTERS
from cdn.forecasting.shrinkage import shrinkage
from cdn.model.index import Index

ROWS = [(1, 0, 0, 6), (1, 0, 1, 2), (1, 1, 0, 1), (1, 1, 2, 1)]


def test_the_posterior_mean_by_hand():
    """Totals 8 and 2, shares over both regions a 7/10, b 2/10, c 1/10. With k = 2 the big region expects
    8 (n + 2 q) / (8 + 2): a 5.92, b 1.92, c 0.16; the small one 2 (n + 2 q) / (2 + 2): a 1.2, b 0.2, c 0.6."""
    expected = shrinkage(history_of(ROWS), FORECAST_DAY, k=2.0, min_requests=0.0)
    assert as_table(expected) == pytest.approx(
        {(0, 0): 5.92, (1, 0): 1.2, (0, 1): 1.92, (1, 1): 0.2, (0, 2): 0.16, (1, 2): 0.6})


def test_the_cut_leaves_out_only_pairs_never_asked_for():
    expected = as_table(shrinkage(history_of(ROWS), FORECAST_DAY, k=2.0, min_requests=0.17))
    assert expected.keys() == {(0, 0), (0, 1), (1, 0), (1, 2), (1, 1)}
    expected = as_table(shrinkage(history_of(ROWS), FORECAST_DAY, k=2.0, min_requests=100.0))
    assert expected.keys() == {(0, 0), (0, 1), (1, 0), (1, 2)}


@pytest.mark.parametrize(("k", "share_of_a"), [(1e-9, 0.5), (1e12, 0.7)])
def test_a_weak_prior_is_the_region_s_own_share_and_a_strong_one_everyone_s(k, share_of_a):
    expected = as_table(shrinkage(history_of(ROWS), FORECAST_DAY, k=k, min_requests=0.0))
    assert expected[1, 0] == pytest.approx(2 * share_of_a)


@pytest.mark.parametrize("parameters", [{}, {"k": 3.0}, {"per_region": True}, {"half_life_days": None}])
def test_one_region_alone_gets_its_plain_share(parameters):
    """With one region q is its own share, so (n + k n/N) / (N + k) = n/N whatever k is."""
    rows = [(1, 0, 0, 6), (1, 0, 1, 3)]
    expected = shrinkage(history_of(rows, regions=Index(["only"])), FORECAST_DAY, **parameters)
    assert as_table(expected) == pytest.approx({(0, 0): 6, (0, 1): 3}, rel=1e-9)


def test_older_days_count_less():
    """One region; a day of 2 c, then a day of 2 a. With a half-life of a day they weigh 1/2 and 1: c 2/3, a 4/3."""
    rows = [(2, 0, 2, 2), (1, 0, 0, 2)]
    expected = as_table(shrinkage(history_of(rows, regions=Index(["only"])), FORECAST_DAY, half_life_days=1.0))
    assert expected == pytest.approx({(0, 2): 2 / 3, (0, 0): 4 / 3})


def test_weighted_days_are_worth_as_much_evidence_as_kish_says():
    """Two days alike, weighing 1/2 and 1: c = 1.5 / 1.25 = 1.2, so n = 1.2 * 1.5 = 1.8 days' requests, N = 18 and 3.6
    for daily totals 10 and 2. Shares over both: a 7/12, c 1/12. With k = 3.6 the small region expects of c, of which
    it sees 1 a day, 2 (1.8 + 3.6/12) / (3.6 + 3.6) = 0.58333."""
    daily = [(0, 0, 6), (0, 1, 4), (1, 0, 1), (1, 2, 1)]
    rows = [(ago, *row) for ago in (1, 2) for row in daily]
    expected = as_table(shrinkage(history_of(rows), FORECAST_DAY, k=3.6, half_life_days=1.0))
    assert expected[1, 2] == pytest.approx(2 * (1.8 + 0.3) / 7.2)


def test_a_region_without_requests_gets_nothing():
    expected = shrinkage(history_of([(1, 0, 0, 5)]), FORECAST_DAY, min_requests=0.0)
    assert as_table(expected) == {(0, 0): pytest.approx(5)}


def simulated(k: float, n_regions=60, n_assets=200, seed=5):
    """Regions of 50 to 5,000 requests whose shares are drawn from Dirichlet(k q): region, count, share, total."""
    rng = np.random.default_rng(seed)
    share = np.arange(1, n_assets + 1) ** -0.8
    share /= share.sum()
    total = np.geomspace(50, 5000, n_regions).astype(int)
    counts = np.array([rng.multinomial(n, rng.dirichlet(k * share)) for n in total])
    region, asset = np.nonzero(counts)
    pooled = counts.sum(axis=0) / counts.sum()
    return region, counts[region, asset].astype(float), pooled[asset], total.astype(float)


@pytest.mark.parametrize("k", [10.0, 100.0, 1000.0])
def test_a_known_concentration_is_found_again(k):
    """Sixty regions: the estimate's spread is below 10 %; taking q from the same data adds a few per cent upwards."""
    assert concentration(*simulated(k)) == pytest.approx(k, rel=0.2)


def test_the_estimate_is_the_top_of_the_likelihood():
    """Against the likelihood written out pair by pair on a fine grid of k."""
    region, count, share, total = simulated(50.0, n_regions=6, n_assets=10)

    def likelihood(k):
        return (sum(gammaln(k) - gammaln(k + n) for n in total)
                + sum(gammaln(n + k * q) - gammaln(k * q) for n, q in zip(count, share, strict=True)))

    grid = np.geomspace(1, 10_000, 4001)
    top = grid[np.argmax([likelihood(k) for k in grid])]
    assert concentration(region, count, share, total) == pytest.approx(top, rel=0.01)


def test_regions_all_alike_have_nothing_of_their_own():
    count = np.array([60.0, 40.0, 60.0, 40.0])
    share = np.array([0.6, 0.4, 0.6, 0.4])
    assert concentration(np.array([0, 0, 1, 1]), count, share, np.array([100.0, 100.0])) > K_MAX / 10


def test_each_region_s_own_concentration():
    """Three regions with tastes of their own (k = 5) and three like everyone (k = 5000) are told apart."""
    rng = np.random.default_rng(11)
    share = np.full(50, 0.02)
    counts = np.array([rng.multinomial(3000, rng.dirichlet(k * share)) for k in (5, 5, 5, 5000, 5000, 5000)])
    region, asset = np.nonzero(counts)
    k = concentrations(region, counts[region, asset].astype(float), share[asset], np.append(counts.sum(axis=1), 0.0))
    assert (k[:3] < 10).all() and (k[3:6] > 1000).all() and k[6] == K_MAX


def test_shrinkage_foresees_small_regions_better_than_what_they_did_last():
    """Twenty small regions whose tastes are drawn around everyone's: the squared error against their true rates."""
    rng = np.random.default_rng(8)
    n_regions, n_assets, n = 21, 100, 40
    share = np.arange(1, n_assets + 1) ** -0.8
    share /= share.sum()
    taste = rng.dirichlet(200 * share, n_regions)
    size = np.array([20 * n, *[n] * (n_regions - 1)])
    counts = np.array([rng.multinomial(size[r], taste[r]) for r in range(n_regions)])
    region, asset = np.nonzero(counts)
    rows = [(1, r, a, counts[r, a]) for r, a in zip(region, asset, strict=True)]
    history = history_of(rows, regions=Index(map(str, range(n_regions))), assets=Index(map(str, range(n_assets))))

    def error(method):
        expected = FORECASTERS[method](history, FORECAST_DAY)
        dense = np.zeros((n_regions, n_assets))
        dense[expected.region, expected.asset] = expected.requests
        return ((dense - size[:, None] * taste)[1:] ** 2).sum()

    assert error("shrinkage") < 0.5 * error("last_day")
