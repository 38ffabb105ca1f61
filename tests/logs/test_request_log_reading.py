"""Reading request logs: what is good is read as written, what is bad is counted where it stands."""

import gzip

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from logs.log_texts import ASSETS, FORMULA, GOOD, HEADER, MARKUP, PATH_ID, REGIONS, write_log

from cdn.errors import DataError, UnknownNameError
from cdn.logs.request_logs import REQUEST_LOG, read_request_log

MIDNIGHT_US = int(pd.Timestamp("2012-12-26").timestamp()) * 10**6
HOUR_US = 3600 * 10**6


def read(*paths, **options):
    return read_request_log(paths, REGIONS, ASSETS, **options)


def bad_lines(quarantine):
    return [(row.line, row.reason) for row in quarantine.rows.itertuples()]


def test_every_kind_of_bad_row_has_its_line_and_reason(tmp_path):
    """Line 1 is the header; the blank line 6 is no row; a row with two faults counts once, under its first."""
    path = write_log(
        tmp_path / "log.csv",
        GOOD,                                              # 2
        "2012-12-26T01:00:00Z,us,a1",                      # 3 cut
        "2012-12-26T01:00:00Z,us,a1,1,2",                  # 4 a field too many
        '2012-12-26T01:00:00Z,us,"a1,100',                 # 5 a quote left open must not swallow line 7
        "",                                                # 6
        GOOD,                                              # 7
        b"2012-12-26T01:00:00Z,us,caf\xe9,100",            # 8
        "yesterday,us,a1,100",                             # 9
        "2012-13-26T01:00:00Z,us,a1,100",                  # 10
        "2012-12-26T01:00:00Z,,a1,100",                    # 11
        "2012-12-26T01:00:00Z,us,,100",                    # 12
        "2012-12-26T01:00:00Z,us,a1,-100",                 # 13
        "2012-12-26T01:00:00Z,us,a1,1.5",                  # 14
        "2012-12-26T01:00:00Z,us,a1,",                     # 15
        "2012-12-26T01:00:00Z,fr,a1,-1",                   # 16
        "2012-12-26T01:00:00Z,fr,a9,1",                    # 17
        "2012-12-26T01:00:00Z,us,a9,1",                    # 18
        "2012-12-26T01:00:00Z,us,a1,9223372036854775807",  # 19 would overflow sums
    )
    log, quarantine = read(path, bad_share=0.9)
    assert len(log) == 2 and log.total_bytes == 200
    assert bad_lines(quarantine) == [
        (3, "torn"), (4, "torn"), (5, "torn"), (8, "encoding"), (9, "time"), (10, "time"), (11, "empty region"),
        (12, "empty asset"), (13, "bytes"), (14, "bytes"), (15, "bytes"), (16, "bytes"), (17, "unknown region"),
        (18, "unknown asset"), (19, "bytes")]
    assert quarantine.rows_read == 17 and quarantine.bad_rows == 15
    assert dict(quarantine.counts) == {"torn": 3, "encoding": 1, "time": 2, "bytes": 5, "empty region": 1,
                                       "empty asset": 1, "unknown region": 1, "unknown asset": 1}
    by_line = quarantine.rows.set_index("line")
    assert by_line.loc[13, "value"] == "-100" and by_line.loc[13, "column"] == "bytes"
    assert by_line.loc[13, "text"] == "2012-12-26T01:00:00Z,us,a1,-100"
    assert by_line.loc[3, "expected"] == "4 fields" and by_line.loc[18, "value"] == "a9"
    assert by_line.loc[8, "text"] == "2012-12-26T01:00:00Z,us,caf\\xe9,100"
    assert (quarantine.rows["file"] == str(path)).all()


def test_more_bad_rows_than_tolerated_refuse_the_log(tmp_path):
    """One bad row of 20 is 5 %, which is tolerated; one of 19 is not, unless more is allowed."""
    at_the_limit = write_log(tmp_path / "a.csv", *[GOOD] * 19, "x,us,a1,1")
    assert read(at_the_limit)[1].bad_share == 0.05
    above = write_log(tmp_path / "b.csv", *[GOOD] * 18, "x,us,a1,1")
    with pytest.raises(DataError, match=r"1 of 19 rows bad.*at most 0.05.*1 time") as refused:
        read(above)
    assert (refused.value.faults[1].row, refused.value.faults[1].column) == (20, "time")
    assert len(read(above, bad_share=0.06)[0]) == 18


