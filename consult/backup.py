"""Backups: a copy made while the tool runs, proved by opening it; and putting one back."""

from __future__ import annotations

import re
import shutil
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from consult.instance import (
    BACKUPS,
    DATABASE,
    Instance,
    database_file,
    exists,
    make_private,
    only_for_me,
    open_restored,
)
from consult.lock import server_lock
from consult.proving import BackupRefused, Proof, copy, is_ours, prove, read_only, settle, stand_alone
from consult.record import cipher, ledger
from consult.record.database import Connection, in_a_line, sqlite3, why_not_written
from consult.record.disk import sync
from consult.record.opening import SIDE_FILES
from consult.record.settings import is_demonstration, keeping, provider

NAME: Final = re.compile(r"consult-(\d{8}T\d{6}Z)(-scheduled)?\.db")
"""How a backup is named that was given no name; those of a running server say so."""
TIME: Final = "%Y%m%dT%H%M%SZ"
LEEWAY: Final = timedelta(minutes=5)
"""How far the clock may have been set right since a backup was made."""


def backup(instance: Instance, target: Path | None) -> tuple[Path, Proof]:
    """Write a backup to a new file (by default in the instance's own folder) and prove it; the tool may be running."""
    conn = instance.db.read()
    return write(conn, _target(backup_folder(instance.folder, conn), target, instance.clock()))


def write(conn: Connection, file: Path) -> tuple[Path, Proof]:
    """Write a backup of a database in use to a new file, which gets its name once it has been proved."""
    part = file.with_name(file.name + ".part")
    try:
        with only_for_me():
            file.parent.mkdir(parents=True, exist_ok=True)
            copy(conn, part)
        proof = prove(part)
        _check_same_log(conn, proof)
        sync(part)
        part.rename(file)
        sync(file)
    except OSError as error:
        reason = error.strerror or str(error)
        raise BackupRefused(f"The backup cannot be written to {file} ({reason}); choose another place.") from error
    except sqlite3.OperationalError as error:
        raise BackupRefused(
            f"The backup cannot be written to {file} ({in_a_line(error)}); make room, or mend its disk."
        ) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return file, proof


def name_at(now: datetime, scheduled: bool = False) -> str:
    """The name of a backup made now."""
    return f"consult-{now.astimezone(UTC):{TIME}}{'-scheduled' if scheduled else ''}.db"


def backup_folder(folder: Path, conn: Connection) -> Path:
    """Where the backups of an instance go that are given no other place."""
    named = keeping(conn, "backup_folder")
    return Path(named) if named else folder / BACKUPS


def made_at(file: Path) -> datetime | None:
    """When a backup was made, as its name says; None where the name is not one that this program gives."""
    found = NAME.fullmatch(file.name)
    try:
        return datetime.strptime(found[1], TIME).replace(tzinfo=UTC) if found else None
    except ValueError:
        return None


def backups_in(folder: Path) -> list[Path]:
    """The backups of this program in a folder, the newest first; BackupRefused if it can't be looked into."""
    try:
        found = [(made, path) for path in folder.iterdir() if (made := made_at(path)) and is_ours(path)]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise BackupRefused(
            f"The folder {folder} can't be read ({error.strerror}); connect its disk, or let this account read it."
        ) from error
    return [path for _, path in sorted(found, reverse=True)]


def newest_by(files: list[Path], now: datetime) -> list[Path]:
    """Backups as `backups_in` gives them, but those that bear a time to come last: the clock was wrong then."""
    ahead = [file for file in files if is_ahead(file, now)]
    return [file for file in files if file not in ahead] + ahead


def is_ahead(file: Path, now: datetime) -> bool:
    """Whether the name of a backup says that it was made later than now."""
    made = made_at(file)
    return made is not None and made > now + LEEWAY


def _target(folder: Path, target: Path | None, now: datetime) -> Path:
    if target is None:
        target = folder / name_at(now)
    elif target.is_dir():
        target = target / name_at(now)
    if target.exists():
        raise BackupRefused(f"{target} is there already and is not written over; choose another name.")
    return target


def _check_same_log(conn: Connection, proof: Proof) -> None:
    """The copy's last step is a step of this log; more may have been written since."""
    step = next(ledger.steps(conn, seq=proof.last_step), None)
    if proof.last_step and (step is None or step.hash != proof.head):
        raise BackupRefused("The copy does not end at a step of this log; run `consult verify`, then try again.")


