"""Everything held about one employee, in plain words: for the employee who asks, as a page and as data."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from msgspec import Struct

from consult.documents import saved_page
from consult.documents.leaflet import FORMAT_LABELS
from consult.documents.needs import Needs
from consult.documents.words import ATTENDANCE, ROLES, describe, uk_date, when
from consult.proforma.answer import Answer
from consult.proforma.model import Proforma
from consult.record import reading
from consult.record.ledger import Step
from consult.record.release import EVENT_WORDS

MOMENT: Final = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}(\.\d+)?Z)?")
TECHNICAL: Final = frozenset(
    {"digest", "note_digest", "definition", "seen", "employee", "case", "person", "head", "levels", "not_recorded"}
)
"""Keys of a step's content that say nothing about the employee in words; they are in the data."""

KINDS: Final = {
    "employee_registered": "Registered",
    "consultation_started": "Consultation begun",
    "consultation_viewed": "Looked at",
    "consultation_handed_over": "Handed over by an administrator",
    "paper_viewed": "A paper looked at",
    "employee_viewed": "Page of the employee looked at",
    "employee_listed": "Name shown in a list, such as the results of a search",
    "access_reasoned": "Opened by a clinician of another site, with a reason",
    "employee_same_as": "Entered twice: both entries are held as one",
    "own_record_set": "Said to be the own record of somebody who signs in",
    "consultation_signed": "Signed and locked",
    "consultation_abandoned": "Ended without signing",
    "entered_in_error": "Marked as entered in error",
    "answer_given": "Answer",
    "answer_removed": "Answer removed",
    "blank_emergencies_explained": "Reason given for emergency questions that stay blank",
    "letter_printed": "Referral letter printed",
    "leaflet_need_unmet": "A way in which you need to read was not met",
    "report_made": "Report to the manager made final",
    "reading_need_told": "How you need to read",
    "signing_retold": "The case of the signing told again, without its words",
    "content_redacted": "Words taken out",
    "record_handed_out": "Everything held was put together",
    "hold_set": "Kept from being erased",
    "hold_ended": "No longer kept from being erased",
}
KEYS: Final = {
    "told": "who was told",
    "why": "why",
    "text": "text",
    "questions": "about",
    "case_ref": "reference",
    "held_on": "held on",
    "age_band": "age band",
    "capture_mode": "recorded",
    "changed_on_purpose": "changed on purpose",
}


WAYS: Final = {
    "printed": "on paper",
    "link": "as a link",
    "manager_printed": "on paper, for the manager",
    "manager_link": "as a link, for the manager",
    "html": "as a page",
    "json": "as data",
}
"""How a leaflet was given, or all that is held."""


class Named(Struct, frozen=True):
    """What the codes of steps stand for: people; sites; leaflets, by their id and by the digest of the text; languages,
    by their tag; and how somebody may need to read.
    """

    people: Mapping[str, str]
    sites: Mapping[str, str]
    leaflets: Mapping[str, str]
    languages: Mapping[str, str]
    needs: Needs

    def need(self, key: str, text: str) -> str:
        """One word of how somebody needs to read; "" where the key of a step holds none."""
        kind = {"size": "size:", "others": "other:", "needs": ""}.get(key)
        return self.needs.word(f"{kind}{text}") if kind is not None else ""


class Told(Struct, frozen=True):
    """One step in words: when, who, what, and its details as (label, words)."""

    seq: int
    at: str
    who: str
    what: str
    details: tuple[tuple[str, str], ...] = ()


class Held(Struct, frozen=True):
    """One consultation: its heading, how it stands, the note, each final report, its case, and every step.

    The note stands as in the electronic record, and in `parts`, whose lines a page breaks by itself, below its `mark`;
    the case as codes, and as it is `counted` in words.
    """

    id: str
    heading: str
    state: str
    note: str
    mark: str
    parts: tuple[tuple[str, tuple[str, ...]], ...]
    reports: tuple[tuple[str, str], ...]
    case: tuple[tuple[str, str], ...]
    counted: tuple[tuple[str, str], ...]
    steps: tuple[Told, ...]


@dataclass(frozen=True)
class Everything:
    """All of it: who, when it was put together and at which step of the record, and what is held."""

    name: str
    facts: tuple[tuple[str, str], ...]
    made: str
    step: int
    hash: str
    draft: bool
    consultations: tuple[Held, ...]
    other: tuple[Told, ...]
    data: dict[str, Any] = field(default_factory=dict, repr=False)


