"""What the methods estimate is what made the data: strengths, decays, factors, audiences, credibility, volumes."""

import numpy as np
import pytest
from forecasting.simulated_histories import FIRST_DAY, history_of_counts

from cdn.forecasting.credibility import credibility
from cdn.forecasting.damped_trend import damped_trend
from cdn.forecasting.day_factors import day_factors
from cdn.forecasting.decay import decay_curves
from cdn.forecasting.ensemble import to_one_volume, with_opinions
from cdn.forecasting.events import Calendar
from cdn.forecasting.expectation import forgetting_weights
from cdn.forecasting.expert_weights import expert_weights, group_losses, mixture
from cdn.forecasting.factorisation import factorise
from cdn.forecasting.gamma_shapes import shape_of, shapes_by_class
from cdn.forecasting.knowledge import Knowledge
from cdn.forecasting.launch_curves import launched_levels
from cdn.forecasting.launches import YOUNG_DAYS, launches_of
from cdn.forecasting.marginal_prices import Ladder, losses
from cdn.forecasting.regional_tastes import expected_counts, level_strengths
from cdn.forecasting.title_levels import title_levels
from cdn.forecasting.titles import UNKNOWN_DAY, TitleAttributes
from cdn.forecasting.volumes import expected_volumes, weekday_factors


@pytest.mark.parametrize("shape", [0.2, 1.0, 5.0, 40.0])
def test_the_shape_of_a_gamma_prior(shape):
    """8,000 counts of mean 30: the estimate's sd is below 5 %."""
    rng = np.random.default_rng(1)
    mean = rng.uniform(20, 40, 8000)
    assert shape_of(rng.poisson(mean * rng.gamma(shape, 1 / shape, 8000)), mean) == pytest.approx(shape, rel=0.15)


def test_classes_keep_shapes_of_their_own():
    rng = np.random.default_rng(2)
    group = np.repeat([0, 1], 4000)
    true = np.array([0.5, 20.0])[group]
    count = rng.poisson(25 * rng.gamma(true, 1 / true))
    assert shapes_by_class(count, np.full(8000, 25.0), group, 2) == pytest.approx([0.5, 20.0], rel=0.2)


def test_the_strength_of_regional_tastes_and_the_shrinkage_it_gives():
    """400 titles of 20 x 20 requests, tastes Gamma(4, 4): alpha near 4, and the posterior means beat the raw counts."""
    rng = np.random.default_rng(3)
    taste = rng.gamma(4.0, 1 / 4.0, (400, 20))
    taste /= taste.mean(axis=1, keepdims=True)
    count = rng.poisson(20.0 * taste).astype(float)
    flat = np.repeat(count.mean(axis=1, keepdims=True), 20, axis=1)
    assert np.median(level_strengths(count, flat)) == pytest.approx(4.0, rel=0.25)
    found = expected_counts(count, TitleAttributes.of_nothing(400), Knowledge())
    assert ((found - 20 * taste) ** 2).mean() < 0.9 * ((count - 20 * taste) ** 2).mean()
    np.testing.assert_allclose(found.sum(axis=1), count.sum(axis=1))


def test_an_unseen_episode_has_the_regions_of_its_season():
    """Nine episodes are asked for in region 0 only; the tenth by nobody: nine parts in ten of it are expected there."""
    count = np.zeros((30, 4))
    count[:9, 0] = 50
    count[10:] = 12
    season = np.concatenate([np.zeros(10, dtype=int), np.arange(1, 21)])
    same, none = np.zeros(30, dtype=int), np.full(30, UNKNOWN_DAY)
    found = expected_counts(count, TitleAttributes(same, same, season, season, none, same), Knowledge())
    assert found[9, 0] / found[9].sum() > 0.9


def test_a_country_s_taste_reaches_its_regions():
    """Regions 0 and 1 are one country; region 1 has no requests for titles that region 0 loves."""
    count = np.full((40, 4), 20.0)
    count[:20, 0] = 200
    count[:, 1] = 0.0
    count[20:, 1] = 1.0
    alone = expected_counts(count, TitleAttributes.of_nothing(40), Knowledge())
    together = expected_counts(count, TitleAttributes.of_nothing(40), Knowledge(country=np.array([0, 0, 1, 2])))
    assert together[0, 1] > alone[0, 1]


