"""Two tabs of one clinician over one consultation, in any order and at once: no answer is ever overwritten silently."""

from __future__ import annotations

import random
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from house import House, build
from luck import seeded
from served import Served
from tab import TAGS, Fields, Reply, Tab, new_key, plain, some_answer
from writers import answer_of

from consult import verifying
from consult.documents.words import describe
from consult.instance import database_file
from consult.proforma.answer import Answer
from consult.proforma.load import load_definition
from consult.proforma.model import Question
from consult.record.database import sqlite3

pytestmark = [
    pytest.mark.fault,
    pytest.mark.skipif(sys.platform != "linux", reason="the server that is forked runs on Linux"),
]
BLOCK = "rest_of_red_flags"
KINDS = {"finding", "choice", "choices", "number", "text", "arrangement"}
OPENER = "adjustment_types"  # what opens the arrangements
PLACES = 5  # interleavings in one consultation


@dataclass(frozen=True)
class Stood:
    """A step about a question: its number, the answer it left (None: nothing), and how it came."""

    seq: int
    answer: Answer | None
    via: str
    key: str


@dataclass
class Page:
    """What one tab shows: the number of the last step it knows of each question, and the last POST it sent."""

    tab: Tab
    seen: Counter[str] = field(default_factory=Counter)
    last: tuple[str, Fields, str, bool] | None = None


@dataclass
class Tally:
    """What came of so many interleavings."""

    interleavings: int = 0
    sent: int = 0
    won: int = 0
    equal: int = 0
    refused: int = 0
    overwritten: int = 0
    faults: list[str] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)


