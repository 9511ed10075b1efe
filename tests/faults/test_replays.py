"""Every save sent again, at once, later, from two tabs together and after a restart: no replay is ever a step."""

from __future__ import annotations

import random
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from house import House, build
from luck import seeded
from served import Served
from tab import Fields, Reply, Tab, another_answer, new_key, plain

from consult import verifying
from consult.instance import database_file
from consult.record.database import sqlite3

pytestmark = [
    pytest.mark.fault,
    pytest.mark.skipif(sys.platform != "linux", reason="the server that is stopped and started again runs on Linux"),
]
URGENT = "saddle_feeling_change"
BLOCK = "rest_of_red_flags"
LEAFLET = "back-pain-core"
HIDDEN = re.compile(r'<input type="hidden" name="(?:[\w-]+~)?(shown\.\w+)" value="([^"]*)"')


@dataclass(frozen=True)
class Save:
    """One POST as a page sends it."""

    what: str
    path: str
    fields: tuple[tuple[str, str], ...]
    key: str
    htmx: bool = False

    def send(self, tab: Tab) -> Reply:
        return tab.post(self.path, [*self.fields, ("key", self.key)], self.htmx)


@dataclass
class Counted:
    """What came of so many replays."""

    saves: int = 0
    replays: int = 0
    extra: int = 0
    faults: list[str] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)


class Replayer:
    """Two tabs of one nurse, and the count of steps before and after each replay."""

    def __init__(self, served: Served, house: House, luck: random.Random, fresh_keys: bool) -> None:
        self.served, self.house, self.luck, self.fresh_keys = served, house, luck, fresh_keys
        token = house.tokens()[house.nurses[0]]
        served.start(house.folder)
        self.tabs = [Tab(served.port, token), Tab(served.port, token)]
        self.open()
        self.sent: list[tuple[Save, int]] = []
        self.counted = Counted()
        self.pool = ThreadPoolExecutor(2)

    def open(self) -> None:
        for tab in self.tabs:
            tab.close()
            tab.open()

    def rows(self, after: int = 0) -> list[Any]:
        query = "SELECT seq, consultation, kind, question FROM step WHERE seq > ? ORDER BY seq"
        with closing(sqlite3.connect(f"file:{database_file(self.house.folder)}?mode=ro", uri=True)) as conn:
            return list(conn.execute(query, (after,)))

    def last(self) -> int:
        with closing(sqlite3.connect(f"file:{database_file(self.house.folder)}?mode=ro", uri=True)) as conn:
            return int(conn.execute("SELECT max(seq) FROM step").fetchone()[0])

    def save(self, save: Save) -> Reply:
        """Send a save for the first time, now and then twice at once, as a double click does; then replay it."""
        before = self.last()
        if self.luck.random() < 0.3:
            replies = list(self.pool.map(save.send, self.tabs))
            self.counted.replays += 1
        else:
            replies = [save.send(self.tabs[0])]
        reply = min(replies, key=lambda r: r.status)
        if reply.status >= 400:
            self.counted.faults.append(f"{save.what}: refused at first: {reply.status} {reply.text[:200]}")
        new = [tuple(row)[1:] for row in self.rows(before)]
        if len(set(new)) < len(new) or not new:
            self.counted.extra += len(new) - len(set(new))
            self.counted.faults.append(f"{save.what}: sent {len(replies)} times, recorded {new}")
        self.counted.saves += 1
        self.counted.kinds[save.what] += 1
        self.sent.append((save, reply.status))
        self.replay((save, reply.status))
        if len(self.sent) > 5:
            self.replay(self.luck.choice(self.sent))
        return reply

    def replay(self, sent: tuple[Save, int]) -> None:
        """The same once more from one tab, or from both at once; the record must not move, nor the reply be worse."""
        save, status = sent
        if self.fresh_keys:
            save = replace(save, key=new_key())
        before, tabs = self.last(), self.tabs[: self.luck.choice((1, 1, 2))]
        for reply in self.pool.map(save.send, tabs):
            self.counted.replays += 1
            told_otherwise = save.what in ("answer", "section", "remove") and reply.status != status
            if (reply.status >= 500 or told_otherwise) and not self.fresh_keys:
                self.counted.faults.append(f"{save.what}: replayed, {status} became {reply.status} {reply.text[:200]}")
        if extra := self.rows(before):
            self.counted.extra += len(extra)
            self.counted.faults.append(f"{save.what}: a replay added {[tuple(row) for row in extra]}")

    def restart(self) -> None:
        """Stop or kill the server, start it, and send again what it had saved before."""
        if self.luck.random() < 0.5:
            self.served.kill()
        else:
            self.served.stop()
        self.served.start(self.house.folder)
        for tab in self.tabs:
            tab.close()
        for sent in self.luck.sample(self.sent, min(10, len(self.sent))):
            self.replay(sent)

    # --- one consultation, with every kind of save -------------------------------------------------------------------

    def consultation(self, employee: str) -> None:
        """Hold a consultation from its start to an addendum, and replay every save of it."""
        form = (("employee", employee), ("attendance", "in_person"))
        self.path = "/consultations"
        started = self._do("start", "/start", form)
        self.id = re.search(r"/consultations/([\w-]{36})", started.text).group(1)  # type: ignore[union-attr]
        self.path, self.seen = f"/consultations/{self.id}", Counter[str]()
        acts = [self._answer] * 12 + [self._section, self._remove, self._urgent, self._gestures, self._papers]
        self.luck.shuffle(acts)
        for act in acts:
            act()
        self._do("blank reason", "/blank-reason", (("reason", "out_of_time"),))
        self._do("sign", "/sign", tuple(("on_purpose", q.id) for q in self.house.questions))
        self._do("addendum", "/addendum", (("text", "Rang back"), ("why", "Asked to"), ("chosen", "")))

    def _do(self, what: str, path: str, fields: tuple[tuple[str, str], ...], htmx: bool = False) -> Reply:
        return self.save(Save(what, self.path + path, fields, new_key(), htmx))

    def _some_question(self) -> tuple[str, Fields]:
        """A question that is not urgent and was not answered yet, with a random answer."""
        free = [q for q in self.house.questions if plain(q) and not q.emergency and not self.seen[q.id]]
        question = self.luck.choice([q for q in free if q.id not in self._of_block()])
        fields, _ = another_answer(question, None, self.luck)
        return question.id, [*fields, (f"seen.{question.id}", "0")]

    def _of_block(self) -> set[str]:
        return {q.id for q in self.house.questions if q.block == BLOCK}

    def _answer(self) -> None:
        _, fields = self._some_question()
        self.seen.update(self._do("answer", "/answers", tuple(fields), htmx=True).seen())

    def _section(self) -> None:
        """Several questions at once, as a page without JavaScript sends them."""
        parts = dict(self._some_question() for _ in range(3))
        self._do("section", "/answers", tuple(f for fields in parts.values() for f in fields))
        self.seen.update(dict.fromkeys(parts, self.last()))

    def _remove(self) -> None:
        question, fields = self._some_question()
        self.seen.update(self._do("answer", "/answers", tuple(fields), htmx=True).seen())
        seen = (f"seen.{question}", str(self.seen[question]))
        self._do("remove", "/answers", (("remove", question), seen), htmx=True)

    def _urgent(self) -> None:
        fields = ((f"a.{URGENT}", "present"), (f"seen.{URGENT}", "0"))
        reply = self._do("answer", "/answers", fields, htmx=True)
        shown = next((n, unescape(v)) for n, v in HIDDEN.findall(reply.text) if n == f"shown.{URGENT}")
        decision = (("question", URGENT), ("decision", "same_day_emergency"), ("reason", "Sent"), ("told", "the ward"))
        self._do("decision", "/decisions", (*decision, shown))

    def _gestures(self) -> None:
        first = (("a.cancer_ever", "absent"), ("seen.cancer_ever", "0"))
        self._do("answer", "/answers", first, htmx=True)
        blank = tuple((f"seen.{q}", "0") for q in sorted(self._of_block()) if q != "cancer_ever")
        for _ in range(2):
            self._do("rest", f"/blocks/{BLOCK}/rest", blank, htmx=True)
            self._do("undo", f"/blocks/{BLOCK}/undo", (), htmx=True)
            blank = tuple((f"seen.{row[3]}", str(row[0])) for row in self.rows() if self._filled(row))

    def _filled(self, row: Any) -> bool:
        return row[1] == self.id and row[2] == "answer_removed" and row[3] in self._of_block()

    def _papers(self) -> None:
        for done, more in (("printed", ("format", "a4")), ("given", ("form", "link")), ("discussed", ("form", ""))):
            self._do(f"leaflet {done}", f"/leaflets/{LEAFLET}/{done}", (("language", "en"), more))
        self._do("letter", "/letter", ())
        self._do("note copied", "/note-copied", ())


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    return build(tmp_path_factory.mktemp("house") / "instance", nurses=2, each=1)


