"""What the person on call is told first, and what the tables say where something is not known."""

import io
import re

import pytest
from reports import run_examples
from rich.console import Console

from cdn.files.run_folders import read_timings
from cdn.reports import print_report, read_report
from cdn.reports.headline import INFO, OK, PROBLEM, SHORTFALL, WARNING


def report_of(tmp_path, change=lambda document: None, timings=None):
    document = run_examples.summary_document()
    change(document)
    return read_report(run_examples.write_run(tmp_path / "run", document, timings))


def nothing_deferred(document):
    document["deferred"] = {"pairs": 0, "bytes": 0, "saving": 0.0, "by_reason": {}, "most_valuable": []}


def broken(document):
    nothing_deferred(document)
    document["placement"]["violations"] = ["storage at east: 2, allowed 1", "egress at west: 3, allowed 2"]


@pytest.mark.parametrize(("change", "state", "words"), [
    (nothing_deferred, OK, "plan is good: certified gap 0.31 %, fits tonight"),
    (lambda document: None, SHORTFALL, "does not all fit tonight: certified gap 0.31 %, 2 assets (3 GB) deferred"),
    (broken, PROBLEM, "plan breaks 2 limits"),
])  # fmt: skip
def test_the_state_is_one_word(tmp_path, change, state, words):
    headline = report_of(tmp_path, change).headline
    assert headline.state == state and words in headline.sentence


def test_broken_limits_are_named(tmp_path):
    notes = report_of(tmp_path, broken).headline.notes
    assert notes[0].level == WARNING and notes[0].names[0] == "storage at east: 2, allowed 1"


@pytest.mark.parametrize(("bound", "solver_bound", "gap", "words"), [
    (3.2, None, 0.003, "certified gap 0.30 %"), (3.2, 3.1, 0.003, "certified gap 0.30 %"),
    (3.1, 3.2, 0.003, "gap by the solver 0.30 %"), (None, 3.2, 0.003, "gap by the solver 0.30 %"),
    (None, None, None, "no bound proven"),
])  # fmt: skip
def test_only_a_bound_that_prices_prove_is_called_certified(tmp_path, bound, solver_bound, gap, words):
    def change(document):
        document["placement"] |= {"lower_bound": bound, "solver_bound": solver_bound, "gap": gap}

    sentence = report_of(tmp_path, change).headline.sentence
    assert words in sentence and ("certified" in sentence) == words.startswith("certified")


def test_sweeping_clients_that_were_left_out_are_said(tmp_path):
    def change(document):
        document["logs"]["history"]["sweeping_left_out"] = {
            "distinct_assets": 300, "client_days": 15, "requests": 47_000, "requests_with_session": 80_000}

    def without_sessions(document):
        change(document)
        nobody = {"requests_with_session": 0, "client_days": 0, "requests": 0}
        document["logs"]["history"]["sweeping_left_out"] |= nobody

    notes = report_of(tmp_path, without_sessions).headline.notes
    assert any(note.level == WARNING and "history: no session_id" in note.text for note in notes)
    words = [note.text for note in report_of(tmp_path, change).headline.notes]
    assert "history: 15 client-days of sweeping left out, 47,000 requests" in words
    assert not any("sweeping" in note.text for note in report_of(tmp_path).headline.notes)


def test_a_baseline_that_beats_the_plan_is_said(tmp_path):
    """FIFO at 80 % is 8.75 points above the plan's 71.25 %; the clairvoyant at 82.5 % is no choice."""
    def change(document):
        document["replay"]["strategies"]["fifo"]["offload"] = 0.80

    notes = [note for note in report_of(tmp_path, change).headline.notes if note.level == WARNING]
    assert ("8.8 points more offload than the plan had", ("fifo",)) in [(note.text, note.names) for note in notes]
    assert not any("more offload" in note.text for note in report_of(tmp_path).headline.notes)


def test_a_peak_over_its_limit_is_said(tmp_path):
    """West serves 120 of 100 Mbit/s at its peak; east 50 of 100; mid has no limit."""
    notes = report_of(tmp_path).headline.notes
    assert [note.names for note in notes if "egress" in note.text] == [("west",)]


@pytest.mark.parametrize(("bad", "level"), [(3, INFO), (100, INFO), (101, WARNING)])
def test_many_quarantined_rows_are_a_warning(tmp_path, bad, level):
    """Of 10,000 rows read, more than one in a hundred."""
    def change(document):
        document["logs"]["history"]["quarantined"] = {"time": bad}

    note = next(note for note in report_of(tmp_path, change).headline.notes if "quarantined" in note.text)
    assert note.level == level and note.names == (f"time {bad}",)


def test_the_slowest_stage_is_named(tmp_path):
    report = report_of(tmp_path, timings={"forecast": 1.5, "placement": 12.0, "replay": 3.0})
    note = next(note for note in report.headline.notes if "made in" in note.text)
    assert note.text == "made in 16.5 s, 12.0 s of it" and note.names == ("placement",)
    assert sum(read_timings(report.run).values()) == 16.5


def test_without_the_clairvoyant_the_worst_regions_took_most_from_the_origin(tmp_path):
    """r1 took (1 - 0.75) * 300 = 75 GB from the origin, r2 (1 - 0.60) * 100 = 40 GB."""
    def change(document):
        replay = document["replay"]
        del replay["strategies"]["clairvoyant"]
        replay |= {"offload_regret": None, "cost_regret": None, "clairvoyant": None}
        for region in replay["regions"]:
            del region["offload_clairvoyant"]

    report = report_of(tmp_path, change)
    tables = {table.name: table.records() for table in report.tables}
    assert [(row["region_id"], row["bytes_lost"]) for row in tables["regions"]] == [("r1", 75e9), ("r2", 40e9)]
    assert "regret" not in report.headline.sentence
    assert "regret" not in [row["strategy"] for row in tables["strategies"]]


def test_strategies_are_ranked_with_the_clairvoyant_and_the_regret_last(tmp_path):
    rows = next(table for table in report_of(tmp_path).tables if table.name == "strategies").records()
    assert [row["strategy"] for row in rows] == ["pinned", "lru", "fifo", "popularity", "clairvoyant", "regret"]
    assert rows[-1]["offload_above_plan"] == pytest.approx(0.1125)
    assert rows[-1]["origin_bytes"] == 115 * run_examples.GB - 70 * run_examples.GB


@pytest.mark.parametrize("hostile", run_examples.HOSTILE)
@pytest.mark.parametrize("width", [80, 100])
def test_a_coloured_terminal_gets_colours_and_nothing_else(tmp_path, hostile, width):
    document = run_examples.with_hostile_ids(run_examples.summary_document(), hostile)
    run = run_examples.write_run(tmp_path / "run", document, hostile=hostile)
    out = io.StringIO()
    print_report(Console(file=out, force_terminal=True, color_system="truecolor", width=width, highlight=False), run)
    text = re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue())
    assert all(character.isprintable() or character == "\n" for character in text)
    assert max(map(len, text.splitlines())) <= width
