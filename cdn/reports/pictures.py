"""Charts as SVG and PNG, drawn here: no browser, no network, no script."""

import functools
from pathlib import Path

import vl_convert
from altair.typing import ChartType

from cdn.files.topologies import read_topology
from cdn.files.writing import replace_file, write_text
from cdn.reports.charts import offload_chart, origin_chart, region_chart
from cdn.reports.documents import Report
from cdn.reports.network_map import network_map
from cdn.reports.themes import PAPER, Theme, themed
from cdn.simulation.results import read_results

VEGALITE = "6.4"
PNG_SCALE = 2.0


def draw_charts(report: Report, theme: Theme) -> dict[str, str]:
    """SVG of each chart there is data for, by name. Raises DataError where a file of the run is missing or torn."""
    summary, tables = report.summary, {table.name: table for table in report.tables}
    topology = read_topology(report.run / "inputs" / "topology.toml")
    charts: dict[str, ChartType | None] = {}
    if summary.replay is not None:
        metrics = read_results(report.run, topology)
        charts = {"offload": offload_chart(summary.replay, summary.day, tables["strategies"]),
                  "regions": region_chart(summary.replay, summary.day, tables["regions"]),
                  "origin": origin_chart(summary.replay, summary.day, metrics)}
    charts["map"] = network_map(summary, topology)
    return {name: draw(chart, theme) for name, chart in charts.items() if chart is not None}


def draw(chart: ChartType, theme: Theme) -> str:
    """One chart as SVG."""
    return vl_convert.vegalite_to_svg(themed(chart, theme), vl_version=VEGALITE, allowed_base_urls=[])


def write_pictures(report: Report, folder: Path) -> list[Path]:
    """``NAME.svg`` and ``NAME.png`` of each chart, on white. Returns the files. Raises DataError as ``draw_charts``."""
    return [path for name, svg in draw_charts(report, PAPER).items() for path in write_picture(svg, folder, name)]


def write_picture(svg: str, folder: Path, name: str) -> list[Path]:
    """``NAME.svg`` and ``NAME.png`` of one chart. Returns the two files."""
    write_text(folder / f"{name}.svg", svg + "\n")
    png = functools.partial(Path.write_bytes, data=vl_convert.svg_to_png(svg, scale=PNG_SCALE))
    replace_file(folder / f"{name}.png", png)
    return [folder / f"{name}.svg", folder / f"{name}.png"]
