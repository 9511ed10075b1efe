"""The report to the manager: fitness, function, adjustments and dates, and no other answer unless it was ticked in."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct, field

from consult.documents.words import ROLES, arrangement_in_words, describe, listed, uk_date
from consult.proforma.model import Question
from consult.proforma.path import Path
from consult.proforma.reports import Part, ReportType
from consult.proforma.rules import holds
from consult.record.consultation import Consultation, adjustments, opening_adjustments, report_allowed
from consult.record.release import corrections

EMPLOYEE: Final = "\N{LEFT WHITE CURLY BRACKET}employee\N{RIGHT WHITE CURLY BRACKET}"
CLINICIAN: Final = "\N{LEFT WHITE CURLY BRACKET}clinician\N{RIGHT WHITE CURLY BRACKET}"
"""What a kept report holds in place of a name; the names are put in when it is shown, printed or released."""
TELEPHONE: Final = "Telephone: "


class Chosen(Struct, frozen=True):
    """What the clinician chose for one report: its kind, the answers ticked in, and the lines typed for it."""

    kind: ReportType
    ticked: Sequence[str] = ()
    written: Mapping[str, str] = field(default_factory=dict)


def report(
    consultation: Consultation, path: Path, chosen: Chosen, telephone: str = "", consents: bool | None = None
) -> str:
    """The text of the report as it would leave now, with marks in place of names: an allow-list, in plain lines.

    `telephone` is where the service is reached; "" leaves its line out. Whether the employee `consents` is told by the
    answers, where nothing says otherwise.

    A line that begins with # is the title or a heading, one with - an item of a list; every other is a paragraph.
    """
    lines = [
        f"# {chosen.kind.title}",
        f"Employee: {EMPLOYEE}",
        f"Date of the consultation: {uk_date(consultation.started['held_on'])}",
        f"From: {CLINICIAN}, {ROLES.get(consultation.role, consultation.role).lower()}",
        *([TELEPHONE + one_line(telephone)] if telephone.strip() else []),
    ]
    for part in chosen.kind.parts:
        lines += _part(part, path, chosen)
    if made := corrections(consultation):
        lines += ["## Corrected after the employee had read it", *(f"- {one_line(text)}" for text in made)]
    return "\n".join([*lines, *_closing(path, chosen, consents)]) + "\n"


def telephone_in(text: str) -> str:
    """The telephone number that a report was made with; "" if with none."""
    below_names = text.split("\n")[4:5]
    return next((line.removeprefix(TELEPHONE) for line in below_names if line.startswith(TELEPHONE)), "")


def _closing(path: Path, chosen: Chosen, consents: bool | None) -> Iterator[str]:
    yield "## Consent"
    if not _ticked(path, chosen):
        yield "This report holds no clinical details."
    allowed = "It was made with the employee's consent."
    stands = report_allowed(path) if consents is None else consents
    yield allowed if stands else "CONSENT IS NOT RECORDED AS GIVEN: do not send."


def _part(part: Part, path: Path, chosen: Chosen) -> list[str]:
    said = list(_said(part, path, chosen))
    instead = "" if said else _nothing_listed(part, path)
    if not said and not instead and (part.questions or part.adjustments or part.ticked or part.written):
        return []
    lines = [f"## {part.heading}"] if part.heading else []
    return [*lines, *(said or ([instead] if instead else [])), *([part.text] if part.text and said else [])]


def _nothing_listed(part: Part, path: Path) -> str:
    """What a part without anything to list says: what was recorded instead, else that nothing is recorded."""
    return next((r.text for r in part.recorded if holds(r.when, path.look_up)), part.blank)


def _said(part: Part, path: Path, chosen: Chosen) -> Iterator[str]:
    if part.adjustments:
        yield from adjustment_lines(path)
    elif part.ticked:
        for question in _ticked(path, chosen):
            said = describe(question, path.answer(question.id), path.proforma)
            yield f"- {question.report_topic}: {one_line(said)}"
    elif part.written:
        typed = [(line.label, one_line(chosen.written.get(line.id, ""))) for line in part.written]
        yield from (f"{label}: {text}" for label, text in typed if text)
    elif part.questions:
        for question in (path.proforma.by_id[q] for q in part.questions if q in path):
            if (answer := path.answer(question.id)) is not None:
                yield from plain_lines(describe(question, answer, path.proforma))
    else:
        yield part.text


def _ticked(path: Path, chosen: Chosen) -> list[Question]:
    """The ticked answers that this kind of report says."""
    has_room = any(part.ticked for part in chosen.kind.parts)
    return [q for q in tickable(path) if has_room and q.id in chosen.ticked]


def tickable(path: Path) -> list[Question]:
    """The answers on the path that a clinician may tick into a report; adjustments stand in it anyway."""
    return [q for q in _to_tick(path) if not _ruled_out(q, path)]


def ruled_out(path: Path) -> list[Question]:
    """The answers not offered while another rules them out, such as the wish that something is not raised."""
    return [q for q in _to_tick(path) if _ruled_out(q, path)]


def _to_tick(path: Path) -> list[Question]:
    anyway = opening_adjustments(path)
    ticked = [q for q in path.questions() if q.report == "ticked" and q.kind != "arrangement" and q not in anyway]
    return [q for q in ticked if path.answer(q.id) is not None]


def _ruled_out(question: Question, path: Path) -> bool:
    return question.report_unless is not None and holds(question.report_unless, path.look_up)


def adjustment_lines(path: Path) -> list[str]:
    """One line for each adjustment: its kind, what, start, end and review, blanks said to be blank."""
    lines = []
    for question, value in adjustments(path):
        name = question.report_topic
        if isinstance(value, dict):
            words = (("start", "start date"), ("end", "end date"), ("review", "review date"))
            missing = [w for p, w in words if not value.get(p) and not (p == "end" and value.get("no_end_reason"))]
            said = one_line(arrangement_in_words(value)) or "details to be agreed"
            later = f" ({listed(missing)} not given)" if missing else ""
            lines.append(f"- {name}: {said}{later}")
        else:
            lines.append(f"- {name}: details, start, end and review to be agreed")
    return lines


def one_line(text: str) -> str:
    """Typed text on one line."""
    return " ".join(text.split())


def plain_lines(text: str) -> list[str]:
    """Typed text line by line; what would make a heading of it is taken off."""
    return [line for raw in text.splitlines() if (line := one_line(raw).lstrip("# "))]


def with_names(text: str, employee: str, clinician: str) -> str:
    """The report exactly as it leaves."""
    return text.replace(EMPLOYEE, one_line(employee)).replace(CLINICIAN, one_line(clinician))


def digest(text: str) -> str:
    """The SHA-256 by which a text is known."""
    return hashlib.sha256(text.encode()).hexdigest()
