"""The ensemble: a weighted mean of several methods, with the weights that have paid lately, as many days ahead.

Every expert forecasts the last days again, each from what came before it, as many days ahead as the forecast looks, and
is weighted by the regret of filling caches of several sizes with that (``expert_weights``). Weights are those of a
group of pairs, old titles, young ones or such that nobody asked for yet x size of region, and lean on those of all.

An expert that cannot know a title, which nobody asked for in its history, has no opinion of it and follows the others
(experts that sleep: Y. Freund et al., Using and combining predictors that specialize, STOC 1997): what comes out today
is foreseen by those that foresee launches, whatever the others earned on days without any. And all experts are brought
to one volume per region, their median: weights are earned by who asks for what, not by how much is asked for in all.

The dispersion is that of the judged days' counts about the mixture, and at least: of young titles that of their levels
over the last two weeks (``level_dispersions``), of titles that nobody asked for yet what is unknown of a launch before
its first request. These are about the title's level l, and the mixture m may be elsewhere, as some experts spread a
young title's few days over days before its release: about m it is phi (l / m)^2 + (l / m - 1)^2.
"""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from cdn.forecasting.damped_trend import SIZE_CLASSES, damped_trend, region_sizes
from cdn.forecasting.empirical_bayes import empirical_bayes
from cdn.forecasting.expectation import ExpectedRequests
from cdn.forecasting.expert_weights import expert_weights, group_losses, mixture
from cdn.forecasting.forecaster import Forecaster
from cdn.forecasting.gradient_boosting import gradient_boosting, is_usable
from cdn.forecasting.history import History
from cdn.forecasting.knowledge import NOTHING_KNOWN, Knowledge
from cdn.forecasting.launch_curves import launch_curves, launched_levels
from cdn.forecasting.launches import YOUNG_DAYS, launches_of
from cdn.forecasting.low_rank import low_rank
from cdn.forecasting.marginal_prices import Ladder
from cdn.forecasting.past_forecasts import PastForecasts
from cdn.forecasting.shrinkage import shrinkage
from cdn.forecasting.title_levels import TitleLevels
from cdn.forecasting.uncertainty import (
    DEFAULT_DISPERSION,
    N_CLASSES,
    counts_on,
    dispersions_of,
    measured_dispersions,
)

EXPERTS: dict[str, Forecaster] = {
    "shrinkage": shrinkage,
    "damped_trend": damped_trend,
    "empirical_bayes": empirical_bayes,
    "launch_curves": launch_curves,
    "low_rank": low_rank,
}
"""The statistical methods. ``gradient_boosting`` joins them where it is asked for or its extra is installed."""
_OPTIONS: dict[str, dict[str, Any]] = {
    "empirical_bayes": {"interval": False},
    "launch_curves": {"interval": False},
    "low_rank": {"interval": False},
    "gradient_boosting": {"interval": False, "sampled_rows": 80_000},
}
"""No expert measures its own errors. Trees are learned anew for every judged day: from fewer pairs than where they
stand alone, but no fewer weekdays."""
WINDOW_DAYS = 42
"""Experts look back so far at most, on the forecast day and on judged days alike; so forecasts made on earlier days
from a longer history are the very ones that judged days need."""
STORAGE_SHARES = (0.005, 0.02, 0.05, 0.15)
MOST_JUDGED_PAIRS = 2_000_000
"""Where there are more, experts are judged in some of the regions, from the largest to the smallest: a regret is the
sum of the caches', so whole regions stand for all."""
_OLD, _YOUNG, _UNSEEN = range(3)
_WIDEST = 5.0
"""Of a larger dispersion the 90 % quantile is nearer to the mean again, not farther."""
N_GROUPS = (_UNSEEN + 1) * SIZE_CLASSES


