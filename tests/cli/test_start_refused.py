"""What keeps an instance from being opened: said in one sentence with its mend, found by the doctor, nothing changed.

Each fault is met by `serve`, `verify` and `doctor`, the real commands on real files.
"""

import os
import re
import shutil
import stat
import sys
import tempfile
from pathlib import Path

import pytest
from forked import commands

from consult.record import disk
from consult.record.database import GUARDS, sqlite3
from consult.serving import Address, application

COMMANDS = {"serve": ("serve", "--port", "0"), "verify": ("verify",), "doctor": ("doctor",)}
POSIX = pytest.mark.skipif(os.name == "nt", reason="links and owners are those of POSIX")
NOBODY = 65534


def change(folder, statement):
    conn = sqlite3.connect(str(folder / "consult.db"))
    conn.executescript(statement)
    conn.close()


def move_and_link(path):
    """Put the thing elsewhere, and a symbolic link in its place."""
    elsewhere = path.with_name(path.name + ".elsewhere")
    path.rename(elsewhere)
    path.symlink_to(elsewhere)


def link_side(folder, side):
    elsewhere = folder.parent / "elsewhere"
    elsewhere.touch(0o600)
    (folder / f"consult.db{side}").symlink_to(elsewhere)


def foreign(folder, statement="CREATE TABLE t (x)"):
    (folder / "consult.db").unlink()
    change(folder, statement)
    (folder / "consult.db").chmod(0o600)


def without_database(folder, keep):
    """Take the database away; of what it left, keep only this."""
    conn = sqlite3.connect(str(folder / "consult.db"))
    conn.execute("UPDATE setting SET value = value")
    conn.commit()
    wal = (folder / "consult.db-wal").read_bytes()
    conn.close()
    for path in folder.iterdir():
        if path.is_file() and path.name != keep:
            path.unlink()
    if keep == "consult.db-wal":
        (folder / keep).write_bytes(wal)


def damage(folder, at, with_=b"\xff" * 4096):
    file = folder / "consult.db"
    with file.open("r+b") as stream:
        stream.seek(at if at >= 0 else file.stat().st_size + at)
        stream.write(with_)


def page_of_steps(folder):
    conn = sqlite3.connect(str(folder / "consult.db"))
    page = conn.execute("SELECT rootpage FROM sqlite_master WHERE name = 'step_of_kind'").fetchone()[0]
    size = conn.execute("PRAGMA page_size").fetchone()[0]
    conn.close()
    return (page - 1) * size


NO_OP = "CREATE TRIGGER step_no_delete BEFORE DELETE ON step BEGIN SELECT 1; END"
FAULTS = {
    "the database is a symbolic link": (
        lambda folder: move_and_link(folder / "consult.db"),
        r"consult\.db is a symbolic link; point the instance at the real folder",
    ),
    "the write-ahead log is a symbolic link": (
        lambda folder: link_side(folder, "-wal"),
        r"consult\.db-wal is a symbolic link; ",
    ),
    "the index of the log is a symbolic link": (
        lambda folder: link_side(folder, "-shm"),
        r"consult\.db-shm is a symbolic link; ",
    ),
    "the folder is a symbolic link": (move_and_link, r"real is a symbolic link; point the instance at the real folder"),
    "a hard link": (
        lambda folder: (folder.parent / "second").hardlink_to(folder / "consult.db"),
        r"has a second name \(a hard link\).+; remove that name",
    ),
    "another program's database": (foreign, r"belongs to another program; choose another instance folder"),
    "another program's mark": (
        lambda folder: foreign(folder, "PRAGMA application_id = 7; PRAGMA user_version = 1; CREATE TABLE t (x)"),
        r"belongs to another program; choose another instance folder",
    ),
    "a newer schema": (
        lambda folder: change(folder, "PRAGMA user_version = 99"),
        r"written by a newer version \(schema 99\); upgrade this program",
    ),
    **{
        f"{guard} missing": (
            lambda folder, guard=guard: change(folder, f"DROP TRIGGER {guard}"),
            rf"{guard} of the step log are missing.+; restore a backup, or run `consult guard`",
        )
        for guard in GUARDS
    },
    "a guard replaced": (
        lambda folder: change(folder, f"DROP TRIGGER step_no_delete; {NO_OP}"),
        r"step_no_delete of the step log were replaced.+; restore a backup, or run `consult guard`",
    ),
    "a guard written past SQLite": (
        lambda folder: change(
            folder,
            "PRAGMA writable_schema = ON; UPDATE sqlite_master SET "
            "sql = replace(sql, 'ON step BEGIN', 'ON step WHEN 0 BEGIN') "
            "WHERE name = 'step_no_update'; PRAGMA writable_schema = OFF",
        ),
        r"step_no_update of the step log were replaced.+; restore a backup, or run `consult guard`",
    ),
    "a file of no length": (
        lambda folder: (folder / "consult.db").write_bytes(b""),
        r"is empty, though data was there; restore a backup",
    ),
    "the database gone, its key there": (
        lambda folder: without_database(folder, "secret-key"),
        r"no consult\.db in .+ though secret-key says that one was there; restore a backup",
    ),
    "the database gone, its log there": (
        lambda folder: without_database(folder, "consult.db-wal"),
        r"no consult\.db in .+ though consult\.db-wal says that one was there; restore a backup",
    ),
    "the head damaged": (lambda folder: damage(folder, 0), r"cannot be opened as a database .+; restore a backup"),
    "the schema damaged": (lambda folder: damage(folder, 100, b"\xff" * 900), r"cannot be opened.+; restore a backup"),
    "no database at all": (
        lambda folder: (folder / "consult.db").write_bytes(b"some text\n" * 900),
        r"cannot be opened as a database .+; restore a backup",
    ),
}
ONLY_LOOKED_FOR = {  # a start reads no more than it needs
    "a page damaged": (lambda folder: damage(folder, page_of_steps(folder)), r"damaged|malformed"),
    "the end cut off": (
        lambda folder: os.truncate(folder / "consult.db", (folder / "consult.db").stat().st_size - 8192),
        r"damaged|malformed",
    ),
}


