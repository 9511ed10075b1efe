"""What is worked out from the state before is what would be worked out from nothing, in everything that is shown.

An answer has only those questions looked at again that its proforma's rules connect with it. These tests take random
steps through the proforma that ships and through small ones, and compare after each step.
"""

from __future__ import annotations

import gc
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consult.audit.measures import headings_met, outcomes
from consult.audit.measures_file import load_measures
from consult.documents import signing
from consult.proforma.answer import ANSWERED, Answer
from consult.proforma.load import parse_definition
from consult.proforma.model import ARRANGEMENT_PARTS
from consult.proforma.path import Path as Way
from consult.proforma.path import group_state
from consult.proforma.rules import rules_in
from consult.record.consultation import contradictions, fold, path_of, standing_answers
from consult.record.library import Library
from consult.record.opening import open_database
from consult.record.store import Step, Store
from consult.web.screen import Screen

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "proformas" / "back-pain"
SMALL = sorted((ROOT / "tests" / "definitions").glob("*.toml"))


def definitions():
    """The proforma that ships, and each small one over the same data set."""
    texts = {file.name: file.read_text("utf-8") for file in SHIPPED.glob("*.toml")}
    dataset = {"dataset.toml": texts["dataset.toml"]}
    yield parse_definition(dataset | {"proforma.toml": texts["proforma.toml"]})
    for file in SMALL:
        yield parse_definition(dataset | {"proforma.toml": file.read_text("utf-8")})


DEFINITIONS = {definition.proforma.id: definition for definition in definitions()}


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """A store for each definition; nothing is written to it."""
    made = {}
    for name, definition in DEFINITIONS.items():
        db = open_database(tmp_path_factory.mktemp(name) / "consult.sqlite3")
        made[name] = Store(db, Library(definition))
    yield made
    for store in made.values():
        store.db.close()


def some_answer(draw: Random, question):
    """An answer that a question can have, or None for its removal."""
    states = [*question.offered_states()]
    if question.kind == "finding" and draw.random() < 0.4:
        return Answer("present")
    kinds = ["none", *(["state"] * 3 if states else []), *(["value"] * 3 if question.kind != "finding" else [])]
    kind = draw.choice(kinds)
    if kind == "none":
        return None
    if kind == "state":
        state = draw.choice(states)
        return Answer(state, None, "other" if state == "not_asked" else "")
    codes = [option.code for option in question.options]
    value = {
        "choice": lambda: draw.choice(codes),
        "choices": lambda: draw.sample(codes, draw.randint(1, min(3, len(codes)))),
        "number": lambda: draw.randint(question.min, question.max),
        "date": lambda: "2026-03-02",
        "text": lambda: draw.choice(["a word", "another"]),
        "arrangement": lambda: {ARRANGEMENT_PARTS[0]: "no lifting"},
    }[question.kind]()
    return Answer(ANSWERED, value)


class Talk:
    """Steps of one consultation, drawn at random."""

    def __init__(self, draw: Random, definition) -> None:
        self.draw, self.definition, self.steps = draw, definition, []
        self.named = {q.id: {leaf.question for rule in rules_in(q) for leaf in rule.leaves()} for q in self.questions}
        self.about = draw.choice(self.questions).id
        content = {"employee": "e", "site": "S", "provider": "P", "attendance": "in_person", "held_on": "2026-11-27"}
        self._add(
            "consultation_started",
            content | {"definition": definition.digest, "capture_mode": "live", "age_band": "45-54"},
        )

    def _add(self, kind, content, question=""):
        seq = len(self.steps) + 1
        self.steps.append(Step(seq, "c", kind, question, content, "n", "nurse", "2026-11-27T10:00:00Z", f"k{seq}", ""))

    def go_on(self, path) -> list[Step]:
        """One to three more steps: mostly answers, now and then what else can happen."""
        known, self.path = len(self.steps), path
        for _ in range(self.draw.choice((1, 1, 1, 3))):
            what = self.draw.choices(
                (
                    self._answer,
                    self._gesture,
                    self._decide,
                    self._explain,
                    self._give,
                    self._take_back,
                    self._report,
                    self._take_over,
                ),
                (20, 2, 3, 1, 1, 1, 1, 1),
            )[0]
            what()
        return self.steps[known:]

    @property
    def questions(self):
        return self.definition.proforma.questions

    def _answer(self):
        """Mostly of a question that a rule connects with the one before, as there something can go wrong."""
        near = [q for q in self.questions if self.about in self.named[q.id] or q.id in self.named[self.about]]
        question = self.draw.choice(near if near and self.draw.random() < 0.8 else self.questions)
        self.about = question.id
        self._put(question.id, some_answer(self.draw, question), "single")

    def _put(self, question, answer, via):
        if answer is None:
            self._add("answer_removed", {"via": via}, question)
        else:
            content = {"state": answer.state, "value": answer.value, "reason": answer.reason, "via": via}
            self._add("answer_given", content, question)

    def _gesture(self):
        block = self.draw.choice(self.definition.proforma.blocks)
        for question in self.definition.proforma.in_block(block.id):
            if question.kind == "finding" and self.draw.random() < 0.7:
                self._put(question.id, Answer("absent"), "group")

    def _decide(self):
        some = [q for q in self.path.questions() if self.path.answer(q.id) is not None and q.panels]
        if some:
            question = self.draw.choice(some)
            code = self.draw.choice([*self.definition.proforma.decisions])
            said = {"decision": code, "reason": "because", "told": ""}
            states = [self.path.answer(question.id).state]
            levels = [self.draw.choice([self.path.level(question.id), "U2"])]
            self._add("decision_recorded", {"questions": [question.id], "states": states, "levels": levels} | said)

    def _explain(self):
        blank = [q.id for q in self.definition.proforma.asked if q.asked_first]
        if blank:
            self._add("blank_emergencies_explained", {"reason": "other", "questions": [self.draw.choice(blank)]})

    def _give(self):
        self._add("leaflet_given", {"form": self.draw.choice(["printed", "link"])})

    def _take_back(self):
        given = [step.seq for step in self.steps if step.kind == "leaflet_given"]
        if given:
            self._add("leaflet_not_given", {"given": self.draw.choice(given)})

    def _report(self):
        self._add("report_made", {"adjustments": {}})

    def _take_over(self):
        self._add("consultation_taken_over", {"from": "n", "reason": "shift"})


