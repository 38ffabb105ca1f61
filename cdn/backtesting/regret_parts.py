"""What the regret is made of: noise that nobody can foresee, titles that are new, and the rest, drift and method.

**Noise floor.** The day's requests are dealt at random into two halves A and B. Both follow the same popularity, so
placing with A and judging on B loses by chance alone:

    split = E[ offload_B(placed with B) - offload_B(placed with A) ]

Half of that is B's own luck, which its clairvoyant placement exploits, half is A's luck, which misleads (to first order
the two are equal: optimism, B. Efron, The estimation of prediction error, JASA 99, 2004); a forecaster who knew the
popularity would have the first only. And counts twice as large are relatively half as noisy in variance. So of the
whole day

    floor = split / 4        to first order; split itself is above it.

**New titles.** What the forecast would gain if it knew the true demand of the titles that are new, and nothing else.
**The rest** is the regret less both: popularity that moved since the last days, and what the method makes of them.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cdn.backtesting.placing import Setting, served_by_caches
from cdn.model.demand import Demand
from cdn.model.site_assets import SiteAssets

SPLITS = 2


@dataclass(frozen=True)
class RegretParts:
    """Points of offload as shares of 1: the whole regret, what half-days differ by chance (``split``), the floor that
    follows, and what new titles cost."""

    regret: float
    split: float
    new_titles: float

    @property
    def floor(self) -> float:
        return self.split / 4

    @property
    def rest(self) -> float:
        return self.regret - self.floor - self.new_titles


def regret_parts(setting: Setting, forecast: Demand, true: Demand, new: np.ndarray, day: pd.Timestamp,
                 rng: np.random.Generator, splits: int = SPLITS) -> RegretParts:
    """The parts of one forecast's regret on one day. ``new`` (A,) bool: titles that count as new on it."""
    clairvoyant = offload(setting, true, setting.place(true, day), day)
    lost, lost_without_new = (clairvoyant - offload(setting, true, setting.place(demand, day), day)
                              for demand in (forecast, knowing(forecast, true, new)))
    return RegretParts(lost, split_regret(setting, true, day, rng, splits), lost - lost_without_new)


def split_regret(setting: Setting, true: Demand, day: pd.Timestamp, rng: np.random.Generator,
                 splits: int = SPLITS) -> float:
    """The mean regret of placing with one half of the day and judging on the other, over both directions."""
    regrets = []
    for _ in range(splits):
        halves = in_halves(true, rng)
        placed = [setting.place(half, day) for half in halves]
        for judged, own, other in ((halves[0], placed[0], placed[1]), (halves[1], placed[1], placed[0])):
            regrets.append(offload(setting, judged, own, day) - offload(setting, judged, other, day))
    return float(np.mean(regrets))


def offload(setting: Setting, true: Demand, stored: SiteAssets, day: pd.Timestamp) -> float:
    """Share of the demand's bytes that caches serve; 0 where there are none."""
    served = served_by_caches(setting.problem(true, day), stored)
    return float(true.bytes @ served) / true.total_bytes if true.total_bytes else 0.0


def in_halves(demand: Demand, rng: np.random.Generator) -> tuple[Demand, Demand]:
    """Every request goes to one of two halves by the toss of a coin; its bytes are the mean of its entry's.

    Raises ValueError where the requests are not whole numbers.
    """
    count = np.rint(demand.requests).astype(np.int64)
    if not np.array_equal(count, demand.requests):
        raise ValueError("only counted requests can be dealt into halves")
    first = rng.binomial(count, 0.5)
    return _share_of(demand, first), _share_of(demand, count - first)


def knowing(forecast: Demand, true: Demand, known: np.ndarray) -> Demand:
    """The forecast with the entries of the assets ``known`` (A,) bool taken from the true day instead."""
    parts = [(forecast, ~known[forecast.asset]), (true, known[true.asset])]
    region, asset, requests, bytes_, peak_bps = (
        np.concatenate([getattr(demand, name)[rows] for demand, rows in parts])
        for name in ("region", "asset", "requests", "bytes", "peak_bps"))
    return Demand.from_entries(forecast.region_index, forecast.asset_index, region, asset, requests, bytes_, peak_bps,
                               forecast.hour_factor)


def _share_of(demand: Demand, requests: np.ndarray) -> Demand:
    """The demand with so many of each entry's requests; entries without any are gone."""
    kept = requests > 0
    share = requests[kept] / demand.requests[kept]
    return Demand.from_entries(demand.region_index, demand.asset_index, demand.region[kept], demand.asset[kept],
                               requests[kept], demand.bytes[kept] * share, demand.peak_bps[kept] * share,
                               demand.hour_factor)
