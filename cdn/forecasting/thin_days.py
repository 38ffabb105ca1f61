"""Days of which the log has a part only: an outage, the start or the end of it. Nothing is learned from them."""

import numpy as np

from cdn.forecasting.history import History

THIN_SHARE, USUAL_QUANTILE = 0.1, 0.75
"""A day with less than this share of a usual day's requests is no whole day. Usual is the upper quartile of the days:
the median of a log of scraps and few whole days would be a scrap."""


def thin_days(history: History) -> np.ndarray:
    """Day numbers with requests, but so few that the log must have been cut."""
    requests = np.bincount(history.day, history.requests, len(history.observed))
    if not history.observed.any():
        return np.empty(0, dtype=np.int64)
    usual = np.quantile(requests[history.observed], USUAL_QUANTILE)
    return history.first_day + np.flatnonzero(history.observed & (requests < THIN_SHARE * usual))


def whole_days(history: History) -> History:
    """The history with its thin days missing: a morning is not a day on which little was asked for."""
    return history.without(thin_days(history))
