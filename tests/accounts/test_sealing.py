"""The secrets of second factors: encrypted for their person by a key outside the database; and once it is missing."""

import os
import stat
from contextlib import closing
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_factors import AT, LATER, PASSWORD, set_up, take

from consult.accounts import factors, people, sealing, signing_in, tries
from consult.accounts.factors import STEP, code_at, step_of
from consult.accounts.schema import accounts_schema
from consult.accounts.sealing import KeyRefused
from consult.record.opening import open_database

KEY = "ab" * 32


@pytest.fixture(autouse=True)
def nothing_in_the_environment(monkeypatch):
    monkeypatch.delenv(sealing.IN_ENVIRONMENT, raising=False)
    monkeypatch.delenv(sealing.FILE_IN_ENVIRONMENT, raising=False)


def kept(db, person_id, column="secret"):
    row = db.read().execute("SELECT * FROM second_factor WHERE person = ?", (person_id,)).fetchone()
    return row[column]


def bytes_of(db):
    """All that stands in the database and its side files."""
    return b"".join(file.read_bytes() for file in sorted(db.file.parent.glob("consult.db*")))


def key_file(db):
    return db.file.with_name(sealing.KEY_FILE)


def as_before(db, person_id, secret):
    """Keep a secret as a version before this one did."""
    with db.write() as conn:
        conn.execute("UPDATE second_factor SET secret = ? WHERE person = ?", (secret, person_id))


def test_no_secret_stands_in_the_database_waiting_or_in_use_and_the_key_lies_beside_it(db, add, telephone):
    (nell, secret, _), olga = telephone, add("Olga Sample")
    with db.write() as conn:
        waits = factors.begin(conn, olga.id)
    held = bytes_of(db)
    assert secret.encode() not in held
    assert waits.encode() not in held
    assert factors.pending(db.read(), olga.id) == waits
    key = key_file(db).read_text("ascii").strip()
    assert key.encode() not in held
    assert bytes.fromhex(key) not in held
    assert take(db, nell.id, code_at(secret, step_of(LATER)))
    if os.name == "posix":
        assert stat.S_IMODE(key_file(db).stat().st_mode) == 0o600


def test_nothing_is_made_while_nobody_has_a_telephone(db, add):
    add()
    assert sealing.seal_all(db) == 0
    assert sealing.unreadable(db.read()) == ""
    assert not key_file(db).exists()


@given(person_id=st.text(min_size=1), secret=st.text(min_size=1))
def test_what_is_sealed_is_read_for_that_person_with_that_key_and_no_other(person_id, secret):
    one, other = b"1" * 32, b"2" * 32
    sealed = sealing._sealed(one, person_id, secret)
    assert sealed != sealing._sealed(one, person_id, secret), "each time otherwise"
    text = sealing.SEALED.fullmatch(sealed)[2]
    assert sealing._opened(one, person_id, text) == secret
    for key, who in ((other, person_id), (one, person_id + "x")):
        with pytest.raises(KeyRefused, match="set the factor up anew"):
            sealing._opened(key, who, text)


def test_one_persons_secret_put_into_anothers_row_signs_nobody_in(db, add, telephone):
    (nell, secret, _), olga = telephone, add("Olga Sample")
    set_up(db, olga.id)
    as_before(db, olga.id, kept(db, nell.id))
    assert not take(db, olga.id, code_at(secret, step_of(LATER)))


def test_those_kept_as_they_were_are_encrypted_when_the_instance_is_opened_and_go_on(db, add):
    nell, olga = add(), add("Olga Sample")
    secrets = {one.id: set_up(db, one.id)[0] for one in (nell, olga)}
    for person_id, secret in secrets.items():
        as_before(db, person_id, secret)
    key_file(db).unlink()
    assert take(db, nell.id, code_at(secrets[nell.id], step_of(LATER))), "they are taken before that too"
    assert sealing.how_kept(db.read()) == (2, 0)
    assert all(secret.encode() in bytes_of(db) for secret in secrets.values())
    assert sealing.seal_all(db) == 2
    assert sealing.seal_all(db) == 0
    assert not [secret for secret in secrets.values() if secret.encode() in bytes_of(db)], "nor in a side file"
    later = LATER + timedelta(seconds=10 * STEP)
    assert take(db, olga.id, code_at(secrets[olga.id], step_of(later)), later)
    assert sealing.how_kept(db.read()) == (2, 2)


