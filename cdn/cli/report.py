"""``cdn report``: a run, for people and for machines."""

from pathlib import Path

import click

from cdn.cli.options import PATH, json_option, stdout_console
from cdn.files.writing import write_text
from cdn.reports import Report, json_text, markdown_report, read_report, show_report, write_csv_folder

FORMATS = ("terminal", "json", "csv", "markdown")


@click.command()
@click.argument("run", type=PATH)
@click.option("--format", "format_name", type=click.Choice(FORMATS), default="terminal", show_default=True, help="How.")
@click.option("--out", "out_path", type=PATH, default=None,
              help="Where to write it: a file, or for csv a folder that gets one file per table.")
@click.option("--html", "html_path", type=PATH, default=None, help="Also write one self-contained page with charts.")
@click.option("--pictures", "pictures_path", type=PATH, default=None, help="Also write the charts as SVG and PNG.")
@json_option
def report(run: Path, format_name: str, out_path: Path | None, html_path: Path | None, pictures_path: Path | None,
           as_json: bool) -> None:
    """Print the report of RUN, a folder that `cdn nightly` wrote."""
    found = read_report(run)
    if html_path is not None:
        from cdn.reports.pages import html_report

        write_text(html_path, html_report(found))
    if pictures_path is not None:
        from cdn.reports.pictures import write_pictures

        write_pictures(found, pictures_path)
    _write(found, "json" if as_json else format_name, out_path)


def _write(found: Report, format_name: str, out_path: Path | None) -> None:
    if format_name == "csv":
        if out_path is None:
            raise click.UsageError("--format csv writes one file per table: give the folder with --out")
        for path in write_csv_folder(found, out_path):
            click.echo(str(path))
        return
    if format_name == "terminal":
        if out_path is not None:
            raise click.UsageError("--out goes with --format json, csv or markdown")
        show_report(stdout_console(), found)
        return
    text = json_text(found) if format_name == "json" else markdown_report(found)
    if out_path is None:
        click.echo(text, nl=False)
    else:
        write_text(out_path, text)
