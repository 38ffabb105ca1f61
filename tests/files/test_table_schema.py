"""The reader of tables: every bad cell is found where it stands, and nothing bad passes."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cdn.errors import DataError
from cdn.files.schema import Column, TableSchema, joined, positions, read_table, write_table
from cdn.model.index import Index

THINGS = TableSchema(
    "things",
    (
        Column("id", "string", "", ""),
        Column("n", "integer", "", "", minimum=0),
        Column("x", "number", "", "", 1.5, above=0),
        Column("when", "time", "UTC", "", None),
        Column("tags", "list", "", "", ()),
        Column("kind", "string", "", "", "plain", choices=("plain", "odd")),
    ),
    key=("id",),
)
OPEN = TableSchema("open things", (Column("id", "string", "", ""),), open_ended=True)


def write(folder, content: str | bytes, name="t.csv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def faults_of(path, schema=THINGS):
    with pytest.raises(DataError) as caught:
        read_table(path, schema)
    return [(fault.row, fault.column) for fault in caught.value.faults]


def parquet(folder, **columns):
    path = folder / "t.parquet"
    pq.write_table(pa.table(columns), path)
    return path


def test_columns_are_converted_and_defaults_filled_in(tmp_path):
    frame = read_table(
        write(tmp_path, "id,n,x,when,tags,kind\na,1,2.5,2012-12-28T01:00:00+01:00,u; v;,odd\nb,2,,,,\n"), THINGS
    )
    assert frame["id"].tolist() == ["a", "b"]
    assert frame["n"].tolist() == [1, 2]
    assert frame["x"].tolist() == [2.5, 1.5]
    assert frame["when"].tolist() == [pd.Timestamp("2012-12-28"), pd.NaT]
    assert frame["when"].dtype == np.dtype("datetime64[us]")
    assert frame["tags"].tolist() == [("u", "v"), ()]
    assert frame["kind"].tolist() == ["odd", "plain"]
    assert frame.index.tolist() == [2, 3]


def test_columns_that_are_not_there_take_their_defaults(tmp_path):
    frame = read_table(write(tmp_path, "id,n\na,1\n"), THINGS)
    assert frame.loc[2, ["x", "kind", "tags"]].tolist() == [1.5, "plain", ()]
    assert pd.isna(frame.loc[2, "when"])


@pytest.mark.parametrize(
    "cell", ["-1", "1.5", "nan", "inf", "1e400", "", "x", "0x10", "1_0", "1,0", "True", "\uff19.5", "9007199254740992"]
)
def test_what_is_no_count_is_a_fault(tmp_path, cell):
    assert faults_of(write(tmp_path, f'id,n\na,1\nb,"{cell}"\n')) == [(3, "n")]


def test_integers_are_exact_up_to_the_limit(tmp_path):
    frame = read_table(write(tmp_path, f"id,n\na,{2**53 - 1}\n"), THINGS)
    assert int(frame.at[2, "n"]) == 2**53 - 1


@pytest.mark.parametrize("cell", ["0", "-1", "nan", "-inf"])
def test_a_number_obeys_its_open_limit(tmp_path, cell):
    assert faults_of(write(tmp_path, f"id,n,x\na,1,{cell}\n")) == [(2, "x")]


@pytest.mark.parametrize(
    "cell", ["now", "today", "2012", "20121228", "28/12/2012", "2012-12-28T25:00", "2012-13-01", "1356652800", "NaT"]
)
def test_what_is_no_date_is_a_fault(tmp_path, cell):
    """`now` in particular: pandas knows it, and the same file would read differently every time."""
    assert faults_of(write(tmp_path, f"id,n,when\na,1,2012-12-28\nb,1,{cell}\n")) == [(3, "when")]


def test_every_fault_is_reported_in_the_order_of_the_rows(tmp_path):
    path = write(tmp_path, "id,n,x,kind\n,1,1,plain\nb,x,0,weird\nc,3,1,plain\nd,-4,1,odd\n")
    assert faults_of(path) == [(2, "id"), (3, "kind"), (3, "n"), (3, "x"), (5, "n")]


def test_the_message_names_file_row_column_value_and_what_was_expected(tmp_path):
    path = write(tmp_path, "id,n\na,-4\n")
    with pytest.raises(DataError) as caught:
        read_table(path, THINGS)
    assert str(caught.value) == f"{path}:2:n: got '-4', expected an integer >= 0"


def test_missing_foreign_and_repeated_columns(tmp_path):
    assert faults_of(write(tmp_path, "id,x,colour\na,1,red\n")) == [(1, "n"), (1, "colour")]
    assert faults_of(write(tmp_path, "id,n,n\na,1,2\n")) == [(1, "n")]
    assert read_table(write(tmp_path, "id,colour\na,red\n"), OPEN)["colour"].tolist() == ["red"]
    assert faults_of(write(tmp_path, "id,colour,colour\na,red,blue\n"), OPEN) == [(1, "colour")]


def test_a_surplus_field_never_shifts_the_others(tmp_path):
    """Were the header read by itself, `a,1,3` in every row would become index a, id 1, n 3."""
    for content in ("id,n\na,1,3\n", "id,n\na,1\nb,2,3\n"):
        with pytest.raises(DataError, match="a readable table"):
            read_table(write(tmp_path, content), THINGS)


def test_a_missing_field_is_a_fault_of_its_column(tmp_path):
    assert faults_of(write(tmp_path, "id,n\na,1\nb\n")) == [(3, "n")]


def test_keys_stand_once(tmp_path):
    assert faults_of(write(tmp_path, "id,n\na,1\nb,1\na,2\n")) == [(4, "id")]


@pytest.mark.parametrize("content", [b"", b"\n", b"id,n\n\xff,1\n", b'id,n\n"a,1\n', b"\x00\x01\x02"])
def test_a_file_that_is_no_table_is_refused(tmp_path, content):
    with pytest.raises(DataError):
        read_table(write(tmp_path, content), THINGS)


def test_a_table_without_rows_is_read(tmp_path):
    assert len(read_table(write(tmp_path, "id,n\n"), THINGS)) == 0
    empty = {"id": pa.array([], pa.string()), "n": pa.array([], pa.int64())}
    assert len(read_table(parquet(tmp_path, **empty), THINGS)) == 0


def test_byte_order_marks_and_carriage_returns_are_no_content(tmp_path):
    frame = read_table(write(tmp_path, b"\xef\xbb\xbfid,n\r\na,1\r\nb,2\r\n"), THINGS)
    assert frame["id"].tolist() == ["a", "b"]


def test_ids_that_look_like_missing_values_are_ids(tmp_path):
    """NA is Namibia, and `nan` may be somebody's asset."""
    assert read_table(write(tmp_path, "id,n\nNA,1\nnan,2\nnull,3\n"), THINGS)["id"].tolist() == ["NA", "nan", "null"]


