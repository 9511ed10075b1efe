"""How a report leaves: the whole way through the store, with real steps; nothing leaves on any other."""

from __future__ import annotations

from datetime import timedelta

import pytest

from consult.documents import releasing
from consult.documents.note import after_signing
from consult.documents.releasing import Names, final_text
from consult.documents.report import digest
from consult.record.ledger import Refused, steps
from consult.record.release import Event, Stage

NAMES = Names("Zebedee Quillfeather", "Nora Nurse")
CONTENT = {
    "copy_given": {"how": "in_person", "window_ends": "2026-12-01"},
    "correction_asked": {"text": "The bench is number 5"},
    "correction_made": {"text": "The bench is number 5."},
    "correction_declined": {"text": "It is an opinion."},
    "released": {"to": "line_manager", "how": "by_email"},
    "agreed": {},
}
WITH_DIGEST = {"copy_given", "agreed", "released"}


@pytest.fixture
def ready(desk):
    """Consent given, a copy wanted before, a final text, and the consultation signed."""
    desk.give(report_consent="given", report_copy_choice="before", can_do_at_work="Desk work at bench 4")
    desk.make_report()
    desk.explain_blanks()
    desk.sign()
    return desk


def happen(desk, event, **more):
    content = {**CONTENT.get(event, {"how": "by_phone"}), **more}
    if event in WITH_DIGEST:
        content.setdefault("digest", digest(final_text(desk.release, NAMES) or ""))
    desk.report(event, **content)


def kinds(desk):
    return [s.kind for s in steps(desk.db.read(), consultation=desk.id) if s.kind.startswith("report_")]


def test_the_answers_lead_the_way_while_the_consultation_is_open(desk):
    assert desk.release.stage == Stage.NOT_EXPLAINED
    for words, stage in [
        ({"report_consent": "withheld"}, Stage.WITHHELD),
        ({"report_consent": "no_manager"}, Stage.NO_RECIPIENT),
        ({"report_consent": "given"}, Stage.CONSENTED),
        ({"report_copy_choice": "same_time"}, Stage.WANTS_SAME_TIME),
        ({"report_copy_choice": None}, Stage.CONSENTED),
        ({"report_copy_choice": "no_copy"}, Stage.WANTS_NO_COPY),
        ({"report_consent": "withdrawn"}, Stage.WITHDRAWN),
        ({"report_consent": "given"}, Stage.WANTS_NO_COPY),  # the wish is on the path again, and stands
        ({"report_consent": None}, Stage.NOT_EXPLAINED),
    ]:
        desk.give(**words)
        assert desk.release.stage == stage


def test_a_copy_before_is_given_agreed_and_then_released(ready):
    assert ready.release.stage == Stage.TO_SHOW
    happen(ready, "copy_given")
    assert ready.release.stage == Stage.WITH_EMPLOYEE
    happen(ready, "agreed")
    happen(ready, "released")
    release = ready.release
    assert release.stage == Stage.RELEASED
    assert (release.released.actor, release.released.role) == (ready.who.actor, "nurse")
    assert release.released.content == {
        "digest": digest(final_text(release, NAMES)),
        "to": "line_manager",
        "how": "by_email",
        "copy": "before",
    }
    assert kinds(ready) == ["report_made", "report_copy_given", "report_agreed", "report_released"]


def test_the_window_ends_when_its_last_day_is_over_and_the_release_says_so(ready):
    happen(ready, "copy_given", window_ends="2026-11-23")
    with pytest.raises(Refused, match="time agreed to answer"):
        happen(ready, "released")
    ready.store.clock.now += timedelta(days=1)  # the last day itself
    assert ready.release.stage == Stage.WITH_EMPLOYEE
    ready.store.clock.now += timedelta(days=1)
    assert ready.release.stage == Stage.READY_BEFORE
    happen(ready, "released")
    assert ready.release.stage == Stage.RELEASED
    assert kinds(ready)[-2:] == ["report_window_ended", "report_released"]


@pytest.mark.parametrize(("wish", "copy"), [("same_time", "same_time"), ("no_copy", "none")])
def test_the_other_two_wishes_release_at_once(desk, wish, copy):
    desk.give(report_consent="given", report_copy_choice=wish)
    desk.make_report()
    desk.explain_blanks()
    desk.sign()
    happen(desk, "released")
    assert desk.release.released.content["copy"] == copy


def test_no_report_is_released_from_a_consultation_that_is_still_open(desk):
    desk.give(report_consent="given", report_copy_choice="no_copy")
    desk.make_report()
    with pytest.raises(Refused, match="sign it first"):
        happen(desk, "released")


def test_without_a_wish_about_a_copy_nothing_leaves_and_the_wish_can_be_recorded_after_signing(desk):
    desk.give(report_consent="given")
    desk.make_report()
    desk.explain_blanks()
    desk.sign()
    before = desk.case
    with pytest.raises(Refused, match="is not recorded"):
        happen(desk, "released")
    happen(desk, "copy_none")
    happen(desk, "released")
    assert desk.release.stage == Stage.RELEASED
    assert desk.case == before