class TwoTabs:
    """One consultation at a time, two pages over it, and the steps as the file holds them."""

    def __init__(self, served: Served, house: House, luck: random.Random) -> None:
        self.served, self.house, self.luck, self.tally = served, house, luck, Tally()
        token = house.tokens()[house.nurses[0]]
        self.tabs = [Tab(served.port, token), Tab(served.port, token)]
        for tab in self.tabs:
            tab.open()
        self.proforma = load_definition(Path(__file__).parents[2] / "proformas" / "back-pain").proforma
        self.by_id = self.proforma.by_id
        self.askable = [q for q in house.questions if (plain(q) or q.kind == "arrangement") and q.id != OPENER]
        self.pool = ThreadPoolExecutor(2)
        self.file = sqlite3.connect(f"file:{database_file(house.folder)}?mode=ro", uri=True)
        self.file.row_factory = sqlite3.Row
        with closing(self.file.execute("SELECT id FROM employee LIMIT 1")) as rows:
            self.employee = rows.fetchone()[0]

    def close(self) -> None:
        for tab in self.tabs:
            tab.close()
        self.file.close()
        self.pool.shutdown()

    def run(self, interleavings: int) -> Tally:
        for n in range(interleavings):
            if n % PLACES == 0:
                self._begin()
            self._interleave()
            self.tally.interleavings += 1
            if n % 500 == 499:
                print(f"{n + 1} interleavings: {self.tally}", flush=True)
        return self.tally

    def _begin(self) -> None:
        form = [("employee", self.employee), ("attendance", "in_person"), ("key", new_key())]
        reply = self.tabs[0].post("/consultations/start", form, htmx=False)
        self.id = re.search(r"/consultations/([\w-]{36})", reply.text).group(1)  # type: ignore[union-attr]
        together = [(f"a.{OPENER}", o.code) for o in self.by_id[OPENER].options if not o.alone]
        self.tabs[0].save(self.id, [*together, (f"seen.{OPENER}", "0")], new_key())

    def _steps(self) -> dict[str, list[Stood]]:
        """All that is recorded about each question, in order, read past the product."""
        found = defaultdict(list)
        query = (
            "SELECT s.seq, s.kind, s.question, s.key, c.content FROM step s JOIN step_content c USING (seq) "
            "WHERE consultation = ? AND question <> '' ORDER BY seq"
        )
        for row in self.file.execute(query, (self.id,)):
            via = "group" if '"via":"group"' in row["content"] else "single"
            found[row["question"]].append(Stood(row["seq"], answer_of(row), via, row["key"]))
        return found

    def _interleave(self) -> None:
        """Two pages are opened, and a few things are done in them in a random order."""
        one = self.luck.choice(self._of_kind(self.luck.choice(sorted(KINDS))))
        self.chosen = [one, *self.luck.sample([q for q in self.askable if q is not one], 2)]
        self.tally.kinds.update(q.kind for q in self.chosen)
        pages = [Page(tab) for tab in self.tabs]
        for page in pages:
            self._open(page)
        acts = [self._answer] * 6 + [self._section, self._remove, self._gesture, self._again, self._both, self._both]
        for _ in range(self.luck.randint(4, 7)):
            page = self.luck.choice(pages)
            act: Callable[[list[Page]], None] = self.luck.choice(acts)
            act([page, pages[page is pages[0]]])
            if self.luck.random() < 0.1:
                self._open(page)

    def _of_kind(self, kind: str) -> list[Question]:
        return [q for q in self.askable if q.kind == kind]

    def _open(self, page: Page) -> None:
        """A page knows what is recorded when it is made; one in eight is loaded to see that it does."""
        steps = self._steps()
        page.seen = Counter({q: stood[-1].seq for q, stood in steps.items()})
        if self.luck.random() < 0.125:
            shown = page.tab.open(f"/consultations/{self.id}").seen()
            if {q: n for q, n in shown.items() if n} != {q: n for q, n in page.seen.items() if q in shown}:
                self.tally.faults.append(f"a page was made with {shown}, recorded is {page.seen}")

    # --- what is done in a page --------------------------------------------------------------------------------------

    def _answer(self, pages: list[Page]) -> None:
        question = self.luck.choice(self.chosen)
        self._send([(pages[0], self._fields([question], pages[0]), True)])

    def _both(self, pages: list[Page]) -> None:
        """Both tabs at the same moment, about the same question."""
        question = self.luck.choice(self.chosen)
        self._send([(page, self._fields([question], page), True) for page in pages])

    def _section(self, pages: list[Page]) -> None:
        """All three at once, as a page without JavaScript sends them."""
        self._send([(pages[0], self._fields(self.chosen, pages[0]), False)])

    def _remove(self, pages: list[Page]) -> None:
        question = self.luck.choice(self.chosen).id
        self._send([(pages[0], [("remove", question), (f"seen.{question}", str(pages[0].seen[question]))], True)])

    def _again(self, pages: list[Page]) -> None:
        """The last POST of a tab once more, with its key."""
        if pages[0].last:
            path, fields, key, htmx = pages[0].last
            before = self._steps()
            reply = pages[0].tab.post(path, [*fields, ("key", key)], htmx)
            self._nothing_new(before, reply)

    def _nothing_new(self, before: dict[str, list[Stood]], reply: Reply) -> None:
        if self._steps() != before:
            self.tally.faults.append(f"a retry wrote something ({reply.status})")

    def _gesture(self, pages: list[Page]) -> None:
        """ "No to the rest", or its undoing, in one tab, whatever the other has done meanwhile."""
        act = self.luck.choice(("rest", "rest", "undo"))
        page, before = pages[0], self._steps()
        fields = (
            [(f"seen.{q.id}", str(page.seen[q.id])) for q in self.proforma.in_block(BLOCK)] if act == "rest" else []
        )
        reply = page.tab.post(f"/consultations/{self.id}/blocks/{BLOCK}/{act}", [*fields, ("key", new_key())])
        self.tally.sent += 1
        if reply.status >= 500:
            self.tally.faults.append(f"{act}: {reply.status}")
        for question, stood in self._steps().items():
            for step in stood[len(before[question]) :]:
                self._judge_gesture(act, question, before[question], step, page)
        self._now_knows(page, reply.seen())

    def _judge_gesture(self, act: str, question: str, before: list[Stood], step: Stood, page: Page) -> None:
        last = before[-1] if before else Stood(0, None, "", "")
        if act == "rest" and (last.answer is not None or last.seq != page.seen[question]):
            self._overwritten(f'"No to the rest" filled {question} over {last}, the page knew {page.seen[question]}')
        if act == "undo" and (last.via != "group" or last.answer is None or step.answer is not None):
            self._overwritten(f"undoing took {last} of {question} away")

    def _fields(self, questions: list[Question], page: Page) -> Fields:
        fields: Fields = []
        for question in questions:
            sent, _ = some_answer(question, self.luck)
            fields += [*sent, (f"seen.{question.id}", str(page.seen[question.id]))]
        return fields

    def _send(self, posts: list[tuple[Page, Fields, bool]]) -> None:
        """Send one POST, or two at once, and judge what became of each answer in them."""
        path, before = f"/consultations/{self.id}/answers", self._steps()
        keys = [new_key() for _ in posts]

        def send(n: int) -> Reply:
            page, fields, htmx = posts[n]
            return page.tab.post(path, [*fields, ("key", keys[n])], htmx)

        replies = list(self.pool.map(send, range(len(posts))))
        after = self._steps()
        for (page, fields, htmx), key, reply in zip(posts, keys, replies, strict=True):
            self.tally.sent += 1
            page.last = (path, fields, key, htmx)
            for question in [self.by_id[n[5:]] for n, _ in fields if n.startswith("seen.")]:
                self._judge(question, fields, page.seen[question.id], key, reply, before, after)
        for (page, _, htmx), reply in zip(posts, replies, strict=True):
            pieces = htmx or reply.status == 409  # without JavaScript a whole new page comes, which knows everything
            self._now_knows(page, reply.seen() if pieces else {q: steps[-1].seq for q, steps in after.items()})

    def _now_knows(self, page: Page, known: dict[str, int]) -> None:
        for question, seq in known.items():
            page.seen[question] = seq

    def _judge(
        self,
        question: Question,
        fields: Fields,
        seen: int,
        key: str,
        reply: Reply,
        before: dict[str, list[Stood]],
        after: dict[str, list[Stood]],
    ) -> None:
        """It won over what its page knew, or was equal to what stands, or got 409 with both: nothing else."""
        stood = after[question.id]
        mine = [n for n, step in enumerate(stood) if step.key == f"{key}:{question.id}"]
        sent = self._sent(question, fields)
        if mine:
            self.tally.won += 1
            under = stood[mine[0] - 1].seq if mine[0] else 0
            if under != seen:
                self._overwritten(f"{question.id}: {sent} was put over step {under}, its page knew {seen}")
            if stood[mine[0]].answer != sent or len(mine) > 1:
                self.tally.faults.append(f"{question.id}: sent {sent}, recorded {[stood[n] for n in mine]}")
            return
        stood_before = before[question.id][-1:] or [Stood(0, None, "", "")]
        there = [step.answer for step in (*stood_before, *stood[len(before[question.id]) :])]
        if self._refused(question, reply):
            self.tally.refused += 1
            self._both_shown(question, sent, there, reply)
        elif sent in there or sent == self._known(stood, seen):
            self.tally.equal += 1
        else:
            self.tally.faults.append(f"{question.id}: {sent} is not recorded, and the reply was {reply.status}")

    def _refused(self, question: Question, reply: Reply) -> bool:
        item = reply.text.partition(f'id="state-{question.id}"')[2].partition("</fieldset>")[0]
        return reply.status == 409 and "q__conflict" in item.partition("q__state")[0]

    def _both_shown(self, question: Question, sent: Answer | None, there: list[Answer | None], reply: Reply) -> None:
        item = reply.text.partition(f'id="state-{question.id}"')[2].partition("q__state")[0]
        said = " ".join(unescape(TAGS.sub("", item)).split())
        ours = " ".join(describe(question, sent, self.proforma).split())
        theirs = [" ".join(describe(question, answer, self.proforma).split()) for answer in there]
        if "Nothing was overwritten" not in said or ours not in said or not any(words in said for words in theirs):
            self.tally.faults.append(f"{question.id}: 409 does not show both {ours} and {theirs}: {said[:400]}")

    def _known(self, stood: list[Stood], seen: int) -> Answer | None:
        return next((step.answer for step in stood if step.seq == seen), None)

    def _sent(self, question: Question, fields: Fields) -> Answer | None:
        """The answer in the fields, read as the page means it."""
        name = f"a.{question.id}"
        values = [v for n, v in fields if n == name]
        if ("remove", question.id) in fields:
            return None
        if question.kind == "arrangement":
            return Answer("answered", {n[len(name) + 1 :]: v for n, v in fields if n.startswith(f"{name}.")})
        if values[0] in question.offered_states():
            return Answer(values[0])
        if question.kind == "choices":
            return Answer("answered", values)
        return Answer("answered", int(values[0]) if question.kind == "number" else values[0])

    def _overwritten(self, sentence: str) -> None:
        self.tally.overwritten += 1
        self.tally.faults.append(sentence)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    return build(tmp_path_factory.mktemp("house") / "instance", nurses=1, each=1)