def test_without_the_key_recovery_codes_sign_in_codes_do_not_and_what_to_do_is_said(db, add, telephone):
    (nell, secret, codes), olga = telephone, add("Olga Sample")
    key = key_file(db).read_text("ascii")
    key_file(db).unlink()
    with pytest.raises(signing_in.CodeNeeded) as needed:
        signing_in.sign_in(db, nell.username, PASSWORD, LATER)
    with pytest.raises(tries.SignInRefused, match="do not go together"):
        signing_in.complete(db, needed.value.token, code_at(secret, step_of(LATER)), LATER)
    assert signing_in.complete(db, needed.value.token, codes[0], LATER)[1] == nell
    said = sealing.unreadable(db.read())
    assert str(key_file(db)) in said
    assert "put it back" in said
    with pytest.raises(KeyRefused, match="put it back"), db.write() as conn:
        factors.begin(conn, olga.id)
    assert not key_file(db).exists(), "no other key is made over the one that is missing"
    key_file(db).write_text(key, "ascii")
    assert sealing.unreadable(db.read()) == ""
    key_file(db).unlink()
    with db.write() as conn:
        factors.remove(conn, nell.id, "cli:test", AT)
        factors.begin(conn, olga.id)
    assert key_file(db).exists(), "once nothing needs the old one"


@pytest.mark.parametrize("text", ["", "not a key", KEY[:-1], f"{KEY},x", "\u00e9" * 64])
def test_what_is_no_key_is_said_and_not_written_over(db, add, text):
    nell = add()
    key_file(db).write_text(text, "utf-8")
    with pytest.raises(KeyRefused, match="is no key of second factors"), db.write() as conn:
        factors.begin(conn, nell.id)
    assert key_file(db).read_text("utf-8") == text


def test_the_key_stands_in_the_environment_or_in_the_file_it_names(db, add, monkeypatch, tmp_path):
    nell, elsewhere = add(), tmp_path / "elsewhere"
    monkeypatch.setenv(sealing.FILE_IN_ENVIRONMENT, str(elsewhere))
    secret, _ = set_up(db, nell.id)
    monkeypatch.setenv(sealing.IN_ENVIRONMENT, elsewhere.read_text("ascii").strip())
    elsewhere.unlink()
    assert not key_file(db).exists()
    assert take(db, nell.id, code_at(secret, step_of(LATER)))
    monkeypatch.setenv(sealing.IN_ENVIRONMENT, f"{KEY},{os.environ[sealing.IN_ENVIRONMENT]}")
    assert sealing.renew(db) == 1
    monkeypatch.setenv(sealing.IN_ENVIRONMENT, KEY)
    later = LATER + timedelta(seconds=10 * STEP)
    assert take(db, nell.id, code_at(secret, step_of(later)), later)


def test_a_new_key_takes_the_place_of_the_old_one_and_a_change_cut_short_loses_nothing(db, add, telephone):
    (nell, secret, _), olga = telephone, add("Olga Sample")
    with db.write() as conn:
        waits = factors.begin(conn, olga.id)
    old = key_file(db).read_text("ascii")
    key_file(db).write_text(
        f"{KEY}\n{old}", "ascii"
    )  # as a change leaves it that was cut short before any was encrypted
    assert sealing.unreadable(db.read()) == ""
    assert sealing.renew(db) == 2
    (new,) = key_file(db).read_text("ascii").split()
    assert new not in (old.strip(), KEY)
    key_file(db).write_text(f"{new}\n{KEY}\n{old}", "ascii")  # and as one that was cut short after all was encrypted
    assert sealing.unreadable(db.read()) == ""
    assert factors.pending(db.read(), olga.id) == waits
    assert sealing.renew(db) == 2
    assert take(db, nell.id, code_at(secret, step_of(LATER)))
    for gone in (old, new, KEY):
        key_file(db).write_text(gone, "ascii")
        assert sealing.unreadable(db.read()), "what was encrypted before is not read by an old key any more"


def test_a_copy_of_the_database_alone_gives_no_code_away(db, telephone, tmp_path):
    nell, secret, _ = telephone
    (tmp_path / "copy").mkdir()
    db.settle()
    (tmp_path / "copy" / "consult.db").write_bytes(db.file.read_bytes())
    with closing(open_database(tmp_path / "copy" / "consult.db", accounts_schema)) as copy:
        assert people.person(copy.read(), nell.id) == nell
        assert secret not in kept(copy, nell.id)
        assert "put it back" in sealing.unreadable(copy.read())
        assert sealing.seal_all(copy) == 0
