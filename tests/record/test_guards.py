"""The guards of the step log are compared word for word: one that only bears the name is found wherever it counts."""

import pytest

from consult.record.database import GUARDS, DatabaseRefused, missing_guards, open_database, sqlite3


@pytest.fixture
def file(tmp_path):
    open_database(tmp_path / "consult.db").close()
    return tmp_path / "consult.db"


def replace(file, guard, statement):
    """Put another trigger in the place of a guard, past the program."""
    conn = sqlite3.connect(str(file))
    conn.execute(f"DROP TRIGGER {guard}")
    conn.execute(statement)
    conn.commit()
    conn.close()


def no_op(guard):
    table = "step_content" if guard.startswith("content") else "step"
    return f"CREATE TRIGGER {guard} AFTER INSERT ON {table} WHEN 0 BEGIN SELECT 1; END"


def test_a_database_just_made_has_every_guard_word_for_word(file):
    db = open_database(file)
    assert missing_guards(db.read()) == []
    db.close()


@pytest.mark.parametrize("guard", GUARDS)
def test_a_guard_that_does_nothing_is_refused_when_the_database_is_opened(file, guard):
    replace(file, guard, no_op(guard))
    conn = sqlite3.connect(str(file))
    assert missing_guards(conn) == [guard]
    conn.close()
    with pytest.raises(DatabaseRefused, match=f"{guard} of the step log were replaced"):
        open_database(file)


def test_a_guard_weakened_by_one_word_is_found(file):
    weaker = GUARDS["step_no_update"].replace("ON step BEGIN", "ON step WHEN OLD.seq < 0 BEGIN")
    replace(file, "step_no_update", f"CREATE TRIGGER step_no_update {weaker}")
    with pytest.raises(DatabaseRefused, match="step_no_update"):
        open_database(file)


def test_the_guards_of_an_older_schema_are_made_anew(file):
    replace(file, "step_no_update", no_op("step_no_update"))
    conn = sqlite3.connect(str(file))
    conn.execute("PRAGMA user_version = 0")
    conn.close()
    db = open_database(file)
    assert missing_guards(db.read()) == []
    db.close()
