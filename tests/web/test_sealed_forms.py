"""What waits in the page of a lock or a sign-in is sealed: it can't be read, changed or moved there, only who typed it
has it opened, and nothing of it is lost."""

from __future__ import annotations

import random
import string
from datetime import timedelta
from urllib.parse import urlencode

import pages
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from test_held_forms import OURS, hidden, sent, sign_in
from test_lock import unlock
from visiting import PASSWORD, Service, Visitor, look_over
from werkzeug.test import TestResponse

from consult.proforma.answer import Answer
from consult.web import envelope, holding
from consult.web.app import MAX_BODY, put_over

TEXT = "Plainly invented, and typed in confidence"
FIELDS = st.lists(st.tuples(st.text(max_size=8), st.text(max_size=60)), max_size=6).map(tuple)
LETTERS = f"{string.ascii_letters}{string.digits}-_"
"""What a sealed text is written with."""
NIGHT = timedelta(hours=13)
ONLY_THEY = "only they can send it"


@pytest.fixture
def consultation(service: Service) -> str:
    return service.begin()


def locked(nurse: Visitor, path: str, headers: dict[str, str] = OURS) -> TestResponse:
    token = nurse.csrf()
    nurse.post("/lock")
    return nurse.client.post(path, data={**sent(TEXT), "csrf_token": token}, headers=headers)


def concerns(service: Service, consultation: str) -> Answer | None:
    return service.answer(consultation, "employee_concern")


def test_nothing_typed_stands_in_any_page_that_waits_for_a_sign_in(
    service: Service, nurse: Visitor, consultation: str
) -> None:
    path = f"/consultations/{consultation}/answers"
    at_lock = locked(nurse, path)
    wrong = unlock(nurse, path, at_lock.text, "not this one at all")
    service.clock.ahead = NIGHT
    ended = nurse.client.post(path, data={**hidden(wrong.text), "unlock_password": PASSWORD}, headers=OURS)
    refused = sign_in(nurse, ended.text, password="not this one at all")
    kept = sign_in(nurse, refused.text)
    found = [at_lock, wrong, ended, refused]
    assert [page.status_code for page in [*found, kept]] == [423, 423, 401, 422, 200]
    for page in found:
        assert TEXT not in page.text
        assert "employee_concern" not in page.text
    assert TEXT in kept.text, "whoever typed it sees what will be sent, once signed in"
    assert nurse.client.post(path, data=hidden(kept.text)).status_code == 302
    assert concerns(service, consultation) == Answer("answered", TEXT)


@pytest.mark.parametrize("how", ["locked", "ended by time"])
def test_another_person_who_signs_in_there_cannot_have_it_opened_and_who_typed_it_can(
    service: Service, nurse: Visitor, consultation: str, how: str
) -> None:
    path = f"/consultations/{consultation}/answers"
    if how == "locked":
        waits = hidden(locked(nurse, path).text)
        nurse.post("/sign-in", {"username": "dan.doctor", "password": PASSWORD})
        nurse.token = ""
        reply = nurse.client.post(path, data={**waits, "csrf_token": nurse.csrf()}, headers=OURS)
        assert reply.status_code == 403
    else:
        token = nurse.csrf()
        service.clock.ahead = NIGHT
        asked = nurse.client.post(path, data={**sent(TEXT), "csrf_token": token}, headers=OURS)
        reply = sign_in(nurse, asked.text, "dan.doctor")
    assert "Dan Doctor" in reply.text
    assert ONLY_THEY in reply.text
    assert TEXT not in reply.text
    taken_out = {holding.SEALED: hidden(reply.text)["held.held_sealed"], "csrf_token": hidden(reply.text)["csrf_token"]}
    assert nurse.client.post(path, data=taken_out, headers=OURS).status_code == 403
    kept = sign_in(nurse, reply.text)
    assert "Nora Nurse" in kept.text
    assert ONLY_THEY not in kept.text
    assert concerns(service, consultation) is None
    assert nurse.client.post(path, data=hidden(kept.text)).status_code == 302
    assert concerns(service, consultation) == Answer("answered", TEXT)


