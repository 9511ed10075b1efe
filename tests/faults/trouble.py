"""A disk that is full, limited, failing or held while answers are saved over the web, in a process of its own.

A browser's part is played truly: an answer that was not acknowledged is kept and sent again with the same key. What
happened is written as JSON.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from disk import ERRORS, OK, Disk
from werkzeug.test import TestResponse

from consult.accounts import people, sessions
from consult.cli import main as consult
from consult.instance import Instance, database_file, open_instance
from consult.proforma.model import Question
from consult.record.database import Database, NotWritten, sqlite3
from consult.record.ledger import steps
from consult.record.store import Saved, Start, Store, Who
from consult.verifying import verify
from consult.web.app import create_app

PATIENCE = 40.0
STATES = ("present", "absent", "unsure")


@dataclass
class Told:
    """What a run saw: replies to saves by status, pages that did not open, and what must never be."""

    saves: Counter[str] = field(default_factory=Counter)
    sentences: list[str] = field(default_factory=list)
    pages: dict[str, int] = field(default_factory=dict)
    export: int = -1
    print_offered: bool | None = None
    false_saved: int = 0
    lost: int = 0
    doubled: int = 0
    recovered_in: float = -1.0
    whole: bool = False


class Browser:
    """A clinician's page: sends answers, keeps what was not acknowledged, and sends it again with its key."""

    def __init__(self, instance: Instance, seed: int) -> None:
        self.instance, self.told, self.draw = instance, Told(), random.Random(seed)
        nurse = next(p for p in people.people(instance.db.read()) if p.role == "nurse")
        who = Who(nurse.id, "nurse")
        with instance.db.write() as conn:
            token = sessions.create(conn, nurse.id, instance.clock())
        employee = instance.store.register("Testina Trouble", date(1980, 3, 2), "T-1", who)
        self.id = instance.store.start(Start(employee.id, nurse.site, "DEMO", "in_person", "45-54"), who)
        self.client = create_app(instance).test_client()
        self.client.set_cookie("consult_session", token, domain="localhost")
        page = self.client.get(f"/consultations/{self.id}").text
        found = re.search(r'name="csrf-token" content="([^"]+)"', page)
        assert found
        self.csrf = found[1]
        questions = instance.library.current.proforma.questions
        self.questions = [q.id for q in questions if q.kind == "finding" and q.show_if is None]
        self.seen: dict[str, int] = {}
        self.acknowledged: dict[str, tuple[str, str]] = {}
        self.kept: list[tuple[str, str, str]] = []
        self.wait = 0.5

    def post(self, address: str, data: dict[str, str], htmx: bool = True) -> TestResponse:
        headers = {"X-CSRFToken": self.csrf} | ({"HX-Request": "true"} if htmx else {})
        return self.client.post(address, data=data, headers=headers)

    def answer(self) -> bool:
        """Give an answer; returns whether the page may say "saved"."""
        question = self.draw.choice([q for q in self.questions if q not in {k[0] for k in self.kept}])
        state = self.draw.choice([s for s in STATES if (question, s) != self.last(question)])
        return self.send(question, state, f"key-of-trouble-{self.draw.getrandbits(64):016x}")

    def last(self, question: str) -> tuple[str, str] | None:
        given = [v for v in self.acknowledged.values() if v[0] == question]
        return given[-1] if given else None

    def send(self, question: str, state: str, key: str) -> bool:
        data = {f"a.{question}": state, f"seen.{question}": str(self.seen.get(question, 0)), "key": key}
        reply = self.post(f"/consultations/{self.id}/answers", data)
        self.told.saves[str(reply.status_code)] += 1
        if reply.status_code == 200:
            self.acknowledged[f"{key}:{question}"] = (question, state)
            self.seen[question] = max(self.seen.get(question, 0), self._step_of(f"{key}:{question}"))
            return True
        if reply.text not in self.told.sentences and len(self.told.sentences) < 8:
            self.told.sentences.append(reply.text[:300])
        if (question, state, key) not in self.kept:
            self.kept.append((question, state, key))
        return False

    def _step_of(self, key: str) -> int:
        """The step of an acknowledged key, looked up past the program's own connections."""
        with closing(Database(database_file(self.instance.folder))) as other:
            row = other.read().execute("SELECT seq FROM step WHERE key = ?", (key,)).fetchone()
        if row is None:
            self.told.false_saved += 1
            return 0
        return int(row[0])

    def send_again(self) -> None:
        """Send what was kept until all of it is acknowledged, as the page does by itself."""
        begun = time.monotonic()
        while self.kept and time.monotonic() - begun < PATIENCE:
            if self.send(*self.kept[0]):
                self.kept.pop(0)
            else:
                time.sleep(self.wait)
        self.told.recovered_in = time.monotonic() - begun

    def look_around(self) -> None:
        """Reading, printing and exporting while nothing can be written."""
        consultation = f"/consultations/{self.id}"
        for page in ("/", consultation, f"{consultation}/note", f"{consultation}/letter", f"{consultation}/steps"):
            name = page.replace(self.id, "ID")
            self.told.pages[name] = self.client.get(page).status_code
        self.told.pages["/leaflets"] = self.client.get("/leaflets").status_code
        self.told.pages["the results"] = self.client.get("/results").status_code
        for n in range(40):  # a page that is not full yet may take a few more steps
            reply = self.post(f"{consultation}/letter", {"key": f"key-of-a-letter-{n:02}"}, htmx=False)
            if reply.status_code == 503:
                self.told.print_offered = "Print all the same" in reply.text
                break
        folder = str(self.instance.folder)
        self.told.export = CliRunner().invoke(consult, ["--instance", folder, "cases", "export", "-"]).exit_code

    def compare(self) -> Told:
        """Hold the record against what was acknowledged."""
        self.told.lost += len(self.kept)
        with closing(open_instance(self.instance.folder)) as instance:
            held = [s for s in steps(instance.db.read(), consultation=self.id) if s.kind == "answer_given"]
        for key, (question, state) in self.acknowledged.items():
            same = [s for s in held if s.key == key]
            self.told.lost += not same
            self.told.doubled += len(same) > 1
            self.told.lost += any((s.question, (s.content or {})["state"]) != (question, state) for s in same)
        self.told.whole = verify(self.instance.folder)[1] == []
        return self.told