def launched(curve, n=150, n_days=45, seed=4):
    """Titles released every few days, theta lognormal, fading as ``curve`` (ages) says, beside old ones."""
    rng = np.random.default_rng(seed)
    release = rng.integers(-20, n_days - 3, n)
    age = np.arange(n_days)[:, None] - release
    theta = 3 * np.exp(0.7 * rng.standard_normal(n))
    young = rng.poisson(np.where(age >= 0, theta * curve(np.maximum(age, 0)), 0.0))
    volume = 40_000 - young.sum(axis=1)
    counts = np.concatenate([young, volume[:, None]], axis=1)[:, :, None]
    same = np.zeros(n + 1, dtype=int)
    titles = TitleAttributes(same, same, np.arange(n + 1), np.arange(n + 1),
                             np.append(release + FIRST_DAY, FIRST_DAY - 1000), same)
    return history_of_counts(counts), titles


@pytest.mark.parametrize("curve", [lambda age: 1 + 9 * np.exp(-age / 5.0), lambda age: 1 + 12 * (1.0 + age) ** -1.5])
def test_the_decay_after_launches(curve):
    """An exponential and a power law over a plateau, both by the same monotone fit."""
    history, titles = launched(curve)
    found = decay_curves(history, launches_of(history, titles), titles.kind)[0]
    ages = np.array([0, 1, 3, 7, 14])
    true = curve(ages) / curve(YOUNG_DAYS + 5)
    assert found[ages] == pytest.approx(true, rel=0.12)
    assert (np.diff(found) <= 0).all() and found[-1] == 1


def test_what_is_found_by_and_by_rises_before_it_falls():
    """Twice the plateau on the first day, six times on the fifth, and back: an order that only falls would be flat."""
    def curve(age):
        return np.interp(age, [0, 4, 20, YOUNG_DAYS + 5], [2.0, 6.0, 1.5, 1.0])

    history, titles = launched(curve)
    found = decay_curves(history, launches_of(history, titles), titles.kind)[0]
    top = int(found.argmax())
    assert 3 <= top <= 5 and (np.diff(found[:top + 1]) >= 0).all() and (np.diff(found[top:]) <= 0).all()
    assert found[[0, 2, 4, 12]] == pytest.approx(curve(np.array([0, 2, 4, 12])) / curve(YOUNG_DAYS + 5), rel=0.15)


def test_young_titles_are_as_uncertain_as_young_titles_were():
    """Every title that is out gets 20 requests a day; on some days, drawn anew, all young ones a factor Gamma(2, 1/2):
    phi = 0.5. On days that are all alike there is none."""
    found = []
    for shape in (2.0, 1e6):
        rng = np.random.default_rng(11)
        release = rng.integers(0, 45, 300)
        out = np.arange(60)[:, None] >= release
        counts = rng.poisson(20 * rng.gamma(shape, 1 / shape, (60, 1)) * out)
        counts = np.column_stack([counts, np.full(60, 100_000)])
        same, own = np.zeros(301, dtype=int), np.arange(301)
        titles = TitleAttributes(same, same, own, own, np.append(release + FIRST_DAY, FIRST_DAY - 1000), same)
        history = history_of_counts(counts[:, :, None])
        levels = launched_levels(history, FIRST_DAY + 60, titles, launches_of(history, titles), Knowledge())
        young = FIRST_DAY + 60 - titles.release_day < YOUNG_DAYS
        assert (levels.dispersion[~young] == 0).all()
        found.append(np.median(levels.dispersion[young]))
    assert 0.2 < found[0] < 1.2 and found[1] < 0.05


def test_without_launches_nothing_fades():
    history = history_of_counts(np.full((10, 3, 2), 5))
    launches = launches_of(history, TitleAttributes.of_nothing(3))
    assert (decay_curves(history, launches, np.zeros(3, dtype=int)) == 1).all()


def test_a_release_the_catalog_does_not_date_is_seen_in_the_log():
    """a3 is first asked for on day 6, 20 times a day: 6 x 20 requests would have been missed. a2, once, is none."""
    counts = np.full((10, 4, 1), 5)
    counts[:6, 3] = 0
    counts[6:, 3] = 20
    counts[:, 2] = 0
    counts[7, 2] = 1
    launches = launches_of(history_of_counts(counts), TitleAttributes.of_nothing(4))
    assert launches.release_day.tolist() == [UNKNOWN_DAY, UNKNOWN_DAY, UNKNOWN_DAY, FIRST_DAY + 6]
    assert launches.age(FIRST_DAY + 10)[3] == 4


