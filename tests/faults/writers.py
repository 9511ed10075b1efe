"""Writers that answer questions as browsers do, what they were told, and whether the record agrees."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

from house import House
from tab import Tab, Unreachable, another_answer, new_key, plain

from consult.instance import database_file
from consult.proforma.answer import ANSWERED, Answer
from consult.record import ledger
from consult.record.database import Connection, sqlite3

About = tuple[str, str]  # a consultation and one of its questions
LEAFLET = "back-pain-core"


@dataclass(frozen=True)
class Write:
    """One answer that a writer gives, or (without a question) a leaflet it discusses."""

    about: About
    answer: Answer | None
    key: str
    fields: tuple[tuple[str, str], ...]


class Writer(threading.Thread):
    """One clinician who answers question after question, and sends each again until the server has it."""

    def __init__(self, tab: Tab, consultations: tuple[str, ...], house: House, luck: random.Random, up: Any) -> None:
        super().__init__(daemon=True)
        self.tab, self.consultations, self.luck, self.up = tab, consultations, luck, up
        self.questions = [q for q in house.questions if plain(q)]
        self.known: dict[About, tuple[int, Answer]] = {}
        self.acked: list[Write] = []
        self.on_the_way: Write | None = None
        self.sent_again, self.strange = 0, list[str]()
        self.ending = threading.Event()
        self.busy = False

    def run(self) -> None:
        while not self.strange and not (self.ending.is_set() and self.on_the_way is None):
            self.busy = True
            try:
                if self.up.is_set():  # looked at once `busy` is set, so that nobody slips by whoever waits for both
                    self._one()
            except Unreachable:
                self.sent_again += self.on_the_way is not None
            finally:
                self.busy = False
            self.up.wait(timeout=0.02)

    def _one(self) -> None:
        if self.on_the_way is None:
            self.on_the_way = self._next()
        write = self.on_the_way
        consultation, question = write.about
        if question:
            reply = self.tab.save(consultation, list(write.fields), write.key)
            ok = reply.status == 200
        else:
            path = f"/consultations/{consultation}/leaflets/{LEAFLET}/discussed"
            reply = self.tab.post(path, [*write.fields, ("key", write.key)], htmx=False)
            ok = reply.status == 302
        if not ok:
            self.strange.append(f"{write.about}: {reply.status} {reply.text[:300]}")
            return
        if write.answer is not None:
            self.known[write.about] = (reply.seen().get(question, -1), write.answer)
        self.acked.append(write)
        self.on_the_way = None

    def _next(self) -> Write:
        consultation = self.consultations[len(self.acked) // 40 % len(self.consultations)]
        if self.luck.random() < 0.08:
            return Write((consultation, ""), None, new_key(), (("language", "en"),))
        question = self.luck.choice(self.questions)
        about = (consultation, question.id)
        seen, now = self.known.get(about, (0, None))
        fields, answer = another_answer(question, now, self.luck)
        return Write(about, answer, new_key(), (*fields, (f"seen.{question.id}", str(seen))))


class Crowd:
    """The writers of one house, who all hear at once that the server is there again."""

    def __init__(self, house: House, port: int, luck: random.Random) -> None:
        self.up = threading.Event()
        tokens = house.tokens()
        self.writers = [
            Writer(Tab(port, tokens[nurse]), house.consultations[nurse], house, random.Random(luck.random()), self.up)
            for nurse in house.nurses
        ]

    def open(self) -> None:
        """Each opens a page, which brings the CSRF token."""
        for writer in self.writers:
            writer.tab.open()

    @contextmanager
    def writing(self) -> Iterator[Crowd]:
        """The writers write while the block runs; at its end each has finished what it had begun."""
        for writer in self.writers:
            writer.start()
        try:
            yield self
        finally:
            for writer in self.writers:
                writer.ending.set()
            self.up.set()
            for writer in self.writers:
                writer.join(timeout=60)
                writer.tab.close()

    @property
    def acked(self) -> int:
        return sum(len(w.acked) for w in self.writers)

    @property
    def sent_again(self) -> int:
        return sum(w.sent_again for w in self.writers)

    def strange(self) -> list[str]:
        """Replies that no writer should ever get."""
        return [sentence for w in self.writers for sentence in w.strange]


@dataclass
class Found:
    """What a comparison of record and writers found."""

    acknowledged: int = 0
    sent_again: int = 0
    recognised: int = 0
    lost: int = 0
    doubled: int = 0
    changed: int = 0
    faults: list[str] = field(default_factory=list)

    def add(self, other: Found) -> None:
        for name in ("acknowledged", "sent_again", "recognised", "lost", "doubled", "changed"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.faults += other.faults


class Checker:
    """Compares what the record holds with what the writers were told; looks at each step once, and at all at the end.

    What the product's own `ledger.verify` does is done here anew, so that one does not vouch for itself.
    """

    def __init__(self, house: House, crowd: Crowd) -> None:
        self.file, self.crowd, self.found = database_file(house.folder), crowd, Found()
        self.last, self.head = self._now()
        self.recorded: dict[About, list[tuple[str, Answer | None]]] = defaultdict(list)
        self.told: dict[About, list[Write]] = defaultdict(list)
        self.counted = dict.fromkeys(crowd.writers, 0)
        self.in_doubt = set[str]()

    def _now(self) -> tuple[int, str]:
        with self._reading() as conn:
            return ledger.head(conn)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with closing(sqlite3.connect(f"file:{self.file}?mode=ro", uri=True)) as conn:
            conn.row_factory = sqlite3.Row
            yield conn

    def look(self) -> None:
        """Look at the steps and the acknowledgements that are new; call it while nobody writes."""
        touched = set()
        for writer, n in self.counted.items():
            for write in writer.acked[n:]:
                self.told[write.about].append(write)
                touched.add(write.about)
            self.counted[writer] = len(writer.acked)
        touched |= self._new_steps()
        waiting = {w.on_the_way.about: w.on_the_way for w in self.crowd.writers if w.on_the_way}
        for about in touched:
            self._compare(about, waiting.get(about))
        self.in_doubt |= {w.key for about, w in waiting.items() if self._stands_last(about, w)}
        self.found.acknowledged = sum(self.counted.values())
        self.found.sent_again, self.found.recognised = self.crowd.sent_again, len(self.in_doubt)
        self.found.faults += self.crowd.strange()

    def _new_steps(self) -> set[About]:
        touched = set()
        with self._reading() as conn:
            stands = conn.execute("SELECT hash FROM step WHERE seq = ?", (self.last,)).fetchone()
            if stands is None or stands["hash"] != self.head:
                self.found.faults.append(f"step {self.last} is not what it was")
                self.found.changed += 1
            query = (
                "SELECT s.*, c.salt, c.content FROM step s JOIN step_content c USING (seq) WHERE seq > ? ORDER BY seq"
            )
            for row in conn.execute(query, (self.last,)):
                self._link(row)
                about = (row["consultation"], row["question"])
                if row["kind"] in ("answer_given", "leaflet_discussed"):
                    self.recorded[about].append((row["key"], answer_of(row)))
                    touched.add(about)
        return touched

    def _link(self, row: Any) -> None:
        plain = [row[n] for n in ("consultation", "kind", "question", "content_digest", "actor", "role", "at", "key")]
        whole = (
            row["seq"] == self.last + 1
            and row["previous"] == self.head
            and row["hash"] == ledger.chain_hash(self.head, row["seq"], *plain)
            and row["content_digest"] == ledger.content_digest(row["salt"], row["content"])
        )
        if not whole:
            self.found.faults.append(f"step {row['seq']} does not follow from the one before")
        self.last, self.head = row["seq"], row["hash"]

    def _stands_last(self, about: About, write: Write) -> bool:
        """Whether a write that no reply came to is recorded: sent again, it must be recognised."""
        return bool(self.recorded[about]) and self.recorded[about][-1][0].partition(":")[0] == write.key

    def _compare(self, about: About, waiting: Write | None) -> None:
        """What is recorded of a question is what was acknowledged, in that order, and at most the one on its way."""
        recorded = [(key.partition(":")[0], answer) for key, answer in self.recorded[about]]
        expected = [(write.key, write.answer) for write in self.told[about]]
        if recorded in (expected, [*expected, (waiting.key, waiting.answer)] if waiting else expected):
            return
        answers, told = [a for _, a in recorded], [a for _, a in expected]
        missing = len(told) - longest_common(told, answers)
        allowed = 1 if waiting and len(answers) > len(told) and answers[-1] == waiting.answer else 0
        extra = len(answers) - longest_common(told, answers) - allowed
        self.found.lost += missing
        self.found.doubled += max(extra, 0)
        if not missing and extra <= 0:
            self.found.changed += 1
        self.found.faults.append(f"{about}: told {told}, recorded {answers}, on its way {waiting and waiting.answer}")

    def whole(self) -> None:
        """The file is undamaged, and the whole chain holds, by SQLite's and by the product's own word."""
        with self._reading() as conn:
            said = conn.execute("PRAGMA integrity_check").fetchone()[0]
            if said != "ok":
                self.found.faults.append(f"integrity_check: {said}")
            if sentence := ledger.verify(conn):
                self.found.faults.append(sentence)


def longest_common(one: list[Any], other: list[Any]) -> int:
    """How many of one stand in the other, in the same order (the longest common subsequence)."""
    row = [0] * (len(other) + 1)
    for a in one:
        before = 0
        for at, b in enumerate(other, 1):
            before, row[at] = row[at], before + 1 if a == b else max(row[at], row[at - 1])
    return row[-1]


def answer_of(row: Any) -> Answer | None:
    """The answer that a step gave; None for a step of another kind."""
    content = json.loads(row["content"])
    if row["kind"] != "answer_given":
        return None
    return Answer(content["state"], content["value"] if content["state"] == ANSWERED else None, content["reason"])


def settle(crowd: Crowd) -> None:
    """Wait until nobody is in the middle of a request; call it while `crowd.up` is clear."""
    until = time.monotonic() + 30
    while any(w.busy for w in crowd.writers):
        assert time.monotonic() < until, "a request was never answered"
        time.sleep(0.001)