@contextmanager
def full(browser: Browser, share: float) -> Iterator[None]:
    """The database may not grow by another page."""
    conn = browser.instance.db._writer
    pages = conn.execute("PRAGMA page_count").fetchone()[0]
    conn.execute(f"PRAGMA max_page_count = {pages}")
    yield
    conn.execute("PRAGMA max_page_count = 1073741823")


@contextmanager
def limited(browser: Browser, share: float) -> Iterator[None]:
    """No file may grow beyond what the largest has now."""
    import resource

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    log = Path(f"{database_file(browser.instance.folder)}-wal")
    resource.setrlimit(resource.RLIMIT_FSIZE, (log.stat().st_size + 20_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


@contextmanager
def failing(browser: Browser, share: float) -> Iterator[None]:
    """Writes and syncs fail now and then."""
    FAILING.append(share)
    yield
    FAILING.clear()


FAILING: list[float] = []
LUCK = random.Random(7)


def fails(kind: str, name: str) -> int:
    return ERRORS[kind] if FAILING and LUCK.random() < FAILING[0] else OK


HOLD = """
import sys, time
from consult.record.database import sqlite3
conn = sqlite3.connect(sys.argv[1], isolation_level=None)
conn.execute("BEGIN IMMEDIATE")
print("held", flush=True)
time.sleep(float(sys.argv[2]))
conn.execute("ROLLBACK")
"""


@contextmanager
def held(browser: Browser, seconds: float) -> Iterator[None]:
    """Another program holds the record for so many seconds."""
    file = str(database_file(browser.instance.folder))
    holder = subprocess.Popen([sys.executable, "-c", HOLD, file, str(seconds)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout
    assert holder.stdout.readline() == "held\n"
    yield
    holder.communicate(timeout=60)


CAUSES: dict[str, Any] = {"full": full, "limited": limited, "failing": failing, "held": held}


def careless() -> None:
    """The control: a product that goes on as if written when it was not."""
    real = Store.saved

    def saved(self: Store, consultation_id: str, question: Question, *sent: Any) -> Saved:
        try:
            return real(self, consultation_id, question, *sent)
        except (NotWritten, sqlite3.OperationalError):
            return Saved(0)

    Store.saved = saved  # type: ignore[method-assign] # broken on purpose


def main() -> None:
    """Run one trouble on an instance, and write what was seen."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("cause", choices=CAUSES)
    parser.add_argument("--amount", type=float, default=0.2)
    parser.add_argument("--answers", type=int, default=60)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--careless", action="store_true")
    options = parser.parse_args()
    LUCK.seed(options.seed)
    if options.cause == "failing":
        Disk(fails=fails).install()
    with closing(open_instance(options.folder)) as instance:
        browser = Browser(instance, options.seed)
        browser.wait = 0.0 if options.cause == "failing" else 0.5
        for _ in range(5):
            assert browser.answer()
        if options.careless:
            careless()
        with CAUSES[options.cause](browser, options.amount):
            for n in range(options.answers):
                browser.answer()
                if options.cause == "failing":
                    browser.send_again()
                elif len(browser.kept) > 3:
                    break
                if n == 0 and options.cause == "held":
                    browser.look_around()
                    break
            if options.cause in ("full", "limited"):
                browser.look_around()
        browser.send_again()
        told = browser.compare()
    print(json.dumps(vars(told)))


if __name__ == "__main__":
    main()
