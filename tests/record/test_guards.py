"""The guards of the step log are compared word for word: one that only bears the name is found wherever it counts."""

import re
from pathlib import Path

import pytest

from consult.record import ledger
from consult.record.database import GUARDS, DatabaseRefused, missing_guards, sqlite3
from consult.record.opening import open_database, put_guards_back

PACKAGE = Path(__file__).parents[2] / "consult"


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
    table = {"content": "step_content", "definition": "definition"}.get(guard.split("_")[0], "step")
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


def drop(file, *guards):
    conn = sqlite3.connect(str(file))
    for guard in guards:
        conn.execute(f"DROP TRIGGER {guard}")
    conn.commit()
    conn.close()


@pytest.mark.parametrize("guard", GUARDS)
def test_a_missing_guard_is_refused_at_the_start_and_put_back_with_a_step_once_the_log_was_proved(file, guard):
    drop(file, guard)
    with pytest.raises(DatabaseRefused, match=f"{guard} of the step log are missing.*consult guard"):
        open_database(file)
    assert put_guards_back(file, "cli:t") == [guard]
    assert put_guards_back(file, "cli:t") == []
    db = open_database(file)
    assert missing_guards(db.read()) == []
    steps = list(ledger.steps(db.read(), kind="guards_put_back"))
    assert [(s.actor, s.content) for s in steps] == [("cli:t", {"guards": [guard]})]
    db.close()


def test_guards_are_not_put_back_over_a_log_that_does_not_hold(file):
    db = open_database(file)
    with db.write() as conn:
        for n in range(3):
            ledger.append(conn, ledger.Draft("setting_changed", {"name": "s", "value": n}, "cli:t", "2026"))
    db.close()
    drop(file, "content_no_update")
    conn = sqlite3.connect(str(file))
    conn.execute("UPDATE step_content SET content = '{}' WHERE seq = 2")
    conn.commit()
    with pytest.raises(DatabaseRefused, match="What step 2 says was changed"):
        put_guards_back(file, "cli:t")
    assert missing_guards(conn) == ["content_no_update"]
    conn.close()


def steps_with_a_redaction_of(file, redacted, n=4):
    """A record of `n` settings and one step, the third, that says another is redacted, whose content then goes."""
    db = open_database(file)
    with db.write() as conn:
        for number in range(n):
            content = {"name": f"s{number}", "value": number}
            if number == 2:
                ledger.append(conn, redaction(redacted))
            ledger.append(conn, ledger.Draft("setting_changed", content, "cli:t", "2026-11-22T10:00:00Z"))
        conn.execute("DELETE FROM step_content WHERE seq = ?", (redacted,))
    return db


def redaction(seq):
    return ledger.Draft("content_redacted", {"why": "x"}, "cli:t", "2026-11-22T10:00:00Z", question=f"step:{seq}")


def test_content_redacted_by_a_later_step_may_be_gone(file):
    db = steps_with_a_redaction_of(file, 1)
    assert ledger.verify(db.read()) is None
    db.close()


@pytest.mark.parametrize("seq", [3, 4])
def test_a_redaction_announced_before_the_step_was_written_redacts_nothing(file, seq):
    with pytest.raises(sqlite3.IntegrityError, match="only after a later step"):
        steps_with_a_redaction_of(file, seq)


def test_content_gone_without_a_later_step_is_found_even_where_the_guard_was_taken_away(file):
    db = open_database(file)
    with db.write() as conn:
        ledger.append(conn, redaction(2))
        ledger.append(conn, ledger.Draft("setting_changed", {"name": "s", "value": 1}, "cli:t", "2026"))
        conn.execute("DROP TRIGGER content_goes_only_by_redaction")
        conn.execute("DELETE FROM step_content WHERE seq = 2")
    assert ledger.verify(db.read()) == "What step 2 says is missing, and no later step says that it was redacted."
    with db.write() as conn:
        ledger.append(conn, redaction(2))
    assert ledger.verify(db.read()) is None
    db.close()


def test_verifying_a_long_log_tells_how_far_it_is(file):
    db, told = open_database(file), []
    with db.write() as conn:
        for number in range(2 * ledger.STRIDE + 1):
            content = {"name": "s", "value": number}
            ledger.append(conn, ledger.Draft("setting_changed", content, "cli:t", "2026-11-22T10:00:00Z"))
    assert ledger.verify(db.read(), told.append) is None
    assert told == [ledger.STRIDE, ledger.STRIDE, 1]
    db.close()


MODULES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_every_insert_names_its_columns(path):
    """A column added by a migration must not shift values into the wrong place."""
    assert re.findall(r"INSERT (?:OR \w+ )?INTO \w+ VALUES", path.read_text("utf-8")) == []
