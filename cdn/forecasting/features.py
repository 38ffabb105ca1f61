"""What the trees see of a pair on a day: lags of pair, title, release and region, age, weekday, attributes.

Everything is worked out from days up to ``known`` (the last day that may be looked at), by the same code for the days
learned from and for the forecast day. Counts stand as logarithms of their ratio to a simple base,

    base = V_r (title's recent share) (region's taste for the title, leaning on 1),

so that what is learned of small titles holds for large ones: trees cannot extrapolate.
"""

from dataclasses import dataclass

import numpy as np

from cdn.forecasting.events import factors_on
from cdn.forecasting.history import History
from cdn.forecasting.knowledge import Knowledge
from cdn.forecasting.launches import YOUNG_DAYS, launches_of
from cdn.forecasting.regional_tastes import pair_counts
from cdn.forecasting.seasonal_naive import DAYS_PER_WEEK
from cdn.forecasting.volumes import expected_volumes

HALF_LIVES = (1.0, 3.0, 10.0, 30.0)
NAMES = ("log_base", *(f"pair_{h:g}d" for h in HALF_LIVES), *(f"title_{h:g}d" for h in HALF_LIVES), "pair_last_week",
         "release_3d", "age", "weekday", "region", "region_volume", "kind", "genre", "order", "calendar")
CATEGORICAL = ("weekday", "region", "kind", "genre")
_TASTE_PRIOR = 3.0
_LEVEL_PRIOR = 0.3
_OLDEST = 400


@dataclass(frozen=True, eq=False)
class DayFeatures:
    """Of one day, for all pairs: ``base`` (A, R); ``columns``: name -> (A, R), (A, 1), (1, R) or (1, 1) array; ``seen``
    (A, R) bool; ``young`` (A,) bool; ``out`` (A,) bool: the title is out on the day."""

    base: np.ndarray
    columns: dict[str, np.ndarray]
    seen: np.ndarray
    young: np.ndarray
    out: np.ndarray

    def rows(self, asset: np.ndarray, region: np.ndarray) -> np.ndarray:
        """(N, features) float32 of pairs, in the order of NAMES."""
        shape = self.base.shape
        return np.column_stack([np.broadcast_to(self.columns[name], shape)[asset, region]
                                for name in NAMES]).astype(np.float32)


def day_features(history: History, known: int, day: int, knowledge: Knowledge) -> DayFeatures:
    """Features of day number ``day`` from the history's days before day number ``known``."""
    past = history.before(known)
    titles = knowledge.titles_of(len(history.asset_index))
    launches = launches_of(past, titles)
    age = launches.age(day)
    volume = expected_volumes(past, day, knowledge.calendar)
    totals = past.region_days.sum(axis=1)
    pair, title = {}, {}
    for half_life in HALF_LIVES:
        weight = np.where(past.observed, 0.5 ** ((len(totals) - 1 - np.arange(len(totals))) / half_life), 0.0)
        exposure = _exposure(weight * totals, launches.first)
        pair[half_life] = pair_counts(past, weight)
        title[half_life] = pair[half_life].sum(axis=1), exposure
    share = _recent_share(*title[HALF_LIVES[1]], age < YOUNG_DAYS)
    region_share = volume / volume.sum()
    long = pair[HALF_LIVES[-1]]
    taste = (_TASTE_PRIOR + long) / (_TASTE_PRIOR + long.sum(axis=1, keepdims=True) * region_share)
    base = np.maximum(share[:, None] * volume * taste, 1e-9)
    seen = pair_counts(past, np.ones(len(totals))) > 0
    columns = {"log_base": np.log(base)}
    for half_life in HALF_LIVES:
        counted, exposure = title[half_life]
        # A title that was not out yet is as its base, not as one that nobody wanted.
        per_day = np.divide(pair[half_life] * totals.mean(), exposure[:, None], out=base.copy(),
                            where=exposure[:, None] > 0)
        columns[f"pair_{half_life:g}d"] = np.log((per_day + 0.05) / (base + 0.05))
        columns[f"title_{half_life:g}d"] = np.log((counted / share + _LEVEL_PRIOR / share)
                                                  / (exposure + _LEVEL_PRIOR / share))[:, None]
    columns["pair_last_week"] = np.log((_week_before(past, day) + 0.05) / (base + 0.05))
    columns["release_3d"] = _release_level(share, titles.release)[:, None]
    columns |= {"age": np.clip(age, -1, _OLDEST)[:, None], "weekday": np.array([[day % DAYS_PER_WEEK]]),
                "region": np.arange(len(volume))[None], "region_volume": np.log(volume + 1)[None],
                "kind": titles.kind[:, None], "genre": titles.genre[:, None], "order": titles.order[:, None] % 10_000,
                "calendar": np.log(factors_on(knowledge.calendar, np.array([day]), len(volume)))}
    return DayFeatures(base, columns, seen, age < YOUNG_DAYS, age >= 0)


def _exposure(weighted_volume: np.ndarray, first: np.ndarray) -> np.ndarray:
    """(A,) weighted requests of all titles since each one came out."""
    return np.concatenate([np.cumsum(weighted_volume[::-1])[::-1], [0.0]])[first]


def _recent_share(counted: np.ndarray, exposed: np.ndarray, young: np.ndarray) -> np.ndarray:
    """(A,) share of all requests, leaning a little on the mean of young or of other titles."""
    share = np.zeros(len(counted))
    for of in (young, ~young):
        mean = (counted[of].sum() + 1e-6) / max(exposed[of].sum(), 1e-6)
        share[of] = (counted[of] + _LEVEL_PRIOR) / (exposed[of] + _LEVEL_PRIOR / mean)
    return share


def _week_before(past: History, day: int) -> np.ndarray:
    """(A, R) counts of the last day of the same weekday that is known; 0 where there is none."""
    weekday = (past.first_day + np.arange(len(past.observed)) - day) % DAYS_PER_WEEK == 0
    same = np.flatnonzero(weekday & past.observed)
    return pair_counts(past, (np.arange(len(past.observed)) == (same[-1] if len(same) else -1)).astype(float))


def _release_level(share: np.ndarray, release: np.ndarray) -> np.ndarray:
    """(A,) log ratio of the mean share of the title's release to its own."""
    n = np.bincount(release)
    mean = np.bincount(release, share) / np.maximum(n, 1)
    return np.log((mean[release] + 1e-9) / (share + 1e-9))
