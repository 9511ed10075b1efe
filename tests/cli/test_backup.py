"""Backups are proved, restored only where nothing is lost by it, and never over a running server."""

import os
import re
import shutil
import sqlite3
import stat
import subprocess
import sys

import pytest

from consult.backup import backup
from consult.instance import open_instance
from consult.lock import server_lock
from consult.proving import read_only
from consult.record import ledger
from consult.record.identity import find
from consult.record.settings import change_setting
from consult.record.store import Who

EXTRA = "Extra Person"
LIMITED = (
    "import resource, sys; from consult.cli import main; size = int(sys.argv[1]);"
    "resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)); main(['--instance', *sys.argv[2:]])"
)


def register(folder):
    instance = open_instance(folder)
    from datetime import date

    instance.store.register(EXTRA, date(1980, 1, 1), "", Who("p-1", "nurse"))
    instance.close()


def is_there(folder):
    instance = open_instance(folder)
    try:
        return bool(find(instance.db.read(), EXTRA))
    finally:
        instance.close()


def n_steps(file):
    with read_only(file) as conn:
        return ledger.head(conn)[0]


def restored(folder):
    """The hash of the last step but one, and what the last step says of the backup that was restored."""
    with read_only(folder / "consult.db") as conn:
        *_, before, last = ledger.steps(conn)
    assert last.kind == "database_restored"
    return before.hash, last.content


def head(consult, folder):
    return re.search(r"Head of the step log: (\w{64})", consult(folder, "verify").stdout)[1]


def test_a_round_trip_brings_the_record_back_and_keeps_what_was_there(consult, demo_copy, tmp_path):
    before = head(consult, demo_copy)
    assert before in consult(demo_copy, "backup", tmp_path / "b.db").stdout
    register(demo_copy)
    kept = re.search(r"kept as (.+)\.$", consult(demo_copy, "restore", tmp_path / "b.db").stdout, re.M)[1]
    assert restored(demo_copy) == (before, {"last_step": n_steps(tmp_path / "b.db"), "head": before})
    assert not is_there(demo_copy)
    consult(demo_copy, "restore", kept)
    assert is_there(demo_copy)


def test_a_backup_holds_what_stands_in_the_wal_while_the_record_is_open(consult, demo_copy, tmp_path):
    held = open_instance(demo_copy)
    register(demo_copy)
    consult(demo_copy, "backup", tmp_path / "b.db")
    held.close()
    consult(tmp_path / "new", "restore", tmp_path / "b.db")
    assert is_there(tmp_path / "new")


def test_by_default_it_stands_in_the_instance_and_only_its_owner_can_read_it(consult, real):
    consult(real, "backup")
    (file,) = (real / "backups").iterdir()
    assert re.fullmatch(r"consult-\d{8}T\d{6}Z\.db", file.name)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_a_folder_may_be_named_and_nothing_is_written_over(consult, real, tmp_path):
    consult(real, "backup", tmp_path)
    assert list(tmp_path.glob("consult-*.db"))
    (tmp_path / "mine").write_text("mine")
    assert "not written over" in consult(real, "backup", tmp_path / "mine", code=1).stderr
    assert (tmp_path / "mine").read_text() == "mine"
    assert not list(tmp_path.glob("*.part"))


def test_a_place_that_cannot_be_written_is_named(consult, real, tmp_path):
    (tmp_path / "file").write_text("no folder")
    assert "cannot be written" in consult(real, "backup", tmp_path / "file" / "b.db", code=1).stderr


def tamper_step(file):
    conn = sqlite3.connect(file)
    conn.execute("DROP TRIGGER content_no_update")
    conn.execute("UPDATE step_content SET content = replace(content, 'ACME', 'EVIL')")
    guard = "BEFORE UPDATE ON step_content BEGIN SELECT RAISE(ABORT, 'a step is never changed'); END"
    conn.execute(f"CREATE TRIGGER content_no_update {guard}")
    conn.commit()
    conn.close()


def drop_guard(file):
    conn = sqlite3.connect(file)
    conn.execute("DROP TRIGGER step_no_update")
    conn.commit()
    conn.close()


def newer(file):
    conn = sqlite3.connect(file)
    conn.execute("PRAGMA user_version = 999")
    conn.close()


def foreign(file):
    file.unlink()
    conn = sqlite3.connect(file)
    conn.execute("CREATE TABLE t (a)")
    conn.close()


def cut(file):
    file.write_bytes(file.read_bytes()[:20_000])


def noise(file):
    content = bytearray(file.read_bytes())
    content[8192:12288] = b"\xaa" * 4096
    file.write_bytes(content)


