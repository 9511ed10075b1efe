"""The note: every red flag named with its state, blanks spelled out, nothing parked, and nobody's name."""

import hashlib
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consult.documents import signing
from consult.documents.note import WIDTH, after_signing, closed, note
from consult.proforma.answer import Answer
from consult.record import ledger

STATE_WORDS = {
    "present": "Yes",
    "absent": "No",
    "unsure": "Could not establish",
    "declined": "Declined",
    "not_asked": "Not asked",
}


def flat(text):
    return " ".join(text.split())


def said_of(text, question):
    """The words before the question in the statement of the findings that names it."""
    ask = flat(question.ask.rstrip("?"))
    body = flat(text.split("NOT RECORDED")[0])
    before = body[: body.index(ask)]
    labels = [*STATE_WORDS.values(), *question.labels.values(), "Not recorded", "Not examined", "Not concluded"]
    found = re.findall(rf"({'|'.join(labels)})(?: \([^)]*\))*: ", before)
    return found[-1]


def red_flags(path):
    return [q for q in path.questions() if "red_flag" in q.tags]


def test_an_empty_consultation_names_every_red_flag_as_not_recorded(desk):
    text = note(desk.now, desk.path)
    assert len(red_flags(desk.path)) >= 25
    assert {said_of(text, q) for q in red_flags(desk.path)} == {"Not recorded"}
    assert "No:" not in text


@settings(max_examples=25)
@given(data=st.data())
def test_every_red_flag_on_the_path_stands_in_the_note_with_its_state(busy_desk, data):
    desk = busy_desk
    desk.begin()
    every = [q for q in desk.definition.proforma.questions if "red_flag" in q.tags]
    states = st.one_of(st.none(), st.sampled_from(list(STATE_WORDS)))
    words = {q.id: data.draw(states, label=q.id) for q in every}
    desk.give(neuro_examination=data.draw(st.sampled_from([None, "done", "not_possible_pain"])), **words)
    path = desk.path
    text = note(desk.now, path)
    for question in red_flags(path):
        answer = path.answer(question.id)
        expected = question.state_label(answer.state) if answer else "Not recorded"
        assert said_of(text, question) == expected, question.id
    for question in every:
        if question.id not in path:
            assert flat(question.ask.rstrip("?")) not in flat(text)


def test_a_parked_answer_is_nowhere(desk):
    desk.give(
        neuro_examination="not_done_other",
        neuro_examination_reason="the couch was quokka",
        adjustment_types=["altered_hours"],
        altered_hours_plan={"what": "wombat mornings"},
        report_consent="given",
        can_do_at_work="numbat duties",
        stay_or_return_advice="not_appropriate",
        stay_or_return_reason="bilby reason",
    )
    text = flat(note(desk.now, desk.path))
    assert all(word in text for word in ("quokka", "wombat", "numbat", "bilby"))
    desk.give(
        neuro_examination="done",
        adjustment_types=["not_indicated"],
        report_consent="withheld",
        stay_or_return_advice="given",
    )
    assert len(desk.path.parked()) == 4
    everywhere = note(desk.now, desk.path) + str(desk.case)
    assert not [word for word in ("quokka", "wombat", "numbat", "bilby") if word in everywhere]


def test_what_was_filled_together_says_so(desk):
    desk.give(cancer_ever="absent")
    desk.store.rest(desk.id, "rest_of_red_flags", desk.key(), desk.who)
    text = flat(note(desk.now, desk.path))
    assert "No (each asked, recorded together): Minor injury with thin bones or older age;" in text


def test_a_decision_stands_beside_its_answer_with_reason_and_time(desk):
    desk.give(bladder_emptying_change="present")
    desk.decide("bladder_emptying_change", "discussed_senior", "Dr on call agreed")
    text = flat(note(desk.now, desk.path))
    assert "Dr on call agreed" in text
    assert re.search(r"Decision on Any change in starting to pass urine.*Recorded \d\d:\d\d", text)


@pytest.mark.parametrize("typed", ["Agreed.", "Agreed", "Agreed!", "Is it agreed?", "Agreed. "])
def test_a_sentence_that_was_typed_with_its_full_stop_gets_no_second_one(desk, typed):
    desk.give(employee_concern=typed, bladder_emptying_change="present")
    desk.decide("bladder_emptying_change", "discussed_senior", typed)
    desk.explain_blanks()
    desk.sign()
    signing.add_addendum(desk.store, desk.id, typed, typed, {}, desk.key(), desk.who)
    text = flat(f"{note(desk.now, desk.path)} {after_signing(desk.now, desk.path)}")
    assert text.count(closed(typed)) == 4
    assert not re.search(r"[.!?]\s?\.", text)