def test_a_truncated_parquet_file_is_refused(tmp_path):
    path = parquet(tmp_path, id=["a"] * 1000, n=list(range(1000)))
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match="a readable table"):
        read_table(path, THINGS)


@pytest.mark.parametrize(
    "n",
    [
        pa.array([[1]]),
        pa.array([True]),
        pa.array([{"a": 1}]),
        pa.array([2**60]),
        pa.array([1.5]),
        pa.array([None], pa.int64()),
        pa.array([float("nan")]),
    ],
)
def test_what_is_no_count_in_parquet_is_a_fault(tmp_path, n):
    assert faults_of(parquet(tmp_path, id=["a"], n=n)) == [(1, "n")]


@pytest.mark.parametrize(
    "ids", [pa.array([["a"]]), pa.array([b"a"]), pa.array([None], pa.string()), pa.array([{"a": 1}])]
)
def test_what_is_no_text_in_parquet_is_a_fault(tmp_path, ids):
    assert faults_of(parquet(tmp_path, id=ids, n=[1])) == [(1, "id")]


@pytest.mark.parametrize("when", [pa.array([1356652800]), pa.array([1.5]), pa.array(["now"]), pa.array([True])])
def test_what_is_no_time_in_parquet_is_a_fault(tmp_path, when):
    assert faults_of(parquet(tmp_path, id=["a"], n=[1], when=when)) == [(1, "when")]


@pytest.mark.parametrize("tags", [pa.array([3]), pa.array([[1, None]]), pa.array([b"a"])])
def test_what_is_no_list_in_parquet_is_a_fault(tmp_path, tags):
    assert faults_of(parquet(tmp_path, id=["a"], n=[1], tags=tags)) == [(1, "tags")]


