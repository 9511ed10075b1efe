"""From any other connection, with triggers and foreign keys as weak as they can be set: what is recorded stays.

Each column, each way to write, on each of the three guarded tables; the control drops the guards and the same succeed.
"""

from contextlib import suppress

import pytest

from consult.record import ledger
from consult.record.database import GUARDS, sqlite3
from consult.record.opening import open_database

TABLES = {
    "step": (
        "seq",
        "consultation",
        "kind",
        "question",
        "content_digest",
        "actor",
        "role",
        "at",
        "key",
        "previous",
        "hash",
    ),
    "step_content": ("seq", "salt", "content"),
    "definition": ("digest", "kind", "id", "version", "texts", "first_used"),
}
NUMBERED = ("step", "step_content")
UNIQUE = {"step": ("seq", "key", "hash"), "step_content": ("seq",), "definition": ("digest",)}


def all_but(table, changed, value):
    """The columns of a row as it stands, with one of them changed."""
    return ", ".join(value if column == changed else f'"{column}"' for column in TABLES[table])


def one_row(table):
    return f"(SELECT rowid FROM {table} ORDER BY rowid LIMIT 1 OFFSET 1)"


def other_value(table, column):
    return "seq + 1000" if column == "seq" and table in NUMBERED else f"\"{column}\" || 'x'"


def updates(table, column):
    """Every way to change one column of one row, or of all."""
    value, row = other_value(table, column), one_row(table)
    yield "update", f'UPDATE {table} SET "{column}" = {value} WHERE rowid = {row}'
    yield "update of all", f'UPDATE {table} SET "{column}" = {value}'
    for how in ("REPLACE", "IGNORE", "ROLLBACK", "FAIL", "ABORT"):
        yield f"update or {how}", f'UPDATE OR {how} {table} SET "{column}" = {value} WHERE rowid = {row}'
    yield "update from", f'UPDATE {table} SET "{column}" = {value} FROM (SELECT 1) WHERE {table}.rowid = {row}'
    if column not in UNIQUE[table]:
        for how in ("REPLACE", "INSERT OR REPLACE", "INSERT OR IGNORE", "INSERT OR FAIL", "INSERT"):
            selected = f"SELECT {all_but(table, column, value)} FROM {table} WHERE rowid = {row}"
            yield how.lower(), f"{how} INTO {table} ({columns(table)}) {selected}"
        for on in UNIQUE[table]:
            yield (
                f"upsert on {on}",
                (
                    f"INSERT INTO {table} ({columns(table)}) SELECT {all_but(table, column, value)} FROM {table} "
                    f'WHERE rowid = {row} ON CONFLICT ("{on}") DO UPDATE SET "{column}" = excluded."{column}"'
                ),
            )


def columns(table):
    return ", ".join(f'"{column}"' for column in TABLES[table])


def takings(table):
    """Every way to take rows away, to move them, or to put another in their place by a unique column alone."""
    yield "delete", f"DELETE FROM {table} WHERE rowid = {one_row(table)}"
    yield "delete all", f"DELETE FROM {table}"
    yield "delete the last", f"DELETE FROM {table} WHERE rowid = (SELECT max(rowid) FROM {table})"
    for name in ("rowid", "_rowid_", "oid"):
        yield f"another {name}", f"UPDATE {table} SET {name} = {name} + 1000 WHERE rowid = {one_row(table)}"
        yield f"{name} over another", f"UPDATE OR REPLACE {table} SET {name} = 1 WHERE rowid = {one_row(table)}"
    if table == "step":
        values = {"seq": "(SELECT max(seq) + 1 FROM step)", "key": "'a new key'", "hash": "'a new hash'"}
        for kept in ("key", "hash"):
            given = ", ".join(values.get(c, f'"{c}"') if c != kept else f'"{c}"' for c in TABLES[table])
            for how in ("REPLACE", "INSERT OR REPLACE"):
                yield (
                    f"{how.lower()} by its {kept}",
                    f"{how} INTO step ({columns(table)}) SELECT {given} FROM step WHERE seq = 2",
                )
    if table == "definition":
        given = all_but(table, "texts", "'x'")
        yield (
            "replace by rowid",
            (
                f"REPLACE INTO definition (rowid, {columns(table)}) "
                f"SELECT rowid, {given.replace(chr(34) + 'digest' + chr(34), chr(39) + 'new' + chr(39))} "
                "FROM definition LIMIT 1"
            ),
        )


WAYS = [
    (table, f"{table}.{column}: {way}", statement)
    for table in TABLES
    for column in TABLES[table]
    for way, statement in updates(table, column)
] + [(table, f"{table}: {way}", statement) for table in TABLES for way, statement in takings(table)]


def filled(folder):
    db = open_database(folder / "consult.db")
    with db.write() as conn:
        for n in range(4):
            content = {"name": f"s{n}", "value": n}
            ledger.append(conn, ledger.Draft("setting_changed", content, "cli:t", "2026-11-22T10:00:00Z"))
        for n in range(3):
            conn.execute(
                "INSERT INTO definition (digest, kind, id, version, texts, first_used) "
                "VALUES (?, 'k', 'i', 'v', ?, 'f')",
                (f"digest {n}", f"texts {n}"),
            )
    db.close()
    return folder / "consult.db"


def outside(file):
    """Another connection, as weak as it can be."""
    conn = sqlite3.connect(str(file), isolation_level=None)
    conn.execute("PRAGMA recursive_triggers = OFF")
    conn.execute("PRAGMA foreign_keys = OFF")
    return conn


def rows(conn):
    return {table: conn.execute(f"SELECT rowid, * FROM {table} ORDER BY rowid").fetchall() for table in TABLES}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    conn = outside(filled(tmp_path_factory.mktemp("guarded")))
    yield conn
    conn.close()


@pytest.fixture(scope="module")
def unguarded(tmp_path_factory):
    conn = outside(filled(tmp_path_factory.mktemp("unguarded")))
    for guard in GUARDS:
        conn.execute(f"DROP TRIGGER {guard}")
    yield conn
    conn.close()


def tried(conn, statement):
    """Run a statement on its own, as something outside would, and see what it left; then all is as before."""
    before = rows(conn)
    conn.execute("BEGIN")
    with suppress(sqlite3.IntegrityError):  # what a guard or a unique column says; a slip of this file is another error
        conn.execute(statement)
    after = rows(conn)
    if conn.in_transaction:
        conn.execute("ROLLBACK")
    return before, after


def has_changed(before, after):
    return any(before[table] != after[table] for table in TABLES)


@pytest.mark.parametrize(("table", "way", "statement"), WAYS, ids=[way for _, way, _ in WAYS])
def test_nothing_recorded_changes_from_another_connection(guarded, table, way, statement):
    before, after = tried(guarded, statement)
    assert after == before


def test_control_without_guards_most_of_these_change_it(unguarded):
    changed = {way for _, way, statement in WAYS if has_changed(*tried(unguarded, statement))}
    for table in TABLES:
        for column in TABLES[table]:
            assert f"{table}.{column}: update" in changed
        assert f"{table}: delete" in changed
        assert f"{table}: another rowid" in changed
    assert {"step: replace by its key", "step: replace by its hash", "definition: replace by rowid"} <= changed
    assert len(changed) > len(WAYS) / 2


def test_every_table_of_the_record_is_strict(guarded):
    loose = [row[1] for row in guarded.execute("PRAGMA table_list") if row[2] == "table" and not row[5]]
    assert [name for name in loose if not name.startswith(("sqlite_", "_sqlite_"))] == []
