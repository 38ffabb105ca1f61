"""The quarantine: complete counts, a bounded table, and a file that says what it says."""

import numpy as np
import pandas as pd
import pytest
from logs.log_texts import ASSETS, GOOD, MARKUP, REGIONS, write_log

from cdn.errors import DataError
from cdn.files.schema import read_raw
from cdn.logs.quarantine import (
    COLUMNS,
    TEXT_KEPT,
    Quarantine,
    QuarantineCounter,
    bad_rows,
    merged,
    write_quarantine,
)
from cdn.logs.request_logs import read_request_log


def some(n: int, reason: str, file: str = "f") -> pd.DataFrame:
    return bad_rows(file, np.arange(n), reason, "time", ["v"] * n, "e", ["t"] * n)


def test_counts_go_on_where_rows_are_no_longer_kept(monkeypatch):
    monkeypatch.setattr("cdn.logs.quarantine.ROWS_KEPT", 10)
    counter = QuarantineCounter()
    for _ in range(3):
        counter.add(20, [some(4, "time"), some(3, "bytes")])
    quarantine = counter.quarantine()
    assert dict(quarantine.counts) == {"time": 12, "bytes": 9} and quarantine.rows_read == 60
    assert len(quarantine.rows) == 10
    joined = merged([quarantine, quarantine])
    assert joined.bad_rows == 42 and joined.rows_read == 120 and len(joined.rows) == 10


def test_values_and_texts_are_cut():
    frame = bad_rows("f", np.array([1]), "torn", None, ["v" * 9999], "e", ["t" * 9999])
    assert len(frame["value"].iloc[0]) == len(frame["text"].iloc[0]) == TEXT_KEPT


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_the_written_file_holds_the_rows_as_they_were(tmp_path, suffix):
    log = write_log(tmp_path / "log.csv", GOOD, f'x,us,"{MARKUP}",1', '2012-12-26,us,"=1+1",1')
    _, quarantine = read_request_log([log], REGIONS, ASSETS, bad_share=0.9)
    write_quarantine(quarantine, tmp_path / f"bad{suffix}")
    written = read_raw(tmp_path / f"bad{suffix}")
    assert tuple(written.columns) == COLUMNS
    assert list(written["value"]) == ["x", "=1+1"] and [int(line) for line in written["line"]] == [3, 4]
    assert list(written["text"]) == [f'x,us,"{MARKUP}",1', '2012-12-26,us,"=1+1",1']


def test_an_empty_quarantine_is_written_too(tmp_path):
    write_quarantine(Quarantine(rows_read=1), tmp_path / "bad.csv")
    assert (tmp_path / "bad.csv").read_text() == ",".join(COLUMNS) + "\n"


def test_shares():
    quarantine = Quarantine(rows_read=10, counts={"time": 1})
    quarantine.check_share(0.1, ["f"])
    with pytest.raises(DataError, match=r"f and 1 more: got '1 of 10 rows bad'"):
        quarantine.check_share(0.09, ["f", "g"])
    with pytest.raises(DataError, match="at least one request"):
        Quarantine().check_share(1.0, [])
