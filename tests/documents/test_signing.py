"""Signing: the one gate, what it holds and what releases it; afterwards nothing moves but by a correction."""

import pytest

from consult.audit import cases
from consult.audit.measures import outcomes, why_excluded
from consult.documents import signing
from consult.documents.called import called
from consult.documents.note import note
from consult.documents.signing import GateHolds
from consult.proforma.answer import Answer
from consult.record import ledger, settings
from consult.record.store import NotOpen, Refused, Who

CAUDA = [
    "bladder_emptying_change",
    "bladder_feeling_change",
    "new_leaking_or_pads",
    "saddle_feeling_change",
    "bowel_control_change",
    "sexual_function_change",
    "both_legs_affected",
]
U0_QUESTIONS = [*CAUDA, "sudden_severe_pain_or_collapse", "major_injury"]
ALL_ABSENT = dict.fromkeys(U0_QUESTIONS, "absent")
BLADDER, ONE_LEG, BLOOD = "bladder_emptying_change", "one_leg_weakness", "blood_in_urine_or_loin_pain"
REST = "rest_of_red_flags"

# The ordinary consultation of the mapping: each click after the three that begin it, in order; "rest" is the gesture.
ORDINARY = [
    ("back_pain_reason", "main"),
    ("visit_and_episode", "first_ever_episode"),
    ("pain_sites", ["low_back"]),
    ("leg_symptoms", ["neither"]),
    ("work_status", "off_sick"),
    ("everyday_activity", ["bending_and_dressing"]),
    *((question, "absent") for question in CAUDA),
    ("one_leg_weakness", "absent"),
    ("cord_signs", "absent"),
    ("sudden_severe_pain_or_collapse", "absent"),
    ("fever_or_very_ill", "absent"),
    ("major_injury", "absent"),
    ("cancer_ever", "absent"),
    ("rest", REST),
    ("neuro_examination", "not_done_no_leg_symptoms"),
    ("harm_belief", "absent"),
    ("return_expectation", 7),
    ("stopped_activities", "present"),
    ("low_mood", "absent"),
    ("passive_expectation", "absent"),
    ("yellow_flag_action", ["explained"]),
    ("anything_in_the_way_of_work", "absent"),
    ("work_cause_opinion", "not_work"),
    ("current_management", ["self_care"]),
    ("activity_advice", "discussed_agrees"),
    ("stay_or_return_advice", "given"),
    ("told_mostly_settles", "given"),
    ("told_work_matters", "given"),
    ("told_body_and_mind_matter", "given"),
    ("adjustment_types", ["altered_hours"]),
    ("report_consent", "given"),
]
BEGIN, MAKE_REPORT, LEAFLET, SIGN, COPY = 3, 1, 2, 1, 1


def hold_ordinary(desk):
    """Hold it; returns the clicks, the choices of lists counted one by one."""
    clicks = BEGIN
    for question, word in ORDINARY:
        if question == "rest":
            desk.store.rest(desk.id, word, desk.key(), desk.who)
        else:
            assert question in desk.path, f"{question} is not met on the way"
            desk.give(**{question: word})
        clicks += len(word) if isinstance(word, list) else 1
    desk.make_report()
    desk.leaflet("printed")
    desk.leaflet("given")
    desk.sign()
    return clicks + MAKE_REPORT + LEAFLET + SIGN + COPY


def test_the_ordinary_consultation_meets_every_applicable_measure_in_at_most_47_clicks(desk, national):
    clicks = hold_ordinary(desk)
    print(f"The ordinary consultation takes {clicks} clicks.")
    assert clicks <= 47
    assert desk.now.state == "signed"
    found = outcomes(national, desk.definition.dataset, desk.case)
    assert why_excluded(national, desk.definition.dataset, desk.case) == ""
    assert {m: found[m] for m in national.national if found[m] not in ("met", "not_applicable")} == {}
    assert [m for m in national.national if found[m] == "not_applicable"] == ["work_cause_action"]
    assert found["red_flags_complete"] == "met"
    assert found["all_applicable_met"] == "met"
    assert desk.cases() == {desk.id: desk.case}
    groups = {name for name in desk.case if name.startswith("rf_") and name not in ("rf_overall", "rf_action")}
    assert {desk.case[name] for name in groups} == {"absent"}
    assert len(groups) == 9


