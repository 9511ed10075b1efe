"""What can happen in a consultation, each as one durable transaction over the step log and its projection."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import asdict

from consult.proforma.answer import ANSWERED, Answer
from consult.proforma.fits import fits
from consult.proforma.load import Definition
from consult.proforma.model import Question
from consult.proforma.path import Path, rest_of
from consult.record import identity
from consult.record.capture import Business
from consult.record.consultation import (
    HANDED_OVER,
    OPEN,
    SIGNED,
    TAKEN_OVER,
    Consultation,
    Recorded,
    fold,
    path_of,
    undo_candidates,
)
from consult.record.database import Connection, Database
from consult.record.ledger import Draft, KeyReused, Refused, Step, append, append_at, place, steps
from consult.record.library import Library
from consult.record.memory import Memory
from consult.record.projection import project_end, project_owner, project_start
from consult.record.timekeeping import Timekeeper, stamp

Clock = Callable[[], datetime]
LOOKS: Final = ("consultation_viewed", "paper_viewed")


def now_utc() -> datetime:
    """The time now, in UTC."""
    return datetime.now(UTC)


def seconds_counted() -> float:
    """Seconds that no setting of the clock changes; where the system tells, sleep is counted too."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.clock_gettime(boot) if boot is not None else time.monotonic()


class NotOpen(Refused):
    """The consultation is signed, abandoned or in error: it does not change any more."""


class NotYours(Refused):
    """Only the clinician who holds the consultation writes in it."""


class PaperTwice(Refused):
    """The paper of this reference was entered already."""


class Conflict(Refused):
    """Another tab answered this question since the page was made; both values are kept for the clinician to choose."""

    def __init__(self, question: str, now: Recorded | None) -> None:
        super().__init__("This question was answered in another window; choose which answer stands.")
        self.question, self.now = question, now


class Who(Struct, frozen=True):
    """Who acts: the person's opaque id and the role held."""

    actor: str
    role: str


class Start(Struct, frozen=True):
    """What is known when a consultation begins."""

    employee: str
    site: str
    provider: str
    attendance: str
    age_band: str
    capture_mode: str = "live"
    held_at: str = ""
    paper: str = ""
    definition: str = ""
    """The digest of the version that is filled in; blank: the one in use."""


class Saved(Struct, frozen=True):
    """What came of saving an answer: the step that stands, and the consultation around one that was written now."""

    seq: int
    before: Consultation | None = None
    after: Consultation | None = None


