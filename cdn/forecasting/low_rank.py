"""Low rank: titles seen in a few regions borrow the regions of titles with the same audience.

As ``launch_curves``, but the regions' tastes come from a factorisation of region x title into a few audiences
(``factorisation``) instead of a ladder of genre, series and country, which it needs not know; what a pair's own counts
say beyond that is a gamma-Poisson factor as there (``regional_tastes``).
"""

import numpy as np

from cdn.forecasting.empirical_bayes import check_options, recent_counts
from cdn.forecasting.expectation import ExpectedRequests
from cdn.forecasting.factorisation import factorise
from cdn.forecasting.history import History
from cdn.forecasting.knowledge import NOTHING_KNOWN, Knowledge
from cdn.forecasting.launch_curves import launched_levels
from cdn.forecasting.launches import YOUNG_DAYS, launches_of
from cdn.forecasting.pair_forecasts import PairForecast, with_last_day_s_dispersion
from cdn.forecasting.reconciliation import fitted_to_margins
from cdn.forecasting.regional_tastes import TasteLevel, apply_level
from cdn.forecasting.volumes import expected_volumes


def low_rank(history: History, day: int, knowledge: Knowledge = NOTHING_KNOWN, *, factors: int = 8,
             prior_requests: float = 20.0, taste_half_life_days: float | None = 30.0, min_requests: float = 0.01,
             interval: bool = True, seed: int = 1) -> ExpectedRequests:
    """``factors``: audiences. ``prior_requests``: what the mean audience weighs against a title's own requests.
    ``seed``: of the starts. The others as in ``empirical_bayes``."""
    check_options(taste_half_life_days, min_requests)
    if not factors >= 1:
        raise ValueError(f"factors is at least 1, not {factors}")
    if not 0 <= prior_requests < np.inf:
        raise ValueError(f"prior_requests is a number that is not negative, not {prior_requests}")

    # A region x title table has no more audiences than regions.
    factors = min(factors, len(history.region_index))

    def pairs(until: History, of_day: int) -> PairForecast:
        titles = knowledge.titles_of(len(until.asset_index))
        launches = launches_of(until, titles)
        levels = launched_levels(until, of_day, titles, launches, knowledge)
        count = recent_counts(until, taste_half_life_days)
        theta, phi = factorise(count, factors, prior_requests, np.random.default_rng(seed))
        mean = np.maximum(count.sum(axis=1), 1e-6)[:, None] * (theta @ phi)
        apply_level(mean, count, TasteLevel("region, title", np.arange(count.shape[1]), np.arange(len(count))))
        fitted_to_margins(mean, levels.share, expected_volumes(until, of_day, knowledge.calendar))
        return PairForecast(mean, count > 0, launches.age(of_day) < YOUNG_DAYS, levels)

    return with_last_day_s_dispersion(pairs, history, day, min_requests, interval)
