"""The urgent referral letter: who, what was found, when, and the telephone numbers of the site."""

from __future__ import annotations

from msgspec import Struct

from consult.documents.note import decision_in_words, mark_of
from consult.documents.words import ROLES, closed, contradiction_in_words, describe, told_at
from consult.documents.words import held as held_in_words
from consult.proforma.model import Panel, Question
from consult.proforma.path import Disagreement, Path, holding
from consult.record.consultation import Consultation, contradictions, decided
from consult.record.settings import ROUTE_LABELS, Site

NOT_DECIDED = "not yet recorded"
LETTER = "letter"
"""The tag of a question whose answer the letter says, and whose blank it names."""


class Finding(Struct, frozen=True):
    """One answer that the letter names, with its time and the decision."""

    question: str
    answer: str
    at: str
    decision: str


class Letter(Struct, frozen=True):
    """What the letter says; the page adds the employee's identity.

    `beside` are the other answers that whoever reads it may need, each with its question; `together` those that were
    recorded as No by one gesture for all.
    """

    findings: list[Finding]
    routes: list[tuple[str, str]]
    held_on: str
    role: str
    site: str
    telephone: str
    beside: list[tuple[str, str]]
    absent: list[str]
    together: list[str]
    not_recorded: list[str]
    disagreeing: list[str]
    mark: str
    """What stands above it where the consultation was entered in error; "" where it was not."""

    @property
    def has_decision(self) -> bool:
        """Whether a decision stands for any of the answers."""
        return any(f.decision != NOT_DECIDED for f in self.findings)

    def decisions(self) -> list[tuple[str, list[str]]]:
        """What was decided, each decision once, with the questions it is about; none are named where it is of all."""
        about: dict[str, list[str]] = {}
        for finding in self.findings:
            about.setdefault(finding.decision, []).append(finding.question.rstrip("?"))
        return [(closed(said), asks if len(about) > 1 else []) for said, asks in about.items()]

    def lists(self) -> list[tuple[str, list[str]]]:
        """What stands below the findings, each list under its words; empty ones are left out."""
        named = (
            ("Asked, and answered No:", self.absent),
            ("Each asked, and recorded together as No:", self.together),
            ("Not recorded:", self.not_recorded),
        )
        return [(words, asks) for words, asks in named if asks]


def letter(consultation: Consultation, path: Path, site: Site) -> Letter:
    """The letter for every answer that has a U0 or U1 text now; it can be printed before anything else is finished."""
    held = holding(path)
    findings = [_finding(q, consultation, path) for q in held]
    named = {r for q in held if (p := path.panel(q.id)) for r in p.route} or {"emergency_department"}
    routes = [(ROUTE_LABELS[r], site.routes.get(r) or "not set for this site") for r in ROUTE_LABELS if r in named]
    held_on = held_in_words(consultation.started, consultation.started_at)
    others = [q for q in path.questions() if q not in held and _belongs(q)]
    absent = [q for q in others if (a := path.answer(q.id)) is not None and a.state == "absent"]
    together = [q for q in absent if (last := consultation.last(q.id)) and last.via == "group"]
    blank = [q for q in others if path.answer(q.id) is None]
    return Letter(
        findings,
        routes,
        held_on,
        role=ROLES.get(consultation.role, consultation.role),
        site=site.name,
        telephone=site.telephone,
        beside=[_answered(q, path) for q in others if q not in absent and q not in blank],
        absent=[q.topic for q in absent if q not in together],
        together=[q.topic for q in together],
        not_recorded=[q.topic for q in blank],
        disagreeing=[
            contradiction_in_words(one, path) for one in contradictions(consultation, path) if _in_letter(one, path)
        ],
        mark=mark_of(consultation, path.proforma),
    )


def _belongs(question: Question) -> bool:
    return LETTER in question.tags or (question.emergency and question.kind == "finding")


def _in_letter(one: Disagreement, path: Path) -> bool:
    return any(_belongs(path.proforma.by_id[id_]) for id_ in one.questions)


def _answered(question: Question, path: Path) -> tuple[str, str]:
    return question.topic, describe(question, path.answer(question.id), path.proforma)


def _finding(question: Question, consultation: Consultation, path: Path) -> Finding:
    last = consultation.last(question.id)
    decision = consultation.decisions[question.id] if decided(consultation, path, question) else None
    said = decision_in_words(decision, path.proforma, consultation.started_at) if decision else NOT_DECIDED
    return Finding(
        question.ask,
        describe(question, path.answer(question.id), path.proforma),
        told_at(last.at, consultation.started_at) if last else "",
        said,
    )


def route_numbers(panel: Panel, site: Site) -> list[tuple[str, str]]:
    """The routes a kept text names, with this site's numbers."""
    return [(ROUTE_LABELS[r], site.routes.get(r) or "not set for this site") for r in panel.route]
