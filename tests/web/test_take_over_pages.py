"""A consultation taken over: on purpose, with a reason; and what whoever held it is told at the next save."""

from __future__ import annotations

import pages
import pytest
from visiting import Service, Visitor

from consult.proforma.answer import Answer

WHY = "Nora was called away"
TEXT = "Will it last until the summer?"


@pytest.fixture
def doctor(service: Service) -> Visitor:
    return service.visitor("doctor")


@pytest.fixture
def consultation(service: Service) -> str:
    return service.begin()


def take_over(service: Service, visitor: Visitor, consultation: str, **more: str) -> object:
    data = {"from": service.consultation(consultation).owner, "reason": WHY, **more}
    return visitor.post(f"/consultations/{consultation}/take-over", data)


def test_a_colleague_finds_it_takes_it_over_and_goes_on(service: Service, doctor: Visitor, consultation: str) -> None:
    employee = service.consultation(consultation).started["employee"]
    page = doctor.get(f"/employees/{employee}")
    assert any(a.get("href") == f"/consultations/{consultation}/take-over" for a in page.iter("a"))
    asked = pages.text(doctor.get(f"/consultations/{consultation}/take-over"))
    assert "Nora Nurse holds it since" in asked
    assert "Nora Nurse, occupational health nurse" in asked
    assert "Dan Doctor, occupational health nurse" not in asked
    assert take_over(service, doctor, consultation).headers["Location"] == f"/consultations/{consultation}"
    page = pages.text(doctor.get(f"/consultations/{consultation}"))
    assert "taken over from Nora Nurse by Dan Doctor" in page
    doctor.save(consultation, {"a.harm_belief": "present"})
    assert service.answer(consultation, "harm_belief") == Answer("present")


@pytest.mark.parametrize("reason", ["", "   "])
def test_without_a_reason_nothing_is_taken_over(
    service: Service, doctor: Visitor, consultation: str, reason: str
) -> None:
    response = take_over(service, doctor, consultation, reason=reason)
    assert response.status_code == 422
    assert "why you take it over" in response.text
    assert service.consultation(consultation).owner == service.who["nurse"].actor


def test_both_names_stand_in_the_trail_and_under_the_signed_note(
    service: Service, nurse: Visitor, doctor: Visitor
) -> None:
    consultation = service.begin()
    take_over(service, doctor, consultation)
    steps = pages.text(doctor.get(f"/consultations/{consultation}/steps"))
    assert f"Taken over from Nora Nurse: {WHY}" in steps
    doctor.post(f"/consultations/{consultation}/blank-reason", {"reason": "out_of_time"})
    assert doctor.post(f"/consultations/{consultation}/sign").status_code == 302
    ended = pages.text(doctor.get(f"/consultations/{consultation}"))
    assert "Taken over by Dan Doctor from Nora Nurse" in ended
    assert "Signed by Dan Doctor, Occupational health doctor" in ended
    assert "Taken over from another clinician" in ended
    addendum = {"act": "add", "text": "More", "why": "Forgotten"}
    assert nurse.post(f"/consultations/{consultation}/addendum", addendum).status_code == 403
    assert doctor.post(f"/consultations/{consultation}/addendum", addendum).status_code == 302


def test_the_open_tab_of_the_former_owner_is_told_and_keeps_what_was_entered(
    service: Service, nurse: Visitor, doctor: Visitor, consultation: str
) -> None:
    take_over(service, doctor, consultation)
    reply = nurse.save(consultation, {"a.employee_concern": TEXT}, htmx=True)
    assert reply.status_code == 409
    said = pages.text(pages.parse_pieces(reply.text))
    assert f"Not taken. Here you gave: {TEXT}" in said
    assert "Dan Doctor took this consultation over from you on" in said
    assert WHY in said
    ids = [e.get("id") for e in pages.parse_pieces(reply.text).iter()]
    assert "state-employee_concern" in ids
    assert "notice" in ids
    assert service.answer(consultation, "employee_concern") is None


def test_without_javascript_the_reply_shows_what_was_entered_and_only_that(
    service: Service, nurse: Visitor, doctor: Visitor, consultation: str
) -> None:
    nurse.save(consultation, {"a.harm_belief": "present"})
    take_over(service, doctor, consultation)
    sent = {"a.employee_concern": TEXT, "a.harm_belief": "present"}
    for act in ("answers", "sign"):
        known = {f"seen.{q.partition('.')[2]}": str(service.consultation(consultation).seen(q[2:])) for q in sent}
        response = nurse.post(f"/consultations/{consultation}/{act}", {**known, **sent})
        assert response.status_code == 403
        shown = list(pages.parse(response.text).iter("dd"))
        assert [pages.text(e) for e in shown] == [TEXT]
    assert service.consultation(consultation).state == "open"


