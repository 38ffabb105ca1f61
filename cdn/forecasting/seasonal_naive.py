"""Tomorrow is as the same weekday was."""

import numpy as np

from cdn.forecasting.expectation import ExpectedRequests, weighted_mean
from cdn.forecasting.history import History
from cdn.forecasting.knowledge import NOTHING_KNOWN, Knowledge
from cdn.forecasting.last_day import last_day

DAYS_PER_WEEK = 7


def seasonal_naive(history: History, day: int, knowledge: Knowledge = NOTHING_KNOWN) -> ExpectedRequests:
    """The requests of the same weekday of last week or, where that day is missing, of the last such week before it;
    the last day where the history has no such weekday."""
    weeks_ago = (day - history.observed_days) % DAYS_PER_WEEK == 0
    if not weeks_ago.any():
        return last_day(history, day)
    weight = np.zeros(len(history.observed))
    weight[history.observed_days[weeks_ago][-1] - history.first_day] = 1.0
    return weighted_mean(history, weight)
