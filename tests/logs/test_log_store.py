"""The log store: one file per UTC day, in time order, the same bytes each time, changed as a whole or not at all."""

import numpy as np
import pandas as pd
import pytest
from logs.log_texts import ASSETS, FORMULA, GOOD, HEADER, MARKUP, PATH_ID, REGIONS, write_log

from cdn.errors import DataError
from cdn.files.writing import digest_of
from cdn.logs.ingestion import ingest
from cdn.logs.request_logs import read_request_log
from cdn.logs.store import day_of_file, file_of_day, log_files

DAY = (pd.Timestamp("2012-12-26") - pd.Timestamp(0)).days


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_rows_land_in_the_file_of_their_utc_day_in_time_order(tmp_path):
    """01:00 at +02:00 is 23:00 UTC of the day before; equal times keep the order of the log."""
    log = write_log(tmp_path / "log.csv", "2012-12-26T02:00:00Z,us,a1,3", "2012-12-26T01:00:00Z,us,a1,1",
                    "2012-12-26T01:00:00Z,us,a1,2", "2012-12-26T01:00:00+02:00,us,a1,9", "2012-12-27T00:00:00Z,us,a1,4")
    result = ingest([log], tmp_path / "store")
    assert dict(result.requests_of_day) == {DAY - 1: 1, DAY: 3, DAY + 1: 1}
    assert names(tmp_path / "store") == [f"requests-2012-12-{day}.parquet" for day in (25, 26, 27)]
    of_day = pd.read_parquet(tmp_path / "store" / "requests-2012-12-26.parquet")
    assert list(of_day["bytes"]) == [1, 2, 3] and list(of_day.columns) == HEADER.split(",")
    assert list(names(tmp_path)) == ["log.csv", "store"]


def random_log(path, rng, n=500):
    times = pd.Timestamp("2012-12-26") + pd.to_timedelta(rng.integers(0, 3 * 86400, n), unit="s")
    quoted = ["a1", '"' + FORMULA.replace('"', '""') + '"', MARKUP, PATH_ID]
    return write_log(path, *(f"{time.isoformat()}Z,{'us' if rng.random() < 0.5 else 'de'},{quoted[rng.integers(4)]},{k}"
                             for k, time in enumerate(times)))


def test_a_store_reads_as_the_logs_it_was_made_of(tmp_path):
    log = random_log(tmp_path / "log.csv", np.random.default_rng(1))
    ingest([log], tmp_path / "store")
    raw, _ = read_request_log([log], REGIONS, ASSETS)
    stored, _ = read_request_log([tmp_path / "store"], REGIONS, ASSETS)
    for name in ("time_us", "region", "asset", "bytes"):
        np.testing.assert_array_equal(getattr(stored, name), getattr(raw, name))


def test_the_same_logs_give_the_same_bytes(tmp_path):
    log = random_log(tmp_path / "log.csv", np.random.default_rng(2))
    for name in ("one", "two"):
        ingest([log], tmp_path / name)
    assert names(tmp_path / "one") == names(tmp_path / "two")
    for name in names(tmp_path / "one"):
        assert digest_of(tmp_path / "one" / name) == digest_of(tmp_path / "two" / name)


def test_duplicates_over_several_logs(tmp_path):
    one = write_log(tmp_path / "1.csv", GOOD, f"{GOOD[:-3]}101", GOOD)
    two = write_log(tmp_path / "2.csv", GOOD)
    kept = ingest([one, two], tmp_path / "kept")
    assert (kept.quarantine.duplicates, dict(kept.requests_of_day)) == (2, {DAY: 4})
    dropped = ingest([one, two], tmp_path / "dropped", drop_duplicates=True)
    assert (dropped.quarantine.duplicates, dict(dropped.requests_of_day)) == (2, {DAY: 2})
    assert list(pd.read_parquet(tmp_path / "dropped" / "requests-2012-12-26.parquet")["bytes"]) == [100, 101]


def test_optional_columns_are_kept_where_a_log_has_them(tmp_path):
    one = write_log(tmp_path / "1.csv", GOOD + ",s1,hit", header=HEADER + ",session_id,unknown")
    two = write_log(tmp_path / "2.csv", GOOD)
    ingest([one, two], tmp_path / "store")
    stored = pd.read_parquet(tmp_path / "store" / "requests-2012-12-26.parquet")
    assert list(stored.columns) == [*HEADER.split(","), "session_id"]
    assert stored["session_id"].isna().tolist() == [False, True]


def test_ids_the_topology_or_catalog_lacks_are_quarantined_where_these_are_given(tmp_path):
    log = write_log(tmp_path / "log.csv", GOOD, GOOD.replace("us", "fr"), GOOD.replace("a1", "a9"))
    assert ingest([log], tmp_path / "all").quarantine.bad_rows == 0
    known = ingest([log], tmp_path / "known", region_index=REGIONS, asset_index=ASSETS, bad_share=0.9)
    assert dict(known.quarantine.counts) == {"unknown region": 1, "unknown asset": 1}
    assert dict(known.requests_of_day) == {DAY: 1}


def test_other_days_stay_and_a_day_it_has_is_replaced_only_on_demand(tmp_path):
    store = tmp_path / "store"
    ingest([write_log(tmp_path / "1.csv", GOOD, GOOD.replace("-26", "-27"))], store)
    more = write_log(tmp_path / "2.csv", *(GOOD.replace("-26", day) for day in ("-27", "-28", "-28")))
    before = {name: digest_of(store / name) for name in names(store)}
    with pytest.raises(DataError, match=r"requests-2012-12-27\.parquet.*days that it does not have"):
        ingest([more], store)
    assert {name: digest_of(store / name) for name in names(store)} == before
    ingest([more], store, replace_days=True)
    assert [len(pd.read_parquet(store / name)) for name in names(store)] == [1, 1, 2]


def test_a_refused_log_leaves_nothing_behind(tmp_path):
    log = write_log(tmp_path / "log.csv", GOOD, "x,us,a1,1")
    with pytest.raises(DataError, match="1 of 2 rows bad"):
        ingest([log], tmp_path / "store")
    assert names(tmp_path) == ["log.csv"]


def test_a_folder_that_holds_something_else_is_not_taken_for_a_store(tmp_path):
    log = write_log(tmp_path / "log.csv", GOOD)
    with pytest.raises(DataError, match=r"log\.csv.*holds only requests-"):
        ingest([log], tmp_path)
    with pytest.raises(DataError, match="a folder to write a log store into"):
        ingest([log], log)
    assert names(tmp_path) == ["log.csv"]


def test_names_with_quotes_and_glob_signs_are_plain_names(tmp_path):
    folder = tmp_path / "it's [a] *store?"
    folder.mkdir()
    ingest([write_log(folder / "log.csv", GOOD)], folder / "s'[1]*")
    assert names(folder / "s'[1]*") == ["requests-2012-12-26.parquet"]


def test_only_the_days_asked_for_are_opened(tmp_path):
    for day in (DAY, DAY + 1, DAY + 2):
        file_of_day(tmp_path, day).touch()
    (tmp_path / "other.parquet").touch()
    found = [path.name for path in log_files(tmp_path, DAY + 1, DAY + 2)]
    assert found == ["other.parquet", "requests-2012-12-27.parquet"]
    assert day_of_file(file_of_day(tmp_path, DAY)) == DAY and day_of_file(tmp_path / "other.parquet") is None
