"""Rehearsing a restore: the newest backup is put back aside, proved in full and held against the log in use."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from msgspec import Struct

from consult import verifying
from consult.backup import backup_folder, backups_in, made_at, newest_by, restore
from consult.instance import database_file, only_for_me
from consult.lock import tending_lock
from consult.progress import Progress, silent
from consult.proving import BackupRefused, read_only
from consult.record import ledger
from consult.record.database import in_a_line, sqlite3
from consult.record.timekeeping import stamp
from consult.tending import Went, failed, write_down

FOLDER: Final = "rehearsal-"


class Rehearsal(Struct, frozen=True):
    """What a rehearsal found: the backup, its last step, how many steps of the log in use it lacks, and its age."""

    file: Path
    last_step: int
    behind: int
    age: timedelta | None

    @property
    def sentence(self) -> str:
        """What it found, in words."""
        age = f", {_in_words(self.age)} old" if self.age is not None else ""
        return (
            f"{self.file}{age}: restored aside and proved whole, {self.last_step} steps; the log in use begins with "
            f"the same steps and has {self.behind} more."
        )


def _in_words(age: timedelta) -> str:
    hours = age / timedelta(hours=1)
    return f"{hours / 24:.0f} days" if hours >= 48 else f"{hours:.1f} hours"


def rehearse(folder: Path, file: Path | None, now: datetime, progress: Progress = silent) -> Rehearsal:
    """Restore a backup (by default the newest) into a folder that is removed again, prove it, and compare it.

    How it went is written down, whatever ended it. BackupRefused says what is wrong with the backup.
    """
    with tending_lock(folder):
        try:
            found = _rehearse(folder, file or newest(folder, now), now, progress)
        except Exception as error:
            write_down(folder, "rehearsal", failed(error, now))
            raise
        write_down(folder, "rehearsal", Went(stamp(now), True, found.sentence))
        return found


def newest(folder: Path, now: datetime) -> Path:
    """The newest backup in the place where they go; BackupRefused if there is none."""
    try:
        with read_only(database_file(folder)) as conn:
            place = backup_folder(folder, conn)
    except (sqlite3.DatabaseError, ValueError) as error:
        raise BackupRefused(
            f"The record in use can't be read ({in_a_line(error)}), and it says where backups go: name the backup to "
            "rehearse, then restore it."
        ) from error
    found = newest_by(backups_in(place), now)
    if not found:
        raise BackupRefused(f"There is no backup in {place}; make one with `consult backup`, or name a file.")
    return found[0]


def _rehearse(folder: Path, file: Path, now: datetime, progress: Progress) -> Rehearsal:
    for left in folder.glob(f"{FOLDER}*"):  # of a rehearsal that was cut short
        shutil.rmtree(left, ignore_errors=True)
    with only_for_me():
        aside = Path(tempfile.mkdtemp(prefix=FOLDER, dir=folder))
    try:
        proof, _ = restore(aside / "instance", file, now)
        _, differing = verifying.verify(aside / "instance", progress)
        if differing:
            raise BackupRefused(f"{file} restores, but not all in it is as its steps say: {differing[0]}")
        behind = _behind(folder, file, proof.last_step, proof.head)
    finally:
        with suppress(OSError):
            shutil.rmtree(aside)
    made = made_at(file)
    return Rehearsal(file, proof.last_step, behind, now - made if made else None)


def _behind(folder: Path, file: Path, last_step: int, head: str) -> int:
    """How many steps the log in use has more; BackupRefused if it does not begin with those of the backup."""
    try:
        with read_only(database_file(folder)) as conn:
            step = next(ledger.steps(conn, seq=last_step), None)
            now = ledger.head(conn)[0]
    except (sqlite3.DatabaseError, ValueError) as error:
        why = in_a_line(error)
        raise BackupRefused(f"{file} is whole, but the record in use can't be read ({why}); restore it.") from error
    if last_step and (step is None or step.hash != head):
        raise BackupRefused(
            f"{file} is whole, but its step {last_step} is not that of the log in use: one of the two was changed, or "
            "an older backup was restored. Run `consult verify` with a witness before you rely on either."
        )
    return now - last_step
