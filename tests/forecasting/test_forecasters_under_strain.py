"""All methods on odd histories, and what must hold of every forecast with all knowledge at hand."""

import sys

import numpy as np
import pandas as pd
import pytest
from forecasting.simulated_histories import FIRST_DAY, generated, generated_day, history_of_counts
from forecasting.tiny_histories import METHODS
from scipy.stats import nbinom

from cdn.backtesting.usable_methods import unusable_methods
from cdn.errors import CdnError
from cdn.forecasting.demand_forecast import forecast
from cdn.forecasting.forecasters import FORECASTERS
from cdn.forecasting.history import history_of_log
from cdn.forecasting.knowledge import Knowledge, knowledge_of
from cdn.forecasting.negative_binomial import quantiles
from cdn.forecasting.titles import TitleAttributes
from cdn.forecasting.uncertainty import counts_on, with_dispersion
from cdn.forecasting.volumes import expected_volumes
from cdn.model.request_log import RequestLog

HIERARCHICAL = ("empirical_bayes", "launch_curves", "low_rank", "ensemble")
FORESEES_LAUNCHES = [*HIERARCHICAL, pytest.param("gradient_boosting", marks=METHODS[-2].marks)]


def odd(name: str) -> np.ndarray:
    """(D, A, R) counts: region 2 and title 5 are never heard of in any of them."""
    counts = np.zeros((12, 6, 3), dtype=int)
    counts[:, :5, :2] = np.random.default_rng(9).poisson(4, (12, 5, 2))
    if name == "constant":
        counts[:, :5, :2] = 3
    elif name == "one day":
        counts[:-1] = 0
    elif name == "holes":
        counts[[1, 4, 5, 10, 11]] = 0
    elif name == "spike":
        counts[6, 1, 0] = 1_000_000
    elif name == "spike on the last day":
        counts[11, 1, 0] = 1_000_000
    elif name == "one request":
        counts[:] = 0
        counts[11, 0, 0] = 1
    return counts


@pytest.mark.parametrize("name", ["constant", "one day", "holes", "spike", "spike on the last day", "one request"])
@pytest.mark.parametrize("method", METHODS)
def test_odd_histories_give_sound_forecasts(method, name):
    history = history_of_counts(odd(name))
    for day in (history.until_day, history.until_day + 6):
        expected = with_dispersion(FORECASTERS[method], history, day)
        keys = expected.keys(3)
        assert len(keys) and (np.diff(keys) > 0).all()
        assert expected.requests.sum() > 0 and expected.requests.max() < 4e6
        low, high = (quantiles(expected.requests, expected.dispersion, share) for share in (0.1, 0.9))
        assert (low <= high).all() and np.isfinite(high).all()


@pytest.mark.parametrize("method", METHODS)
def test_a_constant_series_goes_on(method):
    """Five titles at 3 a day in each of two regions."""
    expected = FORECASTERS[method](history_of_counts(odd("constant")), FIRST_DAY + 12)
    pairs = (expected.asset < 5) & (expected.region < 2)
    assert expected.requests[pairs] == pytest.approx(3, rel=0.1)


@pytest.mark.parametrize("method", HIERARCHICAL)
def test_an_old_spike_is_forgotten(method):
    """A million requests on one day, 4 a day else; 30 quiet days later it is expected less than 1,000 times."""
    counts = np.random.default_rng(1).poisson(4, (45, 20, 3))
    counts[10, 1, 0] = 1_000_000
    expected = FORECASTERS[method](history_of_counts(counts), FIRST_DAY + 45)
    assert expected.requests.max() < 1000


