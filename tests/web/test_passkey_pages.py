"""Passkeys on the pages: added with the password, signed in with, removed, and where they are not offered."""

from __future__ import annotations

import json
import re
from typing import Any

import pages
import pytest
from authenticator import Authenticator
from test_account_pages import codes_in, enrol, token_of
from visiting import PASSWORD, Service, Visitor

from consult.accounts import factors, passkeys
from consult.accounts import told as people_told

LOCAL = {"base_url": "http://localhost"}
NUMBERS = {"base_url": "http://127.0.0.1"}


def asked_to_add(visitor: Visitor, password: str = PASSWORD) -> Any:
    return visitor.post("/account/passkeys/ask", {"password": password}, htmx=True, **LOCAL)


def add(visitor: Visitor, name: str = "Desk key", held: Authenticator | None = None) -> tuple[Authenticator, Any]:
    """A passkey added on the page; its authenticator, and the reply."""
    held = held or Authenticator()
    made = held.make(asked_to_add(visitor).text)
    return held, visitor.post("/account/passkeys", {"credential": made, "name": name}, **LOCAL)


def sign_in(visitor: Visitor, held: Authenticator, **more: str) -> Any:
    asked = visitor.post("/sign-in/passkey/ask", htmx=True, **LOCAL)
    return visitor.post("/sign-in/passkey", {"credential": held.sign(asked.text), **more}, **LOCAL)


def listed(visitor: Visitor) -> list[str]:
    """The passkeys of whoever looks, by what the buttons of their page hold."""
    return re.findall(r'name="passkey" value="([0-9a-f]+)"', visitor.ask("/account", **LOCAL).text)


def test_added_signed_in_with_and_removed_from_the_first_page_to_the_last(service: Service, nurse: Visitor) -> None:
    elsewhere, before = service.visitor("nurse"), token_of(nurse)
    assert "data-passkey" not in service.visitor().ask("/sign-in", **LOCAL).text, "nobody has one"
    held, added = add(nurse)
    assert len(codes_in(added.text)) == 10, "the first factor brings recovery codes"
    assert token_of(nurse) != before, "a new token at the step up"
    assert elsewhere.ask("/").status_code == 302
    page = pages.text(nurse.get("/account", **LOCAL))
    assert "Desk key" in page
    assert "Never" in page

    again = service.visitor()
    assert "Sign in with a passkey" in pages.text(again.get("/sign-in", **LOCAL))
    assert "data-passkey" not in service.visitor().ask("/sign-in", **NUMBERS).text, "not under the address of numbers"
    inside = sign_in(again, held, next="/leaflets")
    assert (inside.status_code, inside.headers["Location"]) == (302, "/leaflets")
    assert again.ask("/").status_code == 200
    assert sign_in(service.visitor(), held, next="//evil.example").headers["Location"] == "/"

    (kept,) = listed(nurse)
    refused = nurse.post("/account/passkeys/remove", {"passkey": kept, "password": "a guess at a password"}, **LOCAL)
    assert refused.status_code == 422
    gone = nurse.post("/account/passkeys/remove", {"passkey": kept, "password": PASSWORD}, **LOCAL)
    assert gone.status_code == 302
    assert listed(nurse) == []
    assert sign_in(service.visitor(), held).status_code == 422


@pytest.mark.parametrize("password", ["", "not this one at all"])
def test_adding_one_begins_with_the_password_or_a_code(service: Service, nurse: Visitor, password: str) -> None:
    asked = asked_to_add(nurse, password)
    assert (asked.status_code, "try again" in asked.text) == (422, True)
    made = Authenticator().make(json.dumps({"user": {"id": "eA"}, "challenge": "eA"}))
    sent = nurse.post("/account/passkeys", {"credential": made}, **LOCAL)
    assert sent.status_code == 422
    assert passkeys.of_person(service.instance.db.read(), service.who["nurse"].actor) == []
    _, recovery = enrol(service, nurse)
    assert asked_to_add(nurse, recovery[0]).status_code == 200
    assert asked_to_add(nurse, recovery[0]).status_code == 422, "a code is taken once"


