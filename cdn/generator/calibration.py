"""The measured figures a sample is held to, and how far it meets them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cdn.generator import measures
from cdn.model.catalog import Catalog
from cdn.model.request_log import RequestLog

CHART_LENGTH = 20
DECAY_WEEKS = 5
DECAY_DAYS = (7, 14)


@dataclass(frozen=True)
class Figure:
    """A figure measured on real data: ``target``, the range ``low``..``high`` a sample is held to, where it comes from,
    and which parameters move it."""

    target: float
    low: float
    high: float
    source: str
    parameters: str


_CRAN = "CRAN mirror log"
_CHARTS = "published weekly streaming charts"
FIGURES: dict[str, Figure] = {
    "zipf_exponent": Figure(0.85, 0.79, 0.89, f"{_CRAN} 0.79 to 0.89, metro video 0.86, streaming catalog 0.80",
                            "zipf_exponent, tail_exponent"),
    "pearson": Figure(0.73, 0.63, 0.83, f"{_CRAN}, ten largest countries", "home_boost, taste_title (lower it)"),
    "spearman": Figure(0.56, 0.50, 0.62, f"{_CRAN}, ten largest countries", "taste_title, taste_genre (lower it)"),
    "daily_one_hit_share": Figure(0.47, 0.42, 0.52, f"metro video; {_CRAN}, each of its four days",
                                  "n_titles / requests_per_day, tail_exponent"),
    "peak_over_mean": Figure(2.0, 1.8, 2.2, "metro video", "peak_over_mean"),
    "chart_persistence": Figure(0.60, 0.55, 0.65, _CHARTS, "launches_per_day, drift (lower it)"),
    "single_region_share": Figure(0.36, 0.30, 0.42, _CHARTS, "home_share, home_boost"),
    "decay_week_1": Figure(0.99, 0.79, 1.19, _CHARTS, "launch_weekdays, decay_days of episodes"),
    "decay_week_2": Figure(0.43, 0.34, 0.52, _CHARTS, "decay_days, decay_shape of episodes"),
    "decay_week_3": Figure(0.29, 0.23, 0.35, _CHARTS, "decay_days, decay_shape of episodes"),
    "decay_week_4": Figure(0.23, 0.18, 0.28, _CHARTS, "launch_boost of episodes"),
    "decay_day_7": Figure(0.22, 0.18, 0.26, "daily cinema admissions", "decay_days, decay_shape of films"),
    "decay_day_14": Figure(0.075, 0.055, 0.095, "daily cinema admissions", "launch_boost of films"),
}


def releases_of(catalog: Catalog) -> tuple[np.ndarray, np.ndarray]:
    """What charts list: a season of a series, else a title. Returns the release (A,) of each asset and whether it is a
    season (F,) bool. Reads the catalog's series_id and season where it has them."""
    nothing = np.full(len(catalog), None)
    frame = pd.DataFrame({name: catalog.attributes.get(name, nothing) for name in ("series_id", "season")})
    in_series = frame["series_id"].notna().to_numpy()
    frame["title_id"] = pd.Series(catalog.title_ids).where(~in_series, None)
    release = frame.groupby(["series_id", "season", "title_id"], dropna=False, sort=False).ngroup().to_numpy()
    season = np.zeros(release.max(initial=-1) + 1, dtype=bool)
    season[release] = in_series
    return release, season


def measure(log: RequestLog, catalog: Catalog) -> dict[str, float]:
    """Every figure of ``FIGURES`` on a log; NaN where the log is too short for it.

    Charts have half their places for films and half for seasons where there are both, as the published ones do. Weekly
    decay is that of seasons (of all titles where there are none), daily decay that of films.
    """
    release, season = releases_of(catalog)
    n_releases = len(season)
    pearson, spearman = measures.region_correlations(log)
    weekly = measures.weekly_requests(log, release, n_releases)
    charted = measures.charts(weekly, CHART_LENGTH, season)
    everywhere = weekly.sum(axis=1)
    chart = measures.charts(everywhere, CHART_LENGTH, season)
    decaying = season if season.any() else ~season
    weeks = measures.decay_after_charting(everywhere[:, decaying], chart[:, decaying], DECAY_WEEKS)
    days = measures.decay_after_peak(log, np.where(season[release], -1, release), n_releases, DECAY_DAYS)
    shares = measures.daily_one_hit_shares(log)
    return {
        "zipf_exponent": measures.fit_zipf_exponent(measures.requests_per_asset(log)),
        "pearson": pearson,
        "spearman": spearman,
        "daily_one_hit_share": float(np.median(shares)) if len(shares) else float("nan"),
        "peak_over_mean": measures.peak_over_mean(log),
        "chart_persistence": measures.chart_persistence(charted),
        "single_region_share": measures.single_region_share(charted),
        **{f"decay_week_{k}": float(weeks[k]) for k in range(1, DECAY_WEEKS)},
        **{f"decay_day_{after}": float(ratio) for after, ratio in zip(DECAY_DAYS, days, strict=True)},
    }


def compare(measured: dict[str, float]) -> dict[str, dict[str, Any]]:
    """Measured figures beside their targets, ready for JSON: ``measured`` and ``holds`` are None where the log was too
    short for a figure."""
    compared = {}
    for name, figure in FIGURES.items():
        value = measured[name]
        known = bool(np.isfinite(value))
        compared[name] = {"measured": round(value, 6) if known else None, "target": figure.target, "low": figure.low,
                          "high": figure.high, "holds": figure.low <= value <= figure.high if known else None,
                          "source": figure.source}
    return compared
