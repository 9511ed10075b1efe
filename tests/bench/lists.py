"""How long lists take as consultations add up: `python tests/bench/lists.py`, pages with many to pages with few."""

from __future__ import annotations

import argparse
import re
import statistics
import sys
import tempfile
import time
import uuid
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from room import make

from consult.accounts import sessions
from consult.instance import Instance
from consult.record import identity
from consult.record.database import Connection
from consult.record.ledger import Draft, Step, append_at, head
from consult.record.projection import project_end, project_start
from consult.record.store import Who
from consult.record.timekeeping import stamp
from consult.web.app import create_app

ANSWERS = ("harm_belief", "low_mood", "night_pain", "cord_signs", "fever_or_very_ill", "stopped_activities")
DECIDED_EVERY, FIRST = 50, datetime(2019, 1, 7, 9, tzinfo=UTC)
NAMES = ("Ada", "Ben", "Cora", "Dov", "Eli", "Fay", "Gus", "Hal", "Ida", "Jan")
TIMES = 9


def fill(instance: Instance, who: Who, n: int) -> None:
    """So many ended consultations of one nurse, each with an employee of its own; some with an urgent decision."""
    with instance.db.not_relied_on(), instance.db.write() as conn:
        last, hash_ = head(conn)
        for number in range(n):
            for draft in _drafts(conn, instance, who, number):
                step: Step = append_at(conn, draft, last, hash_)
                last, hash_ = step.seq, step.hash
                if draft.kind == "decision_recorded" and number < n - 3 * DECIDED_EVERY:
                    done = {"decision": last, "outcome": "arrived", "text": "", "addendum": 0}
                    said = Draft("decision_followed_up", done, who.actor, draft.at, draft.consultation, "", who.role)
                    step = append_at(conn, said, last, hash_)
                    last, hash_ = step.seq, step.hash


def _drafts(conn: Connection, instance: Instance, who: Who, number: int) -> list[Draft]:
    begun = FIRST + timedelta(hours=2 * number)
    at, end, id_ = stamp(begun), stamp(begun + timedelta(minutes=40)), str(uuid.uuid4())
    name = f"{NAMES[number % 10]} {'abcdefghij'[number // 10 % 10] * 3}{'klmnopqrst'[number // 100 % 10] * 3}son"
    employee = identity.add_employee(conn, name, date(1960, 1, 1) + timedelta(days=number), f"L-{number}", at)
    content = {"employee": employee.id, "site": "A", "provider": "DEMO", "attendance": "in_person", "age_band": "45-54"}
    content |= {"definition": instance.library.current.digest, "capture_mode": "live", "held_on": at[:10]}
    content |= {"held_at": at, "paper": ""}
    project_start(conn, id_, content, who.actor, at)
    project_end(conn, id_, "signed", end)
    given = {"state": "absent", "value": None, "reason": "", "via": "single", "seen": 0}
    drafts = [Draft("consultation_started", content, who.actor, at, id_, "", who.role)]
    drafts += [Draft("answer_given", given, who.actor, at, id_, question, who.role) for question in ANSWERS]
    if number % DECIDED_EVERY == 0:
        made = {"questions": ["cord_signs"], "states": ["present"], "levels": ["U1"], "decision": "urgent_referral"}
        drafts.append(Draft("decision_recorded", {**made, "reason": "r", "told": ""}, who.actor, at, id_, "", who.role))
    signed = {"case": {}, "note_digest": "", "changed_on_purpose": [], "not_recorded": []}
    return [*drafts, Draft("consultation_signed", signed, who.actor, end, id_, "", who.role)]


def pages(instance: Instance) -> dict[str, str]:
    """The lists, by what they are."""
    known = instance.db.read().execute("SELECT id FROM employee LIMIT 1").fetchone()[0]
    return {
        "start page": "/",
        "ended before a day": "/?until=2019-02-01",
        "search by name": "/employees?aaaklmson",
        "search by number": "/employees?L-7",
        "search by birth": "/employees?1 January 1960",
        "employee": f"/employees/{known}",
        "follow-up": "/follow-up",
        "results": "/results",
    }


def measured(folder: Path, n: int) -> dict[str, float]:
    """The median milliseconds of each list with so many consultations."""
    instance, who = make(folder / f"instance-{n}")
    fill(instance, who, n)
    client = create_app(instance).test_client()
    with instance.db.write() as conn:
        client.set_cookie("consult_session", sessions.create(conn, who.actor, instance.store.clock()))
    token = re.findall(r'name="csrf-token" content="([^"]+)"', client.get("/tour").text)[0]
    found = {}
    for name, address in pages(instance).items():
        taken = []
        for _ in range(TIMES):
            begun = time.process_time()
            path, _, words = address.partition("?") if "employees?" in address else (address, "", "")
            reply = client.post(path, data={"words": words, "csrf_token": token}) if words else client.get(path)
            taken.append((time.process_time() - begun) * 1000)
            assert reply.status_code == 200, (address, reply.status)
        found[name] = statistics.median(taken[2:])
    instance.close()
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--few", type=int, default=100)
    parser.add_argument("--many", type=int, default=10_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as named:
        few, many = measured(Path(named), options.few), measured(Path(named), options.many)
    for name, milliseconds in few.items():
        print(f"{name:20}{milliseconds:8.1f} ms{many[name]:10.1f} ms{many[name] / milliseconds:8.1f} x")
