"""Hierarchical empirical Bayes: how much the world asks for a title, then how much of that each region does.

    expected[r, a] = V_r s_a tau_ra,  fitted to the margins V_r and s_a sum V

V: volumes of the regions (``volumes``); s: the titles' levels, gamma-Poisson with forgetting and a prior by kind and
age (``title_levels``); tau: tastes, gamma-Poisson from the world over genre, series, country and release down to the
pair (``regional_tastes``). Every constant but the half-life of tastes is estimated from the history. Counts are
negative binomial about that, with the dispersion measured on the last day, so quantiles are of closed form.
"""

import numpy as np

from cdn.forecasting.day_factors import day_factors
from cdn.forecasting.expectation import ExpectedRequests, forgetting_weights
from cdn.forecasting.history import History
from cdn.forecasting.knowledge import NOTHING_KNOWN, Knowledge
from cdn.forecasting.launches import YOUNG_DAYS, launches_of
from cdn.forecasting.pair_forecasts import PairForecast, with_last_day_s_dispersion
from cdn.forecasting.reconciliation import fitted_to_margins
from cdn.forecasting.regional_tastes import expected_counts, pair_counts
from cdn.forecasting.title_levels import title_levels
from cdn.forecasting.titles import TitleAttributes
from cdn.forecasting.volumes import expected_volumes
from cdn.model.arrays import frozen


def empirical_bayes(history: History, day: int, knowledge: Knowledge = NOTHING_KNOWN, *,
                    taste_half_life_days: float | None = 30.0, min_requests: float = 0.01,
                    interval: bool = True) -> ExpectedRequests:
    """Posterior mean and dispersion of every pair that was asked for, of all pairs of young titles, and of others that
    are expected ``min_requests`` a day (0 keeps all R x A). ``taste_half_life_days``: a day that much older counts half
    for tastes; None counts all alike. ``interval`` false leaves out the dispersion and halves the time."""
    check_options(taste_half_life_days, min_requests)

    def pairs(until: History, of_day: int) -> PairForecast:
        titles = knowledge.titles_of(len(until.asset_index))
        launches = launches_of(until, titles)
        levels = title_levels(until, of_day, titles, launches, day_factors(until, of_day, launches))
        count, mean = counts_and_tastes(until, taste_half_life_days, titles, knowledge)
        fitted_to_margins(mean, levels.share, expected_volumes(until, of_day, knowledge.calendar))
        return PairForecast(mean, count > 0, launches.age(of_day) < YOUNG_DAYS, levels)

    return with_last_day_s_dispersion(pairs, history, day, min_requests, interval)


def recent_counts(history: History, taste_half_life_days: float | None) -> np.ndarray:
    """(A, R) requests of the pairs, old ones forgotten; not to be written to."""
    return history.once((recent_counts, taste_half_life_days), lambda: frozen(
        pair_counts(history, forgetting_weights(history, taste_half_life_days)), np.float64))


def counts_and_tastes(history: History, taste_half_life_days: float | None, titles: TitleAttributes,
                      knowledge: Knowledge) -> tuple[np.ndarray, np.ndarray]:
    """(A, R) recent counts, and what is expected of them by the regions' tastes, a copy of one's own."""
    count = recent_counts(history, taste_half_life_days)
    mean = history.once((counts_and_tastes, taste_half_life_days, titles, knowledge),
                        lambda: expected_counts(count, titles, knowledge))
    return count, mean.copy()


def check_options(taste_half_life_days: float | None, min_requests: float) -> None:
    """Raises ValueError for values that make no sense."""
    if taste_half_life_days is not None and not taste_half_life_days > 0:
        raise ValueError(f"taste_half_life_days is positive, not {taste_half_life_days}")
    if not min_requests >= 0:
        raise ValueError(f"min_requests is not negative, not {min_requests}")
