"""The format that docs/request_logs.md adds, run as printed; and the page against the code."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from logs.log_texts import ASSETS, REGIONS

from cdn.cli.ingest import ingest
from cdn.logs.quarantine import REASONS
from cdn.logs.readers import READERS
from cdn.logs.request_logs import read_request_log

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "request_logs.md").read_text(encoding="utf-8")


@pytest.fixture
def plain_log(monkeypatch):
    """Adds the page's format to READERS."""
    names: dict = {}
    exec(re.findall(r"```python\n(.*?)```", PAGE, re.S)[-1], names)
    monkeypatch.setitem(READERS, "plain_log", names["read_plain_log"])


def test_the_page_s_format_is_read(tmp_path, plain_log):
    path = tmp_path / "access.log"
    path.write_bytes(b"1356652800 us GET a1 7\ntorn\nx us GET a1 1\n1 us GET caf\xe9 1\n1356652801 de GET a1 9\n")
    log, quarantine = read_request_log([path], REGIONS, ASSETS, format_name="plain_log", bad_share=0.9)
    assert list(log.time_us // 10**6) == [1356652800, 1356652801]
    assert list(log.bytes) == [7, 9] and list(log.region) == [0, 1]
    assert [(row.line, row.reason) for row in quarantine.rows.itertuples()] == [(2, "torn"), (3, "time"),
                                                                              (4, "encoding")]


def test_every_reason_and_every_option_is_on_the_page():
    assert [reason for reason in REASONS if f"`{reason}`" not in PAGE] == []
    help_text = CliRunner().invoke(ingest, ["--help"]).stdout
    options = set(re.findall(r"--[a-z][a-z-]+", help_text)) - {"--help"}
    assert options and sorted(option for option in options if f"`{option}" not in PAGE) == []
