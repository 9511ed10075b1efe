"""All six kinds of tampering are found: edit, delete, reorder, cut short, written anew, an old copy put back.

Whoever tampers here holds the file, takes the guards away and puts them back. The controls are a step log whose rows
are not chained, one without guards, and a log that nobody witnessed: there the same tampering is not found.
"""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from luck import seeded

from consult.cli import main
from consult.instance import database_file, open_instance
from consult.record import ledger
from consult.record.database import sqlite3
from consult.record.settings import change_setting

pytestmark = pytest.mark.fault

EDITS, EDITS_OF_A_SOAK = 60, 1000
CHAINED = ("consultation", "kind", "question", "content_digest", "actor", "role", "at", "key", "previous", "hash")
CONTENT = ("salt", "content")
STEP = f"seq, {', '.join(CHAINED)}"
Change = Callable[[Any], None]


@contextmanager
def past_the_guards(folder: Path, put_back: bool = True) -> Iterator[Any]:
    """The database as somebody with the file in hand can change it."""
    with closing(sqlite3.connect(str(database_file(folder)), isolation_level=None)) as conn:
        guards = conn.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in guards:
            conn.execute(f"DROP TRIGGER {name}")
        conn.execute("BEGIN")
        yield conn
        conn.execute("COMMIT")
        for _, sql in guards if put_back else ():
            conn.execute(sql)


def verified(folder: Path, *options: object) -> tuple[bool, str]:
    """Whether `consult verify` finds nothing, and what it said."""
    result = CliRunner().invoke(main, ["--instance", str(folder), "verify", *map(str, options)])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code == 0, result.output


def last_of(conn: Any) -> int:
    return int(conn.execute("SELECT max(seq) FROM step").fetchone()[0])


def edit(conn: Any) -> None:
    """What a step in the middle says becomes something else."""
    conn.execute(
        "UPDATE step_content SET content = replace(content, 'present', 'absent') WHERE content LIKE '%present%'"
    )


def delete(conn: Any) -> None:
    """A step goes, and those after it close the gap."""
    gone = last_of(conn) // 2
    for table in ("step_content", "step"):
        conn.execute(f"DELETE FROM {table} WHERE seq = ?", (gone,))
    for seq in range(gone + 1, last_of(conn) + 1):
        for table in ("step", "step_content"):
            conn.execute(f"UPDATE {table} SET seq = ? WHERE seq = ?", (seq - 1, seq))


def reorder(conn: Any) -> None:
    """Two steps change places."""
    one = last_of(conn) // 2
    for table in ("step", "step_content"):
        for old, new in ((one, -1), (one + 1, one), (-1, one + 1)):
            conn.execute(f"UPDATE {table} SET seq = ? WHERE seq = ?", (new, old))


def cut_short(conn: Any) -> None:
    """The last steps go, and so does what was made from them."""
    keep = last_of(conn) - 3
    for table in ("step_content", "step"):
        conn.execute(f"DELETE FROM {table} WHERE seq > ?", (keep,))
    conn.execute("DELETE FROM setting WHERE name LIKE 'note%'")
    for name, value in conn.execute(
        "SELECT json_extract(content, '$.name'), json_extract(content, '$.value') FROM step JOIN step_content "
        "USING (seq) WHERE kind = 'setting_changed' AND content LIKE '%note%'"
    ).fetchall():
        conn.execute("INSERT INTO setting (name, value) VALUES (?, ?)", (name, ledger.canonical(value)))


def written_anew(conn: Any) -> None:
    """A word in one step is changed, and every hash from there on is made anew."""
    found = conn.execute('SELECT min(seq) FROM step_content WHERE content LIKE \'%"via":"single"%\'').fetchone()[0]
    conn.execute("UPDATE step SET actor = 'p-other' WHERE seq = ?", (found,))
    previous = ledger.START
    rows = conn.execute(f"SELECT {STEP} FROM step ORDER BY seq").fetchall()
    conn.execute("UPDATE step SET hash = 'x' || seq")  # out of the way of the new ones
    for seq, *plain in rows:
        made = ledger.chain_hash(previous, seq, *plain[:8])
        conn.execute("UPDATE step SET previous = ?, hash = ? WHERE seq = ?", (previous, made, seq))
        previous = made


def grow(folder: Path, count: int) -> None:
    """The service goes on for a few steps."""
    with closing(open_instance(folder)) as instance, instance.db.write() as conn:
        for n in range(count):
            change_setting(conn, f"note {last_of(conn)}", n, "cli:test", instance.store.at())


@pytest.fixture
def folder(demo_made: Path, tmp_path: Path) -> Path:
    return shutil.copytree(demo_made, tmp_path / "instance")


