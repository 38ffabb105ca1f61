"""How much of all requests each title gets, all regions together: a gamma-Poisson level that forgets.

With V_d requests in all on day d and x_ad the factor by which the title is known to be above its usual level (by what
the day does to titles like it, ``day_factors``, and by its age, ``decay``)

    y_ad ~ Poisson(V_d x_ad theta_a),   theta_a ~ Gamma(c, c / m)  before any request
    S_d = delta S_{d-1} + y_ad,   X_d = delta X_{d-1} + V_d x_ad   (from the release on)
    E[theta_a] = (c + S) / (c / m + X)

The prior's mean m and shape c are those of titles of the kind and, for young ones, of launches at that age; delta is,
for each class of popularity and youth, the one that foresaw the history's days best (least Poisson deviance).
A. Harvey, C. Fernandes, Time series models for count or qualitative observations (JBES 7, 1989).
"""

from dataclasses import dataclass

import numpy as np

from cdn.compilation import kernel
from cdn.forecasting.day_factors import TitleFactors, sampled_titles
from cdn.forecasting.foresight import foresee
from cdn.forecasting.gamma_shapes import popularity_class, shape_of
from cdn.forecasting.history import History
from cdn.forecasting.launches import AGE_CLASSES, YOUNG_DAYS, Launches, age_class
from cdn.forecasting.level_dispersions import level_dispersions
from cdn.forecasting.titles import TitleAttributes

HALF_LIVES = np.array([0.5, 1.0, 1.5, 2.0, 3.0, 4.5, 7.0, 11.0, 18.0, 30.0, 60.0, 1e6])
"""Days after which a request counts half, to choose from."""
N_CLASSES = 22
_TUNED_DAYS = 14
_TRIED_TITLES = 500
_PRIOR_LAUNCHES = 3.0


@dataclass(frozen=True, eq=False)
class TitleLevels:
    """(A,) each: ``share`` of all requests on the forecast day (not scaled to add up to 1; 0 before the release);
    ``shape`` of what is still unknown about it before any request (1 / squared relative sd); ``evidence``: requests
    the level rests on, old ones forgotten; ``half_life_days``;
    ``dispersion``: phi of young titles by ``level_dispersions``, 0 of others."""

    share: np.ndarray
    shape: np.ndarray
    evidence: np.ndarray
    half_life_days: np.ndarray
    dispersion: np.ndarray


@dataclass(frozen=True, eq=False)
class LevelPriors:
    """(A,) mean m > 0 and shape c > 0 of each title's theta before its own requests are looked at."""

    mean: np.ndarray
    shape: np.ndarray


def title_levels(history: History, day: int, titles: TitleAttributes, launches: Launches,
                 factors: TitleFactors, priors: LevelPriors | None = None) -> TitleLevels:
    """Levels on day number ``day``. ``factors``: x; ``priors``: by kind and age unless given, and then no dispersions:
    factors that do not know how titles fare after their release would have these be those of a curve that is flat."""
    volume = history.region_days.sum(axis=1)
    age = launches.age(day)
    by_age = priors is None
    priors = priors_by_age(history, day, titles, launches) if priors is None else priors
    horizon = day - history.until_day + 1
    group = popularity_class(history.asset_days.sum(axis=1), N_CLASSES) + N_CLASSES * (age < YOUNG_DAYS)
    first_tuned = max(len(volume) - _TUNED_DAYS, 1)
    tried = np.concatenate(sampled_titles(group, history.asset_days.sum(axis=1), 2 * N_CLASSES, _TRIED_TITLES))
    deviance = _deviances(history.asset_days[tried], volume, history.observed, launches.first[tried],
                          factors.past[tried], factors.foreseen[tried], group[tried], 2 * N_CLASSES, priors.mean[tried],
                          priors.shape[tried], 0.5 ** (1 / HALF_LIVES), horizon, first_tuned)
    half_life = HALF_LIVES[_best(deviance)][group]
    counted, exposed = forgetting_sums(history.asset_days, volume, history.observed, launches.first, factors.past,
                                        0.5 ** (1 / half_life))
    theta = (priors.shape + counted) / (priors.shape / priors.mean + exposed)
    share = np.where(age < 0, 0.0, theta * factors.foreseen[:, -1])
    dispersion = np.zeros(len(share)) if by_age else level_dispersions(
        history, day, launches, factors, (priors.mean, priors.shape), half_life, first_tuned)
    return TitleLevels(share, priors.shape + counted, counted, half_life, dispersion)


