"""The database encrypted by SQLCipher: real processes with a key in their environment, where the driver is chosen."""

from __future__ import annotations

import json
import os
import random
import re
import secrets
import shutil
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from forked import Called, Forked, commands
from test_serving import running

from consult import encrypting
from consult.accounts import people
from consult.instance import DATABASE, open_instance
from consult.record import cipher, keyfile

FLIPS = 30
RESULTS = ("results", "--capture", "live", "--format", "json")
MADE = "import sys; from pathlib import Path; from consult import demo; from consult.record.store import now_utc; "
MADE += "demo.prepare(Path(sys.argv[1]), now_utc())"
HIDDEN = "import sys; sys.modules['sqlcipher3'] = None; from consult.cli import main; main()"
FLIPPING = """
import random, shutil, sys
from pathlib import Path
from consult import verifying
from consult.instance import DATABASE
from consult.proving import BackupRefused
from consult.record.database import DatabaseRefused

folder, seed, flips = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
luck, whole = random.Random(seed), (folder / DATABASE).read_bytes()
for number in range(flips):
    bytes_ = bytearray(whole)
    bit = luck.randrange(8 * len(bytes_))
    bytes_[bit // 8] ^= 1 << bit % 8
    (folder / DATABASE).write_bytes(bytes_)
    try:
        verifying.verify(folder)
    except (DatabaseRefused, BackupRefused) as refusal:
        print("found", str(refusal).splitlines()[0][:80])
        continue
    raise SystemExit(f"the flip of bit {bit} was not found (seed {seed}, flip {number})")
"""


MEANWHILE = """
import sys
from pathlib import Path
from consult import encrypting

whole, folder = encrypting.sync, Path(sys.argv[1])

def meanwhile(part):
    whole(part)
    other = encrypting.connect(str(folder / encrypting.DATABASE), "", isolation_level=None)
    other.execute("PRAGMA journal_mode = WAL")
    other.execute("CREATE TABLE later (x)")
    kept.append(other)

kept, encrypting.sync = [], meanwhile
encrypting.encrypt(folder)
"""


def environment(key: str = "", file: Path | None = None) -> dict[str, str]:
    given = {cipher.IN_ENVIRONMENT: key, cipher.FILE_IN_ENVIRONMENT: str(file or "")}
    others = {name: value for name, value in os.environ.items() if name not in given}
    return others | {name: value for name, value in given.items() if value}


RUNNING: dict[bool, Forked | Called] = {}
"""What runs commands: with a key in its environment, by which the driver is chosen, or without one."""


@pytest.fixture(scope="module", autouse=True)
def running_commands() -> Iterator[None]:
    with commands(environment()) as plain, commands(environment("00" * 32)) as encrypting_:
        RUNNING.update({False: plain, True: encrypting_})
        yield


def run(folder: Path, *arguments: object, key: str = "", file: Path | None = None) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own, given a key or the file of one."""
    return RUNNING[bool(key or file)].run(["--instance", folder, *arguments], environment(key, file))


def consult(folder: Path, *arguments: object, code: int = 0, key: str = "", file: Path | None = None) -> str:
    """What a command prints, given a key or the file of one; on failure it is one sentence."""
    done = run(folder, *arguments, key=key, file=file)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    if code:
        last = done.stderr.rstrip().splitlines()[-1]
        assert re.fullmatch(r"Error: [A-Z0-9/'].*[.!]", last), last
        return last
    assert "ERROR CORE" not in done.stderr  # what SQLCipher would say itself
    return done.stdout


def names(folder: Path) -> list[bytes]:
    """Words of the record that must be readable nowhere: employees, people, a free text."""
    instance = open_instance(folder)
    conn = instance.db.read()
    found = [row[0].encode() for row in conn.execute("SELECT name FROM employee")]
    found += [one.name.encode() for one in people.people(conn)]
    instance.close()
    assert len(found) > 5
    return found


def readable(folder: Path, words: list[bytes]) -> list[str]:
    """The files of a folder in which one of the words stands, or that begin as a database in plain does."""
    held = {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return [name for name, content in held.items() if any(word in content for word in (cipher.PLAIN, *words))]


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    return tmp_path / "key"


@pytest.fixture(scope="module")
def encrypted_made(demo_made: tuple[Path, object], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The demonstration encrypted, and the file of its key: made once; only to be copied."""
    beside = tmp_path_factory.mktemp("encrypted")
    folder, key_file = Path(shutil.copytree(demo_made[0], beside / "demo")), beside / "key"
    consult(folder, "encrypt", file=key_file)
    return folder, key_file


