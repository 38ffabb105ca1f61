"""Tomorrow is as the mean of the last days was."""

import numpy as np

from cdn.forecasting.expectation import ExpectedRequests, weighted_mean
from cdn.forecasting.history import History
from cdn.forecasting.knowledge import NOTHING_KNOWN, Knowledge
from cdn.forecasting.last_day import last_day


def moving_average(history: History, day: int, knowledge: Knowledge = NOTHING_KNOWN, *,
                   window_days: int = 7) -> ExpectedRequests:
    """The mean over the days of the last ``window_days`` that are not missing; the last day where all of them are."""
    if not window_days >= 1:
        raise ValueError(f"window_days is at least 1, not {window_days}")
    # The last days there are: seven days ahead they end six days before the day before.
    n_days = len(history.observed)
    in_window = history.observed & (np.arange(n_days) >= n_days - window_days)
    return weighted_mean(history, in_window.astype(float)) if in_window.any() else last_day(history, day)