def _best(deviance: np.ndarray) -> np.ndarray:
    """(G,) position of the half-life of least deviance per class; a class leans on its neighbours by a quarter."""
    by_youth = deviance.reshape(2, N_CLASSES, -1)
    smooth = by_youth.copy()
    smooth[:, 1:] += 0.25 * by_youth[:, :-1]
    smooth[:, :-1] += 0.25 * by_youth[:, 1:]
    return smooth.reshape(deviance.shape).argmin(axis=1)


def priors_by_age(history: History, day: int, titles: TitleAttributes, launches: Launches) -> LevelPriors:
    """Means of titles of the kind and, for young titles, of launches at that age."""
    volume = history.region_days.sum(axis=1)
    age = launches.age(day)
    n_kinds = int(titles.kind.max(initial=0)) + 1
    days_out = _volume_since(volume, launches.first)
    total = history.asset_days.sum(axis=1)
    old = age >= YOUNG_DAYS
    mean = _kind_means(total[old], days_out[old], titles.kind[old], n_kinds, volume.mean())
    prior_mean = mean[titles.kind]
    shape = shape_of(total[old], prior_mean[old] * days_out[old])
    prior_shape = np.full(len(titles), min(shape, 10.0))
    for youth in range(len(AGE_CLASSES) - 1):
        at_age = (age >= 0) & (age < YOUNG_DAYS) & (age_class(age) == youth)
        if not at_age.any():
            continue
        asset, d = _cells_at(history, launches, youth)
        if len(asset):
            count, exposure = history.asset_days[asset, d], volume[d]
            launched = _kind_means(count, exposure, titles.kind[asset], n_kinds, volume.mean())
            prior_mean[at_age] = launched[titles.kind[at_age]]
            prior_shape[at_age] = min(shape_of(count, launched[titles.kind[asset]] * exposure), 10.0)
    return LevelPriors(np.maximum(prior_mean, 1e-12), prior_shape)


def _cells_at(history: History, launches: Launches, youth: int) -> tuple[np.ndarray, np.ndarray]:
    """Assets and days (of the history) at which released titles were in a class of youth, the day observed."""
    young = np.flatnonzero((launches.first < len(history.observed)) & (launches.age(history.first_day) < YOUNG_DAYS))
    age = launches.age(history.first_day)[young, None] + np.arange(len(history.observed))
    inside = (age >= AGE_CLASSES[youth]) & (age < AGE_CLASSES[youth + 1]) & history.observed
    row, d = np.nonzero(inside)
    return young[row], d


def _kind_means(count: np.ndarray, exposure: np.ndarray, kind: np.ndarray, n_kinds: int,
                day_volume: float) -> np.ndarray:
    """(kinds,) requests per unit of exposure, each leaning on that of all kinds with the weight of a few launches."""
    everyone = count.sum() / exposure.sum() if exposure.sum() > 0 else 0.0
    weight = _PRIOR_LAUNCHES * day_volume
    return ((np.bincount(kind, count, n_kinds) + weight * everyone)
            / np.maximum(np.bincount(kind, exposure, n_kinds) + weight, 1e-300))


def _volume_since(volume: np.ndarray, first: np.ndarray) -> np.ndarray:
    """(A,) requests of all titles from each one's first day on."""
    after = np.concatenate([np.cumsum(volume[::-1])[::-1], [0.0]])
    return after[first]


@kernel
def forgetting_sums(asset_days, volume, observed, first, factor, delta):
    """S and X (A,) after the last day, from counts (A, D), volumes (D,), factors (A, D) and delta (A,)."""
    n_assets, n_days = asset_days.shape
    counted, exposed = np.zeros(n_assets), np.zeros(n_assets)
    for a in range(n_assets):
        for d in range(first[a], n_days):
            counted[a] *= delta[a]
            exposed[a] *= delta[a]
            if observed[d]:
                counted[a] += asset_days[a, d]
                exposed[a] += volume[d] * factor[a, d]
    return counted, exposed


@kernel
def _deviances(asset_days, volume, observed, first, factor, foreseen, group, n_groups, prior_mean, prior_shape, deltas,
               horizon, first_tuned):
    """(G, deltas) minus the Poisson log likelihood of the tuned days, each foreseen ``horizon`` days before."""
    n_assets, n_days = asset_days.shape
    result, mean = np.zeros((n_groups, len(deltas))), np.zeros(n_days)
    for a in range(n_assets):
        for k in range(len(deltas)):
            foresee(mean, asset_days[a], volume, observed, first[a], factor[a], foreseen[a], prior_mean[a],
                    prior_shape[a], deltas[k], horizon, first_tuned)
            total = 0.0
            for d in range(max(first[a] + horizon, first_tuned), n_days):
                if observed[d]:
                    total += mean[d] - asset_days[a, d] * np.log(max(mean[d], 1e-12))
            result[group[a], k] += total
    return result