# ---------------------------------------------------------------- the gate


def held(desk):
    return [q.id for q in desk.gate.undecided]


@pytest.mark.parametrize("state", ["present", "unsure", "declined"])
@pytest.mark.parametrize(
    ("question", "level"),
    [(BLADDER, "U0"), ("major_injury", "U0"), (ONE_LEG, "U0"), (BLOOD, "U1"), ("cord_signs", "U0")],
)
def test_an_urgent_answer_holds_signing_until_a_decision(desk, question, level, state):
    desk.give(**ALL_ABSENT | {question: state})
    assert desk.path.level(question) == level
    assert held(desk) == [question]
    before = ledger.head(desk.db.read())
    with pytest.raises(GateHolds):
        desk.sign()
    assert ledger.head(desk.db.read()) == before
    assert desk.cases() == {}
    desk.decide(question, "discussed_senior", "Talked it through")
    assert held(desk) == []
    desk.sign()
    assert desk.now.state == "signed"


@pytest.mark.parametrize(
    "decision", ["same_day_emergency", "urgent_referral", "gp_letter", "discussed_senior", "other", "none"]
)
def test_any_decision_with_a_reason_releases_its_own_answer(desk, decision):
    desk.give(**ALL_ABSENT | {BLADDER: "present", BLOOD: "unsure"})
    desk.decide(BLADDER, decision, "Because")
    assert held(desk) == [BLOOD]


@pytest.mark.parametrize("state", ["absent", "not_asked"])
def test_an_answer_that_is_not_urgent_does_not_hold(desk, state):
    desk.give(**ALL_ABSENT | {BLADDER: state, BLOOD: state, "upper_back_pain": "present", "cancer_ever": "absent"})
    assert desk.path.level("upper_back_pain") == "U2"
    assert desk.gate.open


@pytest.mark.parametrize(("first", "then"), [("unsure", "present"), ("present", "declined"), ("declined", "unsure")])
def test_changing_the_answer_after_the_decision_holds_again(desk, first, then):
    desk.give(**ALL_ABSENT | {BLADDER: first})
    desk.decide(BLADDER)
    assert desk.gate.open
    desk.give(**{BLADDER: then})
    assert held(desk) == [BLADDER]


def test_a_level_that_rises_after_the_decision_holds_again_and_one_that_falls_does_not(desk):
    desk.give(**ALL_ABSENT | {ONE_LEG: "present", "one_leg_weakness_severe": "absent"})
    desk.decide(ONE_LEG, "urgent_referral")
    assert desk.gate.open
    desk.give(one_leg_weakness_severe="present")
    assert held(desk) == [ONE_LEG]
    desk.decide(ONE_LEG)
    desk.give(one_leg_weakness_severe="absent")
    assert desk.gate.open


@pytest.mark.parametrize("blank", U0_QUESTIONS)
def test_one_blank_emergency_question_holds_signing_until_a_reason(desk, blank):
    desk.give(**{q: a for q, a in ALL_ABSENT.items() if q != blank})
    assert [q.id for q in desk.gate.blank] == [blank]
    with pytest.raises(GateHolds):
        desk.sign()
    desk.explain_blanks()
    assert desk.gate.open
    desk.sign()
    assert blank not in desk.now.answers
    step = desk.now.signed
    assert blank in step.content["not_recorded"]


