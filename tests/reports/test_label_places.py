"""Labels on a map: beside their marks, and on nothing."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdn.reports.charts import LABEL_HEIGHT, LINES_HEIGHT, label_heights
from cdn.reports.label_places import CHARACTER_WIDTH, GAP, Box, place_labels

WIDTH = HEIGHT = 300.0
POINTS = st.tuples(st.floats(0, WIDTH), st.floats(0, HEIGHT))


def test_a_label_alone_stands_right_of_its_mark():
    """A mark of 10 x 10 around (100, 100): the text starts one gap right of 105, at its middle."""
    place = place_labels([Box.around((100, 100), 10)], ["name"], WIDTH, HEIGHT)[0]
    assert (place.x, place.y, place.align) == (105 + GAP, 100, "left")


def test_at_the_right_border_it_stands_left():
    place = place_labels([Box.around((290, 100), 10)], ["name"], WIDTH, HEIGHT)[0]
    assert (place.x, place.y, place.align) == (285 - GAP, 100, "right")


def test_it_keeps_off_lines_where_it_can():
    """A line to the right and one to the left: below is the first side without one."""
    lines = [((100, 100), (300, 100)), ((100, 100), (0, 100))]
    place = place_labels([Box.around((100, 100), 10)], ["name"], WIDTH, HEIGHT, lines)[0]
    assert place.align == "center" and place.y > 105


def test_without_room_it_is_left_out():
    assert place_labels([Box.around((20, 20), 10)], ["name"], 40, 40) == {}


@given(st.lists(st.tuples(POINTS, st.floats(2, 40), st.text("ab", min_size=1, max_size=12)), max_size=25))
def test_labels_cover_neither_marks_nor_each_other(drawn):
    marks = [Box.around(centre, side) for centre, side, _ in drawn]
    placed = place_labels(marks, [label for *_, label in drawn], WIDTH, HEIGHT)
    boxes = [place.box for place in placed.values()]
    assert not any(box.overlaps(mark) for box in boxes for mark in marks)
    assert not any(box.overlaps(other) for k, box in enumerate(boxes) for other in boxes[:k])
    for k, place in placed.items():
        assert place.box.right - place.box.left == pytest.approx(CHARACTER_WIDTH * len(drawn[k][2]))
        assert place.box.left >= 0 and place.box.top >= 0 and place.box.right <= WIDTH and place.box.bottom <= HEIGHT


@pytest.mark.parametrize(("start", "end", "crossed"), [
    ((0, 15), (30, 15), True), ((0, 0), (30, 30), True), ((15, 0), (15, 9), False), ((0, 15), (9, 15), False),
    ((0, 5), (30, 5), False), ((0, 20), (20, 0), False), ((12, 12), (13, 14), True),
])  # fmt: skip
def test_lines_through_a_box(start, end, crossed):
    """The box from (10, 10) to (20, 20); the line from (0, 20) to (20, 0) only touches its corner."""
    assert Box(10, 10, 20, 20).crossed_by(start, end) is crossed


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_labels_of_lines_keep_apart_and_in_order(values):
    heights, gap = label_heights(values, 1.0), LABEL_HEIGHT / LINES_HEIGHT
    ordered = [heights[k] for k in sorted(range(len(values)), key=lambda k: values[k])]
    assert all(high - low >= gap - 1e-9 for low, high in itertools.pairwise(ordered))
    assert min(heights) >= -1e-9 and max(heights) <= max(1.0, gap * (len(values) - 1)) + 1e-9
