"""Request logs as traces: an asset is as large as its largest transfer to anyone, bad rows are left out and counted."""

import pytest
from logs.log_texts import write_log

from cdn.errors import DataError
from cdn.logs.ingestion import ingest
from cdn.traces import hold_trace, read_trace


def test_assets_with_their_largest_transfer(tmp_path):
    """Two files; b is cut short twice, a later file knows a's size, regions do not matter."""
    early = write_log(tmp_path / "1.csv", "2012-12-26T00:00:01Z,us,b,3", "2012-12-26T00:00:02Z,fr,c,0",
                      "2012-12-26T00:00:03Z,fr,a,1")
    late = write_log(tmp_path / "2.csv", "2012-12-26T00:00:08Z,de,a,5", "2012-12-26T00:00:09Z,us,b,7")
    trace = hold_trace(read_trace([early, late]))
    assert trace.ids.tolist() == [0, 1, 2, 2, 0] and trace.size_bytes.tolist() == [7, 0, 5]
    assert len(trace) == 5 and trace.footprint_bytes == 12 and trace.changed_sizes == 0
    assert (trace.time_s - trace.time_s[0]).tolist() == [0, 1, 2, 7, 8]


def test_files_in_the_wrong_order_go_back_in_time(tmp_path):
    late = write_log(tmp_path / "late.csv", "2012-12-26T00:00:09Z,us,b,7")
    early = write_log(tmp_path / "early.csv", "2012-12-26T00:00:01Z,us,b,3")
    with pytest.raises(DataError, match=r"early.csv:2:time: got 1356480001, expected a time not before"):
        hold_trace(read_trace([late, early]))


def test_a_bad_row_is_left_out_and_said(tmp_path):
    rows = [f"2012-12-26T00:00:{k:02d}Z,us,a,1" for k in range(30)]
    rows[4] = rows[4].replace(",1", ",many")
    notes = []
    trace = hold_trace(read_trace(write_log(tmp_path / "log.csv", *rows), note=notes.append))
    assert len(trace) == 29 and notes == ["1 of 30 rows left out: {'bytes': 1}"]


def test_a_log_that_is_mostly_bad_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"log.csv:2:time: got 'yesterday'"):
        hold_trace(read_trace(write_log(tmp_path / "log.csv", "yesterday,us,a,1")))


def test_a_log_store_is_one_trace_in_time_order(tmp_path):
    log = write_log(tmp_path / "log.csv", "2012-12-27T00:00:00Z,us,b,1", "2012-12-26T00:00:00Z,us,a,1",
                    "2012-12-27T00:00:01Z,us,a,4")
    ingest([log], tmp_path / "store")
    trace = hold_trace(read_trace(tmp_path / "store"))
    assert trace.ids.tolist() == [0, 1, 0] and trace.size_bytes.tolist() == [4, 1]