class Store:
    """The verbs of the record. Every method that writes returns only after COMMIT."""

    def __init__(
        self, db: Database, library: Library, clock: Clock = now_utc, counted: Callable[[], float] | None = None
    ) -> None:
        self.db, self.library, self.clock = db, library, clock
        keeper = Timekeeper(clock, counted or (seconds_counted if clock is now_utc else None))
        db.when_begun, db.when_kept = keeper.look, keeper.committed
        self._memory, self.business = Memory(), Business()

    def at(self) -> str:
        """The time now as the steps hold it."""
        return stamp(self.clock())

    def register(self, name: str, date_of_birth: date, local_number: str, who: Who) -> identity.Employee:
        """Register an employee; the step log learns only the opaque id."""
        with self.db.write() as conn:
            employee = identity.add_employee(conn, name, date_of_birth, local_number, self.at())
            append(conn, Draft("employee_registered", {"employee": employee.id}, who.actor, self.at(), role=who.role))
        return employee

    def start(self, start: Start, who: Who, key: str = "") -> str:
        """Begin a consultation with the proforma in use; returns its id. The same key begins one only."""
        with self.db.write() as conn:
            if key and (already := _started_under(conn, key, start, who)):
                return already
            if start.paper:
                _check_new_paper(conn, start.paper)
            current, at = self.library.current, self.at()
            definition = self.library.definition(conn, start.definition) if start.definition else current
            held = datetime.fromisoformat(start.held_at or at).astimezone()
            consultation_id = str(uuid.uuid4())
            content = {
                "employee": start.employee,
                "site": start.site,
                "provider": start.provider,
                "attendance": start.attendance,
                "definition": definition.digest,
                "capture_mode": start.capture_mode,
                "held_on": held.date().isoformat(),
                "age_band": start.age_band,
                "held_at": start.held_at or at,
                "paper": start.paper,
            }
            draft = Draft("consultation_started", content, who.actor, at, consultation_id, "", who.role)
            append(conn, draft if not key else Draft(**{**asdict(draft), "key": key}))
            project_start(conn, consultation_id, content, who.actor, at)
        return consultation_id

    def consultation(self, consultation_id: str, conn: Connection | None = None) -> Consultation | None:
        """The consultation as its steps tell it; None if there is none with this id."""
        consultation = fold(consultation_id, steps(conn or self.db.read(), consultation=consultation_id))
        return consultation if consultation.started else None

    def remembered(self, consultation_id: str, sure: bool = True) -> Consultation | None:
        """The same as `consultation`, from memory with what happened since.

        Where it need not be `sure`, what is remembered is not held against the log: only for what looks again inside
        its transaction, as saving does.
        """
        consultation = None if sure else self._memory.recalled(consultation_id)
        if consultation is None:
            consultation = self._memory.now(self.db.read(), consultation_id)
        return consultation if consultation.started else None

    def definition_of(self, consultation: Consultation) -> Definition:
        """The version of the proforma that the consultation began with."""
        return self.library.definition(self.db.read(), consultation.started["definition"])

    def path_of(self, consultation: Consultation) -> Path:
        """The path of a consultation."""
        return path_of(consultation, self.definition_of(consultation))

    @contextmanager
    def writing(self, consultation_id: str, who: Who) -> Iterator[tuple[Connection, Consultation]]:
        """A transaction on an open consultation by the one who holds it."""
        with self.db.write() as conn:
            consultation = self._memory.now(conn, consultation_id)  # committed steps: nothing is written here yet
            _check_there_and_theirs(consultation, who)
            yield conn, consultation

    def save(
        self, consultation_id: str, question: Question, answer: Answer | None, seen: int, key: str, via: str, who: Who
    ) -> int:
        """Give, change or (None) remove one answer; returns the sequence number that now stands for the question.

        `seen` is the sequence number the page knew: another one there raises Conflict and writes nothing. A retry
        with the same key, and an answer equal to the one that stands, write nothing and return what stands.
        """
        return self.saved(consultation_id, question, answer, seen, key, via, who).seq

    def saved(
        self, consultation_id: str, question: Question, answer: Answer | None, seen: int, key: str, via: str, who: Who
    ) -> Saved:
        """The same as `save`, with the consultation before and after a step that was written."""
        with self.db.write() as conn:
            where = place(conn, key, consultation_id)
            if where.under_key:
                return Saved(_done_under(conn, where.under_key, consultation_id, question.id, answer))
            before = self._memory.at(conn, consultation_id, where)
            _check_there_and_theirs(before, who)
            last = before.last(question.id)
            now = last.answer if last else None
            if now == answer and not (last and last.via == "group" and via != "group" and answer):
                return Saved(last.seq if last else 0)
            if (last.seq if last else 0) != seen:
                raise Conflict(question.id, last)
            check_answer(question, answer)
            draft = answer_draft(consultation_id, question.id, answer, seen, key, via, who, self.at())
            step = append_at(conn, draft, where.last, where.head)
        after = before.after([step])
        self._memory.keep(after, where.redaction)
        return Saved(step.seq, before, after)

    def rest(
        self, consultation_id: str, block_id: str, key: str, who: Who, seen: Mapping[str, int] | None = None
    ) -> list[str]:
        """ "No to the rest" of a block: one step an item, marked via = group; returns the items filled.

        `seen` is what the page knew of each item it showed: only items shown, and not changed since, are filled.
        """
        with self.writing(consultation_id, who) as (conn, consultation):
            if consultation.on_paper:
                raise Refused("This was held on paper: enter each answer as it stands there.")
            path = self.path_of(consultation)
            shown = None if seen is None else {q for q, seq in seen.items() if consultation.seen(q) == seq}
            items = rest_of(path, path.proforma.block(block_id), shown)
            for question in items:
                known, item_key = consultation.seen(question.id), f"{key}:{question.id}"
                answer = Answer("absent")
                append(
                    conn,
                    answer_draft(consultation_id, question.id, answer, known, item_key, "group", who, self.at()),
                )
        return [question.id for question in items]

    def undo_rest(self, consultation_id: str, block_id: str, key: str, who: Who) -> list[str]:
        """Take back what "No to the rest" of a block filled and nobody changed since; returns those items."""
        with self.writing(consultation_id, who) as (conn, consultation):
            proforma = self.definition_of(consultation).proforma
            items = undo_candidates(consultation, proforma, block_id)
            for item in items:
                seen = consultation.seen(item)
                append(conn, answer_draft(consultation_id, item, None, seen, f"{key}:{item}", "group", who, self.at()))
        return items

    def note(self, consultation_id: str, kind: str, content: dict[str, Any], key: str, who: Who) -> int:
        """Record what was done in an open consultation: a decision, a reason, a leaflet, a report, a letter."""
        with self.writing(consultation_id, who) as (conn, _):
            return append(conn, Draft(kind, content, who.actor, self.at(), consultation_id, "", who.role, key))

    def note_after(self, consultation_id: str, kind: str, content: dict[str, Any], key: str, who: Who) -> int:
        """Record what may also be done once the consultation is signed: printing, giving, copying, looking."""
        with self.db.write() as conn:
            consultation = self.consultation(consultation_id, conn)
            if consultation is None:
                raise Refused("There is no such consultation; go back to the list.")
            _check_owner(consultation.owner, who)
            if kind not in LOOKS and consultation.state not in (OPEN, SIGNED):
                raise NotOpen("This consultation was ended without signing or in error; nothing more is given from it.")
            return append(conn, Draft(kind, content, who.actor, self.at(), consultation_id, "", who.role, key))

    def take_back_given(self, consultation_id: str, given: int, key: str, who: Who) -> None:
        """Say of a step of an open consultation that the leaflet was not given after all; twice changes nothing."""
        with self.writing(consultation_id, who) as (conn, consultation):
            step = next((s for s in consultation.documents if s.seq == given and s.kind == "leaflet_given"), None)
            if step is None or step.content is None:
                raise Refused("There is no such leaflet given in this consultation; look at its leaflets again.")
            if given in consultation.taken_back:
                return
            content = {**step.content, "given": given}
            draft = Draft("leaflet_not_given", content, who.actor, self.at(), consultation_id, "", who.role, key)
            append(conn, draft)

    def abandon(self, consultation_id: str, reason: str, text: str, key: str, who: Who) -> None:
        """End an open consultation without signing, with a reason; it stays in the ascertainment."""
        with self.writing(consultation_id, who) as (conn, _):
            content = {"reason": reason, "text": text}
            at = self.at()
            append(conn, Draft("consultation_abandoned", content, who.actor, at, consultation_id, "", who.role, key))
            project_end(conn, consultation_id, "abandoned", at)

    def take_over(self, consultation_id: str, from_: str, reason: str, key: str, who: Who) -> None:
        """Take an open consultation over from the clinician who holds it (`from_`, as the page showed it).

        Both names stay in the steps. Whoever holds it already changes nothing.
        """
        with self.db.write() as conn:
            consultation = self.consultation(consultation_id, conn)
            if consultation is None:
                raise Refused("There is no such consultation; go back to the list.")
            if consultation.owner == who.actor:
                return
            _check_open(consultation.state)
            if consultation.owner != from_:
                raise Refused("Another colleague took it over meanwhile; look again who holds it now.")
            content = {"from": from_, "reason": reason}
            append(conn, Draft(TAKEN_OVER, content, who.actor, self.at(), consultation_id, "", who.role, key))
            project_owner(conn, consultation_id, who.actor)

    def hand_over(self, consultation_id: str, from_: str, to: Who, reason: str, by: Who) -> None:
        """Hand an open consultation from the clinician who holds it (`from_`) over to another, as a third person.

        The step names all three; what it holds is the same as before.
        """
        with self.db.write() as conn:
            consultation = self.consultation(consultation_id, conn)
            if consultation is None:
                raise Refused("There is no such consultation; go back to the list.")
            _check_open(consultation.state)
            if consultation.owner != from_:
                raise Refused("A colleague took it over meanwhile; look again who holds it now.")
            if to.actor == from_:
                raise Refused("That clinician holds it already; choose another.")
            content = {"from": from_, "to": to.actor, "role": to.role, "reason": reason}
            append(conn, Draft(HANDED_OVER, content, by.actor, self.at(), consultation_id, "", by.role))
            project_owner(conn, consultation_id, to.actor)

    def written(self, key: str, consultation_id: str) -> dict[str, Any] | None:
        """What this key already wrote in this consultation; None if nothing, or if it was redacted."""
        query = "SELECT seq FROM step WHERE key = ? AND consultation = ?"
        row = self.db.read().execute(query, (key, consultation_id)).fetchone()
        return next(s.content for s in steps(self.db.read(), seq=row["seq"])) if row else None

    def wrote(self, key: str, consultation_id: str) -> bool:
        """Whether this key already wrote a step of this consultation: the same page sent twice."""
        query = "SELECT 1 FROM step WHERE key = ? AND consultation = ?"
        return self.db.read().execute(query, (key, consultation_id)).fetchone() is not None