@pytest.mark.parametrize(("text", "hours"), [
    ("2012-12-26T01:00:00Z", 1), ("2012-12-26 01:00:00", 1), ("2012-12-26T01:00:00+02:00", -1),
    ("2012-12-26T01:00:00-0530", 6.5), ("2012-12-26", 0), ("2012-12-26T01:00", 1),
    ("2012-12-26T01:00:00.500000Z", 1 + 0.5 / 3600),
    ("2012-12-26T01:00:00.123456789Z", 1 + 0.123456 / 3600), ("1970-01-01T00:00:00Z", -MIDNIGHT_US / HOUR_US),
])
@pytest.mark.parametrize("beside", [(), ("2012-12-27T00:00:00Z",), ("2012-12-27 00:00:00",), ("bad",)])
def test_times_of_any_zone_become_utc_alone_or_mixed(tmp_path, text, hours, beside):
    path = write_log(tmp_path / "log.csv", *(f"{time},us,a1,1" for time in (text, *beside)))
    log, _ = read(path, bad_share=0.5)
    assert round((log.time_us[0] - MIDNIGHT_US) / HOUR_US, 9) == round(hours, 9)


@pytest.mark.parametrize("text", ["now", "today", "2012", "1969-12-31T23:59:59Z", "2100-01-01", "-2012-12-26",
                                  "12/26/2012", "1356480000", "2012-12-26T25:00:00Z", "2012-12-26T00:00:60Z", "NaT",
                                  "2012-12-26T01:00:00+99:99"])
def test_what_is_no_time_of_the_log_s_century_is_quarantined(tmp_path, text):
    path = write_log(tmp_path / "log.csv", GOOD, f"{text},us,a1,1")
    assert bad_lines(read(path, bad_share=0.5)[1]) == [(3, "time")]


@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "parquet"])
def test_hostile_ids_round_trip(tmp_path, suffix):
    """Formulas, markup and paths are ids like any other: they come back as they were written."""
    path = tmp_path / f"log.{suffix}"
    ids = [FORMULA, MARKUP, PATH_ID, "a1"]
    if suffix == "parquet":
        times = pd.to_datetime(["2012-12-26"] * 4)
        pd.DataFrame({"time": times, "region_id": "us", "asset_id": ids, "bytes": 1}).to_parquet(path)
    else:
        quoted = ['"' + id_.replace('"', '""') + '"' for id_ in ids]
        write_log(path, *(f"2012-12-26,us,{id_},1" for id_ in quoted))
    log, quarantine = read(path)
    assert list(log.asset_index.ids_of(log.asset)) == ids and quarantine.bad_rows == 0


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_byte_order_mark_extra_columns_and_column_order(tmp_path, newline, mark):
    path = write_log(tmp_path / "log.csv", "GET,100,a1,us,2012-12-26", "GET,,a1,us,2012-12-26",
                     header=mark + "verb,bytes,asset_id,region_id,time", newline=newline)
    log, quarantine = read(path, bad_share=0.5)
    assert (log.bytes[0], log.region[0], log.asset[0]) == (100, 0, 0) and bad_lines(quarantine) == [(3, "bytes")]


def test_rows_out_of_order_are_put_in_time_order_over_all_files(tmp_path):
    one = write_log(tmp_path / "1.csv", "2012-12-26T03:00:00Z,us,a1,3", "2012-12-26T01:00:00Z,us,a1,1")
    two = write_log(tmp_path / "2.csv", "2012-12-26T02:00:00Z,us,a1,2", "2012-12-26T01:00:00Z,us,a1,11")
    log, _ = read(one, two)
    assert list(log.bytes) == [1, 11, 2, 3]


def test_duplicates_are_counted_always_and_dropped_on_demand(tmp_path):
    """Three rows alike, one of them in the other file, are two duplicates; other bytes or another second are none."""
    one = write_log(tmp_path / "1.csv", GOOD, GOOD, GOOD.replace("100", "101"), GOOD.replace("01:00:00", "01:00:01"))
    two = write_log(tmp_path / "2.csv", GOOD)
    log, quarantine = read(one, two)
    assert (len(log), quarantine.duplicates, quarantine.bad_rows) == (5, 2, 0)
    log, quarantine = read(one, two, drop_duplicates=True)
    assert (list(log.bytes), quarantine.duplicates, quarantine.duplicates_dropped) == ([100, 101, 100], 2, True)


def test_sessions_tell_requests_of_one_second_apart(tmp_path):
    path = write_log(tmp_path / "log.csv", *(f"{GOOD},{session}" for session in ("s1", "s2", "s1", "", "")),
                     header=HEADER + ",session_id")
    log, quarantine = read(path, drop_duplicates=True)
    assert (len(log), quarantine.duplicates) == (3, 2)


