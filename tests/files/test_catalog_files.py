"""The catalog file."""

import numpy as np
import pandas as pd
import pytest

from cdn.errors import DataError
from cdn.files.catalogs import read_catalog


def write(folder, text):
    path = folder / "catalog.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_rules_and_attributes_are_kept_where_they_stand(tmp_path):
    catalog = read_catalog(
        write(
            tmp_path,
            (
                "asset_id,title_id,size_bytes,licence_start,licence_end,allowed_regions,pinned_sites,excluded_sites,genres,codec\n"
                "a,film,1000,2012-12-01,2013-01-01,r;q,,e,,av1\n"
                "b,film,9007199254740991,,,,e;m,,drama;crime,h264\n"
            ),
        )
    )
    assert list(catalog.asset_index) == ["a", "b"]
    assert catalog.title_ids.tolist() == ["film", "film"]
    assert catalog.size_bytes.tolist() == [1000, 2**53 - 1]
    assert catalog.footprint_bytes == 2**53 + 999
    assert catalog.allowed_regions == {0: ("r", "q")}
    assert catalog.pinned_sites == {1: ("e", "m")}
    assert catalog.excluded_sites == {0: ("e",)}
    assert catalog.attributes["codec"].tolist() == ["av1", "h264"]
    assert catalog.attributes["genres"].tolist() == [(), ("drama", "crime")]
    assert not catalog.size_bytes.flags.writeable


@pytest.mark.parametrize(
    ("start", "end", "licensed"),
    [
        ("", "", True),
        ("2012-12-28", "2012-12-29", True),
        ("2012-12-28T00:00:01Z", "", False),
        ("", "2012-12-28T23:59:59Z", False),
        ("", "2012-12-29", True),
        ("2012-12-29", "", False),
        ("", "9999-12-31", True),
    ],
)
def test_a_licence_covers_the_whole_day_or_does_not_count(tmp_path, start, end, licensed):
    """From the start (inclusive) to the end (exclusive): a licence that ends at midnight covers the day before."""
    path = write(tmp_path, f"asset_id,title_id,size_bytes,licence_start,licence_end\na,a,1,{start},{end}\n")
    assert read_catalog(path).licensed_on(pd.Timestamp("2012-12-28")).tolist() == [licensed]


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("a,a,0", "size_bytes"),
        ("a,a,-5", "size_bytes"),
        ("a,a,nan", "size_bytes"),
        ("a,a,1.5", "size_bytes"),
        (",a,1", "asset_id"),
        ("a,,1", "title_id"),
    ],
)
def test_bad_rows_are_faults(tmp_path, row, column):
    with pytest.raises(DataError) as caught:
        read_catalog(write(tmp_path, f"asset_id,title_id,size_bytes\nz,z,1\n{row}\n"))
    assert [(fault.row, fault.column) for fault in caught.value.faults] == [(3, column)]


def test_an_asset_stands_once(tmp_path):
    with pytest.raises(DataError, match="stands once"):
        read_catalog(write(tmp_path, "asset_id,title_id,size_bytes\na,a,1\na,b,2\n"))


def test_a_catalog_without_assets_is_a_catalog(tmp_path):
    catalog = read_catalog(write(tmp_path, "asset_id,title_id,size_bytes\n"))
    assert len(catalog) == 0
    assert catalog.licensed_on(pd.Timestamp("2012-12-28")).tolist() == []
    assert catalog.size_bytes.dtype == np.int64
