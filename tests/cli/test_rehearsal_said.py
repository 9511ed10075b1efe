"""However a rehearsal ends, that it failed is written down: the doctor never goes on telling of the one before."""

from __future__ import annotations

import pytest

from consult import rehearsing
from consult.instance import database_file
from consult.record.database import DatabaseRefused, NotWritten
from consult.record.store import now_utc
from consult.tending import last_went


@pytest.fixture
def rehearsed(consult, real):
    """An installation with a backup whose rehearsal went well."""
    consult(real, "backup")
    consult(real, "rehearse")
    assert last_went(real)["rehearsal"].well
    return real


def test_where_the_record_in_use_cannot_be_read_it_says_so_and_what_to_do(consult, rehearsed):
    (backup,) = (rehearsed / "backups").glob("*.db")
    database_file(rehearsed).write_bytes(b"no database" * 1000)
    said = consult(rehearsed, "rehearse", code=1).stderr
    assert "The record in use can't be read" in said
    assert "name the backup to rehearse" in said
    went = last_went(rehearsed)["rehearsal"]
    assert (went.well, went.sentence in said) == (False, True)
    assert "restore it" in consult(rehearsed, "rehearse", backup, code=1).stderr


def test_a_key_that_is_missing_is_written_down_too(consult, rehearsed, monkeypatch):
    (backup,) = (rehearsed / "backups").glob("*.db")
    monkeypatch.setenv("CONSULT_DATABASE_KEY_FILE", str(rehearsed / "no-such-key"))
    said = consult(rehearsed, "rehearse", backup, code=1).stderr
    went = last_went(rehearsed)["rehearsal"]
    assert (went.well, went.sentence in said) == (False, True)


def refusing(refusal):
    def told(_length, _label):
        raise refusal

    return told


@pytest.mark.parametrize("refusal", [DatabaseRefused("Refused."), NotWritten("Not written."), ZeroDivisionError()])
def test_whatever_ends_it_is_written_down(rehearsed, refusal):
    """Who is told how far it is ends it: any part of the program may."""
    with pytest.raises(type(refusal)):
        rehearsing.rehearse(rehearsed, None, now_utc(), refusing(refusal))
    went = last_went(rehearsed)["rehearsal"]
    assert (went.well, went.sentence) == (False, str(refusal) or "ZeroDivisionError")
    assert not list(rehearsed.glob("rehearsal-*"))
