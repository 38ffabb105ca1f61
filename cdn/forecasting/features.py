"""What the trees see of a pair on a day: lags of pair, title, release and region, age, weekday, attributes.

Everything is worked out from days up to ``known`` (the last day that may be looked at), by the same code for the days
learned from and for the forecast day. Counts stand as logarithms of their ratio to a simple base,

    base = V_r (title's recent share) (region's taste for the title, leaning on 1),

so that what is learned of small titles holds for large ones: trees cannot extrapolate.
"""

from dataclasses import dataclass

import numpy as np

from cdn.compilation import kernel
from cdn.forecasting.events import factors_on
from cdn.forecasting.history import History
from cdn.forecasting.knowledge import Knowledge
from cdn.forecasting.launches import YOUNG_DAYS, launches_of
from cdn.forecasting.seasonal_naive import DAYS_PER_WEEK
from cdn.forecasting.volumes import volumes_from

HALF_LIVES = (1.0, 3.0, 10.0, 30.0)
NAMES = ("log_base", *(f"pair_{h:g}d" for h in HALF_LIVES), *(f"title_{h:g}d" for h in HALF_LIVES), "pair_last_week",
         "release_3d", "age", "weekday", "region", "region_volume", "kind", "genre", "order", "calendar")
CATEGORICAL = ("weekday", "region", "kind", "genre")
_TASTE_PRIOR = 3.0
_LEVEL_PRIOR = 0.3
_OLDEST = 400


@dataclass(frozen=True, eq=False)
class DayFeatures:
    """Of one day, for all pairs: ``base`` (A, R) and ``count`` (A, R) of each of HALF_LIVES; ``pair_scale``: name of a
    half-life's feature -> number of requests a day that a count stands for, (A,), 0 where the title was not out;
    ``columns``: name -> (A, 1), (1, R) or (1, 1) array; ``last_week``, ``seen`` (A, R); ``young`` (A,) bool; ``out``
    (A,) bool: the title is out on the day."""

    base: np.ndarray
    counts: dict[str, np.ndarray]
    pair_scale: dict[str, np.ndarray]
    columns: dict[str, np.ndarray]
    last_week: np.ndarray
    young: np.ndarray
    out: np.ndarray

    @property
    def seen(self) -> np.ndarray:
        """(A, R) bool: asked for before."""
        return self.counts[f"pair_{HALF_LIVES[-1]:g}d"] > 0

    def rows(self, asset: np.ndarray, region: np.ndarray) -> np.ndarray:
        """(N, features) float32 of pairs, in the order of NAMES."""
        base = self.base[asset, region]
        of_pairs = {"log_base": np.log(base),
                    "pair_last_week": np.log((self.last_week[asset, region] + 0.05) / (base + 0.05))}
        for name, count in self.counts.items():
            scale = self.pair_scale[name][asset]
            # A title that was not out yet is as its base, not as one that nobody wanted.
            per_day = np.where(scale > 0, count[asset, region] * scale, base)
            of_pairs[name] = np.log((per_day + 0.05) / (base + 0.05))
        shape = self.base.shape
        return np.column_stack([of_pairs[name] if name in of_pairs else np.broadcast_to(
            self.columns[name], shape)[asset, region] for name in NAMES]).astype(np.float32)


