"""``cdn cache``, ``cdn bound`` and ``cdn curve`` read the same traces and refuse the same ones, in the same words."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from cdn.cli import cli
from cdn.errors import DataError
from cdn.traces.oracle_general import RECORD

VERBS = {
    "cache": ("--policy", "lru", "--size-bytes", "20"),
    "bound": ("--policy", "lru", "--size-bytes", "20"),
    "curve": ("--policy", "lru", "--size-bytes", "20"),
}
BEYOND = 2**63 + 1


def records(ids, times=None, sizes=None):
    rows = np.zeros(len(ids), dtype=RECORD)
    rows["id"], rows["next_use"] = ids, -1
    rows["time"], rows["size_bytes"] = range(len(ids)) if times is None else times, 10 if sizes is None else sizes
    return rows.tobytes()


def invoke(verb, *words):
    return CliRunner().invoke(cli, [verb, *map(str, words), *VERBS[verb], "--json"], catch_exceptions=False)


def misses(verb, result):
    found = json.loads(result.stdout)
    if verb == "cache":
        return found[0]["misses"]
    if verb == "bound":
        return found["requests"] - next(row["hits"] for row in found["results"] if row["name"] == "lru")
    return round(found["requests"] * found["results"][0]["miss_ratio"])


def csv_of(*rows):
    return "\n".join(["when,what,length", *rows, ""]).encode()


COLUMNS = ("--columns", "time=when,id=what,size_bytes=length")
# Two objects, or two ids that would be one if 64 bits were read as 63: 3 misses of 4 with room for two of 10 bytes.
GOOD = {
    "t.bin": (records([1, BEYOND, 1, 2]), ()),
    "t.csv": (csv_of("0,1,10", f"1,{BEYOND},10", "2,1,10", f"3,{2**64 + 1},10"), COLUMNS),
    "twitter.csv": ("".join(f"{k},{key},2,8,1,get,0\n" for k, key in enumerate([1, BEYOND, 1, "x" * 50])).encode(), ()),
    "log.csv": (("time,region_id,asset_id,bytes\n" + "".join(
        f"2026-01-01T00:00:0{k},r,{asset},10\n" for k, asset in enumerate([1, BEYOND, 1, 2]))).encode(), ()),
}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("name", GOOD)
def test_every_format_is_read_by_every_verb(verb, name, tmp_path):
    content, words = GOOD[name]
    (tmp_path / name).write_bytes(content)
    assert misses(verb, invoke(verb, tmp_path / name, *words)) == 3


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("name, content, message", [
    ("t.bin", records([1, 2], times=[5, 4]), "t.bin:2:time: got 4, expected a time not before that of the request"),
    ("t.bin", records([1, 2])[:-1], "expected records of 24 bytes; record 2 is cut off"),
    ("t.bin", b"", "got 'an empty one', expected a trace with at least one request"),
    ("t.csv", csv_of(), "got 'an empty one', expected a trace with at least one request"),
    ("t.csv", csv_of("5,a,1", "4,a,1"), "t.csv:3:time: got 4, expected a time not before"),
    ("t.csv", csv_of("5,a,1", "6,a,1.5"), "t.csv:3:length: got '1.5', expected a whole number"),
])  # fmt: skip
def test_bad_traces_are_refused_by_every_verb(verb, name, content, message, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as error:
        invoke(verb, tmp_path / name, *(COLUMNS if name.endswith(".csv") else ()))
    assert message in str(error.value) and error.value.exit_code == 1


@pytest.mark.parametrize("verb", VERBS)
def test_the_first_size_counts_and_the_others_are_said(verb, tmp_path):
    """The second request for 1 says 99 bytes, which would not fit."""
    (tmp_path / "t.bin").write_bytes(records([1, 1, 2, 1], sizes=[10, 99, 10, 10]))
    result = invoke(verb, tmp_path / "t.bin")
    assert misses(verb, result) == 2 and "1 requests with a size that is not their object's first" in result.stderr


@pytest.mark.parametrize("verb", VERBS)
def test_parameters_of_policies_are_understood(verb, tmp_path):
    (tmp_path / "t.bin").write_bytes(records([1, 2, 1, 2]))
    words = (*VERBS[verb][2:], "--policy", "slru:n_segments=1,slru")
    result = CliRunner().invoke(cli, [verb, str(tmp_path / "t.bin"), *words, "--json"], catch_exceptions=False)
    found = json.loads(result.stdout)
    said = {row["policy"]: row["parameters"] for row in found} if verb == "cache" else found["parameters"]
    assert said == {"slru:n_segments=1": {"n_segments": 1}, "slru": {"n_segments": 4}}


@pytest.mark.parametrize("verb, option", [("cache", "--ttl-s"), ("curve", "--sample-rate")])
@pytest.mark.parametrize("text", ["nan", "inf", "-1"])
def test_numbers_are_finite_and_in_their_range(verb, option, text, tmp_path):
    (tmp_path / "t.bin").write_bytes(records([1, 2]))
    result = invoke(verb, tmp_path / "t.bin", option, text)
    assert result.exit_code == 2 and f"Invalid value for '{option}'" in result.stderr
