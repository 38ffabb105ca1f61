"""Gradient-boosted trees (LightGBM): what to multiply a simple base by, learned from the last days.

One Poisson model of all pairs of the last ``train_days`` (a sample of them, weighted back), started from the base of
``features``; its residuals on days it has not seen, over the root of what it expected, give a model each of the 10 %
and 90 % quantiles, days that neither has seen say for each class of demand how much wider they must be (``conformal``),
and their distance is the dispersion. G. Ke et al., LightGBM (NeurIPS 2017); S. Makridakis et al.,
The M5 accuracy competition (IJF 38, 2022), which such models won. Needs the extra ``ml``.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from cdn.errors import CdnError
from cdn.forecasting.conformal import widenings
from cdn.forecasting.expectation import ExpectedRequests
from cdn.forecasting.features import CATEGORICAL, NAMES, FeatureDays
from cdn.forecasting.gamma_shapes import popularity_class
from cdn.forecasting.history import History
from cdn.forecasting.knowledge import NOTHING_KNOWN, Knowledge
from cdn.forecasting.launches import YOUNG_DAYS
from cdn.forecasting.uncertainty import N_CLASSES

QUANTILES = (0.1, 0.9)
_NORMAL_WIDTH = 2 * 1.2815515655446004
_BLOCK_ROWS = 1_000_000
_LEAST_ROWS = 200


@dataclass(frozen=True)
class BoostedModels:
    """Models as LightGBM's own text: ``mean`` and, or None, ``low`` and ``high`` of the scaled residuals; ``wider``: by
    how much these are moved apart in each class of demand."""

    mean: str
    low: str | None = None
    high: str | None = None
    wider: tuple[float, ...] = ()


def gradient_boosting(history: History, day: int, knowledge: Knowledge = NOTHING_KNOWN, *, train_days: int = 10,
                      sampled_rows: int = 200_000, trees: int = 80, leaves: int = 15, learning_rate: float = 0.08,
                      min_requests: float = 0.01, threads: int = 1, seed: int = 1,
                      interval: bool = True) -> ExpectedRequests:
    """Trees learned from the history's last ``train_days`` observed days, then the forecast of ``day``. The same seed
    and inputs give the same forecast; ``threads`` is the number LightGBM may use. ``interval`` false leaves out the
    dispersion and most of the time."""
    models = fitted_models(history, day, knowledge, train_days=train_days, sampled_rows=sampled_rows, trees=trees,
                           leaves=leaves, learning_rate=learning_rate, threads=threads, seed=seed, interval=interval)
    return forecast_of_models(models, history, day, knowledge, min_requests=min_requests, threads=threads)


def fitted_models(history: History, day: int, knowledge: Knowledge = NOTHING_KNOWN, *, train_days: int = 10,
                  sampled_rows: int = 200_000, trees: int = 80, leaves: int = 15, learning_rate: float = 0.08,
                  threads: int = 1, seed: int = 1, interval: bool = True) -> BoostedModels:
    """The models alone. Raises ValueError for counts below 1, CdnError where LightGBM is not installed."""
    for name, value in (("train_days", train_days), ("sampled_rows", sampled_rows), ("trees", trees),
                        ("threads", threads), ("leaves", leaves - 1)):
        if not value >= 1:
            raise ValueError(f"{name} is at least {2 if name == 'leaves' else 1}, not {value}")
    if not 0 < learning_rate <= 1:
        raise ValueError(f"learning_rate is above 0 and at most 1, not {learning_rate}")
    lightgbm = _lightgbm()
    options = {"verbosity": -1, "deterministic": True, "force_row_wise": True, "num_threads": threads, "seed": seed,
               "num_leaves": leaves, "learning_rate": learning_rate, "min_data_in_leaf": 100, "lambda_l2": 20.0,
               "max_bin": 127}
    horizon = day - history.until_day
    rng = np.random.default_rng(seed)
    learned = [d for d in history.observed_days[-train_days:] if d - horizon > history.observed_days[0]]
    days = FeatureDays(history, knowledge)
    samples = [_sample(days, int(d), horizon, max(sampled_rows // len(learned), 1), rng) for d in learned]
    if not _enough(samples):
        return BoostedModels("")
    mean = _mean_model(lightgbm, samples, options, trees)
    n_held = max(len(samples) * 2 // 5, 2)
    if not (interval and _enough(samples[:-n_held]) and _enough(samples[-n_held:])):
        return BoostedModels(mean.model_to_string())
    before = _mean_model(lightgbm, samples[:-n_held], options, trees)
    return BoostedModels(mean.model_to_string(), *_quantile_models(lightgbm, before, samples[-n_held:], options, trees))


def forecast_of_models(models: BoostedModels, history: History, day: int, knowledge: Knowledge = NOTHING_KNOWN, *,
                       min_requests: float = 0.01, threads: int = 1) -> ExpectedRequests:
    """The forecast of a day by models, which may have been learned earlier and read back from text. Without a model
    (too short a history) the base itself."""
    if not min_requests >= 0:
        raise ValueError(f"min_requests is not negative, not {min_requests}")
    features = FeatureDays(history, knowledge).features(history.until_day, day)
    kept = features.seen | (features.base >= max(min_requests, 1e-8)) | features.young[:, None]
    asset, region = np.nonzero(kept & features.out[:, None])
    mean, width = np.empty(len(asset)), np.zeros(len(asset))
    mean_model, low_model, high_model = (_lightgbm().Booster(model_str=text) if text else None
                                         for text in (models.mean, models.low, models.high))
    for start in range(0, len(asset), _BLOCK_ROWS):
        rows = slice(start, start + _BLOCK_ROWS)
        x = features.rows(asset[rows], region[rows])
        mean[rows] = features.base[asset[rows], region[rows]]
        if mean_model is not None:
            mean[rows] *= np.exp(mean_model.predict(x, raw_score=True, num_threads=threads))
        if low_model is not None and high_model is not None:
            low, high = (model.predict(x, num_threads=threads) for model in (low_model, high_model))
            wider = 2 * np.array(models.wider)[_classes(mean[rows], features.young[asset[rows]])]
            width[rows] = np.maximum(high - low + wider, 0.0) * np.sqrt(np.maximum(mean[rows], 1e-12))
    if models.low is None:
        return ExpectedRequests(region, asset, mean)
    spread = (width / _NORMAL_WIDTH) ** 2
    return ExpectedRequests(region, asset, mean, np.maximum(spread - mean, 0.0) / np.maximum(mean, 1e-6) ** 2)


@dataclass(frozen=True, eq=False)
class _Sample:
    x: np.ndarray
    count: np.ndarray
    log_base: np.ndarray
    weight: np.ndarray


def _sample(days: FeatureDays, day: int, horizon: int, n_rows: int, rng: np.random.Generator) -> _Sample:
    """Rows of one day: a third of them the pairs of the largest base, which make most of the bytes; a third others that
    were asked for before, a third pairs of titles that are out and that were not, both at random and weighted back."""
    features, count = days.features(day - horizon, day), days.counts_on(day)
    n_each = n_rows // 3 + 1
    seen = np.flatnonzero(features.seen & features.out[:, None])
    by_base = seen[np.argsort(-features.base.ravel()[seen], kind="stable")]
    largest, smaller = np.sort(by_base[:n_each]), np.sort(by_base[n_each:])
    others = np.flatnonzero(~features.seen & ((features.base > 1e-3) | features.young[:, None]) & features.out[:, None])
    chosen, weights = [largest], [np.ones(len(largest))]
    for cells in (smaller, others):
        n = min(len(cells), n_each)
        chosen.append(np.sort(rng.choice(cells, n, replace=False)) if n else cells)
        weights.append(np.full(n, len(cells) / max(n, 1)))
    cells = np.concatenate(chosen)
    asset, region = np.divmod(cells, count.shape[1])
    return _Sample(features.rows(asset, region), count[asset, region], np.log(features.base[asset, region]),
                   np.concatenate(weights))


def _enough(samples: list[_Sample]) -> bool:
    """Whether there is anything to learn from: below, trees of a hundred rows a leaf are but one leaf."""
    return sum(len(sample.count) for sample in samples) >= _LEAST_ROWS and any(s.count.any() for s in samples)


def _joined(samples: list[_Sample]) -> _Sample:
    return _Sample(*(np.concatenate([getattr(sample, name) for sample in samples])
                     for name in ("x", "count", "log_base", "weight")))


def _mean_model(lightgbm: Any, samples: list[_Sample], options: dict[str, Any], trees: int) -> Any:
    rows = _joined(samples)
    data = lightgbm.Dataset(rows.x, rows.count, weight=rows.weight, init_score=rows.log_base, feature_name=list(NAMES),
                            categorical_feature=list(CATEGORICAL), params=options)
    return lightgbm.train({**options, "objective": "poisson", "poisson_max_delta_step": 0.7}, data, trees)


def _quantile_models(lightgbm: Any, before: Any, held_days: list[_Sample], options: dict[str, Any],
                     trees: int) -> tuple[str, str, tuple[float, ...]]:
    """Learned from the first half of the days that the mean ``before`` has not seen, widened by the second."""
    n_learned = len(held_days) // 2
    learned, checked = _joined(held_days[:n_learned]), _joined(held_days[n_learned:])
    models = [_quantile_model(lightgbm, learned, _scaled(before, learned, options)[1], options, trees, share)
              for share in QUANTILES]
    mean, scaled = _scaled(before, checked, options)
    low, high = (model.predict(checked.x, num_threads=options["num_threads"]) for model in models)
    group = _classes(mean, checked.x[:, NAMES.index("age")] < YOUNG_DAYS)
    wider = widenings(np.maximum(low - scaled, scaled - high), checked.weight, group, 2 * N_CLASSES,
                      QUANTILES[1] - QUANTILES[0])
    return models[0].model_to_string(), models[1].model_to_string(), tuple(wider.tolist())


def _scaled(mean_model: Any, rows: _Sample, options: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """(N,) expected requests of the rows, and their residuals over the root of that."""
    mean = np.exp(rows.log_base + mean_model.predict(rows.x, raw_score=True, num_threads=options["num_threads"]))
    return mean, (rows.count - mean) / np.sqrt(np.maximum(mean, 1e-12))


def _quantile_model(lightgbm: Any, rows: _Sample, scaled: np.ndarray, options: dict[str, Any], trees: int,
                    share: float) -> Any:
    finer = {**options, "min_data_in_leaf": 20, "lambda_l2": 0.0}
    data = lightgbm.Dataset(rows.x, scaled, feature_name=list(NAMES), categorical_feature=list(CATEGORICAL),
                            params=finer)
    return lightgbm.train({**finer, "objective": "quantile", "alpha": share}, data, trees)


def _classes(mean: np.ndarray, young: np.ndarray) -> np.ndarray:
    """(N,) class of demand: of expected requests, young titles apart."""
    return popularity_class(4 * mean, N_CLASSES) + N_CLASSES * young


def _lightgbm() -> Any:
    try:
        import lightgbm
    except ImportError as error:
        raise CdnError("the method gradient_boosting needs LightGBM: install the extra `ml` "
                       "(pip install 'cdn-placement[ml]')") from error
    except OSError as error:
        # A slim system has the package but not the OpenMP library it is linked with.
        raise CdnError(f"the method gradient_boosting cannot load LightGBM: {error}") from error
    return lightgbm


def is_usable() -> bool:
    """Whether LightGBM is installed and loads."""
    try:
        _lightgbm()
    except CdnError:
        return False
    return True
