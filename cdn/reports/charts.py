"""The charts of a replay: offload by strategy, offload by region, and the origin's day. Titles state the finding."""

import math
from typing import Any

import altair as alt
import numpy as np
from altair.typing import ChartType

from cdn.files.run_folders import ReplayRecord
from cdn.reports.cells import format_cell, printable
from cdn.reports.tables import LRU, ReportTable, plan_offset
from cdn.reports.themes import (
    CLAIRVOYANT_COLOUR,
    LRU_COLOUR,
    OTHER_COLOUR,
    PLAN_COLOUR,
    PURPLE,
    WIDTH,
    titled,
)
from cdn.simulation.metrics import Metrics
from cdn.simulation.strategies import CLAIRVOYANT
from cdn.units import HOURS_PER_DAY, format_bytes

REGIONS_DRAWN = 24
ROW_HEIGHT, REGION_HEIGHT, LINES_HEIGHT, LABEL_HEIGHT, LINE_LABELS_WIDTH = 26, 22, 260, 16, 80
POPULARITY = "popularity"
# Label: column of the region table, colour, shape.
COMPARED = {"plan": ("offload_plan", PLAN_COLOUR, "circle"), "LRU": ("offload_lru", LRU_COLOUR, "triangle-up"),
            "clairvoyant": ("offload_clairvoyant", CLAIRVOYANT_COLOUR, "diamond")}
SHARE_LABEL = "format(100 * datum.value, '~g') + ' %'"
BYTES_LABEL = "replace(format(datum.value, '~s'), /([a-zA-Z]?)$/, ' $1B')"


def offload_chart(replay: ReplayRecord, day: str, strategies: ReportTable) -> ChartType:
    """Bars, one per strategy in the table's order; the plan stands out."""
    names = [row[0] for row in strategies.rows if row[0] in replay.strategies]
    shares = [replay.strategies[name].offload for name in names]
    rows = [{"strategy": strategy_label(name, replay), "offload": share, "label": format_cell("share", share),
             "colour": _bar_colour(name, replay)} for name, share in zip(names, shares, strict=True)]
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=_share_axis("offload: share of the bytes that caches served"),
        y=_name_axis("strategy", [strategy_label(name, replay) for name in names]))
    bars = base.mark_bar(height={"band": 0.7}).encode(color=alt.Color("colour:N", scale=None))
    labels = base.mark_text(align="left", dx=5).encode(text="label:N")
    title = titled(_offload_finding(replay), f"Offload by strategy, replay of {day}")
    return alt.layer(bars, labels).properties(width=WIDTH, height=ROW_HEIGHT * len(rows), title=title)


def region_chart(replay: ReplayRecord, day: str, regions: ReportTable) -> ChartType | None:
    """Dots: offload of plan, LRU and clairvoyant in each of the regions that asked for most, in the table's order.
    None where no region asked for anything."""
    if not regions.rows:
        return None
    most = sorted(regions.records(), key=lambda row: (-row["bytes"], row["region_id"]))[:REGIONS_DRAWN]
    drawn = [row for row in regions.records() if row in most]
    rows = [{"region": printable(row["region_id"]), "strategy": label, "offload": row[column]}
            for row in drawn for label, (column, _, _) in COMPARED.items() if row[column] is not None]
    labels = [label for label in COMPARED if any(row["strategy"] == label for row in rows)]
    colours, shapes = [COMPARED[label][1] for label in labels], [COMPARED[label][2] for label in labels]
    legend = alt.Legend(title=None, orient="top", direction="horizontal", symbolSize=90)
    left_out = len(regions.rows) - len(drawn)
    which = f"the {len(drawn)} that asked for most" if left_out else "most bytes lost first"
    title = titled(_region_finding(replay, regions), f"Offload by region, {which}, replay of {day}")
    return alt.Chart(alt.Data(values=rows)).mark_point(filled=True, size=90, opacity=1).encode(
        x=_share_axis("offload", math.floor(10 * min(row["offload"] for row in rows) - 0.2) / 10),
        y=_name_axis("region", [printable(row["region_id"]) for row in drawn], grid=True),
        color=alt.Color("strategy:N", scale=alt.Scale(domain=labels, range=colours), legend=legend),
        shape=alt.Shape("strategy:N", scale=alt.Scale(domain=labels, range=shapes)),
    ).properties(width=WIDTH, height=REGION_HEIGHT * len(drawn), title=title)


