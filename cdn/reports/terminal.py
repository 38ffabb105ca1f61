"""The report in a terminal: a headline panel, then the tables; readable without colour and in 80 columns."""

from rich import box
from rich.console import Console
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from cdn.reports.cells import LEFT_ALIGNED, Cell, format_cell, printable
from cdn.reports.documents import Report
from cdn.reports.headline import OK, PROBLEM, SHORTFALL, WARNING, Headline, Note
from cdn.reports.tables import ReportTable, TableColumn, columns_shown

COLOURS = {OK: "green", SHORTFALL: "yellow", PROBLEM: "red"}
PLAN_STYLE, BAR_STYLE, PLAN_BAR_STYLE = "bold", "cyan", "bold green"
WIDE_FROM, BAR_WIDTH, WIDE_BAR_WIDTH, TEXT_MIN_WIDTH = 96, 6, 7, 8
# Their totals stand in the title of the table of what did not fit.
LEFT_TO_OTHERS = ("deferred_reasons",)


def show_report(console: Console, report: Report) -> None:
    """Prints the report. No id can style, move or clear the terminal."""
    console.print(_panel(report.headline))
    if report.summary.replay is None:
        console.print(Text("No replay: the planned day has not passed, so there is nothing to compare the plan with.",
                           style="italic"))
    for table in report.tables:
        if table.name not in LEFT_TO_OTHERS:
            console.print(Text(f"\n{table.title}", style="bold"))
            console.print(_table(table, console.width >= WIDE_FROM))
            if table.rows_left_out:
                console.print(Text(f"  and {table.rows_left_out:,} more: --format csv or json", style="dim"))


def _panel(headline: Headline) -> Panel:
    colour = COLOURS[headline.state]
    lines = Table.grid(padding=(0, 1, 0, 0))
    lines.add_row(Text(f" {headline.state} ", style=f"bold reverse {colour}"), Text(headline.sentence, style="bold"))
    for note in headline.notes:
        warns = note.level == WARNING
        lines.add_row(Text("look" if warns else "", style="yellow", justify="right"),
                      Text(_words(note), style="yellow" if warns else ""))
    return Panel(lines, title=Text(f"night of {headline.day}"), border_style=colour, box=box.ROUNDED)


def _words(note: Note) -> str:
    return ": ".join([note.text, ", ".join(map(printable, note.names))] if note.names else [note.text])


def _table(table: ReportTable, wide: bool) -> Table:
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    columns = [(k, column) for k, column in columns_shown(table) if wide or not column.wide]
    texts = [[_text(column, row[position]) for position, column in columns] for row in table.rows_shown]
    if table.marked is not None and table.marked < len(texts):
        texts[table.marked][0].append(" (plan)")
    for k, (_, column) in enumerate(columns):
        if column.bar:
            grid.add_column("", width=WIDE_BAR_WIDTH if wide else BAR_WIDTH, vertical="bottom")
        _add_column(grid, column, [row[k] for row in texts])
    for k, (row, cells) in enumerate(zip(table.rows_shown, texts, strict=True)):
        plan = k == table.marked
        grid.add_row(*(part for (position, column), cell in zip(columns, cells, strict=True)
                       for part in ([_bar(row[position], plan), cell] if column.bar else [cell])),
                     style=PLAN_STYLE if plan else "")
    return grid


def _add_column(grid: Table, column: TableColumn, cells: list[Text]) -> None:
    """Texts may be cut short to fit; a number or a time never is."""
    longest = max((cell.cell_len for cell in cells), default=0)
    may_shrink = column.kind in ("text", "sources")
    grid.add_column(column.heading or "", justify="left" if column.kind in LEFT_ALIGNED else "right", vertical="bottom",
                    min_width=min(longest, TEXT_MIN_WIDTH) if may_shrink else longest, no_wrap=not may_shrink)


def _text(column: TableColumn, value: Cell) -> Text:
    return Text(format_cell(column.kind, value), style=_style(column, value), no_wrap=True, overflow="ellipsis")


def _bar(share: Cell, plan: bool) -> ProgressBar | Text:
    if share is None:
        return Text()
    style = PLAN_BAR_STYLE if plan else BAR_STYLE
    return ProgressBar(total=1.0, completed=min(max(share, 0.0), 1.0), complete_style=style, finished_style=style)


def _style(column: TableColumn, value: Cell) -> str:
    if column.name == "deferred_bytes" and value:
        return "yellow"
    if column.name == "peak_share_of_egress" and value is not None and value > 1:
        return "bold red"
    return ""
