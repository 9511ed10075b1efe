"""What opens the gate must be about the answers as they are now: reasons, decisions, ticks, details of levels."""

import pytest

from consult.documents import signing
from consult.documents.letter import letter
from consult.documents.note import after_signing, note
from consult.documents.report import Chosen, report
from consult.record.consultation import facts, report_stands
from consult.record.settings import Site
from consult.record.store import KeyReused, NotOpen, Start, Who

U0 = ("bladder_emptying_change", "saddle_feeling_change", "major_injury")


def ids(questions):
    return {q.id for q in questions}


def test_a_reason_for_blanks_covers_only_the_blanks_it_was_given_for(desk):
    desk.give(**dict.fromkeys(U0, "absent"))
    desk.explain_blanks()
    assert desk.gate.open
    desk.give(major_injury=None)
    assert ids(desk.gate.blank) == {"major_injury"}
    with pytest.raises(signing.GateHolds):
        desk.sign()


def test_a_decision_falls_when_its_answer_changes_and_does_not_rise_again(desk):
    desk.give(saddle_feeling_change="present")
    desk.decide("saddle_feeling_change")
    assert not desk.gate.undecided
    desk.give(saddle_feeling_change="absent")
    desk.give(saddle_feeling_change="present")
    assert ids(desk.gate.undecided) == {"saddle_feeling_change"}
    found = letter(desk.now, desk.path, Site("S1", "Site")).findings
    assert [f.decision for f in found] == ["not yet recorded"]


def test_a_decision_on_an_answer_that_changed_is_called_earlier_in_the_note(desk):
    desk.give(saddle_feeling_change="present")
    desk.decide("saddle_feeling_change")
    desk.give(saddle_feeling_change="absent")
    assert "Earlier decision (the answer changed since)" in note(desk.now, desk.path)


def test_a_decision_on_an_answer_whose_text_became_more_urgent_says_so_and_not_that_the_answer_changed(desk):
    desk.give(one_leg_weakness="present", one_leg_weakness_severe="absent")
    desk.decide("one_leg_weakness", "urgent_referral")
    assert "Decision on New weakness" in note(desk.now, desk.path)
    desk.give(one_leg_weakness_severe="present")
    assert ids(desk.gate.undecided) == {"one_leg_weakness"}
    text = " ".join(note(desk.now, desk.path).split())
    assert "Earlier decision (the text kept became more urgent since) on New weakness" in text
    assert "the answer changed since" not in text
    desk.give(one_leg_weakness="unsure")
    assert "Earlier decision (the answer changed since)" in note(desk.now, desk.path)


def test_a_detail_that_lowers_an_urgent_level_is_listed_when_it_is_taken_back(desk):
    desk.give(minor_injury_thin_bones="present", bone_pain_severe="present")
    assert "minor_injury_thin_bones" in ids(desk.gate.undecided)
    desk.give(bone_pain_severe="absent")
    assert "bone_pain_severe" in ids(desk.gate.no_longer)


def test_every_question_an_urgent_text_turns_on_is_watched(back_pain):
    watched = back_pain.proforma.deciding
    for detail in ("bone_pain_severe", "one_leg_weakness_severe", "cord_signs_severe", "signs_of_sepsis"):
        assert detail in watched
    assert set(back_pain.proforma.tagged("red_flag")) <= watched


def test_the_tick_covers_only_what_the_page_had_listed(desk):
    desk.give(**dict.fromkeys(U0, "absent"))
    desk.explain_blanks()
    desk.give(night_pain="present")
    desk.give(night_pain="absent")
    listed = ids(desk.gate.no_longer)
    desk.give(major_injury="unsure")
    desk.give(major_injury="absent")
    with pytest.raises(signing.GateHolds):
        desk.sign(on_purpose=listed)
    desk.sign(on_purpose=listed | {"major_injury"})
    assert desk.now.state == "signed"


