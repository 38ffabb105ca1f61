"""Where labels go beside marks so that they cover neither marks nor each other (greedy; Christensen, Marks, Shieber,
"An empirical study of algorithms for point-feature label placement", ACM TOG 1995)."""

from dataclasses import dataclass

CHARACTER_WIDTH, LINE_HEIGHT, GAP = 6.2, 13.0, 3.0


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels, y downwards."""

    left: float
    top: float
    right: float
    bottom: float

    @classmethod
    def around(cls, centre: tuple[float, float], side: float) -> "Box":
        """The square of a side around its centre."""
        x, y = centre
        return cls(x - side / 2, y - side / 2, x + side / 2, y + side / 2)

    def overlaps(self, other: "Box") -> bool:
        return (self.left < other.right and other.left < self.right
                and self.top < other.bottom and other.top < self.bottom)


def place_labels(marks: list[Box], labels: list[str], width: float, height: float) -> dict[int, tuple[float, float]]:
    """Left end and middle height of each label that finds room, by position; the first listed choose first.

    A label stands right, left, below, above or at a corner of its mark, inside ``width`` x ``height``.
    """
    taken, placed = list(marks), {}
    for k, (mark, label) in enumerate(zip(marks, labels, strict=True)):
        for box in _candidates(mark, CHARACTER_WIDTH * len(label)):
            inside = box.left >= 0 and box.top >= 0 and box.right <= width and box.bottom <= height
            if inside and not any(box.overlaps(other) for other in taken):
                taken.append(box)
                placed[k] = (box.left, (box.top + box.bottom) / 2)
                break
    return placed


def _candidates(mark: Box, length: float) -> list[Box]:
    middle_x, middle_y = (mark.left + mark.right) / 2, (mark.top + mark.bottom) / 2
    right, left = mark.right + GAP, mark.left - GAP - length
    below, above = mark.bottom + GAP, mark.top - GAP - LINE_HEIGHT
    corners = [(right, middle_y - LINE_HEIGHT / 2), (left, middle_y - LINE_HEIGHT / 2), (middle_x - length / 2, below),
               (middle_x - length / 2, above), (right, below), (right, above), (left, below), (left, above)]
    return [Box(x, y, x + length, y + LINE_HEIGHT) for x, y in corners]