def test_credibility_of_series():
    """500 series of four members: variances 0.5 between and 0.2 within are found; a group is trusted accordingly."""
    rng = np.random.default_rng(5)
    group = np.repeat(np.arange(500), 4)
    factor = rng.gamma(2.0, 0.5, 500)
    count = rng.poisson(200 * factor[group] * rng.gamma(5.0, 0.2, 2000))
    found = credibility(count, np.full(2000, 200.0), group)
    assert found.between == pytest.approx(0.5, rel=0.25)
    assert np.corrcoef(found.factor, factor)[0, 1] > 0.9
    alone = credibility(rng.poisson(200 * rng.gamma(2.0, 0.5, 2000)), np.full(2000, 200.0), group)
    assert alone.between < 0.05 and np.abs(alone.factor - 1).max() < 0.35


def test_weekday_factors_are_found():
    """Five weeks, of which 29 days have a whole week around them: 4 of each weekday, 5 of one, lean on one of 1."""
    factor = np.array([0.8, 0.9, 1.0, 1.0, 1.1, 1.3, 0.9])
    factor /= factor.mean()
    total = 1000 * factor[(FIRST_DAY + np.arange(35)) % 7]
    found = weekday_factors(total, np.ones(35, dtype=bool), FIRST_DAY)
    assert found == pytest.approx((4 * factor + 1) / 5, abs=0.012)


def test_volumes_follow_weekday_and_event():
    """Five weeks at 1,000 times the weekday's factor; day 16 was twice as busy, an event; so is day 35."""
    factor = np.array([0.8, 0.9, 1.0, 1.0, 1.1, 1.3, 0.9])
    total = np.round(1000 * factor[(FIRST_DAY + np.arange(35)) % 7]).astype(int)
    total[16] *= 2
    history = history_of_counts(total[:, None, None])
    day = FIRST_DAY + 35
    one = np.full(2, -1)
    given = Calendar([FIRST_DAY + 16, day], [0, 0], [2.0, 2.0], one, one)
    learned = Calendar([FIRST_DAY + 16, day], [0, 0], [np.nan, np.nan], one, one)
    usual = 1000 * factor[day % 7]
    assert expected_volumes(history, day, given)[0] == pytest.approx(2 * usual, rel=0.06)
    # One event so far leans half on no effect.
    assert expected_volumes(history, day, learned)[0] == pytest.approx(1.5 * usual, rel=0.06)


def test_audiences_are_found_again():
    """Two audiences of disjoint regions: a title seen in one region only is expected in the others of its audience."""
    rng = np.random.default_rng(6)
    audience = np.array([[0.5, 0.3, 0.2, 0, 0, 0], [0, 0, 0, 0.2, 0.3, 0.5]])
    count = rng.poisson(60 * audience[np.arange(300) % 2]).astype(float)
    count[0] = [12, 0, 0, 0, 0, 0]
    theta, phi = factorise(count, 2, 5.0, np.random.default_rng(1))
    found = theta[0] @ phi
    assert found[:3].sum() > 0.85 and found[1] > 0.2
    np.testing.assert_allclose(theta.sum(axis=1), 1)
    np.testing.assert_allclose(phi.sum(axis=1), 1)


def test_levels_forget_as_fast_as_titles_change():
    """200 titles whose level is drawn anew every day, 200 whose level stays: the half-lives tell them apart."""
    rng = np.random.default_rng(7)
    still = np.repeat(rng.gamma(3.0, 20.0, 200)[None], 40, axis=0)
    walk = 60 * np.exp(np.cumsum(0.4 * rng.standard_normal((40, 200)), axis=0))

    def half_life(rates):
        history = history_of_counts(rng.poisson(rates)[:, :, None])
        titles = TitleAttributes.of_nothing(200)
        launches = launches_of(history, titles)
        factors = day_factors(history, FIRST_DAY + 40, launches)
        return np.median(title_levels(history, FIRST_DAY + 40, titles, launches, factors).half_life_days)

    assert half_life(walk) < 2 < 8 < half_life(still)


def test_damped_trend_follows_a_trend_more_than_a_level_does():
    """Sixty rising titles: expected above the last day's mean, and below a straight line ten days on."""
    rng = np.random.default_rng(8)
    rates = 200 + 20 * np.arange(30)[:, None] + np.zeros((30, 60))
    history = history_of_counts(rng.poisson(rates)[:, :, None])
    tomorrow = damped_trend(history, FIRST_DAY + 30).requests.mean()
    assert 780 < tomorrow < 820
    assert damped_trend(history, FIRST_DAY + 40).requests.mean() > tomorrow