def test_one_reason_releases_all_blanks_and_they_stay_not_recorded(desk):
    assert [q.id for q in desk.gate.blank] == U0_QUESTIONS
    desk.explain_blanks("third_person")
    desk.sign()
    assert desk.now.answers == {}
    assert {desk.case[g] for g in ("rf_cauda_equina", "rf_trauma")} == {""}
    assert "third person" in note(desk.now, desk.path)


def test_a_reason_for_blanks_never_stands_in_for_a_decision(desk):
    desk.give(**{BLADDER: "present"})
    desk.explain_blanks()
    assert held(desk) == [BLADDER]


def test_a_decision_for_emergency_care_releases_everything_that_is_blank(desk):
    desk.give(**{BLADDER: "present"})
    assert len(desk.gate.blank) == len(U0_QUESTIONS) - 1
    desk.decide(BLADDER, "same_day_emergency")
    assert desk.gate.open
    desk.sign()
    assert (desk.case["rf_cauda_equina"], desk.case["rf_action"]) == ("present", "same_day_emergency")


@pytest.mark.parametrize("decision", ["none", "gp_letter", "discussed_senior", "other", "urgent_referral"])
def test_another_decision_leaves_the_blanks_to_be_explained(desk, decision):
    desk.give(**{BLADDER: "present"})
    desk.decide(BLADDER, decision)
    assert held(desk) == []
    assert len(desk.gate.blank) == len(U0_QUESTIONS) - 1


def test_a_decision_whose_answer_changed_no_longer_releases_the_blanks(desk):
    desk.give(**{BLADDER: "present"})
    desk.decide(BLADDER, "same_day_emergency")
    desk.give(**{BLADDER: "absent"})
    assert len(desk.gate.blank) == len(U0_QUESTIONS) - 1


@pytest.mark.parametrize("was", ["present", "unsure", "declined"])
@pytest.mark.parametrize("now", ["absent", "not_asked", None])
def test_a_red_flag_that_is_no_longer_positive_needs_the_tick(desk, was, now):
    desk.give(**ALL_ABSENT | {"night_pain": was, "cancer_ever": "absent"})
    assert desk.gate.no_longer == []
    desk.give(night_pain=now)
    assert [q.id for q in desk.gate.no_longer] == ["night_pain"]
    with pytest.raises(GateHolds):
        desk.sign()
    desk.sign(on_purpose=True)
    assert desk.now.signed.content["changed_on_purpose"] == ["night_pain"]


@pytest.mark.parametrize("now", ["present", "unsure", "declined"])
def test_a_red_flag_that_is_still_open_needs_no_tick(desk, now):
    desk.give(night_pain="present")
    desk.give(night_pain=now)
    assert desk.gate.no_longer == []


def test_a_flag_that_is_no_red_flag_needs_no_tick(desk):
    desk.give(low_mood="present")
    desk.give(low_mood="absent")
    assert desk.gate.no_longer == []


def test_the_gate_asks_nothing_else(desk):
    desk.give(**ALL_ABSENT)
    desk.sign()
    assert desk.now.state == "signed"


# ---------------------------------------------------------------- after signing


@pytest.fixture
def signed(desk):
    desk.give(**ALL_ABSENT | {"back_pain_reason": "main", "low_mood": "present", "leg_symptoms": ["neither"]})
    desk.sign()
    return desk


def test_after_signing_nothing_writes_in_it(signed):
    before = ledger.head(signed.db.read())
    case = signed.case
    for act in (
        lambda: signed.give(**{BLADDER: "present"}),
        lambda: signed.store.rest(signed.id, REST, "k", signed.who),
        lambda: signed.store.undo_rest(signed.id, REST, "k", signed.who),
        lambda: signed.store.abandon(signed.id, "other", "", "k", signed.who),
        signed.explain_blanks,
        signed.sign,
    ):
        with pytest.raises(NotOpen):
            act()
    assert ledger.head(signed.db.read()) == before
    assert signed.cases() == {signed.id: case}


def addendum(desk, corrected=None, key="a1", text="More was said", who=None):
    signing.add_addendum(desk.store, desk.id, text, "Said on the way out", corrected or {}, key, who or desk.who)


