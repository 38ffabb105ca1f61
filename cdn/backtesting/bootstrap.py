"""How sure is a difference between methods? Block bootstrap over days, both methods on the same days.

Days are resampled in blocks that wrap around (D. Politis, J. Romano, A circular block-resampling procedure, 1992): what
makes today easy to forecast makes tomorrow easy as well, and days drawn one by one would look more independent than
they are. Methods are paired because all statistics are computed from the same resampled days. Percentiles are widened
for few blocks (T. Hesterberg, What teachers should know about the bootstrap, Am. Stat. 69, 2015, expanded percentile
interval).

The best of ten methods is some way above a baseline by luck alone. Intervals of all at once hold all ten differences
together as often as one interval holds its own (J. Romano, M. Wolf, Stepwise multiple testing as formalized data
snooping, Econometrica 73, 2005, their first step, studentised).
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
    """Draws of D days: ``times`` (draws, D) how often each day stands in each, None where there are too few days to say
    anything; ``n_blocks`` of days; ``level`` of the intervals."""

    times: np.ndarray | None
    n_blocks: float
    level: float

    @classmethod
    def of_days(cls, n_days: int, rng: np.random.Generator, *, block_days: int = BLOCK_DAYS, draws: int = DRAWS,
                level: float = LEVEL) -> "Resamples":
        """Draws in blocks of ``block_days``, shortened so that there are at least ``LEAST_BLOCKS`` of them; below that
        many days there are none. Where days are missing, blocks close up over them."""
        if n_days < LEAST_BLOCKS:
            return cls(None, 0, level)
        block = min(block_days, n_days // LEAST_BLOCKS)
        starts = rng.integers(0, n_days, (draws, -(-n_days // block)))
        days = (starts[:, :, None] + np.arange(block)).reshape(draws, -1)[:, :n_days] % n_days
        cell = np.arange(draws)[:, None] * n_days + days
        times = np.bincount(cell.ravel(), minlength=draws * n_days).reshape(draws, n_days)
        return cls(times.astype(float), n_days / block, level)

    def interval(self, per_day: np.ndarray, statistic: Statistic) -> Interval:
        """Interval of ``statistic``, a function of sums over days, (..., C) -> (...), of ``per_day`` (D, C)."""
        value, found = self._drawn(per_day, statistic)
        found = found[np.isfinite(found)]
        if not len(found):
            return Interval(value, np.nan, np.nan)
        tail = norm.sf(self._reach((1 - self.level) / 2, self.n_blocks - 1))
        low, high = np.quantile(found, [tail, 1 - tail])
        return Interval(value, float(low), float(high))

    def intervals_of_all(self, per_day: np.ndarray, statistic: Statistic) -> list[Interval]:
        """Intervals of ``statistic`` of each of M series, ``per_day`` (M, D, C), that hold all values at once: each as
        many of its own standard errors wide as the draw's most unusual one is."""
        values, drawn = zip(*(self._drawn(one, statistic) for one in per_day), strict=True)
        off = np.array(drawn) - np.array(values)[:, None]
        known = np.isfinite(off).all(axis=1) & (off.shape[1] > 0)
        error = np.array([one.std() if is_known else np.nan for one, is_known in zip(off, known, strict=True)])
        unsure = error > 0
        widest = np.abs(off[unsure] / error[unsure, None]).max(axis=0, initial=0.0)
        # Blocks that overlap tell of the errors as half as many more would (H. Kuensch, Ann. Statist. 17, 1989).
        freedom = 1.5 * (self.n_blocks - 1)
        reach = error * (self._reach(norm.sf(np.quantile(widest, self.level)), freedom) if len(widest) else np.nan)
        return [Interval(value, value - width, value + width)
                for value, width in zip(values, reach.tolist(), strict=True)]

    def _reach(self, tail: float, freedom: float) -> float:
        """How many standard errors of the draws an interval reaches that leaves out ``tail`` on either side: they are
        too small by chance, and all the more uncertain, where blocks are few."""
        return float(np.sqrt(self.n_blocks / (self.n_blocks - 1)) * t.isf(tail, freedom))

    def _drawn(self, per_day: np.ndarray, statistic: Statistic) -> tuple[float, np.ndarray]:
        """The statistic of the days as they are, and of each draw; of none where there are too few days."""
        per_day = np.asarray(per_day, dtype=float)
        value = float(statistic(per_day.sum(axis=0)))
        return value, np.zeros(0) if self.times is None else statistic(self.times @ per_day)