def test_parquet_types_that_say_the_same_read_the_same(tmp_path):
    noon_in_paris = pa.array([pd.Timestamp("2012-12-28T13:00:00+01:00")], pa.timestamp("ns", "Europe/Paris"))
    frame = read_table(
        parquet(
            tmp_path,
            id=pa.array(["a"]).dictionary_encode(),
            n=pa.array([7], pa.uint8()),
            when=noon_in_paris,
            tags=[["u", "v"]],
        ),
        THINGS,
    )
    assert frame.loc[1, ["id", "n", "when", "tags"]].tolist() == [
        "a",
        7,
        pd.Timestamp("2012-12-28T12:00:00"),
        ("u", "v"),
    ]
    assert read_table(parquet(tmp_path, id=[17], n=[7]), THINGS)["id"].tolist() == ["17"]


def test_a_dictionary_of_texts_reads_as_the_texts(tmp_path):
    """Empty cells, empty texts and wrong choices included."""
    ids = pa.array(["b", "a", "b", "", None, "c"])
    kinds = pa.array(["odd", None, "even", "", "plain", "odd"])
    n = pa.array([1] * 6)
    for id_, kind in ((ids, kinds), (ids.dictionary_encode(), kinds.dictionary_encode())):
        path = parquet(tmp_path, id=id_, n=n, kind=kind)
        assert faults_of(path) == [(3, "kind"), (4, "id"), (5, "id")]
        columns = {"id": id_.take([0, 1, 5]), "n": n[:3], "kind": kind.take([0, 1, 3])}
        frame = read_table(parquet(tmp_path, **columns), THINGS)
        assert frame["id"].tolist() == ["b", "a", "c"] and frame["kind"].tolist() == ["odd", "plain", "plain"]


def test_files_that_are_not_there_or_of_another_kind(tmp_path):
    for path in (tmp_path / "none.csv", tmp_path, write(tmp_path, "id,n\na,1\n", "t.txt")):
        with pytest.raises(DataError):
            read_table(path, THINGS)


def test_positions_name_each_row_with_an_unknown_id(tmp_path):
    frame = read_table(write(tmp_path, "id,n\na,1\nz,2\nb,3\ny,4\n"), THINGS)
    with pytest.raises(DataError) as caught:
        positions(frame, "id", Index(["a", "b"]), "shelf")
    assert [(fault.row, fault.value) for fault in caught.value.faults] == [(3, "z"), (5, "y")]
    assert positions(frame, "id", Index("bazy"), "shelf").tolist() == [1, 2, 0, 3]


TEXT = st.text(
    st.characters(codec="utf-8", exclude_characters="\x00\r\n", exclude_categories=("Cs",)), min_size=1, max_size=8
)
MOMENT = st.datetimes(pd.Timestamp("1971-01-01").to_pydatetime(), pd.Timestamp("2099-01-01").to_pydatetime())


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(TEXT, st.integers(0, 2**53 - 1), st.floats(1e-300, 1e300), MOMENT), unique_by=lambda row: row[0])
)
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_what_is_written_reads_back(tmp_path_factory, suffix, rows):
    """To the last digit and microsecond, whatever the ids are, in either format."""
    path = tmp_path_factory.mktemp("tables") / f"t{suffix}"
    frame = pd.DataFrame(rows, columns=["id", "n", "x", "when"]).astype({"id": object, "n": "int64", "x": float})
    frame["when"] = frame["when"].astype("datetime64[us]")
    write_table(frame, path)
    read = read_table(path, THINGS)
    for name in frame.columns:
        assert read[name].tolist() == frame[name].tolist()


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_the_same_frame_gives_the_same_bytes(tmp_path, suffix):
    frame = pd.DataFrame({"id": ["a", "b"], "x": [0.1, 2.0]})
    for name in ("one", "two"):
        write_table(frame, tmp_path / f"{name}{suffix}")
    assert (tmp_path / f"one{suffix}").read_bytes() == (tmp_path / f"two{suffix}").read_bytes()


def test_times_are_written_to_the_second_where_they_are_whole(tmp_path):
    write_table(pd.DataFrame({"when": pd.to_datetime(["2012-12-28", None])}), tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text().splitlines()[1] == "2012-12-28T00:00:00Z"


def test_an_unknown_format_is_not_written(tmp_path):
    with pytest.raises(DataError):
        write_table(pd.DataFrame({"id": ["a"]}), tmp_path / "t.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_joined_is_a_list_cell(tmp_path):
    path = write(tmp_path, f"id,n,tags\na,1,{joined(['u', 'v'])}\n")
    assert read_table(path, THINGS).at[2, "tags"] == ("u", "v")
