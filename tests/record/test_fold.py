"""The fold: any sequence of edits gives the record of the final answers; an emergency never parks; the gesture."""

from hypothesis import given, settings
from hypothesis import strategies as st

from consult.proforma.answer import HELD_STATES, Answer
from consult.proforma.path import Path, group_state, holding, rest_of

REST = "rest_of_red_flags"
OWN = ("case_ref",)
CANCER = [None, Answer("absent"), Answer("present"), Answer("unsure")]


def give(desk, question_id, answer, via="single"):
    """Save as the page would; the answer that stands already is no step."""
    question, seen = desk.question(question_id), desk.now.seen(question_id)
    return desk.store.save(desk.id, question, answer, seen, desk.key(), via, desk.who)


def record_of(desk):
    """All that the record says, but for history: answers, path, parked, levels, groups, case, gate."""
    path, gate = desk.path, desk.gate
    return {
        "answers": {q.id: path.answer(q.id) for q in path.questions() if path.answer(q.id) is not None},
        "path": [q.id for q in path.questions()],
        "parked": path.parked(),
        "levels": {q.id: path.level(q.id) for q in path.questions()},
        "case": {name: text for name, text in desk.case.items() if name not in OWN},
        "gate": ([q.id for q in gate.undecided], [q.id for q in gate.blank]),
    }


@settings(max_examples=100)
@given(data=st.data())
def test_any_sequence_of_edits_gives_the_record_of_the_final_answers(busy_desk, some_answers, data):
    desk = busy_desk
    desk.begin()
    for _ in range(data.draw(st.integers(1, 3), label="rounds")):
        edits = some_answers(data, size=8)
        for question_id, answer in edits.items():
            give(desk, question_id, answer)
        gesture = data.draw(st.sampled_from(["none", "rest", "rest", "undo"]), label="gesture")
        if gesture == "rest":
            give(desk, "cancer_ever", data.draw(st.sampled_from(CANCER), label="M1"))
            desk.store.rest(desk.id, REST, desk.key(), desk.who)
        elif gesture == "undo":
            desk.store.undo_rest(desk.id, REST, desk.key(), desk.who)
        for question_id in data.draw(st.lists(st.sampled_from(sorted(desk.now.answers) or ["sex"]), max_size=3)):
            give(desk, question_id, None)
    edited, now = record_of(desk), desk.now
    final = {q: (a, now.last(q).via) for q, a in now.answers.items()}
    desk.begin()
    for question_id in data.draw(st.permutations(sorted(final)), label="order"):
        give(desk, question_id, *final[question_id])
    assert record_of(desk) == edited


@settings(max_examples=200)
@given(data=st.data())
def test_an_emergency_never_parks(back_pain, some_answers, data):
    answers = some_answers(data)
    path = Path(back_pain.proforma, answers)
    held = {q.id for q in holding(path)}
    for question in back_pain.proforma.questions:
        answer = answers.get(question.id)
        if question.emergency and answer is not None and answer.state in HELD_STATES:
            assert question.id in path
            assert question.id not in path.parked()
            assert path.answer(question.id) == answer
            assert (question.id in held) == (path.level(question.id) in ("U0", "U1"))


@settings(max_examples=200)
@given(data=st.data())
def test_a_group_is_never_absent_while_a_primary_item_is_unanswered(back_pain, some_answers, data):
    answers = some_answers(data)
    groups = {c.group for q in back_pain.proforma.questions for c in q.counts}
    primaries = {
        g: [q for q in back_pain.proforma.questions for c in q.counts if (c.group, c.as_) == (g, "primary")]
        for g in groups
    }
    if (group := data.draw(st.sampled_from([None, *sorted(groups)]))) is not None:
        answers |= {q.id: Answer("absent") for q in primaries[group] if q.kind == "finding"}
    missing = data.draw(st.sampled_from([None, *sorted({q.id for qs in primaries.values() for q in qs})]))
    answers.pop(missing, None)
    path = Path(back_pain.proforma, answers)
    for group in groups:
        on_path = [path.answer(q.id) for q in primaries[group] if q.id in path]
        if group_state(path, group) == "absent":
            assert on_path
            assert None not in on_path
            assert all(answer.state in ("absent", "answered") for answer in on_path)


@settings(max_examples=80)
@given(data=st.data())
def test_the_gesture_fills_only_blank_findings_that_need_not_be_asked_one_by_one(back_pain, some_answers, data):
    answers = some_answers(data)
    path = Path(back_pain.proforma, answers)
    for block in back_pain.proforma.blocks:
        items = rest_of(path, block)
        assert not items or block.rest
        for question in items:
            assert question.kind == "finding"
            assert question.id in path
            assert question.id not in answers
            assert not question.one_by_one
            assert not question.examination
            assert block.section == "red_flags"


@settings(max_examples=30)
@given(data=st.data())
def test_undoing_the_gesture_restores_exactly(busy_desk, some_answers, data):
    desk = busy_desk
    desk.begin()
    for question_id, answer in some_answers(data, size=10).items():
        give(desk, question_id, answer)
    before = record_of(desk)
    filled = desk.store.rest(desk.id, REST, desk.key(), desk.who)
    now = desk.now
    assert {now.last(q).via for q in filled} <= {"group"}
    assert all(now.answers[q].state == "absent" for q in filled)
    assert desk.store.undo_rest(desk.id, REST, desk.key(), desk.who) == filled
    assert record_of(desk) == before


def test_undo_leaves_what_was_changed_after_the_gesture(desk):
    desk.give(cancer_ever="absent")
    filled = desk.store.rest(desk.id, REST, desk.key(), desk.who)
    desk.give(night_pain="present")
    assert desk.store.undo_rest(desk.id, REST, desk.key(), desk.who) == [q for q in filled if q != "night_pain"]
    assert desk.now.answers["night_pain"].state == "present"


def test_a_parked_answer_comes_back_with_its_branch(desk):
    desk.give(neuro_examination="done", exam_power_reduced=["full"])
    desk.give(neuro_examination="not_possible_remote")
    assert desk.path.parked() == ["exam_power_reduced"]
    assert desk.path.answer("exam_power_reduced") is None
    desk.give(neuro_examination="done")
    assert desk.path.answer("exam_power_reduced").value == ["full"]


def test_a_text_of_many_lines_and_any_letter_comes_back_as_it_was_written(desk):
    text = "Ünïcode \u202e “quotes”\n\ttab, 'single' \\ back, \U0001f9e3 and a null-like \\u0000"
    desk.give(clinician_notes=text)
    assert desk.now.answers["clinician_notes"].value == text
