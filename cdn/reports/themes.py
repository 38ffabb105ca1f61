"""How charts look: inks for paper and for a page that is light or dark, and colours that survive colour blindness.

Colours are of Okabe and Ito, "Color Universal Design" (2008); every colour comes with a label or a shape as well.
"""

from dataclasses import dataclass
from typing import Any

import altair as alt

BLUE, VERMILLION, GREEN, GREY, PURPLE = "#1380c4", "#d55e00", "#009e73", "#8b949e", "#b8639a"
PLAN_COLOUR, LRU_COLOUR, CLAIRVOYANT_COLOUR, OTHER_COLOUR = BLUE, VERMILLION, GREEN, GREY
# Of the same widths, so that what was measured here fits in any browser.
FONT = "Arial, Helvetica, Liberation Sans, sans-serif"
WIDTH = 620


@dataclass(frozen=True)
class Theme:
    """``ink``: text, axes and links."""

    ink: str
    background: str


PAPER = Theme("#24292f", "#ffffff")
INLINE = Theme("currentColor", "transparent")


def themed(chart: Any, theme: Theme) -> dict[str, Any]:
    """The chart's Vega-Lite document in a theme."""
    document = chart.to_dict()
    ink = theme.ink
    document["config"] = {
        "background": theme.background,
        "font": FONT,
        "view": {"stroke": None},
        "title": {"color": ink, "subtitleColor": ink, "fontSize": 15, "subtitleFontSize": 12, "anchor": "start",
                  "frame": "group", "offset": 14, "subtitlePadding": 6},
        "axis": {"labelColor": ink, "titleColor": ink, "tickColor": ink, "domainColor": ink, "gridColor": ink,
                 "gridOpacity": 0.14, "domainOpacity": 0.5, "tickOpacity": 0.5, "labelFontSize": 12,
                 "titleFontSize": 12, "titleFontWeight": "normal", "titlePadding": 10, "labelLimit": 200},
        "legend": {"labelColor": ink, "labelFontSize": 12, "labelLimit": 200},
        "text": {"color": ink, "fontSize": 12},
        "rule": {"color": ink},
    }
    return document


def titled(title: str, subtitle: str) -> alt.TitleParams:
    """The finding, and below it what is shown."""
    return alt.TitleParams(text=title, subtitle=subtitle)