@pytest.fixture
def replayed(house: House, tmp_path: Path) -> Iterator[Callable[[int, bool], Counted]]:
    """So many replays, over as many consultations as they need."""
    served = Served(tmp_path / "server.log")
    copy = house.copy(tmp_path / "instance")

    def run(replays: int, fresh_keys: bool) -> Counted:
        replayer = Replayer(served, copy, seeded("replays"), fresh_keys)
        employees = the_employees(copy)
        while replayer.counted.replays < replays:
            replayer.consultation(replayer.luck.choice(employees))
            replayer.restart()
            done = replayer.counted
            if done.saves // 31 % 10 == 0:
                print(f"{done.saves} saves, {done.replays} replays, {done.extra} extra steps", flush=True)
        for tab in replayer.tabs:
            tab.close()
        served.stop()
        return replayer.counted

    yield run
    served.close()
    assert verifying.verify(copy.folder)[1] == []


def the_employees(house: House) -> list[str]:
    with closing(sqlite3.connect(f"file:{database_file(house.folder)}?mode=ro", uri=True)) as conn:
        return [row[0] for row in conn.execute("SELECT id FROM employee ORDER BY id")]


@pytest.mark.parametrize("replays", [1000, pytest.param(10_000, marks=pytest.mark.soak)])
def test_replays_add_no_step(replayed: Callable[[int, bool], Counted], replays: int) -> None:
    counted = replayed(replays, False)
    print(f"{counted.saves} saves, {counted.replays} replays, {counted.extra} extra steps; {dict(counted.kinds)}")
    assert counted.faults == []
    assert counted.extra == 0
    assert len(counted.kinds) >= 14


class TestControl:
    def test_replays_with_a_fresh_key_add_steps(self, replayed: Callable[[int, bool], Counted]) -> None:
        counted = replayed(100, True)
        assert counted.extra > 0
