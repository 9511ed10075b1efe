"""Encrypting the database of an installation that was set up without a key, changing its key, and taking it away."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Final

from consult.backup import backup_folder
from consult.instance import BACKUPS, DATABASE, check_there, database_file, only_for_me
from consult.lock import server_lock
from consult.proving import BackupRefused, Proof, opens, prove, read_only, stand_alone
from consult.record import cipher, ledger
from consult.record.database import DatabaseRefused, connect, in_a_line, sqlite3
from consult.record.disk import sync
from consult.record.opening import SIDE_FILES

PART: Final = DATABASE + ".encrypting"
OWN: Final = "give its own key, or restore a backup."
ANOTHER: Final = "Name the file of its key with --old-key-file; if it is damaged, restore a backup."


def encrypt(folder: Path, old_key: Path | None = None) -> tuple[Proof, Path | None]:
    """Write the database anew under the key of this installation; also the file of the key if it was made for that.

    `old_key` is the file of the key that it has. DatabaseRefused, BackupRefused or KeyRefused if it can't be done, Held
    while a server runs; the database is then as it was.
    """
    check_there(folder)
    if not cipher.configured():
        raise DatabaseRefused(
            f"There is no key: set {cipher.FILE_IN_ENVIRONMENT} to the file that holds it, or is to hold it, or "
            f"{cipher.IN_ENVIRONMENT} to the key itself."
        )
    with server_lock(folder), only_for_me():
        made, has = _keys(database_file(folder), old_key)
        return _written_anew(folder, has, cipher.key()), made


def _keys(file: Path, old_key: Path | None) -> tuple[Path | None, str]:
    """The file of the new key if it was made now, and the key that the database has.

    No new key is left in the place of one that is missing: it would be taken for that, and kept.
    """
    if not old_key and not cipher.is_plain(file):
        cipher.key()  # says which file is to be put back
    made = cipher.made_if_missing()
    try:
        return made, _key_it_has(file, cipher.key(), old_key)
    except BaseException:
        if made:
            made.unlink()
        raise


def decrypt(folder: Path) -> Proof:
    """Write the database anew without encryption; what it raises is what `encrypt` does."""
    check_there(folder)
    if not cipher.configured():
        raise DatabaseRefused(f"Give this program the key of the database first ({cipher.FILE_IN_ENVIRONMENT}).")
    file, key = database_file(folder), cipher.key()
    if cipher.is_plain(file):
        raise DatabaseRefused(f"{file} is not encrypted; take the key out of the environment.")
    if not opens(file, key):
        raise DatabaseRefused(f"{file} is not encrypted with the key in {cipher.place()}, or damaged; {OWN}")
    with server_lock(folder), only_for_me():
        return _written_anew(folder, key, "")


def plain_copies(folder: Path) -> list[Path]:
    """The files that hold the record without encryption, in the places where this program puts such."""
    with read_only(database_file(folder)) as conn:
        places = {folder, folder / BACKUPS, backup_folder(folder, conn)}
    files = [path for place in places if place.is_dir() for path in place.iterdir() if path.is_file()]
    return sorted(path for path in files if cipher.is_plain(path))


def _key_it_has(file: Path, new: str, old_key: Path | None) -> str:
    """The key that opens a database now, "" for none; DatabaseRefused says why there is none to be had."""
    if cipher.is_plain(file):
        if old_key:
            raise DatabaseRefused(f"{file} is not encrypted; leave --old-key-file out.")
        return ""
    if old_key:
        if opens(file, old := cipher.key_in(old_key)):
            return old
        raise DatabaseRefused(f"{file} is not encrypted with the key in {old_key}. {ANOTHER}")
    if opens(file, new):
        raise DatabaseRefused(f"{file} is encrypted with the key in {cipher.place()} already.")
    raise DatabaseRefused(f"{file} is encrypted with another key than the one in {cipher.place()}. {ANOTHER}")


def _written_anew(folder: Path, old: str, new: str) -> Proof:
    """A copy under the other key, proved to hold the same, takes the place of the database by one rename."""
    file, part = database_file(folder), folder / PART
    try:
        _remove(part)
        _check_alone(file, old)
        before = prove(file, "restore a backup", key=old)
        _copy(file, old, part, new)
        after = prove(part, "try again; the database is as it was", key=new)
        if after != before:
            raise BackupRefused("The copy does not hold what the database does; it is as it was. Try again.")
        sync(part)
        _check_untouched(file, old, before)
        part.replace(file)
        sync(file)
    finally:
        _remove(part)
    return after


def _check_alone(file: Path, key: str) -> None:
    """Nobody else has the database open, and all of it stands in one file: what is put in its place loses nothing."""
    try:
        stand_alone(file, key)
    except sqlite3.OperationalError as error:
        raise _in_use(file) from error
    if _sides(file):
        raise _in_use(file)


def _check_untouched(file: Path, key: str, before: Proof) -> None:
    """Nobody has opened the database since, which would leave side files, or added a step to it."""
    if not _sides(file):
        with read_only(file, key=key) as conn:
            if ledger.head(conn) == (before.last_step, before.head):
                return
    raise _in_use(file)


def _in_use(file: Path) -> BackupRefused:
    return BackupRefused(
        f"{file} is in use by another command of this program; wait until it has ended, then try again."
    )


def _sides(file: Path) -> list[Path]:
    return [side for side in (Path(f"{file}{name}") for name in SIDE_FILES) if side.exists()]


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
    for path in (file, *_sides(file)):
        path.unlink(missing_ok=True)