@dataclass(frozen=True, eq=False)
class _Panel:
    """The experts' forecasts of one day: ``keys`` (N,) of all pairs that any foresees, ``requests`` (M, N), and whose
    they are: ``youth`` (A,) of the titles, ``size`` (R,) classes of the regions."""

    keys: np.ndarray
    requests: np.ndarray
    youth: np.ndarray
    size: np.ndarray

    def in_regions(self, chosen: np.ndarray) -> "_Panel":
        """The part of it in regions that are ``chosen`` (R,) bool."""
        rows = chosen[self.keys % len(chosen)]
        return self if rows.all() else replace(self, keys=self.keys[rows], requests=self.requests[:, rows])

    def groups(self, keys: np.ndarray) -> np.ndarray:
        """(N,) int8 group of each pair, in 0..N_GROUPS-1."""
        group = np.array(SIZE_CLASSES * self.youth, dtype=np.int8)[keys // len(self.size)]
        group += self.size.astype(np.int8)[keys % len(self.size)]
        return group


@dataclass(frozen=True, eq=False)
class _Judged:
    """One day that has passed: the panel, what came of its pairs (N,), and regrets (M, N_GROUPS)."""

    panel: _Panel
    count: np.ndarray
    loss: np.ndarray


@dataclass(frozen=True, eq=False)
class _Experts:
    """Who forecasts, from what: the whole history, what is known in advance, what was forecast before."""

    members: dict[str, Forecaster]
    history: History
    knowledge: Knowledge
    min_requests: float
    past: PastForecasts
    _windows: dict[int, History] = field(default_factory=dict)

    def forecast(self, until_day: int, day: int) -> _Panel:
        """Of ``day`` from the days before ``until_day``."""
        n_regions = len(self.history.region_index)
        found = [self._one(name, until_day, day) for name in self.members]
        keys = np.unique(np.concatenate([one.keys(n_regions) for one in found]))
        requests = np.zeros((len(found), len(keys)))
        for row, one in zip(requests, found, strict=True):
            row[np.searchsorted(keys, one.keys(n_regions))] = one.requests
        window = self.window(until_day)
        youth = _youth(window, day, self.knowledge)
        region = keys % n_regions
        volume = np.median([np.bincount(region, row, n_regions) for row in requests], axis=0)
        with_opinions(requests, keys // n_regions, window.asset_days.sum(axis=1) > 0)
        to_one_volume(requests, region, volume)
        return _Panel(keys, requests, youth, region_sizes(window.region_days.sum(axis=0)))

    def window(self, until_day: int) -> History:
        """The days before ``until_day``; the last one asked for is kept: what several experts need of it is worked out
        once."""
        if until_day not in self._windows:
            self._windows.clear()
            self._windows[until_day] = self.history.window(until_day, WINDOW_DAYS)
        return self._windows[until_day]

    def _one(self, name: str, until_day: int, day: int) -> ExpectedRequests:
        options = dict(_OPTIONS.get(name, {}))
        if "interval" in options or name == "shrinkage":
            options["min_requests"] = self.min_requests
        forecaster = self.members[name]
        what = forecaster, tuple(sorted(options.items()))
        return self.past.recalled(what, self.history, (until_day, WINDOW_DAYS), day, self.knowledge,
                                  lambda: forecaster(self.window(until_day), day, self.knowledge, **options))

    def judged(self, day: int, ahead: int) -> _Judged:
        """How they did on ``day``, ``ahead`` days after the first they could have forecast."""
        what = "judged", tuple(self.members.items()), self.min_requests
        return self.past.recalled(what, self.history, (day + 1, WINDOW_DAYS + ahead + 1), day, self.knowledge,
                                  lambda: _judge(self, day, ahead))


def ensemble(history: History, day: int, knowledge: Knowledge = NOTHING_KNOWN, *, judged_days: int = 3,
             learning_rate: float = 15.0, min_requests: float = 0.01, trees: bool | None = None,
             experts: dict[str, Forecaster] | None = None, past: PastForecasts | None = None) -> ExpectedRequests:
    """The mixture for ``day``. ``judged_days``: days on which experts are judged; ``learning_rate`` eta: at 15 an
    expert that lost a fifth more than the best counts e^3 times less; 0 weighs all alike. ``min_requests``: that of the
    experts that foresee pairs never asked for. ``trees``: with gradient boosting or not; None: where its extra is
    installed. ``experts``: instead of EXPERTS and trees. ``past``: forecasts made before, used where they are the same
    to the last bit; new ones are added."""
    _check(judged_days, learning_rate, min_requests)
    members = experts_of(trees) if experts is None else experts
    panel_of = _Experts(members, history, knowledge, min_requests, PastForecasts(0) if past is None else past)
    ahead = day - history.until_day
    judged = [panel_of.judged(int(d), ahead) for d in history.observed_days[1:][-judged_days:]
              if history.before(int(d) - ahead).observed.any()]
    weights = expert_weights(np.array([one.loss for one in judged]).reshape(-1, len(members), N_GROUPS), learning_rate)
    panel = panel_of.forecast(history.until_day, day)
    region, asset = panel.keys % len(history.region_index), panel.keys // len(history.region_index)
    mean = mixture(weights, panel.groups(panel.keys), panel.requests)
    window = panel_of.window(history.until_day)
    phi = dispersions_of(_table(judged, weights), mean, panel.youth[asset])
    titles = knowledge.titles_of(len(history.asset_index))
    levels = launched_levels(window, day, titles, launches_of(window, titles), knowledge)
    of_levels = _about_the_mixture(levels, panel.youth, np.bincount(asset, mean, len(panel.youth)))
    phi = np.maximum(phi, of_levels[asset])
    return ExpectedRequests(region, asset, mean, phi)


def experts_of(trees: bool | None) -> dict[str, Forecaster]:
    """The experts with or without gradient boosting; None: with it where its extra is installed."""
    with_trees = is_usable() if trees is None else trees
    return EXPERTS | ({"gradient_boosting": gradient_boosting} if with_trees else {})


def with_opinions(requests: np.ndarray, asset: np.ndarray, asked: np.ndarray) -> None:
    """Gives experts that have no opinion of a title, in place, the mean of those that have: ``requests`` (M, N) of
    pairs of ``asset`` (N,). Who foresees nothing of a title that was ``asked`` for (A,) bool does have an opinion."""
    silent = np.array([np.bincount(asset, row, len(asked)) == 0 for row in requests]) & ~asked
    has = ~silent[:, asset]
    mean = (requests * has).sum(axis=0) / np.maximum(has.sum(axis=0), 1)
    np.copyto(requests, mean, where=~has)


def to_one_volume(requests: np.ndarray, region: np.ndarray, volume: np.ndarray) -> None:
    """Scales ``requests`` (M, N), in place, so that all experts expect ``volume`` (R,) of each region in all; an expert
    that expects nothing at all of a region goes on doing so."""
    total = np.array([np.bincount(region, row, len(volume)) for row in requests])
    factor = np.divide(volume, total, out=np.ones(total.shape), where=total > 0)
    requests *= factor[:, region]


def _check(judged_days: int, learning_rate: float, min_requests: float) -> None:
    if not judged_days >= 1:
        raise ValueError(f"judged_days is at least 1, not {judged_days}")
    if not min_requests >= 0:
        raise ValueError(f"min_requests is not negative, not {min_requests}")
    if not 0 <= learning_rate < np.inf:
        raise ValueError(f"learning_rate is a number that is not negative, not {learning_rate}")


def _judge(experts: _Experts, day: int, ahead: int) -> _Judged:
    history, knowledge = experts.history, experts.knowledge
    n_regions = len(history.region_index)
    panel = experts.forecast(day - ahead, day)
    chosen = _judged_regions(panel, n_regions)
    panel = panel.in_regions(chosen)
    count = counts_on(history, day, ExpectedRequests.of_keys(panel.keys, panel.requests[0], n_regions))
    return _Judged(panel, count, _regrets(panel, history, day, knowledge, chosen))


def _judged_regions(panel: _Panel, n_regions: int) -> np.ndarray:
    """(R,) bool: all regions, or every k-th in order of what is expected of them."""
    step = -(-len(panel.keys) // MOST_JUDGED_PAIRS)
    volume = np.bincount(panel.keys % n_regions, panel.requests.mean(axis=0), n_regions)
    chosen = np.zeros(n_regions, dtype=bool)
    chosen[np.argsort(-volume, kind="stable")[::max(step, 1)]] = True
    return chosen


def _youth(history: History, day: int, knowledge: Knowledge) -> np.ndarray:
    """(A,) is a title old on the day, young, or young and nobody asked for it yet?"""
    young = launches_of(history, knowledge.titles_of(len(history.asset_index))).age(day) < YOUNG_DAYS
    return np.where(young, np.where(history.asset_days.any(axis=1), _YOUNG, _UNSEEN), _OLD)


def _regrets(panel: _Panel, history: History, day: int, knowledge: Knowledge, chosen: np.ndarray) -> np.ndarray:
    """(M, N_GROUPS) mean regret over the cache sizes, on all pairs of the ``chosen`` regions (R,) that the day or an
    expert has."""
    n_regions, n_assets = len(history.region_index), len(history.asset_index)
    size = np.ones(n_assets) if knowledge.size_bytes is None else knowledge.size_bytes.astype(np.float64)
    rows = np.arange(*np.searchsorted(history.day, [day - history.first_day, day - history.first_day + 1]).tolist())
    rows = rows[chosen[history.region[rows]]]
    true_key = history.asset[rows].astype(np.int64) * n_regions + history.region[rows]
    keys = np.union1d(panel.keys, true_key)
    asset = keys // n_regions
    true, foreseen = np.zeros(len(keys)), np.zeros((len(panel.requests), len(keys)))
    true[np.searchsorted(keys, true_key)] = history.requests[rows]
    foreseen[:, np.searchsorted(keys, panel.keys)] = panel.requests
    ladders = [Ladder.of_one_cache_per_region(n_regions, size, share) for share in STORAGE_SHARES]
    true, foreseen, group = true * size[asset], foreseen * size[asset], panel.groups(keys)
    return np.mean([group_losses(ladder, keys % n_regions, asset, true, foreseen, group, N_GROUPS)
                    for ladder in ladders], axis=0)


def _about_the_mixture(levels: TitleLevels, youth: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """(A,) phi of young titles' levels, about the mixture's ``mean`` (A,); 0 of old ones."""
    own = np.where(youth == _UNSEEN, 1 / levels.shape, levels.dispersion)
    level = levels.share * mean.sum() / max(levels.share.sum(), 1e-300)
    ratio = np.divide(level, mean, out=np.ones(len(mean)), where=(mean > 0) & (youth != _OLD))
    return np.maximum(own, np.minimum(own * ratio**2 + (ratio - 1) ** 2, _WIDEST))


def _table(judged: list[_Judged], weights: np.ndarray) -> np.ndarray:
    """Dispersions of the judged days' counts about the mixture, as in ``measured_dispersions``."""
    if not judged:
        return np.full((_UNSEEN + 1, N_CLASSES), DEFAULT_DISPERSION)
    mean = np.concatenate([mixture(weights, one.panel.groups(one.panel.keys), one.panel.requests) for one in judged])
    youth = np.concatenate([one.panel.youth[one.panel.keys // len(one.panel.size)] for one in judged])
    return measured_dispersions(mean, np.concatenate([one.count for one in judged]), youth, _UNSEEN + 1)
