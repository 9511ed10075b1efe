"""A database with many consultations: made in bulk by the ledger's own functions, as one that grew over years.

Each is started, answered and signed. The steps have the kinds, keys, lengths and hashes of real ones; only BEGIN and
COMMIT come once for many.
"""

from __future__ import annotations

import random
import shutil
import sys
import uuid
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from consult.audit import cases
from consult.instance import Instance, database_file, open_instance
from consult.record import ledger
from consult.record.consultation import SIGNED
from consult.record.database import Connection
from consult.record.projection import project_end, project_start
from consult.record.store import Who, stamp

ANSWERS = 45
BEGAN = datetime(2020, 1, 6, 9, 0, tzinfo=UTC)
EMPLOYEES = 5000
BATCH = 2000


@dataclass(frozen=True)
class Made:
    """What was made: the folder, and how much there is."""

    folder: Path
    consultations: int
    steps: int
    size: int


def make(healthy: Path, folder: Path, consultations: int, seed: int = 1) -> Made:
    """A copy of the demonstration with so many consultations more."""
    shutil.copytree(healthy, folder)
    with closing(open_instance(folder)) as instance:
        conn, store = instance.db._writer, instance.store
        conn.execute("PRAGMA synchronous = OFF")
        conn.execute("PRAGMA cache_size = -2000000")
        who = Who("p-0123456789abcdef", "nurse")
        people = range(min(EMPLOYEES, consultations))
        employees = [store.register(f"Testina {n}", date(1980, 3, 2), f"M-{n}", who).id for n in people]
        bulk = Bulk(instance, who, employees, random.Random(seed))
        for first in range(0, consultations, BATCH):
            with instance.db.write() as conn:
                for n in range(first, min(first + BATCH, consultations)):
                    bulk.consultation(conn, n)
        steps = ledger.head(conn)[0]
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return Made(folder, consultations, steps, database_file(folder).stat().st_size)


class Bulk:
    """Writes one consultation after the other, with the case of one that the demonstration signed."""

    def __init__(self, instance: Instance, who: Who, employees: list[str], draw: random.Random) -> None:
        self.who, self.employees, self.draw = who, employees, draw
        self.dataset = instance.library.current.dataset
        conn = instance.db.read()
        self.started = next(ledger.steps(conn, kind="consultation_started")).content or {}
        self.signed = next(ledger.steps(conn, kind="consultation_signed")).content or {}
        self.findings = [q.id for q in instance.library.current.proforma.questions if q.kind == "finding"]
        self.others = [q.id for q in instance.library.current.proforma.questions if q.kind == "choice"]

    def consultation(self, conn: Connection, number: int) -> None:
        """Started, answered, and signed with a case of its own."""
        consultation = str(uuid.uuid4())
        at = BEGAN + timedelta(minutes=20 * number)
        content = {**self.started, "employee": self.employees[number % len(self.employees)], "held_at": stamp(at)}
        self._step(conn, "consultation_started", content, at, consultation)
        project_start(conn, consultation, content, self.who.actor, stamp(at))
        asked = self.draw.choices(self.findings, k=ANSWERS * 2 // 3) + self.draw.choices(self.others, k=ANSWERS // 3)
        for n, question in enumerate(asked):
            state = self.draw.choice(["present", "absent", "absent", "unsure"])
            given = {"state": state, "value": None, "reason": "", "via": "single", "seen": 0}
            self._step(conn, "answer_given", given, at + timedelta(seconds=20 * n), consultation, question)
        case = {**self.signed["case"], "case_ref": f"made-{number:06}", "consultation_date": at.date().isoformat()}
        seq = self._step(conn, "consultation_signed", {**self.signed, "case": case}, at, consultation)
        cases.apply(conn, self.dataset, next(ledger.steps(conn, seq=seq)))
        project_end(conn, consultation, SIGNED, stamp(at))

    def _step(
        self, conn: Connection, kind: str, content: dict[str, Any], at: datetime, consultation: str, question: str = ""
    ) -> int:
        draft = ledger.Draft(kind, content, self.who.actor, stamp(at), consultation, question, self.who.role)
        return ledger.append(conn, draft)


def main() -> None:
    """Make one from the command line: HEALTHY FOLDER CONSULTATIONS."""
    print(make(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])))


if __name__ == "__main__":
    main()
