"""The migrations of a part of the schema: known by name at each start, carried out by sqlite-utils where one is due."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Final

from consult.record import cipher

ACCOUNT: Final = "_sqlite_migrations"  # where the library keeps account of what it applied; it applies the rest anew
TOLD: Final = {"migration_set", "name", "applied_at"}
Migration = Callable[[Any], None]


class AccountDamaged(Exception):
    """The table of what was applied is not as the library makes it: a flipped bit, which no check of SQLite's finds."""


class Migrations:
    """Those of one part, in order; each is given a connection within a transaction of its own."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._every: list[Migration] = []

    def __call__(self, migration: Migration) -> Migration:
        """Take up a migration, under the name of its function."""
        self._every.append(migration)
        return migration

    def pending(self, conn: Any) -> bool:
        """Whether one was not applied to a database yet; AccountDamaged if that can't be told."""
        applied = _applied(conn, self.name)
        return any(one.__name__ not in applied for one in self._every)

    def apply(self, conn: Any) -> None:
        """Apply those that are pending."""
        library = _library()
        theirs = library.Migrations(self.name)
        for one in self._every:
            theirs(name=one.__name__)(lambda db, one=one: one(db.conn))
        theirs.apply(library.Database(conn, recursive_triggers=True))


def _applied(conn: Any, part: str) -> set[str]:
    if not conn.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (ACCOUNT,)).fetchone():
        return set()
    rows = conn.execute(f'SELECT * FROM "{ACCOUNT}"')
    columns = [column[0] for column in rows.description]
    if not set(columns) >= TOLD:
        raise AccountDamaged(ACCOUNT)
    told = [dict(zip(columns, row, strict=True)) for row in rows]
    return {row["name"] for row in told if row["migration_set"] == part}


@cache
def _library() -> Any:
    """The library, with the driver that this program uses: it compares what is raised with its own driver's."""
    import sqlite_utils  # only an upgrade or a proof of the schema needs it, and it took a fifteenth of each start

    for module in (sqlite_utils.utils, sqlite_utils.db):
        vars(module)["sqlite3"] = cipher.driver()
    return sqlite_utils
