"""The ledger: append-only by guards in the database, gapless, idempotent by key, and every change is found."""

import pytest

from consult.record import ledger
from consult.record.database import (
    GUARDS,
    DatabaseRefused,
    sqlite3,
    wal_fault,
)
from consult.record.ledger import Draft, KeyReused, UnknownStep
from consult.record.opening import open_database


@pytest.fixture
def db(tmp_path):
    db = open_database(tmp_path / "consult.sqlite3")
    yield db
    db.close()


def draft(n=1, key=None, **more):
    return Draft(
        "setting_changed", {"name": f"s{n}", "value": n}, "cli:t", "2026-11-22T10:00:00Z", key=key or f"k{n}", **more
    )


def fill(db, n=5):
    with db.write() as conn:
        return [ledger.append(conn, draft(i)) for i in range(1, n + 1)]


def test_steps_are_numbered_from_one_without_gaps(db):
    assert ledger.head(db.read()) == (0, ledger.START)
    assert fill(db) == [1, 2, 3, 4, 5]
    assert ledger.verify(db.read()) is None
    assert [s.content["value"] for s in ledger.steps(db.read())] == [1, 2, 3, 4, 5]


def test_a_failed_transaction_leaves_no_gap(db):
    fill(db, 2)

    def write_one_good_and_one_bad():
        with db.write() as conn:
            ledger.append(conn, draft(3))
            ledger.append(conn, Draft("unheard_of", {}, "cli:t", "2026-11-22T10:00:00Z"))

    with pytest.raises(UnknownStep):
        write_one_good_and_one_bad()
    fill(db, 3)
    assert [s.seq for s in ledger.steps(db.read())] == [1, 2, 3]


def test_the_same_key_and_content_is_one_step(db):
    with db.write() as conn:
        assert ledger.append(conn, draft(1)) == ledger.append(conn, draft(1)) == 1


@pytest.mark.parametrize("other", [
    draft(2, key="k1"),
    draft(1, consultation="c"),
    draft(1, question="q"),
    Draft("content_redacted", {"why": ""}, "cli:t", "2026-11-22T10:00:00Z", key="k1"),
])  # fmt: skip
def test_another_content_under_a_key_is_refused(db, other):
    fill(db, 1)
    with pytest.raises(KeyReused), db.write() as conn:
        ledger.append(conn, other)
    assert ledger.head(db.read())[0] == 1


@pytest.mark.parametrize("content", [{}, {"name": "a"}, {"name": "a", "value": 1, "more": 2}])
def test_a_step_has_exactly_the_keys_of_its_kind(db, content):
    with pytest.raises(UnknownStep), db.write() as conn:
        ledger.append(conn, Draft("setting_changed", content, "cli:t", "2026-11-22T10:00:00Z"))


FORBIDDEN = {
    "update": "UPDATE step SET actor = 'x' WHERE seq = 2",
    "delete": "DELETE FROM step WHERE seq = 2",
    "delete the last": "DELETE FROM step WHERE seq = 5",
    "replace by number": "INSERT OR REPLACE INTO step SELECT seq, consultation, kind, question, content_digest, 'x', "
    "role, at, key, previous, hash FROM step WHERE seq = 2",
    "replace by key": "INSERT OR REPLACE INTO step SELECT 6, consultation, kind, question, content_digest, 'x', "
    "role, at, key, previous, 'h' FROM step WHERE seq = 2",
    "skip a number": "INSERT INTO step SELECT 9, consultation, kind, question, content_digest, actor, role, at, "
    "'new', previous, 'h' FROM step WHERE seq = 2",
    "upsert": "INSERT INTO step SELECT * FROM step WHERE seq = 2 ON CONFLICT (seq) DO UPDATE SET actor = 'x'",
    "update content": "UPDATE step_content SET content = '{}' WHERE seq = 2",
    "replace content": "INSERT OR REPLACE INTO step_content VALUES (2, 's', '{}')",
    "delete content": "DELETE FROM step_content WHERE seq = 2",
}


