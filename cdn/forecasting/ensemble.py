"""The ensemble: a weighted mean of several methods, each group of titles with the weights that have paid lately.

Every expert forecasts the last days again, each from what came before it. In a group g (head or tail, young or old) the
weights follow the multiplicative-weights rule for bandits over experts,

    w_gm ~ exp(-eta [(L_gm - min L_g) / (min L_g + c) + (E_gm - min E_g) / min E_g] / 2),

with L the bytes on the wrong side of the caches' marginal prices over the judged days (``decision_loss``), at several
cache sizes, c a small share of the group's bytes, and E = sum (y - f)^2 / (m + m^2 / 10), m the experts' median
forecast: where no decision was close, the smaller error decides. A pair that was asked for more than anybody foresaw
counts at most 25, five standard deviations: a burst says nothing of who foresees. Y. Freund, R. Schapire, A
decision-theoretic generalization of on-line learning (1997); N. Cesa-Bianchi, G. Lugosi, Prediction, learning, and
games (2006). The dispersion is that of
the judged days' counts about the mixture.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np

from cdn.forecasting.damped_trend import damped_trend
from cdn.forecasting.decision_loss import PairBytes, bytes_lost, marginal_prices
from cdn.forecasting.empirical_bayes import empirical_bayes
from cdn.forecasting.expectation import ExpectedRequests
from cdn.forecasting.forecaster import Forecaster
from cdn.forecasting.gradient_boosting import gradient_boosting
from cdn.forecasting.history import History
from cdn.forecasting.knowledge import NOTHING_KNOWN, Knowledge
from cdn.forecasting.launch_curves import launch_curves
from cdn.forecasting.launches import YOUNG_DAYS, launches_of
from cdn.forecasting.low_rank import low_rank
from cdn.forecasting.uncertainty import (
    DEFAULT_DISPERSION,
    N_CLASSES,
    counts_on,
    dispersions_of,
    measured_dispersions,
)

EXPERTS: dict[str, Forecaster] = {
    "damped_trend": damped_trend,
    "empirical_bayes": empirical_bayes,
    "launch_curves": launch_curves,
    "low_rank": low_rank,
}
"""The statistical methods that know of weekdays: those that do not look good on days that are like the day before and
fail on the others. ``gradient_boosting`` joins them where it is asked for or its extra is installed."""
Loss = Callable[[PairBytes, PairBytes, np.ndarray, Sequence[np.ndarray]], float]
"""True bytes, forecast bytes, size_bytes (A,) and prices (each (R,)) -> what was lost, >= 0."""
_MEASURES_ITS_ERRORS = ("empirical_bayes", "launch_curves", "low_rank")
_LEAN = {"gradient_boosting": {"sampled_rows": 80_000}}
"""Trees are learned anew for every judged day: from fewer pairs than where they stand alone, but no fewer weekdays."""
N_GROUPS = 4
STORAGE_SHARES = (0.02, 0.05, 0.15)
_HEAD_SHARE = 0.5
_SMALL_LOSS = 0.001
_RELATIVE_VARIANCE = 0.1
_LARGEST_ERROR = 25.0


@dataclass(frozen=True, eq=False)
class _Judged:
    """One day: the mixture's parts and what happened. ``requests`` (M, N), ``count`` (N,), ``group`` (N,), ``loss`` and
    ``error`` (N_GROUPS, M): L as a share of the group's bytes, and E."""

    requests: np.ndarray
    count: np.ndarray
    group: np.ndarray
    loss: np.ndarray
    error: np.ndarray


def decision_loss(true: PairBytes, forecast: PairBytes, size_bytes: np.ndarray, prices: Sequence[np.ndarray]) -> float:
    """Bytes lost at all prices (each (R,)) together."""
    return float(sum(bytes_lost(true, forecast, size_bytes, price).sum() for price in prices))


def ensemble(history: History, day: int, knowledge: Knowledge = NOTHING_KNOWN, *, judged_days: int = 3,
             learning_rate: float = 20.0, min_requests: float = 0.01, trees: bool | None = None,
             experts: dict[str, Forecaster] | None = None, loss: Loss = decision_loss) -> ExpectedRequests:
    """The mixture for ``day``. ``judged_days``: days on which experts are judged; ``learning_rate`` eta: at 20 an
    expert that lost and erred a tenth more than the best counts about e^2 times less; 0 weighs all alike.
    ``min_requests``: that of the experts that foresee pairs never asked for. ``trees``: with gradient boosting or not;
    None: where its extra is installed. ``experts``: instead of EXPERTS and trees."""
    if not judged_days >= 1:
        raise ValueError(f"judged_days is at least 1, not {judged_days}")
    if not min_requests >= 0:
        raise ValueError(f"min_requests is not negative, not {min_requests}")
    if not 0 <= learning_rate < np.inf:
        raise ValueError(f"learning_rate is a number that is not negative, not {learning_rate}")
    experts = experts_of(trees) if experts is None else experts
    days = history.observed_days[1:][-judged_days:]
    ahead = day - history.until_day
    judged = [_judge(history, int(d), ahead, knowledge, experts, loss, min_requests) for d in days
              if history.before(int(d) - ahead).observed.any()]
    losses, errors = (np.array([getattr(one, name) for one in judged]).reshape(-1, N_GROUPS, len(experts)).sum(axis=0)
                      for name in ("loss", "error"))
    weights = expert_weights(losses, errors, learning_rate)
    titles = knowledge.titles_of(len(history.asset_index))
    age = launches_of(history, titles).age(day)
    keys, requests, own = _forecasts(history, day, knowledge, experts, min_requests, with_dispersion=True)
    asset = keys // len(history.region_index)
    group = _groups(history, age)[asset]
    mean = (weights[group].T * requests).sum(axis=0)
    phi = dispersions_of(_table(judged, weights), mean, age[asset] < YOUNG_DAYS)
    unseen = (age[asset] < YOUNG_DAYS) & (history.asset_days.sum(axis=1)[asset] == 0)
    return ExpectedRequests(keys % len(history.region_index), asset, mean,
                            np.where(unseen, np.maximum(phi, own), phi))


