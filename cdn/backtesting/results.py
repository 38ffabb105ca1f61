"""The files of a backtest: ``backtest.json`` with what was tested, by which inputs; ``scores.csv`` the figures of every
group, ``comparisons.csv`` methods against a baseline, ``days.csv`` day by day, ``sums.parquet`` what all of it is
worked out from.

``seconds.csv`` is the one file that differs between two runs. ``backtest.json`` is written last: where it is, the
others are whole.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cdn.backtesting.groupings import ALL
from cdn.backtesting.running import Backtest, date_of
from cdn.backtesting.scoring import SUMS
from cdn.backtesting.summaries import METRICS, overall
from cdn.files.schema import write_table
from cdn.files.writing import write_json

SUMMARY_FILE, SCORES_FILE, COMPARISONS_FILE = "backtest.json", "scores.csv", "comparisons.csv"
DAYS_FILE, SUMS_FILE, SECONDS_FILE = "days.csv", "sums.parquet", "seconds.csv"
PRINTED = 6
"""Significant digits of figures in CSV files."""


def summary_of(backtest: Backtest, scores: pd.DataFrame, comparisons: pd.DataFrame) -> dict[str, Any]:
    """What was tested and what came out over all pairs, for JSON; null where a figure means nothing."""
    plan = backtest.plan
    return {
        "days": days_of(backtest.days),
        "days_missing": days_of(backtest.missing),
        "days_thin": days_of(backtest.thin),
        "horizons": list(plan.horizons),
        "history_days": plan.history_days,
        "scores": _records(overall(scores)),
        "comparisons": _records(overall(comparisons)),
    }


def days_of(numbers: np.ndarray) -> list[str]:
    """Day numbers as dates."""
    return [f"{date_of(number):%Y-%m-%d}" for number in numbers]


def day_scores(backtest: Backtest) -> pd.DataFrame:
    """The METRICS of every method, horizon and day over all pairs."""
    rows = backtest.sums[backtest.sums["grouping"] == ALL]
    sums = rows[list(SUMS)].to_numpy()
    figures = {name: metric(sums) for name, metric in METRICS.items()}
    return rows[["method", "horizon", "day", "true_requests", "true_bytes"]].assign(**figures).reset_index(drop=True)


def write_backtest(folder: Path | str, backtest: Backtest, scores: pd.DataFrame, comparisons: pd.DataFrame,
                   parameters: Mapping[str, Any]) -> None:
    """Writes all files, each whole or not at all. ``parameters``: what it was made with, kept as they are."""
    folder = Path(folder)
    for name, table in ((SCORES_FILE, scores), (COMPARISONS_FILE, comparisons), (DAYS_FILE, day_scores(backtest)),
                        (SECONDS_FILE, backtest.seconds)):
        write_table(_rounded(table), folder / name)
    write_table(backtest.sums, folder / SUMS_FILE)
    write_json(folder / SUMMARY_FILE, {"parameters": dict(parameters), **summary_of(backtest, scores, comparisons)})


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    kept = table.drop(columns=["grouping", "group"])
    return [{name: _plain(value) for name, value in row.items()} for row in kept.to_dict("records")]


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _rounded(table: pd.DataFrame) -> pd.DataFrame:
    """Figures of a share beyond the sixth digit are noise, and differ between processors."""
    floats = table.select_dtypes("float").columns
    return table.assign(**{name: [float(f"{value:.{PRINTED}g}") for value in table[name]] for name in floats})