@pytest.mark.parametrize("method", METHODS)
def test_the_future_the_rows_order_and_the_run_change_nothing(method):
    """A log poisoned from the forecast day on, its rows shuffled, gives the same forecast to the last bit."""
    sample, log = generated(4, 16, 2000.0)
    day = int(log.day[-1])
    rng = np.random.default_rng(0)
    order = rng.permutation(len(log))
    bytes_ = np.where(log.day >= day, 10**12, log.bytes)
    asset = np.where(log.day >= day, log.asset[::-1], log.asset)
    poisoned = RequestLog(log.region_index, log.asset_index, log.time_us[order], log.region[order], asset[order],
                          bytes_[order])
    knowledge = knowledge_of(sample.catalog)
    one, other = (FORECASTERS[method](history_of_log(source, day), day, knowledge) for source in (log, poisoned))
    for name in ("region", "asset", "requests", "dispersion"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


@pytest.mark.parametrize("method", HIERARCHICAL)
def test_the_interval_of_80_per_cent_holds_80_per_cent_on_the_generator_s_data(method):
    """Three days. A count has steps, so one on the edge of the interval counts by the share of its step inside."""
    inside = []
    for back in (1, 4, 8):
        history, day, knowledge, whole = generated_day(back)
        expected = with_dispersion(FORECASTERS[method], history, day, knowledge)
        some = expected.requests > 1
        phi, count = np.maximum(expected.dispersion, 1e-9), counts_on(whole, day, expected)
        upper, lower = (nbinom.cdf(k, 1 / phi, 1 / (1 + phi * expected.requests)) for k in (count, count - 1))
        step = np.maximum(upper - lower, 1e-12)
        inside.append((np.clip(np.minimum(upper, 0.9) - np.maximum(lower, 0.1), 0, None) / step)[some])
    assert 0.75 < np.concatenate(inside).mean() < 0.85


@pytest.mark.parametrize("method", FORESEES_LAUNCHES)
def test_titles_of_tomorrow_are_foreseen_with_an_interval(method):
    """A day on which titles come out: all are expected in every region, and what they got is within wide intervals."""
    sample, log = generated()
    days = np.arange(int(log.day[-1]) - 12, int(log.day[-1]) + 1)
    released = TitleAttributes.of_catalog(sample.catalog).release_day
    day = int(days[[(released == d).sum() for d in days].index(max((released == d).sum() for d in days))])
    titles = np.flatnonzero(released == day)
    history, whole = history_of_log(log, day), history_of_log(log, day + 1)
    expected = with_dispersion(FORECASTERS[method], history, day, knowledge_of(sample.catalog))
    new = np.isin(expected.asset, titles)
    assert new.sum() == len(titles) * len(sample.regions) and (expected.requests[new] > 0).all()
    assert not np.isin(expected.asset, np.flatnonzero(released > day)).any()
    got = counts_on(whole, day, expected)[new].sum()
    assert got / 8 < expected.requests[new].sum() < 8 * got
    if method in ("empirical_bayes", "launch_curves"):
        assert np.median(expected.dispersion[new]) > np.median(expected.dispersion[~new])


@pytest.mark.parametrize("method", ["empirical_bayes", "launch_curves", "low_rank"])
def test_pairs_add_up_to_regions_countries_and_the_world(method):
    """Regions get their volumes exactly; so countries and the world do. Titles get their level to a few per cent."""
    history, day, knowledge, _ = generated_day(1)
    expected = FORECASTERS[method](history, day, knowledge, min_requests=0.0)
    volume = expected_volumes(history, day)
    np.testing.assert_allclose(np.bincount(expected.region, expected.requests), volume, rtol=1e-9)
    country = np.arange(10) // 3
    np.testing.assert_allclose(np.bincount(country[expected.region], expected.requests), np.bincount(country, volume))
    assert len(expected) == 10 * len(set(expected.asset.tolist()))


def test_hierarchy_beats_simple_methods_on_the_generator_s_data():
    """Squared error against what the day brought, three days."""
    errors = dict.fromkeys(("last_day", "seasonal_naive", "moving_average", "empirical_bayes", "launch_curves"), 0.0)
    for back in (1, 4, 8):
        history, day, knowledge, whole = generated_day(back)
        true = np.bincount(*_cells(whole, day), 16_000)
        for method in errors:
            found = FORECASTERS[method](history, day, knowledge)
            foreseen = np.zeros(16_000)
            foreseen[found.keys(10)] = found.requests
            errors[method] += ((foreseen - true) ** 2).sum()
    simple = min(errors[method] for method in ("last_day", "seasonal_naive", "moving_average"))
    assert errors["empirical_bayes"] < 0.8 * simple and errors["launch_curves"] < 0.8 * simple


def _cells(history, day):
    rows = history.day == day - history.first_day
    return history.asset[rows].astype(np.int64) * 10 + history.region[rows], history.requests[rows]


def test_demand_has_quantiles_that_hold_the_bytes():
    """Five days; the interval takes in that requests are of random parts of the asset."""
    sample, log = generated()
    inside = []
    for back in (1, 3, 5, 7, 9):
        history = generated_day(back)[0]
        demand = forecast(history, pd.Timestamp(0) + pd.Timedelta(days=history.until_day), "empirical_bayes",
                          sample.catalog)
        large = demand.requests > 15
        assert (demand.bytes_p10[large] < demand.bytes[large]).all()
        assert (demand.bytes_p90[large] > demand.bytes[large]).all()
        true = log.select(log.day == history.until_day)
        got = np.bincount(true.asset.astype(np.int64) * 10 + true.region, true.bytes, 16_000)
        got = got[demand.asset.astype(np.int64) * 10 + demand.region]
        inside.append(((got >= demand.bytes_p10) & (got <= demand.bytes_p90))[large])
    assert len(np.concatenate(inside)) > 300 and 0.75 < np.concatenate(inside).mean() < 0.92


@pytest.mark.parametrize("method", ["ensemble", "shrinkage", "launch_curves", "exponential"])
def test_a_spike_of_one_title_leaves_the_others_their_intervals(method):
    """Two hundred titles are asked for ten times a day in two regions, one a million times on the last day: what is
    expected of the others lies in their intervals, which were [0, 0]."""
    counts = np.random.default_rng(1).poisson(10, (20, 200, 2))
    counts[-1, 0, 0] = 1_000_000
    options = {"trees": False} if method == "ensemble" else {}
    found = with_dispersion(FORECASTERS[method], history_of_counts(counts), FIRST_DAY + 20, **options)
    others = found.asset != 0
    low, high = (quantiles(found.requests[others], found.dispersion[others], share) for share in (0.1, 0.9))
    assert ((low < found.requests[others]) & (found.requests[others] < high)).mean() > 0.95


@pytest.mark.parametrize(("method", "name", "value"), [
    ("empirical_bayes", "taste_half_life_days", 0), ("launch_curves", "min_requests", -1), ("low_rank", "factors", 0),
    ("low_rank", "prior_requests", -1), ("ensemble", "judged_days", 0), ("ensemble", "learning_rate", -1)])
def test_parameters_that_make_no_sense_are_refused(method, name, value):
    with pytest.raises(ValueError, match=name):
        FORECASTERS[method](history_of_counts(odd("holes")), FIRST_DAY + 12, **{name: value})


def test_knowledge_of_another_catalog_is_refused():
    history = history_of_counts(odd("holes"))
    with pytest.raises(ValueError, match="knowledge of 5 titles, the history has 6"):
        FORECASTERS["empirical_bayes"](history, FIRST_DAY + 12, Knowledge(TitleAttributes.of_nothing(5)))
    with pytest.raises(ValueError, match="countries of 2 regions, the history has 3"):
        FORECASTERS["empirical_bayes"](history, FIRST_DAY + 12, Knowledge(country=np.zeros(2)))


def test_without_its_extra_gradient_boosting_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    with pytest.raises(CdnError, match="extra `ml`"):
        FORECASTERS["gradient_boosting"](history_of_counts(odd("holes")), FIRST_DAY + 12)
    assert "extra `ml`" in unusable_methods(["gradient_boosting", "ensemble"]).pop("gradient_boosting")


@pytest.mark.parametrize("how", ["not installed", "without the library it is linked with"])
def test_without_lightgbm_the_ensemble_does_without_trees(monkeypatch, tmp_path, how):
    if how == "not installed":
        monkeypatch.setitem(sys.modules, "lightgbm", None)
    else:
        (tmp_path / "lightgbm.py").write_text("raise OSError('libgomp.so.1: cannot open shared object file')\n")
        monkeypatch.delitem(sys.modules, "lightgbm", raising=False)
        monkeypatch.syspath_prepend(tmp_path)
        with pytest.raises(CdnError, match=r"cannot load LightGBM: libgomp"):
            FORECASTERS["gradient_boosting"](history_of_counts(odd("holes")), FIRST_DAY + 12)
    assert list(unusable_methods(["gradient_boosting", "ensemble"])) == ["gradient_boosting"]
    history = history_of_counts(odd("holes"))
    found, without = (FORECASTERS["ensemble"](history, FIRST_DAY + 12, trees=trees) for trees in (None, False))
    np.testing.assert_array_equal(found.requests, without.requests)
    with pytest.raises(CdnError, match="LightGBM"):
        FORECASTERS["ensemble"](history, FIRST_DAY + 12, trees=True)
