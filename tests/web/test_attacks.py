"""What somebody tries who wants in: each attempt of the table is refused, and 10,000 made-up ids find nothing."""

from __future__ import annotations

import hashlib
import random
import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import BytesIO
from typing import Any

import pages
import pytest
from addresses import methods, rules
from visiting import PASSWORD, Service, Visitor
from werkzeug.test import EnvironBuilder

from consult.accounts import factors, people, sessions, tries
from consult.accounts.policy import allowed
from consult.record import ledger

IDS = 10_000
FOREIGN = (
    "https://evil.example/",
    "//evil.example",
    "/\\evil.example",
    "https:evil.example",
    "/\t/evil.example",
    "/\t/[",  # no address at all, once a browser has left the tab out
    "//[",
)
UNKNOWN = ("person_id", "employee_id", "consultation_id", "round_id", "sitting_id", "draft_id", "action_id")


def token_of(visitor: Visitor) -> str:
    cookie = visitor.client.get_cookie("consult_session")
    return cookie.value if cookie else ""


def with_token(service: Service, token: str) -> Visitor:
    visitor = service.visitor()
    visitor.client.set_cookie("consult_session", token)
    return visitor


def is_in(visitor: Visitor) -> bool:
    return visitor.client.get("/account").status_code == 200


def forged(good: bytes, plain: bytes) -> dict[str, bytes]:
    """What is sent in the place of a good token, made of it and of what it hides."""
    return {
        "nothing": b"",
        "only the mask": good[:16],
        "a part of it": good[:-1],
        "more than it": good + b"\0",
        "the token without a mask": plain,
        "an empty mask and the token": bytes(16) + plain,
        "another mask and its rest": random.Random(5).randbytes(16) + good[16:],
    }


def refused(visitor: Visitor, token: str, path: str = "/look") -> bool:
    return bool(visitor.client.post(path, data={"look": "light", "csrf_token": token}).status_code == 400)


def test_a_forged_token_of_a_form_is_refused(shared: Service) -> None:
    nurse = shared.visitor("nurse")
    good = nurse.csrf()
    with nurse.client.session_transaction() as held:
        plain = bytes.fromhex(held["csrf_token"])
    assert not refused(nurse, good)
    tried = forged(urlsafe_b64decode(good), plain)
    assert [name for name, text in tried.items() if not refused(nurse, urlsafe_b64encode(text).decode())] == []


def test_every_flipped_bit_of_a_token_and_a_token_of_another_session_is_refused(shared: Service) -> None:
    nurse, other = shared.visitor("nurse"), shared.visitor("doctor")
    good = nurse.csrf()
    both = int.from_bytes(urlsafe_b64decode(good))
    flipped = [(both ^ 1 << bit).to_bytes(len(urlsafe_b64decode(good))) for bit in range(both.bit_length())]
    assert len(flipped) > 250
    assert all(refused(nurse, urlsafe_b64encode(text).decode()) for text in flipped)
    assert refused(nurse, other.csrf())
    assert refused(other, good)
    assert not refused(nurse, good)
    assert refused(shared.visitor(), good, "/sign-in"), "a browser that has no session has no token"


def test_a_cookie_of_forms_that_was_changed_gives_its_token_to_nobody(shared: Service) -> None:
    nurse, thief = shared.visitor("nurse"), shared.visitor("nurse")
    good, cookie = nurse.csrf(), nurse.client.get_cookie("consult_form")
    assert cookie is not None
    for at in range(len(cookie.value)):
        other = "Q" if cookie.value[at] in "ABCD" else "A"  # the last letter holds two bits that say nothing
        thief.client.set_cookie("consult_form", cookie.value[:at] + other + cookie.value[at + 1 :])
        assert refused(thief, good), at
    thief.client.set_cookie("consult_form", cookie.value)
    assert not refused(thief, good), "the control: with the whole cookie it is one browser"


def sign_in(service: Service, visitor: Visitor | None = None, **more: str) -> tuple[Visitor, Any]:
    visitor = visitor or service.visitor()
    response = visitor.post("/sign-in", {"username": "nora.nurse", "password": PASSWORD, **more})
    visitor.token = ""
    return visitor, response


