"""How popular an asset is in a region on a day.

The share of region r's requests on day t that asset a gets is

    q[r, a, t] = e[r, a] w[a] tau[r, f] g[a, t] m[f, t] / (the same summed over assets)

with ``w`` the long-run popularity of its title, ``e`` its encode's share of it, ``f`` its release (film or season), and

    e[r, title] ~ Dirichlet(title_mix e[r]),  e[r] ~ Dirichlet(region_mix e)    (the level above's own where not given)

    tau[r, f] = exp(sigma_genre u[r, genre(f)] + sigma_title v[r, f]) * (home_boost where r is f's home)
    g[a, t]   = 1 + (B - 1) exp(-((t - release day) / T)^b)  from its release on, 0 before
    m[f, t]   = exp(sigma_drift z[f, t]),  z drawn each Monday and interpolated between

u, v, z standard normal. B (``launch_boost``), T (``decay_days``) and b (``decay_shape``) belong to the title's kind: a
stretched exponential down to the long-run level. What a launch gains the other titles of the day lose.
"""

from dataclasses import dataclass

import numpy as np

from cdn.generator.parameters import GeneratorParameters
from cdn.generator.titles import Titles


@dataclass(frozen=True, eq=False)
class Popularity:
    """Shares of requests, worked out one region and day at a time, so memory stays at one number per asset.

    ``genre_taste`` (R, genres). ``region_mix`` (R, encodes) shares, each row adds up to 1. ``taste_seeds``,
    ``mix_seeds``: one per region, ``drift_seeds``: one per Monday from the one before the first day on; what they give
    is drawn again whenever it is asked for.
    """

    titles: Titles
    parameters: GeneratorParameters
    genre_taste: np.ndarray
    taste_seeds: tuple[np.random.SeedSequence, ...]
    drift_seeds: tuple[np.random.SeedSequence, ...]
    region_mix: np.ndarray
    mix_seeds: tuple[np.random.SeedSequence, ...]

    @property
    def n_regions(self) -> int:
        return len(self.taste_seeds)

    def taste(self, region: int) -> np.ndarray:
        """(F,) factor by which the region prefers each release."""
        titles, parameters = self.titles, self.parameters
        rng = np.random.default_rng(self.taste_seeds[region])
        own = parameters.taste_title * rng.standard_normal(titles.n_releases)
        factor = np.exp(own + parameters.taste_genre * self.genre_taste[region][titles.genre])
        factor[titles.home == region] *= parameters.home_boost
        return factor

    def title_life(self, day: int) -> np.ndarray:
        """(T,) popularity of each title on a day over its long-run popularity; 0 before its release."""
        titles, kinds = self.titles, self.parameters.kinds
        boost, scale, shape = (np.array([getattr(kind, name) for kind in kinds])[titles.kind]
                               for name in ("launch_boost", "decay_days", "decay_shape"))
        age = day - titles.release_day[titles.release]
        decayed = np.exp(-((np.maximum(age, 0) / scale) ** shape))
        return np.where(age < 0, 0.0, 1 + (boost - 1) * decayed)

    def drift(self, day: int) -> np.ndarray:
        """(F,) how much attention each release gets on a day, in all regions alike."""
        week, days_in = divmod(day + self.parameters.start_day.weekday(), 7)
        last, next_ = (np.random.default_rng(self.drift_seeds[k]).standard_normal(self.titles.n_releases)
                       for k in (week, week + 1))
        return np.exp(self.parameters.drift * ((1 - days_in / 7) * last + days_in / 7 * next_))

    def mix(self, region: int) -> np.ndarray:
        """(T, encodes) share of each title's requests in the region that are for each encode."""
        of_region, alike = self.region_mix[region], self.parameters.title_mix
        if alike is None:
            return np.broadcast_to(of_region, (len(self.titles), len(of_region)))
        return _dirichlets(alike * of_region, len(self.titles), np.random.default_rng(self.mix_seeds[region]))

    def title_weight(self, day: int) -> np.ndarray:
        """(T,) popularity of each title on a day before tastes (not scaled)."""
        return self.titles.weight * (self.title_life(day) * self.drift(day)[self.titles.release])

    def shares(self, region: int, title_weight: np.ndarray) -> np.ndarray:
        """(A,) share of the region's requests, from ``title_weight`` of the day; all 0 where nothing is out yet."""
        n_encodes = len(self.parameters.encodes)
        asset_weight = (title_weight[:, None] * self.mix(region)).ravel()
        weight = asset_weight * np.repeat(self.taste(region)[self.titles.release], n_encodes)
        total = weight.sum()
        return weight / total if total > 0 else weight


def draw_popularity(titles: Titles, parameters: GeneratorParameters, n_regions: int,
                    rng: np.random.Generator) -> Popularity:
    """Draws the regions' tastes and what attention follows."""
    taste_rng, drift_rng, mix_rng = rng.spawn(3)
    genre_taste = taste_rng.standard_normal((n_regions, parameters.n_genres))
    n_mondays = (parameters.days + parameters.start_day.weekday()) // 7 + 2
    return Popularity(titles, parameters, genre_taste, draw_seeds(n_regions, taste_rng),
                      draw_seeds(n_mondays, drift_rng), _draw_region_mix(parameters, n_regions, mix_rng),
                      draw_seeds(n_regions, mix_rng))


def _draw_region_mix(parameters: GeneratorParameters, n_regions: int, rng: np.random.Generator) -> np.ndarray:
    shares = np.array([encode.request_share for encode in parameters.encodes])
    shares /= shares.sum()
    if parameters.region_mix is None:
        return np.broadcast_to(shares, (n_regions, len(shares)))
    return _dirichlets(parameters.region_mix * shares, n_regions, rng)


def _dirichlets(concentration: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """(n, K) draws, each row adds up to 1. Where all gamma variables of a row are too small for a float, the likeliest
    has it all."""
    gamma = rng.standard_gamma(concentration, (n, len(concentration)))
    gamma[gamma.sum(axis=1) == 0, int(concentration.argmax())] = 1.0
    return gamma / gamma.sum(axis=1, keepdims=True)


def draw_seeds(n: int, rng: np.random.Generator) -> tuple[np.random.SeedSequence, ...]:
    """Seeds of parts that are drawn on demand; the first ones are the same however many are drawn."""
    return tuple(np.random.SeedSequence(int(seed)) for seed in rng.integers(0, 2**63, n))
