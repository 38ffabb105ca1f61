"""How sure is a difference between methods? Block bootstrap over days, both methods on the same days.

Days are resampled in blocks that wrap around (D. Politis, J. Romano, A circular block-resampling procedure, 1992): what
makes today easy to forecast makes tomorrow easy as well, and days drawn one by one would look more independent than they
are. Methods are paired because all statistics are computed from the same resampled days. Percentiles are widened for few
blocks (T. Hesterberg, What teachers should know about the bootstrap, Am. Stat. 69, 2015, expanded percentile interval).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm, t

BLOCK_DAYS = 7
DRAWS = 2000
LEVEL = 0.95
LEAST_BLOCKS = 4
Statistic = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Interval:
    """A value and the confidence interval around it; NaN bounds where there are too few days to tell."""

    value: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Is the value's sign beyond doubt at the interval's level?"""
        return self.low > 0 or self.high < 0


def bootstrap(per_day: np.ndarray, statistic: Statistic, rng: np.random.Generator, *, block_days: int = BLOCK_DAYS,
              draws: int = DRAWS, level: float = LEVEL) -> Interval:
    """Interval of ``statistic``, a function of sums over days: (..., C) -> (...), of ``per_day`` (D, C), oldest first.

    Blocks are shortened so that there are at least ``LEAST_BLOCKS``; below that many days the bounds are NaN. The days
    need not follow on each other; where some are missing, blocks close up over them.
    """
    per_day = np.asarray(per_day, dtype=float)
    n_days = len(per_day)
    value = float(statistic(per_day.sum(axis=0)))
    if n_days < LEAST_BLOCKS:
        return Interval(value, np.nan, np.nan)
    block = min(block_days, n_days // LEAST_BLOCKS)
    found = statistic(resampled_sums(per_day, block, draws, rng))
    found = found[np.isfinite(found)]
    if not len(found):
        return Interval(value, np.nan, np.nan)
    n_blocks = n_days / block
    tail = norm.cdf(np.sqrt(n_blocks / (n_blocks - 1)) * t.ppf((1 - level) / 2, n_blocks - 1))
    low, high = np.quantile(found, [tail, 1 - tail])
    return Interval(value, float(low), float(high))


def resampled_sums(per_day: np.ndarray, block: int, draws: int, rng: np.random.Generator) -> np.ndarray:
    """(draws, C) sums of as many days as there are, taken in blocks of ``block`` days from random starts."""
    n_days = len(per_day)
    starts = rng.integers(0, n_days, (draws, -(-n_days // block)))
    days = (starts[:, :, None] + np.arange(block)).reshape(draws, -1)[:, :n_days] % n_days
    times = np.zeros((draws, n_days))
    np.add.at(times, (np.arange(draws)[:, None], days), 1.0)
    return times @ per_day