def test_what_is_printed_or_given_later_never_moves_the_case(signed):
    case = signed.cases()
    signed.leaflet("given")
    addendum(signed)
    assert signed.cases() == case
    assert signed.case["info_form"] == ""
    addendum(signed, {"back_pain_reason": Answer("answered", "one_of_several")}, key="a2")
    assert signed.cases()[signed.id]["info_form"] == ""


def test_a_correction_of_the_audit_record_moves_the_case_and_keeps_both(signed):
    before = signed.cases()[signed.id]
    addendum(signed, {BLADDER: Answer("present")})
    after = signed.cases()[signed.id]
    assert {n: after[n] for n in after if after[n] != before[n]} == {"rf_cauda_equina": "present"}
    assert signed.now.answers[BLADDER] == Answer("absent")
    assert signed.now.addenda[0].content["answers"][BLADDER]["state"] == "present"
    assert signed.now.state == "signed"


REST_OF = ("cancer_ever", "long_steroid_course", "weak_immunity")


@pytest.mark.parametrize("question", REST_OF)
@pytest.mark.parametrize("before", ["present", "absent", "unsure", None])
@pytest.mark.parametrize("after", ["present", "absent", "declined", None])
def test_a_correction_gives_the_case_that_the_answer_given_before_signing_would(busy_desk, question, before, after):
    def case(first, changed=False):
        busy_desk.begin()
        busy_desk.give(fever_or_very_ill="absent", major_injury="absent", **{question: first})
        busy_desk.store.rest(busy_desk.id, "rest_of_red_flags", busy_desk.key(), busy_desk.who)
        if changed:
            busy_desk.give(**{question: after})
        for held in busy_desk.gate.undecided:
            busy_desk.decide(held.id, "gp_letter")
        busy_desk.explain_blanks()
        busy_desk.sign(on_purpose=True)

    case(before, changed=True)
    straight = busy_desk.case
    case(before)
    corrected = {question: Answer(after) if after else None}
    signing.add_addendum(
        busy_desk.store, busy_desk.id, "Said so later", "Rang", corrected, busy_desk.key(), busy_desk.who
    )
    groups = [f for f in straight if f.startswith("rf_") and f != "rf_action"]
    assert {f: busy_desk.case[f] for f in groups} == {f: straight[f] for f in groups}
    assert busy_desk.cases()[busy_desk.id] == busy_desk.case


def test_a_retried_addendum_is_one_addendum_and_one_correction(signed):
    addendum(signed, {BLADDER: Answer("present")})
    before = ledger.head(signed.db.read())
    addendum(signed, {BLADDER: Answer("present")})
    assert ledger.head(signed.db.read()) == before
    with pytest.raises(Refused):
        addendum(signed, {BLADDER: Answer("unsure")})


def test_a_later_correction_of_the_same_answer_counts(signed):
    addendum(signed, {BLADDER: Answer("present")}, key="a1")
    addendum(signed, {BLADDER: Answer("unsure")}, key="a2")
    assert signed.cases()[signed.id]["rf_cauda_equina"] == "unable"


@pytest.mark.parametrize(
    "corrected",
    [{"nothing_like_it": Answer("present")}, {BLADDER: Answer("perhaps")}, {"sex": Answer("answered", "robot")}],
)
def test_a_correction_that_cannot_be_is_refused(signed, corrected):
    before = ledger.head(signed.db.read())
    with pytest.raises(Refused):
        addendum(signed, corrected)
    assert ledger.head(signed.db.read()) == before


def test_an_addendum_is_for_a_signed_consultation_and_its_own_clinician(desk):
    with pytest.raises(Refused):
        addendum(desk)
    desk.give(**ALL_ABSENT)
    desk.sign()
    with pytest.raises(Refused):
        addendum(desk, who=Who("person-doctor", "doctor"))


