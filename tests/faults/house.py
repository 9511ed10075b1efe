"""A made-up service with several nurses, each with consultations that have just begun; copied for each harness."""

from __future__ import annotations

import shutil
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from consult.accounts import people, sessions
from consult.instance import database_file, open_instance
from consult.proforma.model import Question
from consult.record import settings
from consult.record.database import Database
from consult.record.store import Start, Who, now_utc

PASSWORD = "plainly invented words"
ROUTES = {route: f"01632 960 00{number}" for number, route in enumerate(settings.ROUTE_LABELS)}
LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class House:
    """An instance folder, its nurses, and the consultations each of them holds."""

    folder: Path
    nurses: tuple[str, ...]
    consultations: dict[str, tuple[str, ...]]
    questions: tuple[Question, ...]

    def copy(self, folder: Path) -> House:
        """The same in a folder of its own."""
        shutil.copytree(self.folder, folder)
        return House(folder, self.nurses, self.consultations, self.questions)

    def tokens(self) -> dict[str, str]:
        """A session for each nurse, as signing in opens it; call it while no server runs, or beside one."""
        with closing(Database(database_file(self.folder))) as db, db.write() as conn:
            return {nurse: sessions.create(conn, nurse, now_utc()) for nurse in self.nurses}


def build(folder: Path, nurses: int, each: int) -> House:
    """A demonstration with one site, so many nurses, and so many open consultations for each."""
    with closing(open_instance(folder, create=True)) as instance:
        with instance.db.write() as conn:
            at = instance.store.at()
            settings.change_setting(conn, "provider", "DEMO", "test", at)
            settings.change_setting(conn, "demonstration", True, "test", at)
            settings.change_setting(conn, people.WORK, "scrypt:1024:8:1", "test", at)
            settings.put_site(conn, settings.Site("A", "Site A (invented)", ROUTES), "test", at)
            names = [f"Nurse Number {LETTERS[n].upper()}" for n in range(nurses)]
            added = [
                people.add_person(conn, people.NewPerson(name, "nurse", "A", PASSWORD), "test", at) for name in names
            ]
        held = {}
        for n, nurse in enumerate(added):
            who = Who(nurse.id, "nurse")
            employee = instance.store.register(f"Testina {LETTERS[n].upper()}", date(1975, 1 + n, 13), f"N-{n}", who)
            start = Start(employee.id, "A", "DEMO", "in_person", "45-54")
            held[nurse.id] = tuple(instance.store.start(start, who) for _ in range(each))
        questions = instance.library.current.proforma.questions
        instance.db.read().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return House(folder, tuple(nurse.id for nurse in added), held, questions)
