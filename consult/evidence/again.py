"""A saved paper made again from the record as it was at its head, and held against the file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from consult import planning
from consult.accounts import people
from consult.audit import rounds
from consult.audit.rounds import Round
from consult.documents import deck as deck_page
from consult.documents import evidence as papers
from consult.documents import saved
from consult.documents import slides as slide_file
from consult.documents.saved import Key
from consult.evidence import indicators, own_figures, report, seqohs, slides
from consult.evidence.moment import Made, Moment
from consult.instance import Instance
from consult.record.database import Connection

NAMES: Final = {
    "seqohs": "SEQOHS pack",
    "mohawk": "paper of MoHaWK figures",
    "report": "audit report",
    "cpd": "paper of own figures",
    "slides": "slides",
    "plan": "action plan",
    "plan-leaving": "action plan",
}
SPACES: Final = re.compile(r"\s+")
LONGEST: Final = 240


class NotMade(Exception):
    """The paper could not be made again; the message says why."""


def content(instance: Instance, conn: Connection, key: Key, form: str) -> bytes:
    """The paper of a key, made from the record as `conn` shows it; NotMade where that can't be."""
    of = rounds.rounds(conn).get(key.round)
    if key.paper.startswith("plan"):
        return planning.document(instance, conn, of, leaves=key.paper == "plan-leaving")
    if of is None:
        raise NotMade("its round was not there at that step")
    if key.paper == "slides":
        deck = slides.deck(instance, conn, of)
        return deck_page.html(deck).encode() if form == "html" else slide_file.pptx(deck, instance.clock())
    made = _made(instance, conn, key, of)
    if form == "pdf":
        return papers.pdf(made.paper, made.parts)
    return papers.html(made.paper, made.parts).encode()


def _made(instance: Instance, conn: Connection, key: Key, of: Round) -> Made:
    if key.paper == "cpd":
        known = people.person(conn, key.person)
        if known is None:
            raise NotMade("the person it is of was not there at that step")
        return own_figures.cpd(instance, conn, known, of)
    if key.paper == "report":
        return report.report(Moment(instance, conn, of, key.site))
    if key.paper not in ("seqohs", "mohawk"):
        raise NotMade("this program makes no such paper")
    return (seqohs.seqohs if key.paper == "seqohs" else indicators.mohawk)(instance, conn, of)


def differences(file: bytes, again: bytes) -> Iterator[str]:
    """Each line that the file has and the record does not give, and each that is missing from the file."""
    if saved.form_of(file) == "pdf":
        if file != again:
            yield (
                "It is not byte for byte what is made of the record at its step: it was changed, or made by another "
                "version of this program or its content; make it again and compare the pages."
            )
        return
    found, wanted = (Counter(_plain(line) for line in saved.lines(one)) for one in (file, again))
    for said, line, other in _apart(found - wanted, wanted - found):
        yield f"{said}: {_short(line, other)}"


def _apart(more: Counter[str], less: Counter[str]) -> Iterator[tuple[str, str, str]]:
    """Each line that stands on one side only, with the line of the other side that it is most like."""
    for said, ours, theirs in (
        ("The file says, and the record does not", more, less),
        ("The record says, and the file does not", less, more),
    ):
        for line in ours:
            yield said, line, max(theirs, key=lambda other: _alike(line, other), default="")


def _alike(one: str, other: str) -> int:
    """How many letters two lines share from the front."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _plain(line: str) -> str:
    return SPACES.sub(" ", line).strip()


def _short(line: str, other: str) -> str:
    """A line, or of a long one the part where it leaves the other."""
    if len(line) <= LONGEST:
        return line
    start = max(0, _alike(line, other) - LONGEST // 3)
    return f"{'…' if start else ''}{line[start : start + LONGEST]}…"