def test_who_sits_before_what_another_typed_is_told_nothing_that_is_not_so(
    service: Service, nurse: Visitor, consultation: str
) -> None:
    path = f"/consultations/{consultation}/answers"
    waits = hidden(locked(nurse, path).text)
    nurse.post("/sign-in", {"username": "dan.doctor", "password": PASSWORD})
    nurse.token = ""
    theirs = nurse.client.post(path, data={**waits, "csrf_token": nurse.csrf()}, headers=OURS)
    assert "Send what was kept" not in theirs.text
    assert "Kept for whoever typed it" in theirs.text
    assert "what is kept here is then lost" in theirs.text
    wrong = sign_in(nurse, theirs.text, password="not this one at all")
    assert wrong.status_code == 422
    assert "Nobody is signed in here" not in wrong.text
    assert "<strong>Dan Doctor</strong> is still signed in here" in wrong.text
    assert "Send what was kept" in sign_in(nurse, wrong.text).text


def test_what_waits_goes_into_no_other_consultation_than_it_was_typed_for(
    service: Service, nurse: Visitor, consultation: str
) -> None:
    """Whoever sits at a locked screen can change where its form goes, and what else it sends."""
    other, path = service.begin(), f"/consultations/{consultation}/answers"
    waits = hidden(locked(nurse, path).text)
    moved = {**waits, "unlock_password": PASSWORD}
    assert nurse.client.post(f"/consultations/{other}/answers", data=moved).status_code == 403
    assert concerns(service, other) is None
    added = {
        **waits,
        "csrf_token": nurse.csrf(),
        "a.harm_belief": "absent",
        "a.poor_sleep": "present",
        "seen.poor_sleep": "0",
    }
    assert nurse.client.post(path, data=added).status_code == 302
    assert service.answer(consultation, "harm_belief") == Answer("present")
    assert service.answer(consultation, "poor_sleep") is None


@pytest.mark.parametrize(("site", "asked"), [("same-site", False), ("same-origin", True)])
def test_a_form_of_no_page_of_this_session_is_done_by_no_unlocking(
    service: Service, nurse: Visitor, consultation: str, site: str, asked: bool
) -> None:
    """Of another site nothing waits. Of a page of ours that another person left open it is asked after the password."""
    nurse.csrf()
    nurse.post("/lock")
    path = f"/consultations/{consultation}/answers"
    reply = nurse.client.post(path, data=sent(TEXT), headers={"Sec-Fetch-Site": site})
    after = unlock(nurse, path, unlock(nurse, path, reply.text, "not this one at all").text)
    assert concerns(service, consultation) is None
    assert ("It is recorded under your name if you send it" in after.text) == asked
    if asked:
        assert nurse.client.post(path, data=hidden(after.text)).status_code == 302
        assert concerns(service, consultation) == Answer("answered", TEXT)


@pytest.mark.parametrize(("site", "asked"), [("same-site", False), ("cross-site", False), ("same-origin", True)])
def test_what_somebody_without_an_account_had_sealed_is_done_by_no_unlocking(
    service: Service, nurse: Visitor, consultation: str, site: str, asked: bool
) -> None:
    """A form sent without a sign-in comes back sealed for whoever signs in: no other site puts that before the lock."""
    path = f"/consultations/{consultation}/answers"
    stranger = service.visitor()
    sealed = hidden(stranger.client.post(path, data=sent(TEXT), headers=OURS).text)["held.held_sealed"]
    nurse.csrf()
    nurse.post("/lock")
    reply = nurse.client.post(path, data={holding.SEALED: sealed}, headers={"Sec-Fetch-Site": site})
    after = unlock(nurse, path, reply.text)
    assert concerns(service, consultation) is None
    assert ("It is recorded under your name if you send it" in after.text) == asked


def test_a_page_only_looked_at_whose_session_ended_behind_the_lock_says_of_nothing_that_it_waits(
    service: Service, nurse: Visitor
) -> None:
    path = "/incidents?x=1"
    nurse.csrf()
    nurse.post("/lock")
    page = nurse.ask(path).text
    service.clock.ahead = NIGHT
    reply = nurse.client.post(path, data={**hidden(page), "unlock_password": PASSWORD}, headers=OURS)
    assert (reply.status_code, reply.headers["Location"]) == (302, "/sign-in?next=/incidents?x%3D1")