def enrol(service: Service) -> str:
    """A second factor of the nurse."""
    who, now = service.who["nurse"].actor, service.clock()
    with service.instance.db.write() as conn:
        secret = factors.begin(conn, who)
        code = factors.code_at(secret, factors.step_of(now) - 1)
        factors.confirm(conn, who, code, now, who, service.instance.store.at())
    return secret


# --- the table ----------------------------------------------------------------------------------------------------


def a_code_used_again(service: Service) -> None:
    secret = enrol(service)
    code = factors.code_at(secret, factors.step_of(service.clock()))
    first, _ = sign_in(service)
    assert first.post("/sign-in/code", {"code": code}).status_code == 302
    second, _ = sign_in(service)
    assert second.post("/sign-in/code", {"code": code}).status_code == 422
    assert not is_in(second)


def the_half_of_a_sign_in_taken_for_a_session(service: Service) -> None:
    enrol(service)
    visitor, _ = sign_in(service)
    half = visitor.client.get_cookie("consult_half")
    assert half is not None
    assert not token_of(visitor)
    assert not is_in(with_token(service, half.value))


def a_session_given_to_the_victim_beforehand(service: Service) -> None:
    known = "x" * 43
    victim = with_token(service, known)
    metas = {m.get("name"): m.get("content") for m in victim.get("/sign-in").iter("meta")}
    victim.token = metas["csrf-token"] or ""
    sign_in(service, victim)
    assert token_of(victim) not in ("", known)
    assert is_in(victim)
    assert not is_in(with_token(service, known))
    mine, _ = sign_in(service)
    planted = token_of(mine)
    other = with_token(service, planted)
    sign_in(service, other, username="dan.doctor")
    assert token_of(other) != planted
    assert not is_in(mine), "what was planted has ended, and is not the victim's session"


def a_cookie_from_before_the_sign_out(service: Service) -> None:
    nurse = service.visitor("nurse")
    old = token_of(nurse)
    nurse.post("/sign-out")
    assert not is_in(with_token(service, old))


def a_cookie_from_before_a_password_change_a_stop_another_role_or_a_second_factor(service: Service) -> None:
    who, at, db = service.who["nurse"].actor, service.instance.store.at(), service.instance.db

    def changed() -> None:
        with db.write() as conn:
            people.change_password(conn, who, "another invented phrase", "test", at)

    def stopped() -> None:
        with db.write() as conn:
            people.set_active(conn, who, False, "test", at)
        with db.write() as conn:
            people.set_active(conn, who, True, "test", at)

    def placed() -> None:
        with db.write() as conn:
            people.place(conn, who, "doctor", "A", "test", at)

    for act in (changed, stopped, placed):
        nurse = service.visitor("nurse")
        assert is_in(nurse)
        act()
        assert not is_in(nurse)


def a_cookie_older_than_twelve_hours(service: Service) -> None:
    nurse = service.visitor("nurse")
    service.clock.ahead = sessions.ABSOLUTE
    assert not is_in(nurse)


def more_columns_sent_than_a_form_has(service: Service) -> None:
    """Every column of the tables of people, posted to the forms that reach them."""
    db, nurse = service.instance.db, service.visitor("nurse")
    who = service.who["nurse"].actor
    names = [
        r["name"] for t in ("person", "sign_in", "second_factor") for r in db.read().execute(f"PRAGMA table_info({t})")
    ]
    extra = {name: "administrator" if name == "role" else "1" for name in names if name not in ("name", "site")}

    def held() -> list[tuple[Any, ...]]:
        return [tuple(row) for row in db.read().execute("SELECT * FROM person ORDER BY id")]

    before = held()
    for path in ("/account/password", "/account/second-factor", "/account/recovery-codes", "/employees/new", "/look"):
        nurse.client.post(path, data={**extra, "csrf_token": nurse.csrf()})
    assert held() == before
    admin = service.visitor("administrator")
    sent = {"name": "Nora Nurse", "role": "nurse", "site": "A", "active": "0", "password_hash": "x", "id": "p-1"}
    admin.post(f"/settings/people/{who}", {**sent, "username": "root", "start_until": "9", "created_at": "x"})
    assert held() == before
    admin.post("/settings/people", {**sent, "name": "Ned Newman", "created_at": "1999", "start_until": "0"})
    new = people.by_username(db.read(), "ned.newman")
    assert new is not None
    assert (new.active, new.created_at[:4]) != (False, "1999")
    assert new.id != "p-1"
    assert people.start_until(db.read(), new.id) > 0


