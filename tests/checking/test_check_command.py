"""``cdn check``."""

import json

from checking.check_examples import KINDS, write_files
from click.testing import CliRunner

from cdn.cli import cli


def run(*arguments):
    return CliRunner().invoke(cli, ["check", *map(str, arguments)], catch_exceptions=False)


def test_sound_files_are_listed_and_the_exit_code_is_0(tmp_path, monkeypatch):
    write_files(tmp_path)
    monkeypatch.chdir(tmp_path)
    result = run(*KINDS)
    assert result.exit_code == 0
    assert result.stderr == ""
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["file", "kind", "rows", "regions", "sites", "assets", "bytes", "days"]
    assert [line.split()[0] for line in lines[1:]] == list(KINDS)
    assert lines[4].split() == ["demand.csv", "demand", "2", "2", "2", "2.4", "GB"]


def test_long_names_are_folded_not_cut(tmp_path, monkeypatch):
    """Names that differ only at their end must stay apart."""
    write_files(tmp_path)
    name = "z" * 120 + ".csv"
    (tmp_path / "demand.csv").rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert run(name, "--quiet").stdout.count("z") == 120


def test_every_fault_is_one_line_on_stdout_and_the_exit_code_is_1(tmp_path):
    paths = write_files(tmp_path, now_csv=("b,z", "c,z"), demand_csv=("q,z", "s,w"))
    result = run(*paths)
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        f"{tmp_path}/demand.csv:3:region_id: got 's', expected an id of the topology's regions",
        f"{tmp_path}/demand.csv:3:asset_id: got 'w', expected an id of the catalog",
        f"{tmp_path}/now.csv:3:appliance_id: got 'c', expected an id of the topology's appliances",
    ]
    assert result.stderr == "3 faults in 2 files\n"


def test_json_is_one_object(tmp_path):
    paths = write_files(tmp_path, demand_csv=("2,1800000000", "nan,1800000000"))
    result = run(*paths, "--json", "--quiet")
    assert result.exit_code == 1 and result.stderr == ""
    report = json.loads(result.stdout)
    assert report["faults"] == [
        {
            "file": f"{tmp_path}/demand.csv",
            "row": 3,
            "column": "requests",
            "value": "nan",
            "expected": "a finite number >= 0",
        }
    ]
    assert [file["kind"] for file in report["files"]][:3] == ["topology", "catalog", "request log"]
    assert [file["faults"] for file in report["files"]][3] == 1


def test_notes_go_to_stderr(tmp_path):
    result = run(write_files(tmp_path)[3])
    assert result.exit_code == 0
    assert "note: no sound topology: demand not checked against one" in result.stderr
    assert run(write_files(tmp_path)[3], "--quiet").stderr == ""


def test_what_files_hold_cannot_drive_the_terminal(tmp_path):
    """Escape sequences, line breaks and markup in a column's name are shown as what they are."""
    path = tmp_path / "[red]d.csv"
    path.write_text('region_id,asset_id,requests,bytes,"\x1b[2J\x07[bold]"\nr,a,1,1,1\n')
    result = run(path)
    assert result.exit_code == 1
    assert "\x1b" not in result.stdout and "\x07" not in result.stdout
    assert len(result.stdout.splitlines()) == 1
    assert "[bold]" in result.stdout and "[red]d.csv" in result.stdout


def test_no_files_is_a_usage_error():
    assert run().exit_code == 2
