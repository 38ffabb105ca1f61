"""Simple exponential smoothing: level = smoothing * newest day + (1 - smoothing) * level before.

R. G. Brown, Statistical Forecasting for Inventory Control (1959). The first day is the first level; a missing day
leaves the level as it is.
"""

import numpy as np

from cdn.forecasting.expectation import ExpectedRequests, weighted_mean
from cdn.forecasting.history import History
from cdn.forecasting.knowledge import NOTHING_KNOWN, Knowledge


def exponential(history: History, day: int, knowledge: Knowledge = NOTHING_KNOWN, *,
                smoothing: float = 0.4) -> ExpectedRequests:
    """The level after the last day; ``smoothing`` in (0, 1], and 1 is the last day itself."""
    if not 0 < smoothing <= 1:
        raise ValueError(f"smoothing is above 0 and at most 1, not {smoothing}")
    n = int(history.observed.sum())
    level = smoothing * (1 - smoothing) ** np.arange(n - 1, -1, -1, dtype=float)
    level[0] = (1 - smoothing) ** (n - 1)
    weight = np.zeros(len(history.observed))
    weight[history.observed] = level
    return weighted_mean(history, weight)