def a_redirect_to_another_site(service: Service) -> None:
    secret = enrol(service)
    for target in FOREIGN:
        again, _ = sign_in(service, next=target)
        service.clock.ahead += timedelta(minutes=2)
        code = factors.code_at(secret, factors.step_of(service.clock()))
        done = again.post("/sign-in/code", {"code": code, "next": target})
        assert "evil" not in done.headers.get("Location", "")
        doctor = service.visitor("doctor")
        employee = service.employee()
        answer = doctor.post(f"/employees/{employee}/reason", {"reason": "Seen here", "next": target})
        assert answer.headers["Location"] == "/"
        assert "evil" not in doctor.post("/lock", {"next": target}).headers["Location"]
        with service.instance.db.write() as conn:
            conn.execute("DELETE FROM failed_try")


def another_host_name(service: Service) -> None:
    nurse = service.visitor("nurse")
    for headers in ({"Host": "evil.example"}, {"Host": "localhost@evil.example"}, {"Host": "localhost.evil.example"}):
        response = nurse.client.get("/account", headers=headers)
        assert response.status_code == 400
        assert "evil" not in response.text
    spoofed = nurse.client.get("/", headers={"X-Forwarded-Host": "evil.example"})
    assert "evil" not in str(spoofed.headers) + spoofed.text


def what_a_right_name_gives_away(service: Service) -> None:
    """The same page, the same work of hashing, and the same brake, for a name there is and one there is not."""
    said, work = set(), set()
    for name in ("nora.nurse", "nobody.here"):
        with counted() as hashed:
            page = sign_in(service, username=name, password="not this one at all")[1].text
        said.add(pages.text(pages.parse(page)).replace(name, ""))
        work.add(tuple(hashed))
    assert len(said) == 1
    assert len(work) == 1
    assert len(next(iter(work))) == 1, "one scrypt each"
    enrol(service)
    for name in ("nora.nurse", "nobody.here", "dan.doctor"):
        for password in (PASSWORD, "not this one at all"):
            if (name, password) != ("dan.doctor", PASSWORD):
                with counted() as hashed:
                    visitor, _ = sign_in(service, username=name, password=password)
                    visitor.post("/sign-in/code", {"code": "000000"})
                work.add(tuple(hashed))
    assert len(work) == 2, "with a code it is one more, for everybody"


def an_eleventh_guess_within_five_minutes(service: Service) -> None:
    secret = enrol(service)
    with counted() as hashed:
        for n in range(30):
            visitor, _ = sign_in(service, password=f"not this one {n}")
            visitor.post("/sign-in/code", {"code": "000000"})
    assert len(hashed) == tries.TRIES, "of passwords and codes together"
    visitor, response = sign_in(service)
    assert response.status_code == 422
    assert "too many tries" in response.text
    visitor.post("/sign-in/code", {"code": factors.code_at(secret, factors.step_of(service.clock()))})
    assert not is_in(visitor)


ATTACKS: list[Callable[[Service], None]] = [
    a_code_used_again,
    the_half_of_a_sign_in_taken_for_a_session,
    a_session_given_to_the_victim_beforehand,
    a_cookie_from_before_the_sign_out,
    a_cookie_from_before_a_password_change_a_stop_another_role_or_a_second_factor,
    a_cookie_older_than_twelve_hours,
    more_columns_sent_than_a_form_has,
    a_redirect_to_another_site,
    another_host_name,
    what_a_right_name_gives_away,
    an_eleventh_guess_within_five_minutes,
]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_an_attack_is_refused(service: Service, attack: Callable[[Service], None]) -> None:
    attack(service)


