"""The picture of miss-ratio curves: several policies over cache size, by requests and by bytes."""

import functools
import math
from collections.abc import Sequence
from pathlib import Path

import altair as alt
import jinja2
import numpy as np
import vl_convert
from altair.typing import ChartType
from markupsafe import Markup

from cdn.caching.curves import MissRatioCurve
from cdn.errors import DataError
from cdn.files.writing import replace_file, write_text
from cdn.reports.pictures import PNG_SCALE, VEGALITE
from cdn.reports.tables import LRU
from cdn.reports.themes import BLUE, GREEN, GREY, INLINE, LRU_COLOUR, PAPER, PURPLE, WIDTH, themed, titled
from cdn.units import format_bytes, format_share

PICTURES = (".png", ".svg", ".html")
PANEL_HEIGHT = 230
OTHER_COLOURS = (BLUE, GREEN, PURPLE, "#b8860b", GREY)
# Colour and dash together tell lru and fifteen other policies apart.
DASHES = ([1, 0], [6, 3], [2, 2])
LABELS_MAX = 9
STANDARD_ERRORS = 2
BYTES_LABEL = "replace(format(datum.value, '~s'), /([a-zA-Z]?)$/, ' $1B')"
SHARE_LABEL = "format(100 * datum.value, '~g') + ' %'"


def curves_chart(curves: Sequence[MissRatioCurve]) -> ChartType:
    """Two panels of lines, requests above bytes; a band of two standard errors where a curve was sampled and the
    errors are known."""
    ranked = sorted(curves, key=lambda curve: _mean(curve.miss_ratio))
    names = [curve.policy for curve in ranked]
    panels = [_panel(ranked, names, "miss_ratio", "error", "requests missed"),
              _panel(ranked, names, "byte_miss_ratio", "byte_error", "bytes missed")]
    subtitle = f"Misses by cache size, {curves[0].requests:,} requests; {_methods(ranked)}"
    return alt.vconcat(*panels, spacing=24).properties(title=titled(_finding(ranked), subtitle))


def write_picture(curves: Sequence[MissRatioCurve], path: Path) -> None:
    """A ``.png`` or ``.svg`` on white, or an ``.html`` page without script. Raises DataError for any other name."""
    if path.suffix not in PICTURES:
        raise DataError.of_file(path, f"a file name ending in {', '.join(PICTURES)}", path.suffix)
    theme = INLINE if path.suffix == ".html" else PAPER
    svg = vl_convert.vegalite_to_svg(themed(curves_chart(curves), theme), vl_version=VEGALITE, allowed_base_urls=[])
    if path.suffix == ".png":
        replace_file(path, functools.partial(Path.write_bytes, data=vl_convert.svg_to_png(svg, scale=PNG_SCALE)))
    elif path.suffix == ".svg":
        write_text(path, svg + "\n")
    else:
        environment = jinja2.Environment(
            loader=jinja2.PackageLoader("cdn.reports"), autoescape=True, undefined=jinja2.StrictUndefined)
        # SVG that the renderer wrote, with all text in it escaped.
        page = environment.get_template("curves.html.j2").render(chart=Markup(svg), rows=_rows(curves))
        write_text(path, page + "\n")


def _panel(curves: Sequence[MissRatioCurve], names: list[str], ratio: str, error: str, title: str) -> ChartType:
    rows = [{"policy": curve.policy, "size": int(size), "ratio": float(at), **_band(float(at), float(off))}
            for curve in curves
            for size, at, off in zip(curve.capacity_bytes, getattr(curve, ratio), getattr(curve, error), strict=True)
            if size > 0 and np.isfinite(at)]
    ticks = _round_sizes([int(size) for curve in curves for size in curve.capacity_bytes if size > 0])
    x = alt.X("size:Q", scale=alt.Scale(type="log", nice=False), title="cache size",
              axis=alt.Axis(grid=False, labelExpr=BYTES_LABEL, values=ticks))
    y = alt.Y("ratio:Q", scale=alt.Scale(domain=[0, 1]), title=title, axis=alt.Axis(labelExpr=SHARE_LABEL, tickCount=5))
    colours, dashes = _styles(names)
    legend = alt.Legend(title=None, orient="top", direction="horizontal", columns=8, symbolType="stroke",
                        symbolStrokeWidth=2.5, symbolSize=300, symbolOpacity=1)
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=x, color=alt.Color("policy:N", scale=alt.Scale(domain=names, range=colours), legend=legend))
    band = base.transform_filter("isValid(datum.low)").mark_area(opacity=0.2).encode(
        y=alt.Y("low:Q", title=title), y2="high:Q")
    lines = base.mark_line(strokeWidth=2.2).encode(
        y=y, strokeDash=alt.StrokeDash("policy:N", scale=alt.Scale(domain=names, range=dashes), legend=legend))
    return alt.layer(band, lines).properties(width=WIDTH, height=PANEL_HEIGHT)


