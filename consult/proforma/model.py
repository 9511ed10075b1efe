"""The proforma as data: sections, blocks, questions, options, panels, and the fields they fill."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import cached_property
from typing import Final, Literal, get_args

from msgspec import field

from consult.proforma.answer import ANSWERED, FINDING_STATES, HELD, HELD_STATES, Answer
from consult.proforma.rules import Rule, rules_in
from consult.proforma.strict import Strict

Kind = Literal["finding", "choice", "choices", "number", "date", "text", "arrangement"]
Level = Literal["U0", "U1", "U2", "U3", "none"]
LEVELS: Final[tuple[Level, ...]] = get_args(Level)
"""The levels, the most urgent first."""
HOLDING_LEVELS: Final = frozenset({"U0", "U1"})
ROUTES: Final = ("emergency_department", "cord_compression", "spinal_on_call", "same_day", "crisis")
RELEASE_EVENTS: Final = (
    "explained",
    "consent_given",
    "consent_withheld",
    "consent_withdrawn",
    "no_recipient",
    "copy_before",
    "copy_same_time",
    "copy_none",
)
ARRANGEMENT_PARTS: Final = ("what", "start", "end", "review", "no_end_reason")
STATE_LABELS: Final = {
    "present": "Yes",
    "absent": "No",
    "unsure": "Could not establish",
    "declined": "Declined",
    "not_asked": "Not asked",
}

Sets = dict[str, str]
Adds = dict[str, tuple[str, ...]]


class Option(Strict, frozen=True, kw_only=True):
    """One thing a choice can be; `alone` excludes the others, `show_if` leaves it out unless the rule holds.

    `release` names what choosing it means for the report to the manager, in order (RELEASE_EVENTS).
    """

    code: str
    label: str
    sets: Sets = {}
    adds: Adds = {}
    alone: bool = False
    show_if: Rule | None = None
    release: tuple[str, ...] = ()


class Count(Strict, frozen=True, kw_only=True):
    """How an answer counts for a group of the data set (primary items must be answered, plus items only add)."""

    group: str
    as_: Literal["primary", "plus"]
    when: Rule | None = None
    present: tuple[str, ...] = ("present",)
    absent: tuple[str, ...] = ("absent",)


class Panel(Strict, frozen=True, kw_only=True):
    """Text kept for an answer, its level and the routes of the site it names."""

    level: Level
    text: str
    route: tuple[str, ...] = ()
    when: Rule | None = None
    for_: tuple[str, ...] = HELD
    source: tuple[str, ...] = ()


class Done(Strict, frozen=True, kw_only=True):
    """What a fact of the consultation (a leaflet given, a report made, a decision) puts into the case."""

    fact: str
    sets: Sets = {}
    adds: Adds = {}
    else_sets: Sets = {}
    when: Rule | None = None


class Contradiction(Strict, frozen=True, kw_only=True):
    """Answers that do not agree while the rule holds: pointed out, and left as they are until one is changed.

    With `decided` they do not agree with a decision of one of these codes, and do so only while one stands.
    """

    id: str
    when: Rule
    decided: tuple[str, ...] = ()
    text: str
    source: tuple[str, ...]

    @cached_property
    def questions(self) -> tuple[str, ...]:
        """The ids of the questions whose answers do not agree, each once."""
        return tuple(dict.fromkeys(leaf.question for leaf in self.when.leaves() if leaf.question))


class Section(Strict, frozen=True, kw_only=True):
    """A part of the talk, one entry of the rail."""

    id: str
    title: str
    short: str = ""


class Block(Strict, frozen=True, kw_only=True):
    """Questions that stand together; `rest` offers "No to the rest" at their end, `folded` shows the title only."""

    id: str
    section: str
    title: str
    say: str = ""
    rest: bool = False
    folded: bool = False


class Question(Strict, frozen=True, kw_only=True):
    """One question of the proforma with its wording, its source, its kept text and the fields it fills."""

    id: str
    ref: str = ""
    block: str
    kind: Kind
    ask: str
    say: str = ""
    why: str = ""
    source: tuple[str, ...] = ()
    labels: dict[str, str] = {}
    options: tuple[Option, ...] = ()
    states: tuple[Literal["unsure", "declined", "not_asked"], ...] = ()
    reasons: dict[str, str] = {}
    show_if: Rule | None = None
    one_by_one: bool = False
    one_by_one_if: Rule | None = None
    examination: bool = False
    tags: tuple[str, ...] = ()
    report: Literal["never", "ticked", "always"] = "never"
    report_unless: Rule | None = None
    report_as: str = ""
    min: int | None = None
    max: int | None = None
    unit: str = ""
    rows: int = 2
    counts: tuple[Count, ...] = ()
    sets: dict[str, Sets] = {}
    adds: dict[str, Adds] = {}
    asked: tuple[str, ...] = ()
    copies: str = ""
    panels: tuple[Panel, ...] = ()
    retired: bool = False

    @cached_property
    def topic(self) -> str:
        """What it asks, without the question mark: as it stands before an answer, and in a sentence."""
        return self.ask.rstrip("?")

    @cached_property
    def report_topic(self) -> str:
        """The same in a report to the manager, which may call it otherwise."""
        return self.report_as or self.topic

    @cached_property
    def conditional(self) -> tuple[Option, ...]:
        """The options that apply only while a rule holds."""
        return tuple(option for option in self.options if option.show_if is not None)

    @cached_property
    def reads(self) -> frozenset[str]:
        """The ids of the questions that any of its rules names."""
        return frozenset(leaf.question for rule in rules_in(self) for leaf in rule.leaves() if leaf.question)

    @cached_property
    def fills(self) -> frozenset[str]:
        """The names of the fields of the data set that its answers may fill."""
        by_set = {name for sets in (*self.sets.values(), *(o.sets for o in self.options)) for name in sets}
        by_add = {name for adds in (*self.adds.values(), *(o.adds for o in self.options)) for name in adds}
        own = {*self.asked, *(count.group for count in self.counts), self.copies} - {""}
        return frozenset(by_set | by_add | own)

    @cached_property
    def is_scale(self) -> bool:
        """Whether it is a number of so few steps that each one is a button: 0 to 10 at most."""
        return self.kind == "number" and self.min == 0 and self.max is not None and self.max <= 10

    @cached_property
    def emergency(self) -> bool:
        """Whether a kept text of this question is U0 or U1: such a question never parks once it is not absent."""
        return any(panel.level in HOLDING_LEVELS for panel in self.panels)

    @cached_property
    def base_level(self) -> str:
        """The level of a plain positive answer, whatever else is recorded: that of the last panel without a `when`."""
        return next((p.level for p in reversed(self.panels) if p.when is None), "none")

    @cached_property
    def asked_first(self) -> bool:
        """Whether this is a U0 question to the employee, whose blank holds signing until a reason is given."""
        return self.base_level == "U0" and self.kind == "finding" and not self.examination and self.show_if is None

    def state_label(self, state: str) -> str:
        """The words for a state on screen and in the note."""
        return self.labels.get(state, STATE_LABELS.get(state, state))

    def offered_states(self) -> tuple[str, ...]:
        """The states this question may be given, beside a value."""
        return FINDING_STATES if self.kind == "finding" else self.states

    def option(self, code: str) -> Option | None:
        """The option with this code, or None."""
        return next((o for o in self.options if o.code == code), None)

    def held(self, answer: Answer | None) -> bool:
        """Whether the answer is one that must not slip away: present, unsure, declined, or an option a panel is for."""
        if answer is None:
            return False
        if answer.state in HELD_STATES:
            return True
        chosen = answer.value if isinstance(answer.value, list) else [answer.value]
        return answer.state == ANSWERED and any(c in p.for_ for p in self.panels for c in chosen)


OTHER: Final = "other"
"""The reason that is always offered, and asks for words of its own."""


def _only_other() -> dict[str, str]:
    return {OTHER: "Another reason"}


class Reasons(Strict, frozen=True, kw_only=True):
    """Why a consultation did not go to its end as planned: codes and labels, each with `other` among them."""

    blank: dict[str, str] = field(default_factory=_only_other)
    without_signing: dict[str, str] = field(default_factory=_only_other)
    in_error: dict[str, str] = field(default_factory=_only_other)


NO_REASONS: Final = Reasons()


class Proforma(Strict, frozen=True, kw_only=True):
    """The agreed consultation as data; ids are unique, and every reference has been checked by the loader."""

    id: str
    title: str
    version: str
    language: str = "en-GB"
    owner: str
    licence: str
    review_by: date
    status: Literal["draft"]
    sources: dict[str, str]
    not_asked_reasons: dict[str, str]
    reasons: Reasons = NO_REASONS
    decisions: dict[str, str]
    emergency_decisions: tuple[str, ...] = ()
    report_when: Rule | None = None
    never_in_report: tuple[str, ...] = ()
    sections: tuple[Section, ...]
    blocks: tuple[Block, ...]
    questions: tuple[Question, ...]
    contradictions: tuple[Contradiction, ...] = ()
    done: tuple[Done, ...] = ()

    @cached_property
    def standing_open(self) -> tuple[frozenset[str], ...]:
        """Of each section the ids of the questions that are in no group that is folded."""
        unfolded = {block.id for block in self.blocks if not block.folded}
        return tuple(
            frozenset(question.id for question in self.in_section(section.id) if question.block in unfolded)
            for section in self.sections
        )

    @cached_property
    def by_id(self) -> dict[str, Question]:
        """The questions by id."""
        return {question.id: question for question in self.questions}

    @cached_property
    def ids(self) -> frozenset[str]:
        """The ids of all questions."""
        return frozenset(self.by_id)

    @cached_property
    def _blocks_by_id(self) -> dict[str, Block]:
        return {block.id: block for block in self.blocks}

    def block(self, block_id: str) -> Block:
        """The block with this id."""
        return self._blocks_by_id[block_id]

    @cached_property
    def _questions_by_block(self) -> dict[str, list[Question]]:
        groups: dict[str, list[Question]] = {block.id: [] for block in self.blocks}
        for question in self.questions:
            groups[question.block].append(question)
        return groups

    def in_block(self, block_id: str) -> list[Question]:
        """The questions of one block in order; retired ones are left out."""
        return [q for q in self._questions_by_block[block_id] if not q.retired]

    @cached_property
    def _questions_by_section(self) -> dict[str, list[Question]]:
        return {s.id: [q for b in self.blocks if b.section == s.id for q in self.in_block(b.id)] for s in self.sections}

    def in_section(self, section_id: str) -> list[Question]:
        """The questions of one section in order."""
        return list(self._questions_by_section[section_id])

    @cached_property
    def asked(self) -> tuple[Question, ...]:
        """The questions that are still asked, in order."""
        return tuple(question for question in self.questions if not question.retired)

    @cached_property
    def _place(self) -> dict[str, int]:
        """Where each question stands in the order, by id."""
        return {question.id: number for number, question in enumerate(self.questions)}

    def in_order(self, ids: Iterable[str]) -> list[Question]:
        """The questions with these ids, in order; an id that names none is left out."""
        return [self.questions[number] for number in sorted(self._place[id_] for id_ in ids if id_ in self._place)]

    @cached_property
    def emergencies(self) -> tuple[Question, ...]:
        """The questions still asked that an answer to may need a decision, in order."""
        return tuple(question for question in self.asked if question.emergency)

    @cached_property
    def first_of_all(self) -> tuple[Question, ...]:
        """The U0 questions still asked, in order."""
        return tuple(question for question in self.asked if question.asked_first)

    @cached_property
    def opening(self) -> frozenset[str]:
        """The questions whose answer may bring up the next question, or one of a row of such questions below it."""
        found, above = set[str](), set[str]()
        for question in self.asked:
            reads = {leaf.question for leaf in question.show_if.leaves()} if question.show_if else set()
            found |= above & reads
            above = above | {question.id} if question.show_if else {question.id}
        return frozenset(found)

    @cached_property
    def _moved_by(self) -> dict[str, frozenset[str]]:
        """By question, those that read its answer, or read one that does, and so on; and the question itself.

        So are those at which it is said that one of these does not agree with them; of that nothing else is worked out.
        """
        readers: dict[str, set[str]] = {question.id: set() for question in self.questions}
        for question in self.questions:
            for named in question.reads & readers.keys():
                readers[named].add(question.id)
        reached = {id_: _reached(id_, readers) for id_ in readers}
        return {id_: found | self._said_with(found) for id_, found in reached.items()}

    def _said_with(self, ids: frozenset[str]) -> frozenset[str]:
        return frozenset(q for one in self.contradictions if ids & set(one.questions) for q in one.questions)

    def moved_by(self, changed: Iterable[str]) -> frozenset[str]:
        """The ids of the questions about which anything may be otherwise once the answers to these are.

        All that is worked out of a question comes from its own answer and from those that its rules name. So nothing
        else than this can differ, and it needs no list: it is read off the rules, once for a proforma.
        """
        return frozenset().union(*(self._moved_by.get(id_, ()) for id_ in changed))

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """The groups of the data set that answers count for, each once."""
        return tuple(dict.fromkeys(count.group for question in self.questions for count in question.counts))

    @cached_property
    def filling(self) -> dict[str, frozenset[str]]:
        """By field of the data set, the ids of the questions whose answers may fill it."""
        names = frozenset().union(*(question.fills for question in self.questions))
        return {name: frozenset(q.id for q in self.questions if name in q.fills) for name in names}

    @cached_property
    def filled_by_done(self) -> frozenset[str]:
        """The names of the fields of the data set that what was done, or not done, fills."""
        return frozenset(name for done in self.done for name in (*done.sets, *done.else_sets, *done.adds))

    @cached_property
    def counting_for(self) -> dict[str, list[tuple[Question, Count]]]:
        """What counts for each group, in order."""
        found: dict[str, list[tuple[Question, Count]]] = {group: [] for group in self.groups}
        for question in self.questions:
            for count in question.counts:
                found[count.group].append((question, count))
        return found

    @cached_property
    def deciding(self) -> frozenset[str]:
        """The ids of the questions a U0 or U1 text turns on: red flags, and the details of their levels."""
        urgent = [p.when for q in self.questions for p in q.panels if p.level in HOLDING_LEVELS and p.when is not None]
        details = {leaf.question for rule in urgent for leaf in rule.leaves() if leaf.question is not None}
        return frozenset(details | set(self.tagged("red_flag")))

    def tagged(self, tag: str) -> list[str]:
        """The ids of the questions that bear a tag."""
        return list(self._by_tag.get(tag, ()))

    @cached_property
    def _by_tag(self) -> dict[str, list[str]]:
        tags = {tag for question in self.asked for tag in question.tags}
        return {tag: [q.id for q in self.asked if tag in q.tags] for tag in tags}


def _reached(start: str, readers: dict[str, set[str]]) -> frozenset[str]:
    found, waiting = {start}, [start]
    while waiting:
        new = readers[waiting.pop()] - found
        found |= new
        waiting += new
    return frozenset(found)
