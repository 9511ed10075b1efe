"""Encrypting the database of an installation that was set up without a key, changing its key, and taking it away."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Final

from consult.backup import SIDE_FILES, backup_folder
from consult.instance import DATABASE, check_there, database_file, only_for_me
from consult.lock import server_lock
from consult.proving import BackupRefused, Proof, prove, read_only, stand_alone
from consult.record import cipher
from consult.record.database import DatabaseRefused, connect, in_a_line, sqlite3
from consult.record.disk import sync

PART: Final = DATABASE + ".encrypting"


def encrypt(folder: Path, old: str) -> Proof:
    """Write the database anew under the key of this installation; `old` is the key it had, "" for none.

    DatabaseRefused or BackupRefused if that can't be done, Held while a server runs; the database is then as it was.
    """
    if not cipher.configured():
        raise DatabaseRefused(
            f"There is no key: set {cipher.FILE_IN_ENVIRONMENT} to the file that holds it, or is to hold it, or "
            f"{cipher.IN_ENVIRONMENT} to the key itself."
        )
    return _written_anew(folder, old, _key())


def decrypt(folder: Path) -> Proof:
    """Write the database anew without encryption; what it raises is what `encrypt` does."""
    if not cipher.configured():
        raise DatabaseRefused(f"Give this program the key of the database first ({cipher.FILE_IN_ENVIRONMENT}).")
    return _written_anew(folder, _key(), "")


def plain_backups(folder: Path) -> list[Path]:
    """The files that hold the record as it was before it was encrypted, in the places where this program puts them."""
    with read_only(database_file(folder)) as conn:
        places = {folder, backup_folder(folder, conn)}
    files = [path for place in places if place.is_dir() for path in place.iterdir() if path.is_file()]
    return sorted(path for path in files if _is_plain(path))


def _is_plain(file: Path) -> bool:
    try:
        with file.open("rb") as stream:
            return stream.read(len(cipher.PLAIN)) == cipher.PLAIN
    except OSError:
        return False


def _key() -> str:
    try:
        return cipher.key()
    except cipher.KeyRefused as error:
        raise DatabaseRefused(str(error)) from error


def _written_anew(folder: Path, old: str, new: str) -> Proof:
    """A copy under the other key, proved to hold the same, takes the place of the database by one rename."""
    check_there(folder)
    file, part = database_file(folder), folder / PART
    with server_lock(folder), only_for_me():
        try:
            _remove(part)
            before = prove(file, "give its own key, or restore a backup", key=old)
            _copy(file, old, part, new)
            after = prove(part, "try again; the database is as it was", key=new)
            if after != before:
                raise BackupRefused("The copy does not hold what the database does; it is as it was. Try again.")
            sync(part)
            stand_alone(file, old)  # what its side files hold is in it then, and they are gone
            part.replace(file)
            sync(file)
        finally:
            _remove(part)
    return after


def _copy(file: Path, old: str, part: Path, new: str) -> None:
    try:
        with closing(connect(str(file), old, isolation_level=None)) as conn:
            cipher.export(conn, part, new)
    except sqlite3.OperationalError as error:
        raise BackupRefused(
            f"The copy cannot be written to {part} ({in_a_line(error)}); the database is as it was. Make room, or mend "
            "its disk."
        ) from error


def _remove(file: Path) -> None:
    for side in ("", *SIDE_FILES):
        Path(f"{file}{side}").unlink(missing_ok=True)