@pytest.fixture
def interleave(house: House, tmp_path: Path) -> Iterator[Callable[[int, str], Tally]]:
    """So many interleavings over a server of a build."""
    served, copy = Served(tmp_path / "server.log"), house.copy(tmp_path / "instance")

    def run(interleavings: int, build: str = "product") -> Tally:
        served.start(copy.folder, build)
        with closing(TwoTabs(served, copy, seeded("two tabs"))) as tabs:
            began = time.monotonic()
            tally: Any = tabs.run(interleavings)
            print(f"{tally}, {time.monotonic() - began:.0f} s")
        served.stop()
        return tally

    yield run
    served.close()
    assert verifying.verify(copy.folder)[1] == []


@pytest.mark.parametrize("interleavings", [200, pytest.param(5000, marks=pytest.mark.soak)])
def test_interleavings_overwrite_nothing_silently(interleave: Callable[..., Tally], interleavings: int) -> None:
    tally = interleave(interleavings)
    assert tally.faults == []
    assert tally.overwritten == 0
    assert set(tally.kinds) >= KINDS
    assert min(tally.won, tally.equal, tally.refused) > interleavings / 20


class TestControls:
    def test_interleavings_over_a_store_that_ignores_what_the_page_knew_overwrite(
        self, interleave: Callable[..., Tally]
    ) -> None:
        assert interleave(30, "ignores what the page knew").overwritten > 0

    def test_a_page_that_does_not_say_what_it_knew_writes_nothing(self, house: House, tmp_path: Path) -> None:
        served, copy = Served(tmp_path / "second.log"), house.copy(tmp_path / "second")
        served.start(copy.folder)
        nurse = copy.nurses[0]
        tab = Tab(served.port, copy.tokens()[nurse])
        tab.open()
        consultation = copy.consultations[nurse][0]
        tab.save(consultation, [("a.cord_signs", "absent"), ("seen.cord_signs", "0")], new_key())
        for fields in ([("a.cord_signs", "present")], [("a.cord_signs", "present"), ("seen.cord_signs", "")]):
            tab.save(consultation, fields, new_key())
        reply = tab.open(f"/consultations/{consultation}")
        tab.close()
        served.close()
        assert re.search(r'value="absent"[^>]* checked', reply.text)
        assert not re.search(r'id="a.cord_signs.present"[^>]* checked', reply.text)