@pytest.fixture
def encrypted(encrypted_made: tuple[Path, Path], demo_copy: Path, key_file: Path) -> Path:
    """An encrypted copy of the demonstration that a test may change, in the place of the one that was not."""
    shutil.rmtree(demo_copy)
    shutil.copytree(encrypted_made[0], demo_copy)
    shutil.copy2(encrypted_made[1], key_file)
    return demo_copy


def test_nothing_of_the_record_is_readable_in_any_file_and_all_of_it_is_there(demo_copy: Path, key_file: Path) -> None:
    words = names(demo_copy)
    assert readable(demo_copy, words)
    before = json.loads(consult(demo_copy, *RESULTS))
    said = consult(demo_copy, "encrypt", file=key_file)
    assert f"{key_file}: a new key was made. Keep a copy of it apart" in said
    assert keyfile.KEY.fullmatch(key_file.read_text("ascii").strip())
    if os.name == "posix":
        assert key_file.stat().st_mode & 0o077 == 0
    consult(demo_copy, "backup", file=key_file)
    consult(demo_copy, "rehearse", file=key_file)
    assert readable(demo_copy, words) == []
    assert json.loads(consult(demo_copy, *RESULTS, file=key_file)) == before
    consult(demo_copy, "verify", file=key_file)
    assert consult(demo_copy, "verify", key=key_file.read_text("ascii").strip())
    (backup,) = (demo_copy / "backups").glob("consult-*.db")
    consult(demo_copy, "restore", backup, file=key_file)
    consult(demo_copy, "rebuild", file=key_file)
    assert json.loads(consult(demo_copy, *RESULTS, file=key_file)) == before
    assert readable(demo_copy, words) == []
    assert f"its key stands in {key_file} and in no backup" in consult(demo_copy, "doctor", file=key_file)


def test_a_new_installation_is_encrypted_from_its_first_byte(tmp_path: Path) -> None:
    key, folder = secrets.token_hex(32), tmp_path / "new"
    demo = (sys.executable, "-c", MADE, str(folder))
    subprocess.run(demo, env=environment(key), check=True)
    assert not cipher.is_plain(folder / DATABASE)
    consult(folder, "verify", key=key)
    assert "or, if it is encrypted, give this program its key" in consult(folder, "verify", code=1)