def test_consent_withdrawn_after_signing_stops_it_and_never_moves_the_case(ready):
    before = ready.case
    happen(ready, "consent_withdrawn")
    assert ready.release.stage == Stage.WITHDRAWN
    for event in ("released", "copy_given", "agreed"):
        with pytest.raises(Refused):
            happen(ready, event)
    with pytest.raises(Refused):
        ready.make_report()
    assert ready.case == before
    assert before["report_consent"] == "given"


def test_the_note_tells_what_became_of_the_report_and_which_leaflet_was_given_after_signing(ready):
    assert after_signing(ready.now, ready.path) == ""
    ready.leaflet("given", leaflet="back-exercises", version="0.1", form="link")
    for event in ("copy_given", "agreed", "released", "consent_withdrawn", "consent_given"):
        happen(ready, event)
    told = [line.partition(" at ")[2][6:] for line in after_signing(ready.now, ready.path).splitlines()[1:]]
    assert told == [
        "Leaflet given as a link: back-exercises (language en, version 0.1, A4).",
        "Report to the manager released.",
        "Consent to a report to the manager withdrawn.",
        "Consent to a report to the manager given.",
    ]


def test_a_correction_stands_in_the_text_and_the_employee_sees_it_again(ready):
    happen(ready, "copy_given")
    happen(ready, "correction_asked")
    with pytest.raises(Refused, match="answer it first"):
        happen(ready, "released")
    happen(ready, "correction_made")
    assert ready.release.stage == Stage.WANTS_BEFORE
    before = ready.case
    ready.make_report()
    text = final_text(ready.release, NAMES)
    assert "## Corrected after the employee had read it\n- The bench is number 5.\n" in text
    assert ready.release.stage == Stage.TO_SHOW
    assert ready.case == before


def test_an_opinion_may_stay_and_the_employee_may_still_answer(ready):
    happen(ready, "copy_given")
    happen(ready, "correction_asked")
    happen(ready, "correction_declined")
    assert ready.release.stage == Stage.WITH_EMPLOYEE


def test_an_answer_changed_after_the_text_was_final_makes_it_final_no_more(desk):
    desk.give(report_consent="given", report_copy_choice="no_copy", can_do_at_work="Desk work")
    desk.make_report()
    assert desk.release.stage == Stage.READY_NO_COPY
    desk.give(can_do_at_work="No desk work")
    assert desk.release.stage == Stage.WANTS_NO_COPY
    desk.give(can_do_at_work="Desk work")
    assert desk.release.stage == Stage.READY_NO_COPY


def test_a_clinical_answer_changed_later_leaves_the_final_text_alone(desk):
    desk.give(report_consent="given", report_copy_choice="no_copy")
    desk.make_report()
    desk.give(cancer_ever="present", low_mood="present")
    assert desk.release.stage == Stage.READY_NO_COPY


def test_what_is_made_final_is_what_the_page_showed(desk):
    desk.give(report_consent="given", can_do_at_work="Desk work")
    with pytest.raises(Refused, match="changed since this page was made"):
        desk.make_report(shown="0" * 64)
    desk.make_report()
    shown = digest(final_text(desk.release, NAMES))
    desk.make_report(shown=shown)


def test_the_step_keeps_the_text_without_the_names_and_the_digest_of_it_with_them(ready):
    content = ready.release.made.content
    assert "Quillfeather" not in content["text"]
    assert "Nora" not in content["text"]
    text = final_text(ready.release, NAMES)
    assert "Employee: Zebedee Quillfeather\n" in text
    assert "From: Nora Nurse, occupational health nurse\n" in text
    assert content["digest"] == digest(text)
    assert final_text(ready.release, Names("Zebedee Other", "Nora Nurse")) is None


def test_a_release_of_another_text_is_refused(ready):
    happen(ready, "copy_given")
    happen(ready, "agreed")
    with pytest.raises(Refused, match="not the final text"):
        happen(ready, "released", digest="0" * 64)


def test_a_retry_writes_one_step_only(ready):
    content = {**CONTENT["copy_given"], "digest": digest(final_text(ready.release, NAMES))}
    for _ in range(2):
        releasing.record(ready.store, ready.id, Event.COPY_GIVEN, content, NAMES, "the-same-key", ready.who)
    assert kinds(ready).count("report_copy_given") == 1


def test_a_step_written_past_the_door_changes_nothing(desk):
    desk.give(report_consent="withheld")
    content = {"digest": "0" * 64, "to": "line_manager", "how": "by_email", "copy": "none"}
    desk.store.note(desk.id, "report_released", content, desk.key(), desk.who)
    assert desk.release.stage == Stage.WITHHELD
    assert desk.release.released is None


@pytest.mark.parametrize("event", ["consent_given", "copy_none"])
def test_while_it_is_open_consent_is_an_answer_and_nothing_else(desk, event):
    desk.give(report_consent="withheld" if event == "consent_given" else "given")
    with pytest.raises(Refused, match="change the answer itself"):
        happen(desk, event)


def test_nobody_else_releases_it(ready):
    happen(ready, "copy_given")
    happen(ready, "agreed")
    ready.who = type(ready.who)("person-doctor", "doctor")
    with pytest.raises(Refused, match="Another clinician"):
        happen(ready, "released")