@pytest.mark.parametrize(
    ("later", "stands"),
    [
        ({}, True),
        ({"employee_concern": "Getting back"}, True),
        ({"can_do_at_work": "Lifting too"}, False),
        ({"adjustment_types": ["altered_hours"]}, False),
        ({"report_consent": "withdrawn"}, False),
        ({"report_consent": None}, False),
    ],
)
def test_a_report_that_no_longer_stands_is_not_told_as_one_that_does(desk, later, stands):
    desk.give(report_consent="given", can_do_at_work="Desk work")
    desk.make_report()
    desk.give(**later)
    desk.explain_blanks()
    desk.sign()
    said = flat(note(desk.now, desk.path))
    assert ("Report to the manager made." in said) == stands
    assert ("Report to the manager made; what it says or the consent changed since" in said) != stands


def test_of_two_reports_made_the_last_one_counts(desk):
    desk.give(report_consent="given", can_do_at_work="Desk work")
    desk.make_report()
    desk.give(can_do_at_work="Lifting too")
    desk.make_report()
    said = flat(note(desk.now, desk.path))
    assert said.count("Report to the manager made.") == 2


REASON = "Reason given for emergency questions not recorded: "


@pytest.mark.parametrize(
    ("reason", "text", "said"),
    [
        ("third_person_present", "", "A third person was present."),
        ("remote", "", "By phone or video."),
        ("remote", "The line was bad", "By phone or video; The line was bad."),
        ("asked_to_stop", "", "The employee asked to stop."),
        ("out_of_time", "", "Out of time."),
        ("other", "The fire alarm went", "The fire alarm went."),
    ],
)
def test_why_emergency_questions_stay_blank_is_said_in_words_while_one_is(desk, reason, text, said):
    content = {"reason": reason, "text": text, "questions": [q.id for q in desk.gate.blank]}
    desk.store.note(desk.id, "blank_emergencies_explained", content, desk.key(), desk.who)
    assert REASON + said in flat(note(desk.now, desk.path))
    *most, last = [q.id for q in desk.definition.proforma.first_of_all]
    desk.give(**dict.fromkeys(most, "absent"))
    assert REASON + said in flat(note(desk.now, desk.path))
    desk.give(**{last: "absent"})
    assert REASON not in flat(note(desk.now, desk.path))


def test_what_is_not_recorded_is_listed_and_never_a_no(desk):
    text = note(desk.now, desk.path)
    end = flat(text.split("NOT RECORDED")[1])
    for question in desk.path.questions():
        if "red_flag" not in question.tags:
            assert flat(question.ask.rstrip("?")) in end
    desk.give(work_cause_opinion="not_work")
    assert "the clinician's opinion" not in note(desk.now, desk.path).split("NOT RECORDED")[1]


def test_nobodys_name_is_in_the_note_or_the_step_log(desk):
    desk.give(bladder_emptying_change="present")
    desk.decide("bladder_emptying_change")
    desk.leaflet()
    desk.explain_blanks()
    desk.sign()
    stored = "\n".join(
        str(tuple(row)) for row in desk.db.read().execute("SELECT * FROM step LEFT JOIN step_content USING (seq)")
    )
    for text in (note(desk.now, desk.path), stored, str(desk.cases())):
        for word in ("Zebedee", "Quillfeather", "zebedee", "E 1001", "1980-03-02", "2 March 1980"):
            assert word not in text
    assert ledger.verify(desk.db.read()) is None


def test_the_note_is_plain_text_that_fits(desk):
    desk.give(clinician_notes="a long line " * 40, story_of_episode="first\nsecond", sex="declined")
    text = note(desk.now, desk.path)
    assert max(len(line) for line in text.splitlines()) <= WIDTH
    assert text.endswith("\n")
    assert not re.search(r"[<>*_#\t\x00-\x08]", text.replace("clinician_notes", ""))


def test_the_note_of_a_signed_consultation_is_the_one_whose_digest_was_signed(desk):
    desk.give(bladder_emptying_change=Answer("absent"))
    desk.explain_blanks()
    text = note(desk.now, desk.path)
    desk.sign()
    assert desk.now.signed.content["note_digest"] == hashlib.sha256(text.encode()).hexdigest()
    assert note(desk.now, desk.path) == text


def test_what_is_blank_is_named_once(desk):
    desk.give(low_mood="present", stopped_activities="absent")
    text = " ".join(note(desk.now, desk.path).split())
    for question in desk.path.questions():
        if desk.path.answer(question.id) is None and question.kind == "finding":
            asked = question.ask.rstrip("?")
            assert text.count(asked) == 1, asked
