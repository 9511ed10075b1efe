"""Urgent decisions are listed until their outcome is filled in; so are adjustments past their review date."""

from datetime import timedelta
from pathlib import Path

import pytest

from consult.audit.ascertainment import UNKNOWN
from consult.audit.measures_file import load_measures
from consult.documents import followup, unfinished
from consult.proforma.answer import ANSWERED, Answer
from consult.record import begun, capture
from consult.record.ledger import Refused, steps
from consult.record.store import Who
from consult.verifying import _by_key

NURSE, DOCTOR = Who("person-nurse", "nurse"), Who("person-doctor", "doctor")
BACK_PAIN = Path(__file__).parents[2] / "proformas" / "back-pain"


def urgent_questions(desk):
    return [q for q in desk.definition.proforma.questions if q.kind == "finding" and q.emergency and q.show_if is None]


def signed_with_decision(desk):
    question = urgent_questions(desk)[0].id
    desk.give(**{question: "present"})
    for held in desk.gate.undecided:
        desk.decide(held.id)
    if desk.gate.blank:
        desk.explain_blanks()
    desk.sign()
    return next(iter(desk.now.decisions.values())).seq


def today(desk):
    return desk.store.clock().astimezone().date()


def listed(desk, who=NURSE, **more):
    return followup.listed(desk.store, today(desk), who.actor, **more)


def test_a_decision_is_listed_until_its_outcome_is_filled_in(desk):
    assert listed(desk) == ([], [])
    seq = signed_with_decision(desk)
    (one,), _ = listed(desk)
    assert (one.open, one.stands, one.decision.seq) == (True, True, seq)
    before = _by_key(desk.db.read())
    followup.follow_up(desk.store, desk.id, seq, "arrived", "Rang the ward", desk.key(), NURSE)
    (one,), _ = listed(desk)
    assert not one.open
    assert listed(desk, open_only=True) == ([], [])
    assert (
        desk.now.addenda[-1].content["text"]
        == "Sent to emergency care now: arrived there, or it was done. Rang the ward"
    )
    assert desk.now.state == "signed"
    assert _by_key(desk.db.read()) == before, "follow-up never moves the audit record"


def test_an_unknown_outcome_may_become_known_later(desk):
    seq = signed_with_decision(desk)
    for outcome in ("unknown", "not"):
        followup.follow_up(desk.store, desk.id, seq, outcome, "", desk.key(), NURSE)
    (one,), _ = listed(desk)
    assert one.outcome.content["outcome"] == "not"
    assert len(desk.now.addenda) == 2


def test_the_same_request_writes_once(desk):
    seq, key = signed_with_decision(desk), desk.key()
    for _ in range(2):
        followup.follow_up(desk.store, desk.id, seq, "arrived", "", key, NURSE)
    assert len(desk.now.addenda) == 1


@pytest.mark.parametrize(
    ("seq", "outcome", "who"), [(0, "arrived", NURSE), (None, "perhaps", NURSE), (None, "arrived", DOCTOR)]
)
def test_what_makes_no_sense_or_is_another_persons_is_refused(desk, seq, outcome, who):
    made = signed_with_decision(desk)
    with pytest.raises(Refused):
        followup.follow_up(desk.store, desk.id, made if seq is None else seq, outcome, "", desk.key(), who)
    assert list(steps(desk.db.read(), kind="decision_followed_up")) == []
    assert desk.now.addenda == []


def test_a_decision_of_a_consultation_that_was_ended_without_signing_is_followed_up_too(desk):
    question = urgent_questions(desk)[0].id
    desk.give(**{question: "present"})
    desk.decide(question)
    assert listed(desk) == ([], []), "not while the consultation is open"
    desk.store.abandon(desk.id, "sent_as_emergency", "", desk.key(), NURSE)
    (one,), _ = listed(desk)
    followup.follow_up(desk.store, desk.id, one.decision.seq, "arrived", "", desk.key(), NURSE)
    assert not listed(desk)[0][0].open
    assert desk.now.addenda == []


def test_a_decision_whose_answer_changed_before_signing_is_listed_as_one_that_fell(desk):
    question = urgent_questions(desk)[0].id
    desk.give(**{question: "present"})
    desk.decide(question)
    desk.give(**{question: "absent"})
    if desk.gate.blank:
        desk.explain_blanks()
    desk.sign(on_purpose=True)
    (one,), _ = listed(desk)
    assert (one.open, one.stands) == (True, False)
    followup.follow_up(desk.store, desk.id, one.decision.seq, "not", "", desk.key(), NURSE)
    assert "decided before an answer was changed: did not arrive" in desk.now.addenda[-1].content["text"]


def test_only_ones_own_are_listed_and_the_lead_gets_totals(desk):
    signed_with_decision(desk)
    assert listed(desk, DOCTOR) == ([], [])
    assert len(followup.listed(desk.store, today(desk))[0]) == 1