@given(
    FIELDS, st.sampled_from(["a", "b", envelope.ANYBODY]), st.integers(0, 999), st.integers(1, 63), st.text(max_size=40)
)
def test_only_the_same_person_and_address_have_back_all_that_was_sealed(
    shared: Service, fields: envelope.Fields, person: str, place: int, further: int, junk: str
) -> None:
    with shared.app.test_request_context():
        sealed = envelope.seal(person, "/x?y=1", fields)
        assert envelope.unseal(person or "a", "/x?y=1", sealed) == fields
        assert envelope.unseal(person or "a", "/x?y=2", sealed) is None
        assert envelope.unseal("c", "/x?y=1", sealed) == (None if person else fields)
        place %= len(sealed.rstrip("=")) - 1  # of the last letter not every bit counts
        other = LETTERS[(LETTERS.index(sealed[place]) + further) % len(LETTERS)]
        assert envelope.unseal(person, "/x?y=1", f"{sealed[:place]}{other}{sealed[place + 1 :]}") is None
        assert envelope.unseal(person, "/x?y=1", junk) is None


@pytest.mark.parametrize("letters", [string.ascii_letters + string.digits, "äöü€字", " \r\n&<>"])
def test_the_largest_form_that_can_be_sent_waits_and_can_be_sent_again(
    service: Service, nurse: Visitor, letters: str
) -> None:
    luck = random.Random(letters)
    text = "".join(luck.choices(letters, k=200_000))
    text *= int((MAX_BODY * 0.98) // len(urlencode({"what": text}))) if len(letters) < 9 else 9
    token = nurse.csrf()
    nurse.post("/lock")
    reply = nurse.client.post("/incidents", data={"what": text, "csrf_token": token}, headers=OURS)
    assert reply.status_code == 423
    waits = hidden(reply.text)
    assert len(urlencode(waits)) <= MAX_BODY
    with service.app.test_request_context():
        found = envelope.unseal(service.who["nurse"].actor, "/incidents", waits[holding.SEALED])
    assert found == (("what", text),)


def sent_in_the_night(service: Service, nurse: Visitor, consultation: str) -> TestResponse:
    """What a nurse gets who sends an answer once the session has ended: it waits for a sign-in."""
    token = nurse.csrf()
    service.clock.ahead = NIGHT
    path = f"/consultations/{consultation}/answers"
    return nurse.client.post(path, data={**sent(TEXT), "csrf_token": token}, headers=OURS)


def test_who_is_asked_whether_it_is_to_be_sent_sees_what_and_where(
    service: Service, nurse: Visitor, consultation: str
) -> None:
    """The page had a button "Send it now", and said neither."""
    asked = sent_in_the_night(service, nurse, consultation)
    kept = sign_in(nurse, asked.text)
    page = pages.parse(kept.text)
    assert [pages.text(e) for e in page.iter("li") if e.get("class") == "as-typed"] == [TEXT]
    assert "a page of Consultations" in pages.text(page)
    (link,) = [e for e in page.iter("a") if "look at the page" in pages.text(e)]
    assert link.get("href") == f"/consultations/{consultation}"
    assert link.get("target") == "_blank", "what is kept stays where it is"


@pytest.mark.parametrize(("name", "sees"), [("nora.nurse", True), ("adi.admin", False)])
def test_what_nobody_knows_the_author_of_is_shown_to_nobody_who_may_not_open_its_page(
    service: Service, nurse: Visitor, consultation: str, name: str, sees: bool
) -> None:
    path = f"/consultations/{consultation}/answers"
    stranger = service.visitor()
    kept = sign_in(stranger, stranger.client.post(path, data=sent(TEXT), headers=OURS).text, name)
    assert "Send what was kept" in kept.text
    assert (TEXT in kept.text) == (consultation in kept.text.replace(path, "")) == sees


def test_after_the_key_of_the_installation_was_changed_it_is_said_that_nobody_can_open_it(
    service: Service, nurse: Visitor, consultation: str
) -> None:
    """It read that somebody else had typed it, and that they could send it."""
    asked = sent_in_the_night(service, nurse, consultation)
    put_over(service.app, replace(service.instance, secret_key=b"another key, of as many bytes!!!"))
    fields = hidden(asked.text)
    visitor = service.visitor()
    fields["csrf_token"] = hidden(visitor.ask("/sign-in").text)["csrf_token"]
    lost = visitor.client.post("/sign-in", data={**fields, "username": "nora.nurse", "password": PASSWORD})
    look_over(lost)
    assert "nobody can open it any more" in pages.text(pages.parse(lost.text))
    assert ONLY_THEY not in lost.text
    assert "held_sealed" not in lost.text
