"""What a day does to all titles of its kind: robots that fetch every title every other day, weekdays of the tail.

    y_ad ~ V_d theta_a f_gd,   f = 1 on average over the weeks around a day

g is the class of popularity, by powers of two of the requests a day: twenty more for each are much for most titles and
nothing for a hit. Titles that came out lately are classes of their own: robots look for what is new. f is the ratio of
what the class was asked for to what its titles were in the weeks around the day, a title of mean mu weighing
1 / (1 + mu / 10) and all leaning on 1, so that no title's own story becomes everyone's. Between the middles of two
classes log f is interpolated. How it goes on is foreseen from its own last days,

    log f_{g,k+h} = sum_i b_gi log f_{g,k-i},   i = 0..7,

a regression for each class and horizon h with the ridge that foresees days left out one by one best, which is none of
b where they tell nothing (A. Hoerl, R. Kennard, Ridge regression, Technometrics 12, 1970); f itself is foreseen by its
mean, exp(.) times the mean of exp(error) (N. Duan, Smearing estimate, JASA 78, 1983).
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from cdn.forecasting.history import History
from cdn.forecasting.launches import YOUNG_DAYS, Launches

N_CLASSES = 18
LAGS = 8
RIDGES = np.array([0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 1e9])
"""Shares of the lags' mean square that a ridge may have; with the last one nothing is foreseen."""
_AROUND_DAYS = 7
_PRIOR_REQUESTS = 200.0
_OVERDISPERSED_FROM = 10.0
_LARGEST_RATIO = 10.0
_SAMPLED_TITLES = 500
_LEAST_DAYS = 16


@dataclass(frozen=True, eq=False)
class TitleFactors:
    """By how much titles are above their usual levels: ``past`` (A, D) on the history's days; ``foreseen`` (A, D + 1)
    what was to be expected of that as many days ahead as the forecast looks, and last on the forecast day."""

    past: np.ndarray
    foreseen: np.ndarray


def day_factors(history: History, day: int, launches: Launches) -> TitleFactors:
    """Of each title's class, for a forecast of day number ``day``; 1 on missing days, and where the history is too
    short to learn from."""
    return history.once((day_factors, day, launches), lambda: _day_factors(history, day, launches))


def _day_factors(history: History, day: int, launches: Launches) -> TitleFactors:
    shape = len(history.asset_index), len(history.observed)
    horizon = day - history.until_day + 1
    if history.observed[LAGS - 1 + horizon:].sum() < _LEAST_DAYS:
        return TitleFactors(np.ones(shape), np.ones((shape[0], shape[1] + 1)))
    young = launches.age(history.first_day) < YOUNG_DAYS
    position = _positions(history, launches, young)
    group = np.rint(position).astype(np.int64) + N_CLASSES * young
    logs = _class_logs(history, launches, group)
    ahead = np.array([log_foreseen(row, history.observed, horizon) for row in logs])
    return TitleFactors(_of_titles(logs, position, young), _of_titles(ahead, position, young))


def _positions(history: History, launches: Launches, young: np.ndarray) -> np.ndarray:
    """(A,) among the classes: g in the middle of class g, which has 2^(g - 1) up to 2^g requests a day."""
    requests = history.asset_days.sum(axis=1)
    observed_from = np.concatenate([np.cumsum(history.observed[::-1])[::-1], [0]])
    days = observed_from[launches.first]
    # One day of a young title says little of it: it has one more, of the mean of them all.
    usual = requests[young].sum() / max(days[young].sum(), 1)
    rate = np.where(young, requests + usual, requests) / np.maximum(days + young, 1)
    return np.clip(np.log2(np.maximum(rate, 1e-9)) + 0.5, 0, N_CLASSES - 1)