@pytest.mark.parametrize(("content", "message"), [
    (b"", "a header with the columns time, region_id, asset_id, bytes"),
    (b"time,region_id,bytes\n", "a column 'asset_id'"),
    (b"time,region_id,asset_id,bytes,bytes\n", "this column once, not 2 times"),
    (HEADER.encode() + b"\n", "at least one request"),
    (HEADER.encode("utf-16") + b"\n", "a header in UTF-8"),
    (HEADER.encode() + b"\nx,us,a1,1\n", "1 of 1 rows bad.*at least one good row"),
    (b"\x00\x01\x02" * 1000, "a column 'time'"),
])
def test_files_that_are_no_log_are_refused(tmp_path, content, message):
    path = tmp_path / "log.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message) as refused:
        read(path, bad_share=1.0)
    assert str(path) in str(refused.value)


def test_a_file_without_a_good_row_is_refused_even_among_good_ones(tmp_path):
    bad = write_log(tmp_path / "bad.csv", "x,us,a1,1")
    with pytest.raises(DataError, match=r"bad\.csv.*at least one good row"):
        read(write_log(tmp_path / "good.csv", *[GOOD] * 99), bad)


def test_an_empty_file_beside_a_good_one_is_a_quiet_hour(tmp_path):
    assert len(read(write_log(tmp_path / "a.csv"), write_log(tmp_path / "b.csv", GOOD))[0]) == 1


def test_missing_paths_other_extensions_and_unknown_formats_are_refused(tmp_path):
    with pytest.raises(DataError, match="a log file or a folder"):
        read(tmp_path / "none.csv")
    with pytest.raises(DataError, match=r"a folder with \.parquet files"):
        read(tmp_path)
    with pytest.raises(DataError, match=r"ending in \.csv"):
        read(write_log(tmp_path / "log.txt", GOOD))
    with pytest.raises(UnknownNameError, match="request_log"):
        read(write_log(tmp_path / "log.csv", GOOD), format_name="clay_tablet")


def test_a_torn_gzip_is_refused(tmp_path):
    path = tmp_path / "log.csv.gz"
    whole = gzip.compress("\n".join([HEADER, *[GOOD] * 1000]).encode())
    for content in (whole[:-20], b"no gzip", whole[:50] + b"\0" * 50):
        path.write_bytes(content)
        with pytest.raises(DataError, match="a readable file"):
            read(path)


def test_a_torn_parquet_is_refused(tmp_path):
    path = tmp_path / "log.parquet"
    frame = pd.DataFrame({"time": pd.date_range("2012-12-26", periods=5000, freq="s"), "region_id": "us",
                          "asset_id": "a1", "bytes": np.arange(5000)})
    frame.to_parquet(path)
    whole = path.read_bytes()
    for content in (whole[:-100], whole[:100], b"", whole[:200] + b"\xff" * 2000 + whole[2200:]):
        path.write_bytes(content)
        with pytest.raises(DataError, match="a readable Parquet file"):
            read(path)


@pytest.mark.parametrize(("column", "values", "expected"), [
    ("time", [1.5], "a timestamp or text"), ("bytes", [pd.Timestamp(0)], "a number or text"),
    ("region_id", [1.5], "text or integers"),
])
def test_a_parquet_column_of_another_type_is_refused(tmp_path, column, values, expected):
    frame = pd.DataFrame({"time": [pd.Timestamp(0)], "region_id": ["us"], "asset_id": ["a1"], "bytes": [1]})
    frame[column] = values
    frame.to_parquet(tmp_path / "log.parquet")
    with pytest.raises(DataError, match=f"{column}: .*expected a column of {expected}"):
        read(tmp_path / "log.parquet")


def parquet_of(path, **columns):
    table = {"time": pa.array(["2012-12-26"] * 4), "region_id": pa.array(["us"] * 4), "asset_id": pa.array(["a1"] * 4),
             "bytes": pa.array([1] * 4)} | columns
    pq.write_table(pa.table(table), path)
    return path


@pytest.mark.parametrize("column", [
    pa.array([0, 3600, None, -1], pa.timestamp("s")),
    pa.array([0, 3_600_000, None, -1], pa.timestamp("ms", "Asia/Tokyo")),
    pa.array([0, 3600 * 10**6, 2**62, -1], pa.timestamp("us")),
    pa.array([0, 3600 * 10**9, 2**63 - 1, -(2**63)], pa.timestamp("ns", "UTC")),
    pa.array(["1970-01-01", "1970-01-01T01:00:00Z", "", None]),
    pa.array(["1970-01-01", "1970-01-01T01:00:00Z", "", None]).dictionary_encode(),
])
def test_parquet_times_of_every_type(tmp_path, column):
    log, quarantine = read(parquet_of(tmp_path / "log.parquet", time=column), bad_share=0.5)
    assert list(log.time_us) == [0, HOUR_US] and bad_lines(quarantine) == [(3, "time"), (4, "time")]


