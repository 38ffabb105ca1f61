"""Where labels go beside marks so that they cover neither marks nor each other (greedy; Christensen, Marks, Shieber,
"An empirical study of algorithms for point-feature label placement", ACM TOG 1995). All in pixels, y downwards."""

from collections.abc import Sequence
from dataclasses import dataclass

CHARACTER_WIDTH, LINE_HEIGHT, GAP = 6.2, 13.0, 3.0
LEFT, CENTRE, RIGHT = "left", "center", "right"
Point = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """A rectangle."""

    left: float
    top: float
    right: float
    bottom: float

    @classmethod
    def around(cls, centre: Point, side: float) -> "Box":
        """The square of a side around its centre."""
        x, y = centre
        return cls(x - side / 2, y - side / 2, x + side / 2, y + side / 2)

    def overlaps(self, other: "Box") -> bool:
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )

    def crossed_by(self, start: Point, end: Point) -> bool:
        """Does the straight line pass through the rectangle? (Liang and Barsky's clipping, ACM TOG 1984.)"""
        enters, leaves = 0.0, 1.0
        for a, b, low, high in ((start[0], end[0], self.left, self.right), (start[1], end[1], self.top, self.bottom)):
            if a == b:
                if not low < a < high:
                    return False
                continue
            first, last = sorted(((low - a) / (b - a), (high - a) / (b - a)))
            enters, leaves = max(enters, first), min(leaves, last)
        return enters < leaves


@dataclass(frozen=True)
class LabelPlace:
    """A label's anchor, ``align`` of the text to it, and the room it takes."""

    x: float
    y: float
    align: str
    box: Box


def place_labels(
    marks: Sequence[Box],
    labels: Sequence[str],
    width: float,
    height: float,
    lines: Sequence[tuple[Point, Point]] = (),
) -> dict[int, LabelPlace]:
    """Places of the labels that find room, by position; the first listed choose first.

    A label stands right, left, below, above or at a corner of its mark, inside ``width`` x ``height``: where the fewest
    ``lines`` run through it, and of those in the order named.
    """
    taken, placed = list(marks), {}
    for k, (mark, label) in enumerate(zip(marks, labels, strict=True)):
        free = [place for place in _candidates(mark, CHARACTER_WIDTH * len(label))
                if _inside(place.box, width, height) and not any(place.box.overlaps(other) for other in taken)]
        if free:
            placed[k] = min(free, key=lambda place: sum(place.box.crossed_by(*line) for line in lines))
            taken.append(placed[k].box)
    return placed


def _inside(box: Box, width: float, height: float) -> bool:
    return box.left >= 0 and box.top >= 0 and box.right <= width and box.bottom <= height


def _candidates(mark: Box, length: float) -> list[LabelPlace]:
    x, y, half = (mark.left + mark.right) / 2, (mark.top + mark.bottom) / 2, LINE_HEIGHT / 2
    right, left, below, above = mark.right + GAP, mark.left - GAP, mark.bottom + GAP + half, mark.top - GAP - half
    spots = [(right, y, LEFT), (left, y, RIGHT), (x, below, CENTRE), (x, above, CENTRE),
             (right, below, LEFT), (right, above, LEFT), (left, below, RIGHT), (left, above, RIGHT)]
    start = {LEFT: 0.0, CENTRE: length / 2, RIGHT: length}
    return [LabelPlace(at, level, align, Box(at - start[align], level - half, at - start[align] + length, level + half))
            for at, level, align in spots]