class TestGestureAndLaterAnswers:
    @pytest.fixture
    def filled(self, desk):
        desk.give(cancer_ever="absent", fever_or_very_ill="absent")
        desk.store.rest(desk.id, "rest_of_red_flags", desk.key(), desk.who)
        return desk

    def test_items_that_must_now_be_asked_singly_count_as_blank(self, filled):
        assert filled.path.answer("night_pain").state == "absent"
        filled.give(cancer_ever="present")
        assert filled.path.answer("night_pain") is None
        assert filled.case["rf_pattern"] in ("", "not_asked")
        assert "night_pain" in ids(q for q in filled.path.questions() if filled.path.answer(q.id) is None)

    def test_a_no_given_singly_then_stands(self, filled):
        filled.give(cancer_ever="present")
        filled.give(night_pain="absent")
        assert filled.path.answer("night_pain").state == "absent"
        assert filled.now.last("night_pain").via == "single"

    def test_they_come_back_with_the_answer_that_made_them_a_group(self, filled):
        before = filled.case
        filled.give(cancer_ever="present")
        filled.give(cancer_ever="absent")
        assert filled.case == before

    def test_only_what_the_page_showed_unchanged_is_filled(self, desk):
        desk.give(cancer_ever="absent", fever_or_very_ill="absent", diabetes_or_dialysis="present")
        desk.give(diabetes_or_dialysis=None)
        seen = {q.id: 0 for q in desk.definition.proforma.in_block("rest_of_red_flags")}
        done = desk.store.rest(desk.id, "rest_of_red_flags", desk.key(), desk.who, seen)
        assert done
        assert "diabetes_or_dialysis" not in done
        assert not {"weak_immunity", "tuberculosis_or_contact"} & set(done)  # F3 or I2 is not absent


class TestConsent:
    @pytest.fixture
    def final(self, desk):
        desk.give(adjustment_types=["phased_return"], report_consent="given")
        desk.make_report()
        return desk

    def test_a_final_report_stands_while_consent_does(self, final):
        assert report_stands(final.now, final.path)
        assert final.case["adjustments_in_written_advice"] == "yes"

    @pytest.mark.parametrize("consent", ["withheld", None])
    def test_it_falls_with_the_consent(self, final, consent):
        final.give(report_consent=consent)
        assert not report_stands(final.now, final.path)
        assert "report_with_adjustments" not in facts(final.now, final.path)
        assert final.case["adjustments_in_written_advice"] == "no"
        assert "employee's consent" not in report(final.now, final.path, Chosen(final.definition.reports.types[0]))

    def test_it_falls_when_what_it_says_changes(self, final):
        final.give(can_do_at_work="Light work from Monday")
        assert not report_stands(final.now, final.path)
        assert "Light work from Monday" in report(final.now, final.path, Chosen(final.definition.reports.types[0]))


def test_the_signed_note_never_changes_and_later_papers_stand_under_it(desk):
    desk.explain_blanks()
    desk.sign()
    signed = note(desk.now, desk.path)
    desk.leaflet()
    signing.add_addendum(
        desk.store, desk.id, "Seen again by phone.", "asked", {"report_consent": None}, desk.key(), desk.who
    )
    assert note(desk.now, desk.path) == signed
    later = after_signing(desk.now, desk.path)
    assert "Leaflet given" in later
    assert "Seen again by phone." in later
    assert "Not recorded" in later


def test_nothing_is_given_from_a_consultation_in_error(desk):
    signing.enter_in_error(desk.store, desk.id, "test", "", desk.key(), desk.who)
    with pytest.raises(NotOpen):
        desk.leaflet()


def test_a_key_that_began_one_consultation_begins_no_other(desk):
    start = Start(desk.employee.id, "S1", "P1", "in_person", "45-54")
    first = desk.store.start(start, desk.who, "page-key-1")
    assert desk.store.start(start, desk.who, "page-key-1") == first
    with pytest.raises(KeyReused):
        desk.store.start(Start("another", "S1", "P1", "in_person", "45-54"), desk.who, "page-key-1")
    with pytest.raises(KeyReused):
        desk.store.start(start, Who("p-other", "nurse"), "page-key-1")


def test_a_save_trusts_the_steps_and_not_the_list(desk):
    desk.explain_blanks()
    desk.sign()
    with desk.db.write() as conn:
        conn.execute("UPDATE consultation SET state = 'open'")
    with pytest.raises(NotOpen):
        desk.give(major_injury="present")
