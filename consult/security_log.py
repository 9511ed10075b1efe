"""The security log: who signed in, who could not, and what was refused, as lines of JSON in files of the instance.

A line holds five fields and nothing else: when (UTC), which event, whose (an opaque id, or nothing), and which page
by which method. All but the time come from lists of this program, so that nothing that was sent can stand in a line. It
lies beside the database and not in it: whoever is refused over and over must not make colleagues wait for the record.
Where that is set, each line is handed on to the syslog of the machine as well.
"""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import asdict

from consult.handing_on import Onward
from consult.record.timekeeping import stamp

FOLDER: Final = "security"
KEEP: Final = timedelta(days=180)
"""For how long a day's file is kept."""
BELIEVED: Final = 3
"""On so many days something must have been written before the clock is believed that they have come."""
MOST: Final = 1_000_000
"""How many bytes a day's file takes of what anybody can bring about; four times that about people who are signed in."""
EVENTS: Final = {
    "signed_in": "Signed in",
    "code_asked": "Asked for a code",
    "sign_in_failed": "Sign-in failed",
    "sign_in_braked": "Sign-in refused after too many tries",
    "password_wrong": "Password asked again, and wrong",
    "locked": "Screen locked",
    "unlocked": "Screen unlocked",
    "unlock_failed": "Unlocking failed",
    "signed_out": "Signed out",
    "refused_role": "Page refused, not for the role",
    "refused_own": "Own record refused",
    "not_there": "Something asked for that is not there, or is another's",
    "refused_form": "Form refused, without the token of a page",
    "refused_origin": "Form refused, sent from another site",
    "refused_host": "Asked for under another host name",
    "refused_method": "Page used in a way it has not",
    "refused_name": "Text refused, as it names an employee",
    "refused_size": "More sent than is taken",
    "braked": "Too many requests of one kind",
    "log_full": "No more lines today about whoever is not signed in",
}
OF_ANYBODY: Final = frozenset({"code_asked", "sign_in_failed", "sign_in_braked"})
"""Events about a person that anybody brings about who types their sign-in name: they take no room of others."""
PERSON: Final = re.compile(r"p-[0-9a-f]{16}")
PAGE: Final = re.compile(r"[a-z_]{1,40}(\.[a-z_]{1,40})?")
METHODS: Final = frozenset({"GET", "HEAD", "POST"})


class Event(Struct, frozen=True):
    """One line: `at` is UTC (ISO 8601), `person` an opaque id or "", `page` the name of a route or ""."""

    at: str
    event: str
    person: str
    page: str
    method: str

    @property
    def words(self) -> str:
        """What happened, in words."""
        return EVENTS[self.event]


class SecurityLog:
    """The log of one instance, for a server with threads."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._lock, self._full = folder / FOLDER, threading.Lock(), ""
        self.failed, self.onward = "", Onward()

    def note(self, now: datetime, event: str, person: str = "", page: str = "", method: str = "") -> None:
        """Write a line. What is not of the lists is left out; a disk that takes nothing stops nobody."""
        known = Event(
            stamp(now),
            event if event in EVENTS else "not_there",
            person if PERSON.fullmatch(person) else "",
            page if PAGE.fullmatch(page) else "",
            method if method in METHODS else "",
        )
        with self._lock:
            try:
                self._write(now.date(), known)
                self.failed = ""
            except OSError as error:
                self.failed = error.strerror or type(error).__name__

    def _write(self, day: date, event: Event) -> None:
        file = self.folder / f"{day.isoformat()}.jsonl"
        if not file.exists():
            self.folder.mkdir(mode=0o700, exist_ok=True)
            remove_old(self.folder, day)
        size = file.stat().st_size if file.exists() else 0
        of_somebody_in = event.person and event.event not in OF_ANYBODY
        if size >= (MOST * 4 if of_somebody_in else MOST):
            if self._full == file.name or of_somebody_in:
                return
            self._full = file.name
            event = Event(event.at, "log_full", "", "", "")
        line = json.dumps(asdict(event)) + "\n"
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(handle, line.encode("ascii"))
        finally:
            os.close(handle)
        self.onward.give(line.rstrip("\n"))


def remove_old(folder: Path, today: date) -> list[str]:
    """Remove the files of days too long ago, by their names; returns which.

    How long ago is counted from the third last day before today on which something was written: else a clock that runs
    half a year ahead would take the whole log away in one day.
    """
    days = [day for file in files_in(folder) if (day := date.fromisoformat(file.stem)) < today]
    since = days[BELIEVED - 1] if len(days) >= BELIEVED else date.min
    gone = [folder / f"{day.isoformat()}.jsonl" for day in days if since - day > KEEP]
    for file in gone:
        with suppress(OSError):
            file.unlink()
    return [file.name for file in gone]


def files_in(folder: Path) -> list[Path]:
    """The files of the log, the newest first; whatever else lies there is none."""
    return sorted((file for file in folder.glob("????-??-??.jsonl") if _is_day(file.stem)), reverse=True)


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def newest(instance_folder: Path, most: int, person: str = "", event: str = "") -> Iterator[Event]:
    """The newest events first, of everybody or of one person, of every kind or of one; lines that are none are left."""
    left = most
    for file in files_in(instance_folder / FOLDER):
        with suppress(OSError):
            for line in reversed(file.read_text("utf-8", errors="replace").splitlines()):
                found = _read(line)
                if found and (not person or found.person == person) and (not event or found.event == event):
                    if not left:
                        return
                    left -= 1
                    yield found


def _read(line: str) -> Event | None:
    try:
        found = Event(**json.loads(line))
    except (ValueError, TypeError):
        return None
    whole = all(isinstance(value, str) for value in asdict(found).values()) and found.event in EVENTS
    return found if whole else None