def test_weights_go_to_experts_that_lost_least_and_stay_even_without_losses():
    """Two days' mean losses are 0.1 and 0.15, half more than the least (but for c): e^-5 at a rate of 10."""
    losses = np.array([[0.1, 0.2], [0.1, 0.1]])[:, :, None]
    weights = expert_weights(losses, 10.0)
    assert weights[1] / weights[0] == pytest.approx(np.exp(-5 / 1.001), rel=1e-6) and weights.sum() == pytest.approx(1)
    assert expert_weights(losses, 0.0).tolist() == expert_weights(losses[:0], 10.0).tolist() == [[0.5], [0.5]]
    np.testing.assert_allclose(expert_weights(np.zeros((3, 2, 4)), 10.0), 0.5)
    assert expert_weights(1e9 * losses, 20.0).sum() == pytest.approx(1)


def test_a_group_s_weights_lean_on_everyone_s_the_less_it_lost_the_more():
    """The first expert loses 0.06 in all and the second 0.04, yet in the first group it is 0.02 against 0.03, half of
    the 0.04: (0.02 + 2 x 0.06) / 2.5 against (0.03 + 2 x 0.04) / 2.5. The third group lost nothing: everyone's."""
    weights = expert_weights(np.array([[[0.02, 0.04, 0.0], [0.03, 0.01, 0.0]]]), 10.0)
    leant = np.array([0.056, 0.044])
    assert weights[0, 0] / weights[1, 0] == pytest.approx(np.exp(-10 * 0.012 / (leant[1] + 1e-4)))
    assert weights[0, 2] / weights[1, 2] == pytest.approx(np.exp(-10 * 0.02 / (0.04 + 1e-4)))
    assert weights[0, 1] < weights[0, 2] < weights[0, 0]


def test_a_mixture_weighs_each_pair_by_its_group():
    weights, requests = np.array([[1.0, 0.25], [0.0, 0.75]]), np.array([[4.0, 4.0], [8.0, 8.0]])
    assert mixture(weights, np.array([0, 1]), requests).tolist() == [4, 7]


def test_groups_losses_add_up_to_the_regret():
    """One cache of two assets of size 1; the day asks 5, 3, 2 times for a, b, c: the price is 2. Who takes c for b
    leaves b, worth 1 more than the price, and stores c, worth just that: 1 of 10."""
    ladder = Ladder.of_one_cache_per_region(1, np.ones(3), 2 / 3)
    region, asset, true = np.zeros(3, dtype=int), np.arange(3), np.array([5.0, 3.0, 2.0])
    foreseen = np.array([[9.0, 1.0, 2.0], [3.0, 2.0, 1.0]])
    found = group_losses(ladder, region, asset, true, foreseen, np.array([0, 1, 0]), 2)
    assert found.tolist() == [[0, 0.1], [0, 0]]
    assert found.sum(axis=1).tolist() == losses(ladder, region, asset, true, foreseen).tolist()


def test_an_expert_without_an_opinion_of_a_title_follows_the_others():
    """Title 0 was asked for: who foresees nothing of it means it. Title 1 never was: the first expert's silence is
    filled with the mean of the two others, pair by pair."""
    requests = np.array([[0.0, 0.0, 0.0], [2.0, 4.0, 0.0], [1.0, 0.0, 6.0]])
    with_opinions(requests, np.array([0, 1, 1]), np.array([True, False]))
    assert requests.tolist() == [[0, 2, 3], [2, 4, 0], [1, 0, 6]]


def test_experts_are_brought_to_one_volume_of_each_region():
    requests = np.array([[1.0, 3.0, 5.0], [2.0, 2.0, 1.0], [10.0, 10.0, 0.0]])
    to_one_volume(requests, np.array([0, 0, 1]), np.array([4.0, 1.0]))
    assert requests.tolist() == [[1, 3, 1], [2, 2, 1], [2, 2, 0]]


def test_forgotten_days_count_as_poisson():
    history = history_of_counts(np.full((20, 1, 1), 5))
    weight = forgetting_weights(history, 3.0)
    assert weight.sum() == pytest.approx((weight**2).sum())
