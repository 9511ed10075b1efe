"""Passkeys: made for one host, proved once, refused wherever anything is not as it was asked."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from authenticator import Authenticator, added, text

from consult.accounts import factors, passkeys, people, sessions, signing_in, tries
from consult.accounts import told as people_told
from consult.accounts.passkeys import COPIED, NOT_PROVED, STANDS, TOO_LATE, Place
from consult.accounts.people import PersonRefused
from consult.accounts.signing_in import CodeNeeded
from consult.accounts.tries import SignInRefused
from consult.record import ledger

AT = "2026-11-22T10:00:00Z"
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
PASSWORD = "quiet otter paints fences"
HERE = Place("localhost", "http://localhost")
ELSEWHERE = Place("backs.example.org", "https://backs.example.org")


def add_key(db, one, held=None, name="Desk key", place=HERE, now=NOW):
    """A passkey of a person, its authenticator, and the recovery codes shown."""
    held = held or Authenticator()
    with db.write() as conn:
        asked = passkeys.ask_to_add(conn, one, place, "session", now)
    return held, added(db, one, place, "session", held.make(asked), name, now)


def ask(db, asked_by="browser", place=HERE, now=NOW):
    with db.write() as conn:
        return passkeys.ask_to_prove(conn, place, asked_by, now)


def refused(db, sent, asked_by="browser", place=HERE, now=NOW):
    with pytest.raises(SignInRefused) as caught:
        signing_in.by_passkey(db, place, asked_by, sent, now)
    return str(caught.value)


def test_a_passkey_signs_its_person_in_without_name_or_password(db, passkey):
    nell, held, codes = passkey
    assert len(codes) == 10, "the first factor brings recovery codes"
    token, who = signing_in.by_passkey(db, HERE, "browser", held.sign(ask(db)), NOW)
    assert who == nell
    assert sessions.lookup(db.read(), token, NOW).person == nell
    (kept,) = passkeys.of_person(db.read(), nell.id)
    assert (kept.name, kept.host, kept.last_used, kept.copied) == ("Desk key", "localhost", NOW, False)


def test_what_is_asked_to_be_signed_tells_of_nobody_and_is_never_the_same(db, add):
    before = json.loads(ask(db))
    add_key(db, add())
    after = json.loads(ask(db))
    assert before.pop("challenge") != after.pop("challenge")
    assert before == after
    assert after["userVerification"] == "required"
    assert not after.get("allowCredentials")


WRONG = {
    "another origin": (lambda a: a, {"origin": "http://localhost.evil.example"}),
    "another port": (lambda a: a, {"origin": "http://localhost:9"}),
    "plain http for https": (lambda a: a, {"origin": "https://localhost"}),
    "another host": (lambda a: replace(a, host="evil.example"), {}),
    "owner not verified": (lambda a: replace(a, verifies=False), {}),
    "made, not signed": (lambda a: a, {"type": "webauthn.create"}),
    "another challenge": (lambda a: a, {"challenge": text(b"x" * 32)}),
    "another key": (lambda a: replace(a, key=Authenticator().key), {}),
    "a key nobody has": (lambda a: replace(a, id=b"y" * 32), {}),
    "another person's name on it": (lambda a: replace(a, handle=b"p-somebody-else"), {}),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_not_as_it_was_asked_signs_nobody_in_and_is_refused_alike(db, passkey, wrong):
    _, held, _ = passkey
    forger, forged = WRONG[wrong]
    assert refused(db, forger(held).sign(ask(db), **forged)) == NOT_PROVED
    assert db.read().execute("SELECT count(*) FROM sign_in").fetchone()[0] == 0
    assert signing_in.by_passkey(db, HERE, "browser", held.sign(ask(db)), NOW), "and the right one still does"


def test_a_challenge_is_answered_once_by_the_browser_that_was_asked_and_within_five_minutes(db, passkey):
    _, held, _ = passkey
    sent = held.sign(ask(db))
    assert refused(db, sent, asked_by="another browser") == TOO_LATE
    assert signing_in.by_passkey(db, HERE, "browser", sent, NOW)
    assert refused(db, sent) == TOO_LATE, "sent again"
    wrong = held.sign(ask(db), origin="http://evil.example")
    assert refused(db, wrong) == NOT_PROVED
    assert refused(db, wrong) == TOO_LATE, "also where the first answer was wrong"
    first = held.sign(ask(db))
    ask(db)
    assert refused(db, first) == NOT_PROVED, "only the last that was asked stands"
    for moved in (STANDS, -STANDS - timedelta(seconds=1)):
        assert refused(db, held.sign(ask(db)), now=NOW + moved) == TOO_LATE


def test_what_was_asked_for_a_new_passkey_is_not_taken_as_a_sign_in_nor_for_another_person(db, add):
    nell, otto, held = add(), add("Otto Other"), Authenticator()
    with db.write() as conn:
        asked = passkeys.ask_to_add(conn, nell, HERE, "session", NOW)
    made = held.make(asked)
    with pytest.raises(PersonRefused, match="sent twice"):
        added(db, otto, HERE, "session", made, "", NOW)
    with pytest.raises(PersonRefused, match="sent twice"):
        added(db, nell, HERE, "session", made, "", NOW)
    with db.write() as conn:
        asked = passkeys.ask_to_add(conn, nell, HERE, "session", NOW)
    held.handle = nell.id.encode()
    assert refused(db, held.sign(asked), asked_by="session") == TOO_LATE


@pytest.mark.parametrize("wrong", ["another origin", "another host", "owner not verified", "another challenge"])
def test_a_passkey_that_is_not_as_it_was_asked_for_is_not_added(db, add, wrong):
    nell, (forger, forged) = add(), WRONG[wrong]
    with db.write() as conn:
        asked = passkeys.ask_to_add(conn, nell, HERE, "session", NOW)
    with pytest.raises(PersonRefused, match="not added"):
        added(db, nell, HERE, "session", forger(Authenticator()).make(asked, **forged), "", NOW)
    assert passkeys.of_person(db.read(), nell.id) == []


def test_a_counter_that_goes_back_is_said_and_the_passkey_signs_in_no_more(db, add):
    nell, held = add(), Authenticator(count=5)
    add_key(db, nell, held)
    copy = replace(held)
    assert signing_in.by_passkey(db, HERE, "browser", held.sign(ask(db)), NOW)
    assert refused(db, copy.sign(ask(db))) == COPIED
    assert refused(db, held.sign(ask(db))) == COPIED, "nobody can know which of the two is the right one"
    assert [p.copied for p in passkeys.of_person(db.read(), nell.id)] == [True]
    assert [s.content["change"] for s in ledger.steps(db.read(), kind="person_changed")].count("passkey_copied") == 2


def test_an_authenticator_that_counts_nothing_signs_in_again_and_again(db, passkey):
    _, held, _ = passkey
    for _ in range(3):
        assert signing_in.by_passkey(db, HERE, "browser", held.sign(ask(db)), NOW)


def test_somebody_stopped_does_not_sign_in_and_one_let_in_again_does(db, passkey):
    nell, held, _ = passkey
    for active in (False, True):
        with db.write() as conn:
            people.set_active(conn, nell.id, active, "cli:test", AT)
        if not active:
            assert refused(db, held.sign(ask(db))) == NOT_PROVED
    assert signing_in.by_passkey(db, HERE, "browser", held.sign(ask(db)), NOW)


def test_a_passkey_of_one_host_signs_in_at_no_other(db, passkey):
    _, held, _ = passkey
    assert refused(db, held.sign(ask(db, place=ELSEWHERE)), place=ELSEWHERE) == NOT_PROVED


def test_after_the_password_ones_own_passkey_stands_for_the_code_and_anothers_does_not(db, add, passkey):
    nell, hers, codes = passkey
    his, _ = add_key(db, add("Otto Other"))

    def half(password=PASSWORD):
        with pytest.raises(CodeNeeded) as caught:
            signing_in.sign_in(db, "nell.sample", password, NOW)
        return caught.value.token

    def with_passkey(half, held):
        return signing_in.complete_by_passkey(db, half, HERE, "browser", held.sign(ask(db)), NOW)

    for token, held in ((half(), his), (half("not this one at all"), hers), (half("not this one at all"), his)):
        with pytest.raises(SignInRefused, match=NOT_PROVED):
            with_passkey(token, held)
    begun = half()
    assert with_passkey(begun, hers)[1] == nell
    with pytest.raises(SignInRefused, match="begin again"):
        with_passkey(begun, hers)
    assert signing_in.complete(db, half(), codes[0], NOW)[1] == nell, "a recovery code does so too"


def test_wrong_passkeys_after_a_password_are_braked_like_wrong_codes(db, add, passkey):
    his, _ = add_key(db, add("Otto Other"))
    with pytest.raises(CodeNeeded) as caught:
        signing_in.sign_in(db, "nell.sample", PASSWORD, NOW)
    said = []
    for _ in range(tries.TRIES):
        with pytest.raises(SignInRefused) as refusal:
            signing_in.complete_by_passkey(db, caught.value.token, HERE, "browser", his.sign(ask(db)), NOW)
        said.append(str(refusal.value))
    assert said[-1] == tries.TOO_MANY


def test_a_role_that_needs_a_second_factor_is_content_with_a_passkey_and_keeps_its_last_one(db, add):
    nell = add()
    with db.write() as conn:
        factors.require(conn, ["nurse"], "cli:test", AT)
    assert sessions.owes(db.read(), nell.id) == "factor"
    add_key(db, nell)
    assert sessions.owes(db.read(), nell.id) == ""
    with pytest.raises(PersonRefused, match="set up another one before"):
        factors.check_may_go(db.read(), nell, "passkey")
    add_key(db, nell)
    factors.check_may_go(db.read(), nell, "passkey")


def test_codes_go_with_the_last_factor_and_stay_with_any(db, passkey):
    nell, _, _ = passkey
    with db.write() as conn:
        secret = factors.begin(conn, nell.id)
        now = factors.code_at(secret, factors.step_of(NOW))
        factors.confirm(conn, nell.id, now, NOW, nell.id, AT)
        factors.remove_telephone(conn, nell.id, nell.id, AT)
    assert factors.codes_left(db.read(), nell.id) == 10
    (kept,) = passkeys.of_person(db.read(), nell.id)
    with db.write() as conn:
        passkeys.remove(conn, nell.id, kept.id, nell.id, AT)
    assert (factors.has(db.read(), nell.id), factors.codes_left(db.read(), nell.id)) == (False, 0)
    assert list(people_told.differences(db.read())) == []


def test_help_for_whoever_lost_everything_takes_passkeys_away_too(db, passkey):
    nell, held, _ = passkey
    add_key(db, nell)
    with db.write() as conn:
        factors.remove(conn, nell.id, "p-admin", AT)
    assert refused(db, held.sign(ask(db))) == NOT_PROVED
    assert signing_in.sign_in(db, "nell.sample", PASSWORD, NOW)[1] == nell
    assert list(people_told.differences(db.read())) == []
    told = [s.content["change"] for s in ledger.steps(db.read(), kind="person_changed")]
    assert told == ["passkey_added", "passkey_added", "passkey_removed", "passkey_removed"]


@pytest.mark.parametrize("how", ["taken away", "made up"])
def test_verify_finds_a_passkey_that_no_step_took_away_or_added(db, add, how):
    nell = add()
    if how == "taken away":
        add_key(db, nell)
    with db.write() as conn:
        if how == "taken away":
            conn.execute("DELETE FROM passkey")
        else:
            conn.execute("INSERT INTO passkey VALUES ('aa', ?, 'x', 'localhost', '00', 0, 0, 0, 0)", (nell.id,))
    (sentence,) = people_told.differences(db.read())
    assert "passkeys, and the steps say" in sentence


def test_nobody_has_more_than_ten_nor_removes_anothers(db, add, passkey):
    (nell, *_), otto = passkey, add("Otto Other")
    for _ in range(passkeys.MOST - 1):
        add_key(db, nell)
    with pytest.raises(PersonRefused, match="remove one first"):
        add_key(db, nell)
    with pytest.raises(PersonRefused, match="not there any more"), db.write() as conn:
        passkeys.remove(conn, otto.id, passkeys.of_person(conn, nell.id)[0].id, otto.id, AT)


def test_a_passkey_known_already_is_not_added_again_also_by_another_person(db, add, passkey):
    _, held, _ = passkey
    with pytest.raises(PersonRefused, match="known already"):
        add_key(db, add("Otto Other"), held)


def test_whatever_is_sent_that_no_browser_makes_is_refused_in_a_sentence(db, passkey):
    (nell, held, _), seed = passkey, random.SystemRandom().randrange(10**9)
    print("seed", seed)
    luck = random.Random(seed)
    pieces = ['""', "null", "[]", "{}", "7", '"AAAA"', '"' + "A" * 300 + '"', "[" * 9000]
    junk = ["", "{", *pieces]
    for _ in range(60):
        sent = json.loads(held.sign(ask(db)))
        part = luck.choice([sent, sent["response"]])
        part[luck.choice(list(part))] = "PIECE"
        junk.append(json.dumps(sent).replace('"PIECE"', luck.choice(pieces), 1))
    for sent in junk:
        ask(db)
        said = refused(db, sent)
        assert said == NOT_PROVED, sent[:200]
        with db.write() as conn:
            passkeys.ask_to_add(conn, nell, HERE, "session", NOW)
        with pytest.raises(PersonRefused, match="not added"):
            added(db, nell, HERE, "session", sent, "", NOW)


PLACES = {
    ("localhost:8000", False): ("localhost", "http://localhost:8000"),
    ("localhost", False): ("localhost", "http://localhost"),
    ("backs.example.org", True): ("backs.example.org", "https://backs.example.org"),
    ("backs.example.org:8443", True): ("backs.example.org", "https://backs.example.org:8443"),
    ("backs.example.org", False): "only where the address begins with https",
    ("127.0.0.1:8000", False): "as localhost",
    ("[::1]:8000", False): "as localhost",
    ("192.0.2.1", True): "one that is a name",
}


@pytest.mark.parametrize("asked", PLACES, ids=str)
def test_passkeys_are_offered_under_a_name_over_tls_or_on_this_machine(asked):
    found, wanted = passkeys.place_of(*asked), PLACES[asked]
    if isinstance(wanted, str):
        assert isinstance(found, str)
        assert wanted in found
        assert found.count(".") == 1
    else:
        assert (found.host, found.origin) == wanted
