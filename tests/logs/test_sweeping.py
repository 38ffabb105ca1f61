"""Clients that sweep the catalog: found over chunks and files, the same by both ways, and left out on demand."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cdn.errors import DataError
from cdn.logs import request_log_files
from cdn.logs.ingestion import ingest
from cdn.logs.request_logs import read_request_log
from cdn.logs.sweeping import find_sweeping_clients
from cdn.model.index import Index

REGIONS, ASSETS = Index(["us", "de"]), Index([f"a{k}" for k in range(12)])
FIRST, SECOND = "2012-12-26T10:00:00Z", "2012-12-27T10:00:00Z"


def write(path: Path, rows) -> Path:
    """Rows of (time, region, asset, session)."""
    frame = pd.DataFrame(rows, columns=["time", "region_id", "asset_id", "session_id"]).assign(bytes=10)
    frame.to_csv(path, index=False)
    return path


@pytest.fixture
def logs(tmp_path) -> list[Path]:
    """bot asks for a0 to a5 on the 26th, half of them in either file, a0 twice; the next day for one. Somebody asks
    four times for one asset, somebody for three, and six assets are asked for by nobody known."""
    bot = [(FIRST, "us", f"a{k}", "bot") for k in (0, 1, 2, 0)] + [(SECOND, "us", "a1", "bot")]
    people = [(FIRST, "de", "a9", "one")] * 4 + [(FIRST, "de", f"a{k}", "three") for k in (9, 10, 11)]
    nobody = [(FIRST, "de", f"a{k}", None) for k in range(6)]
    return [write(tmp_path / "one.csv", bot + people),
            write(tmp_path / "two.csv", [(FIRST, "de", f"a{k}", "bot") for k in (3, 4, 5)] + nobody)]


@pytest.mark.parametrize("chunk", [None, 2])
def test_a_client_s_assets_are_counted_over_files_and_chunks(logs, tmp_path, monkeypatch, chunk):
    if chunk:
        logs = [tmp_path / f"{path.stem}.parquet" for path in logs
                if pd.read_csv(path).to_parquet(tmp_path / f"{path.stem}.parquet") is None]
        monkeypatch.setattr(request_log_files, "RECORDS_PER_CHUNK", chunk)
    found = find_sweeping_clients(logs, 3)
    assert found.rows.to_dict("records") == [{"day": 15700, "session_id": "bot", "assets": 6, "requests": 7}]
    assert (found.requests, found.with_session, found.swept_requests) == (21, 15, 7)
    assert len(find_sweeping_clients(logs, 6).rows) == 0, "as many as the limit is no sweep"
    assert find_sweeping_clients(logs, 1).rows["session_id"].tolist() == ["bot", "three"]


def test_their_requests_of_that_day_are_left_out(logs):
    log, quarantine = read_request_log(logs, REGIONS, ASSETS, without=find_sweeping_clients(logs, 3))
    assert len(log) == 14 and quarantine.bad_rows == 0 and quarantine.rows_read == 21
    assert ASSETS.ids_of(log.asset[log.day == 15701]).tolist() == ["a1"], "the next day is another client"


@pytest.mark.parametrize("exclude", [False, True])
def test_ingest_finds_the_same(logs, tmp_path, exclude):
    result = ingest(logs, tmp_path / "store", sweeping_assets=3, exclude_sweeping=exclude)
    expected = find_sweeping_clients(logs, 3)
    pd.testing.assert_frame_equal(result.sweeping.rows, expected.rows)
    assert result.sweeping.summary() == expected.summary() and result.sweeping_left_out == exclude
    assert sum(result.requests_of_day.values()) == (14 if exclude else 21)
    stored, _ = read_request_log([tmp_path / "store"], REGIONS, ASSETS)
    direct, _ = read_request_log(logs, REGIONS, ASSETS, without=expected if exclude else None)
    assert np.array_equal(np.sort(stored.asset), np.sort(direct.asset))


def test_a_log_without_sessions_has_no_clients(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("time,region_id,asset_id,bytes\n" + "".join(f"{FIRST},us,a{k},1\n" for k in range(12)))
    found = find_sweeping_clients([path], 1)
    assert len(found.rows) == 0 and found.with_session == 0 and found.requests == 12
    assert len(read_request_log([path], REGIONS, ASSETS, without=found)[0]) == 12
    result = ingest([path], tmp_path / "store", sweeping_assets=1, exclude_sweeping=True)
    assert sum(result.requests_of_day.values()) == 12 and result.sweeping.with_session == 0


def test_a_log_of_sweeping_clients_alone_is_refused(tmp_path):
    path = write(tmp_path / "log.csv", [(FIRST, "us", f"a{k}", "bot") for k in range(4)])
    with pytest.raises(DataError, match=r"log\.csv: expected a client with at most 2 distinct assets in a day"):
        ingest([path], tmp_path / "store", sweeping_assets=2, exclude_sweeping=True)
    assert not (tmp_path / "store").exists()
    with pytest.raises(ValueError, match="distinct_assets is at least 1"):
        find_sweeping_clients([path], 0)


def test_the_clients_of_the_mirror_log(shared_data, tmp_path):
    """Fifteen client days with more than 300 distinct package versions; seven of them with more than 2,600."""
    frame = pd.read_parquet(shared_data / "cran_mirror_requests_2012-2013_8days.parquet").dropna(
        subset=["package", "version"])
    asset = frame["package"].astype(str) + "_" + frame["version"].astype(str)
    log = tmp_path / "log.parquet"
    pd.DataFrame({"time": frame["timestamp"], "region_id": frame["country"].astype(str), "asset_id": asset,
                  "bytes": frame["size"], "session_id": frame["ip_id"].astype(str)}).to_parquet(log)
    found = find_sweeping_clients([log])
    assert len(found.rows) == 15 and (found.rows["assets"] > 2600).sum() == 7
    assert found.swept_requests == 47_253