def everything(store, screen):
    """All that is worked out from a state, by name."""
    path, proforma = screen.path, screen.proforma
    counting = [(q.id, n, path.counted_state(q.id, c)) for q in proforma.questions for n, c in enumerate(q.counts)]
    return {
        "on the path": path.on,
        "answers": {q: path.answer(q) for q in proforma.by_id},
        "panels": {q: path.panel(q) for q in proforma.by_id},
        "levels": {q: path.level(q) for q in proforma.by_id},
        "still open": {q: path.still_open(q) for q in proforma.by_id},
        "parked": path.parked(),
        "contradictions": screen.contradictions,
        "contradictions of the path": contradictions(screen.consultation, path),
        "counted": counting,
        "groups": {group: group_state(path, group) for group in proforma.groups},
        "offered": screen.offered,
        "below": screen.below,
        "rests": screen.rests,
        "rail": screen.tallies(),
        "gate": screen.gate(),
        "not recorded": screen.not_recorded(),
        "known": {q.id: screen.known(q) for q in proforma.questions},
        "decisions": {q.id: screen.decision(q) for q in proforma.questions},
        "case": signing.case_so_far(store, screen.consultation),
    }


def from_nothing(store, definition, consultation):
    """The screen of the same steps, of which nothing was known before."""
    answers = standing_answers(consultation, definition.proforma)
    return Screen(consultation, definition.proforma, Way(definition.proforma, answers))


def about(screen, question):
    """What is shown of one question: its control, what stands below it, and what the page knows of it."""
    path = screen.path
    decided = screen.decision(question)
    return (
        question.id in path,
        path.answer(question.id),
        screen.offered.get(question.id),
        screen.below.get(question.id),
        screen.known(question),
        decided,
    )


@pytest.mark.parametrize("name", DEFINITIONS)
@settings(max_examples=25)
@given(draw=st.randoms(use_true_random=False))
def test_after_any_steps_everything_is_as_it_would_be_from_nothing(stores, name, draw):
    store, definition = stores[name], DEFINITIONS[name]
    talk = Talk(draw, definition)
    now = fold("c", talk.steps)
    before = Screen.of(store, now)
    everything(store, before)
    for _ in range(12):
        now = now.after(talk.go_on(path_of(now, definition)))
        screen = Screen.of(store, now)
        fresh = from_nothing(store, definition, fold("c", talk.steps))
        assert everything(store, screen) == everything(store, fresh)
        assert now.derived[signing.CASE] == signing.case_of(store, fold("c", talk.steps))
        differ = screen.may_differ(before)
        still = [q for q in definition.proforma.questions if q.id not in differ]
        assert [about(screen, q) for q in still] == [about(before, q) for q in still]
        assert before.consultation.earlier is None, "no more than one state before is kept"
        before = screen


def test_of_all_the_screens_before_only_the_last_is_kept(stores):
    name, definition = next(iter(DEFINITIONS.items()))
    store, talk = stores[name], Talk(Random(1), definition)
    now = fold("kept", talk.steps)
    gc.disable()  # what is let go is gone at once, and waits for no search for garbage
    try:
        for _ in range(6):
            everything(store, Screen.of(store, now))
            now = now.after(talk.go_on(path_of(now, definition)))
        everything(store, Screen.of(store, now))
        assert screens_of("kept") == 2
        now.let_go()
        assert screens_of("kept") == 0
    finally:
        gc.enable()


def screens_of(consultation_id):
    """How many screens of a consultation there are in memory."""
    return sum(type(one) is Screen and one.consultation.id == consultation_id for one in gc.get_objects())


@settings(max_examples=25)
@given(draw=st.randoms(use_true_random=False))
def test_headings_from_those_before_are_those_of_the_case(stores, draw):
    definition = DEFINITIONS["back_pain"] if "back_pain" in DEFINITIONS else next(iter(DEFINITIONS.values()))
    store, measures = stores[definition.proforma.id], load_measures(SHIPPED, definition.dataset)
    talk, known = Talk(draw, definition), None
    now = fold("c", talk.steps)
    for _ in range(15):
        case = signing.case_so_far(store, now)
        whole = outcomes(measures, definition.dataset, case)
        met = headings_met(measures, definition.dataset, case, known)
        assert met == {id_: whole[id_] for id_ in measures.national}
        known = (case, met)
        now = now.after(talk.go_on(path_of(now, definition)))


def test_one_answer_has_few_questions_looked_at_again():
    proforma = next(iter(DEFINITIONS.values())).proforma
    again = [len(proforma.moved_by([q.id])) for q in proforma.questions]
    assert max(again) < len(again) / 3
    assert sum(again) / len(again) < len(again) / 10
