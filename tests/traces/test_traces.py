"""Traces of every format say the same, ids become dense by first appearance, and bad input is named."""

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from cdn.caching import ADMISSIONS, POLICIES, simulate_cache
from cdn.cli import cli
from cdn.errors import DataError, UnknownNameError
from cdn.traces import hold_trace, read_trace, replay_trace
from cdn.traces import oracle_general as binary
from cdn.traces.identifiers import Objects

KEYS = [7, 9, 7, 2**63 + 5, 9, 7, 1]
SIZES = {7: 30, 9: 20, 2**63 + 5: 50, 1: 5}
DENSE = [0, 1, 0, 2, 1, 0, 3]


def records(keys=KEYS, times=None, sizes=None):
    rows = np.zeros(len(keys), dtype=binary.RECORD)
    rows["id"], rows["size_bytes"] = keys, [SIZES[key] for key in keys] if sizes is None else sizes
    rows["time"] = range(len(keys)) if times is None else times
    rows["next_use"] = [next((k for k in range(j + 1, len(keys)) if keys[k] == key), -1) for j, key in enumerate(keys)]
    return rows.tobytes()


def write(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def oracle_general(folder):
    return write(folder / "t.oracleGeneral.bin", records())


def compressed(folder):
    return write(folder / "t.oracleGeneral.zst", pa.Codec("zstd").compress(records()).to_pybytes())


def named_csv(folder):
    rows = "".join(f"{SIZES[key]},{key},{k}\n" for k, key in enumerate(KEYS))
    return write(folder / "t.csv", "size_bytes,id,time\n" + rows)


def twitter_csv(folder):
    rows = [f"{k},{key},1,{SIZES[key] - 1},4,get,0\n" for k, key in enumerate(KEYS)]
    return write(folder / "t.csv", "".join(rows[:3]) + "2,77,1,1,4,set,0\n" + "".join(rows[3:]))


def request_log(folder):
    rows = pd.DataFrame({"time": pd.date_range("2026-01-01", periods=len(KEYS), freq="s"), "region_id": "r",
                         "asset_id": [str(key) for key in KEYS], "bytes": [SIZES[key] for key in KEYS]})
    rows.to_parquet(folder / "t.parquet")
    return folder / "t.parquet"


FORMATS = [oracle_general, compressed, named_csv, twitter_csv, request_log]


@pytest.mark.parametrize("make", FORMATS)
@pytest.mark.parametrize("policy", ["lru", "belady"])
def test_every_format_gives_the_same_counts(make, policy, tmp_path):
    (count,), whole = replay_trace(read_trace(make(tmp_path)), [(policy, 60)])
    hit = simulate_cache(policy, DENSE, [30, 20, 50, 5], 60)
    sizes = np.array([30, 20, 50, 5])[DENSE]
    assert (count.requests, count.misses) == (7, (~hit).sum())
    assert (count.request_bytes, count.missed_bytes) == (sizes.sum(), sizes[~hit].sum())
    assert (whole.requests, whole.objects, whole.footprint_bytes, whole.changed_sizes) == (7, 4, 105, 0)


def test_columns_of_a_csv_may_have_other_names(tmp_path):
    path = write(tmp_path / "t.csv", "ts,key,n\n1.5,a,3\n2,b,4\n2,a,3\n")
    (count,), _ = replay_trace(read_trace(path, columns={"time": "ts", "id": "key", "size_bytes": "n"}), [("lru", 9)])
    assert (count.requests, count.misses, count.missed_bytes) == (3, 2, 7)


def test_the_first_size_counts_and_others_are_counted(tmp_path):
    path = write(tmp_path / "t.bin", records([1, 1, 2, 1], sizes=[10, 99, 5, 10]))
    (count,), whole = replay_trace(read_trace(path), [("lru", 10)])
    assert whole.changed_sizes == 1 and whole.footprint_bytes == 15
    assert (count.request_bytes, count.missed_bytes, count.misses) == (35, 25, 3)


def test_in_pieces_and_threads_it_is_the_same(tmp_path, monkeypatch):
    rng = np.random.default_rng(3)
    keys = rng.integers(0, 300, 5000).tolist()
    path = write(tmp_path / "t.bin", records(keys, sizes=[key % 50 + 1 for key in keys]))
    wanted = [(policy, size) for policy in ("lru", "sieve", "gdsf", "belady") for size in (100, 2000)]
    whole, _ = replay_trace(read_trace(path), wanted, threads=1)
    monkeypatch.setattr(binary, "REQUESTS_PER_CHUNK", 700)
    pieces, _ = replay_trace(read_trace(path), wanted, threads=2)
    assert [(c.misses, c.missed_bytes) for c in whole] == [(c.misses, c.missed_bytes) for c in pieces]


@settings(deadline=None)
@given(keys=st.lists(st.integers(0, 2**64 - 1) | st.sampled_from([0, 1, 2**63]), max_size=80), cut=st.integers(0, 80))
def test_ids_are_dense_by_first_appearance(keys, cut):
    known = {}
    expected = [known.setdefault(key, len(known)) for key in keys]
    kinds = (lambda part: np.array(part, np.uint64), lambda part: pa.array(list(map(str, part)), pa.string()))
    for kind in kinds:
        objects = Objects()
        found = [objects.take_in(kind(part), np.ones(len(part), np.int64))[0] for part in (keys[:cut], keys[cut:])]
        assert np.concatenate(found).tolist() == expected and objects.n == len(known)


def test_sizes_beyond_32_bits_count_as_they_are():
    sizes = [2**32 - 2, 2**32 - 1, 2**32, 2**40, 0]
    keys = np.arange(5, dtype=np.uint64)
    objects = Objects()
    for given_sizes, n_changed in ((sizes, 0), (sizes, 0), ([2**32 - 1, 2**32, 2**32 - 1, 2**40, 1], 4)):
        counting = objects.take_in(keys, np.array(given_sizes))[1]
        assert counting.tolist() == objects.size_bytes.tolist() == sizes
        assert objects.n_changed == n_changed


def test_more_objects_than_the_table_begins_with():
    keys = np.arange(300_000, dtype=np.uint64) * 12345
    objects = Objects()
    sizes = np.arange(len(keys))
    assert objects.take_in(keys, sizes)[0].tolist() == list(range(len(keys)))
    assert np.array_equal(objects.size_bytes, sizes)
    assert objects.take_in(keys[::-1].copy(), sizes[::-1])[0].tolist() == list(range(len(keys)))[::-1]


@pytest.mark.parametrize("name, content, message", [
    ("t.bin", records(times=[0, 1, 2, 9, 4, 5, 6]), "t.bin:5:time: got 4, expected a time not before that of"),
    ("t.bin", records()[:-3], "got '21 bytes at the end', expected records of 24 bytes; record 7 is cut off"),
    ("t.bin", b"", "got 'an empty one', expected a trace with at least one request"),
    ("t.oracleGeneral.zst", b"no zstd at all, but long enough", "a readable trace"),
    ("t.csv", "", "expected a name or header of one of csv, oracle_general"),
    ("t.csv", "time,id,size_bytes\n", "at least one request"),
    ("t.csv", "time,id,size_bytes\n1,a,3\n0,a,3\n", "t.csv:3:time: got 0, expected a time not before"),
    ("t.csv", "time,id,size_bytes\n1,a,3\n2,a,-3\n", "t.csv:3:size_bytes: got '-3', expected a whole number, 0 to"),
    ("t.csv", "time,id,size_bytes\n1,a,3\n1,a,three\n", "t.csv:3:size_bytes: got 'three', expected a whole number"),
    ("t.csv", "time,id,size_bytes\n1,a,9223372036854775808\n", "t.csv:2:size_bytes: got '9223372036854775808'"),
    ("t.csv", "time,id,size_bytes\n1,a,3\nnan,a,3\n", "t.csv:3:time: got 'nan', expected seconds"),
    ("t.csv", "time,id,size_bytes\n1,a,3\n1e300,a,3\n", "t.csv:3:time: got '1e300', expected seconds"),
    ("t.csv", "time,id,size_bytes\n1,a,3\n,a,3\n", "t.csv:3:time: got '', expected seconds"),
    ("t.csv", "time,id,size_bytes\n" + "1,a,2305843009213693952\n" * 3, "t.csv:4:size_bytes: got '6.918e+18'"),
    ("t.csv", "time,id,size_bytes\n1,a\n", "after row 1"),
    ("t.csv", "time,id,size_bytes\n1,a,3\n1,ü,3\n".encode("latin-1"), "t.csv:3:id: got '\ufffd', expected text in"),
    ("t.csv", "1,ü,1,1,4,get,0\n".encode("latin-1"), "t.csv:1:key: got '\ufffd', expected text in"),
    ("t.csv", "1,k,1,1,4,get,0\n2,k,1,1,4,set,0\n0,k,1,1,4,get,0\n", "t.csv:3:time: got 0, expected a time not before"),
    ("t.csv", "1,k,1,1,4,get,0\n2,k,1,-1,4,get,0\n", "t.csv:2:value_size: got '-1', expected a whole number"),
    ("t.csv", "1,k,1,1,4,set,0\n", "at least one request"),
    ("t.oracleGeneral.zst", pa.Codec("zstd").compress(records()).to_pybytes()[:-9], "t.oracleGeneral.zst"),
    ("t.csv", "when,what\n1,a\n", "got 'when,what', expected a name or header"),
    ("t.csv", "time,region_id,asset_id,bytes\n2026-01-01,r,a,x\n", "t.csv:2:bytes: got 'x'"),
])
def test_bad_input_is_named(name, content, message, tmp_path):
    path = write(tmp_path / name, content)
    with pytest.raises(DataError) as error:
        replay_trace(read_trace(path), [("lru", 10)])
    assert message in str(error.value)


def test_a_file_that_is_not_there_and_a_format_that_is_not_known(tmp_path):
    with pytest.raises(DataError, match=r"none.bin: expected a file, or a folder with a log store"):
        read_trace(tmp_path / "none.bin")
    with pytest.raises(UnknownNameError, match="unknown trace format 'x'; known: auto, csv"):
        read_trace(oracle_general(tmp_path), "x")


def test_several_files_are_one_trace(tmp_path):
    """Cut in two, a file no longer says that its objects are asked for again in the other: belady looks for itself."""
    first, second = records()[: 4 * 24], records(times=range(7))[4 * 24 :]
    paths = [write(tmp_path / "1.bin", first), write(tmp_path / "2.bin", second)]
    wanted = [("lru", 60), ("belady", 60)]
    parts, _ = replay_trace(read_trace(paths), wanted)
    whole, _ = replay_trace(read_trace(oracle_general(tmp_path)), wanted)
    assert [(c.misses, c.missed_bytes) for c in parts] == [(c.misses, c.missed_bytes) for c in whole]
    with pytest.raises(DataError, match=r"1.bin:1:time: got 0, expected a time not before"):
        replay_trace(read_trace(paths[::-1]), wanted)
    with pytest.raises(DataError, match=r"t.csv: got 'csv', expected the format of .*1.bin, oracle_general"):
        read_trace([paths[0], named_csv(tmp_path)])


@pytest.mark.parametrize("make", FORMATS)
def test_held_whole_it_is_the_same(make, tmp_path):
    trace = hold_trace(read_trace(make(tmp_path)))
    assert trace.ids.tolist() == DENSE and trace.size_bytes.tolist() == [30, 20, 50, 5]
    assert (trace.time_s - trace.time_s[0]).tolist() == list(range(7)) and trace.footprint_bytes == 105


def run(*words):
    return CliRunner().invoke(cli, ["cache", *map(str, words)])


def test_the_command_prints_a_list(tmp_path):
    result = run(oracle_general(tmp_path), "--policy", "lru,sieve", "--size-bytes", "60,1e3", "--json")
    counts = json.loads(result.stdout)
    assert [(c["policy"], c["size_bytes"]) for c in counts] == [
        ("lru", 60), ("lru", 1000), ("sieve", 60), ("sieve", 1000)]  # fmt: skip
    assert set(counts[0]) == {"policy", "size_bytes", "requests", "misses", "request_bytes", "missed_bytes", "seconds",
                              "requests_per_second", "parameters", "admission", "admission_parameters", "ttl_s"}
    assert [c["misses"] for c in counts if c["size_bytes"] == 1000] == [4, 4]


def test_parameters_are_said_in_the_results(tmp_path):
    """Two segments of 60 bytes each against one of 120; only objects below 50 bytes are admitted."""
    result = run(oracle_general(tmp_path), "--policy", "slru:n_segments=2,slru:n_segments=1", "--size-bytes", "120",
                 "--admission", "size:threshold_bytes=50", "--ttl-s", "2", "--json")  # fmt: skip
    counts = json.loads(result.stdout)
    assert [(c["policy"], c["parameters"]) for c in counts] == [
        ("slru:n_segments=2", {"n_segments": 2}), ("slru:n_segments=1", {"n_segments": 1})]  # fmt: skip
    assert {(c["admission"], c["admission_parameters"]["threshold_bytes"], c["ttl_s"]) for c in counts} == {
        ("size:threshold_bytes=50", 50, 2.0)}  # fmt: skip


def test_shares_of_the_footprint_are_sizes(tmp_path):
    counts = json.loads(run(named_csv(tmp_path), "--policy", "lru", "--size-bytes", "100%,50%,52", "--json").stdout)
    assert [(c["size_bytes"], c["misses"]) for c in counts] == [(105, 4), (52, 6)]


def test_policies_are_listed_with_their_parameters():
    result = CliRunner().invoke(cli, ["cache", "--list-policies"])
    assert result.exit_code == 0
    for name in (*POLICIES, *ADMISSIONS, "n_segments", "threshold_bytes", "equal size: from 1, at most 4"):
        assert name in result.stdout


def test_the_command_prints_a_table_and_says_that_sizes_changed(tmp_path):
    path = write(tmp_path / "t.bin", records([1, 1], sizes=[10, 99]))
    result = run(path, "--policy", "lru", "--size-bytes", "100")
    assert "2 requests for 1 objects" in result.stdout and "50.00 %" in result.stdout
    assert "1 requests with a size" in result.stderr


@pytest.mark.parametrize("words, message", [
    (("--policy", "opt", "--size-bytes", "1"), "unknown policy 'opt'"),
    (("--policy", "lru", "--size-bytes", "many"), "'many' is neither bytes such as 5e9 nor a share"),
    (("--policy", "lru", "--size-bytes", "-5"), "'-5' is neither bytes"),
    (("--policy", "lru", "--size-bytes", "5", "--columns", "x"), "'x' is not such as"),
    (("--policy", "lru", "--size-bytes", "5", "--admission", "x"), "unknown admission policy 'x'"),
    (("--policy", "slru:n=2", "--size-bytes", "5"), "unknown parameter of slru 'n'; known: n_segments"),
    (("--policy", "slru:n_segments=9", "--size-bytes", "5"), "n_segments: got '9', expected a whole number from 1"),
    (("--policy", "lru", "--size-bytes", "5", "--admission", "size:threshold_bytes=-1"), "threshold_bytes: got '-1'"),
    (("--policy", "lru", "--size-bytes", "5", "--format", "x"), "'x' is not one of 'auto', 'csv'"),
])
def test_wrong_usage(words, message, tmp_path):
    result = run(oracle_general(tmp_path), *words)
    code = getattr(result.exception, "exit_code", result.exit_code)
    assert code == 2 and message in result.stderr + str(result.exception)
