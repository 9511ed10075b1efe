"""Charts as geometry: where each mark of a picture stands, worked out from numbers; templates only write it as SVG.

Shares are 0 to 1; places are in units of the picture, from its upper left corner. Each chart is made for two frames: a
wide one, and a narrow one for small screens, where labels stand above the marks.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Sequence
from typing import Final, Literal

from msgspec import Struct

from consult.audit.labels import Box, Label, beside

Shape = Literal["dot", "diamond", "triangle", "square", "ring"]
QUARTERS: Final = (0.0, 0.25, 0.5, 0.75, 1.0)
LINE: Final = 15
"""The height of a line of text."""
LETTER: Final = 6.6
"""The usual width of a letter, to keep labels apart."""


class Frame(Struct, frozen=True):
    """The room of a chart: its width, the margins for labels, and whether labels stand above the marks."""

    name: str
    width: int
    left: int
    right: int
    height: int
    stacked: bool = False

    @property
    def room(self) -> int:
        """The width between the margins."""
        return self.width - self.left - self.right


ROWS: Final = (Frame("wide", 760, 236, 256, 0), Frame("narrow", 290, 10, 14, 0, stacked=True))
"""The frames of a chart of rows, whose height follows from its rows."""
PLANES: Final = (Frame("wide", 700, 46, 120, 330), Frame("narrow", 290, 38, 14, 300, stacked=True))
"""The frames of a chart over time and of a funnel."""
TOP: Final = 26
BOTTOM: Final = 40


class Rate(Struct, frozen=True):
    """One row to draw: a share with its interval, how it is marked, and what is written beside it.

    Without a share (too few cases) the row has its words only; a published figure has no interval.
    """

    label: str
    share: float | None
    low: float | None = None
    high: float | None = None
    words: str = ""
    shape: Shape = "dot"


class Level(Struct, frozen=True):
    """A value drawn as a line across, such as a national figure or a target."""

    label: str
    share: float
    kind: Literal["national", "target", "mean"]


class Text(Struct, frozen=True):
    """Words at a place; `anchor` is start, middle or end, as SVG has it."""

    x: float
    y: float
    words: str
    anchor: str = "start"


class Row(Struct, frozen=True):
    """One row in its place: the mark at (x, y) if there is one, its interval from x_low to x_high, and its words."""

    rate: Rate
    y: float
    x: float | None
    x_low: float | None
    x_high: float | None
    texts: tuple[Text, ...]


class RowChart(Struct, frozen=True):
    """Rates one below the other on one axis from 0 to 100%."""

    frame: Frame
    height: float
    rows: tuple[Row, ...]
    ticks: tuple[Text, ...]
    top: float
    bottom: float
    levels: tuple[tuple[Level, float], ...]


def row_charts(rates: Sequence[Rate], levels: Sequence[Level] = ()) -> list[RowChart]:
    """The same rows in each frame."""
    return [_row_chart(rates, levels, frame) for frame in ROWS]


def _row_chart(rates: Sequence[Rate], levels: Sequence[Level], frame: Frame) -> RowChart:
    rows, y = [], 6.0
    for rate in rates:
        labels = _wrapped(rate.label, frame.room if frame.stacked else frame.left - 12)
        height = LINE * (len(labels) + 1) + 20 if frame.stacked else max(30, LINE * len(labels) + 8)
        rows.append(_row(rate, labels, y, height, frame))
        y += height
    ticks = tuple(Text(x_of(share, frame), y + 20, f"{share:.0%}", _anchor(share)) for share in QUARTERS)
    places = tuple((level, x_of(level.share, frame)) for level in levels)
    return RowChart(frame, y + 28, tuple(rows), ticks, 4, y + 4, places)


def _row(rate: Rate, labels: list[str], top: float, height: float, frame: Frame) -> Row:
    if frame.stacked:
        lines = [*labels, rate.words]
        texts = [Text(frame.left, top + LINE * (at + 1) - 2, words) for at, words in enumerate(lines)]
        y = top + height - 12
    else:
        y = top + height / 2
        start = y + 4.5 - LINE * (len(labels) - 1) / 2
        texts = [Text(frame.left - 12, start + LINE * at, words, "end") for at, words in enumerate(labels)]
        texts.append(Text(frame.width - frame.right + 12, y + 4.5, rate.words))
    x, x_low, x_high = (None if share is None else x_of(share, frame) for share in (rate.share, rate.low, rate.high))
    return Row(rate, y, x, x_low, x_high, tuple(texts))


def x_of(share: float, frame: Frame) -> float:
    """Where a share lies across a frame."""
    return frame.left + share * frame.room


def y_of(share: float, frame: Frame) -> float:
    """Where a share lies up a frame."""
    return TOP + (1 - share) * (frame.height - TOP - BOTTOM)


def _wrapped(label: str, room: float) -> list[str]:
    return textwrap.wrap(label, max(8, int(room / LETTER))) or [""]


def _anchor(share: float) -> str:
    return "start" if share == 0 else "end" if share == 1 else "middle"


class Period(Struct, frozen=True):
    """A month or quarter of a chart over time: where in time it lies (0 for the first), and its rate.

    `limits` are those of a p-chart; `special` says that a rule points to it as more than chance.
    """

    at: int
    label: str
    share: float | None
    low: float | None = None
    high: float | None = None
    limits: tuple[float, float] | None = None
    special: bool = False


class Action(Struct, frozen=True):
    """Something the service did, marked on a chart over time by a letter: when (in periods, 2.5 is mid third)."""

    at: float
    letter: str


class Dot(Struct, frozen=True):
    """A mark in the plane with its interval up and down, and what it stands for."""

    x: float
    y: float
    y_low: float | None
    y_high: float | None
    shape: Shape
    label: str


class Curve(Struct, frozen=True):
    """A line through places, as the attribute `points` of an SVG polyline has it."""

    kind: str
    points: str


class Across(Struct, frozen=True):
    """A level drawn across the plane, with its label where there is room."""

    level: Level
    y: float
    label: Text | None


class Plane(Struct, frozen=True):
    """A chart with an axis up (0 to 100%) and one across."""

    frame: Frame
    dots: tuple[Dot, ...]
    curves: tuple[Curve, ...]
    across: tuple[Across, ...]
    actions: tuple[tuple[float, str], ...]
    x_ticks: tuple[Text, ...]
    y_ticks: tuple[Text, ...]
    x_title: str = ""
    labels: tuple[Label, ...] = ()
    top: float = TOP

    @property
    def bottom(self) -> float:
        """Where the axis across lies."""
        return self.frame.height - BOTTOM


def time_charts(periods: Sequence[Period], levels: Sequence[Level], actions: Sequence[Action] = ()) -> list[Plane]:
    """The same periods in each frame; those without a share leave a gap."""
    return [_time_chart(periods, levels, actions, frame) for frame in PLANES]


def _time_chart(periods: Sequence[Period], levels: Sequence[Level], actions: Sequence[Action], frame: Frame) -> Plane:
    last = max((p.at for p in periods), default=0)
    step = frame.room / (last + 1)

    def x_at(at: float) -> float:
        return frame.left + step * (at + 0.5)

    drawn = [p for p in periods if p.share is not None]
    dots = tuple(
        Dot(
            x_at(p.at),
            y_of(p.share, frame),
            None if p.low is None else y_of(p.low, frame),
            None if p.high is None else y_of(p.high, frame),
            "square" if p.special else "dot",
            p.label,
        )
        for p in drawn
        if p.share is not None
    )
    curves = [Curve("trend", _joined([(d.x, d.y) for d in run])) for run in _runs(drawn, dots)]
    for side in (0, 1):
        steps = [
            (x_at(p.at) + half * step, y_of(p.limits[side], frame)) for p in drawn if p.limits for half in (-0.5, 0.5)
        ]
        curves += [Curve("limit", _joined(steps))] if steps else []
    marks = _lettered([(min(max(x_at(a.at), frame.left), frame.left + frame.room), a.letter) for a in actions])
    every = max(1, math.ceil(58 / step))
    ticks = tuple(Text(x_at(p.at), frame.height - BOTTOM + 18, p.label, "middle") for p in periods if p.at % every == 0)
    return Plane(frame, dots, tuple(curves), _across(levels, frame), marks, ticks, _y_ticks(frame))


def _lettered(marks: Sequence[tuple[float, str]]) -> tuple[tuple[float, str], ...]:
    """Marks of actions with their letters; where letters would stand on each other the first says them all."""
    found: list[tuple[float, str]] = []
    together: list[str] = []
    begins = 0
    for at, (x, letter) in enumerate(sorted(marks)):
        if together and x - found[begins][0] < LETTER * (len(_letters(together)) + 2):
            together.append(letter)
            found[begins] = (found[begins][0], _letters(together))
            found.append((x, ""))
        else:
            begins, together = at, [letter]
            found.append((x, letter))
    return tuple(found)


def _letters(together: Sequence[str]) -> str:
    return ", ".join(together) if len(together) < 3 else f"{together[0]} to {together[-1]}"


def _runs(drawn: Sequence[Period], dots: Sequence[Dot]) -> Iterable[list[Dot]]:
    """The dots of periods that follow each other without a gap."""
    run: list[Dot] = []
    for at, dot in enumerate(dots):
        if run and drawn[at].at != drawn[at - 1].at + 1:
            yield run
            run = []
        run.append(dot)
    if run:
        yield run


def _joined(places: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)


def _y_ticks(frame: Frame) -> tuple[Text, ...]:
    return tuple(Text(frame.left - 6, y_of(share, frame) + 4.5, f"{share:.0%}", "end") for share in QUARTERS)


def _across(levels: Sequence[Level], frame: Frame) -> tuple[Across, ...]:
    """Levels from the top down, each with its label beside it where there is room; labels never stand on each other."""
    found: list[Across] = []
    for level in sorted(levels, key=lambda level: -level.share):
        y = y_of(level.share, frame)
        beside = max(y + 4.5, found[-1].label.y + LINE if found and found[-1].label else 0)
        label = None if frame.stacked else Text(frame.width - frame.right + 8, beside, level.label)
        found.append(Across(level, y, label))
    return tuple(found)


class Place(Struct, frozen=True):
    """A site in a funnel: its n and share, how it is marked, and the label beside it ("" for none)."""

    n: int
    share: float
    shape: Shape
    label: str = ""


class Band(Struct, frozen=True):
    """A funnel's limit over n, as shares."""

    kind: Literal["inner", "outer"]
    points: tuple[tuple[int, float], ...]


