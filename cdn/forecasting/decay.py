"""How titles fare after their release: a curve by age for each kind, learned from past launches.

    y_ad ~ V_d theta_a g_k(age),   g rises for some days or none, then falls, and is 1 from ``YOUNG_DAYS`` on

theta (the title's long-run share) and g (its kind's curve) are fitted in turn; a cell of expected count mu weighs
1 / (1 + mu / 10), so that no hit's own story becomes everyone's. A kind leans on the curve of all kinds with the weight
of some hundred requests an age. It rises and falls by isotonic regression (R. Barlow et al., Statistical inference
under order restrictions, 1972), which supposes no law: exponential, power law and plateau all fit; of the days on which
it could turn it does on the likeliest. A film falls from its first day, what spreads by word of mouth is found first.
"""

import numpy as np
from scipy.optimize import isotonic_regression

from cdn.forecasting.history import History
from cdn.forecasting.launches import YOUNG_DAYS, Launches
from cdn.forecasting.titles import UNKNOWN_DAY

_ROUNDS = 12
_PRIOR_REQUESTS = 200.0
_OVERDISPERSED_FROM = 10.0
_LARGEST = 1e4
_LATEST_TOP = 14


def decay_curves(history: History, launches: Launches, kind: np.ndarray) -> np.ndarray:
    """(kinds, YOUNG_DAYS + 1) factor by age on a title's long-run level; the last column, 1, is that of older ages. All
    ones where the history has no launch."""
    n_kinds = int(kind.max(initial=0)) + 1
    asset = _launched(history, launches)
    days = history.first_day + np.arange(len(history.observed))
    age = days - launches.release_day[asset, None]
    known = (age >= 0) & history.observed
    age = np.clip(age, 0, YOUNG_DAYS)
    volume = history.region_days.sum(axis=1)
    counts, exposure = history.asset_days[asset] * known, volume * known
    if not counts.sum() > 0:
        return np.ones((n_kinds, YOUNG_DAYS + 1))
    everyone = _curve(counts, exposure, age, np.ones(YOUNG_DAYS + 1), 0.0)
    return np.array([_scaled(_curve(counts[of], exposure[of], age[of], everyone, _PRIOR_REQUESTS))
                     for of in (kind[asset] == k for k in range(n_kinds))])


def factors_of(curves: np.ndarray, kind: np.ndarray, launches: Launches, first_day: int, n_days: int) -> np.ndarray:
    """(A, n_days) float64 the curve's factor of every title on day numbers from ``first_day`` on; 1 where the release
    is not known, and before it."""
    factor = np.ones((len(kind), n_days))
    young = np.flatnonzero((launches.release_day != UNKNOWN_DAY)
                           & (launches.release_day > first_day - YOUNG_DAYS))
    age = first_day + np.arange(n_days) - launches.release_day[young, None]
    values = curves[kind[young, None], np.clip(age, 0, YOUNG_DAYS)]
    factor[young] = np.where(age >= 0, values, 1.0)
    return factor


def _launched(history: History, launches: Launches) -> np.ndarray:
    """Titles that were young on some day of the history and asked for."""
    age_at_start = launches.age(history.first_day)
    young = (age_at_start < YOUNG_DAYS) & (launches.first < len(history.observed))
    return np.flatnonzero(young & (history.asset_days.sum(axis=1) > 0))


def _curve(counts: np.ndarray, exposure: np.ndarray, age: np.ndarray, prior: np.ndarray,
           prior_requests: float) -> np.ndarray:
    """(YOUNG_DAYS + 1,) curve of titles' counts (N, D); ``prior`` where no title has the age."""
    curve = prior.copy()
    for _ in range(_ROUNDS):
        by_cell = curve[age] * exposure
        theta = counts.sum(axis=1) / np.maximum(by_cell.sum(axis=1), 1e-300)
        expected = theta[:, None] * exposure
        weight = 1 / (1 + expected * curve[age] / _OVERDISPERSED_FROM)
        seen = np.bincount(age.ravel(), (weight * counts).ravel(), YOUNG_DAYS + 1)
        base = np.bincount(age.ravel(), (weight * expected).ravel(), YOUNG_DAYS + 1)
        pull = prior_requests / np.maximum(prior, 1e-12)
        ratio = (seen + pull * prior) / np.maximum(base + pull, 1e-300)
        informed = base + pull > 0
        curve[informed] = _rise_and_fall(ratio[informed], (base + pull)[informed])
        ages = np.arange(YOUNG_DAYS + 1)
        curve = np.interp(ages, ages[informed], curve[informed])
        curve = np.maximum(curve / max(curve[-1], curve.max() / _LARGEST), 1e-12)
    return curve


def _rise_and_fall(ratio: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """(N,) the likeliest means of Poisson counts ``ratio`` x ``weight`` that rise up to one of the first days and fall
    from there on."""
    best, found = -np.inf, ratio
    for top in range(min(_LATEST_TOP, len(ratio) - 1) + 1):
        rise = isotonic_regression(ratio[:top], weights=weight[:top], increasing=True).x if top else ratio[:0]
        fall = isotonic_regression(ratio[top:], weights=weight[top:], increasing=False).x
        fit = np.maximum(np.concatenate([np.minimum(rise, fall[0]), fall]), 1e-300)
        likelihood = (weight * (ratio * np.log(fit) - fit)).sum()
        if likelihood > best:
            best, found = likelihood, fit
    return found


def _scaled(curve: np.ndarray) -> np.ndarray:
    return np.maximum(curve / curve[-1], 1 / _LARGEST)
