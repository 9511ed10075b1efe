"""The urgent letter: each answer in one place, blanks named, how a No was given, and answers that do not agree."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consult.documents.letter import letter
from consult.documents.note import note
from consult.documents.pdf import Paragraph, Table
from consult.documents.sheets import Made, Named, letter_sheet
from consult.documents.words import closed
from consult.proforma.answer import Answer
from consult.proforma.path import holding
from consult.record.consultation import contradictions
from consult.record.settings import Site

SITE = Site("S1", "Site S1 (invented)")
UPPER = "Pain in the upper or middle back"
BOTH_LEGS = {"leg_symptoms": ["neither"], "both_legs_affected": "present", "both_legs_what": ["tingling"]}


def of(desk):
    return letter(desk.now, desk.path, SITE)


def named(made) -> list[str]:
    """The words of every question that a letter names, wherever it does."""
    lists = [*made.absent, *made.together, *made.not_recorded]
    return [*(f.question.rstrip("?") for f in made.findings), *(ask for ask, _ in made.beside), *lists]


def belongs(question) -> bool:
    return "letter" in question.tags or (question.emergency and question.kind == "finding")


@settings(max_examples=25)
@given(data=st.data())
def test_each_question_of_the_letter_stands_in_exactly_one_place(busy_desk, data):
    desk = busy_desk
    desk.begin()
    states = st.sampled_from([None, "present", "absent", "unsure", "declined", "not_asked"])
    findings = [q.id for q in desk.definition.proforma.asked if q.kind == "finding" and belongs(q)]
    desk.give(neuro_examination=data.draw(st.sampled_from([None, "done", "not_possible_pain"])))
    desk.give(**{id_: data.draw(states, label=id_) for id_ in findings})
    if data.draw(st.booleans(), label="the rest as a group"):
        desk.store.rest(desk.id, "rest_of_red_flags", desk.key(), desk.who)
    path, made = desk.path, of(desk)
    held = [q.id for q in holding(path)]
    expected = [q for q in path.questions() if belongs(q) or q.id in held]
    assert sorted(named(made)) == sorted(q.ask.rstrip("?") for q in expected)
    for question in expected:
        answer, ask = path.answer(question.id), question.ask.rstrip("?")
        assert (ask in made.not_recorded) == (answer is None)
        assert (ask in [*made.absent, *made.together]) == (answer == Answer("absent"))


def test_what_no_to_the_rest_filled_is_told_apart_from_what_was_answered_singly(desk):
    desk.give(cancer_ever="absent", night_pain="absent")
    desk.store.rest(desk.id, "rest_of_red_flags", desk.key(), desk.who)
    made = of(desk)
    assert {"Cancer, ever", "Pain that wakes them, or keeps them awake at night"} <= set(made.absent)
    assert UPPER in made.together
    assert not set(made.together) & set(made.absent)


def test_onset_trend_and_examination_are_named_as_not_recorded_until_they_are(desk):
    desk.give(saddle_feeling_change="present")
    asks = {"When did the change begin", "Is it getting worse", "Neurological examination of the legs"}
    assert asks <= set(of(desk).not_recorded)
    desk.give(cauda_equina_onset="within_14_days", cauda_equina_trend="worse", neuro_examination="not_possible_remote")
    said = dict(of(desk).beside)
    assert [said[ask] for ask in sorted(asks)] == [
        "Getting worse",
        "Not possible: phone or video",
        "Within the last 14 days",
    ]
    assert not asks & set(of(desk).not_recorded)


def test_which_other_questions_the_letter_names_is_said_by_the_proforma(back_pain):
    tagged = set(back_pain.proforma.tagged("letter"))
    assert {"cauda_equina_onset", "cauda_equina_trend", "neuro_examination", "pain_sites", "leg_symptoms"} <= tagged


@pytest.mark.parametrize("state", ["present", "absent", "unsure", "declined", "not_asked", None])
@pytest.mark.parametrize(
    "id_",
    [
        *("long_steroid_course", "other_new_deformity", "first_back_pain_under_20_or_over_55", "pregnant_or_might_be"),
        "worse_on_straining",
    ],
)
def test_what_its_kept_text_sends_to_any_letter_or_referral_stands_in_it(busy_desk, id_, state):
    desk = busy_desk
    desk.begin()
    desk.give(major_injury="present", cancer_ever="unsure", **{id_: state})
    made, ask = of(desk), desk.question(id_).ask.rstrip("?")
    assert ask in named(made)
    assert (ask in made.absent) == (state == "absent")
    assert (ask in made.not_recorded) == (state is None)


def test_no_red_flag_is_left_out(desk):
    desk.give(neuro_examination="done")
    red = {q.ask.rstrip("?") for q in desk.path.questions() if "red_flag" in q.tags}
    assert len(red) > 30
    assert red <= set(named(of(desk)))


def test_pregnancy_is_not_named_for_a_man(desk):
    desk.give(sex="male", pregnant_or_might_be="present", major_injury="present")
    assert desk.question("pregnant_or_might_be").ask.rstrip("?") not in named(of(desk))


def test_an_emergency_question_that_was_not_asked_or_is_less_urgent_is_not_left_out(desk):
    desk.give(sexual_function_change="not_asked", weak_immunity="present")
    desk.give(fever_or_very_ill="absent", constant_or_worsening_pain="absent", night_pain="absent")
    said = dict(of(desk).beside)
    assert said["Any change in feeling during sex, or in erection or ejaculation"] == "Not asked (other)"
    assert said["Weak immune system (illness or treatment)"] == "Yes"


def test_a_decision_is_said_with_its_reason_and_who_was_told(desk):
    desk.give(saddle_feeling_change="present")
    content = {
        "questions": ["saddle_feeling_change"],
        "states": ["present"],
        "levels": ["U0"],
        "decision": "same_day_emergency",
        "reason": "Cannot feel the paper",
        "told": "Dr Invented in the emergency department",
    }
    desk.store.note(desk.id, "decision_recorded", content, desk.key(), desk.who)
    (finding,) = of(desk).findings
    for words in (
        "Sent to emergency care now",
        "Cannot feel the paper",
        "Told: Dr Invented in the emergency department.",
    ):
        assert words in finding.decision


def decide(desk, reason: str, *questions: str) -> None:
    states = ["present"] * len(questions)
    content = {"questions": list(questions), "states": states, "levels": ["U0"] * len(questions), "told": ""}
    content |= {"decision": "same_day_emergency", "reason": reason}
    desk.store.note(desk.id, "decision_recorded", content, desk.key(), desk.who)


def said_in(made) -> str:
    """The words of the PDF, where they are not in a table."""
    sheet = letter_sheet(made, Named(), "", "", Made("a4", "", 1, "", False))
    pieces = [piece for section in sheet.sections for piece in section.pieces if isinstance(piece, Paragraph)]
    return "\n".join("".join(run.text for run in piece.runs) for piece in pieces)


def test_a_decision_about_several_answers_is_said_once(desk):
    desk.give(saddle_feeling_change="present", bladder_emptying_change="present")
    decide(desk, "By ambulance", "saddle_feeling_change", "bladder_emptying_change")
    ((said, about),) = of(desk).decisions()
    assert said.startswith("Sent to emergency care now; By ambulance. Recorded ")
    assert about == []
    assert said_in(of(desk)).count("By ambulance") == 1


def test_where_decisions_differ_each_names_what_it_is_about(desk):
    desk.give(saddle_feeling_change="present", bladder_emptying_change="present")
    decide(desk, "By ambulance", "saddle_feeling_change")
    asks = {f.question.rstrip("?"): f.decision for f in of(desk).findings}
    found = of(desk).decisions()
    assert [ask for _, about in found for ask in about] == list(asks)
    assert {ask: said for said, about in found for ask in about} == {ask: closed(said) for ask, said in asks.items()}
    assert "not yet recorded. For: " in said_in(of(desk))


class TestAnswersThatDoNotAgree:
    SITES = (
        None,
        ["low_back"],
        ["mid_or_upper_back"],
        ["low_back", "mid_or_upper_back"],
        "unsure",
        "declined",
        "not_asked",
    )
    STATES = (None, "present", "absent", "unsure", "declined", "not_asked")
    TABLE = tuple(itertools.product(SITES, STATES))

    @pytest.mark.parametrize(("sites", "state"), TABLE)
    def test_only_a_place_in_the_upper_back_and_a_no_to_pain_there_do_not(self, on_path, sites, state):
        path = on_path({"pain_sites": sites, "upper_back_pain": state})
        against = isinstance(sites, list) and "mid_or_upper_back" in sites and state == "absent"
        assert [one.id for one in path.contradictions({})] == (["upper_back_pain"] if against else [])

    @pytest.mark.parametrize("legs", [None, ["neither"], ["pain"], ["pins_or_numbness"], "unsure"])
    @pytest.mark.parametrize("both", [None, "present", "absent", "unsure"])
    @pytest.mark.parametrize("what", [None, ["weak"], ["numb"], ["tingling"], ["pain"], ["weak", "pain"], "unsure"])
    def test_no_symptoms_in_a_leg_and_some_in_both_do_not(self, on_path, legs, both, what):
        path = on_path({"leg_symptoms": legs, "both_legs_affected": both, "both_legs_what": what})
        felt = isinstance(what, list) and what != ["weak"]
        against = legs == ["neither"] and both in ("present", "unsure") and felt
        assert [one.id for one in path.contradictions({})] == (["both_legs"] if against else [])

    EXAMINATIONS = (
        *(None, "done", "not_done_no_leg_symptoms", "not_done_other"),
        *("not_possible_remote", "not_possible_declined", "not_possible_pain"),
    )

    @pytest.mark.parametrize("examination", EXAMINATIONS)
    @pytest.mark.parametrize("legs", [None, ["neither"], ["pain"], ["pins_or_numbness"], "unsure", "not_asked"])
    def test_not_examined_for_want_of_leg_symptoms_and_symptoms_do_not(self, on_path, examination, legs):
        for one, both in itertools.product(self.STATES, self.STATES):
            words = {"leg_symptoms": legs, "one_leg_weakness": one, "both_legs_affected": both}
            path = on_path({**words, "neuro_examination": examination})
            without = examination == "not_done_no_leg_symptoms"
            expected = {
                "not_examined_with_leg_symptoms": without and legs in (["pain"], ["pins_or_numbness"]),
                "not_examined_with_weakness": without and one == "present",
                "not_examined_with_both_legs": without and both == "present",
            }
            assert [one.id for one in path.contradictions({})] == [id_ for id_, holds in expected.items() if holds]

    @pytest.mark.parametrize("examination", EXAMINATIONS)
    @pytest.mark.parametrize(
        ("finding", "id_"),
        [
            ("exam_significant_deficit", "not_examined_with_deficit"),
            ("exam_upper_motor_sign", "not_examined_with_upper_motor_sign"),
            ("midline_bony_tenderness", "not_examined_with_bony_tenderness"),
            ("saddle_examination_abnormal", "not_examined_with_saddle_area"),
        ],
    )
    def test_an_examination_not_made_and_a_finding_of_it_that_never_parks_do_not(
        self, on_path, examination, finding, id_
    ):
        for state in self.STATES:
            path = on_path({"neuro_examination": examination, finding: state})
            against = examination not in (None, "done") and state == "present"
            assert [one.id for one in path.contradictions({})] == ([id_] if against else [])

    ADJUSTMENTS = (
        *(None, ["not_indicated"], ["already_in_place"], ["phased_return"], ["altered_hours"], ["amended_duties"]),
        *(["workplace_adaptation"], ["other_adjustment"], ["phased_return", "other_adjustment"]),
    )

    @pytest.mark.parametrize("fit", [None, "fit", "fit_with_changes", "not_fit_now"])
    @pytest.mark.parametrize("advised", ADJUSTMENTS)
    @pytest.mark.parametrize("consent", [None, "given", "withheld", "withdrawn", "no_manager"])
    def test_fitness_that_denies_the_adjustments_and_the_reverse_do_not(self, on_path, fit, advised, consent):
        path = on_path({"report_consent": consent, "fitness_for_work": fit, "adjustment_types": advised})
        some = advised not in (None, ["not_indicated"], ["already_in_place"])
        expected = {
            "fit_for_usual_work_with_adjustments": fit == "fit" and some,
            "fit_with_changes_none_indicated": fit == "fit_with_changes" and advised == ["not_indicated"],
        }
        found = [id_ for id_, holds in expected.items() if holds and consent == "given"]
        assert [one.id for one in path.contradictions({})] == found

    @pytest.mark.parametrize("action", [None, ["employee_does_not_want_it_raised"], ["no_action"], ["manager_asked"]])
    @pytest.mark.parametrize("asked", [None, "Look at bench 4"])
    def test_a_cause_not_to_be_raised_and_something_asked_of_health_and_safety_do_not(self, on_path, action, asked):
        words = {"report_consent": "given", "asked_of_health_and_safety": asked}
        path = on_path({**words, "work_cause_opinion": "caused", "cause_action": action})
        against = action == ["employee_does_not_want_it_raised"] and asked is not None
        found = [one.id for one in path.contradictions({})]
        assert found == (["asked_of_health_and_safety_against_the_wish"] if against else [])

    @pytest.mark.parametrize(
        "present", [None, ["employee_only"], ["interpreter"], ["partner_or_family", "interpreter"]]
    )
    @pytest.mark.parametrize("need", [None, ["no_need"], ["interpreter_present"], ["interpreter_missing"], "declined"])
    def test_nobody_else_there_and_an_interpreter_present_do_not(self, on_path, present, need):
        path = on_path({"who_is_present": present, "communication_needs": need})
        against = present == ["employee_only"] and need == ["interpreter_present"]
        found = ["interpreter_and_nobody_else_present"] if against else []
        assert [one.id for one in path.contradictions({})] == found

    @pytest.mark.parametrize("mood", STATES)
    @pytest.mark.parametrize("hopeless", STATES)
    def test_no_low_mood_and_hopelessness_do_not(self, on_path, mood, hopeless):
        path = on_path({"low_mood": mood, "hopelessness_or_self_harm": hopeless})
        against = mood == "absent" and hopeless == "present"
        assert [one.id for one in path.contradictions({})] == (["hopelessness_and_no_low_mood"] if against else [])

    def test_typed_words_with_their_full_stop_get_no_second_one(self, desk):
        desk.give(report_consent="given", asked_of_health_and_safety="Look at bench 4.", work_cause_opinion="caused")
        desk.give(cause_action=["employee_does_not_want_it_raised"])
        text = " ".join(note(desk.now, desk.path).split())
        assert text.count("Look at bench 4.") == 2
        assert ".." not in text

    @pytest.mark.parametrize("anything", STATES)
    @pytest.mark.parametrize("belief", STATES)
    @pytest.mark.parametrize("ticked", [None, ["none_of_these"], ["harm_belief"], ["low_mood"]])
    def test_a_flag_in_the_way_of_work_and_nothing_in_its_way_do_not(self, on_path, anything, belief, ticked):
        words = {"harm_belief": belief, "flags_in_the_way_of_work": ticked}
        path = on_path({**words, "anything_in_the_way_of_work": anything})
        against = anything == "absent" and belief == "present" and ticked == ["harm_belief"]
        assert [one.id for one in path.contradictions({})] == (["flag_in_the_way_and_no_barrier"] if against else [])

    ACTIONS = ("same_day_emergency", "urgent_referral", "gp_letter", "discussed_senior", "other", "none")
    DECIDED = (
        {},
        *({"saddle_feeling_change": code} for code in ACTIONS),
        {"saddle_feeling_change": "none", "bladder_emptying_change": "gp_letter"},
        {"saddle_feeling_change": "other", "bladder_emptying_change": "gp_letter"},
    )

    @pytest.mark.parametrize("done", [None, *([code] for code in ACTIONS), ["gp_letter", "other"]])
    @pytest.mark.parametrize("state", STATES)
    def test_no_action_and_a_decision_on_one_do_not(self, on_path, done, state):
        path = on_path({"saddle_feeling_change": state, "red_flag_action": done})
        asked = state in ("present", "unsure", "declined")
        for decided in self.DECIDED:
            acted = {question: code for question, code in decided.items() if code != "none"}
            expected = [acted] if asked and done == ["none"] and acted else []
            assert [one.decisions for one in path.contradictions(decided)] == expected
            assert {one.id for one in path.contradictions(decided)} <= {"no_action_and_a_decision_on_one"}

    def test_a_decision_that_stands_no_longer_is_in_no_disagreement(self, desk):
        desk.give(saddle_feeling_change="present", red_flag_action=["none"])
        assert contradictions(desk.now, desk.path) == []
        desk.decide("saddle_feeling_change", "none", "Known for years")
        assert contradictions(desk.now, desk.path) == []
        desk.decide("saddle_feeling_change", "gp_letter", "Written today")
        (one,) = contradictions(desk.now, desk.path)
        assert one.questions == ("red_flag_action", "saddle_feeling_change")
        desk.give(saddle_feeling_change="unsure")
        assert contradictions(desk.now, desk.path) == []

    def test_letter_and_note_say_the_decision_that_an_answer_does_not_agree_with(self, desk):
        desk.give(saddle_feeling_change="present", bladder_emptying_change="present", red_flag_action=["none"])
        desk.decide("saddle_feeling_change")
        desk.decide("bladder_emptying_change", "none", "Known for years")
        (words,) = of(desk).disagreeing
        saddle = desk.question("saddle_feeling_change").ask.rstrip("?")
        assert "What was done about it: No action." in words
        assert words.endswith(f"Decision on {saddle}: Sent to emergency care now.")
        assert words in " ".join(note(desk.now, desk.path).split())

    def test_the_letter_leaves_out_what_concerns_the_report_alone(self, desk):
        desk.give(report_consent="given", fitness_for_work="fit", adjustment_types=["phased_return"])
        desk.give(**BOTH_LEGS)
        assert [one.id for one in desk.path.contradictions({})] == ["both_legs", "fit_for_usual_work_with_adjustments"]
        (words,) = of(desk).disagreeing
        assert "one of these in both legs" in words
        assert "fit for usual work" in note(desk.now, desk.path)

    def test_letter_and_note_point_it_out_and_leave_both_as_they_are(self, desk):
        desk.give(pain_sites=["low_back", "mid_or_upper_back"], upper_back_pain="absent")
        made = of(desk)
        (words,) = made.disagreeing
        for part in ("Low back; Middle or upper back.", f"{UPPER}: No."):
            assert part in words
        assert UPPER in made.absent
        assert ("Symptoms: where is it", "Low back; Middle or upper back") in made.beside
        assert "ANSWERS THAT DO NOT AGREE\n" in note(desk.now, desk.path)
        sheet = letter_sheet(made, Named(), "", "", Made("a4", "a day", 1, "", True))
        pieces = [piece for section in sheet.sections for piece in section.pieces]
        printed = ["".join(run.text for run in piece.runs) for piece in pieces if isinstance(piece, Paragraph)]
        assert [line for line in printed if line.startswith("These answers do not agree") and words in line]
        assert [piece for piece in pieces if isinstance(piece, Table) and piece.head == ("Also asked", "Answer")]

    def test_signing_is_not_held_by_it(self, desk):
        desk.give(**BOTH_LEGS)
        desk.decide("both_legs_affected")
        assert desk.path.contradictions({})
        desk.explain_blanks()
        assert desk.gate.open
        desk.sign()
        assert desk.now.state == "signed"

    def test_nothing_is_said_once_one_of_them_is_changed(self, desk):
        desk.give(pain_sites=["mid_or_upper_back"], upper_back_pain="absent")
        desk.give(upper_back_pain="present")
        assert of(desk).disagreeing == []
        assert "DO NOT AGREE" not in note(desk.now, desk.path)