def test_a_decision_typed_by_the_former_owner_is_shown_to_be_copied(
    service: Service, nurse: Visitor, doctor: Visitor, consultation: str
) -> None:
    take_over(service, doctor, consultation)
    sent = {"question": "harm_belief", "decision": "gp_letter", "reason": "Asked to call back", "told": "The practice"}
    page = pages.text(pages.parse(nurse.post(f"/consultations/{consultation}/decisions", sent).text))
    for words in ("Letter to the GP", "Asked to call back", "The practice", "Dan Doctor took this consultation over"):
        assert words in page


def test_the_former_owner_reads_it_no_more_but_may_take_it_over_again(
    service: Service, nurse: Visitor, doctor: Visitor, consultation: str
) -> None:
    doctor_takes = take_over(service, doctor, consultation)
    assert doctor_takes is not None
    for path in ("", "/note", "/steps", "/letter", "/sign"):
        page = pages.text(nurse.get(f"/consultations/{consultation}{path}", 403))
        assert "held by a colleague now" in page
    take_over(service, nurse, consultation, reason="Back again")
    assert "taken over from Dan Doctor by Nora Nurse" in pages.text(nurse.get(f"/consultations/{consultation}"))


def test_home_says_what_was_taken_over(service: Service, nurse: Visitor, doctor: Visitor, consultation: str) -> None:
    take_over(service, doctor, consultation)
    home = pages.text(nurse.get("/"))
    assert "Taken over from you" in home
    assert "Dan Doctor" in home
    assert WHY in home
    assert "You have no open consultation." in home
    assert consultation in doctor.ask("/").text
    assert "Taken over from you" not in doctor.ask("/").text


def test_a_page_that_is_out_of_date_takes_nothing_over(service: Service, doctor: Visitor, consultation: str) -> None:
    nora = service.who["nurse"].actor
    take_over(service, service.visitor("physiotherapist"), consultation)
    response = doctor.post(f"/consultations/{consultation}/take-over", {"from": nora, "reason": WHY})
    assert response.status_code == 409
    assert "took it over meanwhile" in response.text
    assert service.consultation(consultation).owner == service.who["physiotherapist"].actor


def test_one_that_has_ended_is_not_taken_over(service: Service, doctor: Visitor) -> None:
    signed = service.signed()
    assert "nobody takes it over" in doctor.ask(f"/consultations/{signed}/take-over").text
    assert take_over(service, doctor, signed).status_code == 409


def test_an_answer_to_a_consultation_signed_meanwhile_is_not_said_to_be_saved(service: Service, nurse: Visitor) -> None:
    signed = service.signed()
    reply = nurse.save(signed, {"a.employee_concern": TEXT}, htmx=True)
    assert reply.status_code == 409
    said = pages.text(pages.parse_pieces(reply.text))
    assert f"Not taken. Here you gave: {TEXT}" in said
    assert "write an addendum instead" in said


@pytest.mark.parametrize("answer", ["absent", "no such code"])
def test_the_former_owner_is_told_also_where_nothing_new_was_sent(
    service: Service, nurse: Visitor, doctor: Visitor, consultation: str, answer: str
) -> None:
    """What was taken over is remembered as it stood: the log is asked before anything is said to stand."""
    nurse.save(consultation, {"a.harm_belief": "absent"}, htmx=True)
    take_over(service, doctor, consultation)  # and has not opened it yet
    seen = str(service.consultation(consultation).seen("harm_belief"))
    reply = nurse.save(consultation, {"a.harm_belief": answer, "seen.harm_belief": seen}, htmx=True)
    assert reply.status_code == 409
    assert "Saved" not in reply.text


def test_a_date_that_is_none_sent_to_a_consultation_that_has_ended_is_shown_as_it_was_typed(
    service: Service, nurse: Visitor
) -> None:
    consultation = service.begin()
    assert (
        nurse.post(f"/consultations/{consultation}/abandon", {"reason": "other", "text": "as typed"}).status_code < 400
    )
    proforma = service.instance.library.current.proforma
    question = next(q.id for q in proforma.questions if q.kind == "date")
    sent = {
        f"a.{question}.day": "31",
        f"a.{question}.month": "2",
        f"a.{question}.year": "soon",
        f"a.{question}": "soon",
    }
    reply = nurse.save(consultation, {**sent, "a.harm_belief": "present", "key": "k" * 20})
    assert reply.status_code == 409
    assert "soon" in reply.text
