"""Backups: a copy made while the tool runs, proved by opening it; and putting one back."""

from __future__ import annotations

import filecmp
import shutil
from contextlib import suppress
from datetime import datetime
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
    open_instance,
)
from consult.lock import server_lock
from consult.proving import BackupRefused, Proof, copy, prove, read_only, sync
from consult.record import ledger
from consult.record.database import Connection, sqlite3
from consult.record.settings import is_demonstration, provider

SIDE_FILES: Final = ("", "-wal", "-shm")


def backup(instance: Instance, target: Path | None) -> tuple[Path, Proof]:
    """Write a backup to a new file (by default in the instance's own folder) and prove it; the tool may be running."""
    file = _target(instance, target)
    part = file.with_name(file.name + ".part")
    try:
        with only_for_me():
            file.parent.mkdir(parents=True, exist_ok=True)
            copy(instance.db.read(), part)
        proof = prove(part)
        _check_same_log(instance.db.read(), proof)
        sync(part)
        part.rename(file)
        sync(file)
    except OSError as error:
        reason = error.strerror or str(error)
        raise BackupRefused(f"The backup cannot be written to {file} ({reason}); choose another place.") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return file, proof


def _target(instance: Instance, target: Path | None) -> Path:
    name = f"consult-{instance.clock():%Y%m%dT%H%M%SZ}.db"
    if target is None:
        target = instance.folder / BACKUPS / name
    elif target.is_dir():
        target = target / name
    if target.exists():
        raise BackupRefused(f"{target} is there already and is not written over; choose another name.")
    return target


def _check_same_log(conn: Connection, proof: Proof) -> None:
    """The copy's last step is a step of this log; more may have been written since."""
    step = next(ledger.steps(conn, seq=proof.last_step), None)
    if proof.last_step and (step is None or step.hash != proof.head):
        raise BackupRefused("The copy does not end at a step of this log; run `consult verify`, then try again.")


def restore(folder: Path, file: Path, now: datetime) -> tuple[Proof, Path | None]:
    """Put a backup back; what was there is kept under another name, which is returned. The file is checked first.

    Held is raised while a server runs, and BackupRefused if the backup is not whole, or would mix demonstration and
    real data.
    """
    proof = prove(file)
    make_private(folder)
    with server_lock(folder), only_for_me():
        if exists(folder):
            _check_not_mixed(folder, proof)
        part = folder / (DATABASE + ".restoring")
        try:
            shutil.copyfile(file, part)
            sync(part)
            if not filecmp.cmp(file, part, shallow=False):
                raise BackupRefused(f"{file} could not be copied whole; look at the disk, then run this again.")
            kept = _set_aside(folder, now)
            part.replace(database_file(folder))
        finally:
            part.unlink(missing_ok=True)
        _open_or_put_back(folder, kept)
    return proof, kept


def _check_not_mixed(folder: Path, proof: Proof) -> None:
    try:
        with read_only(database_file(folder)) as conn:
            known, demonstration = provider(conn), is_demonstration(conn)
    except sqlite3.DatabaseError:
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


def _set_aside(folder: Path, now: datetime) -> Path | None:
    if not exists(folder):
        return None
    stamp = f"before-restore-{now:%Y%m%dT%H%M%S.%fZ}"
    kept = folder / f"{DATABASE}.{stamp}"
    for side in SIDE_FILES:
        path = folder / f"{DATABASE}{side}"
        if path.exists():
            path.rename(folder / f"{DATABASE}.{stamp}{side}")
    return kept


def _open_or_put_back(folder: Path, kept: Path | None) -> None:
    try:
        open_instance(folder).close()
    except BaseException:
        for side in SIDE_FILES:
            (folder / f"{DATABASE}{side}").unlink(missing_ok=True)
            if kept and (before := Path(f"{kept}{side}")).exists():
                before.rename(folder / f"{DATABASE}{side}")
        raise