def origin_chart(replay: ReplayRecord, day: str, metrics: dict[str, Metrics]) -> ChartType:
    """Lines: bytes from the origin in each hour, labelled where they end."""
    colours = {POPULARITY: PURPLE, LRU: LRU_COLOUR, CLAIRVOYANT: CLAIRVOYANT_COLOUR, replay.plan: PLAN_COLOUR}
    names = [name for name in colours if name in metrics and name in replay.strategies]
    hourly = {name: metrics[name].origin_bytes_by_hour for name in names}
    top = max(float(hours.max()) for hours in hourly.values())
    rows = [{"strategy": name, "hour": hour, "bytes": int(hourly[name][hour])}
            for name in names for hour in range(HOURS_PER_DAY)]
    ends = [{"label": strategy_label(name, replay), "hour": HOURS_PER_DAY - 1, "bytes": at, "colour": colours[name]}
            for name, at in zip(names, label_heights([float(hourly[n][-1]) for n in names], top), strict=True)]
    scale = alt.Scale(domain=[0, top or 1.0], nice=False)
    x = alt.X("hour:Q", scale=alt.Scale(domain=[0, HOURS_PER_DAY - 1], nice=False), title="hour of the day (UTC)",
              axis=alt.Axis(values=list(range(0, HOURS_PER_DAY, 3)), grid=False))
    y = alt.Y("bytes:Q", scale=scale, title="bytes from the origin per hour",
              axis=alt.Axis(tickCount=5, labelExpr=BYTES_LABEL))
    by_name = alt.Scale(domain=names, range=[colours[name] for name in names])
    lines = alt.Chart(alt.Data(values=rows)).mark_line(strokeWidth=2.5).encode(
        x=x, y=y, color=alt.Color("strategy:N", scale=by_name, legend=None))
    labels = alt.Chart(alt.Data(values=ends)).mark_text(align="left", dx=8).encode(
        x=x, y=y, text="label:N", color=alt.Color("colour:N", scale=None))
    title = titled(_origin_finding(replay, hourly), f"Bytes from the origin by hour, replay of {day}")
    return alt.layer(lines, labels).resolve_scale(color="independent").properties(
        width=WIDTH - LINE_LABELS_WIDTH, height=LINES_HEIGHT, title=title)


def strategy_label(name: str, replay: ReplayRecord) -> str:
    """A strategy's name, the plan's with a note that it is."""
    return printable(name) + (" (plan)" if name == replay.plan else "")


def label_heights(values: list[float], top: float) -> list[float]:
    """Where labels at these heights go so that none lies on another: moved as little as their order allows, within
    0..top. Values and results in the axis' unit."""
    gap = LABEL_HEIGHT / LINES_HEIGHT * (top or 1.0)
    order = np.argsort(values, kind="stable")
    placed = np.array(values, dtype=float)[order]
    for k in range(1, len(placed)):
        placed[k] = max(placed[k], placed[k - 1] + gap)
    ceiling = max(top, gap * (len(placed) - 1))
    for k in range(len(placed) - 1, -1, -1):
        placed[k] = min(placed[k], ceiling - gap * (len(placed) - 1 - k))
    heights = np.empty(len(placed))
    heights[order] = placed
    return heights.tolist()


def _share_axis(title: str, start: float = 0.0) -> alt.X:
    return alt.X("offload:Q", scale=alt.Scale(domain=[max(start, 0.0), 1], zero=False), title=title,
                 axis=alt.Axis(tickCount=5, labelExpr=SHARE_LABEL))


def _name_axis(field: str, order: list[str], grid: bool = False) -> alt.Y:
    return alt.Y(f"{field}:N", sort=order, title=None, axis=alt.Axis(grid=grid, ticks=False, domain=False))


def _bar_colour(name: str, replay: ReplayRecord) -> str:
    return PLAN_COLOUR if name == replay.plan else CLAIRVOYANT_COLOUR if name == CLAIRVOYANT else OTHER_COLOUR


def _offload_finding(replay: ReplayRecord) -> str:
    kept = f"The plan kept {format_cell('share', replay.strategies[replay.plan].offload)} of the bytes off the origin"
    if LRU not in replay.strategies or replay.plan == LRU:
        return kept
    above = -plan_offset(replay, LRU)
    return f"{kept}, {100 * abs(above):.1f} points {'more' if above >= 0 else 'less'} than LRU"


def _region_finding(replay: ReplayRecord, regions: ReportTable) -> str:
    worst = regions.records()[0]
    name, lost = printable(worst["region_id"])[:40], format_bytes(worst["bytes_lost"])
    if CLAIRVOYANT not in replay.strategies:
        return f"Region {name} took most from the origin: {lost}"
    return f"Region {name} lost most against knowing the day: {lost}"


def _origin_finding(replay: ReplayRecord, hourly: dict[str, Any]) -> str:
    plan = hourly[replay.plan]
    peak = format_bytes(plan.max())
    finding = f"At its peak, {int(plan.argmax()):02d} h, the plan takes {peak} an hour from the origin"
    return finding + (f", LRU {format_bytes(hourly[LRU].max())} at its" if LRU in hourly and replay.plan != LRU else "")
