"""How values are written, and that no id can do harm in any format."""

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reports.run_examples import HOSTILE

from cdn.reports.cells import FORMATS, format_cell, markdown_id, markdown_text, printable, spreadsheet_cell

ANY_TEXT = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=12))


@pytest.mark.parametrize(("kind", "value", "text"), [
    ("text", "a", "a"), ("count", 1234.0, "1,234"), ("share", 0.7125, "71.2 %"), ("points", -0.0409, "-4.1"),
    ("points", 0.03, "+3.0"), ("bytes", 2.5e9, "2.5 GB"), ("rate", 4e9, "4 Gbit/s"), ("cost", 33668.61, "33668.6"),
    ("worth", 2e-11, "0.02"), ("moment", "2024-03-12T01:30:00Z", "03-12 01:30"),
    ("clock", "2024-03-12T01:30:00Z", "01:30"),
    ("sources", {"m": 5e9, "o": 15e9}, "o 15 GB, m 5 GB"), ("sources", {}, "-"),
    ("sources", {"a": 4e9, "b": 3e9, "c": 2e9, "d": 1e9, "e": 1e9}, "a 4 GB, b 3 GB, c 2 GB, 2 more"),
])  # fmt: skip
def test_values_for_people(kind, value, text):
    assert format_cell(kind, value) == text


@pytest.mark.parametrize("kind", sorted(FORMATS))
def test_what_is_not_known_is_a_dash(kind):
    assert format_cell(kind, None) == "-"


@given(ANY_TEXT)
def test_printable_keeps_what_is_printed_and_escapes_the_rest(text):
    shown = printable(text)
    assert shown.isprintable()
    assert shown == text or not text.isprintable()


@given(ANY_TEXT)
def test_no_text_is_a_formula_in_a_spreadsheet(text):
    """What a spreadsheet finds in the cell, after any blanks, is none of the characters a formula starts with."""
    stream = io.StringIO()
    csv.writer(stream).writerow([spreadsheet_cell(text)])
    [[cell]] = list(csv.reader(io.StringIO(stream.getvalue()))) or [[""]]
    assert cell.lstrip()[:1] not in tuple("=+-@\t\r\uff1d\uff0b\uff0d\uff20")
    assert cell.removeprefix("'") == printable(text).removeprefix("'")


@pytest.mark.parametrize("value", [-0.25, -1, 0, None, True, 1e300])
def test_numbers_stay_numbers_in_a_spreadsheet(value):
    assert spreadsheet_cell(value) is value


@given(ANY_TEXT)
def test_no_id_leaves_its_cell_of_a_markdown_table(text):
    """No bar, no line break and no tag but the code span's own; every other special character is an entity."""
    shown = markdown_id(text)
    assert "|" not in shown and "\n" not in shown
    inner = re.fullmatch(r"(?:`([^`]*)`|<code>(.*)</code>)?", shown)
    assert inner is not None
    assert not re.search(r"[<>`|*_@\[\]\\]", inner.group(2) or "")


def test_markdown_text_reads_as_it_was():
    assert markdown_text("2 assets (3 GB): window 1, storage 1") == "2 assets (3 GB): window 1, storage 1"
    assert markdown_text("a|b <i> @c http://d :e:") == "a&#124;b &#60;i&#62; &#64;c http&#58;//d &#58;e&#58;"
