"""How much more or less than everyone a region asks for a title: gamma-Poisson factors, level under level.

Without tastes region r, which makes v_r of all requests, would ask mu_ra = v_r Y_a times for a title of Y_a requests. A
level groups regions and titles; each group G of pairs gets a factor of mean 1, estimated from its own counts,

    n_G ~ Poisson(mu_G f_G),  f_G ~ Gamma(alpha, alpha),  f_G = (alpha + n_G) / (alpha + mu_G),  mu_ra <- mu_ra f_G

and what comes out is the prior of the next, finer level: world -> (region, kind and genre) -> (region, series) ->
(country, release) -> (region, release) -> (country, title) -> (region, title). So an episode nobody asked for yet has
its season's regions, and a region that never asked its country's taste. alpha is the likeliest for each class of
popularity (``cdn.forecasting.gamma_shapes``); after each level every title's mu add up to Y_a again.
C. Morris, Parametric empirical Bayes inference (JASA 78, 1983).
"""

from dataclasses import dataclass

import numpy as np

from cdn.compilation import kernel
from cdn.forecasting.gamma_shapes import popularity_class, shapes_by_class
from cdn.forecasting.history import History
from cdn.forecasting.knowledge import Knowledge
from cdn.forecasting.titles import TitleAttributes

N_CLASSES = 22
_LEAST_COUNT = 1e-6
_SAMPLED_GROUPS = 4000


@dataclass(frozen=True, eq=False)
class TasteLevel:
    """``region_group`` (R,), ``asset_group`` (A,): codes from 0."""

    name: str
    region_group: np.ndarray
    asset_group: np.ndarray


def taste_levels(titles: TitleAttributes, country: np.ndarray) -> list[TasteLevel]:
    """The levels that say something, coarse to fine: a grouping that tells nothing apart, or no more than the one
    before it, is left out."""
    n_assets, n_regions = len(titles), len(country)
    region, asset = np.arange(n_regions), np.arange(n_assets)
    kind_genre = titles.kind.astype(np.int64) * (titles.genre.max(initial=0) + 1) + titles.genre
    countries = len(np.unique(country))
    levels = [TasteLevel("region, genre", region, kind_genre), TasteLevel("region, series", region, titles.series)]
    for name, group in (("release", titles.release), ("title", asset)):
        if 1 < countries < n_regions:
            levels.append(TasteLevel(f"country, {name}", country, group))
        levels.append(TasteLevel(f"region, {name}", region, group))
    coded = [TasteLevel(level.name, level.region_group, np.unique(level.asset_group, return_inverse=True)[1])
             for level in levels]
    telling = [level for level in coded if 1 < level.asset_group.max(initial=0) + 1 < n_assets]
    return telling + [level for level in coded[-2:] if level.name.endswith("title")]


def pair_counts(history: History, day_weight: np.ndarray) -> np.ndarray:
    """(A, R) requests of each pair, days weighted by ``day_weight`` (D,)."""
    return _pair_counts(history.day, history.region, history.asset, history.requests, day_weight,
                        len(history.asset_index), len(history.region_index))


def expected_counts(count: np.ndarray, titles: TitleAttributes, knowledge: Knowledge) -> np.ndarray:
    """(A, R) posterior mean of what pairs would be asked for in the days counted; ``count`` (A, R). A title without
    any request is given a millionth of one, spread by its groups' tastes. Each row adds up to the title's requests."""
    n_regions = count.shape[1]
    of_title = np.maximum(count.sum(axis=1), _LEAST_COUNT)
    of_region = count.sum(axis=0)
    mean = of_title[:, None] * (of_region / of_region.sum())
    for level in taste_levels(titles, knowledge.country_of(n_regions)):
        apply_level(mean, count, level)
        mean *= (of_title / np.maximum(mean.sum(axis=1), 1e-300))[:, None]
    return mean


def level_strengths(count: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """(N_CLASSES,) alpha of each popularity class, from group counts and means (G, P)."""
    rows = sampled_titles(mean.sum(axis=1))
    n, mu = count[rows].ravel(), mean[rows].ravel()
    return shapes_by_class(n, mu, popularity_class(mu, N_CLASSES), N_CLASSES)


def sampled_titles(size: np.ndarray) -> np.ndarray:
    """Some thousands of rows that stand for all (N,): the largest, and every k-th of the others in order of size."""
    by_size = np.argsort(-size, kind="stable")
    head, rest = by_size[:_SAMPLED_GROUPS // 2], by_size[_SAMPLED_GROUPS // 2:]
    return np.concatenate([head, rest[::max(1, 2 * len(rest) // _SAMPLED_GROUPS)]])


def apply_level(mean: np.ndarray, count: np.ndarray, level: TasteLevel) -> None:
    """Multiplies ``mean`` (A, R), in place, by the factors of one level."""
    shape = (int(level.asset_group.max(initial=-1)) + 1, int(level.region_group.max()) + 1)
    of_group = _grouped(count, level.asset_group, level.region_group, *shape)
    expected = _grouped(mean, level.asset_group, level.region_group, *shape)
    alpha = level_strengths(of_group, expected)[popularity_class(expected, N_CLASSES)]
    _scale(mean, level.asset_group, level.region_group, (alpha + of_group) / (alpha + expected))


@kernel
def _pair_counts(day, region, asset, requests, day_weight, n_assets, n_regions):
    count = np.zeros((n_assets, n_regions))
    for i in range(len(day)):
        count[asset[i], region[i]] += day_weight[day[i]] * requests[i]
    return count


@kernel
def _grouped(values, asset_group, region_group, n_asset_groups, n_region_groups):
    total = np.zeros((n_asset_groups, n_region_groups))
    for a in range(values.shape[0]):
        for r in range(values.shape[1]):
            total[asset_group[a], region_group[r]] += values[a, r]
    return total


@kernel
def _scale(values, asset_group, region_group, factor):
    for a in range(values.shape[0]):
        for r in range(values.shape[1]):
            values[a, r] *= factor[asset_group[a], region_group[r]]