def restore(folder: Path, file: Path, now: datetime, actor: str = "program") -> tuple[Proof, Path | None]:
    """Put a backup back; what was there is kept under another name, which is returned. The file is checked first.

    All is made ready beside what is there, with a step that says so; then one rename puts it in its place. So a power
    cut leaves either the record of before or the restored one. Held is raised while a server runs, and BackupRefused if
    the backup is not whole, or would mix demonstration and real data.
    """
    if not file.is_file():
        raise BackupRefused(f"There is no file {file}; name a backup file.")
    make_private(folder)
    with server_lock(folder), only_for_me():
        part = folder / (DATABASE + ".restoring")
        try:
            _copy_aside(folder, file, part)
            proof = prove(part, named=file)  # of what will be in use, so that a long log is proved only once
            if exists(folder):
                _check_not_mixed(folder, proof)
            _make_ready(folder, file, part, proof, now, actor)
            kept = _keep_what_is_there(folder, now)
            for side in SIDE_FILES:  # of the record of before, which is kept; beside another it would damage that
                Path(f"{database_file(folder)}{side}").unlink(missing_ok=True)
            part.replace(database_file(folder))
            sync(database_file(folder))
        finally:
            _remove(part)
    return proof, kept


def _remove(file: Path) -> None:
    for side in ("", *SIDE_FILES):
        Path(f"{file}{side}").unlink(missing_ok=True)


def _copy_aside(folder: Path, file: Path, part: Path) -> None:
    _remove(part)
    try:
        with read_only(file) as conn:
            copy(conn, part)
    except (OSError, sqlite3.Error) as error:
        if sentence := cipher.why_unreadable(file, error):
            raise BackupRefused(sentence) from error
        if isinstance(error, sqlite3.DatabaseError) and not why_not_written(error):
            raise BackupRefused(
                f"{file} is no whole database of this program ({in_a_line(error)}); use another backup."
            ) from error
        raise BackupRefused(
            f"{file} could not be copied to {folder} ({in_a_line(error)}); look at the disk, then try again."
        ) from error


def _make_ready(folder: Path, file: Path, part: Path, proof: Proof, now: datetime, actor: str) -> None:
    """The proved copy, opened as the record of this instance will be, with a step that says where it came from."""
    open_restored(folder, part, {"last_step": proof.last_step, "head": proof.head}, now, actor)
    stand_alone(part)
    sync(part)
    with read_only(part) as conn:
        _check_same_log(conn, proof)
        last = ledger.head(conn)[0]
    if last <= proof.last_step or any(Path(f"{part}{side}").exists() for side in SIDE_FILES):
        raise BackupRefused(f"{file} could not be copied whole; look at the disk, then run this again.")


def _check_not_mixed(folder: Path, proof: Proof) -> None:
    try:
        with read_only(database_file(folder)) as conn:
            known, demonstration = provider(conn), is_demonstration(conn)
    except (sqlite3.DatabaseError, ValueError):
        return  # what is there cannot be read: the reason to restore
    if known and demonstration != proof.demonstration:
        raise BackupRefused(
            "One of the two holds the demonstration, the other real data, and they are never mixed; "
            "restore into another folder with --instance."
        )
    if known and known != proof.provider:
        raise BackupRefused(
            f"The backup is of provider {proof.provider}, this instance of {known}; restore into another folder."
        )


def _keep_what_is_there(folder: Path, now: datetime) -> Path | None:
    """A copy of the database that is there, in one file if it can be read, else of its files as they are."""
    file = database_file(folder)
    if not exists(folder):
        return None
    kept = folder / f"{DATABASE}.before-restore-{now:%Y%m%dT%H%M%S.%fZ}"
    try:
        _copy_whole(file, kept)
    except (OSError, sqlite3.Error) as error:
        _remove(kept)  # half a copy would be taken for the record
        why = getattr(error, "strerror", "") or in_a_line(error)
        raise BackupRefused(
            f"Nothing was restored, as the record that is there could not be kept beside it ({why}); make room on the "
            f"disk of {folder}, or restore into another folder with --instance."
        ) from error
    return kept


def _copy_whole(file: Path, kept: Path) -> None:
    try:
        settle(file)
        with read_only(file) as conn:
            copy(conn, kept)
    except sqlite3.DatabaseError:
        for side in ("", *SIDE_FILES):
            if (path := Path(f"{file}{side}")).exists():
                shutil.copyfile(path, f"{kept}{side}")
                sync(Path(f"{kept}{side}"))
    sync(kept)
