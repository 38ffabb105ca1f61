"""``cdn bound`` and ``cdn curve`` as they are called, on a log small enough to follow by hand."""

import json

import pytest
from click.testing import CliRunner
from logs.log_texts import write_log

from cdn.cli import cli
from cdn.errors import DataError, UnknownNameError


@pytest.fixture
def log(tmp_path):
    """Requests a b c a b c for assets of 10 bytes: with room for two, LRU never hits; two hits are possible."""
    rows = [f"2012-12-26T00:00:0{k}Z,us,{asset},10" for k, asset in enumerate("abcabc")]
    return write_log(tmp_path / "log.csv", *rows)


def invoke(*arguments):
    return CliRunner().invoke(cli, [*map(str, arguments)], catch_exceptions=False)


def test_bound_says_how_much_is_left(log):
    result = invoke("bound", log, "--size-bytes", "20", "--bound", "infinite,foo,pfoo_u", "--policy", "lru", "--json")
    found = json.loads(result.stdout)
    assert (found["requests"], found["total"], found["objects"], found["footprint_bytes"]) == (6, 6, 3, 30)
    rows = [(row["name"], row["kind"], row["hits"], row["hit_ratio"], row["left_at_most"]) for row in found["results"]]
    assert rows == [("infinite", "upper bound", 3, 0.5, None), ("foo", "upper bound", 2, 2 / 6, None),
                    ("pfoo_u", "feasible", 2, 2 / 6, 0.0), ("lru", "policy", 0, 0.0, 2 / 6)]


def test_bound_in_bytes_at_shares_of_the_footprint(log):
    result = invoke("bound", log, "--size-bytes", "50%,100%", "--objective", "bytes", "--policy", "lru", "--json")
    rows = json.loads(result.stdout)["results"]
    assert {row["size_bytes"] for row in rows} == {15, 30}
    assert [row["hits"] for row in rows if row["name"] == "lru"] == [0, 30]
    assert [row["hits"] for row in rows if row["name"] == "fitting"] == [30, 30]
    text = invoke("bound", log, "--size-bytes", "100%").stdout
    assert "6 requests for 3 objects of 30 B" in text and "pfoo_l" in text and "50.00 %" in text


def test_curve_as_json_and_as_a_table(log):
    found = json.loads(invoke("curve", log, "--policy", "lru,fifo", "--size-bytes", "30,20", "--json").stdout)
    rows = [(row["policy"], row["size_bytes"], row["miss_ratio"], row["error"]) for row in found["results"]]
    assert rows == [("lru", 20, 1.0, 0.0), ("lru", 30, 0.5, 0.0), ("fifo", 20, 1.0, 0.0), ("fifo", 30, 0.5, 0.0)]
    text = invoke("curve", log).stdout
    assert "50.00 / 50.00" in text and "stack distances" in text


def test_curve_writes_a_table_or_a_picture(log, tmp_path):
    for suffix, start in ((".csv", b"policy,method,"), (".parquet", b"PAR1"), (".png", b"\x89PNG"), (".svg", b"<svg"),
                          (".html", b"<!doctype html>")):
        path = tmp_path / f"curve{suffix}"
        assert f"written: {path}" in invoke("curve", log, "--policy", "lru,lfu", "--out", path).stdout.replace("\n", "")
        assert path.read_bytes().startswith(start)
    page = (tmp_path / "curve.html").read_text()
    assert "<svg" in page and "<script" not in page and "stack distances" in page


def test_a_sampled_curve_states_what_it_does_not_know(log):
    """A small cache of two objects is no small copy of anything."""
    found = json.loads(invoke("curve", log, "--policy", "lru,fifo", "--size-bytes", "20", "--sample-rate", "0.9",
                              "--json").stdout)
    assert [(row["method"], row["error"] is None) for row in found["results"]] == [
        ("SHARDS", False), ("mini-simulation", True)]


def test_wrong_arguments_are_named(log, tmp_path):
    assert "is neither bytes such as 5e9 nor a share" in invoke("bound", log, "--size-bytes", "2,x%").stderr
    assert "is neither bytes such as 5e9 nor a share" in invoke("bound", log, "--size-bytes", "-2").stderr
    with pytest.raises(UnknownNameError, match="unknown bound 'opt'; known: fitting"):
        invoke("bound", log, "--size-bytes", "2", "--bound", "opt")
    with pytest.raises(UnknownNameError, match="unknown policy 'lur'"):
        invoke("curve", log, "--policy", "lur")
    with pytest.raises(DataError, match=r"curve.txt: got '.txt', expected a file name ending in .csv"):
        invoke("curve", log, "--out", tmp_path / "curve.txt")
