"""The idle lock: nothing readable, nothing recorded, nothing lost, and after the password one is where one was."""

from __future__ import annotations

from datetime import timedelta

import pages
import pytest
from visiting import EMPLOYEE, PASSWORD, Service, Visitor

from consult.proforma.answer import Answer

LONG = timedelta(minutes=15, seconds=1)


@pytest.fixture
def consultation(service: Service) -> str:
    return service.begin()


def fields(text: str) -> dict[str, str]:
    """What the form of a page would send."""
    page = pages.parse(text)
    return {i.get("name") or "": i.get("value") or "" for i in page.iter("input") if i.get("type") == "hidden"}


def unlock(visitor: Visitor, path: str, text: str, password: str = PASSWORD):  # type: ignore[no-untyped-def]
    return visitor.client.post(path, data={**fields(text), "unlock_password": password})


def test_an_idle_screen_is_locked_and_says_nothing_of_anybody_but_who_is_signed_in(
    service: Service, nurse: Visitor, consultation: str
) -> None:
    nurse.get(f"/consultations/{consultation}")
    service.clock.ahead = LONG
    for path in (f"/consultations/{consultation}", "/", "/results", "/employees"):
        response = nurse.ask(path)
        assert response.status_code == 423
        assert "Nora Nurse" in response.text
        assert EMPLOYEE[0] not in response.text


def test_after_the_password_one_is_at_the_same_place(service: Service, nurse: Visitor, consultation: str) -> None:
    path = f"/consultations/{consultation}?x=1"
    nurse.get(path)
    service.clock.ahead = LONG
    locked = nurse.ask(path)
    wrong = unlock(nurse, path, locked.text, "not this one at all")
    assert wrong.status_code == 423
    assert "That password is not right" in wrong.text
    right = unlock(nurse, path, wrong.text)
    assert (right.status_code, right.headers["Location"]) == (303, path)
    nurse.get(path)


@pytest.mark.parametrize("how", ["page", "form", "open page"])
def test_after_the_password_the_session_has_a_new_token_and_the_pages_that_are_open_go_on(
    service: Service, nurse: Visitor, consultation: str, how: str
) -> None:
    """A form of any tab that was open before still goes: the token of forms is not the session's."""
    open_before = nurse.csrf()
    cookie = nurse.client.get_cookie("consult_session")
    assert cookie is not None
    service.clock.ahead = LONG
    path, answers = f"/consultations/{consultation}", f"/consultations/{consultation}/answers"
    if how == "page":
        assert unlock(nurse, path, nurse.ask(path).text).status_code == 303
    elif how == "form":
        sent = {"seen.poor_sleep": "0", "csrf_token": open_before}
        assert unlock(nurse, answers, nurse.post(answers, sent).text).status_code == 302
    else:
        assert nurse.post("/unlock", {"password": PASSWORD}, htmx=True).json["state"] == "open"
    after = nurse.client.get_cookie("consult_session")
    assert after is not None
    assert after.value != cookie.value
    thief = service.visitor()
    thief.client.set_cookie("consult_session", cookie.value)
    assert thief.ask("/").headers["Location"].startswith("/sign-in")
    assert nurse.token == open_before
    values = {"a.harm_belief": "present", "key": "k" * 20}
    assert nurse.save(consultation, values, htmx=True).status_code == 200
    assert service.answer(consultation, "harm_belief") == Answer("present")


@pytest.mark.parametrize("password", ["", "not this one at all"])
def test_a_form_that_meets_the_lock_is_recorded_after_the_password_and_not_before(
    service: Service, nurse: Visitor, consultation: str, password: str
) -> None:
    nurse.csrf()
    service.clock.ahead = LONG
    path = f"/consultations/{consultation}/answers"
    text = "First line\nsecond, with “quotes” & <signs>"
    sent = {
        "seen.employee_concern": "0",
        "a.employee_concern": text,
        "seen.harm_belief": "0",
        "a.harm_belief": "present",
    }
    locked = nurse.post(path, {**sent, "csrf_token": nurse.csrf()})
    assert locked.status_code == 423
    assert "is not recorded yet" in locked.text
    assert service.answer(consultation, "harm_belief") is None
    again = unlock(nurse, path, locked.text, password)
    assert again.status_code == 423
    assert service.answer(consultation, "harm_belief") is None
    done = unlock(nurse, path, again.text)
    assert done.status_code == 302
    assert service.answer(consultation, "harm_belief") == Answer("present")
    assert service.answer(consultation, "employee_concern") == Answer("answered", text)


def test_a_save_of_an_open_page_is_refused_until_it_is_unlocked_there(
    service: Service, nurse: Visitor, consultation: str
) -> None:
    nurse.csrf()
    service.clock.ahead = LONG
    values = {"a.harm_belief": "present", "key": "k" * 20}
    assert nurse.save(consultation, values, htmx=True).status_code == 423
    assert service.answer(consultation, "harm_belief") is None
    state = nurse.ask("/session").json
    assert state.pop("csrf"), "the page goes on with the token of whoever is signed in now"
    assert state == {"state": "locked", "person": service.who["nurse"].actor, "name": "Nora Nurse", "left": 0}
    wrong = nurse.post("/unlock", {"password": "not this one at all"}, htmx=True)
    assert (wrong.status_code, wrong.json["state"]) == (422, "locked")
    assert "not right" in wrong.json["problem"]
    right = nurse.post("/unlock", {"password": PASSWORD}, htmx=True)
    assert (right.json["state"], right.json["left"]) == ("open", 900)
    assert nurse.save(consultation, values, htmx=True).status_code == 200
    assert service.answer(consultation, "harm_belief") == Answer("present")


