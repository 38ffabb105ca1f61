"""How the seconds of placing grow with the number of assets: a power law fitted, and a picture of it.

What was measured is kept in ``placement_growth.csv``, so that the largest need not be measured again with the others.
"""

import time
from pathlib import Path

import altair as alt
import numpy as np
import pandas as pd
import vl_convert

PICTURE = Path(__file__).resolve().parents[1] / "docs" / "images" / "placement_growth.png"

KEPT = Path(__file__).with_suffix(".csv")


def keep_points(fresh: list[dict]) -> pd.DataFrame:
    """The points kept, fresh ones (``assets``, ``threads`` and what was measured) in place of earlier ones."""
    frame = pd.DataFrame([point | {"measured": time.strftime("%Y-%m-%d")} for point in fresh])
    if KEPT.exists():
        frame = pd.concat([pd.read_csv(KEPT), frame])
    frame = frame.drop_duplicates(["assets", "threads"], keep="last").sort_values(["assets", "threads"])
    frame.to_csv(KEPT, index=False, float_format="%.6g", lineterminator="\n")
    return frame


def fit_exponent(assets: np.ndarray, seconds: np.ndarray) -> float:
    """k of seconds ~ assets^k by least squares of the logarithms."""
    return float(np.polyfit(np.log(assets), np.log(seconds), 1)[0])


def draw_growth(frame: pd.DataFrame, path: Path) -> None:
    """Columns ``assets``, ``seconds``, ``threads`` on two logarithmic axes, with the fitted lines."""
    chart = alt.Chart(frame.assign(threads=frame["threads"].map(lambda n: f"{n} thread" + "s" * (n > 1))))
    x = alt.X(
        "assets:Q", scale=alt.Scale(type="log"), title="assets (100 regions, 110 caches)", axis=alt.Axis(format="~s")
    )
    y = alt.Y("seconds:Q", scale=alt.Scale(type="log"), title="seconds to place")
    colour = alt.Color("threads:N", title=None, scale=alt.Scale(range=["#1b4f72", "#d35400"]))
    fitted = chart.transform_regression("assets", "seconds", groupby=["threads"], method="pow").mark_line(
        strokeDash=[4, 4], opacity=0.6
    )
    layers = chart.mark_point(filled=True, size=60).encode(x, y, colour) + fitted.encode(x, y, colour)
    drawn = layers.properties(width=480, height=320, background="white")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(vl_convert.vegalite_to_png(drawn.to_json(), scale=2))
