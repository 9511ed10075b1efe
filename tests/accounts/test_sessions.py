"""Sign-in: tokens by hash, idle and absolute limits, and at most ten tries in five minutes."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from consult.accounts import passwords, people, sessions, signing_in
from consult.accounts.people import change_password, set_active
from consult.accounts.sessions import ABSOLUTE, IDLE
from consult.accounts.signing_in import WRONG, sign_in
from consult.accounts.tries import TOO_MANY, TRIES, WINDOW, SignInRefused
from consult.record.settings import change_setting

AT = "2026-11-22T10:00:00Z"
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
PASSWORD = "quiet otter paints fences"

SECOND = timedelta(seconds=1)


def refusal(db, username, password=WRONG, now=NOW):
    with pytest.raises(SignInRefused) as caught:
        sign_in(db, username, password, now)
    return str(caught.value)


def test_the_right_password_opens_a_session_that_is_found_by_its_token(db, add):
    nell = add()
    token, who = sign_in(db, "Nell.Sample", PASSWORD, NOW)
    assert who == nell
    assert sessions.lookup(db.read(), token, NOW).person == nell
    assert sessions.lookup(db.read(), token + "x", NOW) is None


def test_each_sign_in_has_its_own_token_and_only_its_hash_is_kept(db, add):
    add()
    first, second = (sign_in(db, "nell.sample", PASSWORD, NOW)[0] for _ in range(2))
    assert first != second
    kept = {row["token_hash"] for row in db.read().execute("SELECT token_hash FROM sign_in")}
    assert kept == {hashlib.sha256(token.encode()).hexdigest() for token in (first, second)}


def test_an_idle_session_is_locked_after_fifteen_minutes_and_use_keeps_it(db, add):
    add()
    token, _ = sign_in(db, "nell.sample", PASSWORD, NOW)
    almost = NOW + IDLE - SECOND
    found = sessions.lookup(db.read(), token, almost)
    assert (found.stale, found.locked, found.left) == (True, False, SECOND)
    with db.write() as conn:
        sessions.touch(conn, found, almost)
    assert not sessions.lookup(db.read(), token, almost).stale
    assert not sessions.lookup(db.read(), token, almost + IDLE - SECOND).locked
    locked = sessions.lookup(db.read(), token, almost + IDLE)
    assert (locked.locked, locked.left, locked.person.name) == (True, SECOND * 0, "Nell Sample")


def test_a_locked_session_stays_locked_until_its_own_password_is_given(db, add):
    add()
    add("Otto Other", password="another quiet otter")
    token, _ = sign_in(db, "nell.sample", PASSWORD, NOW)
    with db.write() as conn:
        sessions.lock(conn, sessions.lookup(db.read(), token, NOW), NOW)
    assert sessions.lookup(db.read(), token, NOW).locked
    for wrong in ("another quiet otter", "", PASSWORD + "x"):
        with pytest.raises(SignInRefused, match="not right"):
            signing_in.unlock(db, token, wrong, NOW + SECOND)
    assert sessions.lookup(db.read(), token, NOW + SECOND).locked
    later = NOW + IDLE * 3
    renewed = signing_in.unlock(db, token, PASSWORD, later)
    assert sessions.lookup(db.read(), token, later) is None, "the token of before opens nothing any more"
    found = sessions.lookup(db.read(), renewed, later)
    assert (found.person.name, found.left, found.created_at) == ("Nell Sample", IDLE, NOW)
    with pytest.raises(SignInRefused, match="has ended"):
        signing_in.unlock(db, token, PASSWORD, later)


def test_a_clock_set_back_unlocks_nothing_and_keeps_nobody_longer(db, add):
    add()
    token, _ = sign_in(db, "nell.sample", PASSWORD, NOW)
    late = NOW + IDLE
    with db.write() as conn:
        sessions.lock(conn, sessions.lookup(db.read(), token, late), late)
    assert sessions.lookup(db.read(), token, NOW).locked
    token = signing_in.unlock(db, token, PASSWORD, late)
    back = sessions.lookup(db.read(), token, NOW - IDLE)
    assert (back.stale, back.left) == (True, IDLE)


def test_unlocking_is_braked_like_signing_in(db, add):
    add()
    token, _ = sign_in(db, "nell.sample", PASSWORD, NOW)
    for _ in range(TRIES):
        with pytest.raises(SignInRefused):
            signing_in.unlock(db, token, "not this one at all", NOW)
    with pytest.raises(SignInRefused, match="too many tries"):
        signing_in.unlock(db, token, PASSWORD, NOW)
    assert signing_in.unlock(db, token, PASSWORD, NOW + WINDOW)


def test_nothing_unlocks_a_session_that_has_ended(db, add):
    nell = add()
    token, _ = sign_in(db, "nell.sample", PASSWORD, NOW)
    for end in (NOW + ABSOLUTE, NOW):
        with pytest.raises(SignInRefused, match="has ended"):
            signing_in.unlock(db, token, PASSWORD, end)
        with db.write() as conn:
            set_active(conn, nell.id, False, "cli:test", AT)


def test_a_session_in_use_ends_after_twelve_hours(db, add):
    add()
    token, _ = sign_in(db, "nell.sample", PASSWORD, NOW)
    now = NOW
    while now < NOW + ABSOLUTE - timedelta(minutes=10):
        now += timedelta(minutes=10)
        with db.write() as conn:
            sessions.touch(conn, sessions.lookup(conn, token, now), now)
    assert sessions.lookup(db.read(), token, NOW + ABSOLUTE - SECOND) is not None
    assert sessions.lookup(db.read(), token, NOW + ABSOLUTE) is None


def test_signing_out_ends_one_session(db, add):
    add()
    tokens = [sign_in(db, "nell.sample", PASSWORD, NOW)[0] for _ in range(3)]
    with db.write() as conn:
        sessions.end(conn, tokens[0])
    assert [sessions.lookup(db.read(), t, NOW) is None for t in tokens] == [True, False, False]


class ChangedMeanwhile:
    """A database in which a password is changed between its check and the session that follows."""

    def __init__(self, db, person):
        self.db, self.person, self.writes = db, person, 0
        self.read = db.read

    def write(self):
        self.writes += 1
        if self.writes == 2:
            with self.db.write() as conn:
                change_password(conn, self.person, "another long made-up password", "cli:test", AT)
        return self.db.write()


def test_a_password_changed_while_the_old_one_is_checked_opens_no_session(db, add):
    nell = add()
    assert refusal(ChangedMeanwhile(db, nell.id), "nell.sample", PASSWORD) == WRONG
    assert db.read().execute("SELECT count(*) FROM sign_in").fetchone()[0] == 0


def test_two_windows_unlocked_at_once_give_one_new_token(db, add):
    """Whoever comes second is told, and goes on with the token that the first brought."""
    add()
    token, _ = sign_in(db, "nell.sample", PASSWORD, NOW)
    with db.write() as conn:
        sessions.lock(conn, sessions.lookup(db.read(), token, NOW), NOW)

    def unlock(_):
        try:
            return signing_in.unlock(db, token, PASSWORD, NOW + SECOND)
        except SignInRefused as refusal:
            return str(refusal)

    with ThreadPoolExecutor(2) as pool:
        said = list(pool.map(unlock, range(2)))
    assert said.count(signing_in.ENDED) == 1
    tokens = [one for one in said if one != signing_in.ENDED]
    assert sessions.lookup(db.read(), tokens[0], NOW + SECOND).person.name == "Nell Sample"


def test_a_hash_made_with_less_work_is_made_anew_at_the_next_sign_in(db, add):
    nell = add()
    before = people.password_hash_of(db.read(), nell.id)
    with db.write() as conn:
        change_setting(conn, people.WORK, "scrypt:2048:8:1", "cli:test", AT)
    refusal(db, "nell.sample")
    assert people.password_hash_of(db.read(), nell.id) == before, "a wrong password changes nothing"
    sign_in(db, "nell.sample", PASSWORD, NOW)
    after = people.password_hash_of(db.read(), nell.id)
    assert (before.partition("$")[0], after.partition("$")[0]) == ("scrypt:1024:8:1", "scrypt:2048:8:1")
    sign_in(db, "nell.sample", PASSWORD, NOW)
    assert people.password_hash_of(db.read(), nell.id) == after


def test_without_a_setting_passwords_are_hashed_as_guidance_asks_and_a_setting_that_is_none_is_passed_over(db):
    for value in ("", "md5", "scrypt:1:1:1", None):
        with db.write() as conn:
            change_setting(conn, people.WORK, value, "cli:test", AT)
        assert people.password_work(db.read()) == passwords.METHOD
    with db.write() as conn:
        conn.execute("DELETE FROM setting WHERE name = ?", (people.WORK,))
    assert people.password_work(db.read()) == passwords.METHOD


def test_unknown_disabled_and_wrong_get_the_same_sentence(db, add):
    add()
    gone = add("Gone Sample")
    with db.write() as conn:
        set_active(conn, gone.id, False, "cli:test", AT)
    said = {
        refusal(db, "nell.sample"),
        refusal(db, "nobody.here"),
        refusal(db, "gone.sample", PASSWORD),
        refusal(db, ""),
        refusal(db, "'; DROP TABLE person; --"),
    }
    assert said == {WRONG}


@pytest.mark.parametrize("username", ["nell.sample", "nobody.here", "!"])
def test_the_eleventh_try_in_five_minutes_is_braked_known_name_or_not(db, add, username):
    add()
    assert [refusal(db, username, now=NOW + i * SECOND) for i in range(TRIES)] == [WRONG] * TRIES
    assert refusal(db, username, PASSWORD, NOW + TRIES * SECOND) == TOO_MANY
    assert refusal(db, username, now=NOW + WINDOW) == WRONG


def test_another_name_is_not_braked_and_a_right_password_clears_the_count(db, add):
    add()
    for _ in range(TRIES - 1):
        refusal(db, "nell.sample")
    for _ in range(TRIES):
        refusal(db, "someone.else")
    sign_in(db, "nell.sample", PASSWORD, NOW)
    for _ in range(TRIES):
        assert refusal(db, "NELL.SAMPLE ") == WRONG
    assert refusal(db, "nell.sample", PASSWORD) == TOO_MANY


def test_tries_sent_side_by_side_are_braked_too(db, add):
    add()
    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(lambda _: refusal(db, "nell.sample"), range(24)))
    assert said.count(WRONG) == TRIES
    assert said.count(TOO_MANY) == 24 - TRIES


def test_what_was_typed_as_a_name_is_kept_only_as_a_hash(db):
    refusal(db, "my secret pass phrase")
    kept = str([tuple(row) for row in db.read().execute("SELECT * FROM failed_try")])
    assert "secret" not in kept
