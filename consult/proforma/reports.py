"""Kinds of report as data: which parts each has, in order, and what is typed for it alone."""

from __future__ import annotations

from typing import Final

from msgspec import field

from consult.proforma.rules import Rule
from consult.proforma.strict import Strict


class Written(Strict, frozen=True, kw_only=True):
    """A line that the clinician types for this kind of report alone; a blank one is left out."""

    id: str
    label: str
    help: str = ""


class Recorded(Strict, frozen=True, kw_only=True):
    """What a part says while a rule over the answers holds: such as None where that was recorded, and only there."""

    when: Rule
    text: str


class Part(Strict, frozen=True, kw_only=True):
    """One part of a report under its heading.

    It holds one of: `questions` (their answers), `adjustments`, `ticked` (what the clinician ticked in), `written`, or
    only `text`. Where it has nothing to list, it says the first of `recorded` whose rule holds, else `blank`: what is
    said where nothing is recorded; without it the part is then left out.
    """

    heading: str = ""
    questions: tuple[str, ...] = ()
    adjustments: bool = False
    ticked: bool = False
    written: tuple[Written, ...] = ()
    text: str = ""
    recorded: tuple[Recorded, ...] = ()
    blank: str = ""

    def __post_init__(self) -> None:
        """Refuse a part that holds nothing, or two things."""
        held = [bool(self.questions), self.adjustments, self.ticked, bool(self.written)]
        if sum(held) > 1 or not (any(held) or self.text):
            raise ValueError("a part holds one of questions, adjustments, ticked, written, or only text")


class ReportType(Strict, frozen=True, kw_only=True):
    """One kind of report; `about` tells the clinician what it is for and not for."""

    id: str
    title: str
    about: str
    source: tuple[str, ...]
    parts: tuple[Part, ...]

    @property
    def lines(self) -> list[Written]:
        """What is typed for it."""
        return [line for part in self.parts for line in part.written]


class Reports(Strict, frozen=True, kw_only=True):
    """The kinds of report of a proforma, the usual one first, to whom a report may go and in which ways."""

    recipients: dict[str, str]
    ways: dict[str, str] = field(default_factory=dict)
    types: tuple[ReportType, ...]

    def by_id(self, id_: str) -> ReportType | None:
        """The kind with this id; the usual one if none is named."""
        return next((t for t in self.types if t.id == id_ or not id_), None)


NO_REPORTS: Final = Reports(recipients={}, ways={}, types=())
