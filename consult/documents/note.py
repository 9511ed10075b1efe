"""The note: plain text from the answers, for the electronic record; every red flag named, blanks spelled out."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from msgspec import Struct

from consult.documents.leaflet import FORMAT_LABELS
from consult.documents.words import (
    ATTENDANCE,
    DRAFT,
    GIVEN_AS,
    ROLES,
    at_or_on,
    clock_time,
    closed,
    contradiction_in_words,
    describe,
    held,
    told_at,
    uk_date,
    when,
)
from consult.proforma.answer import Answer
from consult.proforma.model import OTHER, Block, Proforma, Question, Section
from consult.proforma.path import Path, blank_emergencies
from consult.proforma.wording import inside
from consult.record.consultation import (
    ABANDONED,
    IN_ERROR,
    Consultation,
    Decision,
    contradictions,
    decided,
    report_stands,
)
from consult.record.ledger import Step

WIDTH = 100
_ANY_SPACE = re.compile(r"[\t\n\x0b\x0c\r]")
STATES_IN_NOTE = ("present", "unsure", "declined", "not_asked", "absent")


class Line(str):
    """A line that is broken where it is too long for the electronic record."""


Part = tuple[str, list[str]]


class Called(Struct, frozen=True):
    """What people call the site and the leaflets of a consultation, whose steps hold codes; see `called.py`."""

    site: str = ""
    leaflets: Mapping[str, str] = {}
    """The titles, by the digest of the text."""
    languages: Mapping[str, str] = {}
    """What the language of a text is called, by the same."""


BY_CODE: Final = Called()
AFTER: Final = "After signing"
MARK: Final = "ENTERED IN ERROR"
"""How what stands above every paper begins whose consultation was entered in error."""


def note(consultation: Consultation, path: Path, called: Called = BY_CODE) -> str:
    """The note of a consultation as it stands: headed lines, no marks that an electronic record would break."""
    first, *others = note_parts(consultation, path, called)
    parts = ["\n".join(_broken([first[0].upper(), *first[1]]))]
    parts += ["\n".join(_broken([title.upper(), *lines])) for title, lines in others]
    return "\n\n".join(parts) + "\n"


def whole_parts(consultation: Consultation, path: Path, called: Called = BY_CODE) -> list[Part]:
    """The parts of the note, and of what came after the signature, for a page that breaks the lines by itself."""
    parts, later = note_parts(consultation, path, called), after_lines(consultation, path, called)
    return [*parts, (AFTER, later)] if later else parts


def note_parts(consultation: Consultation, path: Path, called: Called = BY_CODE) -> list[Part]:
    """The note in parts, each a title and its lines unbroken; the first says when and by whom it was held."""
    parts: list[Part] = [(path.proforma.title, _heading(consultation, path, called))]
    for section in path.proforma.sections:
        lines = list(_section(section, consultation, path))
        if lines:
            parts.append((section.title, lines))
    against = [contradiction_in_words(one, path) for one in contradictions(consultation, path)]
    if against:
        parts.append(("Answers that do not agree", [part for words in against for part in _wrap(words)]))
    parts.append(("What was done", list(_documents(consultation, path, called))))
    parts.append(("Not recorded", list(_not_recorded(path))))
    return parts


def mark_of(consultation: Consultation, proforma: Proforma) -> str:
    """What stands above every paper of a consultation that was entered in error; "" for any other."""
    if consultation.state != IN_ERROR or consultation.ended is None:
        return ""
    reason = proforma.reasons.in_error.get((consultation.ended.content or {}).get("reason", ""), "")
    why = f": {inside(reason)}" if reason else ""
    return f"{MARK}, marked on {when(consultation.ended.at)}{why}. Do not use this, and take out what was filed of it."


def not_signed(consultation: Consultation, proforma: Proforma) -> str:
    """What stands above a note that is not signed, and why it never will be where it ended so; "" for a signed one."""
    if consultation.signed is not None:
        return ""
    return how_it_ended(consultation, proforma) or "Draft: not signed."


def how_it_ended(consultation: Consultation, proforma: Proforma) -> str:
    """When and why a consultation was ended without signing, in words; "" for any other."""
    if consultation.state != ABANDONED or consultation.ended is None:
        return ""
    said = f"Not signed: ended without signing on {when(consultation.ended.at)}."
    content = consultation.ended.content
    return f"{said} {closed(_why(content, proforma.reasons.without_signing))}" if content else said


def below_mark(mark: str, text: str) -> str:
    """A text of the electronic record with such a mark above all else; as it is where there is none."""
    return "\n".join([*_broken(_wrap(mark)), "", text]) if mark else text


def with_head(
    text: str, signed_by: str, head: tuple[int, str], draft: bool, later: str, mark: str = "", unsigned: str = ""
) -> str:
    """A note as it is shown, copied and printed: who signed it, the step of the record it became, and what came after.

    `signed_by` is "" and the head (0, "") while it is not signed; `unsigned` says so. The digest that the step holds is
    of `text` alone.
    The `mark` of what was entered in error stands above all else.
    """
    step, hash_ = head
    signed = f"Signed by {signed_by}\n" if signed_by else ""
    at = "".join(f"{line}\n" for line in _broken(_wrap(unsigned))) if unsigned else ""
    at += f"Step {step} of the record, {hash_}\n" if step else ""
    return "\n".join(
        part for part in (below_mark(mark, text), signed + at, f"{DRAFT}\n" if draft else "", later) if part
    )


def _heading(consultation: Consultation, path: Path, called: Called) -> list[str]:
    started = consultation.started
    attendance = ATTENDANCE.get(started["attendance"], "Attendance not recorded")
    return [
        f"{_held(consultation)}. {attendance}.",
        closed(f"Site: {called.site or started['site']}"),
        *(
            f"Taken over from another clinician {at_or_on(s.at, consultation.started_at)}."
            for s in consultation.taken_over
        ),
        f"{ROLES.get(consultation.role, consultation.role)}. Proforma {path.proforma.id} {path.proforma.version}.",
    ]


def _held(consultation: Consultation) -> str:
    started = consultation.started
    if consultation.on_paper:
        return f"Held {held(started, consultation.started_at)}"
    return f"Held {uk_date(started['held_on'])}, started {clock_time(consultation.started_at)}"


def _section(section: Section, consultation: Consultation, path: Path) -> Iterator[str]:
    for block in path.proforma.blocks:
        if block.section == section.id:
            yield from _block(block, consultation, path)


def _block(block: Block, consultation: Consultation, path: Path) -> Iterator[str]:
    on_path = [q for q in path.proforma.in_block(block.id) if q.id in path]
    findings = [q for q in on_path if q.kind == "finding"]
    if any(path.answer(q.id) or "red_flag" in q.tags for q in findings):
        yield from _findings(block.title, findings, consultation, path)
    for question in on_path:
        if question.kind != "finding" and (answer := path.answer(question.id)) is not None:
            yield from _wrap(closed(f"{question.topic}: {describe(question, answer, path.proforma)}"))
            yield from _decision_lines(question, consultation, path)


def _findings(title: str, findings: list[Question], consultation: Consultation, path: Path) -> Iterator[str]:
    yield from _wrap(f"{title}:")
    for state in STATES_IN_NOTE:
        named: dict[str, list[str]] = {}
        for question in findings:
            answer = path.answer(question.id)
            if answer is not None and answer.state == state:
                words = describe(question, answer, path.proforma)
                last = consultation.last(question.id)
                named.setdefault(words + _as_group(last.via if last else ""), []).append(question.topic)
        for words, asks in named.items():
            yield from _wrap(closed(f"{words}: {'; '.join(asks)}"), indent="  ")
        for question in findings:
            if (answer := path.answer(question.id)) is not None and answer.state == state:
                yield from _decision_lines(question, consultation, path)
    blank = [q.topic for q in findings if path.answer(q.id) is None and "red_flag" in q.tags]
    if blank:
        yield from _wrap(f"Not recorded: {'; '.join(blank)}.", indent="  ")


def _as_group(via: str) -> str:
    return " (each asked, recorded together)" if via == "group" else ""


def _decision_lines(question: Question, consultation: Consultation, path: Path) -> Iterator[str]:
    decision = consultation.decisions.get(question.id)
    if decision is not None:
        words = decision_in_words(decision, path.proforma, consultation.started_at)
        label = decision_label(question, consultation, path)
        yield from _wrap(f"{label} on {question.topic}: {words}", indent="  ")


def decision_label(question: Question, consultation: Consultation, path: Path) -> str:
    """What the last decision about an answer is called: one that stands, or why it does no longer; "" without one."""
    decision, answer = consultation.decisions.get(question.id), path.answer(question.id)
    if decision is None or decided(consultation, path, question):
        return "Decision" if decision else ""
    same = answer is not None and answer.state == decision.state and decision.seq > consultation.seen(question.id)
    return f"Earlier decision ({'the text kept became more urgent' if same else 'the answer changed'} since)"


def decision_in_words(decision: Decision, proforma: Proforma, begun: str) -> str:
    """A decision with its reason, who was told and when: with its day, if the talk was `begun` on another."""
    told = closed(f" Told: {decision.told}") if decision.told else ""
    label = proforma.decisions.get(decision.decision, decision.decision)
    return f"{closed(f'{label}; {decision.reason}')}{told} Recorded {told_at(decision.at, begun)}."


DONE = {
    "leaflet_printed": "Leaflet printed",
    "leaflet_given": "Leaflet given",
    "leaflet_discussed": "Leaflet discussed",
    "letter_printed": "Referral letter printed",
    "report_made": "Report to the manager made",
    "note_copied": "",
}
FALLEN: Final = "; what it says or the consent changed since, so it does not stand"
DONE_LATER: Final = {
    "report_released": "Report to the manager released",
    "consent_given": "Consent to a report to the manager given",
    "consent_withdrawn": "Consent to a report to the manager withdrawn",
}
"""Events of the report by which a note that says it was made would be out of date."""


def _documents(consultation: Consultation, path: Path, called: Called) -> Iterator[str]:
    nothing = True
    end = consultation.signed.seq if consultation.signed else consultation.last_seq + 1
    gone_again = consultation.taken_back
    for step in (s for s in consultation.documents if s.seq < end and s.seq not in gone_again):
        if (words := DONE.get(step.kind)) and step.content is not None:
            gone = FALLEN if _fell(step, consultation, path) else ""
            yield from _wrap(
                f"{told_at(step.at, consultation.started_at)} {words}{_which(step.content, called)}{gone}."
            )
            nothing = False
    if nothing:
        yield "No leaflet, letter or report recorded."
    if consultation.blank_reason and any(q.id in consultation.explained for q in blank_emergencies(path)):
        why = _why(consultation.blank_reason, path.proforma.reasons.blank)
        yield from _wrap(closed(f"Reason given for emergency questions not recorded: {why}"))


def _fell(step: Step, consultation: Consultation, path: Path) -> bool:
    """Whether a step is the last report made, and what it was made of, or the consent, changed before signing."""
    last = consultation.report
    return last is not None and step.seq == last["seq"] and not report_stands(consultation, path)


def _why(given: dict[str, Any], labels: Mapping[str, str]) -> str:
    """Why emergency questions stay blank, or it was ended so: the reason in words, and what was typed with it."""
    code = given["reason"]
    reason = "" if code == OTHER else labels.get(code, code.replace("_", " "))
    return "; ".join(filter(None, (reason, given.get("text", "")))) or labels[OTHER]


def _which(content: dict[str, Any], called: Called) -> str:
    form = GIVEN_AS.get(content.get("form", ""), "")
    return f"{form}: {_leaflet(content, called)}" if "leaflet" in content else form


def _leaflet(content: dict[str, Any], called: Called) -> str:
    """A leaflet by its title, with what tells it from its other versions."""
    title = called.leaflets.get(content.get("digest", ""), content["leaflet"])
    size = FORMAT_LABELS.get(content["format"], content["format"])
    language = called.languages.get(content.get("digest", ""), content["language"])
    return f"{title} (language {language}, version {content['version']}, {size})"


def _done_later(step: Step, called: Called) -> str:
    """What came after the signature, in words; "" for what a note does not tell."""
    content = step.content
    if content is None:
        return ""
    words = DONE.get(step.kind) or DONE_LATER.get(content.get("event", step.kind), "")
    return f"{words}{_which(content, called)}" if words else ""


def after_signing(consultation: Consultation, path: Path, called: Called = BY_CODE) -> str:
    """What came after the signature: papers given later, and addenda with what each corrects; "" if nothing did."""
    lines = after_lines(consultation, path, called)
    return "\n".join([AFTER.upper(), *_broken(lines)]) if lines else ""


def after_lines(consultation: Consultation, path: Path, called: Called = BY_CODE) -> list[str]:
    """The same as lines, unbroken."""
    if consultation.signed is None:
        return []
    later = [s for s in consultation.documents if s.seq > consultation.signed.seq]
    lines = [f"{when(s.at)} {words}." for s in later if (words := _done_later(s, called))]
    for step in consultation.addenda:
        if step.content is not None:
            lines += _addendum_lines(step, path)
    return [part for line in lines for part in _wrap(line)]


def _addendum_lines(step: Step, path: Path) -> list[str]:
    content = step.content or {}
    lines = [f"{when(step.at)} Addendum: {closed(content['text'])} Why: {closed(content['why'])}"]
    for question_id, corrected in content["answers"].items():
        question = path.proforma.by_id[question_id]
        answer = Answer(corrected["state"], corrected["value"], corrected["reason"]) if corrected else None
        said = describe(question, answer, path.proforma)
        lines.append(closed(f"Corrects the audit record: {question.topic}: {said}"))
    return lines


def _not_recorded(path: Path) -> Iterator[str]:
    blank = [q for q in path.questions() if path.answer(q.id) is None and "red_flag" not in q.tags]
    asks = "; ".join(q.topic for q in blank)
    yield from _wrap(f"{asks}." if asks else "Nothing that applied was left blank.")


def _wrap(text: str, indent: str = "") -> list[str]:
    return [Line(indent + _ANY_SPACE.sub(" ", text.expandtabs()))]


def _broken(lines: Iterable[str]) -> Iterator[str]:
    """Lines as they stand in the electronic record: those that may be are broken, and go on set in."""
    for line in lines:
        text = line.lstrip(" ")
        indent = " " * (len(line) - len(text))
        if isinstance(line, Line):
            yield from textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent + "  ") or [""]
        else:
            yield line