def _class_logs(history: History, launches: Launches, group: np.ndarray) -> np.ndarray:
    """(2 N_CLASSES, D) log f of old and of young titles' classes, 0 on missing days."""
    requests = history.asset_days.sum(axis=1)
    logs = np.zeros((2 * N_CLASSES, len(history.observed)))
    asked = np.flatnonzero(requests > 0)
    for g, sampled in enumerate(sampled_titles(group[asked], requests[asked], len(logs), _SAMPLED_TITLES)):
        rows = asked[sampled]
        mean, known = _usual(history, launches, rows)
        weight = known / (1 + mean / _OVERDISPERSED_FROM)
        counted = np.minimum(history.asset_days[rows], _LARGEST_RATIO * (mean + 1))
        logs[g] = np.log(((weight * counted).sum(axis=0) + _PRIOR_REQUESTS)
                         / ((weight * mean).sum(axis=0) + _PRIOR_REQUESTS))
    return logs


def sampled_titles(group: np.ndarray, requests: np.ndarray, n_groups: int, most: int) -> list[np.ndarray]:
    """Of each class, by ``group`` (A,), every k-th title in order of its requests: some ``most`` of it, up to twice as
    many, are enough to learn from."""
    order = np.lexsort((requests, group))
    starts = np.searchsorted(group[order], np.arange(n_groups + 1))
    return [order[a:b][::max(1, (b - a) // most)] for a, b in pairwise(starts)]


def _usual(history: History, launches: Launches, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(N, D) what titles are asked for in the weeks around a day, by the day's volume, and where that is known: on
    observed days, and not in a title's first week, in which its level is another every day."""
    volume = history.region_days.sum(axis=1)
    d = np.arange(len(volume))
    out = history.observed & (d >= launches.first[rows, None])
    mean = _around(history.asset_days[rows] * out) / np.maximum(_around(out * volume), 1e-300) * volume
    born = launches.age(history.first_day)[rows, None] + d
    return mean, out & (born >= _AROUND_DAYS)


def _around(values: np.ndarray) -> np.ndarray:
    """(N, D) sums of values (N, D) over the days at most ``_AROUND_DAYS`` away."""
    n_days = values.shape[1]
    so_far = np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1)], axis=1)
    d = np.arange(n_days)
    return so_far[:, np.minimum(d + _AROUND_DAYS + 1, n_days)] - so_far[:, np.maximum(d - _AROUND_DAYS, 0)]


def log_foreseen(logs: np.ndarray, observed: np.ndarray, horizon: int) -> np.ndarray:
    """(D + 1,) what log f of each day would be expected to be from ``logs`` (D,) of ``horizon`` days before and
    earlier, by what all other days say of how, and last that of the day ``horizon`` days after the history's last; 0
    where there are no such days."""
    usual = logs[observed].mean()
    off = np.where(observed, logs - usual, 0.0)
    lags = np.lib.stride_tricks.sliding_window_view(off, LAGS)
    target = np.arange(LAGS - 1 + horizon, len(logs))
    known = observed[target]
    b, error = _fitted(lags[:len(target)][known], off[target][known])
    smearing = usual + np.log(np.exp(error).mean())
    found = np.zeros(len(logs) + 1)
    found[target[known]] = off[target][known] - error + smearing
    found[-1] = lags[-1] @ b + smearing
    return found


def _fitted(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(LAGS,) coefficients of y (N,) on x (N, LAGS) by the ridge that foresees rows left out one by one best, and the
    errors (N,) it makes of them."""
    u, scale, vt = np.linalg.svd(x, full_matrices=False)
    shrunk = scale**2 / (scale**2 + RIDGES[:, None] * (scale**2).mean() + 1e-12)
    errors = (y - (shrunk * (u.T @ y)) @ u.T) / (1 - shrunk @ (u**2).T)
    best = np.argmin((errors**2).sum(axis=1))
    return vt.T @ (shrunk[best] / np.maximum(scale, 1e-12) * (u.T @ y)), errors[best]


def _of_titles(logs: np.ndarray, position: np.ndarray, young: np.ndarray) -> np.ndarray:
    """(A, N) factors of titles from those of the classes (2 N_CLASSES, N)."""
    below = np.minimum(position.astype(np.int64), N_CLASSES - 2)
    part = (position - below)[:, None]
    below += N_CLASSES * young
    found = logs[below] * (1 - part)
    found += logs[below + 1] * part
    return np.exp(found, out=found)