@pytest.mark.parametrize("column", [
    pa.array([5, 10**15, -1, None], pa.int64()), pa.array([5.0, 1e15, float("nan"), float("inf")]),
    pa.array([5.0, 1e15, 0.5, -1.0]),
    pa.array([5, 10**15, 2**64 - 1, 2**63], pa.uint64()), pa.array(["5", "1000000000000000.0", "1e3", "0x10"]),
])
def test_parquet_bytes_of_every_type(tmp_path, column):
    log, quarantine = read(parquet_of(tmp_path / "log.parquet", bytes=column), bad_share=0.5)
    assert list(log.bytes) == [5, 10**15] and bad_lines(quarantine) == [(3, "bytes"), (4, "bytes")]


@pytest.mark.parametrize("column", [
    pa.array(["us", "de", "", None]), pa.array(["us", "de", "", None]).dictionary_encode(),
    pa.array([b"us", b"de", b"", None]),
    pa.array(["us", "de", "", None], pa.large_string()),
])
def test_parquet_ids_of_every_type(tmp_path, column):
    log, quarantine = read(parquet_of(tmp_path / "log.parquet", region_id=column), bad_share=0.5)
    assert list(log.region) == [0, 1] and bad_lines(quarantine) == [(3, "empty region"), (4, "empty region")]


def test_parquet_text_that_is_not_utf8_is_quarantined(tmp_path):
    """Parquet's readers take text unchecked, so bytes that are no UTF-8 reach us."""
    column = pa.array([b"us", b"\xff\xfe", b"us", b"us"]).view(pa.string())
    log, quarantine = read(parquet_of(tmp_path / "log.parquet", region_id=column), bad_share=0.5)
    assert len(log) == 3 and bad_lines(quarantine) == [(2, "encoding")]


def test_the_file_duckdb_writes_is_the_file_we_read(tmp_path):
    path = tmp_path / "log.parquet"
    row = "SELECT TIMESTAMP '2012-12-26 01:00:00' AS time, 'us' AS region_id, 'a1' AS asset_id, 7 AS bytes"
    duckdb.sql(f"COPY ({row}) TO '{path}'")
    log, _ = read(path)
    assert (log.time_us[0], log.bytes[0]) == (MIDNIGHT_US + HOUR_US, 7)


def test_a_line_longer_than_any_request_is_torn_and_the_next_one_read(tmp_path, monkeypatch):
    monkeypatch.setattr("cdn.logs.lines.BLOCK_BYTES", 64)
    monkeypatch.setattr("cdn.logs.lines.LINE_BYTES_MAX", 200)
    path = write_log(tmp_path / "log.csv", GOOD, "x" * 5000, GOOD, "bad,us,a1,1", GOOD)
    log, quarantine = read(path, bad_share=0.5)
    assert len(log) == 3 and bad_lines(quarantine) == [(3, "torn"), (5, "time")]
    assert quarantine.rows["expected"].iloc[0].startswith("a line of at most ")


@pytest.mark.parametrize("block_bytes", [1, 7, 64, 1000])
def test_blocks_of_any_size_give_the_same_rows_and_line_numbers(tmp_path, monkeypatch, block_bytes):
    lines = [f"2012-12-26T00:00:{k % 60:02d}Z,{'us' if k % 3 else 'xx'},a1,{k}" for k in range(100)]
    path = write_log(tmp_path / "log.csv", *lines, '"', "", "a,b", GOOD)
    whole_log, whole = read(path, bad_share=0.9)
    monkeypatch.setattr("cdn.logs.lines.BLOCK_BYTES", block_bytes)
    log, quarantine = read(path, bad_share=0.9)
    assert list(log.bytes) == list(whole_log.bytes)
    pd.testing.assert_frame_equal(quarantine.rows, whole.rows)


def test_the_last_line_may_lack_its_line_end(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(HEADER + "\n" + GOOD)
    assert len(read(path)[0]) == 1


def test_the_schema_names_what_the_reader_needs():
    required = [column.name for column in REQUEST_LOG.columns if column.required]
    assert required == ["time", "region_id", "asset_id", "bytes"]
