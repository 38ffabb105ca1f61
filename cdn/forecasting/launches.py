"""Which titles are young, and when each came out: by the catalog or, where that is silent, by the log.

A title without a release date that was asked for on none of z observed days and then n times a day came out in between
if it would have been asked for often before: z n >= 10 requests missed (chance e^-10 under a constant rate).
"""

from dataclasses import dataclass

import numpy as np

from cdn.forecasting.history import History
from cdn.forecasting.titles import UNKNOWN_AGE, UNKNOWN_DAY, TitleAttributes

YOUNG_DAYS = 29
AGE_CLASSES = np.array([0, 1, 2, 3, 5, 8, 15, YOUNG_DAYS])
"""First ages (days) of the classes; from ``YOUNG_DAYS`` on a title is old."""
_MISSED_REQUESTS = 10.0
_SILENT_DAYS = 2


@dataclass(frozen=True, eq=False)
class Launches:
    """``release_day`` (A,) int64 day numbers, UNKNOWN_DAY where neither catalog nor log says one; ``first`` (A,) int64:
    the first day of the history (0..D) on which a title could be asked for."""

    release_day: np.ndarray
    first: np.ndarray

    def age(self, day: int) -> np.ndarray:
        """(A,) days since the release on day number ``day``, UNKNOWN_AGE where unknown; negative before it."""
        return np.where(self.release_day == UNKNOWN_DAY, UNKNOWN_AGE, day - self.release_day)


def launches_of(history: History, titles: TitleAttributes, n_days: int | None = None) -> Launches:
    """Releases by catalog and log, from the first ``n_days`` of the history or all of them. A title asked for before
    its release day is taken to have come out by then."""
    n_days = len(history.observed) if n_days is None else n_days
    return history.once((launches_of, titles, n_days), lambda: _launches(history, titles, n_days))


def _launches(history: History, titles: TitleAttributes, n_days: int) -> Launches:
    so_far = history.once(_requests_so_far, lambda: _requests_so_far(history.asset_days))
    first_seen = np.minimum(history.once(_first_seen, lambda: _first_seen(history.asset_days)), n_days)
    ever = first_seen < n_days
    release = titles.release_day.astype(np.int64)
    stated = release != UNKNOWN_DAY
    inferred = ~stated & _come_out(history.observed[:n_days], so_far[:, n_days], first_seen)
    release = np.where(inferred, history.first_day + first_seen, release)
    early = stated & ever & (first_seen < release - history.first_day)
    release = np.where(early, history.first_day + first_seen, release)
    known = release != UNKNOWN_DAY
    return Launches(release, np.where(known, np.clip(release - history.first_day, 0, n_days), 0))


def _first_seen(asset_days: np.ndarray) -> np.ndarray:
    """(A,) first day of the history on which each title was asked for; D where on none."""
    asked = asset_days > 0
    return np.where(asked.any(axis=1), asked.argmax(axis=1), asked.shape[1])


def _requests_so_far(asset_days: np.ndarray) -> np.ndarray:
    """(A, D + 1) requests before each day and, last, in all."""
    return np.concatenate([np.zeros((len(asset_days), 1)), np.cumsum(asset_days, axis=1)], axis=1)


def _come_out(observed: np.ndarray, requests: np.ndarray, first_seen: np.ndarray) -> np.ndarray:
    """(A,) bool: too often asked for since the first time to have been there before."""
    observed_before = np.concatenate([[0], np.cumsum(observed)])
    silent = observed_before[first_seen]
    rate = requests / np.maximum(observed_before[-1] - silent, 1)
    return (silent >= _SILENT_DAYS) & (silent * rate >= _MISSED_REQUESTS)


def age_class(age: np.ndarray) -> np.ndarray:
    """Class of ages (days) by ``AGE_CLASSES``: 0 on the release day; the last one is old or of unknown age."""
    return np.searchsorted(AGE_CLASSES, np.maximum(age, 0), side="right") - 1
