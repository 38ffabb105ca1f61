"""Tomorrow is as the last day was (the naive forecast)."""

import numpy as np

from cdn.forecasting.expectation import ExpectedRequests, weighted_mean
from cdn.forecasting.history import History
from cdn.forecasting.knowledge import NOTHING_KNOWN, Knowledge


def last_day(history: History, day: int, knowledge: Knowledge = NOTHING_KNOWN) -> ExpectedRequests:
    """The requests of the last day that is not missing."""
    weight = np.zeros(len(history.observed))
    weight[np.flatnonzero(history.observed)[-1]] = 1.0
    return weighted_mean(history, weight)