@contextmanager
def counted() -> Iterator[list[tuple[int, int, int]]]:
    """The work of every scrypt that is done in the block: n, r and p; each is really done."""
    done: list[tuple[int, int, int]] = []
    scrypt = hashlib.scrypt

    def noted(*args: Any, **kwargs: Any) -> bytes:
        done.append((kwargs["n"], kwargs["r"], kwargs["p"]))
        return scrypt(*args, **kwargs)

    hashlib.scrypt = noted
    try:
        yield done
    finally:
        hashlib.scrypt = scrypt


# --- made-up ids --------------------------------------------------------------------------------------------------


def made_up(luck: random.Random) -> str:
    """An id in the form of one of those there are."""
    return luck.choice(
        [
            str(uuid.UUID(int=luck.getrandbits(128), version=4)),
            f"p-{luck.getrandbits(64):016x}",
            f"{luck.getrandbits(48):012x}",
            str(luck.randrange(10**6)),
        ]
    )


def asked(service: Service, visitor: Visitor, method: str, path: str) -> int:
    """The status of a reply, without the cost of a client: the application is called as a server calls it."""
    if visitor not in ENVIRONS:
        headers = {"X-CSRFToken": visitor.csrf(), "HX-Request": "true", "Accept": "text/html"}
        cookies = [visitor.client.get_cookie(name) for name in ("consult_session", "consult_form")]
        headers["Cookie"] = "; ".join(f"{c.key}={c.value}" for c in cookies if c)
        ENVIRONS[visitor] = EnvironBuilder(path="/", headers=headers, data={}).get_environ()
    said: list[str] = []
    environ = ENVIRONS[visitor] | {"REQUEST_METHOD": method, "PATH_INFO": path, "wsgi.input": BytesIO()}
    for _ in service.app.wsgi_app(environ, lambda status, _headers, _error=None: said.append(status) or said.append):
        pass
    return int(said[0].split()[0])


ENVIRONS: dict[Visitor, dict[str, Any]] = {}


def test_ten_thousand_made_up_ids_find_nothing(shared: Service) -> None:
    """Every route that takes an id, as each role that may use it; htmx is told in a sentence, which is quick."""
    seed = random.SystemRandom().randrange(10**9)
    print("seed", seed)
    luck, known = random.Random(seed), shared.begin()
    visitors = {role: shared.visitor(role) for role in shared.who}
    tried = [
        (role, rule, method)
        for rule in rules(shared)
        for method in methods(rule)
        for role in visitors
        if set(rule.arguments) & set(UNKNOWN) and allowed(role, rule.endpoint)
    ]
    assert {name for _, rule, _ in tried for name in rule.arguments} >= set(UNKNOWN)
    before = ledger.head(shared.instance.db.read())
    fill = {
        "block_id": "rest_of_red_flags",
        "section_id": "red_flags",
        "question_id": "cord_signs",
        "leaflet_id": "back-pain-core",
        "field": "sex",
    }
    fill |= {
        "done": "given",
        "act": "choose_look",
        "event": "agreed",
        "provider": "DEMO",
        "mode": "live",
        "case_ref": known,
    }
    fill |= {"step": "1", "measure_id": "red_flags_screened", "pack": "seqohs", "slides_name": "slides.pptx"}
    at = shared.app.url_map.bind("localhost")
    refused: dict[int, int] = {}
    for n in range(IDS):
        role, rule, method = tried[n % len(tried)]
        values = {name: made_up(luck) if name in UNKNOWN else fill[name] for name in rule.arguments}
        status = asked(shared, visitors[role], method, at.build(rule.endpoint, values))
        refused[status] = refused.get(status, 0) + 1
        assert status == 404, (role, method, rule.rule, values, status)
    assert refused == {404: IDS}
    assert ledger.head(shared.instance.db.read()) == before
