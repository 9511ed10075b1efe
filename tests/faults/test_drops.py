"""A network that drops while a real browser types and clicks: nothing lost or doubled, and the page never lies."""

from __future__ import annotations

import random
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest
from browsing import Record, signed_in
from house import House, build
from luck import seeded
from net import MODES, Net
from playwright.sync_api import Browser, Page, Route
from served import Served
from tab import plain

from consult import verifying
from consult.proforma.answer import ANSWERED, Answer
from consult.proforma.model import Question

pytestmark = [
    pytest.mark.fault,
    pytest.mark.skipif(sys.platform != "linux", reason="the server that is forked runs on Linux"),
]
OFFLINE = "browser offline"
WAYS = (*MODES, OFFLINE)
NOT_THERE = ("refuse", "reset", "cut request", OFFLINE)
"""Ways in which what was sent does not reach the server: what a control needs that is to lose it."""
NOT_BACK = ("lose reply", "half reply")
"""Ways in which it does, and the page does not hear of it."""
WITHIN = 2.0  # seconds, beside what an undisturbed save takes in the same run
DEBOUNCE = 1.5  # seconds after the last letter that text is sent
DROPS_A_CONSULTATION = 25
STATIC = Path(__file__).parents[2] / "consult" / "static"
Broken = tuple[tuple[str, str], ...]
SAVED = re.compile(r"^Saved \d\d:\d\d$")
CONSULTATIONS = 24
TOO_MANY = 10  # faults, after which there is no point in going on


@dataclass
class Tally:
    """What came of so many drops; delays are in seconds since the network changed, or the last thing was entered."""

    drops: int = 0
    entered: int = 0
    lost: int = 0
    doubled: int = 0
    conflicts: int = 0
    untrue: int = 0
    late: int = 0
    undisturbed: float = 0.0
    slowest_to_say_not_saved: float = 0.0
    slowest_to_say_saved: float = 0.0
    modes: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


class Hand:
    """Enters answers on the page, and knows what was entered last for each question."""

    def __init__(self, page: Page, house: House, consultation: str, luck: random.Random) -> None:
        self.page, self.consultation, self.luck = page, consultation, luck
        questions = [q for q in house.questions if plain(q) and q.kind in ("finding", "choice", "number", "text")]
        self.questions = [q for q in questions if page.locator(f"#q-{q.id}").is_visible()]
        self.entered: dict[str, Answer] = {}
        self.times: Counter[str] = Counter()
        self.letters: defaultdict[str, str] = defaultdict(str)
        self.last = 0.0

    def enter(self) -> None:
        """Give a random answer to a random question; half the time to one of a few, so that answers are changed."""
        few = self.questions[:6] + [q for q in self.questions if q.kind == "text"][:2]
        question = self.luck.choice(few if self.luck.random() < 0.5 else self.questions)
        {"number": self._number, "text": self._text}.get(question.kind, self._button)(question)
        self.times[question.id] += 1

    def _button(self, question: Question) -> None:
        states = [s for s in question.offered_states() if s != "not_asked"]
        codes = [c for c in [*states, *(o.code for o in question.options)] if c != self._code(question)]
        code = self.luck.choice(codes)
        self.page.locator(f'label[for="a.{question.id}.{code}"]').click()
        self._entered(question, Answer(code) if code in states else Answer(ANSWERED, code))

    def _code(self, question: Question) -> str:
        answer = self.entered.get(question.id)
        return "" if answer is None else str(answer.value if answer.state == ANSWERED else answer.state)

    def _number(self, question: Question) -> None:
        wanted = [n for n in range(question.min or 0, (question.max or 0) + 1) if str(n) != self._code(question)]
        number = self.luck.choice(wanted)
        self.page.locator(f'label[for="a.{question.id}.{number}"]').click()
        self._entered(question, Answer(ANSWERED, number))

    def _text(self, question: Question) -> None:
        letters = "".join(self.luck.choices("abcdefgh ", k=self.luck.randint(3, 12))) + "."
        place = self.page.locator(f'textarea[name="a.{question.id}"]')
        place.focus()
        self.page.keyboard.press("Control+End")
        self.page.keyboard.type(letters, delay=self.luck.choice((0, 15)))
        self.letters[question.id] += letters
        self._entered(question, Answer(ANSWERED, self.letters[question.id].strip()))
        self.last += DEBOUNCE

    def _entered(self, question: Question, answer: Answer) -> None:
        self.entered[question.id] = answer
        self.last = time.monotonic()

    def said(self) -> str:
        """What the page says about saving."""
        return str(self.page.locator("#save-state").text_content())


