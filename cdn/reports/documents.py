"""A report as a value, and its forms for machines and for Markdown."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from cdn.files.run_folders import Summary, read_summary, read_timings
from cdn.files.schema import write_table
from cdn.reports.cells import LEFT_ALIGNED, markdown_id, markdown_text, spreadsheet_cell
from cdn.reports.headline import WARNING, Headline, Note, build_headline
from cdn.reports.tables import ReportTable, build_tables, cells_shown, columns_shown, one_line


@dataclass(frozen=True, eq=False)
class Report:
    """What a run folder says: its headline and its tables."""

    run: Path
    summary: Summary
    headline: Headline
    tables: list[ReportTable]


def read_report(run: Path) -> Report:
    """Reads a run folder. Raises DataError where it is none, or is torn."""
    summary = read_summary(run)
    return Report(run, summary, build_headline(summary, read_timings(run)), build_tables(summary))


def report_document(report: Report) -> dict[str, Any]:
    """The report as one JSON object: all rows of all tables, numbers unrounded."""
    headline = report.headline
    return {
        "day": headline.day,
        "state": headline.state,
        "headline": headline.sentence,
        "notes": [{"level": note.level, "text": note.text, "names": list(note.names)} for note in headline.notes],
        "tables": {table.name: table.records() for table in report.tables},
    }


def json_text(report: Report) -> str:
    """``report_document`` as text; everything but ASCII is escaped, so no id reaches a terminal."""
    text = json.dumps(report_document(report), indent=1, sort_keys=True, allow_nan=False)
    return text.replace("\x7f", "\\u007f") + "\n"


def write_csv_folder(report: Report, folder: Path) -> list[Path]:
    """One CSV per table into a folder, with all its rows and columns; other files in it stay. Returns the files.

    A text that a spreadsheet would take for a formula stands behind a ``'``; control characters are escaped.
    """
    paths = []
    for table in report.tables:
        rows = [[spreadsheet_cell(cell) for cell in row] for row in table.rows]
        frame = pd.DataFrame(rows, columns=[column.name for column in table.columns], dtype=object)
        paths.append(folder / f"{table.name}.csv")
        write_table(frame, paths[-1])
    return paths


def markdown_report(report: Report) -> str:
    """The report as GitHub Markdown: headline, notes, and the tables people get."""
    headline = report.headline
    lines = [f"## Night of {headline.day}: {headline.state}", "", f"**{markdown_text(headline.sentence)}**", ""]
    lines += [_markdown_note(note) for note in headline.notes]
    for table in report.tables:
        lines += ["", f"### {markdown_text(table.title)}", "", *_markdown_table(table)]
        if table.rows_left_out:
            lines += ["", f"and {table.rows_left_out:,} more"]
    return "\n".join(lines) + "\n"


def _markdown_note(note: Note) -> str:
    names = f": {', '.join(map(markdown_id, note.names))}" if note.names else ""
    return f"- {'**look:** ' if note.level == WARNING else ''}{markdown_text(note.text)}{names}"


def _markdown_table(table: ReportTable) -> list[str]:
    columns = columns_shown(table)
    lines = [_markdown_row([one_line(column.heading) for _, column in columns]),
             _markdown_row(["---" if column.kind in LEFT_ALIGNED else "---:" for _, column in columns])]
    for k, row in enumerate(table.rows_shown):
        cells = [_markdown_cell(column.kind, text)
                 for (_, column), text in zip(columns, cells_shown(table, row), strict=True)]
        if k == table.marked:
            cells[0] += " (plan)"
        lines.append(_markdown_row(cells))
    return lines


def _markdown_cell(kind: str, text: str) -> str:
    return markdown_id(text) if kind in ("text", "sources") else markdown_text(text)


def _markdown_row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
