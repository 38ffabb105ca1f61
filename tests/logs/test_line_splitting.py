"""Lines of a block against Python's csv module, line by line; whatever bytes they hold."""

import csv

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cdn.logs.lines import line_starts, line_text, split_line, split_rows

NAMES = ["a", "b", "c"]
FIELD = st.text(alphabet='xy,"\n\r é', max_size=5).map(str.encode) | st.just(b"\xff") | st.just(b"1")


def quoted(field: bytes) -> bytes:
    return b'"' + field.replace(b'"', b'""') + b'"'


LINE = st.lists(FIELD | FIELD.map(quoted), max_size=4).map(lambda fields: b",".join(fields).replace(b"\n", b""))


def oracle(line: bytes) -> list[str] | None:
    """The three fields of a line, or None where it has not three."""
    try:
        fields = next(csv.reader([line.rstrip(b"\r").decode("latin-1")], strict=True), [])
    except csv.Error:
        return None
    return fields if len(fields) == len(NAMES) else None


@settings(max_examples=300, deadline=None)
@given(st.lists(LINE, min_size=1, max_size=8), st.booleans(), st.booleans())
def test_rows_are_those_that_the_csv_module_finds_line_by_line(lines, last_end, windows):
    data = (b"\r\n" if windows else b"\n").join(lines) + (b"\n" if last_end else b"")
    assume(data)
    rows = split_rows(data, NAMES, ["c", "a"])
    real = data.removesuffix(b"\n").split(b"\n")
    expected = {k: oracle(line) for k, line in enumerate(real) if line.rstrip(b"\r")}
    good = {k: fields for k, fields in expected.items() if fields is not None}
    assert list(rows.line) == list(good)
    assert list(rows.torn) == [k for k, fields in expected.items() if fields is None]
    assert rows.columns["c"].to_pylist() == [fields[2].encode("latin-1") for fields in good.values()]
    assert rows.columns["a"].to_pylist() == [fields[0].encode("latin-1") for fields in good.values()]


@pytest.mark.parametrize(("data", "starts"), [
    (b"a\nbc\n", [0, 2, 5]), (b"a\nbc", [0, 2, 4]), (b"\n", [0, 1]), (b"x", [0, 1]),
])
def test_line_starts(data, starts):
    assert list(line_starts(data)) == starts


def test_line_text_is_cut_and_shows_what_is_not_utf8():
    data = b"abcdef\r\n\xff\n"
    assert line_text(data, line_starts(data), np.array([0, 1]), 3) == ["abc", "\\xff"]


def test_a_field_may_hold_the_separator_and_quotes_but_no_line_break():
    assert split_line('a,"b,""c"""') == ["a", 'b,"c"']
    assert split_line('a,"b') is None
