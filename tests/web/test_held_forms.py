"""A form sent after the session had ended: held in the sign-in page, sent once more by whoever signs in, and only then
recorded. Nothing of it is kept at the server, and nothing of another site is ever held."""

from __future__ import annotations

import pages
import pytest
from visiting import PASSWORD, Service, Visitor, look_over
from werkzeug.test import TestResponse

from consult.proforma.answer import Answer
from consult.web import envelope, holding

OURS = {"Sec-Fetch-Site": "same-origin"}
TEXT = "First line\nsecond, with “quotes”, 'these' & <b>signs</b>"
KEY = "one-key-of-the-page-0001"


@pytest.fixture
def consultation(service: Service) -> str:
    return service.begin()


def sent(text: str = TEXT) -> dict[str, str]:
    return {
        "seen.employee_concern": "0",
        "a.employee_concern": text,
        "seen.harm_belief": "0",
        "a.harm_belief": "present",
        "key": KEY,
    }


def signed_out(nurse: Visitor, path: str, data: dict[str, str], **headers: str) -> TestResponse:
    """What a form gets that is sent from a page left open, after a sign-out in another window."""
    token = nurse.csrf()
    nurse.post("/sign-out")
    reply = nurse.client.post(path, data={**data, "csrf_token": token}, headers={**OURS, **headers})
    look_over(reply)
    return reply


def hidden(text: str) -> dict[str, str]:
    page = pages.parse(text)
    return {i.get("name") or "": i.get("value") or "" for i in page.iter("input") if i.get("type") == "hidden"}


def sign_in(visitor: Visitor, text: str, name: str = "nora.nurse", password: str = PASSWORD) -> TestResponse:
    reply = visitor.client.post("/sign-in", data={**hidden(text), "username": name, "password": password})
    look_over(reply)
    return reply


def test_it_is_recorded_once_after_the_sign_in_and_not_before(
    service: Service, nurse: Visitor, consultation: str
) -> None:
    path = f"/consultations/{consultation}/answers"
    asked = signed_out(nurse, path, sent())
    assert asked.status_code == 401
    assert "What you sent is not recorded yet" in asked.text
    wrong = sign_in(nurse, asked.text, password="not this one at all")
    assert wrong.status_code == 422
    kept = sign_in(nurse, wrong.text)
    assert kept.status_code == 200
    assert "Nora Nurse" in kept.text
    assert service.answer(consultation, "harm_belief") is None
    for _ in range(2):
        done = nurse.client.post(path, data=hidden(kept.text))
        assert done.status_code == 302
        assert service.answer(consultation, "harm_belief") == Answer("present")
        assert service.answer(consultation, "employee_concern") == Answer("answered", TEXT)
    steps = service.instance.db.read().execute(
        "SELECT count(*) FROM step WHERE consultation = ? AND question = 'employee_concern'", (consultation,)
    )
    assert steps.fetchone()[0] == 1


@pytest.mark.parametrize(("name", "code"), [("dan.doctor", 404), ("lea.lead", 403), ("adi.admin", 403)])
def test_whoever_else_signs_in_sends_it_under_his_own_name_and_is_refused_what_is_not_his(
    service: Service, nurse: Visitor, consultation: str, name: str, code: int
) -> None:
    path = f"/consultations/{consultation}/answers"
    kept = sign_in(nurse, signed_out(nurse, path, sent()).text, name)
    assert "It is recorded under your name if you send it" in kept.text
    assert nurse.client.post(path, data=hidden(kept.text)).status_code == code
    assert service.answer(consultation, "harm_belief") is None


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "", "Origin": "http://elsewhere.example"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
    ],
)
def test_what_another_site_sends_is_not_held(nurse: Visitor, consultation: str, headers: dict[str, str]) -> None:
    reply = signed_out(nurse, f"/consultations/{consultation}/answers", sent(), **headers)
    assert (reply.status_code, reply.headers["Location"]) == (302, "/sign-in")