class Dropping:
    """Drops the network while the hand goes on, and holds what the page says against the record."""

    def __init__(
        self, net: Net, browser: Browser, house: House, luck: random.Random, broken: Broken, ways: Sequence[str] = WAYS
    ) -> None:
        self.net, self.house, self.luck, self.tally, self.ways = net, house, luck, Tally(), ways
        self.address = f"http://127.0.0.1:{net.port}"
        self.browser, self.record, self.broken = browser, Record(house), broken
        self.patience = 5.0 if broken else 20.0
        nurse = house.nurses[0]
        self.token, self.consultations = house.tokens()[nurse], list(house.consultations[nurse])

    def run(self, drops: int) -> Tally:
        while self.tally.drops < drops and len(self.tally.faults) < TOO_MANY:
            with closing(signed_in(self.browser, self.address, self.token)) as context:
                if self.broken:
                    context.route("**/talk.js*", self._script)
                self.page = context.new_page()
                consultation = self.consultations.pop()
                self.page.goto(f"/consultations/{consultation}")
                self.hand = Hand(self.page, self.house, consultation, self.luck)
                self.undisturbed()
                for _ in range(min(DROPS_A_CONSULTATION, drops - self.tally.drops)):
                    self.drop()
                self.compare()
            print(f"{self.tally}", flush=True)
        self.record.close()
        return self.tally

    def _script(self, route: Route) -> None:
        """The page's scripts, joined as they are served, and broken on purpose."""
        text = "\n".join((STATIC / name).read_text("utf-8") for name in ("vendor/htmx.min.js", "consult.js"))
        for right, wrong in self.broken:
            assert right in text, f"the script does not say {right} any more"
            text = text.replace(right, wrong)
        route.fulfill(body=text, content_type="text/javascript")

    def undisturbed(self) -> None:
        """How long a save takes while all is well: what this machine needs, whatever the network does."""
        for _ in range(3):
            self.hand.enter()
            self.tally.undisturbed = max(self.tally.undisturbed, self._until(SAVED.match, self.hand.last, 30.0))

    def drop(self) -> None:
        mode = self.luck.choice(self.ways)
        self.tally.modes[mode] += 1
        self.tally.drops += 1
        self._be(mode)
        long, changed = self.luck.random() < 0.4, time.monotonic()
        for _ in range(self.luck.randint(1, 4)):
            self.hand.enter()
            self.tell_the_truth()
            self.page.wait_for_timeout(self.luck.uniform(10, 250))
        if long:
            self.says_not_saved(mode)
            self.hand.enter()
            self.tell_the_truth()
        self.page.wait_for_timeout(self.luck.uniform(0, 300))
        self._be("well", resume=self.luck.random() < 0.5)
        self.says_saved(mode, max(changed, time.monotonic()))

    def _be(self, mode: str, resume: bool = True) -> None:
        self.page.context.set_offline(mode == OFFLINE)
        self.net.be("well" if mode == OFFLINE else mode, resume)

    def tell_the_truth(self) -> None:
        """Where the page says "Saved", the record holds all that was entered before it said so."""
        if SAVED.match(self.hand.said()) and (missing := self._missing()):
            self.tally.untrue += 1
            self.tally.faults.append(f"the page said saved, and the record does not hold {missing}")

    def _missing(self) -> list[tuple[str, Answer, Answer | None]]:
        stands = {q: self.record.stands(self.hand.consultation, q) for q in self.hand.entered}
        return [(q, answer, stands[q]) for q, answer in self.hand.entered.items() if stands[q] != answer]

    def says_not_saved(self, mode: str) -> None:
        took = self._until(lambda text: text.startswith("Not saved, retrying"), self.hand.last, self.patience)
        self.tally.slowest_to_say_not_saved = max(self.tally.slowest_to_say_not_saved, took)
        self._in_time(took, f"{mode}: 'Not saved, retrying'")

    def says_saved(self, mode: str, well: float) -> None:
        took = self._until(SAVED.match, max(well, self.hand.last), self.patience)
        self.tally.slowest_to_say_saved = max(self.tally.slowest_to_say_saved, took)
        self._in_time(took, f"{mode}, then well: 'Saved'")
        self.tell_the_truth()

    def _in_time(self, took: float, what: str) -> None:
        if took > WITHIN + self.tally.undisturbed:
            self.tally.late += 1
            self.tally.faults.append(f"{what} after {took:.2f} s: {self.hand.said()}")

    def _until(self, holds: Callable[[str], object], since: float, patience: float) -> float:
        """The seconds from then until the page says so, 0 if it does already; the patience, if it never does."""
        while not holds(self.hand.said()):
            if time.monotonic() - since > patience:
                return patience
            self.page.wait_for_timeout(15)
        return max(0.0, time.monotonic() - since)

    def compare(self) -> None:
        """At the end the record holds what was entered last, and no step that says the same as the one before."""
        if missing := self._missing():
            self.tally.lost += len(missing)
            self.tally.faults.append(f"lost: {missing}, the page says {self.hand.said()}")
        for question, times in self.hand.times.items():
            answers = self.record.answers(self.hand.consultation, question)
            again = sum(a == b for a, b in pairwise(answers))
            if again or (len(answers) > times and question not in self.hand.letters):
                self.tally.doubled += max(again, 1)
                self.tally.faults.append(f"{question} was entered {times} times, recorded {answers}")
        if found := self.page.locator(".q__conflict").count():
            self.tally.conflicts += found
            self.tally.faults.append(f"{found} conflicts of this page with itself")
        self.tally.entered += sum(self.hand.times.values())


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    return build(tmp_path_factory.mktemp("house") / "instance", nurses=1, each=CONSULTATIONS)


