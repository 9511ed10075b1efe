"""Encryption of the database file and its backups by SQLCipher, for an installation that has a key.

The key is 32 bytes, written as 64 digits from 0 to f, in the environment (CONSULT_DATABASE_KEY) or in the file that
CONSULT_DATABASE_KEY_FILE names. It is used as it is: nothing is stretched, so a connection costs no time. Without one,
files are as SQLite writes them, and SQLCipher need not be installed.
"""

from __future__ import annotations

import importlib
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from consult.record import keyfile

IN_ENVIRONMENT: Final = "CONSULT_DATABASE_KEY"
FILE_IN_ENVIRONMENT: Final = "CONSULT_DATABASE_KEY_FILE"
PLAIN: Final = b"SQLite format 3\0"
NOT_A_DATABASE: Final = 26  # SQLITE_NOTADB: what a wrong key makes of a file
DRIVER: Final = "sqlcipher3.dbapi2"
NEWER: Final = "pysqlite3"


class KeyRefused(Exception):
    """A file was not opened for want of its key; the message says why and what to do."""


def configured() -> bool:
    """Whether this process has been given a key, or the name of its file."""
    return bool(os.environ.get(IN_ENVIRONMENT) or os.environ.get(FILE_IN_ENVIRONMENT))


def key_file() -> Path | None:
    """The file of the key; None where the key stands in the environment itself, or there is none."""
    named = os.environ.get(FILE_IN_ENVIRONMENT)
    return Path(named) if named and not os.environ.get(IN_ENVIRONMENT) else None


def place() -> str:
    """Where the key stands, in a sentence."""
    return str(key_file() or f"the environment ({IN_ENVIRONMENT})")


def driver() -> Any:
    """SQLCipher's driver where there is a key, else that of the newer SQLite; whichever is installed, the first counts.

    That SQLCipher is missing is said in a sentence when a database is opened.
    """
    for name in (*([DRIVER] if configured() else []), NEWER):
        with suppress(ImportError):
            return importlib.import_module(name)
    return importlib.import_module("sqlite3")


def key() -> str:
    """The key of this installation; "" where its files are not encrypted. KeyRefused where it can't be had."""
    if not configured():
        return ""
    _check_installed()
    file = key_file()
    return key_in(file) if file else _checked(os.environ[IN_ENVIRONMENT], place())


def _check_installed() -> None:
    if DRIVER not in sys.modules:
        raise KeyRefused(
            f"A key for the database is set, and SQLCipher is not installed: install sqlcipher3 beside this program, "
            f"or take {IN_ENVIRONMENT} and {FILE_IN_ENVIRONMENT} out of its environment."
        )


def key_in(file: Path) -> str:
    """The key that a file holds; KeyRefused if it holds none."""
    try:
        return _checked(file.read_text("ascii", errors="replace"), str(file))
    except OSError as error:
        raise KeyRefused(f"The key of the database in {file} can't be read ({error.strerror}); put it back.") from error


def _checked(text: str, where: str) -> str:
    found = text.strip().lower()
    if not keyfile.KEY.fullmatch(found):
        raise KeyRefused(
            f"What stands in {where} is no key of a database: it has 64 digits from 0 to f; put the right one there."
        )
    return found


def made_if_missing() -> Path | None:
    """Make the key in the file that is named, for its owner only, if it is not there; the file if it was made."""
    _check_installed()
    file = key_file()
    if file is None or file.exists():
        return None
    try:
        keyfile.write(file, keyfile.new())
    except OSError as error:
        raise KeyRefused(f"The key of the database can't be written to {file} ({error.strerror}).") from error
    return file


def written(key: str) -> str:
    """A key as SQLCipher takes it: raw, or none for a file that is not encrypted."""
    return f"x'{key}'" if key else ""


def unlock(conn: Any, key: str) -> None:
    """Give a new connection its key, before anything is read; nothing of SQLCipher's own goes to standard error."""
    if key:
        conn.execute(f'PRAGMA key = "{written(key)}"')
        conn.execute("PRAGMA cipher_log_level = NONE")


def version(conn: Any) -> str:
    """The version of SQLCipher in use."""
    return str(conn.execute("PRAGMA cipher_version").fetchone()[0])


def altered(conn: Any) -> list[str]:
    """What SQLCipher finds where the code that seals each page does not fit what the page holds; [] if all do.

    [] of a file that is not encrypted, too: its pages bear no such code.
    """
    encrypted = [str(row[0]) for row in conn.execute("PRAGMA cipher_status")] == ["1"]
    return [str(row[0]) for row in conn.execute("PRAGMA cipher_integrity_check")] if encrypted else []


def export(conn: Any, file: Path, key: str) -> None:
    """Write all that a database holds into a new file under another key ("" for none), its marks included."""
    marks = {name: int(conn.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("application_id", "user_version")}
    conn.execute("ATTACH DATABASE ? AS anew KEY ?", (str(file), written(key)))
    conn.execute("SELECT sqlcipher_export('anew')").fetchall()
    for name, value in marks.items():
        conn.execute(f"PRAGMA anew.{name} = {value}")
    conn.execute("DETACH DATABASE anew")


def is_plain(file: Path) -> bool:
    """Whether a file begins as a database does that is not encrypted; not so where it can't be read."""
    try:
        with file.open("rb") as stream:
            return stream.read(len(PLAIN)) == PLAIN
    except OSError:
        return False


def why_unreadable(file: Path, error: BaseException) -> str:
    """Why a file is not to be read with the key there is; "" if there is none, or that is not the reason."""
    if not configured():
        return ""
    if is_plain(file):
        return f"{file} is not encrypted, and a key is set. {PLAIN_WITH_KEY}"
    if not _is_no_database(error):
        return ""
    return (
        f"{file} is not encrypted with the key in {place()}, or is damaged; put its own key there, or restore a backup."
    )


def or_its_key(error: BaseException) -> str:
    """What else may help where a file is no database: it may be encrypted. "" where that can't be."""
    if configured() or not _is_no_database(error):
        return ""
    return f"; or, if it is encrypted, give this program its key ({IN_ENVIRONMENT} or {FILE_IN_ENVIRONMENT})"


def _is_no_database(error: BaseException) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == NOT_A_DATABASE


PLAIN_WITH_KEY: Final = (
    "Run `consult encrypt`, or, for a backup, take the key out of the environment, restore it, set the key again, then "
    "run `consult encrypt`."
)