def answer_draft(
    consultation: str, question: str, answer: Answer | None, seen: int, key: str, via: str, who: Who, at: str
) -> Draft:
    """The step that gives or removes one answer."""
    if answer is None:
        kind, content = "answer_removed", {"via": via, "seen": seen}
    else:
        kind = "answer_given"
        content = {"state": answer.state, "value": answer.value, "reason": answer.reason, "via": via, "seen": seen}
    return Draft(kind, content, who.actor, at, consultation, question, who.role, key)


def check_answer(question: Question, answer: Answer | None) -> None:
    """Refuse an answer that the question can't have: the last line of defence, whatever the form let through."""
    if answer is None:
        return
    if answer.state != ANSWERED:
        if answer.state not in question.offered_states():
            raise Refused(f"{answer.state} is not an answer to this question; choose one that is shown.")
        return
    if question.kind == "finding" or answer.value in (None, "", [], {}):
        raise Refused("This answer is empty; use Remove answer to take an answer back.")
    if not fits(question, answer.value):
        raise Refused("That is not an answer this question can have; choose one that is shown, or correct the value.")


def _started_under(conn: Connection, key: str, start: Start, who: Who) -> str | None:
    """The consultation this key already began for the same employee and person; any other use of it is refused."""
    row = conn.execute("SELECT seq FROM step WHERE key = ?", (key,)).fetchone()
    if row is None:
        return None
    step = next(s for s in steps(conn, seq=row["seq"]))
    same = step.kind == "consultation_started" and step.actor == who.actor
    if not same or (step.content or {}).get("employee") != start.employee:
        raise KeyReused("This page was already used for another consultation; open the employee again.")
    return step.consultation