def experts_of(trees: bool | None) -> dict[str, Forecaster]:
    """The experts with or without gradient boosting; None: with it where its extra is installed."""
    with_trees = find_spec("lightgbm") is not None if trees is None else trees
    return EXPERTS | ({"gradient_boosting": gradient_boosting} if with_trees else {})


def expert_weights(losses: np.ndarray, errors: np.ndarray, learning_rate: float) -> np.ndarray:
    """(N_GROUPS, M) weights, each row adding up to 1, from the judged days' losses L, as shares of the group's bytes,
    and errors E (N_GROUPS, M)."""
    regret = np.zeros(losses.shape)
    for values, small in ((losses, _SMALL_LOSS), (errors, 1e-9)):
        least = values.min(axis=1, keepdims=True)
        regret += 0.5 * (values - least) / (least + small)
    weight = np.exp(-learning_rate * (regret - regret.min(axis=1, keepdims=True)))
    return weight / weight.sum(axis=1, keepdims=True)


def _forecasts(history: History, day: int, knowledge: Knowledge, experts: dict[str, Forecaster],
               min_requests: float, with_dispersion: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Keys of all pairs any expert foresees (N,), requests (M, N), and the largest dispersion given by an expert (N,),
    0 without; of those that measure their own only the first is asked to."""
    forecasts = []
    for name, expert in experts.items():
        thinned = name in _MEASURES_ITS_ERRORS
        options: dict[str, Any] = dict(_LEAN.get(name, {}))
        if thinned:
            options = {"interval": with_dispersion, "min_requests": min_requests}
        with_dispersion &= not thinned
        forecasts.append(expert(history, day, knowledge, **options))
    n_regions = len(history.region_index)
    keys = np.unique(np.concatenate([one.keys(n_regions) for one in forecasts]))
    requests, dispersion = np.zeros((len(forecasts), len(keys))), np.zeros(len(keys))
    for m, one in enumerate(forecasts):
        where = np.searchsorted(keys, one.keys(n_regions))
        requests[m, where] = one.requests
        if one.dispersion is not None:
            dispersion[where] = np.maximum(dispersion[where], one.dispersion)
    return keys, requests, dispersion


def _groups(history: History, age: np.ndarray) -> np.ndarray:
    """(A,) 0..3: tail or head (the titles that make up half of the requests), + 2 for young ones."""
    total = history.asset_days.sum(axis=1)
    order = np.argsort(-total, kind="stable")
    head = np.zeros(len(total), dtype=np.int64)
    head[order[np.cumsum(total[order]) <= _HEAD_SHARE * total.sum()]] = 1
    return head + 2 * (age < YOUNG_DAYS)


def _judge(history: History, day: int, ahead: int, knowledge: Knowledge, experts: dict[str, Forecaster],
           loss: Loss, min_requests: float) -> _Judged:
    earlier = history.before(day - ahead)
    n_regions, n_assets = len(history.region_index), len(history.asset_index)
    size = np.ones(n_assets) if knowledge.size_bytes is None else knowledge.size_bytes.astype(np.float64)
    age = launches_of(earlier, knowledge.titles_of(n_assets)).age(day)
    group = _groups(earlier, age)
    keys, requests, _ = _forecasts(earlier, day, knowledge, experts, min_requests)
    rows = slice(*np.searchsorted(history.day, [day - history.first_day, day - history.first_day + 1]))
    true = PairBytes.of_pairs(history.region[rows], history.asset[rows],
                              history.requests[rows] * size[history.asset[rows]], n_regions)
    prices = [marginal_prices(true, size, np.full(n_regions, share * size.sum())) for share in STORAGE_SHARES]
    asset = keys // n_regions
    count = counts_on(history, day, ExpectedRequests.of_keys(keys, requests[0], n_regions))
    losses = np.zeros((N_GROUPS, len(experts)))
    for g in range(N_GROUPS):
        inside, true_of = group[asset] == g, _only(true, group[true.key // n_regions] == g)
        for m in range(len(experts)):
            foreseen = PairBytes(keys[inside], (requests[m] * size[asset])[inside])
            losses[g, m] = loss(true_of, foreseen, size, prices) / max(true_of.bytes.sum(), 1.0)
    middle = np.maximum(np.median(requests, axis=0), 1e-3)
    squared = (requests - count) ** 2 / (middle + _RELATIVE_VARIANCE * middle**2)
    squared = np.where(count > requests.max(axis=0), np.minimum(squared, _LARGEST_ERROR), squared)
    errors = np.array([np.bincount(group[asset], one, N_GROUPS) for one in squared]).T
    return _Judged(requests, count, group[asset], losses, errors)


def _only(pairs: PairBytes, of: np.ndarray) -> PairBytes:
    return PairBytes(pairs.key[of], pairs.bytes[of])


def _table(judged: Sequence[_Judged], weights: np.ndarray) -> np.ndarray:
    """Dispersions of the judged days' counts about the mixture, as in ``measured_dispersions``."""
    if not judged:
        return np.full((2, N_CLASSES), DEFAULT_DISPERSION)
    mean = np.concatenate([(weights[one.group].T * one.requests).sum(axis=0) for one in judged])
    return measured_dispersions(mean, np.concatenate([one.count for one in judged]),
                                np.concatenate([one.group for one in judged]) >= 2)
