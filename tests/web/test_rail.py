"""The rail counts what is recorded, and never as asked what was not; each question of a section is counted once."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html
from visiting import Service, Visitor

from consult.web.screen import Screen, Tally

STATES = (None, "present", "absent", "unsure", "declined", "not_asked")


def entry(page: str, section: str) -> str:
    """What an entry of the rail says beside its name."""
    (counts,) = html.fromstring(page).xpath(f'//*[@id="rail-{section}"]//*[@class="rail__counts"]')
    return " ".join(counts.text_content().split())


def tallies(desk) -> dict[str, Tally]:
    return {t.section.id: t for t in Screen(desk.now, desk.definition.proforma, desk.path).tallies()}


def test_a_question_that_was_not_asked_is_not_among_those_recorded(service: Service, nurse: Visitor) -> None:
    talk = service.begin()
    findings = ("bladder_emptying_change", "bladder_feeling_change", "new_leaking_or_pads")
    nurse.save(talk, {f"a.{q}": "absent" for q in findings})
    nurse.save(talk, {"reason.saddle_feeling_change": "out_of_time"})
    said = entry(nurse.ask(f"/consultations/{talk}").text, "red_flags")
    assert said.startswith("3 recorded · ")
    assert said.endswith("not yet · 1 not asked")


def test_what_was_not_told_is_recorded_and_not_called_asked(service: Service, nurse: Visitor) -> None:
    talk = service.begin()
    points = ("told_mostly_settles", "told_work_matters", "told_body_and_mind_matter")
    nurse.save(talk, {f"a.{q}": "not_given" for q in points})
    assert entry(nurse.ask(f"/consultations/{talk}").text, "information") == "3 recorded"


def test_an_examination_that_was_left_out_is_called_as_its_question_calls_it(service: Service, nurse: Visitor) -> None:
    talk = service.begin()
    nurse.save(talk, {"a.neuro_examination": "done"})
    nurse.save(talk, {"reason.exam_upper_motor_sign": "too_painful", "reason.exam_significant_deficit": "other"})
    said = entry(nurse.ask(f"/consultations/{talk}").text, "examination")
    assert "1 recorded" in said
    assert said.endswith("1 not examined · 1 not concluded")


@settings(max_examples=25)
@given(data=st.data())
def test_each_question_on_the_path_is_counted_once(busy_desk, data):
    desk = busy_desk
    desk.begin()
    findings = [q.id for q in desk.definition.proforma.asked if q.kind == "finding"]
    chosen = data.draw(st.lists(st.sampled_from(findings), max_size=30, unique=True))
    desk.give(**{q: data.draw(st.sampled_from(STATES), label=q) for q in chosen})
    path = desk.path
    for section, tally in tallies(desk).items():
        answers = [path.answer(q.id) for q in desk.definition.proforma.in_section(section) if q.id in path]
        states = [a.state if a else None for a in answers]
        left_out = sum(n for _, n in tally.left_out)
        assert tally.recorded + tally.not_yet + left_out == len(states)
        assert left_out == states.count("not_asked")
        assert tally.not_yet == states.count(None)
        assert tally.not_established == states.count("unsure") + states.count("declined")
        assert tally.positive == states.count("present")
        assert tally.is_empty == (not states)


@pytest.mark.parametrize("state", ["unsure", "declined"])
def test_an_answer_that_was_not_established_is_recorded_and_named(desk, state):
    desk.give(cancer_ever=state)
    tally = tallies(desk)["red_flags"]
    assert (tally.recorded, tally.not_established, tally.left_out) == (1, 1, ())
