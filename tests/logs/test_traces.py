"""A request log as one stream of assets."""

import pytest
from logs.log_texts import write_log

from cdn.errors import DataError
from cdn.logs.traces import read_trace


def test_assets_in_time_order_with_their_largest_transfer(tmp_path):
    """Two files, the later one first; b is cut short twice, regions do not matter."""
    late = write_log(tmp_path / "late.csv", "2012-12-26T00:00:09Z,us,b,7", "2012-12-26T00:00:08Z,de,a,5")
    early = write_log(tmp_path / "early.csv", "2012-12-26T00:00:01Z,us,b,3", "2012-12-26T00:00:02Z,fr,c,0")
    trace, quarantine = read_trace([late, early])
    names = "bac"  # by first row
    assert [names[k] for k in trace.asset] == ["b", "c", "a", "b"]
    assert dict(zip(names, trace.size_bytes.tolist(), strict=True)) == {"a": 5, "b": 7, "c": 0}
    assert len(trace) == 4 and trace.footprint_bytes == 12 and quarantine.rows_read == 4


def test_a_log_without_a_good_row_is_refused(tmp_path):
    with pytest.raises(DataError):
        read_trace([write_log(tmp_path / "log.csv", "yesterday,us,a,1")])
