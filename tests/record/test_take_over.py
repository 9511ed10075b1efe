"""A consultation taken over: the owner changes, both names stay, and whoever held it writes no more."""

import pytest

from consult.record import lists, told
from consult.record.ledger import Refused
from consult.record.projection import rebuild_consultations
from consult.record.store import NotOpen, NotYours, Who

NURSE = Who("person-nurse", "nurse")
DOCTOR = Who("person-doctor", "doctor")
PHYSIO = Who("person-physio", "physiotherapist")
WHY = "Nora was called away"


def take_over(desk, who=DOCTOR, from_=NURSE, key=None):
    desk.store.take_over(desk.id, from_.actor, WHY, key or desk.key(), who)
    desk.who = who


def clinician(desk):
    return desk.db.read().execute("SELECT clinician FROM consultation WHERE id = ?", (desk.id,)).fetchone()[0]


def test_the_colleague_goes_on_where_the_other_stopped(desk):
    desk.give(harm_belief="present")
    take_over(desk)
    desk.give(low_mood="absent")
    now = desk.now
    assert (now.owner, now.role) == (DOCTOR.actor, "doctor")
    assert [now.last(q).actor for q in ("harm_belief", "low_mood")] == [NURSE.actor, DOCTOR.actor]
    step = now.taken_over[0]
    assert (step.actor, step.content) == (DOCTOR.actor, {"from": NURSE.actor, "reason": WHY})


def test_the_former_owner_can_do_nothing_more(desk):
    take_over(desk)
    acts = [
        lambda: desk.store.note(desk.id, "report_made", {}, desk.key(), NURSE),
        lambda: desk.store.note_after(desk.id, "note_copied", {"digest": ""}, desk.key(), NURSE),
        lambda: desk.store.abandon(desk.id, "other", "", desk.key(), NURSE),
        lambda: desk.store.rest(desk.id, "rest_of_red_flags", desk.key(), NURSE),
    ]
    last = desk.now.last_seq
    for act in acts:
        with pytest.raises(NotYours):
            act()
    desk.who = NURSE
    with pytest.raises(NotYours):
        desk.give(harm_belief="present")
    assert desk.now.last_seq == last


def test_the_projection_and_verify_follow_and_a_rebuild_is_the_same(desk):
    take_over(desk)
    assert clinician(desk) == DOCTOR.actor
    assert list(told.differences(desk.db.read())) == []
    with desk.db.write() as conn:
        rebuild_consultations(conn)
    assert clinician(desk) == DOCTOR.actor
    with desk.db.write() as conn:
        conn.execute("UPDATE consultation SET clinician = ?", (NURSE.actor,))
    assert any("clinician" in sentence for sentence in told.differences(desk.db.read()))


def test_the_lists_follow_and_the_former_owner_is_told(desk):
    take_over(desk)
    assert [s.id for s in lists.open_of(desk.store.db.read(), DOCTOR.actor)] == [desk.id]
    assert lists.open_of(desk.store.db.read(), NURSE.actor) == []
    (taken,) = lists.taken_from(desk.store.db.read(), NURSE.actor)
    assert (taken.summary.id, taken.by, taken.reason) == (desk.id, DOCTOR.actor, WHY)
    take_over(desk, NURSE, DOCTOR)
    assert lists.taken_from(desk.store.db.read(), NURSE.actor) == []
    assert [t.by for t in lists.taken_from(desk.store.db.read(), DOCTOR.actor)] == [NURSE.actor]


def test_the_case_is_that_of_whoever_signs(desk):
    desk.give(back_pain_reason="main")
    take_over(desk)
    desk.explain_blanks()
    desk.sign()
    (case,) = desk.cases().values()
    assert (case["clinician_role"], case["clinician_ref"]) == ("doctor", DOCTOR.actor)


def test_the_same_form_twice_is_one_step_and_who_holds_it_needs_none(desk):
    take_over(desk, key="one")
    take_over(desk, key="one")
    take_over(desk)
    assert len(desk.now.taken_over) == 1


def test_a_page_that_named_another_owner_is_refused(desk):
    take_over(desk)
    with pytest.raises(Refused, match="Another colleague took it over meanwhile"):
        take_over(desk, PHYSIO, NURSE)
    assert desk.now.owner == DOCTOR.actor


def test_only_an_open_consultation_is_taken_over(desk):
    desk.explain_blanks()
    desk.sign()
    with pytest.raises(NotOpen):
        take_over(desk)
    with pytest.raises(Refused, match="no such consultation"):
        desk.store.take_over("nothing", NURSE.actor, WHY, desk.key(), DOCTOR)