def everything(place):
    """Each file below a place as it is; what SQLite makes of itself to look (no log, and its index) is left out."""

    def is_nothing(path):
        return path.name.endswith("-shm") or (path.name.endswith("-wal") and path.stat().st_size == 0)

    return {
        path.relative_to(place): path.readlink()
        if path.is_symlink()
        else (stat.S_IMODE(path.stat().st_mode), path.read_bytes() if path.is_file() else None)
        for path in sorted(place.rglob("*"))
        if path.is_symlink() or not is_nothing(path)
    }


def is_one_sentence(line):
    return re.fullmatch(r"[A-Z/].+[.]", line) and not re.search(r"[a-z)`][.] [A-Z]", line)


def check_said(command, stdout, stderr, says):
    """The fault is named once, with its mend; nothing else is said to be a fault."""
    assert "Traceback" not in stdout + stderr
    errors = [line for line in stderr.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1
    if command == "doctor":
        faults = [line for line in stdout.splitlines() if line.startswith("FAULT")]
        assert len(faults) == 1, faults
        assert re.search(says, faults[0]), faults[0]
        assert errors[0] == "Error: 1 fault found; do what is written beside each."
    else:
        assert stderr.splitlines() == errors
        assert re.search(says, errors[0]), errors[0]
        assert "Serving" not in stdout


def check_refused(consult, folder, command, says):
    before = everything(folder.parent)
    result = consult(folder, *COMMANDS[command], code=1)
    assert everything(folder.parent) == before
    check_said(command, result.stdout, result.stderr, says)
    if command != "doctor":
        assert is_one_sentence(result.stderr.strip().removeprefix("Error: "))


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("fault", [pytest.param(f, marks=POSIX if "link" in f else ()) for f in FAULTS])
def test_a_fault_is_refused_in_one_sentence_and_nothing_is_changed(consult, real, fault, command):
    make, says = FAULTS[fault]
    make(real)
    check_refused(consult, real, command, says)


@pytest.mark.parametrize("command", ["verify", "doctor"])
@pytest.mark.parametrize("fault", ONLY_LOOKED_FOR)
def test_what_lies_deeper_is_found_by_verify_and_the_doctor_who_change_nothing(consult, real, fault, command):
    make, says = ONLY_LOOKED_FOR[fault]
    make(real)
    before = everything(real)
    result = consult(real, *COMMANDS[command], code=1)
    assert everything(real) == before
    check_said(command, result.stdout, result.stderr, rf"(?i)({says}).+restore a backup")


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("version", ["3.7.0", "3.44.5", "3.45.0", "3.50.6", "3.51.0", "3.51.2"])
def test_a_sqlite_with_the_wal_fault_is_refused(consult, real, monkeypatch, version, command):
    monkeypatch.setattr(sqlite3, "sqlite_version", version)
    check_refused(consult, real, command, rf"SQLite {re.escape(version)} can .+ in WAL mode; install pysqlite3")


@pytest.mark.parametrize("version", ["3.44.6", "3.50.7", "3.51.3", "3.53.0"])
def test_a_sqlite_without_the_wal_fault_is_not(consult, real, monkeypatch, version):
    monkeypatch.setattr(sqlite3, "sqlite_version", version)
    for command in ("verify", "doctor"):
        consult(real, *COMMANDS[command])


@pytest.mark.skipif(sys.platform == "win32", reason="a share is told by its path there")
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.sshfs"])
def test_a_network_share_is_refused(consult, real, tmp_path, monkeypatch, kind, command):
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/sda1 / ext4 rw 0 0\nserver:/share {real} {kind} rw 0 0\n")
    monkeypatch.setattr(disk, "MOUNTS", mounts)
    check_refused(consult, real, command, rf"is on a network share \({re.escape(kind)}\).+; move it to a local disk")


# --- as an ordinary user ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ordinary():
    """Runs a command as an ordinary user, in a process of its own."""
    with commands(os.environ) as running:
        yield lambda *arguments: running.run(arguments, os.environ, NOBODY if os.geteuid() == 0 else None)


@pytest.fixture
def anyones(real_made):
    """An installation that belongs to an ordinary user, in a place that user may reach; put back to be removed."""
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        folder = shutil.copytree(real_made, Path(place) / "real")
        if os.geteuid() == 0:
            for path in (folder, *folder.iterdir()):
                os.chown(path, NOBODY, NOBODY)
        yield folder
        folder.chmod(0o700)


def give_to_root(path):
    if os.geteuid() != 0:
        pytest.skip("only the system's own account can give a file to another")
    os.chown(path, 0, 0)


OF_OWNERS = {
    "a folder that is read-only": (lambda folder: folder.chmod(0o500), r"real cannot be read and written .+; let "),
    "a database that is read-only": (
        lambda folder: (folder / "consult.db").chmod(0o400),
        r"consult\.db cannot be read and written by this account; let ",
    ),
    "a database of another owner": (
        lambda folder: give_to_root(folder / "consult.db"),
        r"consult\.db belongs to another account; run this as that account, or give it to this one",
    ),
    "a folder of another owner": (give_to_root, r"real cannot be looked into by this account; run this as the account"),
}


@POSIX
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("fault", OF_OWNERS)
def test_what_an_ordinary_user_may_not_write_is_refused(anyones, ordinary, fault, command):
    make, says = OF_OWNERS[fault]
    make(anyones)
    before = everything(anyones)
    result = ordinary("--instance", anyones, *COMMANDS[command])
    assert result.returncode == 1
    assert everything(anyones) == before
    check_said(command, result.stdout, result.stderr, says)


@POSIX
def test_an_ordinary_user_opens_what_is_that_users_own(anyones, ordinary):
    result = ordinary("--instance", anyones, "doctor")
    assert "database: The database is whole" in result.stdout, result.stderr


@POSIX
@pytest.mark.skipif(os.name == "posix" and os.geteuid() != 0, reason="only the system's own account opens another's")
@pytest.mark.parametrize("command", [("backup",), ("doctor",), ("person", "list"), ("restore", "copy.db"), ("tend",)])
def test_root_makes_nothing_in_the_folder_of_another_account_which_could_not_open_it(consult, anyones, command):
    before = everything(anyones)
    said = consult(anyones, *command, code=1).stderr
    assert everything(anyones) == before
    name = pytest.importorskip("pwd").getpwuid(NOBODY).pw_name
    assert re.search(rf"belongs to the account {name}, which could not open what root writes there", said)
    assert f"begin the command with `runuser -u {name} --`." in said
    assert is_one_sentence(said.strip().removeprefix("Error: "))


# --- what is no fault ------------------------------------------------------------------------------------------------


def test_looking_over_a_sound_installation_changes_nothing(consult, real):
    before = everything(real)
    for command in ("doctor", "verify"):
        consult(real, *COMMANDS[command])
        assert everything(real) == before


def test_the_doctor_brings_no_new_content_and_no_key_into_use(consult, real):
    shipped = Path(__file__).parents[2] / "leaflets" / "back-pain-core"
    shutil.copytree(shipped, real / "leaflets" / "our-own")
    leaflet = real / "leaflets" / "our-own" / "en.md"
    leaflet.write_text(leaflet.read_text("utf-8").replace("back-pain-core", "our-own", 1), "utf-8")
    (real / "secret-key").unlink()
    before = everything(real)
    consult(real, "doctor")
    assert everything(real) == before


def test_a_blank_urgent_route_and_unapproved_content_stop_live_consultations_and_not_the_start(real):
    app = application(real, Address())
    instance = app.extensions["consult"]
    assert "has no number for" in instance.why_no_live("A")
    assert instance.unapproved()
    assert app.test_client().get("/health").status_code == 200
    instance.close()
