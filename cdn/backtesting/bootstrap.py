"""How sure is a difference between methods? Block bootstrap over days, both methods on the same days.

Days are resampled in blocks that wrap around (D. Politis, J. Romano, A circular block-resampling procedure, 1992): what
makes today easy to forecast makes tomorrow easy as well, and days drawn one by one would look more independent than
they are. Methods are paired because all statistics are computed from the same resampled days. Percentiles are widened
for few blocks (T. Hesterberg, What teachers should know about the bootstrap, Am. Stat. 69, 2015, expanded percentile
interval).
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


@dataclass(frozen=True, eq=False)
class Resamples:
    """Draws of D days: ``times`` (draws, D) how often each day stands in each; ``tail`` the probability left out on
    either side of an interval. ``times`` is None where there are too few days to say anything."""

    times: np.ndarray | None
    tail: float

    @classmethod
    def of_days(cls, n_days: int, rng: np.random.Generator, *, block_days: int = BLOCK_DAYS, draws: int = DRAWS,
                level: float = LEVEL) -> "Resamples":
        """Draws in blocks of ``block_days``, shortened so that there are at least ``LEAST_BLOCKS`` of them; below that
        many days there are none. Where days are missing, blocks close up over them."""
        if n_days < LEAST_BLOCKS:
            return cls(None, (1 - level) / 2)
        block = min(block_days, n_days // LEAST_BLOCKS)
        starts = rng.integers(0, n_days, (draws, -(-n_days // block)))
        days = (starts[:, :, None] + np.arange(block)).reshape(draws, -1)[:, :n_days] % n_days
        cell = np.arange(draws)[:, None] * n_days + days
        times = np.bincount(cell.ravel(), minlength=draws * n_days).reshape(draws, n_days)
        n_blocks = n_days / block
        tail = norm.cdf(np.sqrt(n_blocks / (n_blocks - 1)) * t.ppf((1 - level) / 2, n_blocks - 1))
        return cls(times.astype(float), float(tail))

    def interval(self, per_day: np.ndarray, statistic: Statistic) -> Interval:
        """Interval of ``statistic``, a function of sums over days, (..., C) -> (...), of ``per_day`` (D, C)."""
        per_day = np.asarray(per_day, dtype=float)
        value = float(statistic(per_day.sum(axis=0)))
        if self.times is None:
            return Interval(value, np.nan, np.nan)
        found = statistic(self.times @ per_day)
        found = found[np.isfinite(found)]
        if not len(found):
            return Interval(value, np.nan, np.nan)
        low, high = np.quantile(found, [self.tail, 1 - self.tail])
        return Interval(value, float(low), float(high))