def test_looking_how_the_session_stands_keeps_nobody_signed_in_but_being_there_does(
    service: Service, nurse: Visitor
) -> None:
    nurse.csrf()
    service.clock.ahead = timedelta(minutes=10)
    assert 290 <= nurse.ask("/session").json["left"] <= 300
    assert nurse.post("/session").json["left"] == 900
    service.clock.ahead = timedelta(minutes=20)
    assert nurse.ask("/session").json["state"] == "open"
    service.clock.ahead = timedelta(minutes=26)
    assert nurse.ask("/session").json["state"] == "locked"
    assert nurse.post("/session").json["state"] == "locked"


def test_the_screen_can_be_locked_at_once(service: Service, nurse: Visitor, consultation: str) -> None:
    path = f"/consultations/{consultation}"
    assert nurse.post("/lock", {"next": path}).headers["Location"] == path
    assert nurse.ask(path).status_code == 423
    assert nurse.post("/lock", {"next": "//evil.example"}).headers["Location"] == "/"
    assert nurse.post("/lock", htmx=True).json["state"] == "locked"


def test_somebody_else_signs_in_over_a_lock_and_the_locked_session_is_gone(
    service: Service, nurse: Visitor, consultation: str
) -> None:
    cookie = nurse.client.get_cookie("consult_session")
    assert cookie is not None
    nurse.post("/lock")
    assert nurse.ask("/sign-in").status_code == 200
    token = fields(nurse.ask("/sign-in").text)["csrf_token"]
    sent = {"username": "dan.doctor", "password": PASSWORD, "csrf_token": token}
    assert nurse.client.post("/sign-in", data=sent).status_code == 302
    assert "Dan Doctor" in nurse.ask("/").text
    former = service.visitor()
    former.client.set_cookie("consult_session", cookie.value)
    assert former.ask("/").headers["Location"].startswith("/sign-in")


def test_signing_out_works_while_locked(nurse: Visitor) -> None:
    nurse.csrf()
    nurse.post("/lock")
    assert nurse.post("/sign-out").headers["Location"] == "/sign-in"
    assert nurse.ask("/session").json["state"] == "ended"


@pytest.mark.parametrize("stands", [0, 1], ids=["the first reply stands", "the second reply stands"])
def test_two_tabs_that_ask_at_the_same_moment_after_a_sign_in_can_both_send(service: Service, stands: int) -> None:
    visitor = service.visitor("")
    sent = {"username": "nora.nurse", "password": PASSWORD, "csrf_token": visitor.csrf()}
    assert visitor.client.post("/sign-in", data=sent).status_code == 302
    brought = visitor.client.get_cookie("consult_form")
    assert brought is not None
    tokens, left = [], []
    for _ in range(2):  # neither request knows of the reply to the other
        visitor.client.set_cookie("consult_form", brought.value)
        tokens.append(visitor.ask("/session").json["csrf"])
        left.append(visitor.client.get_cookie("consult_form"))
    visitor.client.set_cookie("consult_form", left[stands].value)
    for token in tokens:
        assert visitor.client.post("/session", headers={"X-CSRFToken": token}).status_code == 200


class TestNothingIsDoneUnderAWrongName:
    """A page made for one person, in a browser where another has signed in since."""

    @pytest.fixture
    def switched(self, service: Service, nurse: Visitor) -> Visitor:
        """The doctor's session in the nurse's browser, whose pages still hold the nurse's token."""
        nurse.csrf()
        doctor = service.visitor("doctor").client.get_cookie("consult_session")
        assert doctor is not None
        nurse.client.set_cookie("consult_session", doctor.value)
        return nurse

    def test_a_save_that_says_who_its_page_was_made_for(self, service: Service, switched: Visitor) -> None:
        consultation = service.begin("doctor")
        headers = {"X-Made-For": service.who["nurse"].actor, "X-CSRFToken": switched.csrf(), "HX-Request": "true"}
        sent = {"seen.harm_belief": "0", "a.harm_belief": "present"}
        reply = switched.client.post(f"/consultations/{consultation}/answers", data=sent, headers=headers)
        assert reply.status_code == 401
        assert service.answer(consultation, "harm_belief") is None

    def test_a_form_of_the_page_of_another_person(self, service: Service, switched: Visitor) -> None:
        consultation = service.begin("doctor")
        sent = {"seen.harm_belief": "0", "a.harm_belief": "present"}
        reply = switched.post(f"/consultations/{consultation}/answers", sent)
        assert reply.status_code == 400
        assert "before somebody signed in anew" in reply.text
        assert service.answer(consultation, "harm_belief") is None

    def test_the_open_page_learns_who_is_signed_in(self, switched: Visitor) -> None:
        assert switched.ask("/session").json["name"] == "Dan Doctor"
