"""The chart of a backtest: error and regret of every method with their intervals, best first, one colour per
horizon."""

from typing import Any

import altair as alt
import numpy as np
import pandas as pd
from altair.typing import ChartType

from cdn.reports.cells import printable
from cdn.reports.themes import BLUE, GREEN, PURPLE, VERMILLION, titled

PANEL_WIDTH, ROW_HEIGHT = 250, 30
SHAPES = ("circle", "square", "triangle-up", "diamond")
POINTS = 100.0


def backtest_chart(scores: pd.DataFrame) -> ChartType:
    """Two panels, WAPE and regret in points of offload. ``scores``: one row per method and horizon, over all pairs."""
    first = scores["horizon"].min()
    order = scores[scores["horizon"] == first].sort_values(["regret", "method"])["method"].map(printable).tolist()
    horizons = [_horizon(days) for days in sorted(scores["horizon"].unique())]
    panels = [_panel(_rows(scores, name, scale), title, order, horizons, labels)
              for name, scale, title, labels in (("regret", POINTS, "regret: points of offload lost", True),
                                                 ("wape", POINTS, "WAPE of requests, %", False))]
    best = scores[scores["horizon"] == first].sort_values(["regret", "method"]).iloc[0]
    finding = (f"{printable(best['method'])} loses least, {POINTS * best['regret']:.1f} points of offload, "
               f"{_horizon(first)} ahead")
    n_days = int(scores["days"].max())
    return alt.hconcat(*panels, spacing=24).properties(
        title=titled(finding, f"Mean of {n_days} tested {'day' if n_days == 1 else 'days'}"
                              + (", bars: 95 % intervals" if scores["regret_low"].notna().any() else "")))


def _horizon(days: int) -> str:
    return f"{days} day" + ("s" if days > 1 else "")


def _rows(scores: pd.DataFrame, name: str, scale: float) -> list[dict[str, Any]]:
    rows = []
    for row in scores.to_dict("records"):
        low, high = (scale * row[f"{name}_{end}"] for end in ("low", "high"))
        value = scale * row[name]
        known = bool(np.isfinite(low) and np.isfinite(high))
        rows.append({"method": printable(row["method"]), "horizon": _horizon(row["horizon"]), "value": value,
                     "low": low if known else value, "high": high if known else value})
    return [row for row in rows if np.isfinite(row["value"])]


def _panel(rows: list[dict[str, Any]], title: str, order: list[str], horizons: list[str], labels: bool) -> Any:
    y = alt.Y("method:N", sort=order, title=None, axis=alt.Axis(labels=labels, ticks=False, domain=False, grid=True))
    offset = alt.YOffset("horizon:N", sort=horizons)
    colour = alt.Color("horizon:N", scale=alt.Scale(domain=horizons, range=_cycled((BLUE, VERMILLION, GREEN, PURPLE),
                                                                                   len(horizons))),
                       legend=alt.Legend(title="ahead", orient="top", direction="horizontal") if labels else None)
    base = alt.Chart(alt.Data(values=rows)).encode(y=y, yOffset=offset, color=colour)
    start = min([0.0, *(row["low"] for row in rows)])
    scale = alt.Scale(domainMin=start, nice=True)
    bars = base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q", title=title, scale=scale, axis=alt.Axis(tickCount=5)),
                                                x2="high:Q")
    points = base.mark_point(filled=True, size=70, opacity=1).encode(
        x=alt.X("value:Q", title=title, scale=scale),
        shape=alt.Shape("horizon:N", scale=alt.Scale(domain=horizons, range=_cycled(SHAPES, len(horizons))),
                        legend=None))
    return alt.layer(bars, points).properties(width=PANEL_WIDTH, height=ROW_HEIGHT * len(order))


def _cycled(values: tuple[str, ...], n: int) -> list[str]:
    return [values[k % len(values)] for k in range(n)]