FAULTS = {
    "a changed step": (tamper_step, "was changed"),
    "a missing guard": (drop_guard, "step_no_update"),
    "a newer schema": (newer, "newer version of this program (schema 999). Install that version, or use another"),
    "another program's file": (foreign, "not written by this program"),
    "a cut file": (cut, "backup"),
    "an overwritten page": (noise, "backup"),
    "no database": (lambda file: file.write_text("hello " * 1000), "backup"),
    "an empty file": (lambda file: file.write_bytes(b""), "not written by this program"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_backup_that_is_not_whole_is_refused_and_nothing_is_touched(consult, real, tmp_path, fault):
    consult(real, "backup", tmp_path / "b.db")
    spoil, says = FAULTS[fault]
    spoil(tmp_path / "b.db")
    before = head(consult, real)
    assert says in consult(real, "restore", tmp_path / "b.db", code=1).stderr
    assert head(consult, real) == before
    assert not list(real.glob("*before-restore*"))


def test_nothing_is_restored_while_a_server_holds_the_instance(consult, real, tmp_path):
    consult(real, "backup", tmp_path / "b.db")
    with server_lock(real):
        assert "A server is running" in consult(real, "restore", tmp_path / "b.db", code=1).stderr
        consult(real, "backup", tmp_path / "c.db")
    consult(real, "restore", tmp_path / "b.db")


def test_demonstration_and_real_data_are_never_restored_over_each_other(consult, real, demo_copy, tmp_path):
    consult(real, "backup", tmp_path / "real.db")
    consult(demo_copy, "backup", tmp_path / "demo.db")
    assert "never mixed" in consult(real, "restore", tmp_path / "demo.db", code=1).stderr
    assert "never mixed" in consult(demo_copy, "restore", tmp_path / "real.db", code=1).stderr
    consult(tmp_path / "new", "restore", tmp_path / "real.db")


def test_the_record_of_another_provider_is_not_restored_over_this_one(consult, real, tmp_path, password_file):
    words = ("--provider", "ELSE", "--site", "A", "--admin", "Anna Berg", "--password-file", password_file)
    consult(tmp_path / "else", "init", *words)
    consult(tmp_path / "else", "backup", tmp_path / "else.db")
    assert "of provider ELSE" in consult(real, "restore", tmp_path / "else.db", code=1).stderr


def test_a_record_that_cannot_be_read_any_more_is_replaced_and_kept(consult, real, tmp_path):
    consult(real, "backup", tmp_path / "b.db")
    for side in ("-wal", "-shm"):
        (real / f"consult.db{side}").unlink(missing_ok=True)
    (real / "consult.db").write_bytes(b"broken" * 5000)
    consult(real, "restore", tmp_path / "b.db")
    consult(real, "verify")
    (kept,) = real.glob("consult.db.before-restore-*Z")
    assert kept.read_bytes().startswith(b"broken")


def test_what_stood_there_is_put_back_if_the_restored_record_does_not_open(consult, real, tmp_path):
    consult(real, "backup", tmp_path / "b.db")
    before = head(consult, real)
    (real / "secret-key").write_text("not a key")
    consult(real, "restore", tmp_path / "b.db", code=1)
    (real / "secret-key").unlink()
    assert head(consult, real) == before
    assert not list(real.glob("*before-restore*"))


def test_a_copy_of_the_files_of_a_closed_instance_opens_elsewhere(consult, demo_copy, tmp_path):
    shutil.copytree(demo_copy, tmp_path / "moved")
    assert head(consult, tmp_path / "moved") == head(consult, demo_copy)


def test_what_stands_in_a_damaged_schema_is_not_quoted(consult, real):
    """SQLite quotes the broken line of the schema, which may be text of another page, over several lines."""
    conn = sqlite3.connect(real / "consult.db")
    conn.execute("PRAGMA writable_schema = ON")
    conn.execute("UPDATE sqlite_master SET sql = 'CREATE Quillfeather\n\"oh dear\n' WHERE name = 'consultation'")
    conn.commit()
    conn.close()
    told = consult(real, "verify", code=1)
    assert "malformed database schema" in told.stderr
    assert "Quillfeather" not in told.stderr
    assert len(told.stderr.strip().splitlines()) == 1


@pytest.mark.skipif(os.name == "nt", reason="a process is given a limit")
@pytest.mark.parametrize("room", [0.5, 1.5])
def test_where_there_is_no_room_the_backup_is_not_blamed_and_no_half_copy_is_left(real, tmp_path, room):
    """No file may grow past a limit: the backup does not fit, or what is there, which is longer."""
    file, _ = backup(instance := open_instance(real), tmp_path / "b.db")
    with instance.db.write() as conn:
        change_setting(conn, "later", "x" * 3 * file.stat().st_size, "cli:test", instance.store.at())
    instance.close()
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(int(room * file.stat().st_size)), real, "restore", file],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout
    assert "use another backup" not in done.stderr
    assert "room" in done.stderr or "disk" in done.stderr
    assert not list(real.glob("*before-restore*"))
    open_instance(real).close()