def _check_new_paper(conn: Connection, paper: str) -> None:
    row = conn.execute(
        "SELECT s.at FROM step s JOIN step_content t USING (seq) JOIN consultation c ON c.id = s.consultation "
        "WHERE s.kind = 'consultation_started' AND c.capture_mode = 'paper' AND c.state <> 'entered_in_error' "
        "AND json_extract(t.content, '$.paper') = ?",
        (paper,),
    ).fetchone()
    if row is not None:
        day = datetime.fromisoformat(row["at"]).astimezone()
        raise PaperTwice(
            f"Paper {paper} was entered already, on {day.day} {day:%B %Y} at {day:%H:%M}; compare the references, or "
            "mark that entry as entered in error first."
        )


def _check_open(state: str) -> None:
    if state != OPEN:
        words = {
            "signed": "signed",
            "abandoned": "ended without signing",
            "entered_in_error": "marked as entered in error",
        }
        raise NotOpen(f"This consultation is {words[state]} and does not change any more; write an addendum instead.")


def _check_owner(owner: str, who: Who) -> None:
    if owner != who.actor:
        raise NotYours("Another clinician holds this consultation; only that clinician can write in it.")


def _check_there_and_theirs(consultation: Consultation, who: Who) -> None:
    """Refuse a change to a consultation that is not there, not open or not this person's."""
    if not consultation.started_at:
        raise Refused("There is no such consultation; go back to the list.")
    _check_open(consultation.state)
    _check_owner(consultation.owner, who)


def _done_under(conn: Connection, seq: int, consultation_id: str, question_id: str, answer: Answer | None) -> int:
    """The step this key already wrote for the same answer; a retry is recognised, anything else under it refused."""
    step = next(s for s in steps(conn, seq=seq))
    same = (step.consultation, step.question) == (consultation_id, question_id)
    if not same or _recorded(step).answer != answer:
        raise KeyReused("This page was already sent with another answer; reload the page and answer again.")
    return step.seq


def _recorded(step: Step) -> Recorded:
    content = step.content or {}
    given = step.kind == "answer_given"
    answer = Answer(content.get("state", ""), content.get("value"), content.get("reason", "")) if given else None
    return Recorded(answer, step.seq, content.get("via", ""), step.at, step.actor)


__all__ = ["Refused", "Step", "Store"]