def test_a_reply_from_another_browser_and_a_replay_are_refused(service: Service, nurse: Visitor) -> None:
    held, _ = add(nurse)
    mine, other = service.visitor(), service.visitor()
    asked = mine.post("/sign-in/passkey/ask", htmx=True, **LOCAL)
    sent = {"credential": held.sign(asked.text)}
    assert other.post("/sign-in/passkey", sent, **LOCAL).status_code == 422
    assert mine.post("/sign-in/passkey", sent, **LOCAL).status_code == 302
    mine.token = ""  # the sign-in has made a new one
    assert mine.post("/sign-in/passkey", sent, **LOCAL).status_code == 422


def test_the_host_that_is_asked_for_decides_and_not_what_the_reply_says(service: Service, nurse: Visitor) -> None:
    held, _ = add(nurse)
    forged = Authenticator(origin="http://localhost:9", host=held.host, handle=held.handle, key=held.key, id=held.id)
    assert sign_in(service.visitor(), forged).status_code == 422


def test_after_the_password_a_passkey_stands_for_the_code(service: Service, nurse: Visitor) -> None:
    held, _ = add(nurse)
    his, _ = add(service.visitor("doctor"))
    wrong, right = service.visitor(), service.visitor()
    for visitor in (wrong, right):
        page = visitor.post("/sign-in", {"username": "nora.nurse", "password": PASSWORD}, **LOCAL)
        assert "Use a passkey" in page.text
    refused = sign_in(wrong, his, after="password")
    assert refused.status_code == 422
    assert wrong.ask("/").status_code == 302
    assert sign_in(right, held, after="password").status_code == 302
    assert right.ask("/").status_code == 200


def test_the_password_alone_no_longer_signs_in_whoever_has_a_passkey(service: Service, nurse: Visitor) -> None:
    add(nurse)
    said = set()
    for name, password in (("nora.nurse", PASSWORD), ("nora.nurse", "not this one"), ("nobody.here", PASSWORD)):
        reply = service.visitor().post("/sign-in", {"username": name, "password": password}, **LOCAL)
        said.add((reply.status_code, pages.text(pages.parse(reply.text))))
    assert len(said) == 1
    assert "Use a passkey" in said.pop()[1]


def test_a_copied_passkey_is_said_to_its_owner_and_to_the_administrator(service: Service, nurse: Visitor) -> None:
    held = Authenticator(count=7)
    add(nurse, held=held)
    assert sign_in(service.visitor(), held).status_code == 302
    held.count = 3
    refused = sign_in(service.visitor(), held)
    assert "counter went back" in refused.text
    assert "May have been copied" in nurse.ask("/account", **LOCAL).text
    page = service.visitor("administrator").ask(f"/settings/people/{service.who['nurse'].actor}")
    assert "may have been copied" in page.text


def test_where_a_role_needs_a_factor_a_passkey_is_one_and_the_last_one_stays(service: Service, nurse: Visitor) -> None:
    with service.instance.db.write() as conn:
        factors.require(conn, ["nurse"], "test", service.instance.store.at())
    owing = service.visitor("nurse")
    assert owing.ask("/").headers["Location"] == "/account"
    _, added = add(owing)
    assert added.status_code == 200
    assert owing.ask("/").status_code == 200
    (kept,) = listed(owing)
    refused = owing.post("/account/passkeys/remove", {"passkey": kept, "password": PASSWORD}, **LOCAL)
    assert "set up another one before" in refused.text
    assert listed(owing) == [kept]


def test_an_administrator_helps_whoever_lost_telephone_and_passkeys(service: Service, nurse: Visitor) -> None:
    held, _ = add(nurse)
    admin, nora = service.visitor("administrator"), service.who["nurse"].actor
    assert admin.post(f"/settings/people/{nora}/second-factor", {"proved": "called_back"}).status_code == 302
    assert nurse.ask("/").status_code == 302, "every session of theirs ended"
    assert sign_in(service.visitor(), held).status_code == 422
    assert service.visitor().post("/sign-in", {"username": "nora.nurse", "password": PASSWORD}).status_code == 302
    with service.instance.db.write() as conn:
        assert list(people_told.differences(conn)) == []


