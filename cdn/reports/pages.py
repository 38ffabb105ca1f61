"""The report as one HTML page: no script, nothing from the network, every id escaped."""

from typing import Any

import jinja2
from markupsafe import Markup

from cdn.reports.cells import LEFT_ALIGNED, printable
from cdn.reports.documents import Report
from cdn.reports.headline import WARNING
from cdn.reports.pictures import draw_charts
from cdn.reports.tables import ReportTable, cells_shown, columns_shown, one_line
from cdn.reports.themes import INLINE

TEMPLATE = "report.html.j2"


def html_report(report: Report) -> str:
    """The page. Raises DataError where a file of the run is missing or torn."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("cdn.reports"), autoescape=True, undefined=jinja2.StrictUndefined)
    environment.filters["printable"] = printable
    # The charts are SVG that the renderer wrote, with all text in it escaped; nothing else is passed on unescaped.
    charts = {name: Markup(svg) for name, svg in draw_charts(report, INLINE).items()}
    tables = [_table(table) for table in report.tables]
    template = environment.get_template(TEMPLATE)
    return template.render(headline=report.headline, warning=WARNING, charts=charts, tables=tables) + "\n"


def _table(table: ReportTable) -> dict[str, Any]:
    columns = [column for _, column in columns_shown(table)]
    return {
        "title": table.title,
        "columns": [{"heading": one_line(column.heading), "left": column.kind in LEFT_ALIGNED} for column in columns],
        "rows": [{"plan": k == table.marked,
                  "cells": [{"text": text, "left": column.kind in LEFT_ALIGNED}
                            for column, text in zip(columns, cells_shown(table, row), strict=True)]}
                 for k, row in enumerate(table.rows_shown)],
        "left_out": table.rows_left_out,
    }
