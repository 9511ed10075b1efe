"""Follow-up after signing: what became of each urgent decision, and of adjustments whose review date has passed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import date
from typing import Any, Final

from msgspec import Struct

from consult.documents.words import uk_date
from consult.proforma.model import HOLDING_LEVELS, Question
from consult.record.capture import with_business
from consult.record.consultation import ABANDONED, SIGNED, Consultation, Decision, adjustments, decided
from consult.record.database import Connection
from consult.record.ledger import Draft, Refused, Step, append, steps
from consult.record.store import NotYours, Store, Who

ARRIVALS: Final = {
    "arrived": "Arrived there, or it was done",
    "not": "Did not arrive, or it was not done",
    "unknown": "Unknown, after asking",
}
REVIEWS: Final = {
    "done": "Reviewed, and it goes on or has ended as planned",
    "changed": "Reviewed and changed",
    "no_longer_needed": "No longer needed",
}
KINDS: Final = ("decision_followed_up", "adjustment_reviewed")
WHY: Final = {
    "decision_followed_up": "Follow-up of an urgent decision",
    "adjustment_reviewed": "The review date of an adjustment has passed",
}


class UrgentDecision(Struct, frozen=True):
    """An urgent decision with the questions it was for, and what became of it (None until somebody says).

    It no longer stands where every answer it was for changed before the consultation ended.
    """

    consultation: Consultation
    decision: Decision
    words: str
    questions: tuple[Question, ...]
    outcome: Step | None
    stands: bool = True

    @property
    def open(self) -> bool:
        """Whether it is still to be filled in."""
        return self.outcome is None


class DueReview(Struct, frozen=True):
    """An adjustment whose review date has passed, and what the review said (None until somebody says)."""

    consultation: Consultation
    question: Question
    what: str
    due: str
    outcome: Step | None

    @property
    def open(self) -> bool:
        """Whether it is still to be reviewed."""
        return self.outcome is None


def decisions(store: Store, consultation: Consultation) -> list[UrgentDecision]:
    """The last U0 or U1 decision about each question of an ended consultation, each decision once with its outcome.

    One whose answer was changed afterwards, so that it no longer stands, is here too and says so: the employee may
    have been sent by then, and nothing else asks what became of it.
    """
    if consultation.state not in (SIGNED, ABANDONED):
        return []
    told = {s.content["decision"]: s for s in _told(store, consultation.id, "decision_followed_up") if s.content}
    urgent: dict[int, list[tuple[str, Decision]]] = {}
    for question, decision in consultation.decisions.items():
        if decision.level in HOLDING_LEVELS:
            urgent.setdefault(decision.seq, []).append((question, decision))
    if not urgent:
        return []
    path = store.path_of(consultation)
    proforma = path.proforma
    return [
        UrgentDecision(
            consultation,
            made[0][1],
            proforma.decisions.get(made[0][1].decision, made[0][1].decision),
            tuple(proforma.by_id[question] for question, _ in made),
            told.get(seq),
            any(question in path.on and decided(consultation, path, proforma.by_id[question]) for question, _ in made),
        )
        for seq, made in sorted(urgent.items())
    ]


def reviews(store: Store, consultation: Consultation, today: date) -> list[DueReview]:
    """The adjustments of a signed consultation whose review date has passed, each with what the review said."""
    if consultation.state != SIGNED:
        return []
    told = {s.question: s for s in _told(store, consultation.id, "adjustment_reviewed")}
    return [
        DueReview(consultation, question, value.get("what", ""), value["review"], told.get(question.id))
        for question, value in adjustments(store.path_of(consultation))
        if isinstance(value, dict) and value.get("review") and value["review"] < today.isoformat()
    ]


def _told(store: Store, consultation: str, kind: str) -> Iterator[Step]:
    for step in steps(store.db.read(), consultation=consultation):
        if step.kind == kind:
            yield step


def listed(
    store: Store, today: date, clinician: str = "", open_only: bool = False, newest: int | None = None
) -> tuple[list[UrgentDecision], list[DueReview]]:
    """Every urgent decision and every adjustment past its review, of one clinician or of all, filled in or not.

    `open_only` leaves out the consultations where all was filled in; of the others everything is listed. `newest` is
    how many consultations are looked at, the last ones begun.
    """
    made: list[UrgentDecision] = []
    due: list[DueReview] = []
    for id_ in with_business(store.db.read(), store.business, today.isoformat(), clinician, open_only)[:newest]:
        if (consultation := store.consultation(id_)) is not None:
            made += decisions(store, consultation)
            due += reviews(store, consultation, today)
    return made, due


def left_behind(store: Store, today: date, left: Iterable[str]) -> tuple[list[UrgentDecision], list[DueReview]]:
    """What still waits for a word in the consultations of clinicians who have left: it is for any other to see to."""
    made: list[UrgentDecision] = []
    due: list[DueReview] = []
    for clinician in left:
        decisions_, reviews_ = listed(store, today, clinician, open_only=True)
        made += (one for one in decisions_ if one.open)
        due += (one for one in reviews_ if one.open)
    return made, due


def follow_up(
    store: Store,
    consultation_id: str,
    decision: int,
    outcome: str,
    text: str,
    key: str,
    who: Who,
    left: Collection[str] = (),
) -> None:
    """Record what became of an urgent decision; in a signed consultation an addendum says so too.

    `left` are the clinicians who have left: any colleague may record it for them.
    """
    consultation = _of(store, consultation_id, who, left)
    one = next((d for d in decisions(store, consultation) if d.decision.seq == decision), None)
    if one is None:
        raise Refused("There is no such urgent decision in this consultation; go back to the list.")
    if outcome not in ARRIVALS:
        raise Refused("Choose what became of the decision.")
    fell = "" if one.stands else ", decided before an answer was changed"
    said = f"{one.words}{fell}: {ARRIVALS[outcome].lower()}."
    _write(store, consultation, "decision_followed_up", {"decision": decision}, "", outcome, (said, text), key, who)


def review(
    store: Store,
    consultation_id: str,
    question: str,
    outcome: str,
    text: str,
    key: str,
    who: Who,
    left: Collection[str] = (),
) -> None:
    """Record what the review of an adjustment said, by an addendum; of those who have `left`, by any colleague."""
    consultation = _of(store, consultation_id, who, left)
    today = store.clock().astimezone().date()
    one = next((r for r in reviews(store, consultation, today) if r.question.id == question), None)
    if one is None:
        raise Refused("This adjustment is not past its review date; go back to the list.")
    if outcome not in REVIEWS:
        raise Refused("Choose what the review said.")
    about = one.question.report_topic
    said = f"{about}, review on {uk_date(one.due)}: {REVIEWS[outcome].lower()}."
    _write(store, consultation, "adjustment_reviewed", {}, question, outcome, (said, text), key, who)


def _of(store: Store, consultation_id: str, who: Who, left: Collection[str]) -> Consultation:
    consultation = store.consultation(consultation_id)
    if consultation is None:
        raise Refused("There is no such consultation; go back to the list.")
    if consultation.owner != who.actor and consultation.owner not in left:
        raise NotYours("Another clinician holds this consultation; only that clinician can write in it.")
    return consultation


def _write(
    store: Store,
    consultation: Consultation,
    kind: str,
    about: dict[str, Any],
    question: str,
    outcome: str,
    words: tuple[str, str],
    key: str,
    who: Who,
) -> None:
    """One transaction: the addendum (where there is a signed note to add to), then the step that fills the outcome."""
    said, text = words[0], words[1].strip()
    with store.db.write() as conn:
        if _done(conn, key, consultation.id):
            return
        at, addendum = store.at(), 0
        if consultation.state == SIGNED:
            content = {"text": f"{said} {text}".strip(), "why": WHY[kind], "corrects": False, "answers": {}}
            draft = Draft("addendum_added", content, who.actor, at, consultation.id, "", who.role, f"{key}:addendum")
            addendum = append(conn, draft)
        content = {**about, "outcome": outcome, "text": text, "addendum": addendum}
        append(conn, Draft(kind, content, who.actor, at, consultation.id, question, who.role, key))


def _done(conn: Connection, key: str, consultation: str) -> bool:
    return any(step.key == key and step.kind in KINDS for step in steps(conn, consultation=consultation))