@pytest.mark.parametrize("source", ["Origin", "Referer"])
def test_a_browser_that_says_no_more_than_where_a_form_came_from_is_believed(
    nurse: Visitor, consultation: str, source: str
) -> None:
    token = nurse.csrf()
    nurse.post("/sign-out")
    headers = {source: "http://localhost" if source == "Origin" else "http://localhost/consultations/x"}
    path = f"/consultations/{consultation}/answers"
    reply = nurse.client.post(path, data={**sent(), "csrf_token": token}, headers=headers)
    assert reply.status_code == 401


@pytest.mark.parametrize(
    "to", ["//evil.example/x", "https://evil.example/", "/nowhere", "/leaflets", "/sign-in\\..", "javascript:alert(1)"]
)
def test_no_address_but_one_of_ours_that_takes_a_form_gets_what_is_held(service: Service, to: str) -> None:
    visitor = service.visitor()
    fields = hidden(visitor.ask("/sign-in").text)
    fields |= {"username": "nora.nurse", "password": PASSWORD, "held_to": to, "held.x": "1"}
    reply = visitor.client.post("/sign-in", data=fields)
    assert (reply.status_code, reply.headers["Location"]) == (302, "/")


def test_nothing_is_held_where_nothing_was_sent(nurse: Visitor, consultation: str) -> None:
    nurse.csrf()
    nurse.post("/sign-out")
    reply = nurse.ask(f"/consultations/{consultation}")
    assert reply.status_code == 302
    assert "held_to" not in nurse.ask(reply.headers["Location"]).text


@pytest.mark.parametrize("field", sorted(holding.SECRETS))
@pytest.mark.parametrize("ended", [True, False])
def test_a_password_or_a_code_that_meets_an_ended_or_locked_session_stands_in_no_page(
    service: Service, nurse: Visitor, field: str, ended: bool
) -> None:
    """Whoever comes to the screen next could read it there, or send it."""
    sent = {field: "typed in secret 4711", "session": "text that may be read"}
    if ended:
        reply = signed_out(nurse, "/account/password", sent)
    else:
        nurse.post("/lock")
        reply = nurse.client.post("/account/password", data={**sent, "csrf_token": nurse.csrf()}, headers=OURS)
        with service.app.test_request_context():
            waits = envelope.unseal(service.who["nurse"].actor, "/account/password", hidden(reply.text)[holding.SEALED])
        assert waits == (("session", "text that may be read"),), "all else waits behind the lock"
    assert reply.status_code == (302 if ended else 423)
    assert "typed in secret" not in reply.text


def test_a_browser_that_names_no_address_as_its_source_is_no_page_of_ours(nurse: Visitor) -> None:
    token = nurse.csrf()
    for header in ("Origin", "Referer"):
        reply = nurse.client.post("/incidents", data={"csrf_token": token}, headers={header: "http://["})
        assert reply.status_code == (403 if header == "Origin" else 422)
    nurse.post("/sign-out")
    reply = nurse.client.post("/incidents", data={"what": "x", "csrf_token": token}, headers={"Referer": "http://["})
    assert (reply.status_code, reply.headers["Location"]) == (302, "/sign-in")


def test_what_was_written_is_shown_to_be_copied_where_who_signed_in_since_has_another_role(
    service: Service, nurse: Visitor, consultation: str
) -> None:
    token = nurse.csrf()
    nurse.post("/lock")
    nurse.post("/sign-in", {"username": "cora.coordinator", "password": PASSWORD})
    path = f"/consultations/{consultation}/answers"
    reply = nurse.client.post(path, data={**sent(), "csrf_token": token}, headers=OURS)
    assert reply.status_code == 403
    look_over(reply)
    assert [e.text for e in pages.parse(reply.text).iter("textarea")] == [TEXT]
    stranger = nurse.client.post(path, data={**sent(), "csrf_token": token}, headers={"Sec-Fetch-Site": "same-site"})
    assert TEXT.partition(chr(10))[0] not in stranger.text