def test_under_an_address_of_numbers_the_page_says_in_a_sentence_why_there_are_none(nurse: Visitor) -> None:
    nurse.client.set_cookie("consult_session", token_of(nurse), domain="127.0.0.1")
    page = nurse.ask("/account", **NUMBERS)
    assert "Passkeys do not work at an address made of numbers" in page.text
    assert "data-passkey" not in page.text
    assert "passkeys.js" not in page.text


def test_what_a_form_sent_before_the_sign_in_is_held_through_a_passkey_too(service: Service, nurse: Visitor) -> None:
    held, _ = add(nurse)
    more = {"held_to": "/incidents", "held.what": "It was away"}
    page = sign_in(service.visitor(), held, **more)
    assert page.status_code == 200
    assert "It was away" in page.text


# --- the lock -----------------------------------------------------------------------------------------------------


def signed(visitor: Visitor, held: Authenticator) -> str:
    return held.sign(visitor.post("/sign-in/passkey/ask", htmx=True, **LOCAL).text)


def test_a_locked_screen_goes_on_in_place_with_a_passkey_of_its_person_and_of_nobody_else(
    service: Service, nurse: Visitor
) -> None:
    held, _ = add(nurse)
    his, _ = add(service.visitor("doctor"))
    nurse.token, before = "", token_of(nurse)
    nurse.post("/lock", **LOCAL)
    for sent in (signed(nurse, his), "{}", "x" * 30_000, held.sign(json.dumps({"challenge": "eA"}))):
        refused = nurse.post("/unlock", {"unlock_credential": sent}, htmx=True, **LOCAL)
        assert (refused.status_code, refused.json["state"]) == (422, "locked")
    mine = signed(nurse, held)
    opened = nurse.post("/unlock", {"unlock_credential": mine}, htmx=True, **LOCAL)
    assert (opened.json["state"], opened.json["left"]) == ("open", 900)
    assert token_of(nurse) != before, "with a new token"
    nurse.post("/lock", **LOCAL)
    again = nurse.post("/unlock", {"unlock_credential": mine}, htmx=True, **LOCAL)
    assert again.json["state"] == "locked", "what was signed is taken once"


@pytest.mark.parametrize("sends", [True, False])
def test_a_page_that_meets_the_lock_goes_on_with_a_passkey_and_records_what_was_sent(
    service: Service, nurse: Visitor, sends: bool
) -> None:
    held, _ = add(nurse)
    nurse.token = ""
    consultation = service.begin()
    path = f"/consultations/{consultation}/answers" if sends else f"/consultations/{consultation}"
    nurse.post("/lock", **LOCAL)
    answer = {"seen.harm_belief": "0", "a.harm_belief": "present"}
    locked = nurse.post(path, answer, **LOCAL) if sends else nurse.ask(path, **LOCAL)
    assert locked.status_code == 423
    form = next(f for f in pages.parse(locked.text).iter("form") if f.get("data-passkey"))
    kept = {i.get("name") or "": i.get("value") or "" for i in form.iter("input")}
    assert service.answer(consultation, "harm_belief") is None
    refused = nurse.client.post(path, data=kept | {"unlock_credential": "{}"}, **LOCAL)
    assert refused.status_code == 423
    done = nurse.client.post(path, data=kept | {"unlock_credential": signed(nurse, held)}, **LOCAL)
    assert done.status_code == (302 if sends else 303)
    assert (service.answer(consultation, "harm_belief") is not None) == sends


def test_a_passkey_is_kept_only_together_with_the_end_of_the_other_sessions(service: Service, nurse: Visitor) -> None:
    elsewhere, db = service.visitor("nurse"), service.instance.db
    made = Authenticator().make(asked_to_add(nurse).text)
    with db.write() as conn:
        conn.execute("CREATE TRIGGER stop BEFORE DELETE ON sign_in BEGIN SELECT RAISE(ABORT, 'stopped'); END")
    assert nurse.post("/account/passkeys", {"credential": made}, **LOCAL).status_code == 500
    with db.write() as conn:
        conn.execute("DROP TRIGGER stop")
    assert passkeys.of_person(db.read(), service.who["nurse"].actor) == []
    assert elsewhere.ask("/").status_code == 200
    assert add(nurse)[1].status_code == 200, "and it can be added again, with its recovery codes"
