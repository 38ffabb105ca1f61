"""The figures of a backtest: sums over days divided into WAPE, regret and the rest, with intervals, and methods
compared.

All ratios are of sums over days, so that a day counts by what was asked for on it. Regret and offload are shares of 1,
the regret of cost is one of what serving everything from the origin costs.
"""

from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any

import numpy as np
import pandas as pd

from cdn.backtesting.bootstrap import BLOCK_DAYS, DRAWS, Interval, Resamples
from cdn.backtesting.groupings import ALL
from cdn.backtesting.point_errors import ratio
from cdn.backtesting.scoring import SUMS

KEY = ["method", "horizon", "grouping", "group"]
_COLUMN = {name: k for k, name in enumerate(SUMS)}


def _of(sums: np.ndarray, name: str) -> np.ndarray:
    return sums[..., _COLUMN[name]]


def _difference_over(sums: np.ndarray, one: str, other: str, whole: str) -> np.ndarray:
    return ratio(_of(sums, one) - _of(sums, other), _of(sums, whole))


METRICS = {
    "wape": lambda sums: ratio(_of(sums, "absolute_error"), _of(sums, "true_requests")),
    "bias": lambda sums: _difference_over(sums, "forecast_requests", "true_requests", "true_requests"),
    "top_overlap": lambda sums: ratio(_of(sums, "top_hits"), _of(sums, "top_places")),
    "weighted_kendall": lambda sums: ratio(_of(sums, "kendall"), _of(sums, "kendall_weight")),
    "peak_wape": lambda sums: ratio(_of(sums, "peak_error_bps"), _of(sums, "true_peak_bps")),
    "quantile_loss": lambda sums: ratio(_of(sums, "quantile_loss_bytes"), _of(sums, "true_bytes")),
    "coverage": lambda sums: ratio(_of(sums, "covered"), _of(sums, "intervals")),
    "offload": lambda sums: ratio(_of(sums, "served_bytes"), _of(sums, "true_bytes")),
    "clairvoyant_offload": lambda sums: ratio(_of(sums, "clairvoyant_bytes"), _of(sums, "true_bytes")),
    "lru_offload": lambda sums: ratio(_of(sums, "lru_bytes"), _of(sums, "true_bytes")),
    "regret": lambda sums: _difference_over(sums, "clairvoyant_bytes", "served_bytes", "true_bytes"),
    "cost_regret": lambda sums: _difference_over(sums, "cost", "clairvoyant_cost", "origin_cost"),
    "decision_loss": lambda sums: ratio(_of(sums, "decision_loss_bytes"), _of(sums, "true_bytes")),
}
WITH_INTERVAL = ("wape", "regret")


def scores(sums: pd.DataFrame, seed: int = 0, *, block_days: int = BLOCK_DAYS, draws: int = DRAWS) -> pd.DataFrame:
    """One row per method, horizon, grouping and group: requests, bytes, METRICS, ``*_low`` and ``*_high`` of some."""
    rows = []
    resamples = _drawn(seed, block_days, draws)
    for key, per_day in _groups(sums):
        total = per_day.sum(axis=0)
        row: dict[str, Any] = dict(zip(KEY, key, strict=True))
        row |= {"days": len(per_day), "true_requests": float(_of(total, "true_requests")),
                "true_bytes": float(_of(total, "true_bytes"))}
        row |= {name: float(metric(total)) for name, metric in METRICS.items()}
        for name in WITH_INTERVAL:
            interval = resamples(len(per_day)).interval(per_day, METRICS[name])
            row |= {f"{name}_low": interval.low, f"{name}_high": interval.high}
        rows.append(row)
    return pd.DataFrame(rows)


def comparisons(sums: pd.DataFrame, baseline: str, seed: int = 0, *, block_days: int = BLOCK_DAYS,
                draws: int = DRAWS) -> pd.DataFrame:
    """Every method against ``baseline`` on the same days, per horizon and group.

    ``wape_skill`` = 1 - WAPE / WAPE of the baseline; ``regret_saved`` and ``cost_regret_saved`` = the baseline's regret
    - the method's; all are above 0 where the method is better, with ``*_low`` and ``*_high``. ``*_all_low`` and
    ``*_all_high``: intervals that hold for all methods at once, as is needed to say that one of them is better.
    """
    by_where: dict[tuple, dict[str, np.ndarray]] = {}
    for (method, *where), per_day in _groups(sums):
        by_where.setdefault(tuple(where), {})[method] = per_day
    resamples = _drawn(seed, block_days, draws)
    rows = []
    for place, of_method in by_where.items():
        methods = [method for method in of_method if method != baseline]
        both = [np.concatenate([of_method[method], of_method[baseline]], axis=1) for method in methods]
        found: list[dict[str, Any]] = [
            dict(zip(KEY, (method, *place), strict=True)) | {"baseline": baseline, "days": len(days)}
            for method, days in zip(methods, both, strict=True)]
        for name, statistic in COMPARED.items() if methods else ():
            drawn = resamples(len(both[0]))
            for row, days, of_all in zip(found, both, drawn.intervals_of_all(np.array(both), statistic), strict=True):
                row |= _fields(name, drawn.interval(days, statistic))
                row |= {f"{name}_all_low": of_all.low, f"{name}_all_high": of_all.high}
        rows += found
    ends = "", "_low", "_high", "_all_low", "_all_high"
    columns = [*KEY, "baseline", "days", *(f"{name}{end}" for name in COMPARED for end in ends)]
    return pd.DataFrame(rows, columns=columns)


def wape_skill(sums: np.ndarray) -> np.ndarray:
    """Of a method's sums followed by a baseline's, (..., 2 C)."""
    one, other = np.split(sums, 2, axis=-1)
    return 1 - ratio(METRICS["wape"](one), METRICS["wape"](other))


def regret_saved(sums: np.ndarray, regret: str = "regret") -> np.ndarray:
    """Of a method's sums followed by a baseline's, (..., 2 C)."""
    one, other = np.split(sums, 2, axis=-1)
    return METRICS[regret](other) - METRICS[regret](one)


COMPARED: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "wape_skill": wape_skill,
    "regret_saved": regret_saved,
    "cost_regret_saved": partial(regret_saved, regret="cost_regret"),
}


def overall(table: pd.DataFrame) -> pd.DataFrame:
    """The rows over all pairs, least regret first within each horizon."""
    rows = table[table["grouping"] == ALL]
    by = "regret" if "regret" in rows else "method"
    return rows.sort_values(["horizon", by, "method"]).reset_index(drop=True)


def _drawn(seed: int, block_days: int, draws: int) -> Callable[[int], Resamples]:
    """The same draws for everything that has as many days."""
    return cache(lambda n_days: Resamples.of_days(n_days, np.random.default_rng(seed), block_days=block_days,
                                                  draws=draws))


def _groups(sums: pd.DataFrame) -> Iterator[tuple[tuple, np.ndarray]]:
    """Each key and its (D, C) sums, oldest day first."""
    for key, rows in sums.groupby(KEY, sort=False):
        yield key, rows.sort_values("day")[list(SUMS)].to_numpy()


def _fields(name: str, interval: Interval) -> dict[str, float]:
    return {name: interval.value, f"{name}_low": interval.low, f"{name}_high": interval.high}
