"""The consultation: what its steps say now. A fold over steps; it asks no clock and no database."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

from msgspec import Struct

from consult.proforma.answer import HELD_STATES, Answer
from consult.proforma.load import Definition
from consult.proforma.model import LEVELS, Proforma, Question
from consult.proforma.path import Disagreement, Path, blank_emergencies, holding, to_ask_again
from consult.proforma.rules import holds
from consult.record.ledger import Step

T = TypeVar("T")
OPEN: Final = "open"
SIGNED: Final = "signed"
ABANDONED: Final = "abandoned"
IN_ERROR: Final = "entered_in_error"
TAKEN_OVER: Final = "consultation_taken_over"
HANDED_OVER: Final = "consultation_handed_over"
PASSED_ON: Final = (TAKEN_OVER, HANDED_OVER)
ENDED_BY: Final = {
    "consultation_signed": SIGNED,
    "consultation_abandoned": ABANDONED,
    "entered_in_error": IN_ERROR,
}


class Recorded(Struct, frozen=True):
    """An answer with the step that gave it; answer is None where it was removed."""

    answer: Answer | None
    seq: int
    via: str
    at: str
    actor: str


class Decision(Struct, frozen=True):
    """What the clinician decided about one answer, at the level and state it then had."""

    seq: int
    state: str
    level: str
    decision: str
    reason: str
    told: str
    at: str
    actor: str


@dataclass
class Consultation:
    """What the steps of one consultation say now."""

    id: str
    state: str = OPEN
    started: dict[str, Any] = field(default_factory=dict)
    started_at: str = ""
    owner: str = ""
    role: str = ""
    history: dict[str, list[Recorded]] = field(default_factory=dict)
    decisions: dict[str, Decision] = field(default_factory=dict)
    blank_reason: dict[str, Any] | None = None
    explained: set[str] = field(default_factory=set)
    taken_over: list[Step] = field(default_factory=list)
    documents: list[Step] = field(default_factory=list)
    addenda: list[Step] = field(default_factory=list)
    report: dict[str, Any] | None = None
    ended: Step | None = None
    signed: Step | None = None
    last_seq: int = 0
    derived: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)
    """What was worked out from this state, such as its path; another state has its own."""
    earlier: Consultation | None = field(default=None, repr=False, compare=False)
    """A state before this one from which things were worked out: most is the same, and need not be done again."""

    @property
    def answers(self) -> dict[str, Answer]:
        """The answers now, on the path or parked."""
        return {q: r[-1].answer for q, r in self.history.items() if r[-1].answer is not None}

    def last(self, question_id: str) -> Recorded | None:
        """The last step about a question, a removal included; None if there was none."""
        records = self.history.get(question_id)
        return records[-1] if records else None

    def seen(self, question_id: str) -> int:
        """The sequence number of the last step about a question; 0 if there was none."""
        last = self.last(question_id)
        return last.seq if last else 0

    @property
    def taken_back(self) -> frozenset[int]:
        """The steps that said that a leaflet was given, and were taken back as pressed by mistake."""
        return frozenset(s.content["given"] for s in self.documents if s.kind == "leaflet_not_given" and s.content)

    @property
    def on_paper(self) -> bool:
        """Whether it was held on paper and is entered afterwards."""
        return bool(self.started.get("capture_mode") == "paper")

    def worked_out(self, name: str, work: Callable[[], T]) -> T:
        """What was worked out of this state under a name; worked out now if it was not."""
        derived = self.derived  # another request may let this state go meanwhile
        if name not in derived:
            derived[name] = work()
        found: T = derived[name]
        return found

    def let_go(self) -> None:
        """Forget what was worked out and the state before, once nobody goes on from this one.

        A screen points back here: only a search for garbage would find the two, and 64 clinicians at work left some
        25 MB of them a minute.
        """
        earlier, self.derived, self.earlier = self.earlier, {}, None
        if earlier is not None:
            earlier.let_go()

    def after(self, steps: Iterable[Step]) -> Consultation:
        """The consultation after these further steps; this one stays as it is."""
        later = replace(
            self,
            history={**self.history},
            decisions={**self.decisions},
            explained={*self.explained},
            taken_over=[*self.taken_over],
            documents=[*self.documents],
            addenda=[*self.addenda],
            derived={},
            earlier=self if self.derived else self.earlier,
        )
        earlier = self.earlier  # another request may go on from this state at the same time
        if self.derived and earlier is not None:
            self.earlier = None  # or every state there was would be kept
            earlier.let_go()
        for step in steps:
            later.apply(step)
        return later

    def apply(self, step: Step) -> None:
        """Take one more step into account."""
        self.derived.clear()
        content = step.content or {}
        self.last_seq = step.seq
        if step.kind == "answer_given":
            answer = Answer(content.get("state", "redacted"), content.get("value"), content.get("reason", ""))
            self._record(step, answer, content)
        elif step.kind == "answer_removed":
            self._record(step, None, content)
        elif step.kind in ("consultation_started", *PASSED_ON):
            self._hold(step, content)
        elif step.kind == "decision_recorded":
            self._decide(step, content)
        elif step.kind == "blank_emergencies_explained":
            self.blank_reason = content
            self.explained |= set(content.get("questions", []))
        elif step.kind == "report_made":
            self._report(step, content)
        elif step.kind in ENDED_BY:
            self.state, self.ended = ENDED_BY[step.kind], step
            self.signed = step if step.kind == "consultation_signed" else self.signed
        elif step.kind == "addendum_added":
            self.addenda.append(step)
        elif step.kind.startswith(("leaflet_", "letter_", "note_", "report_")):
            self.documents.append(step)

    def _hold(self, step: Step, content: dict[str, Any]) -> None:
        self.owner, self.role = holder(step), content.get("role", step.role)
        if step.kind in PASSED_ON:
            self.taken_over.append(step)
        else:
            self.started, self.started_at = content, step.at

    def _record(self, step: Step, answer: Answer | None, content: dict[str, Any]) -> None:
        recorded = Recorded(answer, step.seq, content.get("via", ""), step.at, step.actor)
        self.history[step.question] = [*self.history.get(step.question, ()), recorded]

    def _report(self, step: Step, content: dict[str, Any]) -> None:
        if self.signed is None:  # what is made after signing never moves the case
            self.report = {**content, "at": step.at, "actor": step.actor, "seq": step.seq} if content else None
        self.documents.append(step)

    def _decide(self, step: Step, content: dict[str, Any]) -> None:
        if not content:
            return  # redacted: what was decided is not known any more
        for question, state, level in zip(content["questions"], content["states"], content["levels"], strict=True):
            self.decisions[question] = Decision(
                step.seq, state, level, content["decision"], content["reason"], content["told"], step.at, step.actor
            )


def holder(step: Step) -> str:
    """Who holds a consultation after it was begun, taken over, or handed over to somebody by another person."""
    return str((step.content or {}).get("to", step.actor))


def fold(consultation_id: str, steps: Iterable[Step]) -> Consultation:
    """The consultation that these steps, in order, tell of."""
    consultation = Consultation(consultation_id)
    for step in steps:
        consultation.apply(step)
    return consultation


def standing_answers(consultation: Consultation, proforma: Proforma, near: Path | None = None) -> dict[str, Answer]:
    """The answers that count: all but those a gesture gave to items that by now must be asked one by one.

    A path `near` by, of nearly the same answers, spares the work.
    """
    return _standing(proforma, consultation.answers, _grouped(consultation), near)


def _grouped(consultation: Consultation) -> set[str]:
    """The questions whose answer now is one that a gesture gave."""
    return {q for q, r in consultation.history.items() if r[-1].via == "group" and r[-1].answer is not None}


def _standing(
    proforma: Proforma, answers: dict[str, Answer], grouped: set[str], near: Path | None = None
) -> dict[str, Answer]:
    again = to_ask_again(_path(proforma, answers, near), grouped) if grouped else set()
    return {q: answer for q, answer in answers.items() if q not in again} if again else answers


def _path(proforma: Proforma, answers: dict[str, Answer], near: Path | None) -> Path:
    return near.after(answers) if near is not None else Path(proforma, answers)


def answers_to_audit(consultation: Consultation, proforma: Proforma) -> dict[str, Answer]:
    """The answers the case is made of: those at signing, with what later addenda correct in the audit record.

    By a correction, too, an item that a gesture filled may have to be asked one by one, and then counts as blank.
    """
    answers, grouped = consultation.answers, _grouped(consultation)
    for addendum in consultation.addenda:
        content = addendum.content or {}
        if content.get("corrects"):
            for question, answer in content["answers"].items():
                grouped.discard(question)
                if answer is None:
                    answers.pop(question, None)
                else:
                    answers[question] = Answer(answer["state"], answer["value"], answer["reason"])
    return _standing(proforma, answers, grouped)


class Gate(Struct, frozen=True):
    """What still holds signing: answers without a decision, and blank U0 questions without a reason."""

    undecided: list[Question]
    blank: list[Question]
    no_longer: list[Question]

    @property
    def open(self) -> bool:
        """Whether signing may go on, but for the tick over answers that were changed."""
        return not self.undecided and not self.blank


def decided(consultation: Consultation, path: Path, question: Question) -> bool:
    """Whether a decision stands: made after the answer as it is now was given, and at a level no less urgent."""
    decision = consultation.decisions.get(question.id)
    answer = path.answer(question.id)
    if decision is None or answer is None or decision.seq < consultation.seen(question.id):
        return False
    rank = LEVELS.index(decision.level) <= LEVELS.index(path.level(question.id))
    return decision.state == answer.state and rank


def standing_decisions(consultation: Consultation, path: Path) -> dict[str, str]:
    """The codes of the decisions that stand, by question, in order."""
    about = path.proforma.in_order({id_ for id_ in consultation.decisions if id_ in path.on})
    return {q.id: consultation.decisions[q.id].decision for q in about if decided(consultation, path, q)}


def contradictions(consultation: Consultation, path: Path) -> list[Disagreement]:
    """The answers that do not agree now, with each other or with a decision that stands."""
    return path.contradictions(standing_decisions(consultation, path))


def gate(consultation: Consultation, path: Path) -> Gate:
    """The one gate (ARCHITECTURE, "One gate"), from the answers on the path."""
    held = holding(path)
    undecided = [q for q in held if not decided(consultation, path, q)]
    sent = any(
        d.decision in path.proforma.emergency_decisions
        for q in held
        if (d := consultation.decisions.get(q.id)) and q not in undecided
    )
    blank = [] if sent else [q for q in blank_emergencies(path) if q.id not in consultation.explained]
    return Gate(undecided, blank, no_longer_held(consultation, path))


def no_longer_held(consultation: Consultation, path: Path) -> list[Question]:
    """Red flags, and details of their levels, that were present, unsure or declined at some time and no longer are."""
    deciding, history = path.proforma.deciding, consultation.history
    held = {q for q in deciding & history.keys() for r in history[q] if r.answer and r.answer.state in HELD_STATES}
    return path.proforma.in_order(q for q in held if not _is_held(path.answer(q)))


def _is_held(answer: Answer | None) -> bool:
    return answer is not None and answer.state in HELD_STATES


def not_recorded(path: Path) -> list[Question]:
    """The questions on the path that nothing is recorded for."""
    return [q for q in path.questions() if path.answer(q.id) is None]


def adjustments(path: Path) -> list[tuple[Question, Any]]:
    """The temporary adjustments on the path, each with what is recorded of it (None where only its kind is ticked)."""
    found = []
    for question in path.questions():
        if question.kind == "arrangement":
            answer = path.answer(question.id)
            found.append((question, answer.value if answer else None))
    return found


def report_answers(path: Path) -> dict[str, Any]:
    """What a report is made of, by question id, as a finalised one keeps it to be compared with later answers."""
    always = [q for q in path.questions() if q.report == "always"]
    advised = adjustments(path)
    heard = always if advised else [*always, *opening_adjustments(path)]
    said = {q.id: [answer.state, answer.value] for q in heard if (answer := path.answer(q.id)) is not None}
    return said | {question.id: value for question, value in advised}


def opening_adjustments(path: Path) -> list[Question]:
    """The questions that open the adjustments: where there are none, their answers say whether any was needed."""
    rules = [q.show_if for q in path.proforma.asked if q.kind == "arrangement" and q.show_if is not None]
    return path.proforma.in_order({leaf.question for rule in rules for leaf in rule.leaves() if leaf.question})


def facts(consultation: Consultation, path: Path) -> set[str]:
    """What was done, as the proforma's [[done]] rules name it.

    A finalised report counts as one with adjustments only while it stands.
    What is given after signing never counts.
    """
    end = consultation.signed.seq if consultation.signed else consultation.last_seq + 1
    given = {
        f"leaflet_given_{s.content['form']}"
        for s in consultation.documents
        if s.kind == "leaflet_given" and s.content is not None and s.seq < end and s.seq not in consultation.taken_back
    }
    made = {f"decision:{code}" for code in standing_decisions(consultation, path).values()}
    stands = report_stands(consultation, path) and bool(adjustments(path))
    return given | made | ({"report_with_adjustments"} if stands else set())


def report_stands(consultation: Consultation, path: Path) -> bool:
    """Whether the finalised report says what is recorded now, and what allowed it (the consent) has held since."""
    if consultation.report is None:
        return False
    rule = path.proforma.report_when
    allowing = [leaf.question for leaf in rule.leaves() if leaf.question] if rule else []
    return (
        bool(consultation.report["adjustments"] == report_answers(path))
        and report_allowed(path)
        and all(consultation.seen(question) < consultation.report["seq"] for question in allowing)
    )


def report_allowed(path: Path) -> bool:
    """Whether a report may be made final now: the rule that the proforma gives for it."""
    rule = path.proforma.report_when
    return rule is None or holds(rule, path.look_up)


def path_of(consultation: Consultation, definition: Definition) -> Path:
    """The path of a consultation through the version it began with; worked out once for a state of it."""
    name = f"path {definition.digest}"

    def work() -> Path:
        near = earlier.derived.get(name) if (earlier := consultation.earlier) is not None else None
        return _path(definition.proforma, standing_answers(consultation, definition.proforma, near), near)

    return consultation.worked_out(name, work)


def undo_candidates(consultation: Consultation, proforma: Proforma, block_id: str) -> list[str]:
    """The items whose answer now is still the one that "No to the rest" of this block gave."""
    return [
        q.id
        for q in proforma.in_block(block_id)
        if (last := consultation.last(q.id)) and last.answer is not None and last.via == "group"
    ]