@pytest.fixture
def witness(folder: Path, tmp_path: Path) -> Path:
    """A witness in a second place, which saw the log as it is now."""
    file = tmp_path / "elsewhere" / "witness"
    file.parent.mkdir()
    grow(folder, 5)
    result = CliRunner().invoke(main, ["--instance", str(folder), "witness", "--to", str(file)])
    assert result.exit_code == 0, result.output
    return file


@pytest.mark.parametrize("change", [edit, delete, reorder])
def test_what_is_changed_in_the_middle_is_found_by_the_chain(folder: Path, change: Change) -> None:
    assert verified(folder)[0]
    with past_the_guards(folder) as conn:
        change(conn)
    whole, said = verified(folder)
    assert not whole
    assert "step" in said.lower()


@pytest.mark.parametrize("change", [cut_short, written_anew])
def test_what_the_chain_alone_cannot_show_is_found_by_the_witness(folder: Path, witness: Path, change: Change) -> None:
    assert verified(folder, "--witness", witness)[0]
    with past_the_guards(folder) as conn:
        change(conn)
    whole, said = verified(folder, "--witness", witness)
    assert not whole
    assert f"the witness {witness} saw step" in said
    assert verified(folder)[0], "the control: without a witness it is not found"


def test_an_old_copy_put_back_is_found_by_the_witness(folder: Path, witness: Path, tmp_path: Path) -> None:
    old = shutil.copytree(folder, tmp_path / "old")
    grow(folder, 3)
    assert CliRunner().invoke(main, ["--instance", str(folder), "witness", "--to", str(witness)]).exit_code == 0
    shutil.copyfile(database_file(old), database_file(folder))
    whole, said = verified(folder, "--witness", witness)
    assert not whole
    assert "an older copy stands in its place" in said
    assert verified(folder)[0], "the control: without a witness it is not found"
    grow(folder, 5)  # even when it has gone on since
    assert not verified(folder, "--witness", witness)[0]


def edits_found(folder: Path, count: int, draw: random.Random) -> int:
    """Change one character of one chained column of one step, so many times; returns how often that was found."""
    found = 0
    with past_the_guards(folder, put_back=False) as conn:
        conn.row_factory = sqlite3.Row
        assert ledger.verify(conn) is None
        last = last_of(conn)
        for _ in range(count):
            column = draw.choice((*CHAINED, *CONTENT))
            table, seq = ("step" if column in CHAINED else "step_content"), draw.randint(1, last)
            conn.execute("SAVEPOINT once")
            text = conn.execute(f"SELECT {column} FROM {table} WHERE seq = ?", (seq,)).fetchone()[0]
            with suppress(sqlite3.IntegrityError):
                conn.execute(f"UPDATE {table} SET {column} = ? WHERE seq = ?", (changed(text, draw), seq))
                sentence = ledger.verify(conn)
                found += (sentence is not None and f"{seq}" in sentence) or f"{seq + 1}" in (sentence or "")
            conn.execute("ROLLBACK TO once")
    return found


def changed(text: str, draw: random.Random) -> str:
    """A text that differs in one character, or has one more."""
    at, new = draw.randint(0, len(text)), draw.choice("abcdef0123456789 ")
    made = text[:at] + new + text[at + 1 :]
    return made if made != text else text[:at] + ("x" if new != "x" else "y") + text[at + 1 :]


def test_edits_of_chained_columns_are_all_found(folder: Path) -> None:
    assert edits_found(folder, EDITS, seeded("edits of chained columns")) == EDITS


@pytest.mark.soak
def test_a_thousand_edits_of_chained_columns_are_all_found(folder: Path) -> None:
    begun, luck = time.monotonic(), seeded("edits of chained columns")
    found = edits_found(folder, EDITS_OF_A_SOAK, luck)
    print(f"{found} of {EDITS_OF_A_SOAK} edits found; {time.monotonic() - begun:.0f} s")
    assert found == EDITS_OF_A_SOAK


def test_control_edits_are_not_found_where_rows_are_not_chained(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "_fault", lambda row, expected, *_: None if row[0] == expected else "A gap.")
    assert edits_found(folder, EDITS, seeded("edits of rows that are not chained")) == 0


def test_control_without_guards_the_program_itself_could_change_a_step(folder: Path) -> None:
    statement = "UPDATE step SET actor = 'p-other' WHERE seq = 5"
    with closing(sqlite3.connect(str(database_file(folder)))) as conn, pytest.raises(sqlite3.IntegrityError):
        conn.execute(statement)
    with past_the_guards(folder, put_back=False) as conn:
        assert conn.execute(statement).rowcount == 1
    whole, said = verified(folder)
    assert not whole
    assert "guards" in said
