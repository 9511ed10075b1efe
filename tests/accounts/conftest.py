"""An empty database with people in it."""

import pytest

from consult.accounts.people import WORK, NewPerson, add_person
from consult.accounts.schema import accounts_schema
from consult.record.opening import open_database
from consult.record.settings import change_setting

AT = "2026-11-22T10:00:00Z"
PASSWORD = "quiet otter paints fences"
QUICK = "scrypt:1024:8:1"
"""How the tests hash passwords, by the setting that the product reads: what guidance asks would take a second a try."""


@pytest.fixture
def db(tmp_path):
    database = open_database(tmp_path / "consult.db", accounts_schema)
    with database.write() as conn:
        change_setting(conn, WORK, QUICK, "cli:test", AT)
    yield database
    database.close()


@pytest.fixture
def add(db):
    def add(name="Nell Sample", role="nurse", **more):
        with db.write() as conn:
            asked = {"name": name, "role": role, "site": "A", "password": PASSWORD, **more}
            return add_person(conn, NewPerson(**asked), "cli:test", AT)

    return add
