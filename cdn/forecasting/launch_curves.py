"""Launch curves: young titles fade as titles of their kind do, and inherit what is known of their series.

As ``empirical_bayes``, with two things more. The level of a title is its long-run share theta; on a day it is asked for
theta x g(age), g the decay learned from past launches (``decay``): three days after its release a title is expected to
fall on, and the days behind it are not taken for its level. And the prior of theta comes down a ladder: kind (launched
lately or not) -> series -> release -> title. So the next episode inherits the audience of those before it, and through
``regional_tastes`` their regions; how much is what the history says members of a series have in common
(``credibility``). The release calendar is the catalog's ``release_date``: titles that come out on the
forecast day are forecast.
"""

import numpy as np

from cdn.forecasting.credibility import credibility
from cdn.forecasting.day_factors import TitleFactors, day_factors
from cdn.forecasting.decay import decay_curves, factors_of
from cdn.forecasting.empirical_bayes import check_options, counts_and_tastes
from cdn.forecasting.events import asset_factors_on
from cdn.forecasting.expectation import ExpectedRequests
from cdn.forecasting.history import History
from cdn.forecasting.knowledge import NOTHING_KNOWN, Knowledge
from cdn.forecasting.launches import YOUNG_DAYS, Launches, launches_of
from cdn.forecasting.pair_forecasts import PairForecast, with_last_day_s_dispersion
from cdn.forecasting.reconciliation import fitted_to_margins
from cdn.forecasting.title_levels import LevelPriors, TitleLevels, forgetting_sums, title_levels
from cdn.forecasting.titles import TitleAttributes
from cdn.forecasting.volumes import expected_volumes

SERIES_HALF_LIFE_DAYS = 7.0


def launch_curves(history: History, day: int, knowledge: Knowledge = NOTHING_KNOWN, *,
                  taste_half_life_days: float | None = 30.0, min_requests: float = 0.01,
                  interval: bool = True) -> ExpectedRequests:
    """As ``empirical_bayes``, parameters too."""
    check_options(taste_half_life_days, min_requests)

    def pairs(until: History, of_day: int) -> PairForecast:
        titles = knowledge.titles_of(len(until.asset_index))
        launches = launches_of(until, titles)
        levels = launched_levels(until, of_day, titles, launches, knowledge)
        count, mean = counts_and_tastes(until, taste_half_life_days, titles, knowledge)
        fitted_to_margins(mean, levels.share, expected_volumes(until, of_day, knowledge.calendar))
        return PairForecast(mean, count > 0, launches.age(of_day) < YOUNG_DAYS, levels)

    return with_last_day_s_dispersion(pairs, history, day, min_requests, interval)


def launched_levels(history: History, day: int, titles: TitleAttributes, launches: Launches,
                    knowledge: Knowledge) -> TitleLevels:
    """The titles' levels on a day, with the decay by age and the calendar's factors of single titles."""
    return history.once((launched_levels, day, titles, launches, knowledge),
                        lambda: _launched_levels(history, day, titles, launches, knowledge))


def _launched_levels(history: History, day: int, titles: TitleAttributes, launches: Launches,
                     knowledge: Knowledge) -> TitleLevels:
    n_days = len(history.observed)
    curves = decay_curves(history, launches, titles.kind)
    known = np.empty((len(titles), n_days + 1))
    known[:, :-1] = factors_of(curves, titles.kind, launches, history.first_day, n_days)
    known[:, -1] = factors_of(curves, titles.kind, launches, day, 1)[:, 0]
    for column, of_day in enumerate([*(history.first_day + np.arange(n_days)), day]):
        known[:, column] *= asset_factors_on(knowledge.calendar, int(of_day), len(titles))
    of_days = day_factors(history, day, launches)
    past = known[:, :-1] * of_days.past
    known *= of_days.foreseen
    factors = TitleFactors(past, known)
    return title_levels(history, day, titles, launches, factors, _priors(history, titles, launches, factors.past))


def _priors(history: History, titles: TitleAttributes, launches: Launches, factor: np.ndarray) -> LevelPriors:
    """(A,) mean and shape of theta, down the ladder."""
    delta = np.full(len(titles), 0.5 ** (1 / SERIES_HALF_LIFE_DAYS))
    volume = history.region_days.sum(axis=1)
    counted, exposed = forgetting_sums(history.asset_days, volume, history.observed, launches.first, factor, delta)
    lately = launches.age(history.first_day) < YOUNG_DAYS
    group = titles.kind + (titles.kind.max(initial=0) + 1) * lately
    mean = _group_means(counted, exposed, group)
    # A release is a member of its series by all its titles' requests, a title a member of its release.
    n, expected = (np.bincount(titles.release, values) for values in (counted, mean * exposed))
    series = np.zeros(len(n), dtype=np.int64)
    series[titles.release] = titles.series
    of_series = credibility(n, expected, series)
    mean = mean * of_series.factor[titles.series]
    of_release = credibility(counted, mean * exposed, titles.release)
    mean = mean * of_release.factor[titles.release]
    # What the release's own titles do not tell of it yet adds to what is unknown of a title.
    unknown = of_release.within + of_release.between * (1 - of_release.trust[titles.release])
    return LevelPriors(np.maximum(mean, 1e-12), 1 / unknown)


def _group_means(counted: np.ndarray, exposed: np.ndarray, group: np.ndarray) -> np.ndarray:
    """(A,) each group's requests per unit of exposure, leaning on everyone's by the exposure of one mean title."""
    everyone, one = counted.sum() / max(exposed.sum(), 1e-300), exposed.mean()
    return ((np.bincount(group, counted) + everyone * one)
            / np.maximum(np.bincount(group, exposed) + one, 1e-300))[group]
