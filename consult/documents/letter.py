"""The urgent referral letter: who, what was found, when, and the telephone numbers of the site."""

from __future__ import annotations

from dataclasses import dataclass

from consult.documents.words import ROLES, clock_time, describe
from consult.documents.words import held as held_in_words
from consult.proforma.model import Panel, Question
from consult.proforma.path import Path, holding
from consult.record.consultation import Consultation, decided
from consult.record.settings import ROUTE_LABELS, Site

NOT_DECIDED = "not yet recorded"


@dataclass(frozen=True)
class Finding:
    """One answer that the letter names, with its time and the decision."""

    question: str
    answer: str
    at: str
    decision: str


@dataclass(frozen=True)
class Letter:
    """What the letter says; the page adds the employee's identity."""

    findings: list[Finding]
    routes: list[tuple[str, str]]
    held_on: str
    role: str
    site: str
    absent: list[str]
    not_recorded: list[str]

    @property
    def has_decision(self) -> bool:
        """Whether a decision stands for any of the answers."""
        return any(f.decision != NOT_DECIDED for f in self.findings)


def letter(consultation: Consultation, path: Path, site: Site) -> Letter:
    """The letter for every answer that has a U0 or U1 text now; it can be printed before anything else is finished."""
    held = holding(path)
    findings = [_finding(q, consultation, path) for q in held]
    named = {r for q in held if (p := path.panel(q.id)) for r in p.route} or {"emergency_department"}
    routes = [(ROUTE_LABELS[r], site.routes.get(r) or "not set for this site") for r in ROUTE_LABELS if r in named]
    held_on = held_in_words(consultation.started, consultation.started_at)
    emergency = [q for q in path.questions() if q.emergency and q.kind == "finding" and q not in held]
    absent = [q.ask for q in emergency if (a := path.answer(q.id)) is not None and a.state == "absent"]
    blank = [q.ask for q in emergency if path.answer(q.id) is None]
    role = ROLES.get(consultation.role, consultation.role)
    return Letter(findings, routes, held_on, role, site.name, absent, blank)


def _finding(question: Question, consultation: Consultation, path: Path) -> Finding:
    last = consultation.last(question.id)
    decision = consultation.decisions[question.id] if decided(consultation, path, question) else None
    said = path.proforma.decisions.get(decision.decision, decision.decision) if decision else NOT_DECIDED
    return Finding(
        question.ask,
        describe(question, path.answer(question.id), path.proforma),
        clock_time(last.at) if last else "",
        said,
    )


def route_numbers(panel: Panel, site: Site) -> list[tuple[str, str]]:
    """The routes a kept text names, with this site's numbers."""
    return [(ROUTE_LABELS[r], site.routes.get(r) or "not set for this site") for r in panel.route]
