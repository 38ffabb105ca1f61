"""``cdn ingest`` as it is called."""

import json

import pytest
from click.testing import CliRunner
from logs.log_texts import GOOD, MARKUP, write_log

from cdn.cli import cli
from cdn.errors import DataError


@pytest.fixture
def log(tmp_path):
    return write_log(tmp_path / "log.csv", *[GOOD] * 30, f"[bold]x,us,{MARKUP},1")


def invoke(*arguments):
    return CliRunner().invoke(cli, ["ingest", *map(str, arguments)], catch_exceptions=False)


def test_json_is_one_object_on_stdout(tmp_path, log):
    result = invoke(log, "--out", tmp_path / "store", "--json", "--quarantine", tmp_path / "bad.csv",
                    "--drop-duplicates")
    assert json.loads(result.stdout) == {
        "store": str(tmp_path / "store"), "requests_of_day": {"2012-12-26": 1}, "requests": 1, "rows_read": 31,
        "bad_rows": 1, "bad_share": 1 / 31, "counts": {"time": 1}, "duplicates": 29, "duplicates_dropped": True,
        "sweeping": {"client_days": 0, "distinct_assets": 300, "left_out": False, "requests": 0,
                     "requests_with_session": 0}}
    assert "[bold]x" in (tmp_path / "bad.csv").read_text()


def test_the_table_names_days_reasons_and_the_bad_rows_as_they_are(tmp_path, log):
    text = invoke(log, "--out", tmp_path / "store").stdout
    assert "2012-12-26" in text and "31 rows read, 1 bad (3.23 %)" in text and "1 time" in text
    assert "29 exact duplicates, kept" in text and "[bold]x" in text


def test_a_quarantine_of_another_kind_of_file_is_refused_before_anything_is_written(tmp_path, log):
    with pytest.raises(DataError, match=r"\.csv or \.parquet"):
        invoke(log, "--out", tmp_path / "store", "--quarantine", tmp_path / "bad.txt")
    assert not (tmp_path / "store").exists()


def test_unknown_formats_are_a_usage_error(tmp_path, log):
    result = invoke(log, "--out", tmp_path / "store", "--format", "clay_tablet")
    assert result.exit_code == 2 and "request_log" in result.stderr
