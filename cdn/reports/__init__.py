"""Reports of a run: for the terminal, spreadsheets, machines, Markdown, and one HTML page with charts.

They read the run folder only; every format prints the same tables (``cdn.reports.tables``).
"""

from pathlib import Path

from rich.console import Console

from cdn.reports.documents import Report, json_text, markdown_report, read_report, report_document, write_csv_folder
from cdn.reports.terminal import show_report

__all__ = ["Report", "json_text", "markdown_report", "print_report", "read_report", "report_document", "show_report",
           "write_csv_folder"]


def print_report(console: Console, run: Path) -> None:
    """Prints a run folder's report to a terminal. Raises DataError where the folder is no run, or torn."""
    show_report(console, read_report(run))
