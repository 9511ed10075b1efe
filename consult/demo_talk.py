"""A consultation of the demonstration, held through the store as a clinician's pages hold one."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from consult.audit.case import age_band
from consult.documents import releasing
from consult.documents.report import Chosen
from consult.documents.signing import GateHolds, sign
from consult.instance import Instance
from consult.proforma.answer import ANSWERED, Answer
from consult.proforma.model import Block, Question
from consult.proforma.path import Path, holding
from consult.record.consultation import gate
from consult.record.identity import Employee
from consult.record.reference import new_reference
from consult.record.store import Refused, Start, Who

BETWEEN_ANSWERS: Final = timedelta(seconds=9)


class Clock(Struct):
    """A clock that stands until it is moved."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, span: timedelta = BETWEEN_ANSWERS) -> None:
        """Let time go by."""
        self.now += span


class Talk:
    """One consultation of the script, held question by question.

    `talk` is what the script says of it; `usual` are the answers it shares with others, before which its own go.
    """

    def __init__(
        self,
        instance: Instance,
        clock: Clock,
        who: Who,
        talk: dict[str, Any],
        names: releasing.Names,
        usual: dict[str, Any],
    ) -> None:
        self.instance, self.store, self.clock, self.who, self.talk = instance, instance.store, clock, who, talk
        self.names = names
        self.answers: dict[str, Any] = {q: a for q, a in {**usual, **talk["answers"]}.items() if a != ""}
        self.unplaced = {q for q, a in talk["answers"].items() if a != ""}
        self.blank = {q for q, a in talk["answers"].items() if a == ""}
        self.refused: set[str] = set()
        self.decided = False
        self.pace = timedelta(seconds=talk["pace"]) if "pace" in talk else BETWEEN_ANSWERS
        self.id = ""

    def hold(self, employee: Employee, site: str) -> None:
        """Begin, answer, and do what is done before it ends."""
        held_at = self.clock() - timedelta(days=self.talk.get("paper", 0))
        start = Start(
            employee=employee.id,
            site=site,
            provider=self.instance.provider,
            attendance=self.talk["attendance"],
            age_band=age_band(employee.date_of_birth, held_at.astimezone().date()),
        )
        if "paper" in self.talk:
            digest = self.store.library.current.digest
            start = replace(start, capture_mode="paper", held_at=held_at.isoformat(), paper=new_reference(digest))
        self.id = self.store.start(start, self.who)
        self._answer_all()
        for decision in self.talk.get("decisions", []):
            self._decide(decision)
        for done in self.talk.get("leaflet", []):
            self._leaflet(done)
        if self.talk.get("report"):
            self._report()

    def _answer_all(self) -> None:
        """Each answer of the script that is on the path, in the order of the proforma, and the gestures."""
        proforma = self.store.library.current.proforma
        planned = {q.id: a for q in proforma.questions if (a := self._planned(q)) is not None}
        path = Path(proforma, planned)
        for block in proforma.blocks:
            if block.section == self.talk.get("until"):
                break
            on = [q for q in proforma.in_block(block.id) if q.id in path and q.id in planned]
            for question in on:
                if question.id in self.answers or not self._rests(block):
                    self._answer(question, planned[question.id])
            if self._rests(block):
                self.clock.pass_(self.pace)
                done = {*self.store.rest(self.id, block.id, self._key(block.id), self.who), *self.answers}
                for question in on:
                    if question.id not in done:
                        self._answer(question, planned[question.id])

    def _planned(self, question: Question) -> Answer | None:
        """What the script answers; No to findings of the sections where it says so."""
        if question.id in self.answers:
            return answer_of(question, self.answers[question.id], self.clock().date())
        section = self.store.library.current.proforma.block(question.block).section
        says_no = section in self.talk["no_to"] and question.kind == "finding" and question.id not in self.blank
        return Answer("absent") if says_no else None

    def _rests(self, block: Block) -> bool:
        gesture = self.talk.get("rest", True) and "paper" not in self.talk
        return bool(block.rest) and gesture and block.section in self.talk["no_to"]

    def _answer(self, question: Question, answer: Answer) -> None:
        self.clock.pass_(self.pace)
        try:
            self.store.save(self.id, question, answer, 0, self._key(question.id), "single", self.who)
            self.unplaced.discard(question.id)
        except Refused:  # an option that the proforma no longer has
            self.refused.add(question.id)

    def _decide(self, decision: dict[str, str]) -> None:
        consultation = self.store.consultation(self.id)
        if consultation is not None:
            self._decide_on(holding(path := self.store.path_of(consultation)), path, decision)

    def _decide_on(self, held: list[Question], path: Path, decision: dict[str, str]) -> None:
        content = {
            "questions": [q.id for q in held],
            "states": [answer.state if (answer := path.answer(q.id)) else "" for q in held],
            "levels": [path.level(q.id) for q in held],
            **decision,
        }
        self._note("decision_recorded", content)
        self.decided = True

    def _leaflet(self, done: str) -> None:
        leaflet = next(leaflet for leaflet in self.instance.leaflets.values() if leaflet.core)
        content = {
            "leaflet": leaflet.id,
            "version": leaflet.version,
            "language": leaflet.language,
            "format": "a4",
            "digest": leaflet.digest,
        }
        form = {"form": self.talk.get("leaflet_form", "printed")} if done == "given" else {}
        self._note(f"leaflet_{done}", content | form)

    def _report(self) -> None:
        kind = self.store.library.current.reports.by_id("")
        if kind is not None:
            self.clock.pass_()
            chosen, key = Chosen(kind), self._key("report_made")
            with suppress(Refused):  # a proforma in use that asks for consent in another way, or no consent
                releasing.make_final(self.store, self.id, chosen, self.names, "", key, self.who)

    def _note(self, kind: str, content: dict[str, Any]) -> None:
        self.clock.pass_()
        self.store.note(self.id, kind, content, self._key(kind), self.who)

    def end(self) -> None:
        """End it as the script says."""
        self.clock.pass_()
        if self.talk["ends"] == "signed":
            self._sign()
        elif self.talk["ends"] == "abandoned":
            self.store.abandon(self.id, self.talk["reason"], self.talk["text"], self._key("end"), self.who)

    def _sign(self) -> None:
        """Sign; where the gate holds, record first what the script says for that (`at_gate`)."""
        try:
            sign(self.store, self.id, self.who, False, self._key("sign"))
        except GateHolds:
            if "at_gate" not in self.talk:
                raise
            self._pass_gate(self.talk["at_gate"])
            sign(self.store, self.id, self.who, False, self._key("sign_again"))

    def _pass_gate(self, said: dict[str, Any]) -> None:
        consultation = self.store.consultation(self.id)
        if consultation is None:
            return
        path = self.store.path_of(consultation)
        held = gate(consultation, path)
        if held.undecided:
            level = min(path.level(q.id) for q in held.undecided)
            self._decide_on(held.undecided, path, said[level])
        if held.blank:
            self._note("blank_emergencies_explained", {**said["blank"], "questions": [q.id for q in held.blank]})

    def _key(self, what: str) -> str:
        return f"{self.id}:{what}:{self.clock().timestamp():.0f}"


def answer_of(question: Question, written: Any, today: date) -> Answer:
    """An answer as the script writes it: a state, a value, or days from the day of the consultation."""
    if isinstance(written, str) and written in question.offered_states() and question.option(written) is None:
        return Answer(written)
    if question.kind == "date":
        return Answer(ANSWERED, (today + timedelta(days=written)).isoformat())
    if isinstance(written, dict):
        days = {n: (today + timedelta(days=d)).isoformat() for n, d in written.items() if isinstance(d, int)}
        parts = {"what": "", "start": "", "end": "", "review": "", "no_end_reason": ""}
        return Answer(ANSWERED, {**parts, **written, **days})
    return Answer(ANSWERED, written)
