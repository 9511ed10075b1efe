"""Each text kept for an answer is true of every answer that shows it: what was left open is not said to be there."""

from __future__ import annotations

import re
from pathlib import Path as FilePath

import pytest

from consult.proforma.answer import ANSWERED, Answer
from consult.proforma.load import load_definition
from consult.proforma.model import Panel, Proforma, Question
from consult.proforma.path import Path, might_hold
from consult.proforma.rules import holds

PROFORMA = load_definition(FilePath(__file__).parents[2] / "proformas" / "back-pain").proforma
LEFT_OPEN = ("unsure", "declined")
OTHERS = (None, *("present", "absent", "unsure", "declined", "not_asked"))
SHOWN = [(q.id, code) for q in PROFORMA.asked for code in dict.fromkeys(c for p in q.panels for c in p.for_)]


def lead(panel: Panel) -> str:
    """What a text says there is, before it says what is kept for it."""
    return panel.text.partition(" The kept route")[0]


def answer_of(question: Question, code: str) -> Answer:
    if code in question.offered_states():
        return Answer(code, None, "other" if code == "not_asked" else "")
    return Answer(ANSWERED, [code] if question.kind == "choices" else code)


def with_others(proforma: Proforma, id_: str, code: str, others: str | None) -> Path:
    """The path where this question is answered so, and every other finding has one state, or is blank."""
    given = {q.id: Answer(others, None, "other") for q in proforma.asked if q.kind == "finding" and others}
    given |= {"neuro_examination": Answer(ANSWERED, "done"), id_: answer_of(proforma.by_id[id_], code)}
    return Path(proforma, given)


def test_the_table_holds_every_text() -> None:
    assert len(SHOWN) == 124
    assert {q for q, _ in SHOWN} == {q.id for q in PROFORMA.asked if q.panels}


@pytest.mark.parametrize(("id_", "code"), SHOWN)
def test_a_text_shown_for_an_answer_left_open_says_that_it_may_be_one(id_: str, code: str) -> None:
    question = PROFORMA.by_id[id_]
    for panel in (p for p in question.panels if code in p.for_):
        left_open = "or not ruled out" in lead(panel)
        assert left_open or code not in LEFT_OPEN, lead(panel)


@pytest.mark.parametrize(("id_", "code"), SHOWN)
def test_a_text_shown_because_another_answer_is_open_says_so(id_: str, code: str) -> None:
    seen = 0
    for others in OTHERS:
        path = with_others(PROFORMA, id_, code, others)
        panel = path.panel(id_) if id_ in path else None
        if panel is None or panel.when is None:
            continue
        seen += 1
        assert might_hold(panel.when, path.look_up)
        assert holds(panel.when, path.look_up) or "still open" in lead(panel), (others, lead(panel))
    assert bool(seen) == any(code in p.for_ and p.when is not None for p in PROFORMA.by_id[id_].panels)


@pytest.mark.parametrize(("id_", "code"), SHOWN)
def test_what_the_employee_is_told_takes_nothing_for_established(id_: str, code: str) -> None:
    for panel in (p for p in PROFORMA.by_id[id_].panels if code in p.for_):
        told = panel.text.partition("Tell the employee")[2]
        assert not re.search(r"because of the|your (immunity|cancer|fever|injury)|thank you for saying", told), told


@pytest.mark.parametrize("question", [q for q in PROFORMA.asked if q.options], ids=lambda q: q.id)
def test_what_is_chosen_reads_by_itself_in_note_and_report(question: Question) -> None:
    for option in question.options:
        assert not re.search(r"\bbecause$|[,:;]$|\b(say|write|see) .*\b(below|above|notes)\b", option.label), (
            option.label
        )


def test_what_is_said_to_be_used_only_for_the_audit_decides_nothing_else() -> None:
    read = frozenset().union(*(question.reads for question in PROFORMA.asked))
    only = [q.id for q in PROFORMA.asked if "Used only" in q.why]
    assert only
    assert not set(only) & read


def test_a_need_in_reading_that_is_ticked_as_one_in_talking_says_where_it_takes_effect() -> None:
    question = PROFORMA.by_id["communication_needs"]
    for option in question.options:
        panel = Path(PROFORMA, {question.id: Answer(ANSWERED, [option.code])}).panel(question.id)
        about_reading = option.code in ("sign_language", "large_print", "easy_read", "other_need")
        assert (panel is not None and "needs to read" in panel.text) == about_reading
    assert "follow from this" not in question.why
