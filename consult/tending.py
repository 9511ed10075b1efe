"""What the tool does by itself to keep the record: backups when they are due, old ones removed, heads to the witness.

How each last went is written down in a file of the instance, which the settings page and the doctor read. What went
wrong there never stops the server.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import asdict

from consult import witnessing
from consult.backup import backup_folder, backups_in, is_ahead, made_at, name_at, newest_by, write
from consult.instance import database_file, only_for_me
from consult.lock import tending_lock
from consult.proving import read_only
from consult.record.database import Connection
from consult.record.disk import sync
from consult.record.settings import is_demonstration, keeping
from consult.record.timekeeping import stamp

STATE: Final = "keeping.json"
AGAIN: Final = timedelta(hours=1)
BROKEN_OFF: Final = timedelta(hours=12)
"""No backup takes so long."""
A_DAY: Final = timedelta(days=1)


class Went(Struct, frozen=True):
    """How something last went: when (UTC, ISO 8601), whether well, and a sentence."""

    at: str
    well: bool
    sentence: str


def last_went(folder: Path) -> dict[str, Went]:
    """How backup, witness and rehearsal last went, as far as they were ever tried."""
    try:
        known = json.loads((folder / STATE).read_text("utf-8"))
        return {what: Went(**went) for what, went in known.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


class Newest(Struct, frozen=True):
    """The newest backup of all, whoever made it: its file, when it was made (UTC, ISO 8601), and among how many.

    `ahead` of them bear a time to come, and count as older than all others.
    """

    file: Path
    at: str
    among: int
    ahead: int


def newest_backup(folder: Path, conn: Connection, now: datetime) -> Newest | None:
    """The newest backup in the folder of backups; BackupRefused if it can't be looked into."""
    found = newest_by(backups_in(backup_folder(folder, conn)), now)
    made = made_at(found[0]) if found else None
    return Newest(found[0], stamp(made), len(found), sum(is_ahead(file, now) for file in found)) if made else None


def write_down(folder: Path, what: str, went: Went) -> None:
    """Write down how something went, in the place of how it went before."""
    known = {name: asdict(w) for name, w in {**last_went(folder), what: went}.items()}
    part = folder / f"{STATE}.part"
    with only_for_me():
        part.write_text(json.dumps(known, ensure_ascii=False, indent=1), "utf-8")
    sync(part)
    part.replace(folder / STATE)


def due(folder: Path, conn: Connection, now: datetime) -> list[str]:
    """What is due by the settings: "backup", "witness", both or nothing; nothing ever in a demonstration."""
    if is_demonstration(conn):
        return []
    went = last_went(folder)
    hours = keeping(conn, "backup_every_hours")
    backups = [("backup", timedelta(hours=hours))] if hours else []
    witness = [("witness", A_DAY)] if keeping(conn, "witness") else []
    return [what for what, every in backups + witness if _is_due(went.get(what), every, now)]


def _is_due(went: Went | None, every: timedelta, now: datetime) -> bool:
    if went is None:
        return True
    since = now - datetime.fromisoformat(went.at)
    return since < timedelta(0) or since >= (
        every if went.well else min(every, AGAIN)
    )  # below 0: the clock was put back


def tend(folder: Path, now: datetime) -> dict[str, Went]:
    """Do what is due, and write down how it went. Held is raised while another process does the same."""
    done: dict[str, Went] = {}
    with tending_lock(folder), read_only(database_file(folder)) as conn:
        wanted = due(folder, conn, now)
        if "backup" in wanted:
            done["backup"] = _tried(lambda: scheduled_backup(folder, conn, now), now)
        if keeping(conn, "witness") and ("witness" in wanted or _well(done.get("backup"))):
            done["witness"] = _tried(lambda: _witness(conn, now), now)
        for what, went in done.items():
            write_down(folder, what, went)
    return done


def _well(went: Went | None) -> bool:
    return went is not None and went.well


def _tried(work: Callable[[], str], now: datetime) -> Went:
    try:
        return Went(stamp(now), True, work())
    except Exception as error:  # whatever it was: the doctor tells of it
        return failed(error, now)


def failed(error: Exception, now: datetime) -> Went:
    """That something did not go well, with what was said of it; what says nothing by the name of its kind."""
    return Went(stamp(now), False, str(error) or type(error).__name__)


def _witness(conn: Connection, now: datetime) -> str:
    file = Path(keeping(conn, "witness"))
    seen = witnessing.append(conn, file, stamp(now))
    return f"The witness {file} has seen step {seen.step}."


def scheduled_backup(folder: Path, conn: Connection, now: datetime) -> str:
    """Make and prove a backup; only then remove those of the schedule that the settings no longer keep."""
    place = backup_folder(folder, conn)
    _remove_broken_off(place, now)
    file, proof = write(conn, place / name_at(now, scheduled=True))
    gone = _remove_old(place, file, now, keeping(conn, "backup_keep_days"), keeping(conn, "backup_keep_least"))
    removed = f" Removed as too old: {gone}." if gone else ""
    return f"{file}: {proof.last_step} steps, proved.{removed}"


def _remove_old(place: Path, newest: Path, now: datetime, days: int, least: int) -> int:
    """Remove backups of the schedule older than some days, but for the newest few; returns how many went.

    Only files that a running server wrote go: they bear its name and mark. One from the future is no reason to remove
    any, and is not removed.
    """
    ours = [file for file in backups_in(place) if file.stem.endswith("-scheduled")]
    older = [file for file in ours if file != newest and _age(file, now) > timedelta(0)]
    gone = [file for file in older[max(least - 1, 0) :] if _age(file, now) > timedelta(days=days)]
    for file in gone:
        with suppress(FileNotFoundError):
            file.unlink()
    return len(gone)


def _remove_broken_off(place: Path, now: datetime) -> None:
    """Remove what a backup left that was cut short by a kill or a power cut: it holds personal data, and takes room.

    One by hand may be at work now, so its file has to be old.
    """
    for part in place.glob("consult-*.db.part*"):
        of = part.with_name(part.name.partition(".part")[0])
        if _age(of, now) > BROKEN_OFF:
            with suppress(OSError):
                part.unlink()


def _age(file: Path, now: datetime) -> timedelta:
    made = made_at(file)
    return now - made if made else timedelta(0)
