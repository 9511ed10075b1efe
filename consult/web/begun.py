"""What was typed on the talk's page for a button that was not pressed, or for one whose act was refused.

It is recorded by nothing yet. A page that is drawn after a form was sent shows it again, and says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flask import g, request
from msgspec import Struct
from werkzeug.datastructures import MultiDict

from consult.proforma.model import Proforma
from consult.record.consultation import Consultation
from consult.record.reading import Need
from consult.web import needing
from consult.web.forms import BETWEEN, deciding, decisions_begun
from consult.web.holding import came

READING, UNMET = "reading", "unmet"
"""The marks of the two forms about how the employee needs to read."""
NOT_RECORDED: Final = "What you began to record here is not recorded yet: complete it and press its button."
NOT_DECIDED: Final = "What you began to decide is not recorded yet: complete it and press Record decision."


class Typed(Struct, frozen=True):
    """The two forms about reading as they stand on a page: as typed, or as recorded."""

    answer: str = ""
    size: str = ""
    language: str = ""
    easy_read: bool = False
    others: tuple[str, ...] = ()


def fields() -> MultiDict[str, str]:
    """What came for the buttons of the page, but for the one whose act was done."""
    if request.method != "POST":
        return MultiDict()
    done = g.get("done_mark", "")
    ours = [(n, v) for n, v in came().items(multi=True) if BETWEEN in n and not (done and n.startswith(done + BETWEEN))]
    return MultiDict(ours)


def decisions() -> list[str]:
    """The questions at which something of a decision was typed, in the order of the page."""
    return decisions_begun(fields())


def is_at(question: str) -> bool:
    """Whether something decided about a question, or begun to be, was not recorded by this request."""
    return question in _asked() or question in decisions()


def told(
    proforma: Proforma, decision_problem: str, reading_problems: Mapping[str, str], not_done: str
) -> tuple[list[tuple[str, str]], str]:
    """What a page says above of what is not recorded: each place in it with its sentence, and the heading of all."""
    refused = _asked()
    found = [(f"q-{refused[0]}", decision_problem)] if decision_problem and refused else []
    if decision_problem and not refused:
        asks = {question.id: question.topic for question in proforma.in_order(decisions())}
        found = [(f"q-{id_}", f"{ask}: {decision_problem}") for id_, ask in asks.items()]
    found += [("reading", sentence) for sentence in list(reading_problems.values())[:1]]
    found += [("", not_done)] if not_done else []
    one_alone = refused and not reading_problems and not not_done
    return found, "The decision was not recorded" if one_alone else "Not all that you typed is recorded"


def of_decision(question: str, name: str) -> str:
    """What was typed in one field of a decision."""
    alone = request.form.get(name, "") if question in _asked() else ""
    return fields().get(f"{deciding(question)}{BETWEEN}{name}", alone)


def _asked() -> list[str]:
    return [] if "done_mark" in g else request.form.getlist("question")


def of_reading(consultation: Consultation) -> dict[str, str]:
    """Which of the two forms about reading hold something that is not recorded, with the sentence that says so."""
    sent, problems = fields(), dict[str, str]()
    if any(sent.get(f"{UNMET}{BETWEEN}{name}") for name in ("needs", "leaflet", "reason")):
        problems[UNMET] = NOT_RECORDED
    if f"{READING}{BETWEEN}size" in sent and reading(None, True) != reading(needing.need_of(consultation), False):
        problems[READING] = NOT_RECORDED
    return problems


def reading(need: Need | None, again: bool) -> Typed:
    """How the form stands that asks how the employee needs to read; nothing of it says the answer by itself."""
    if not again:
        return Typed("", need.size, need.language, need.easy_read, need.others) if need else Typed()
    sent, mark = fields(), f"{READING}{BETWEEN}"
    answer, size, language = (sent.get(mark + name, "") for name in ("answer", "size", "language"))
    return Typed(answer, size, language, f"{mark}easy_read" in sent, tuple(sent.getlist(f"{mark}others")))


def of_unmet(name: str) -> list[str]:
    """What was typed in a field of the form about a need that was not met."""
    return fields().getlist(f"{UNMET}{BETWEEN}{name}")


def anything(consultation: Consultation) -> bool:
    """Whether anything typed for a button of the page is not recorded."""
    return bool(decisions() or of_reading(consultation))
