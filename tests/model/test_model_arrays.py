"""Frozen arrays, row pointers and the index of ids."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdn.model.arrays import csr_indptr, frozen, rows_of
from cdn.model.index import UNKNOWN, Index


def test_a_frozen_array_is_ours_alone():
    mine = np.array([1, 2, 3])
    kept = frozen(mine, np.int64)
    mine[0] = 99
    assert kept.tolist() == [1, 2, 3]
    with pytest.raises(ValueError):
        kept[0] = 99


def test_a_frozen_array_is_passed_through_and_a_read_only_view_is_not():
    """The view's owner could still write to it."""
    kept = frozen([1, 2, 3], np.int64)
    assert frozen(kept, np.int64) is kept
    owner = np.array([1, 2, 3])
    view = owner[:]
    view.flags.writeable = False
    copy = frozen(view, np.int64)
    owner[0] = 99
    assert copy.tolist() == [1, 2, 3]
    assert frozen(kept, np.float64).dtype == np.float64


@given(st.lists(st.integers(0, 6)))
def test_row_pointers_and_rows_are_inverse(rows):
    rows = np.sort(np.array(rows, dtype=np.int64))
    indptr = csr_indptr(rows, 7)
    assert indptr[0] == 0 and len(indptr) == 8
    assert rows_of(indptr).tolist() == rows.tolist()


def test_an_index_gives_positions_and_ids():
    index = Index(["b", "a", "NA"])
    assert list(index) == ["b", "a", "NA"] and len(index) == 3
    assert index.position_of("a") == 1 and index.id_of(2) == "NA"
    assert index.positions_of(["NA", "x", "b"]).tolist() == [2, UNKNOWN, 0]
    assert index.ids_of([1, 1]).tolist() == ["a", "a"]
    assert "a" in index and "x" not in index
    assert index == Index(["b", "a", "NA"]) and index != Index(["a", "b", "NA"])
    with pytest.raises(KeyError):
        index.position_of("x")


def test_an_index_never_changes():
    index = Index(["a", "b"])
    index.ids[0] = "x"
    assert index.id_of(0) == "a"


def test_an_id_stands_once():
    with pytest.raises(ValueError, match="'a' stands twice"):
        Index(["a", "b", "a"])


def test_an_empty_index_knows_nothing():
    assert Index([]).positions_of(["a"]).tolist() == [UNKNOWN]
    assert Index(["a"]).positions_of([]).tolist() == []
