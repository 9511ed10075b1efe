"""An empty database with people in it, and one whose first person has a second factor."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from authenticator import Authenticator, added
from ready import ready

from consult.accounts import factors, passkeys
from consult.accounts.factors import code_at, step_of
from consult.accounts.passkeys import Place
from consult.accounts.people import WORK, NewPerson, add_person
from consult.accounts.schema import accounts_schema
from consult.record.opening import open_database
from consult.record.settings import change_setting

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
HERE = Place("localhost", "http://localhost")
AT = "2026-11-22T10:00:00Z"
PASSWORD = "quiet otter paints fences"
QUICK = "scrypt:1024:8:1"
"""How the tests hash passwords, by the setting that the product reads: what guidance asks would take a second a try."""


def opened(folder):
    """The database of a folder, in which passwords are hashed quickly."""
    file = folder / "consult.db"
    if not file.exists():
        ready(file, "accounts", quick)
    return open_database(file, accounts_schema)


def quick(file):
    """A new database in which they are."""
    database = open_database(file, accounts_schema)
    with database.write() as conn:
        change_setting(conn, WORK, QUICK, "cli:test", AT)
    return database


def add_to(db, name="Nell Sample", role="nurse", **more):
    with db.write() as conn:
        asked = {"name": name, "role": role, "site": "A", "password": PASSWORD, **more}
        return add_person(conn, NewPerson(**asked), "cli:test", AT)


@pytest.fixture(scope="session")
def with_telephone(tmp_path_factory):
    """A folder whose Nell has a telephone in use; Nell, its secret and the recovery codes. Only to be copied: each of
    the ten codes is made as slow to guess as to make."""
    folder = tmp_path_factory.mktemp("telephone")
    db = opened(folder)
    nell = add_to(db)
    with db.write() as conn:
        secret = factors.begin(conn, nell.id)
        codes = factors.confirm(conn, nell.id, code_at(secret, step_of(NOW)), NOW, nell.id, AT)
    db.close()
    return folder, (nell, secret, codes)


@pytest.fixture(scope="session")
def with_passkey(tmp_path_factory):
    """The same with a passkey: a folder, and Nell, what holds her key and the recovery codes. Only to be copied."""
    folder = tmp_path_factory.mktemp("passkey")
    db, held = opened(folder), Authenticator()
    nell = add_to(db)
    with db.write() as conn:
        asked = passkeys.ask_to_add(conn, nell, HERE, "session", NOW)
    codes = added(db, nell, HERE, "session", held.make(asked), "Desk key", NOW)
    db.close()
    return folder, (nell, held, codes)


@pytest.fixture
def db(request, tmp_path):
    for asked, made in (("telephone", "with_telephone"), ("passkey", "with_passkey")):
        if asked in request.fixturenames:
            shutil.copytree(request.getfixturevalue(made)[0], tmp_path, dirs_exist_ok=True)
    database = opened(tmp_path)
    yield database
    database.close()


@pytest.fixture
def telephone(db, with_telephone):
    """Nell, the secret of her telephone and her recovery codes, as they stand in the database of this test."""
    return with_telephone[1]


@pytest.fixture
def passkey(db, with_passkey):
    """Nell, what holds her passkey and her recovery codes, as they stand in the database of this test."""
    nell, held, codes = with_passkey[1]
    return nell, replace(held), codes


@pytest.fixture
def add(db):
    return lambda *args, **more: add_to(db, *args, **more)
