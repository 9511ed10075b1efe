"""People: added, changed, disabled; the record learns opaque ids only."""

from datetime import UTC, datetime

import pytest

from consult.accounts import people, sessions
from consult.accounts.people import PersonRefused, change_password, set_active, username_of
from consult.record import ledger
from consult.record.database import sqlite3

AT = "2026-11-22T10:00:00Z"
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
PASSWORD = "quiet otter paints fences"


def test_a_person_added_is_found_by_id_and_by_username(db, add):
    nell = add("  Nell   Sample ")
    assert nell.id.startswith("p-")
    assert (nell.username, nell.name, nell.clinician) == ("nell.sample", "Nell Sample", True)
    assert people.person(db.read(), nell.id) == nell
    assert people.by_username(db.read(), "nell.sample") == nell
    assert people.people(db.read()) == [nell]
    assert people.names(db.read()) == {nell.id: "Nell Sample"}


def test_ids_are_random(add):
    assert add("One Person").id != add("Other Person").id


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"role": "surgeon"}, "There is no role surgeon"),
        ({"name": "   ", "username": "someone"}, "needs a name"),
        ({"username": "nell.sample"}, "is taken"),
        ({"username": "NELL.Sample"}, "is taken"),
        ({"username": "!"}, "2 to 64 letters"),
        ({"username": "x" * 65}, "2 to 64 letters"),
        ({"username": "other", "password": "short"}, "too short"),
    ],
)
def test_what_is_not_right_is_refused_in_a_sentence_and_nothing_is_written(db, add, more, says):
    add()
    before = ledger.head(db.read())
    with pytest.raises(PersonRefused, match=says):
        add(**more)
    assert ledger.head(db.read()) == before
    assert len(people.people(db.read())) == 1


@pytest.mark.parametrize(
    ("written", "username"),
    [("Zoë Ångström", "zoe.angstrom"), (" A.B-c_d@e.org ", "a.b-c_d@e.org"), ("Two  Words", "two.words")],
)
def test_usernames_are_made_of_what_a_keyboard_has(written, username):
    assert username_of(written) == username


def test_the_steps_hold_the_opaque_id_role_and_site_and_no_name(db, add):
    nell = add()
    with db.write() as conn:
        change_password(conn, nell.id, "other otter mends gates", "cli:test", AT)
        set_active(conn, nell.id, False, "cli:test", AT)
        set_active(conn, nell.id, True, "cli:test", AT)
    written = [(s.kind, s.content) for s in ledger.steps(db.read()) if s.kind != "setting_changed"]
    assert written == [
        ("person_added", {"person": nell.id, "role": "nurse", "site": "A"}),
        ("person_changed", {"person": nell.id, "change": "password"}),
        ("person_changed", {"person": nell.id, "change": "disabled"}),
        ("person_changed", {"person": nell.id, "change": "enabled"}),
    ]
    everything = str(written).casefold()
    assert "nell" not in everything
    assert "otter" not in everything


def test_the_password_stands_nowhere_in_the_file(db, add, tmp_path):
    add()
    db.read().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert PASSWORD.encode() not in (tmp_path / "consult.db").read_bytes()


def test_the_last_active_administrator_stays(db, add):
    first, second = add("First Admin", "administrator"), add("Second Admin", "administrator")
    with db.write() as conn:
        set_active(conn, second.id, False, "cli:test", AT)
    with pytest.raises(PersonRefused, match="last active administrator"), db.write() as conn:
        set_active(conn, first.id, False, "cli:test", AT)
    assert people.person(db.read(), first.id).active


def test_saying_the_same_again_writes_no_step(db, add):
    nell = add()
    before = ledger.head(db.read())
    with db.write() as conn:
        set_active(conn, nell.id, True, "cli:test", AT)
    assert ledger.head(db.read()) == before


@pytest.mark.parametrize("act", ["password", "disable"])
def test_a_changed_password_and_disabling_end_every_sign_in(db, add, act):
    nell = add()
    with db.write() as conn:
        token = sessions.create(conn, nell.id, NOW)
        if act == "password":
            change_password(conn, nell.id, "other otter mends gates", "cli:test", AT)
        else:
            set_active(conn, nell.id, False, "cli:test", AT)
    assert sessions.lookup(db.read(), token, NOW) is None


def test_nobody_is_changed_who_is_not_there(db):
    for act in (lambda c: change_password(c, "p-0", PASSWORD, "x", AT), lambda c: set_active(c, "p-0", True, "x", AT)):
        with pytest.raises(PersonRefused, match="no such person"), db.write() as conn:
            act(conn)


def test_the_table_itself_refuses_an_unknown_role(db, add):
    nell = add()
    with pytest.raises(sqlite3.IntegrityError), db.write() as conn:
        conn.execute("UPDATE person SET role = 'root' WHERE id = ?", (nell.id,))
