"""The second factor: the codes of RFC 6238, each taken once; recovery codes; who needs one."""

import base64
import hashlib
import random
import re
from datetime import UTC, datetime, timedelta

import pytest

from consult.accounts import factors, passwords, people, sessions, signing_in, tries
from consult.accounts import told as people_told
from consult.accounts.factors import STEP, code_at, step_of
from consult.accounts.people import PersonRefused
from consult.accounts.signing_in import CodeNeeded
from consult.accounts.tries import SignInRefused
from consult.record import ledger
from consult.record.settings import change_setting

AT = "2026-11-22T10:00:00Z"
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
LATER = NOW + timedelta(seconds=10 * STEP)
PASSWORD = "quiet otter paints fences"
RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()
RFC_6238 = {  # appendix B, SHA-1, the last six of its eight digits
    59: "287082",
    1111111109: "081804",
    1111111111: "050471",
    1234567890: "005924",
    2000000000: "279037",
    20000000000: "353130",
}
RFC_4226 = ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"]


@pytest.mark.parametrize("seconds", RFC_6238)
def test_the_codes_are_those_of_the_standard(seconds):
    assert code_at(RFC_SECRET, seconds // STEP) == RFC_6238[seconds]


def test_the_counted_codes_are_those_of_the_standard():
    assert [code_at(RFC_SECRET, n) for n in range(10)] == RFC_4226


def set_up(db, person_id, now=NOW):
    """A second factor that is in use, with its secret and recovery codes."""
    with db.write() as conn:
        secret = factors.begin(conn, person_id)
        codes = factors.confirm(conn, person_id, code_at(secret, step_of(now)), now, person_id, AT)
    return secret, codes


def take(db, person_id, code, now=LATER):
    with db.write() as conn:
        return factors.take(conn, person_id, code, now)


def test_a_factor_is_in_use_once_a_code_confirms_it_and_not_before(db, add):
    nell = add()
    with db.write() as conn:
        secret = factors.begin(conn, nell.id)
    assert not factors.has(db.read(), nell.id)
    for wrong in ("", "000000", code_at(secret, step_of(NOW) - 5)):
        with pytest.raises(PersonRefused, match="not the code"), db.write() as conn:
            factors.confirm(conn, nell.id, wrong, NOW, nell.id, AT)
    with db.write() as conn:
        factors.confirm(conn, nell.id, code_at(secret, step_of(NOW)), NOW, nell.id, AT)
    assert factors.has(db.read(), nell.id)


@pytest.mark.parametrize("steps", range(-4, 5))
def test_a_clock_may_be_one_step_off_and_no_more(db, telephone, steps):
    nell, secret, _ = telephone
    assert take(db, nell.id, code_at(secret, step_of(LATER) + steps)) == (abs(steps) <= 1)


def test_a_code_is_taken_once_and_so_is_every_one_before_it(db, telephone):
    nell, secret, _ = telephone
    assert not take(db, nell.id, code_at(secret, step_of(NOW)), NOW), "the one that confirmed it"
    now = step_of(LATER)
    assert take(db, nell.id, f" {code_at(secret, now)[:3]} {code_at(secret, now)[3:]} ")
    for step in (now - 1, now):
        assert not take(db, nell.id, code_at(secret, step)), step
    assert take(db, nell.id, code_at(secret, now + 1))


def test_over_many_draws_no_code_is_ever_taken_twice_and_none_that_has_passed(db, telephone):
    (nell, secret, _), seed = telephone, random.SystemRandom().randrange(10**9)
    print("seed", seed)
    luck, taken = random.Random(seed), set()
    now, last = LATER, 0
    for _ in range(60):
        now += timedelta(seconds=luck.randrange(0, 40))
        step = step_of(now) + luck.randrange(-3, 4)
        right = abs(step - step_of(now)) <= 1 and step > last
        assert take(db, nell.id, code_at(secret, step), now) == right
        if right:
            assert step not in taken
            taken.add(step)
            last = step
    assert len(taken) > 5


def test_each_recovery_code_signs_in_once_and_is_kept_only_as_a_hash(db, telephone):
    nell, _, codes = telephone
    assert len(set(codes)) == 10
    kept = str([tuple(row) for row in db.read().execute("SELECT * FROM recovery_code")])
    assert not [code for code in codes if code in kept or code.replace("-", "") in kept]
    assert take(db, nell.id, codes[0].upper().replace("-", " "))
    assert not take(db, nell.id, codes[0])
    assert factors.codes_left(db.read(), nell.id) == 9
    with db.write() as conn:
        new = factors.renew_codes(conn, nell.id, nell.id, AT)
    assert not take(db, nell.id, codes[1])
    assert take(db, nell.id, new[0])


def work_of(monkeypatch, db, person_id, code):
    """Whether a code was taken, and the hash work of that: the sum of N x r x p."""
    asked, real = [], hashlib.scrypt

    def counting(typed, **how):
        asked.append(how["n"] * how["r"] * how["p"])
        return real(typed, **how)

    with monkeypatch.context() as patched:
        patched.setattr(hashlib, "scrypt", counting)
        return take(db, person_id, code), sum(asked)


def test_recovery_codes_are_hashed_as_passwords_are_and_whoever_asks_costs_the_same(db, telephone, monkeypatch):
    """With half the memory of a password and once: 2^14 where the setting is that of guidance. Codes that were made
    with less or with more go on."""
    nell, _, codes = telephone
    assert work_of(monkeypatch, db, nell.id, codes[0]) == (True, 512 * 8)
    with db.write() as conn:
        change_setting(conn, people.WORK, passwords.METHOD, "cli:test", AT)
    assert work_of(monkeypatch, db, nell.id, codes[1]) == (True, 2**14 * 8)
    assert work_of(monkeypatch, db, nell.id, codes[1]) == (False, 2**14 * 8)
    assert work_of(monkeypatch, db, "", "nothing") == (False, 2**14 * 8)
    with db.write() as conn:
        new = factors.renew_codes(conn, nell.id, nell.id, AT)
    assert work_of(monkeypatch, db, nell.id, codes[2]) == (False, 2**14 * 8)
    assert re.fullmatch("[0-9a-f]{32}", db.read().execute("SELECT salt FROM second_factor").fetchone()["salt"])
    assert work_of(monkeypatch, db, nell.id, new[0]) == (True, 2**14 * 8)
    with db.write() as conn:
        change_setting(conn, people.WORK, "scrypt:1024:8:1", "cli:test", AT)
    assert work_of(monkeypatch, db, nell.id, new[1]) == (True, 2**14 * 8)


def test_a_recovery_code_of_another_person_opens_nothing(db, add, telephone):
    (_, _, codes), otto = telephone, add("Otto Other")
    set_up(db, otto.id)
    assert not take(db, otto.id, codes[0])
    assert not take(db, "", codes[0])


def test_a_new_telephone_stands_in_the_place_of_the_old_one_once_confirmed(db, telephone):
    nell, old, _ = telephone
    with db.write() as conn:
        new = factors.begin(conn, nell.id)
    assert take(db, nell.id, code_at(old, step_of(LATER)))
    with db.write() as conn:
        factors.confirm(conn, nell.id, code_at(new, step_of(LATER)), LATER, nell.id, AT)
    after = LATER + timedelta(seconds=STEP)
    assert not take(db, nell.id, code_at(old, step_of(after)), after)
    assert take(db, nell.id, code_at(new, step_of(after)), after)


def test_the_steps_say_that_it_was_set_or_removed_and_hold_none_of_it(db, telephone):
    nell, secret, codes = telephone
    with db.write() as conn:
        factors.renew_codes(conn, nell.id, nell.id, AT)
    assert people_told.with_second_factor(db.read()) == {nell.id}
    assert list(people_told.differences(db.read())) == []
    with db.write() as conn:
        factors.remove(conn, nell.id, "p-admin", AT)
        factors.remove(conn, nell.id, "p-admin", AT)
    written = [(s.kind, s.content) for s in ledger.steps(db.read())]
    assert [c["change"] for k, c in written if k == "person_changed"] == [
        "second_factor_set",
        "recovery_codes",
        "second_factor_removed",
    ]
    assert not [word for word in (secret, *codes) if word in str(written)]
    assert list(people_told.differences(db.read())) == []


@pytest.mark.parametrize("how", ["taken away", "made up"])
def test_verify_finds_a_factor_that_no_step_took_away_or_set(db, add, how):
    nell = add()
    if how == "taken away":
        set_up(db, nell.id)
    with db.write() as conn:
        if how == "taken away":
            conn.execute("DELETE FROM second_factor")
        else:
            conn.execute("INSERT INTO second_factor VALUES (?, 'AAAA', '', 0, '00')", (nell.id,))
    (sentence,) = people_told.differences(db.read())
    assert "nell.sample has" in sentence
    assert sentence.endswith("restore a backup.")


# --- signing in ---------------------------------------------------------------------------------------------------


def half_of(db, username, password, now=LATER):
    with pytest.raises(CodeNeeded) as caught:
        signing_in.sign_in(db, username, password, now)
    return caught.value.token


def refusal(db, half, code, now=LATER):
    with pytest.raises(SignInRefused) as caught:
        signing_in.complete(db, half, code, now)
    return str(caught.value)


def test_name_password_and_code_open_a_session_and_the_half_alone_opens_nothing(db, telephone):
    nell, secret, _ = telephone
    half = half_of(db, "nell.sample", PASSWORD)
    assert sessions.lookup(db.read(), half, LATER) is None
    token, who = signing_in.complete(db, half, code_at(secret, step_of(LATER)), LATER)
    assert who == nell
    assert token != half
    assert sessions.lookup(db.read(), token, LATER).person == nell
    assert refusal(db, half, code_at(secret, step_of(LATER) + 1)) == signing_in.TOO_LATE


def test_a_wrong_password_is_asked_for_a_code_like_a_right_one_and_then_refused_alike(db, add, telephone):
    _, secret, codes = telephone
    add("Otto Other", password="another quiet otter")
    for username, password in (("nell.sample", "not this one at all"), ("nobody", PASSWORD), ("otto.other", PASSWORD)):
        half = half_of(db, username, password)
        for code in (code_at(secret, step_of(LATER)), codes[0], "123456", ""):
            assert refusal(db, half, code) == signing_in.WRONG_CODE
    half = half_of(db, "nell.sample", PASSWORD)
    assert refusal(db, half, "not a code") == signing_in.WRONG_CODE
    assert signing_in.sign_in(db, "otto.other", "another quiet otter", LATER)[1].name == "Otto Other"


def test_tries_of_passwords_and_codes_are_counted_together_and_a_right_password_clears_nothing(db, telephone):
    _, secret, _ = telephone
    for _ in range(tries.TRIES // 2):
        half = half_of(db, "nell.sample", PASSWORD)
        assert refusal(db, half, "123456") == signing_in.WRONG_CODE
    assert refusal(db, half, code_at(secret, step_of(LATER))) == tries.TOO_MANY
    with pytest.raises(SignInRefused, match="too many tries"):
        signing_in.sign_in(db, "nell.sample", PASSWORD, LATER)
    after = LATER + tries.WINDOW
    half = half_of(db, "nell.sample", PASSWORD, after)
    signing_in.complete(db, half, code_at(secret, step_of(after)), after)
    assert db.read().execute("SELECT count(*) FROM failed_try").fetchone()[0] == 0


def test_a_half_sign_in_ends_after_ten_minutes_and_with_a_changed_password(db, telephone):
    nell, secret, _ = telephone
    half = half_of(db, "nell.sample", PASSWORD)
    late = LATER + signing_in.HALF
    assert refusal(db, half, code_at(secret, step_of(late)), late) == signing_in.TOO_LATE
    half = half_of(db, "nell.sample", PASSWORD, late)
    with db.write() as conn:
        people.change_password(conn, nell.id, "other otter mends gates", "cli:test", AT)
    assert refusal(db, half, code_at(secret, step_of(late)), late) == signing_in.TOO_LATE


def test_a_role_that_needs_one_owes_it_until_it_is_set_up(db, add):
    nell = add()
    with db.write() as conn:
        factors.require(conn, ["nurse"], "cli:test", AT)
        token = sessions.create(conn, nell.id, NOW)
    signed_in = sessions.lookup(db.read(), token, NOW)
    assert signed_in.owes == "factor"
    set_up(db, nell.id)
    with db.write() as conn:
        sessions.settle(conn, signed_in)
        new = sessions.renew(conn, signed_in, NOW)
    assert sessions.lookup(db.read(), token, NOW) is None
    assert sessions.lookup(db.read(), new, NOW).owes == ""


def test_only_roles_there_are_can_need_one(db):
    with pytest.raises(PersonRefused, match="Choose among"), db.write() as conn:
        factors.require(conn, ["wizard"], "cli:test", AT)
