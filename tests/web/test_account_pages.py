"""One's own account: password, second factor, sessions; and another person at the same computer."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pages
import pytest
from visiting import PASSWORD, Service, Visitor

from consult.accounts import factors, people, sessions, tries
from consult.record import ledger
from consult.web import account

NEW = "four other invented words"


def secret_in(text: str) -> str:
    page = pages.parse(text)
    shown = next(e for e in page.iter("strong") if e.get("class") == "secret")
    return "".join("".join(shown.itertext()).split())


def code(service: Service, secret: str, steps: int = 0) -> str:
    return factors.code_at(secret, factors.step_of(service.clock()) + steps)


def codes_in(text: str) -> list[str]:
    return re.findall(r"<code>([a-z2-7-]{19})</code>", text)


def enrol(service: Service, visitor: Visitor) -> tuple[str, list[str]]:
    """A second factor set up on the page; its secret and recovery codes."""
    secret = secret_in(visitor.post("/account/second-factor", {"act": "begin", "password": PASSWORD}).text)
    shown = visitor.post("/account/second-factor", {"act": "confirm", "code": code(service, secret, -1)})
    assert shown.status_code == 200
    return secret, codes_in(shown.text)


def sign_in(service: Service, **more: str) -> tuple[Visitor, Any]:
    visitor = service.visitor()
    return visitor, visitor.post("/sign-in", {"username": "nora.nurse", "password": PASSWORD, **more})


def token_of(visitor: Visitor) -> str:
    cookie = visitor.client.get_cookie("consult_session")
    return cookie.value if cookie else ""


# --- password -----------------------------------------------------------------------------------------------------


def test_a_changed_password_ends_every_other_session_and_this_one_has_a_new_token(
    service: Service, nurse: Visitor
) -> None:
    other, before = service.visitor("nurse"), token_of(nurse)
    assert other.ask("/").status_code == 200
    sent = {"current": PASSWORD, "new": NEW, "again": NEW}
    assert nurse.post("/account/password", sent).status_code == 302
    assert nurse.ask("/").status_code == 200
    assert token_of(nurse) != before
    assert other.ask("/").status_code == 302
    assert sign_in(service)[1].status_code == 422
    assert sign_in(service, password=NEW)[1].status_code == 302


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"current": "not this one at all"}, "not your password"),
        ({"current": ""}, "not your password"),
        ({"again": "four different invented words"}, "not typed the same twice"),
        ({"new": "short", "again": "short"}, "too short"),
        ({"new": "password1234", "again": "password1234"}, "tried first"),
        ({"new": PASSWORD, "again": PASSWORD}, "choose another"),
    ],
)
def test_what_is_wrong_with_a_new_password_is_said_and_the_old_one_stays(
    service: Service, nurse: Visitor, wrong: dict[str, str], says: str
) -> None:
    response = nurse.post("/account/password", {"current": PASSWORD, "new": NEW, "again": NEW} | wrong)
    assert response.status_code == 422
    assert says in response.text
    assert sign_in(service)[1].status_code == 302


def test_guesses_at_the_password_of_an_open_session_are_braked_like_signing_in(
    service: Service, nurse: Visitor
) -> None:
    for _ in range(tries.TRIES):
        nurse.post("/account/password", {"current": "a guess at a password"})
    response = nurse.post("/account/second-factor", {"act": "begin", "password": PASSWORD})
    assert "too many tries" in response.text


# --- second factor ------------------------------------------------------------------------------------------------


def test_a_key_that_waits_is_shown_again_only_where_and_while_the_password_was_given_for_it(
    service: Service, nurse: Visitor
) -> None:
    """Else whoever finds a screen open could put the key on a telephone of their own, and lock its owner out."""
    secret = secret_in(nurse.post("/account/second-factor", {"act": "begin", "password": PASSWORD}).text)
    for _ in range(2):
        for visitor in (service.visitor("nurse"), nurse) if service.clock.ahead else (service.visitor("nurse"),):
            for typed in ("000000", code(service, secret)):
                refused = visitor.post("/account/second-factor", {"act": "confirm", "code": typed})
                assert (refused.status_code, "begin again with your password" in refused.text) == (422, True)
                assert secret not in "".join(pages.text(pages.parse(refused.text)).split())
        service.clock.ahead = account.SET_UP_WITHIN
    assert not factors.has(service.instance.db.read(), service.who["nurse"].actor)
    begun = nurse.post("/account/second-factor", {"act": "begin", "password": PASSWORD})
    assert nurse.post("/account/second-factor", {"act": "confirm", "code": code(service, secret_in(begun.text))}).text
    assert factors.has(service.instance.db.read(), service.who["nurse"].actor)


def test_set_up_and_signed_in_with_from_the_first_page_to_the_last(service: Service, nurse: Visitor) -> None:
    elsewhere, before = service.visitor("nurse"), token_of(nurse)
    begun = nurse.post("/account/second-factor", {"act": "begin", "password": PASSWORD})
    picture = next(e.get("src") or "" for e in pages.parse(begun.text).iter("img"))
    assert picture.startswith("data:image/svg+xml")
    secret = secret_in(begun.text)
    wrong = nurse.post("/account/second-factor", {"act": "confirm", "code": code(service, secret, 9)})
    assert (wrong.status_code, secret_in(wrong.text)) == (422, secret), "the same key, to be tried again"
    shown = nurse.post("/account/second-factor", {"act": "confirm", "code": code(service, secret, -1)})
    recovery = codes_in(shown.text)
    assert len(recovery) == 10
    assert token_of(nurse) != before, "a new token at the step up"
    assert nurse.ask("/").status_code == 200
    assert elsewhere.ask("/").status_code == 302
    assert not [one for one in recovery if one in nurse.ask("/account").text]

    again, asked = sign_in(service, next="/results")
    assert asked.status_code == 200
    assert "consult_session" not in str(asked.headers)
    assert again.ask("/").headers["Location"].startswith("/sign-in")
    assert again.post("/sign-in/code", {"code": "000000", "next": "/results"}).status_code == 422
    half = again.client.get_cookie("consult_half")
    assert half is not None
    right = again.post("/sign-in/code", {"code": code(service, secret), "next": "/results"})
    assert right.headers["Location"] == "/results"
    assert token_of(again) != half.value
    assert again.ask("/").status_code == 200

    third, _ = sign_in(service)
    assert third.post("/sign-in/code", {"code": code(service, secret)}).status_code == 422, "taken already"
    assert third.post("/sign-in/code", {"code": recovery[0]}).status_code == 302
    fourth, _ = sign_in(service)
    assert fourth.post("/sign-in/code", {"code": recovery[0]}).status_code == 422


def test_a_wrong_password_and_an_unknown_name_get_the_very_page_of_a_right_one(service: Service) -> None:
    enrol(service, service.visitor("nurse"))
    said = set()
    for sent in ({}, {"password": "not this one at all"}, {"username": "nobody.here"}, {"username": "dan.doctor"}):
        wrong = {"password": "not this one at all"} if sent.get("username") == "dan.doctor" else {}
        visitor, response = sign_in(service, **sent, **wrong)
        cookies = sorted(c.split("=")[0] for c in response.headers.getlist("Set-Cookie"))
        first = (response.status_code, pages.text(pages.parse(response.text)), tuple(cookies))
        after = visitor.post("/sign-in/code", {"code": "000000"})
        said.add((*first, after.status_code, pages.text(pages.parse(after.text))))
    assert len(said) == 1


def test_who_has_no_second_factor_still_signs_in_with_the_password_alone(service: Service) -> None:
    enrol(service, service.visitor("nurse"))
    assert sign_in(service, username="dan.doctor")[1].status_code == 302


def test_what_a_form_sent_is_held_through_the_code_too(service: Service, nurse: Visitor) -> None:
    secret, _ = enrol(service, nurse)
    again = service.visitor()
    held = {"held_to": "/incidents", "held.what": "Typed before", "next": ""}
    asked = again.post("/sign-in", {"username": "nora.nurse", "password": PASSWORD, **held})
    fields = {i.get("name"): i.get("value") for i in pages.parse(asked.text).iter("input")}
    assert fields["held.what"] == "Typed before"
    done = again.post("/sign-in/code", {"code": code(service, secret), **held})
    assert "Send what was kept" in done.text
    assert "Typed before" in done.text


def test_a_second_factor_goes_only_with_the_password_and_not_where_the_role_needs_it(
    service: Service, nurse: Visitor
) -> None:
    enrol(service, nurse)
    conn, who = service.instance.db.read(), service.who["nurse"].actor
    for act in ("begin", "remove"):
        assert nurse.post("/account/second-factor", {"act": act, "password": "a wrong one here"}).status_code == 422
    assert nurse.post("/account/recovery-codes", {"password": "a wrong one here"}).status_code == 422
    assert factors.has(conn, who)
    with service.instance.db.write() as writing:
        factors.require(writing, ["nurse"], "test", service.instance.store.at())
    refused = nurse.post("/account/second-factor", {"act": "remove", "password": PASSWORD})
    assert "Your role needs a second factor" in refused.text
    with service.instance.db.write() as writing:
        factors.require(writing, [], "test", service.instance.store.at())
    assert nurse.post("/account/second-factor", {"act": "remove", "password": PASSWORD}).status_code == 302
    assert not factors.has(conn, who)


def test_new_recovery_codes_stand_in_the_place_of_the_old(service: Service, nurse: Visitor) -> None:
    _, old = enrol(service, nurse)
    new = codes_in(nurse.post("/account/recovery-codes", {"password": PASSWORD}).text)
    assert len(set(new) | set(old)) == 20
    visitor, _ = sign_in(service)
    assert visitor.post("/sign-in/code", {"code": old[0]}).status_code == 422
    assert visitor.post("/sign-in/code", {"code": new[0]}).status_code == 302


def test_no_secret_stands_in_the_step_log_the_pages_or_what_is_written_to_the_log(
    service: Service, nurse: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    secret, recovery = enrol(service, nurse)
    nurse.post("/sign-in/code", {"code": recovery[0]})
    admin = service.visitor("administrator")
    shown = [admin.ask("/settings/people").text, admin.ask("/settings").text, nurse.ask("/account").text]
    shown.append(admin.ask(f"/settings/people/{service.who['nurse'].actor}").text)
    conn = service.instance.db.read()
    hidden = [secret, *recovery, people.password_hash_of(conn, service.who["nurse"].actor)]
    everything = [*shown, caplog.text, str([(s.kind, s.content) for s in ledger.steps(conn)])]
    assert not [one for one in hidden for text in everything if one in text]


# --- sessions -----------------------------------------------------------------------------------------------------

EDGE = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36 Edg/130.0"


def test_ones_sessions_are_listed_and_one_or_all_others_are_ended(service: Service, nurse: Visitor) -> None:
    elsewhere = service.visitor()
    sent = {"username": "nora.nurse", "password": PASSWORD}
    elsewhere.post("/sign-in", sent, environ_overrides={"HTTP_USER_AGENT": EDGE})
    third, _ = sign_in(service)
    others = service.visitor("doctor")
    page = nurse.get("/account")
    assert "Edge on Windows" in pages.text(page)
    chosen = [b.get("value") or "" for b in page.iter("input") if b.get("name") == "session"]
    doctors = sessions.of_person(service.instance.db.read(), service.who["doctor"].actor, service.clock())
    nurse.post("/account/sessions", {"session": doctors[0].id, "password": PASSWORD})
    assert others.ask("/").status_code == 200, "another person's session is not ended"
    for one in chosen:
        nurse.post("/account/sessions", {"session": one, "password": PASSWORD})
        assert [v.ask("/").status_code for v in (elsewhere, third)].count(302) == chosen.index(one) + 1
    fourth, _ = sign_in(service)
    nurse.post("/account/sessions", {"others": "yes", "password": PASSWORD})
    assert fourth.ask("/").status_code == 302
    assert nurse.ask("/").status_code == 200


def test_a_session_is_ended_only_with_the_password_and_this_one_then_has_a_new_token(
    service: Service, nurse: Visitor
) -> None:
    elsewhere, before = service.visitor("nurse"), token_of(nurse)
    for password in ("", "not this one at all"):
        refused = nurse.post("/account/sessions", {"others": "yes", "password": password})
        assert refused.status_code == 422
        assert "neither your password now nor a code" in refused.text
    assert (elsewhere.ask("/").status_code, token_of(nurse)) == (200, before)
    assert nurse.post("/account/sessions", {"others": "yes", "password": PASSWORD}).status_code == 302
    assert elsewhere.ask("/").status_code == 302
    assert token_of(nurse) != before
    assert nurse.ask("/").status_code == 200
    thief = service.visitor()
    thief.client.set_cookie("consult_session", before)
    assert thief.ask("/").status_code == 302, "the token of before opens nothing"


def test_no_session_outlives_twelve_hours_however_much_it_is_used(service: Service, nurse: Visitor) -> None:
    for minutes in range(0, 12 * 60, 14):
        service.clock.ahead = timedelta(minutes=minutes)
        assert nurse.client.get("/leaflets").status_code == 200
    service.clock.ahead = timedelta(hours=12, seconds=1)
    assert nurse.client.get("/leaflets").status_code == 302


# --- another person at the same computer --------------------------------------------------------------------------


def test_a_colleague_is_at_work_two_forms_after_the_one_before(service: Service, nurse: Visitor) -> None:
    """Lock, then name and password on the page that covers it: two forms sent, and no page between."""
    consultation, asked = service.begin(), []
    nurse.get(f"/consultations/{consultation}")
    with_password = {"username": "dan.doctor", "password": PASSWORD}
    locked = nurse.post("/lock", {"next": f"/consultations/{consultation}"})
    asked.append("lock")
    page = nurse.ask(locked.headers["Location"])
    assert page.status_code == 423
    form = next(f for f in pages.parse(page.text).iter("form") if f.get("action") == "/sign-in")
    names = {i.get("name") for i in form.iter("input")} - {"csrf_token"}
    assert names == set(with_password), "nothing else is asked"
    before, nurse.token = token_of(nurse), ""
    nurse.token = next(i.get("value") or "" for i in form.iter("input") if i.get("name") == "csrf_token")
    switched = nurse.post("/sign-in", with_password)
    asked.append("sign in")
    assert len(asked) == 2
    assert switched.headers["Location"] == "/"
    assert "Dan Doctor" in nurse.ask("/").text
    assert nurse.ask(f"/consultations/{consultation}").status_code == 404
    assert service.consultation(consultation).owner == service.who["nurse"].actor
    old = service.visitor()
    old.client.set_cookie("consult_session", before)
    assert old.ask("/").status_code == 302, "whoever was there before is signed out"
