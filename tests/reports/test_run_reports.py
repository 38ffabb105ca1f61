"""Every form of the report says what the run folder says, whatever the ids look like."""

import csv
import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from reports import run_examples

from cdn.cli import cli
from cdn.errors import DataError
from cdn.reports import json_text, markdown_report, read_report, write_csv_folder
from cdn.reports.pages import html_report
from cdn.reports.pictures import write_pictures


@pytest.fixture
def run(tmp_path) -> Path:
    return run_examples.write_run(tmp_path / "run", run_examples.summary_document(), {"placement": 12.0, "replay": 3.0})


def report_text(*arguments: str) -> str:
    result = CliRunner().invoke(cli, ["report", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def records(run: Path) -> dict[str, list[dict]]:
    return json.loads(json_text(read_report(run)))["tables"]


def test_the_terminal_says_it_in_words(run):
    """Offload of the plan 71.25 %, LRU 65 %, clairvoyant 82.5 %: 6.2 points above LRU, a regret of 11.2; 2 assets did
    not fit; three log rows were quarantined."""
    text = " ".join(report_text(str(run)).replace("│", " ").split())
    assert "SHORTFALL" in text
    assert "certified gap 0.31 %" in text and "2 assets (3 GB) deferred" in text
    assert re.search(r"6\.[23] points above LRU", text) and re.search(r"regret 11\.[23] points", text)
    assert "3 of 10,000" in text or "3 log rows" in text or re.search(r"\b3\b[^.]*quarantined", text)
    assert all(len(line) <= 100 for line in report_text(str(run)).splitlines())


def test_numbers_are_the_summarys(run):
    document = run_examples.summary_document()
    tables = records(run)
    strategies = {row["strategy"]: row for row in tables["strategies"]}
    for name, found in document["replay"]["strategies"].items():
        assert strategies[name]["offload"] == found["offload"]
        assert strategies[name]["origin_bytes"] == found["origin_bytes"]
    sites = {row["site_id"]: row for row in tables["sites"]}
    assert sites["west"]["added_bytes"] == 10e9 and sites["west"]["deferred_bytes"] == 3e9


def test_worst_regions_are_those_that_lose_most_bytes(run):
    """Against the clairvoyant r1 loses (0.80 - 0.75) * 300 = 15 GB and r2 (0.90 - 0.60) * 100 = 30 GB; r3 asked for
    nothing."""
    regions = records(run)["regions"]
    assert [row["region_id"] for row in regions][:2] == ["r2", "r1"]
    lost = next(key for key in regions[0] if "lost" in key)
    assert regions[0][lost] == pytest.approx(30e9) and regions[1][lost] == pytest.approx(15e9)


def test_csv_holds_the_same_numbers(run, tmp_path):
    report_text(str(run), "--format", "csv", "--out", str(tmp_path / "csv"))
    with (tmp_path / "csv" / "strategies.csv").open(newline="") as stream:
        rows = {row["strategy"]: row for row in csv.DictReader(stream)}
    assert float(rows["pinned"]["offload"]) == pytest.approx(0.7125)
    assert {path.stem for path in (tmp_path / "csv").iterdir()} == set(records(run))


def _table_rows(markdown: str) -> int:
    return sum(line.startswith("|") for line in markdown.splitlines())


@pytest.mark.parametrize("hostile", run_examples.HOSTILE)
def test_hostile_ids_break_no_form(tmp_path, hostile):
    document = run_examples.with_hostile_ids(run_examples.summary_document(), hostile)
    run = run_examples.write_run(tmp_path / "run", document, hostile=hostile)
    report = read_report(run)
    terminal, markdown, page = report_text(str(run)), markdown_report(report), html_report(report)
    for text in (terminal, markdown, json_text(report)):
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", text)
    assert "<script" not in page and "<b>" not in page.replace("<body", "")
    assert "<script" not in markdown
    plain = run_examples.write_run(tmp_path / "plain", run_examples.summary_document())
    assert _table_rows(markdown) == _table_rows(markdown_report(read_report(plain)))
    for path in write_csv_folder(report, tmp_path / "csv"):
        with path.open(newline="") as stream:
            cells = [cell for row in csv.reader(stream) for cell in row]
        assert not any(re.match(r"[=@\t\r]|[+-](?!\d)", cell) for cell in cells), path
    assert {row["site_id"] for row in records(run)["sites"]} == {hostile + name for name in ("east", "west", "mid")}


def test_without_a_replay_the_rest_is_there(tmp_path):
    run = run_examples.write_run(tmp_path / "run", run_examples.without_replay(run_examples.summary_document()))
    assert "no replay" in report_text(str(run)).lower() or "not replayed" in report_text(str(run)).lower()
    assert "strategies" not in records(run) and "sites" in records(run)
    assert "<svg" in html_report(read_report(run))


def test_the_page_needs_nothing_from_outside(run, tmp_path):
    report_text(str(run), "--html", str(tmp_path / "r.html"))
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    outside = re.findall(r"(?:src|href)=\"([^\"#]+)\"", page)
    assert not outside and page.count("<svg") == 4 and "<script" not in page


def test_the_same_run_gives_the_same_bytes(run, tmp_path):
    report = read_report(run)
    assert json_text(report) == json_text(read_report(run))
    assert html_report(report) == html_report(read_report(run))
    first, second = (write_pictures(report, tmp_path / name) for name in ("a", "b"))
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert {path.name for path in first} >= {"map.png", "offload.svg"}


@pytest.mark.parametrize("text", [None, "", "{", "[]", '{"day": 3}'])
def test_no_run_is_an_error_that_names_the_file(tmp_path, text):
    (tmp_path / "run").mkdir()
    if text is not None:
        (tmp_path / "run" / "summary.json").write_text(text)
    with pytest.raises(DataError, match=r"summary\.json"):
        read_report(tmp_path / "run")
    assert CliRunner().invoke(cli, ["report", str(tmp_path / "run")]).exit_code == 1


@pytest.mark.parametrize("arguments", [["--format", "csv"], ["--out", "x.txt"], ["--format", "xml"]])
def test_wrong_options_are_usage_errors(run, arguments):
    assert CliRunner().invoke(cli, ["report", str(run), *arguments]).exit_code == 2