def told(step: Step, names: Named, proforma: Proforma | None) -> Told:
    """A step in plain words, with all that it says but what is technical."""
    who = names.people.get(step.actor, step.actor)
    role = ROLES.get(step.role, "")
    by = f"{who}, {role.lower()}" if role else who
    return Told(step.seq, when(step.at), by, _what(step, proforma), tuple(_details(step, names, proforma)))


def _what(step: Step, proforma: Proforma | None) -> str:
    words = KINDS.get(step.kind, step.kind.replace("_", " ").capitalize())
    if step.content is None:
        return f"{words}: what it said was taken out"
    question = proforma.by_id.get(step.question) if proforma else None
    if question is None:
        return words
    asked = question.topic
    if step.kind != "answer_given":
        return f"{asked}: {words.lower()}"
    said = Answer(step.content["state"], step.content["value"], step.content["reason"])
    together = " (asked, recorded together)" if step.content["via"] == "group" else ""
    return f"{asked}: {describe(question, said, proforma)}{together}" if proforma else words


def _details(step: Step, names: Named, proforma: Proforma | None) -> Iterator[tuple[str, str]]:
    if step.content is None or step.kind.startswith("answer_"):
        return
    for key, value in step.content.items():
        words = _of_kind(step, key, str(value), names, proforma)
        if key not in TECHNICAL and (words := words or _words(key, value, names, proforma)):
            yield KEYS.get(key, key.replace("_", " ")).capitalize(), words


def _of_kind(step: Step, key: str, text: str, names: Named, proforma: Proforma | None) -> str:
    """What means something else in another kind of step, in words; "" for all else."""
    if key == "reason":
        return names.needs.reasons.get(text, "") if step.kind == reading.UNMET else _reason(step, proforma)
    if key == "answer" and step.kind == reading.TOLD:
        return reading.ANSWERS.get(text, "")
    if key == "leaflet":
        return names.leaflets.get((step.content or {}).get("digest", ""), "")
    return WAYS.get(text, "") if key == "form" else ""


def _reason(step: Step, proforma: Proforma | None) -> str:
    """The reason of a step in words, where it is one of those that the proforma names; else ""."""
    if proforma is None or step.content is None:
        return ""
    of = proforma.reasons
    named = {
        "consultation_abandoned": of.without_signing,
        "entered_in_error": of.in_error,
        "blank_emergencies_explained": of.blank,
    }
    return named.get(step.kind, {}).get(step.content["reason"], "")


def _words(key: str, value: Any, names: Named, proforma: Proforma | None) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        said = ((_asked(name, proforma), _words(name, part, names, proforma)) for name, part in value.items())
        return "; ".join(f"{name}: {part}" for name, part in said if part)
    if isinstance(value, list):
        return "; ".join(filter(None, (_words(key, part, names, proforma) for part in value)))
    if value is None or value == "":
        return ""
    text = str(value)
    if MOMENT.fullmatch(text):
        return when(text) if "T" in text else uk_date(text)
    return names.people.get(text) or ATTENDANCE.get(text) or _known(key, text, names, proforma)


def _known(key: str, text: str, names: Named, proforma: Proforma | None) -> str:
    known = {"site": names.sites, "leaflet": names.leaflets, "language": names.languages, "format": FORMAT_LABELS}.get(
        key, {}
    )
    if words := known.get(text) or names.need(key, text):
        return words
    if proforma and key == "decision":
        return proforma.decisions.get(text, text)
    if key == "event":
        return EVENT_WORDS.get(text, text)
    if key in ("questions", "changed_on_purpose"):
        return _asked(text, proforma)
    return text.replace("_", " ") if text.islower() and " " not in text else text


def _asked(name: str, proforma: Proforma | None) -> str:
    question = proforma.by_id.get(name) if proforma else None
    return question.topic if question else name.replace("_", " ")


def html(everything: Everything, stylesheet: str = "", back: str = "") -> str:
    """The page, by itself or (with a `stylesheet`) as one of the application."""
    style = "" if stylesheet else saved_page.static("everything.css")
    template = saved_page.templates().get_template("employees/everything.html")
    return template.render(all=everything, stylesheet=stylesheet, style=style, back=back)