@pytest.mark.parametrize("way", FORBIDDEN)
def test_the_database_itself_refuses_to_change_a_step(db, way):
    fill(db)
    before = [tuple(row) for row in db.read().execute("SELECT * FROM step JOIN step_content USING (seq)")]
    with pytest.raises(sqlite3.DatabaseError), db.write() as conn:
        conn.execute(FORBIDDEN[way])
    assert [tuple(row) for row in db.read().execute("SELECT * FROM step JOIN step_content USING (seq)")] == before


def test_content_goes_only_after_a_step_that_says_so(db):
    fill(db)
    with db.write() as conn:
        ledger.append(
            conn,
            Draft("content_redacted", {"why": "asked to"}, "cli:t", "2026-11-22T10:00:00Z", question="step:2"),
        )
        conn.execute("DELETE FROM step_content WHERE seq = 2")
    assert [s.content is None for s in ledger.steps(db.read())] == [False, True, False, False, False, False]
    assert ledger.verify(db.read()) is None


TAMPERED = {
    "actor": ("UPDATE step SET actor = 'x' WHERE seq = 3", "Step 3"),
    "time": ("UPDATE step SET at = '2020-01-01T00:00:00Z' WHERE seq = 1", "Step 1"),
    "content": ("UPDATE step_content SET content = '{}' WHERE seq = 4", "step 4"),
    "salt": ("UPDATE step_content SET salt = '' WHERE seq = 4", "step 4"),
    "content gone": ("DELETE FROM step_content WHERE seq = 2", "step 2"),
    "step gone": ("DELETE FROM step WHERE seq = 3", "Step 3"),
    "first gone": ("DELETE FROM step WHERE seq = 1", "Step 1"),
    "hash": ("UPDATE step SET hash = 'x' WHERE seq = 5", "Step 5"),
    "swapped": ("UPDATE step SET seq = CASE seq WHEN 2 THEN 30 ELSE seq END WHERE seq = 2", "Step 2"),
}


@pytest.mark.parametrize("edit", TAMPERED)
def test_an_edit_past_the_guards_is_found(db, edit):
    statement, named = TAMPERED[edit]
    fill(db)
    with db.write() as conn:
        for guard in GUARDS:
            conn.execute(f"DROP TRIGGER {guard}")
    db.read().execute("PRAGMA foreign_keys = OFF")
    db._writer.execute("PRAGMA foreign_keys = OFF")
    with db.write() as conn:
        conn.execute(statement)
    assert named in ledger.verify(db.read())


@pytest.mark.parametrize(("version", "fault"), [
    ("3.6.23", False), ("3.7.0", True), ("3.7.17", True), ("3.44.5", True), ("3.44.6", False), ("3.44.7", False),
    ("3.45.0", True), ("3.50.6", True), ("3.50.7", False), ("3.50.8", False), ("3.51.0", True), ("3.51.2", True),
    ("3.51.3", False), ("3.53.0", False), ("4.0.0", False),
])  # fmt: skip
def test_which_sqlite_has_the_wal_fault(version, fault):
    assert wal_fault(version) == fault


def test_a_file_that_is_not_ours_is_refused(tmp_path):
    empty, foreign, text, link = (tmp_path / name for name in ("empty", "foreign", "text", "link"))
    empty.touch()
    other = sqlite3.connect(str(foreign))
    other.execute("CREATE TABLE t (x)")
    other.close()
    text.write_text("not a database " * 100)
    link.symlink_to(foreign)
    for file, word in ((empty, "empty"), (foreign, "another program"), (text, "cannot be opened"), (link, "link")):
        with pytest.raises(DatabaseRefused, match=word):
            open_database(file)
    with pytest.raises(DatabaseRefused, match="no database"):
        open_database(tmp_path / "none", create=False)


def test_a_damaged_schema_that_is_no_text_is_refused_in_a_sentence(tmp_path):
    file = tmp_path / "consult.db"
    open_database(file).close()
    content = file.read_bytes()
    at = content.index(b"CREATE TABLE employee")
    file.write_bytes(content[:at] + b"CREAT\xa0 TABLE employee" + content[at + 21 :])
    with pytest.raises(DatabaseRefused, match=r"cannot be opened as a database .*; restore a backup\.$"):
        open_database(file)
