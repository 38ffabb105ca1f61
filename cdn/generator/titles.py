"""The titles of a sample: films and episodes, when they came out, how popular they are in the long run.

A *release* is what comes out together: a film, or a season of a series. Popularity by rank is a Zipf head with a
steeper tail (K = ``tail_from_share`` T),

    w(k) ~ k^-s  for k <= K,      w(k) ~ K^-s (k / K)^-s_tail  beyond,

and ranks are dealt at random, the episodes of a season near each other.
"""

from dataclasses import dataclass, fields

import numpy as np

from cdn.generator.parameters import GeneratorParameters, KindParameters
from cdn.model.arrays import frozen

LAUNCHES_BEFORE_DAYS = 35
"""Launches reach back this far before the first day, so that it finds some half decayed."""
MEAN_AGE_DAYS = 900
"""Mean age of what came out earlier."""


@dataclass(frozen=True, eq=False)
class Titles:
    """T titles of F releases. Per title: ``weight`` (T,) long-run popularity, adds up to 1; ``release``, ``kind``
    (position in the parameters' kinds), ``episode`` (T,) ints, ``minutes``, ``bitrate_factor`` (T,). Per release:
    ``series`` (F,) number of the series or -1, ``season``, ``genre``, ``home`` (F,) region or -1, ``release_day`` (F,)
    in days after the sample's first day."""

    weight: np.ndarray
    release: np.ndarray
    kind: np.ndarray
    episode: np.ndarray
    minutes: np.ndarray
    bitrate_factor: np.ndarray
    series: np.ndarray
    season: np.ndarray
    genre: np.ndarray
    home: np.ndarray
    release_day: np.ndarray

    def __post_init__(self) -> None:
        for field in fields(self):
            whole = field.name not in ("weight", "minutes", "bitrate_factor")
            object.__setattr__(self, field.name, frozen(getattr(self, field.name), np.int32 if whole else np.float64))

    def __len__(self) -> int:
        return len(self.weight)

    @property
    def n_releases(self) -> int:
        return len(self.genre)


def rank_weights(n_titles: int, parameters: GeneratorParameters) -> np.ndarray:
    """(T,) long-run popularity of ranks 1..T: adds up to 1."""
    rank = np.arange(1, n_titles + 1, dtype=float)
    bend = max(1.0, parameters.tail_from_share * n_titles)
    head = rank**-parameters.zipf_exponent
    tail = bend**-parameters.zipf_exponent * (rank / bend) ** -parameters.tail_exponent
    weights = np.where(rank <= bend, head, tail)
    return weights / weights.sum()


def draw_titles(parameters: GeneratorParameters, n_regions: int, region_weight: np.ndarray,
                rng: np.random.Generator) -> Titles:
    """Draws all titles; ``region_weight`` (R,) says how likely a local title is at home in each region."""
    kind_of, release, episode, series, season = _draw_releases(parameters, rng)
    n_releases, n_titles = len(series), len(release)
    local = rng.random(n_releases) < parameters.home_share
    home = rng.choice(n_regions, n_releases, p=region_weight / region_weight.sum())
    kinds = parameters.kinds
    length = np.array([kind.minutes for kind in kinds])[kind_of] * np.exp(
        np.array([kind.minutes_sigma for kind in kinds])[kind_of] * rng.standard_normal(n_releases)[release])
    appeal = rng.standard_normal(n_releases)
    score = appeal[release] + parameters.series_spread * rng.standard_normal(n_titles)
    weight = np.empty(n_titles)
    weight[np.argsort(-score, kind="stable")] = rank_weights(n_titles, parameters)
    return Titles(
        weight=weight,
        release=release,
        kind=kind_of,
        episode=episode,
        minutes=np.maximum(length * np.exp(0.05 * rng.standard_normal(n_titles)), 1.0),
        bitrate_factor=np.exp(parameters.bitrate_sigma * rng.standard_normal(n_titles)),
        series=series,
        season=season,
        genre=rng.integers(0, parameters.n_genres, n_releases),
        home=np.where(local, home, -1),
        release_day=_draw_release_days(parameters, series, appeal, rng),
    )


def _draw_releases(parameters: GeneratorParameters, rng: np.random.Generator):
    """Which titles come out together: per title kind, release and episode; per release series and season."""
    shares = np.array([kind.title_share for kind in parameters.kinds])
    ends = np.round(parameters.n_titles * np.cumsum(shares) / shares.sum()).astype(int)
    per_title, per_release = [], []
    n_releases = n_series = 0
    for position, (kind, n_titles) in enumerate(zip(parameters.kinds, np.diff(ends, prepend=0), strict=True)):
        release, episode = _seasons(kind, int(n_titles), rng)
        n = int(release[-1]) + 1 if n_titles else 0
        series, season = _series(kind, n, rng)
        per_title.append(np.stack([np.full(n_titles, position), release + n_releases, episode]))
        per_release.append(np.stack([np.where(series < 0, -1, series + n_series), season]))
        n_releases += n
        n_series += int(series.max(initial=-1)) + 1
    return *np.concatenate(per_title, axis=1), *np.concatenate(per_release, axis=1)


def _seasons(kind: KindParameters, n_titles: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Season number and episode (from 1) of each title of a kind; 0 where the kind has no series."""
    if kind.episodes_per_season == 1:
        return np.arange(n_titles), np.zeros(n_titles, dtype=int)
    # Lengths are 1 + Poisson; as many seasons as titles always suffice.
    lengths = 1 + rng.poisson(kind.episodes_per_season - 1, n_titles)
    ends = np.cumsum(lengths)
    title = np.arange(n_titles)
    season = np.searchsorted(ends, title, side="right")
    return season, title - (ends - lengths)[season] + 1


def _series(kind: KindParameters, n_releases: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Series number and season (from 1) of each release of a kind; -1 and 0 where the kind has no series."""
    if kind.episodes_per_season == 1:
        return np.full(n_releases, -1), np.zeros(n_releases, dtype=int)
    begins = rng.random(n_releases) < 1 / kind.seasons_per_series
    begins[:1] = True
    series = np.cumsum(begins) - 1
    return series, np.arange(n_releases) - np.flatnonzero(begins)[series] + 1


def _draw_release_days(parameters: GeneratorParameters, series: np.ndarray, appeal: np.ndarray,
                       rng: np.random.Generator) -> np.ndarray:
    """(F,) day of each release: ``launches_per_day`` within the sample and just before it, the others earlier; seasons
    of a series in order. ``launch_appeal`` prefers what is popular in the long run (Gumbel top-k: a weighted draw)."""
    days = np.arange(-LAUNCHES_BEFORE_DAYS, parameters.days)
    weight = np.array(parameters.launch_weekdays)[(parameters.start_day.weekday() + days) % 7]
    expected = parameters.launches_per_day * weight.sum() / np.mean(parameters.launch_weekdays)
    n_launched = min(int(rng.poisson(expected)), len(series))
    release_day = np.floor(-LAUNCHES_BEFORE_DAYS - rng.exponential(MEAN_AGE_DAYS, len(series)))
    chances = parameters.launch_appeal * appeal + rng.gumbel(size=len(series))
    launched = np.argsort(-chances, kind="stable")[:n_launched]
    if n_launched:
        release_day[launched] = rng.choice(days, n_launched, p=weight / weight.sum())
    in_series = np.flatnonzero(series >= 0)
    release_day[in_series] = release_day[in_series][np.lexsort((release_day[in_series], series[in_series]))]
    return release_day