def test_it_is_served_with_its_key_and_what_is_written_meanwhile_is_encrypted_too(
    encrypted: Path, key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(cipher.FILE_IN_ENVIRONMENT, str(key_file))
    with running("-m", "consult.cli", "--instance", encrypted, "serve", "--port", "0") as (_, address, _):
        with urllib.request.urlopen(f"{address}/sign-in") as reply:
            assert reply.status == 200
        consult(encrypted, "settings", "set", "backup_folder", encrypted / "elsewhere", file=key_file)
        assert "A server is running" in consult(encrypted, "encrypt", code=1, file=key_file)
        side = Path(f"{encrypted / DATABASE}-wal").read_bytes()
        assert len(side) > 4096
        assert b"elsewhere" not in side


def test_without_its_key_with_another_or_with_none_it_is_refused_in_a_sentence_and_stays(
    encrypted: Path, key_file: Path, tmp_path: Path
) -> None:
    whole = (encrypted / DATABASE).read_bytes()
    assert "or, if it is encrypted, give this program its key" in consult(encrypted, "results", code=1)
    other = secrets.token_hex(32)
    assert "is not encrypted with the key in the environment" in consult(encrypted, "results", code=1, key=other)
    assert "is encrypted with another key than the one in" in consult(encrypted, "encrypt", code=1, key=other)
    assert "is not encrypted with the key in" in consult(encrypted, "decrypt", code=1, key=other)
    (tmp_path / "other").write_text(other)
    named = consult(encrypted, "encrypt", "--old-key-file", tmp_path / "other", code=1, file=tmp_path / "newest")
    assert f"is not encrypted with the key in {tmp_path / 'other'}. Name the file of its key" in named
    assert "already" in consult(encrypted, "encrypt", code=1, file=key_file)
    for wrong in ("short", "g" * 64):
        refused = consult(encrypted, "results", code=1, key=wrong)
        assert "is no key of a database" in refused
        assert wrong not in refused.replace("no key", "")
    assert "can't be read" in consult(encrypted, "results", code=1, file=tmp_path / "gone")
    assert (encrypted / DATABASE).read_bytes() == whole
    consult(encrypted, "verify", file=key_file)


def test_a_database_in_plain_is_refused_where_a_key_is_set_and_so_is_its_backup(
    demo_copy: Path, encrypted: Path, real: Path, key_file: Path, tmp_path: Path
) -> None:
    plain = tmp_path / "plain.db"
    consult(real, "backup", plain)
    assert "is not encrypted, and a key is set. Run `consult encrypt`" in consult(real, "verify", code=1, file=key_file)
    assert "is not encrypted, and a key is set" in consult(demo_copy, "restore", plain, code=1, file=key_file)
    assert encrypted == demo_copy
    consult(encrypted, "verify", file=key_file)


def test_backups_made_before_are_named_until_they_are_gone(demo_copy: Path, key_file: Path) -> None:
    consult(demo_copy, "backup")
    (backup,) = (demo_copy / "backups").glob("*.db")
    assert f"Not encrypted: {backup}." in consult(demo_copy, "encrypt", file=key_file)
    assert backup.exists()


def test_the_key_is_changed_and_taken_away(encrypted: Path, key_file: Path, tmp_path: Path) -> None:
    before = consult(encrypted, *RESULTS, file=key_file)
    newer = tmp_path / "newer"
    consult(encrypted, "encrypt", "--old-key-file", key_file, file=newer)
    assert newer.read_text("ascii") != key_file.read_text("ascii")
    assert "is not encrypted with the key in" in consult(encrypted, "verify", code=1, file=key_file)
    assert consult(encrypted, *RESULTS, file=newer) == before
    assert "No longer encrypted" in consult(encrypted, "decrypt", file=newer)
    assert consult(encrypted, *RESULTS) == before
    consult(encrypted, "verify")


@pytest.mark.parametrize("old", [False, True])
def test_no_new_key_is_made_in_the_place_of_one_that_is_missing(
    encrypted: Path, key_file: Path, tmp_path: Path, old: bool
) -> None:
    kept = key_file.rename(tmp_path / "put-away")
    keyfile.write(tmp_path / "wrong", keyfile.new())
    said = consult(
        encrypted, "encrypt", *(["--old-key-file", tmp_path / "wrong"] if old else []), code=1, file=key_file
    )
    assert ("is not encrypted with the key in" if old else f"in {key_file} can't be read") in said
    assert not key_file.exists()
    kept.rename(key_file)
    consult(encrypted, "verify", file=key_file)


def test_without_a_key_there_is_nothing_to_encrypt_or_decrypt_with(demo_copy: Path) -> None:
    assert "There is no key" in consult(demo_copy, "encrypt", code=1)
    assert "Give this program the key" in consult(demo_copy, "decrypt", code=1)
    assert "The database is not encrypted by this program" in consult(demo_copy, "doctor")
    assert "is not encrypted; take the key out" in consult(demo_copy, "decrypt", code=1, key="ab" * 32)


def test_the_doctor_calls_nothing_encrypted_that_its_key_does_not_open(
    encrypted: Path, real: Path, key_file: Path
) -> None:
    for done in (run(real, "doctor", file=key_file), run(encrypted, "doctor", key="ab" * 32), run(encrypted, "doctor")):
        assert done.returncode == 1
        assert "The database is encrypted" not in done.stdout
        assert "The database is not encrypted" not in done.stdout
        assert re.search("^[^a-z]*database: .*encrypted", done.stdout, re.MULTILINE), done.stdout


def test_nothing_is_put_in_the_place_of_a_database_that_somebody_has_open(demo_copy: Path) -> None:
    instance = open_instance(demo_copy)
    try:
        assert "is in use by another command" in consult(demo_copy, "encrypt", code=1, key="ab" * 32)
        with instance.db.write() as conn:
            nurse = next(one for one in people.people(conn) if one.role == "nurse")
            people.set_active(conn, nurse.id, False, "cli:test", "2026-11-28T10:00:00Z")
    finally:
        instance.close()
    assert cipher.is_plain(demo_copy / DATABASE)
    consult(demo_copy, "verify")
    consult(demo_copy, "encrypt", key="ab" * 32)
    consult(demo_copy, "verify", key="ab" * 32)


def test_a_step_that_came_after_the_copy_is_not_lost(demo_copy: Path) -> None:
    """Another command writes while the copy is proved: nothing takes the place of what it wrote."""
    command = [sys.executable, "-c", MEANWHILE, str(demo_copy)]
    done = subprocess.run(command, env=environment("ab" * 32), capture_output=True, text=True, check=False)
    assert "is in use by another command" in done.stderr
    found = sqlite3.connect(demo_copy / DATABASE)
    assert found.execute("SELECT count(*) FROM later").fetchone()[0] == 0
    found.close()


def test_where_sqlcipher_is_not_installed_it_says_so(demo_copy: Path) -> None:
    command = [sys.executable, "-c", HIDDEN, "--instance", str(demo_copy), "verify"]
    done = subprocess.run(command, env=environment("ab" * 32), capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "SQLCipher is not installed: install sqlcipher3" in done.stderr


@pytest.mark.fault
def test_any_flipped_bit_of_an_encrypted_record_is_found(encrypted: Path, key_file: Path) -> None:
    seed = random.SystemRandom().randrange(10**9)
    print("seed", seed)
    command = [sys.executable, "-c", FLIPPING, str(encrypted), str(seed), str(FLIPS)]
    done = subprocess.run(command, env=environment(file=key_file), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == FLIPS


@pytest.mark.fault
def test_cut_short_at_any_moment_it_is_what_it_was_or_encrypted(demo_copy: Path) -> None:
    """Killed while the copy is being made, proved or put in its place; it is whole each time, and goes on."""
    seed = random.SystemRandom().randrange(10**9)
    print("seed", seed)
    luck, key = random.Random(seed), secrets.token_hex(32)
    plain, part = (demo_copy / DATABASE).read_bytes(), demo_copy / encrypting.PART
    before, left, takes = consult(demo_copy, *RESULTS), 0, None
    for kill in range(-1, 8):
        command = [sys.executable, "-m", "consult.cli", "--instance", str(demo_copy), "encrypt"]
        process = subprocess.Popen(command, env=environment(key), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None and not part.exists():
            time.sleep(0.001)  # looked for often: on a fast machine the copy is there for a twentieth of a second
        if takes is None:  # the first is let run, to learn how long there is to cut it short
            began = time.monotonic()
            assert process.wait() == 0
            takes = time.monotonic() - began
        time.sleep(luck.uniform(0, takes) if kill > 0 else 0)  # cut short at once, then at random moments
        process.kill()
        process.wait()
        left += part.exists()
        is_plain = cipher.is_plain(demo_copy / DATABASE)
        consult(demo_copy, "verify", key="" if is_plain else key)
        if not is_plain:
            assert consult(demo_copy, *RESULTS, key=key) == before
            (demo_copy / DATABASE).write_bytes(plain)
    assert left, "no kill came while the copy was there"
    consult(demo_copy, "encrypt", key=key)
    assert not list(demo_copy.glob("*.encrypting*"))
    with pytest.raises(sqlite3.DatabaseError):
        sqlite3.connect(demo_copy / DATABASE).execute("SELECT 1 FROM step")
