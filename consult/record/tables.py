"""The tables of a database as its schema has them: what differs was not written by this program."""

from __future__ import annotations

import re
from contextlib import closing
from datetime import datetime
from functools import cache
from typing import Final

from consult.record.database import SCHEMA_VERSION, Connection, sqlite3
from consult.record.migrations import ACCOUNT, Migrations

Account = list[tuple[object, ...]] | None
NAMED: Final = re.compile(r'CREATE (?:UNIQUE )?(TABLE|INDEX|TRIGGER|VIEW) ["\[`]?(\w+)')
MADE_BY_SQLITE: Final = re.compile(r"sqlite_autoindex_(\w+)_\d+")


def differing(conn: Connection, *schemas: Migrations) -> list[str]:
    """The names of what is not as these schemas make it, or is called otherwise than it says itself.

    One flipped bit in the schema renames a column, or a table, and SQLite's own check finds nothing amiss; in the
    version it makes of a database one that waits for an upgrade, though all of it was done.
    """
    there, account, misnamed = _statements(conn), _account(conn), {*map(ascii, _misnamed(conn))}
    expected, kept = _made(schemas)
    if conn.execute("PRAGMA user_version").fetchone()[0] != SCHEMA_VERSION:
        return sorted({*misnamed, "user_version"} if account == kept else misnamed)
    differ = {name for name, sql in expected.items() if there.get(name) != sql} | misnamed
    return sorted(differ if account == kept else {*differ, ACCOUNT})


@cache
def _made(schemas: tuple[Migrations, ...]) -> tuple[dict[str, str], Account]:
    with closing(sqlite3.connect(":memory:")) as conn:
        for schema in schemas:
            schema.apply(conn)
        return _statements(conn), _account(conn)


def _statements(conn: Connection) -> dict[str, str]:
    rows = conn.execute("SELECT name, sql FROM sqlite_master WHERE type IN ('table', 'index') AND sql IS NOT NULL")
    return {row[0]: row[1] for row in rows}


def _account(conn: Connection) -> Account:
    """The numbers of what was applied, and which migrations those were; None if that, or when it was, can't be read.

    Which number each has depends on the version that a database began with.
    """
    try:
        rows = conn.execute(f'SELECT id, migration_set, name, applied_at FROM "{ACCOUNT}" ORDER BY id').fetchall()
        for row in rows:
            datetime.fromisoformat(row[3])  # nobody reads when, but the library reads the row
        return [tuple(row[0] for row in rows), *sorted(tuple(row[1:3]) for row in rows)]
    except (sqlite3.Error, ValueError, TypeError):
        return None


def _misnamed(conn: Connection) -> list[str]:
    rows = conn.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
    return [str(row[1]) for row in rows if not _agrees(*map(str, row))]


def _agrees(kind: str, name: str, of: str, sql: str) -> bool:
    """Whether a row of the schema says in its columns what its statement says."""
    if made := MADE_BY_SQLITE.fullmatch(name):
        return (kind, made[1]) == ("index", of)
    said = NAMED.match(sql)
    on = name == of if kind in ("table", "view") else re.search(rf'\sON ["\[`]?{re.escape(of)}\b', sql) is not None
    return said is not None and (said[1].lower(), said[2]) == (kind, name) and on


def stand_before(conn: Connection, table: str) -> None:
    """Let this connection see, in the place of a table, a temporary one with the same rows: no change to it is kept."""
    (made,) = conn.execute("SELECT sql FROM main.sqlite_master WHERE type = 'table' AND name = ?", (table,)).fetchone()
    conn.execute(made.replace("CREATE TABLE", "CREATE TEMP TABLE", 1))
    conn.execute(f"INSERT INTO temp.{table} SELECT * FROM main.{table}")