def funnel_charts(places: Sequence[Place], bands: Sequence[Band], levels: Sequence[Level]) -> list[Plane]:
    """The same sites in each frame: n across, share up."""
    return [_funnel_chart(places, bands, levels, frame) for frame in PLANES]


def _funnel_chart(places: Sequence[Place], bands: Sequence[Band], levels: Sequence[Level], frame: Frame) -> Plane:
    most = max((p.n for p in places), default=1)
    unit = _round_step(most / (3 if frame.stacked else 5))
    widest = unit * math.ceil(most * 1.04 / unit)

    def x_at(n: float) -> float:
        return frame.left + n / widest * frame.room

    dots = tuple(Dot(x_at(p.n), y_of(p.share, frame), None, None, p.shape, p.label) for p in places)
    room = Box(frame.left, 2, frame.left + frame.room, frame.height - BOTTOM)
    labels = tuple(beside([(d.x, d.y) for d in dots], [d.label for d in dots], room))
    curves = tuple(Curve(b.kind, _joined((x_at(n), y_of(share, frame)) for n, share in b.points)) for b in bands)
    marks = range(0, widest + 1, unit)
    ticks = tuple(Text(x_at(n), frame.height - BOTTOM + 18, str(n), "middle") for n in marks)
    return Plane(frame, dots, curves, _across(levels, frame), (), ticks, _y_ticks(frame), "cases of the site", labels)


def _round_step(wanted: float) -> int:
    """A step of 1, 2 or 5 times a power of ten, not below what is wanted."""
    power = 10 ** math.floor(math.log10(max(wanted, 1)))
    return next(int(power * factor) for factor in (1, 2, 5, 10) if power * factor >= wanted)