@pytest.fixture
def dropped(house: House, browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Tally]]:
    """So many drops between the browser and a server of a build."""
    served, copy = Served(tmp_path / "server.log"), house.copy(tmp_path / "instance")
    net = Net(served.port)

    def run(drops: int, build: str = "product", broken: Broken = (), ways: Sequence[str] = WAYS) -> Tally:
        served.start(copy.folder, build)
        tally = Dropping(net, browser, copy, seeded("drops"), broken, ways).run(drops)
        served.stop()
        return tally

    yield run
    net.close()
    served.close()
    assert verifying.verify(copy.folder)[1] == []


@pytest.mark.parametrize("drops", [30, pytest.param(500, marks=pytest.mark.soak)])
def test_drops_lose_and_double_nothing_and_the_page_says_what_is_true(
    dropped: Callable[..., Tally], drops: int
) -> None:
    tally = dropped(drops)
    assert tally.faults == []
    assert (tally.lost, tally.doubled, tally.conflicts, tally.untrue, tally.late) == (0, 0, 0, 0, 0)
    assert tally.entered > drops


class TestControls:
    """The same harness over a page or a server that is broken on purpose: it must notice."""

    def test_drops_of_a_page_that_does_not_try_again_lose_answers(self, dropped: Callable[..., Tally]) -> None:
        again = "held.timer = setTimeout(save, RETRY, set.dataset.q);"
        others = "if (held.tries > 0) { save(question); }"
        assert dropped(5, broken=((again, ""), (others, "")), ways=NOT_THERE).lost > 0

    def test_drops_of_a_page_that_says_saved_when_it_sends_make_it_lie(self, dropped: Callable[..., Tally]) -> None:
        assert dropped(5, broken=(("say('Saving')", "say('Saved ' + now())"),), ways=NOT_THERE).untrue > 0

    def test_drops_before_a_server_that_knows_no_key_double_answers(self, dropped: Callable[..., Tally]) -> None:
        assert dropped(12, build="knows no key", ways=NOT_BACK).doubled > 0
