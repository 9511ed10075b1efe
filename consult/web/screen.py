"""What the consultation screen shows: items, panels, rail and what is still open, as plain data for the templates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, TypeVar

from flask import url_for
from msgspec import Struct, field

from consult.documents.note import decision_in_words, decision_label
from consult.documents.words import contradiction_in_words, describe
from consult.proforma.answer import Answer
from consult.proforma.model import Block, Panel, Proforma, Question, Section
from consult.proforma.path import Disagreement, Path, differing, rest_of
from consult.record.consultation import (
    Consultation,
    Decision,
    Gate,
    decided,
    gate,
    not_recorded,
    path_of,
    standing_decisions,
    undo_candidates,
)
from consult.record.store import Store

T = TypeVar("T")


class once(Generic[T]):  # noqa: N801 - written as property is
    """A property that is worked out once for an object.

    Up to Python 3.11 functools' own holds one lock for all objects meanwhile: a clinician waited for another's screen.
    """

    def __init__(self, work: Callable[[Any], T]) -> None:
        self._work, self.__doc__ = work, work.__doc__

    def __set_name__(self, _: type, name: str) -> None:
        self._name = name

    def __get__(self, of: Any, _: type | None = None) -> T:
        found: T = self._work(of)
        of.__dict__[self._name] = found
        return found


class Tally(Struct, frozen=True):
    """One entry of the rail, in counts of questions on the path.

    `recorded` are those with an answer; one that says "not asked" is none of them, and stands in `left_out` under the
    words its question has for that, such as "not examined".
    """

    section: Section
    recorded: int
    not_yet: int
    left_out: tuple[tuple[str, int], ...]
    not_established: int
    positive: int

    @property
    def is_empty(self) -> bool:
        """Whether no question of the section is on the path."""
        return not (self.recorded or self.not_yet or self.left_out)


class Screen(Struct, frozen=True, dict=True):
    """Everything the templates of one open consultation need."""

    consultation: Consultation
    proforma: Proforma
    path: Path
    unsaved: Mapping[str, Answer] = field(default_factory=dict)
    """What was entered and could not be saved, by question: shown again to be corrected."""

    @classmethod
    def of(cls, store: Store, consultation: Consultation) -> Screen:
        """The screen of a consultation as it is now; worked out once for a state of it."""

        def work() -> Screen:
            if (before := _screen_of(consultation.earlier)) is not None:
                before.settle()
            definition = store.definition_of(consultation)
            return cls(consultation, definition.proforma, path_of(consultation, definition))

        return consultation.worked_out("screen", work)

    def may_differ(self, other: Screen) -> frozenset[str]:
        """The questions about which anything may be shown otherwise than on another screen of this consultation."""
        earlier, moved = self._since
        return moved if other is earlier else self._differing(other)

    def _differing(self, other: Screen) -> frozenset[str]:
        here, there = self.consultation, other.consultation
        told = differing(here.history, there.history) | differing(here.decisions, there.decisions)
        moved = self.proforma.moved_by(differing(self.path.answers, other.path.answers))
        moved |= told & self.proforma.by_id.keys()
        return moved.union(*(said for said in self._said_with_decisions(other) if not moved.isdisjoint(said)))

    def _said_with_decisions(self, other: Screen) -> Iterator[set[str]]:
        """Of each contradiction with decisions, the questions at which it would be pointed out, here or there.

        A decision stands or falls by steps about its own question and by the text kept there; so one of them moved.
        """
        made = [*self.decisions.items(), *other.decisions.items()]
        for one in self.proforma.contradictions:
            if one.decided:
                yield {*one.questions, *(question for question, code in made if code in one.decided)}

    @once
    def decisions(self) -> dict[str, str]:
        """The codes of the decisions that stand, by question."""
        return standing_decisions(self.consultation, self.path)

    @once
    def _since(self) -> tuple[Screen | None, frozenset[str]]:
        """The screen of the state before, of which what can't be otherwise is taken over, and what may be otherwise.

        Without one all questions are looked at again.
        """
        earlier = None if self.unsaved else _screen_of(self.consultation.earlier)
        return earlier, self._differing(earlier) if earlier else self.proforma.ids

    def settle(self) -> None:
        """Work out what the next screen takes over, and let go of the one before: else each held all before it."""
        _ = self.below, self.offered, self.rests, self.tallies(), self.blank, self.contradictions
        self.__dict__["_since"] = None, self.proforma.ids

    def _again(self, moved: frozenset[str]) -> list[Question]:
        """The questions on the path that are looked at again."""
        return self.proforma.in_order(moved & self.path.on)

    def address(self, endpoint: str, **more: str) -> str:
        """An address of this consultation; what comes with it is an id of the proforma, which needs no quoting."""
        marks: dict[str, Any] = {name: f"-{name}-" for name in more}
        if endpoint not in self._addresses:
            where = url_for(f"consultations.{endpoint}", consultation_id=self.consultation.id, **marks)
            self._addresses[endpoint] = where
        found = self._addresses[endpoint]
        for name, value in more.items():
            found = found.replace(marks[name], value)
        return found

    @once
    def _addresses(self) -> dict[str, str]:
        return {}

    def look_of(self, question: Question) -> tuple[object, ...] | None:
        """What the control of a question looks like, to draw each look once; None where somebody's words are in it."""
        answer = self.answer(question)
        if (answer and question.kind in ("text", "arrangement", "date")) or question.id in self.unsaved:
            return None
        said = (answer.state, repr(answer.value), answer.reason) if answer else None
        options = tuple(self.offered.get(question.id, ()))
        return (self.consultation.started["definition"], question.id, said, options)

    def on(self, question: Question) -> bool:
        """Whether the question is on the path."""
        return question.id in self.path

    def answer(self, question: Question) -> Answer | None:
        """The answer shown, which for a list holds only what is on the path."""
        return self.unsaved.get(question.id) or self.path.answer(question.id)

    def known(self, question: Question) -> str:
        """What the page sends back as what it knew of a question: the number of its last step.

        Where that answer counts as blank, or options of it do not apply, the options shown stand behind a colon: what
        was left untouched on this page stays untouched, though the answer may count otherwise when the page is sent.
        """
        seq, shown = self.consultation.seen(question.id), self.path.answer(question.id)
        last = self.consultation.last(question.id)
        if shown == (last.answer if last else None):
            return str(seq)
        codes = shown.value if shown and isinstance(shown.value, list) else []
        return f"{seq}:{','.join(codes)}"

    def panel(self, question: Question) -> Panel | None:
        """The text kept for the answer now."""
        return self.path.panel(question.id)

    def holds(self, question: Question) -> bool:
        """Whether the answer needs a decision before signing."""
        return self.path.level(question.id) in ("U0", "U1")

    def as_shown(self, question: Question) -> str:
        """The answer, its level and the last decision in one word, by which a decision says what it was made about."""
        answer = self.path.answer(question.id)
        made = self.consultation.decisions.get(question.id)
        about = f"{self.consultation.seen(question.id)}:{answer.state if answer else ''}:{self.path.level(question.id)}"
        return f"{about}:{made.seq if made else 0}"

    def decision(self, question: Question) -> Decision | None:
        """The decision that stands for the answer as it is now."""
        return self.consultation.decisions[question.id] if decided(self.consultation, self.path, question) else None

    def earlier_decision(self, question: Question) -> str:
        """The last decision in words, with why it stands no longer; "" where it stands, or none was made."""
        label = decision_label(question, self.consultation, self.path)
        if not label or self.decision(question):
            return ""
        made, begun = self.consultation.decisions[question.id], self.consultation.started_at
        return f"{label}: {decision_in_words(made, self.proforma, begun)}"

    def blocks(self, section: Section) -> list[Block]:
        """The blocks of a section."""
        return [b for b in self.proforma.blocks if b.section == section.id]

    def rest(self, block: Block) -> list[Question]:
        """What "No to the rest" of a block would fill now; nothing for a paper, on which each item stands."""
        return [] if self.consultation.on_paper else rest_of(self.path, block)

    def blank_left(self, block: Block, items: list[Question]) -> int:
        """How many blank findings of a block "No to the rest" leaves to be answered one by one."""
        findings = [q for q in self.proforma.in_block(block.id) if q.kind == "finding" and self.on(q)]
        blank = [q for q in findings if self.answer(q) is None]
        return len(blank) - len(items)

    def choices(self, question: Question) -> list[tuple[str, str]]:
        """The codes and labels of the buttons of a finding or a choice, "not asked" apart."""
        options = [(o.code, o.label) for o in question.options if self.path.offers(o)]
        states = [(s, question.state_label(s)) for s in question.offered_states() if s != "not_asked"]
        return options + states

    def undo(self, block: Block) -> list[str]:
        """What undoing "No to the rest" of a block would take back now."""
        return undo_candidates(self.consultation, self.proforma, block.id)

    def tally(self, section: Section) -> Tally:
        """The rail's counts for a section."""
        on = self.path.on
        asked = [q for q in self.proforma.in_section(section.id) if q.id in on]
        states = [answer.state if (answer := self.path.answer(q.id)) else "" for q in asked]
        not_yet, not_asked = states.count(""), states.count("not_asked")
        left_out = [q.state_label("not_asked").lower() for q, s in zip(asked, states, strict=True) if s == "not_asked"]
        return Tally(
            section,
            recorded=len(states) - not_yet - not_asked,
            not_yet=not_yet,
            left_out=tuple(Counter(left_out).items()) if left_out else (),
            not_established=states.count("unsure") + states.count("declined"),
            positive=states.count("present"),
        )

    def tallies(self) -> list[Tally]:
        """The rail."""
        return self._tallies

    @once
    def _tallies(self) -> list[Tally]:
        earlier, questions = self._since
        before = earlier._tallies if earlier else [None] * len(self.proforma.sections)
        moved = {self.proforma.block(self.proforma.by_id[q].block).section for q in questions}
        both = zip(self.proforma.sections, before, strict=True)
        return [kept if kept and section.id not in moved else self.tally(section) for section, kept in both]

    @once
    def below(self) -> dict[str, object]:
        """What stands below the answer of each question that has a text now, in short, to be compared."""
        earlier, moved = self._since
        found = _still(earlier.below, moved) if earlier else {}
        shown = [q for q in self._again(moved) if self.panel(q) is not None or self.against(q)]
        return found | {q.id: self._below(q) for q in shown}

    def _below(self, question: Question) -> tuple[object, ...]:
        held = self.as_shown(question) if self.holds(question) else ""
        against = [contradiction_in_words(one, self.path) for one in self.against(question)]
        decisions = self.decision(question), self.earlier_decision(question)
        return self.panel(question), decisions, self.still_open(question), held, against

    @once
    def contradictions(self) -> list[Disagreement]:
        """The answers that do not agree now, with each other or with a decision that stands."""
        earlier, moved = self._since
        if earlier is None:
            return self.path.contradictions(self.decisions)
        before = {one.id: one for one in earlier.contradictions}
        found = (
            before.get(one.id) if moved.isdisjoint(one.questions) else self.path.disagreement(one, self.decisions)
            for one in self.proforma.contradictions
        )
        return [one for one in found if one is not None]

    def against(self, question: Question) -> list[Disagreement]:
        """The contradictions that the answer to a question, or the decision about it, has a part in."""
        return [one for one in self.contradictions if question.id in one.questions]

    def still_open(self, question: Question) -> list[str]:
        """The questions whose open answers are why the higher text stands."""
        return [q.id for q in self.path.still_open(question.id)]

    @once
    def offered(self) -> dict[str, list[str]]:
        """The options that apply now, of each question of which some may not."""
        earlier, moved = self._since
        found = _still(earlier.offered, moved) if earlier else {}
        some = [q for q in self._again(moved) if q.conditional]
        return found | {q.id: [o.code for o in q.options if self.path.offers(o)] for q in some}

    @once
    def rests(self) -> dict[str, tuple[int, int, int]]:
        """What "No to the rest" of each block would do now, in numbers: fill, undo, leave blank."""
        earlier, questions = self._since
        found = dict(earlier.rests) if earlier else {}
        moved = {self.proforma.by_id[q].block for q in questions}
        for block in self.proforma.blocks:
            if block.rest and block.id in moved:
                items = self.rest(block)
                found[block.id] = (len(items), len(self.undo(block)), self.blank_left(block, items))
        return found

    def first_control(self) -> str:
        """The id of the first control of the first question on the path: where going past all else leads."""
        question = next(
            q for section in self.proforma.sections for q in self.proforma.in_section(section.id) if self.on(q)
        )
        codes = (
            [code for code, _ in self.choices(question)] if question.kind in ("finding", "choice", "choices") else []
        )
        return ".".join(["a", question.id, *codes[:1]])

    def parked(self) -> list[Question]:
        """The questions whose answers are kept but do not apply now."""
        return self.proforma.in_order(self.path.parked())

    def gate(self) -> Gate:
        """What still holds signing."""
        return self._gate

    @once
    def _gate(self) -> Gate:
        return gate(self.consultation, self.path)

    def not_recorded(self) -> list[Question]:
        """The questions on the path that nothing is recorded for."""
        return self.proforma.in_order(self.blank)

    @once
    def blank(self) -> frozenset[str]:
        """The ids of the questions on the path that nothing is recorded for."""
        earlier, moved = self._since
        if earlier is None:
            return frozenset(q.id for q in not_recorded(self.path))
        return earlier.blank - moved | {q.id for q in self._again(moved) if self.path.answer(q.id) is None}


def _screen_of(state: Consultation | None) -> Screen | None:
    """The screen that was worked out for a state, if there is one."""
    return state.derived.get("screen") if state is not None else None


def _still(shown: Mapping[str, T], moved: frozenset[str]) -> dict[str, T]:
    """What was shown of the questions that are not looked at again."""
    return {question: what for question, what in shown.items() if question not in moved}


def banner_answers(screen: Screen) -> str:
    """What the identity banner says of the answers that belong in view all the time, such as who is present."""
    shown = [screen.proforma.by_id[q] for q in screen.proforma.tagged("banner")]
    said = [f"{q.topic}: {describe(q, screen.answer(q), screen.proforma).lower()}" for q in shown]
    return "; ".join(said)
