"""A row's fate is its own: whatever stands beside it, and in whatever order; and no row is lost."""

import tempfile
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from logs.log_texts import ASSETS, GOOD, HEADER, REGIONS, write_log

from cdn.errors import DataError
from cdn.logs.lines import split_rows
from cdn.logs.request_logs import read_request_log

TIMES = ["2012-12-26T01:00:00Z", "2012-12-26 01:00:00", "2012-12-26", "2012-12-26T05", "2012-12-26T05Z", "NaT", "",
         "2012-12-26T01:00:00+02:00", '"2012-12-26"', "2012-12-26T01:00:00 Z", "now", "1356480000", "2012-02-30"]
REGION_CELLS = ["us", "de", '"us"', "fr", "", " us", '"u"s', '"us']
ASSET_CELLS = ["a1", '"a1"', "a9", "", '"a""1"', "../../etc/passwd", "=cmd()", "caf\u00e9", "a\0", 'a"1', 'a1"']
BYTE_CELLS = ["1", "0", "-1", "-0", "+5", "0x10", "0X10", "1e3", "5.", "5.50", "7.0", " 8 ", "0" * 25 + "9", "9" * 18,
              '"3"', '"3', "nan", "", "3\r", "\u0663"]
ROW = st.tuples(*(st.sampled_from(cells) for cells in (TIMES, REGION_CELLS, ASSET_CELLS, BYTE_CELLS))).map(",".join)
LINE = (ROW | ROW | st.sampled_from([GOOD, GOOD + ",x", "us,a1", '"', '""', ",,,", "\r", ""])).map(str.encode) \
    | st.sampled_from([b"2012-12-26,us,caf\xe9,1", b"\xff,us,a1,1", b"2012-12-26,us,a1,1\xff"])
Fate = tuple[str, object]


def fates(folder: str, *lines: bytes) -> list[Fate]:
    """What became of each line after the header: its request, the reason it is bad, or nothing where it is blank.

    A good row, older than all others, keeps the file from being refused as a whole.
    """
    path = write_log(Path(folder) / "log.csv", *lines, "1999-01-01,us,a1,1")
    log, quarantine = read_request_log([path], REGIONS, ASSETS, bad_share=1.0)
    found: list[Fate] = [("bad", (row.line, row.reason)) for row in quarantine.rows.itertuples()]
    used = [("used", row) for row in zip(log.time_us, log.region, log.asset, log.bytes, strict=True)][1:]
    assert len(found) == quarantine.bad_rows == sum(quarantine.counts.values())
    assert len(used) + 1 + quarantine.bad_rows == quarantine.rows_read
    return used + found


def placed(fate: Fate, line: int) -> Fate:
    """The fate of a row read alone (on line 2), as it stands on another line."""
    return ("bad", (line, fate[1][1])) if fate[0] == "bad" else fate


@settings(max_examples=40, deadline=None)
@given(st.lists(LINE, max_size=5))
def test_rows_are_read_in_company_as_they_are_alone_and_none_is_lost(lines):
    with tempfile.TemporaryDirectory() as folder:
        alone = [placed(fate, k + 2) for k, line in enumerate(lines) for fate in fates(folder, line)]
        assert Counter(fates(folder, *lines)) == Counter(alone)
        n_rows = sum(bool(line.strip(b"\r")) for line in lines)
        assert len(alone) == n_rows


@settings(max_examples=40, deadline=None)
@given(st.lists(LINE, max_size=8), st.randoms(use_true_random=False))
def test_the_order_of_lines_changes_nothing_but_line_numbers(lines, random):
    shuffled = random.sample(lines, len(lines))
    with tempfile.TemporaryDirectory() as folder:
        one, two = fates(folder, *lines), fates(folder, *shuffled)
    assert Counter(fate for fate in one if fate[0] == "used") == Counter(fate for fate in two if fate[0] == "used")
    reasons = [Counter(fate[1][1] for fate in many if fate[0] == "bad") for many in (one, two)]
    assert reasons[0] == reasons[1]


@pytest.mark.parametrize(("line", "is_torn"), [
    (b'a,"b', True), (b'a,b"', False), (b'"a"x,b', True), (b'"a""x",b', False), (b'"a,b",c', False), (b'a"x,b', False),
    (b'a,"', True), (b'a,""', False), (b'a,"""', True), (b'a,""""', False), (b'a,"b"x', True), (b'"",""', False),
    (b'a, "b"', False),
])
@pytest.mark.parametrize("beside", [[], [b"1,2"], [b'"1","2"'], [b"\xff,2"], [b"1"]])
def test_a_doubtful_quote_is_judged_alike_first_and_last_in_a_block(line, is_torn, beside):
    for lines, k in (([line, *beside], 0), ([*beside, line], len(beside))):
        rows = split_rows(b"\n".join(lines), ["a", "b"], ["a"])
        assert (k in rows.torn, k in rows.line) == (is_torn, not is_torn)


@pytest.mark.parametrize(("text", "count"), [
    ("0x10", None), ("0X10", None), ("-0", 0), ("0" * 30 + "7", 7), ("1e3", None),
])
@pytest.mark.parametrize("beside", ["1", "bad", "1.0"])
def test_byte_counts_are_decimal_whatever_stands_beside_them(tmp_path, text, count, beside):
    path = write_log(tmp_path / "log.csv", f"2012-12-26T01:00:00Z,us,a1,{text}", f"2012-12-26T02:00:00Z,us,a1,{beside}",
                     "2012-12-26T03:00:00Z,us,a1,3")
    log, _ = read_request_log([path], REGIONS, ASSETS, bad_share=1.0)
    assert (log.bytes[0] == count) if count is not None else log.time_us[0] % (24 * 3600 * 10**6) > 3600 * 10**6


def test_an_optional_column_without_a_value_may_have_any_type_but_a_needed_one_may_not(tmp_path):
    """pandas writes a column of nothing as Parquet's null type."""
    frame = pd.DataFrame({"time": ["2012-12-26"], "region_id": ["us"], "asset_id": ["a1"], "bytes": [1],
                          "served_by": [None]})
    frame.to_parquet(tmp_path / "log.parquet")
    assert len(read_request_log([tmp_path / "log.parquet"], REGIONS, ASSETS)[0]) == 1
    frame.assign(asset_id=None).to_parquet(tmp_path / "log.parquet")
    with pytest.raises(DataError, match="asset_id: got 'null', expected a column of text or integers"):
        read_request_log([tmp_path / "log.parquet"], REGIONS, ASSETS)


def test_a_column_that_only_some_files_have_does_not_tell_rows_without_it_apart(tmp_path):
    """The second file's row has no session either: it repeats the first."""
    one = write_log(tmp_path / "1.csv", GOOD)
    two = write_log(tmp_path / "2.csv", GOOD + ",", GOOD + ",s1", header=HEADER + ",session_id")
    three = write_log(tmp_path / "3.csv", GOOD + ",,s1,", header=HEADER + ",cached,session_id,served_by")
    log, quarantine = read_request_log([one, two, three], REGIONS, ASSETS, drop_duplicates=True)
    assert (len(log), quarantine.duplicates) == (2, 2)