def arranged(desk, days):
    chosen = next(q for q in desk.definition.proforma.questions if q.kind == "arrangement")
    opener = chosen.show_if
    review = (today(desk) + timedelta(days=days)).isoformat()
    desk.give(**{opener.question: [opener.includes]})
    desk.give(
        **{
            chosen.id: Answer(
                ANSWERED, {"what": "Half days", "start": "", "end": "", "review": review, "no_end_reason": ""}
            )
        }
    )
    if desk.gate.blank:
        desk.explain_blanks()
    desk.sign()
    return chosen.id


@pytest.mark.parametrize(("days", "due"), [(-1, True), (-200, True), (0, False), (1, False)])
def test_an_adjustment_is_listed_once_its_review_date_has_passed(desk, days, due):
    arranged(desk, days)
    assert bool(listed(desk)[1]) == due
    assert bool(listed(desk, open_only=True)[1]) == due


def test_a_note_takes_the_adjustment_off_the_list(desk):
    question = arranged(desk, -3)
    with pytest.raises(Refused, match="what the review said"):
        followup.review(desk.store, desk.id, question, "", "", desk.key(), NURSE)
    followup.review(desk.store, desk.id, question, "no_longer_needed", "Back to full hours", desk.key(), NURSE)
    assert listed(desk, open_only=True) == ([], [])
    assert not listed(desk)[1][0].open
    assert "no longer needed. Back to full hours" in desk.now.addenda[-1].content["text"]


# ---------------------------------------------------------------- what was begun and not signed


def test_the_ascertainment_knows_what_unfinished_consultations_say_so_far(desk, content_measures):
    wanted = {"": "first_ever_episode", "not_new_episode": "first_visit_gap_under_28", UNKNOWN: None}
    for code in wanted.values():
        desk.begin()
        desk.give(back_pain_reason="main", visit_and_episode=code)
    found = [
        unfinished.so_far(desk.store, content_measures, one)
        for one in begun.not_signed(desk.db.read(), "live", "2026-01-01", "2026-12-31")
    ]
    assert found == [UNKNOWN, *wanted]
    desk.store.abandon(desk.id, "interrupted", "", desk.key(), NURSE)
    last = list(begun.not_signed(desk.db.read(), "live", "2026-01-01", "2026-12-31"))[-1]
    assert (last.state, last.reason, last.role, last.site) == ("abandoned", "interrupted", "nurse", "S1")
    assert list(begun.not_signed(desk.db.read(), "paper", "2026-01-01", "2026-12-31")) == []
    assert list(begun.not_signed(desk.db.read(), "live", "2025-01-01", "2025-12-31")) == []


@pytest.fixture
def content_measures(back_pain):
    return load_measures(BACK_PAIN, back_pain.dataset)


def test_group_negatives_are_the_share_of_answers_of_no_that_stood_at_signing(desk):
    block = next(b for b in desk.definition.proforma.blocks if b.rest)
    question = urgent_questions(desk)[0].id
    desk.give(**{question: "absent"})
    filled = desk.store.rest(desk.id, block.id, desk.key(), NURSE)
    assert len(filled) > 2
    desk.give(**{filled[0]: "unsure"})
    desk.give(**{filled[1]: "absent"})
    for held in desk.gate.undecided:
        desk.decide(held.id, "discussed_senior")
    if desk.gate.blank:
        desk.explain_blanks()
    desk.sign()
    (one,) = capture.signed(desk.db.read(), "2026-01-01", "2026-12-31")
    assert (one.negatives, one.group_negatives) == (len(filled), len(filled) - 2)
    assert list(capture.signed(desk.db.read(), "2026-01-01", "2026-12-31", DOCTOR.actor)) == []


# ---------------------------------------------------------------- of clinicians who have left


def test_what_a_clinician_who_left_did_not_fill_in_is_for_a_colleague(desk):
    seq = signed_with_decision(desk)
    with pytest.raises(Refused, match="Another clinician"):
        followup.follow_up(desk.store, desk.id, seq, "arrived", "", desk.key(), DOCTOR)
    left = {NURSE.actor}
    (one,), due = followup.left_behind(desk.store, today(desk), left)
    assert (one.decision.seq, due) == (seq, [])
    assert followup.left_behind(desk.store, today(desk), {DOCTOR.actor}) == ([], [])
    followup.follow_up(desk.store, desk.id, seq, "not", "Rang the ward", desk.key(), DOCTOR, left)
    assert followup.left_behind(desk.store, today(desk), left) == ([], [])
    step = list(steps(desk.db.read(), kind="decision_followed_up"))[-1]
    assert step.actor == DOCTOR.actor
    assert "Rang the ward" in desk.now.addenda[-1].content["text"]


def test_an_adjustment_of_a_clinician_who_left_is_reviewed_by_a_colleague(desk):
    question = arranged(desk, -3)
    left = {NURSE.actor}
    assert len(followup.left_behind(desk.store, today(desk), left)[1]) == 1
    followup.review(desk.store, desk.id, question, "done", "", desk.key(), DOCTOR, left)
    assert followup.left_behind(desk.store, today(desk), left) == ([], [])
    assert not listed(desk)[1][0].open
