"""The path: which questions apply, given the answers; and what each question's answers mean along it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Set

from msgspec import Struct

from consult.proforma.answer import ANSWERED, Answer
from consult.proforma.model import HOLDING_LEVELS, Block, Contradiction, Count, Option, Panel, Proforma, Question
from consult.proforma.rules import OFF_PATH, Lookup, Rule, Value, holds, is_open, might_hold

Answers = Mapping[str, Answer]


class Disagreement(Struct, frozen=True):
    """A contradiction that holds now, with the decisions that have a part in it, by question."""

    contradiction: Contradiction
    decisions: dict[str, str]

    @property
    def id(self) -> str:
        """The id of the contradiction."""
        return self.contradiction.id

    @property
    def questions(self) -> tuple[str, ...]:
        """The ids of the questions at which it is pointed out, each once: of the answers, and of the decisions."""
        return tuple(dict.fromkeys((*self.contradiction.questions, *self.decisions)))


class Path:
    """The questions on the path for a set of answers, in the order of the proforma.

    A question is off the path when its `show_if` does not hold over the answers on the path before it. An emergency
    question that is present, unsure or declined stays on the path whatever its rule says (ARCHITECTURE, "An emergency
    never parks").
    """

    def __init__(self, proforma: Proforma, answers: Answers, near: Path | None = None) -> None:
        """`near` is a path of nearly the same answers: asked again is only what may be otherwise than there."""
        self.proforma, self.answers = proforma, answers
        moved = proforma.moved_by(differing(near.answers, answers)) if near else proforma.ids
        self._found: dict[str, Answer | None] = near._found.copy() if near else {}
        self._panels: dict[str, Panel | None] = near._panels.copy() if near else {}
        self._values: dict[str, Value] = near._values.copy() if near else {}
        for question_id in moved:
            self._found.pop(question_id, None)
            self._panels.pop(question_id, None)
            self._values[question_id] = OFF_PATH
        self.look_up: Lookup = self._values.__getitem__
        """The value a rule sees: OFF_PATH for a question that does not apply, None for a blank."""
        self._go(question for question in proforma.in_order(moved) if not question.retired)

    def _go(self, questions: Iterable[Question]) -> None:
        """Take these along, in order: what a rule for showing names stands before, so what it sees is final."""
        for question in questions:
            if question.show_if is None or self._applies(question, question.show_if):
                answer = self.answers.get(question.id)
                if answer is not None and answer.state == ANSWERED and question.conditional:
                    answer = self._with_options_on_path(question, answer)
                self._found[question.id] = answer
                self._values[question.id] = answer.as_value() if answer else None

    def after(self, answers: Answers) -> Path:
        """The path of other answers, equal to one made from nothing."""
        return Path(self.proforma, answers, self)

    def _applies(self, question: Question, rule: Rule) -> bool:
        if holds(rule, self.look_up):
            return True
        return question.emergency and question.held(self.answers.get(question.id))

    @property
    def on(self) -> Set[str]:
        """The ids of the questions on the path."""
        return self._found.keys()

    def __contains__(self, question_id: str) -> bool:
        return question_id in self._found

    def questions(self) -> list[Question]:
        """The questions on the path, in order."""
        return [q for q in self.proforma.asked if q.id in self._found]

    def answer(self, question_id: str) -> Answer | None:
        """The answer on the path; None if blank or parked. Options off the path are left out of a list."""
        return self._found.get(question_id)

    def _with_options_on_path(self, question: Question, answer: Answer) -> Answer | None:
        off = {o.code for o in question.conditional if not self.offers(o)}
        if not off:
            return answer
        if isinstance(answer.value, list):
            kept = [code for code in answer.value if code not in off]
            return Answer(answer.state, kept, answer.reason) if kept else None
        return None if answer.value in off else answer

    def offers(self, option: Option) -> bool:
        """Whether an option applies, given the answers."""
        return option.show_if is None or holds(option.show_if, self.look_up)

    def parked(self) -> list[str]:
        """The ids of questions that hold an answer but do not apply now, in order."""
        return [question.id for question in self.proforma.in_order(self.answers.keys() - self._found.keys())]

    def panel(self, question_id: str) -> Panel | None:
        """The text kept for this answer: the first panel for it whose condition holds or might hold."""
        if question_id not in self._panels:
            self._panels[question_id] = self._panel(question_id)
        return self._panels[question_id]

    def _panel(self, question_id: str) -> Panel | None:
        panels = self.proforma.by_id[question_id].panels
        answer = self.answer(question_id) if panels else None
        if answer is None:
            return None
        chosen = _chosen(answer)
        for panel in panels:
            if chosen & set(panel.for_) and (panel.when is None or might_hold(panel.when, self.look_up)):
                return panel
        return None

    def still_open(self, question_id: str) -> list[Question]:
        """The questions whose open answers alone are why the text shown is the higher one; none if its rule holds."""
        panel = self.panel(question_id)
        if panel is None or panel.when is None or holds(panel.when, self.look_up):
            return []
        named = dict.fromkeys(leaf.question or "" for leaf in panel.when.leaves())
        return [self.proforma.by_id[q] for q in named if q in self._found and is_open(self.look_up(q))]

    def contradictions(self, decisions: Mapping[str, str]) -> list[Disagreement]:
        """The answers that do not agree now, with each other or with the decisions that stand, codes by question."""
        found = (self.disagreement(one, decisions) for one in self.proforma.contradictions)
        return [one for one in found if one is not None]

    def disagreement(self, one: Contradiction, decisions: Mapping[str, str]) -> Disagreement | None:
        """A contradiction where it holds now, by the answers and the decisions that stand; None where it does not."""
        made = {question: code for question, code in decisions.items() if code in one.decided}
        if (one.decided and not made) or not holds(one.when, self.look_up):
            return None
        return Disagreement(one, made)

    def level(self, question_id: str) -> str:
        """The level of the text kept for this answer; "none" without one."""
        panel = self.panel(question_id)
        return panel.level if panel else "none"

    def counted_state(self, question_id: str, count: Count) -> str | None:
        """present, absent, unsure, declined or not_asked as this answer counts for a group; None for a blank."""
        answer = self.answer(question_id)
        if answer is None:
            return None
        if answer.state != ANSWERED:
            return answer.state if self._counts_now(count, answer.state) else None
        chosen = _chosen(answer)
        state = "present" if chosen & set(count.present) else "absent" if chosen & set(count.absent) else None
        return state if state and self._counts_now(count, state) else None

    def _counts_now(self, count: Count, state: str) -> bool:
        return state != "present" or count.when is None or holds(count.when, self.look_up)


def differing(one: Mapping[str, object], other: Mapping[str, object]) -> set[str]:
    """The keys under which two mappings do not hold the same."""
    moved = {key for key, there in other.items() if (here := one.get(key)) is not there and here != there}
    return moved | {key for key in one.keys() - other.keys() if one[key] is not None}


def _chosen(answer: Answer) -> set[str]:
    if answer.state != ANSWERED:
        return {answer.state}
    if isinstance(answer.value, list):
        return set(answer.value)
    return {answer.value} if isinstance(answer.value, str) else {ANSWERED}


def group_state(path: Path, group: str) -> str:
    """The state of one group of the data set: present, absent, unable, not_asked or "" (nothing recorded).

    present if any counted item is; absent only if at least one primary item is on the path and each of those is
    absent; unable if each is answered, none is present and one or more were unsure or declined; else not_asked.
    """
    primary: list[str | None] = []
    for question, count in path.proforma.counting_for.get(group, ()):
        if question.id not in path:
            continue
        state = path.counted_state(question.id, count)
        if state == "present":
            return "present"
        if count.as_ == "primary":
            primary.append(state)
    if not any(primary):
        return ""
    if all(state == "absent" for state in primary):
        return "absent"
    if all(state in ("absent", "unsure", "declined") for state in primary):
        return "unable"
    return "not_asked"


def rest_of(path: Path, block: Block, among: Collection[str] | None = None) -> list[Question]:
    """The items "No to the rest" fills now: blank findings of the block that need not be asked one by one.

    An item whose `one_by_one_if` holds once the other items of the gesture are absent is left out, and so on until
    nothing changes; examinations and items marked one by one never count. `among` limits the gesture to the items that
    were seen blank.
    """
    if not block.rest:
        return []
    items = [q for q in path.proforma.in_block(block.id) if _may_rest(path, q) and (among is None or q.id in among)]
    while any(q.one_by_one_if is not None for q in items):
        filled = {**path.answers, **{q.id: Answer("absent") for q in items}}
        after = path.after(filled)
        kept = [q for q in items if q.one_by_one_if is None or not holds(q.one_by_one_if, after.look_up)]
        if len(kept) == len(items):
            break
        items = kept
    return items


def to_ask_again(path: Path, grouped: Collection[str]) -> set[str]:
    """Of the items a gesture filled, those that by other answers now must be asked one by one.

    They count as blank until they are answered singly, so that the order of answers never decides what was asked.
    """
    return {
        q.id
        for q in path.proforma.in_order(grouped)
        if q.one_by_one_if is not None and holds(q.one_by_one_if, path.look_up)
    }


def _may_rest(path: Path, question: Question) -> bool:
    return (
        question.kind == "finding"
        and question.id in path
        and question.id not in path.answers
        and not question.one_by_one
        and not question.examination
    )


def holding(path: Path) -> list[Question]:
    """The questions whose answer has a text of level U0 or U1 kept for it now: each needs a decision before signing."""
    return [q for q in path.proforma.emergencies if path.level(q.id) in HOLDING_LEVELS]


def blank_emergencies(path: Path) -> list[Question]:
    """The U0 questions nothing is recorded for."""
    return [q for q in path.proforma.first_of_all if q.id in path and path.answer(q.id) is None]