def test_entered_in_error_takes_the_case_out_and_keeps_the_consultation(signed):
    signing.enter_in_error(signed.store, signed.id, "wrong_person", "", "e", signed.who)
    assert signed.cases() == {}
    assert signed.now.state == "entered_in_error"
    assert signed.now.answers[BLADDER] == Answer("absent")
    before = ledger.head(signed.db.read())
    signing.enter_in_error(signed.store, signed.id, "wrong_person", "", "e2", signed.who)
    assert ledger.head(signed.db.read()) == before
    with pytest.raises(Refused):
        addendum(signed, {BLADDER: Answer("present")})
    assert signed.cases() == {}


def test_every_case_equals_its_rebuild(signed):
    first = signed.id
    addendum(signed, {BLADDER: Answer("present")})
    wrong = signed.begin()
    signed.explain_blanks()
    signed.sign()
    signing.enter_in_error(signed.store, wrong, "wrong_person", "", "e", signed.who)
    last = signed.begin()
    hold_ordinary(signed)
    signed.begin()  # left open: no case
    rows = list(cases.iterate(signed.db.read()))
    assert {row.consultation for row in rows} == {first, last}
    with signed.db.write() as conn:
        assert cases.rebuild(conn, signed.definition.dataset) == 2
    assert list(cases.iterate(signed.db.read())) == rows
    for row in rows:
        assert row.fields == signing.case_of(signed.store, signed.store.consultation(row.consultation))


def test_the_note_that_is_kept_for_a_state_is_the_one_made_from_nothing(desk):
    """Whatever came between: an answer, a decision, a leaflet, or another program that took words away."""
    for act in (
        lambda: desk.give(**ALL_ABSENT),
        lambda: desk.give(employee_concern="Words that must go"),
        lambda: desk.leaflet("printed"),
        desk.explain_blanks,
        lambda: redact(desk, desk.store.remembered(desk.id).seen("employee_concern")),
    ):
        act()
        conn = desk.db.read()
        whole = desk.store.consultation(desk.id)
        again = note(whole, desk.store.path_of(whole), called(conn, whole))
        kept = [signing.note_so_far(desk.store, conn, desk.store.remembered(desk.id)) for _ in range(2)]
        assert kept == [again, again]
    assert "Words that must go" not in again


def test_a_note_is_made_anew_once_its_site_is_called_otherwise(desk):
    known = desk.store.remembered(desk.id)
    by_code = signing.note_so_far(desk.store, desk.db.read(), known)
    with desk.db.write() as conn:
        site = settings.Site(known.started["site"], "Invented Infirmary", {})
        settings.put_site(conn, site, "cli:test", desk.store.at())
    desk.begin()
    known.id = desk.id  # which began after the site was named
    by_name = signing.note_so_far(desk.store, desk.db.read(), known)
    assert ("Invented Infirmary" in by_code, "Invented Infirmary" in by_name) == (False, True)


def redact(desk, seq):
    with desk.db.write() as conn:
        draft = ledger.Draft("content_redacted", {"why": "asked for"}, "cli:test", desk.store.at(), "", f"step:{seq}")
        ledger.append(conn, draft)
        conn.execute("DELETE FROM step_content WHERE seq = ?", (seq,))


def test_signing_is_by_the_clinician_who_holds_it(desk):
    desk.give(**ALL_ABSENT)
    desk.who = Who("person-doctor", "doctor")
    with pytest.raises(Refused):
        desk.sign()


@pytest.mark.parametrize(("change", "said"), [({}, "yes"), ({"altered_hours_plan": {"what": "mornings"}}, "no")])
def test_a_report_counts_only_while_it_holds_the_adjustments_as_they_are(desk, change, said):
    desk.give(**ALL_ABSENT | {"adjustment_types": ["altered_hours"], "report_consent": "given"})
    desk.make_report()
    desk.give(**change)
    desk.sign()
    assert desk.case["adjustments_in_written_advice"] == said
