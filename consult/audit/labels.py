"""Labels beside marks: each stands near its mark, inside the picture, and on no other label; else it is left out.

The places round a mark are tried in turn, and of those that are free the one that hides fewest marks is taken: the
greedy way of Christensen, Marks and Shieber (ACM Trans. Graph. 1995;14:203-232), enough where most marks have no label.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

WIDTH: Final = 7.5
"""The width of a digit or letter, rather too large than too small."""
ABOVE, BELOW = 11.0, 3.0
"""How far letters reach above and below the line they stand on."""
PLACES: Final = (
    (8.0, -6.0, "start"),
    (8.0, 15.0, "start"),
    (-8.0, -6.0, "end"),
    (-8.0, 15.0, "end"),
    (0.0, -10.0, "middle"),
    (0.0, 20.0, "middle"),
)
"""Where a label may stand, from its mark: to the right, the left, above and below."""

Mark = tuple[float, float]


class Box(Struct, frozen=True):
    """A rectangle of the picture."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Box) -> bool:
        """Whether the two have a place in common."""
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )

    def holds(self, other: Box) -> bool:
        """Whether the other lies wholly inside."""
        return (
            self.left <= other.left
            and other.right <= self.right
            and self.top <= other.top
            and other.bottom <= self.bottom
        )


class Label(Struct, frozen=True):
    """Words in their place, with the box that they fill; `anchor` is start, middle or end, as SVG has it."""

    x: float
    y: float
    words: str
    anchor: str

    @property
    def box(self) -> Box:
        """What the words cover."""
        width = WIDTH * len(self.words)
        left = self.x - {"start": 0.0, "middle": width / 2, "end": width}[self.anchor]
        return Box(left, self.y - ABOVE, left + width, self.y + BELOW)


def beside(marks: Sequence[Mark], words: Sequence[str], room: Box, reach: float = 5.0) -> list[Label]:
    """The labels of the marks whose words are not "", where there is room; a mark reaches `reach` to every side."""
    found: list[Label] = []
    taken = [Box(x - reach, y - reach, x + reach, y + reach) for x, y in marks]
    for mark, said in zip(marks, words, strict=True):
        free = [label for label in _round(mark, said) if _is_free(label, found, room)] if said else []
        if free:
            found.append(min(free, key=lambda label: sum(label.box.meets(other) for other in taken)))
    return found


def _round(mark: Mark, said: str) -> list[Label]:
    return [Label(mark[0] + dx, mark[1] + dy, said, anchor) for dx, dy, anchor in PLACES]


def _is_free(label: Label, others: Sequence[Label], room: Box) -> bool:
    return room.holds(label.box) and not any(label.box.meets(other.box) for other in others)