def _band(ratio: float, error: float) -> dict[str, float | None]:
    """Its ends; none where the error is not known, which is not the same as no error."""
    off = STANDARD_ERRORS * error
    return {"low": None, "high": None} if math.isnan(off) else {"low": max(ratio - off, 0.0),
                                                                "high": min(ratio + off, 1.0)}


def _styles(names: list[str]) -> tuple[list[str], list[list[int]]]:
    """Colour and dash of each policy; lru looks as in the other charts."""
    others = [name for name in names if name != LRU]
    colours = {name: OTHER_COLOURS[k % len(OTHER_COLOURS)] for k, name in enumerate(others)} | {LRU: LRU_COLOUR}
    dashes = {name: DASHES[k // len(OTHER_COLOURS) % len(DASHES)] for k, name in enumerate(others)} | {LRU: DASHES[0]}
    return [colours[name] for name in names], [dashes[name] for name in names]


def _round_sizes(sizes: list[int]) -> list[float]:
    """Where the axis is labelled: 1, 2 and 5 times powers of ten, or fewer of them where those are too many."""
    if not sizes:
        return []
    low, high = min(sizes), max(sizes)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for digits in ((1, 2, 5), (1, 3), (1,)):
        values = [digit * 10.0**power for power in powers for digit in digits if low <= digit * 10.0**power <= high]
        if len(values) <= LABELS_MAX:
            return values
    return values[::len(values) // LABELS_MAX + 1]


def _finding(ranked: Sequence[MissRatioCurve]) -> str:
    """The best against the worst at the size where they differ most; alone, where one misses half of its range."""
    best, worst = ranked[0], ranked[-1]
    if len(ranked) == 1 or not np.array_equal(best.capacity_bytes, worst.capacity_bytes):
        k = len(best.capacity_bytes) // 2
        return (f"{best.policy} misses {format_share(best.miss_ratio[k])} of the requests "
                f"with {format_bytes(best.capacity_bytes[k])}")
    k = int(np.nan_to_num(worst.miss_ratio - best.miss_ratio).argmax())
    return (f"With {format_bytes(best.capacity_bytes[k])}, {best.policy} misses {format_share(best.miss_ratio[k])} of "
            f"the requests, {worst.policy} {format_share(worst.miss_ratio[k])}")


def _methods(ranked: Sequence[MissRatioCurve]) -> str:
    """How the curves were made, with which share of the objects, and what a band is."""
    by_rate = {rate: ", ".join(sorted({curve.method for curve in ranked if curve.sample_rate == rate}))
               for rate in sorted({curve.sample_rate for curve in ranked})}
    found = [names + (f" of {100 * rate:.3g} % of the objects" if rate < 1 else "") for rate, names in by_rate.items()]
    return ", ".join(found) + ("; bands: 2 standard errors" if min(by_rate) < 1 else "")


def _mean(values: np.ndarray) -> float:
    return float(np.nan_to_num(values).mean()) if len(values) else 0.0


def _rows(curves: Sequence[MissRatioCurve]) -> list[list[str]]:
    return [[curve.policy, format_bytes(size), format_share(ratio), format_share(byte_ratio)]
            for curve in curves
            for size, ratio, byte_ratio in zip(curve.capacity_bytes, curve.miss_ratio, curve.byte_miss_ratio,
                                               strict=True)]