class FeatureDays:
    """A history gone through day by day, earlier days first, so that each entry is looked at once."""

    def __init__(self, history: History, knowledge: Knowledge) -> None:
        self._history, self._knowledge = history, knowledge
        self._titles = knowledge.titles_of(len(history.asset_index))
        self._totals = history.region_days.sum(axis=1)
        self._starts = np.searchsorted(history.day, np.arange(len(history.observed) + 1))
        self._taken = 0
        shape = len(history.asset_index), len(history.region_index)
        # Day d counts 2^(d / half-life): what it counts on a later day differs by a factor that is the same for all.
        self._counts = [np.zeros(shape) for _ in HALF_LIVES]

    def counts_on(self, day: int) -> np.ndarray:
        """(A, R) requests of day number ``day``."""
        found = np.zeros(self._counts[0].shape)
        d = day - self._history.first_day
        self._add(found, d, d + 1, np.ones(len(self._totals)))
        return found

    def features(self, known: int, day: int) -> DayFeatures:
        """Of day number ``day`` from the days before day number ``known``, not before that of the last call; what an
        earlier call gave holds no longer."""
        history, n_days = self._history, known - self._history.first_day
        for half_life, count in zip(HALF_LIVES, self._counts, strict=True):
            self._add(count, self._taken, n_days, 2.0 ** (np.arange(n_days) / half_life))
        self._taken = n_days
        launches = launches_of(history, self._titles, n_days)
        age, totals, observed = launches.age(day), self._totals[:n_days], history.observed[:n_days]
        volume = volumes_from(history.region_days[:n_days], observed, history.first_day, day, self._knowledge.calendar)
        scale, title = {}, {}
        for half_life in HALF_LIVES:
            weight = np.where(observed, 0.5 ** ((n_days - 1 - np.arange(n_days)) / half_life), 0.0)
            exposure = _exposure(weight * totals, launches.first)
            title[half_life] = history.asset_days[:, :n_days] @ weight, exposure
            per_day = np.divide(totals.mean(), exposure, out=np.zeros(len(age)), where=exposure > 0)
            scale[f"pair_{half_life:g}d"] = per_day * 0.5 ** ((n_days - 1) / half_life)
        share = _recent_share(*title[HALF_LIVES[1]], age < YOUNG_DAYS)
        base = _base(share, volume, self._counts[-1], 0.5 ** ((n_days - 1) / HALF_LIVES[-1]))
        counts = {f"pair_{half_life:g}d": count for half_life, count in zip(HALF_LIVES, self._counts, strict=True)}
        return DayFeatures(base, counts, scale, self._columns(day, share, title, volume, age),
                           self._week_before(known, day), age < YOUNG_DAYS, age >= 0)

    def _columns(self, day: int, share: np.ndarray, title: dict[float, tuple[np.ndarray, np.ndarray]],
                 volume: np.ndarray, age: np.ndarray) -> dict[str, np.ndarray]:
        """What does not belong to single pairs."""
        titles = self._titles
        levels = {f"title_{half_life:g}d": np.log((counted / share + _LEVEL_PRIOR / share)
                                                  / (exposure + _LEVEL_PRIOR / share))[:, None]
                  for half_life, (counted, exposure) in title.items()}
        return levels | {
            "release_3d": _release_level(share, titles.release)[:, None], "age": np.clip(age, -1, _OLDEST)[:, None],
            "weekday": np.array([[day % DAYS_PER_WEEK]]), "region": np.arange(len(volume))[None],
            "region_volume": np.log(volume + 1)[None], "kind": titles.kind[:, None], "genre": titles.genre[:, None],
            "order": titles.order[:, None] % 10_000,
            "calendar": np.log(factors_on(self._knowledge.calendar, np.array([day]), len(volume)))}

    def _week_before(self, known: int, day: int) -> np.ndarray:
        """(A, R) counts of the last day of the same weekday that is known; 0 where there is none."""
        days = self._history.observed_days
        same = days[(days < known) & ((days - day) % DAYS_PER_WEEK == 0)]
        return self.counts_on(int(same[-1])) if len(same) else np.zeros(self._counts[0].shape)

    def _add(self, count: np.ndarray, start: int, end: int, day_weight: np.ndarray) -> None:
        rows = slice(int(self._starts[start]), int(self._starts[end]))
        _add_days(count, *(getattr(self._history, name)[rows] for name in ("day", "region", "asset", "requests")),
                  day_weight)


@kernel
def _add_days(count, day, region, asset, requests, day_weight):
    for i in range(len(day)):
        count[asset[i], region[i]] += day_weight[day[i]] * requests[i]


@kernel
def _base(share, volume, count, scale):
    """(A, R) the simple base of all pairs, from counts that are ``scale`` of what they stand for."""
    n_assets, n_regions = count.shape
    of_region = volume / volume.sum()
    result = np.empty((n_assets, n_regions))
    for a in range(n_assets):
        of_title = 0.0
        for r in range(n_regions):
            of_title += count[a, r]
        of_title *= scale
        for r in range(n_regions):
            taste = (_TASTE_PRIOR + count[a, r] * scale) / (_TASTE_PRIOR + of_title * of_region[r])
            result[a, r] = max(share[a] * volume[r] * taste, 1e-9)
    return result


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


def _release_level(share: np.ndarray, release: np.ndarray) -> np.ndarray:
    """(A,) log ratio of the mean share of the title's release to its own."""
    n = np.bincount(release)
    mean = np.bincount(release, share) / np.maximum(n, 1)
    return np.log((mean[release] + 1e-9) / (share + 1e-9))
