"""A clock that jumps under a whole consultation: the order is by number, nothing is negative, the jump is noted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from flask.testing import FlaskClient
from house import PASSWORD, House, build
from tab import CSRF, SEEN, TAGS, new_key

from consult import verifying
from consult.accounts import people, sessions, signing_in, tries
from consult.exchange.casefile import export_cases
from consult.instance import open_instance
from consult.record.ledger import Step, steps
from consult.record.timekeeping import Timekeeper
from consult.web.app import create_app

pytestmark = pytest.mark.fault

LONDON = ZoneInfo("Europe/London")
YEAR, HOUR = timedelta(days=365), timedelta(hours=1)
TEN = timedelta(seconds=10)
JUMPS = {
    "back a year": (datetime(2026, 11, 20, 10, 0, tzinfo=LONDON), -YEAR, [-YEAR]),
    "forward an hour": (datetime(2026, 11, 20, 10, 0, tzinfo=LONDON), HOUR, [HOUR]),
    "back an hour": (datetime(2026, 11, 20, 10, 0, tzinfo=LONDON), -HOUR, [-HOUR]),
    "the night the clocks go back": (datetime(2026, 10, 25, 1, 59, 55, tzinfo=LONDON), TEN, []),
    "the night the clocks go forward": (datetime(2027, 3, 28, 0, 59, 55, tzinfo=LONDON), TEN, []),
}
NEGATIVE = re.compile(
    r"(?<![\w.-])[-\u2212]\s?\d+(\.\d+)?\s*(ms|s|secs?|seconds?|m|mins?|minutes?|h|hours?|d|days?|weeks?|months?|years?)\b"
)
QUESTIONS = ("night_pain", "cancer_ever", "cord_signs", "new_stoop_or_height_loss")


@dataclass(frozen=True)
class Jumped:
    """A consultation that was held over a jump: its visit, all steps of the time, and the jumps there were."""

    visit: Visit
    steps: list[Step]
    jumps: list[timedelta]


class Visit:
    """A nurse at the pages of the application, who signs in again whenever the pages ask for it."""

    def __init__(self, house: House) -> None:
        self.instance = open_instance(house.folder)
        self.nurse = house.nurses[0]
        self.client: FlaskClient = create_app(self.instance).test_client()
        self.consultation = house.consultations[self.nurse][0]
        self.path, self.pages = f"/consultations/{self.consultation}", dict[str, str]()
        self.sign_in()

    def sign_in(self) -> None:
        with self.instance.db.write() as conn:
            token = sessions.create(conn, self.nurse, self.instance.clock())
        self.client.set_cookie("consult_session", token)
        self.csrf = unescape(CSRF.search(self.client.get("/leaflets").text).group(1))  # type: ignore[union-attr]

    def ask(self, path: str = "") -> str:
        """A page of the consultation."""
        reply = self.client.get(self.path + path)
        if reply.status_code in (302, 401, 423):
            self.sign_in()
            reply = self.client.get(self.path + path)
        assert reply.status_code == 200, f"{path}: {reply.status}"
        self.pages[path] = reply.text
        return reply.text

    def post(self, path: str, fields: dict[str, str], htmx: bool = False) -> str:
        headers = {"X-CSRFToken": self.csrf} | ({"HX-Request": "true"} if htmx else {})
        send: Any = {"data": {**fields, "key": new_key()}, "headers": headers}
        reply = self.client.post(self.path + path, **send)
        # 400: the cookie that forms are checked with is from the future now; the page says to reload it
        if reply.status_code in (400, 401, 423) or "/sign-in" in reply.headers.get("Location", ""):
            self.sign_in()
            send["headers"]["X-CSRFToken"] = self.csrf
            reply = self.client.post(self.path + path, **send)
        assert reply.status_code in (200, 302), f"{path}: {reply.status} {reply.text[:300]}"
        return reply.text

    def answer(self, question: str, state: str) -> None:
        seen = dict(SEEN.findall(self.ask()))[question]
        self.post("/answers", {f"a.{question}": state, f"seen.{question}": seen}, htmx=True)

    def steps(self) -> list[Step]:
        return list(steps(self.instance.db.read()))

    def close(self) -> None:
        self.instance.close()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    with time_machine.travel(datetime(2025, 1, 6, 9, 0, tzinfo=LONDON)):
        return build(tmp_path_factory.mktemp("house") / "instance", nurses=1, each=2)


@pytest.fixture
def clock() -> Iterator[Any]:
    with time_machine.travel(datetime(2026, 1, 5, 9, 0, tzinfo=LONDON), tick=True) as traveller:
        yield traveller


@pytest.fixture(scope="module", params=JUMPS)
def jumped(request: pytest.FixtureRequest, house: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jumped]:
    """A consultation during which the clock jumped, signed after it."""
    copy = house.copy(tmp_path_factory.mktemp("jumped") / "instance")
    with over_a_jump(copy, request.param) as found:
        yield found
    assert verifying.verify(copy.folder)[1] == []


@contextmanager
def over_a_jump(house: House, name: str) -> Iterator[Jumped]:
    """Answers before and after the jump, all pages, the signature, and all pages again."""
    start, shift, noted = JUMPS[name]
    with time_machine.travel(start, tick=True) as clock, closing(Visit(house)) as visit:
        began = len(visit.steps())
        for question in QUESTIONS:
            visit.answer(question, "absent")
        clock.move_to(start + shift if abs(shift) != TEN else start.astimezone(UTC) + shift)
        for question, state in zip(QUESTIONS[:2] * 2, ("unsure", "unsure", "present", "absent"), strict=True):
            visit.answer(question, state)
        visit.post("/leaflets/back-pain-core/discussed", {"language": "en"})
        for path in ("", "/sign", "/report", "/letter", "/steps", "/note"):
            visit.ask(path)
        visit.post("/blank-reason", {"reason": "out_of_time"})
        visit.post("/sign", {"on_purpose": QUESTIONS[1]})
        for path in ("", "/steps", "/note", "/addendum"):
            visit.ask(path)
        yield Jumped(visit, visit.steps()[began:], noted)


def test_the_order_is_that_of_the_numbers_and_the_last_answer_stands(jumped: Jumped) -> None:
    visit, numbers = jumped.visit, [step.seq for step in jumped.steps]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    consultation = visit.instance.store.consultation(visit.consultation)
    assert consultation is not None
    assert consultation.state == "signed"
    answers = {q: consultation.answers[q].state for q in QUESTIONS[:2]}
    assert answers == {"night_pain": "present", "cancer_ever": "absent"}
    shown = [int(n) for n in re.findall(r"<tr><td>(\d+)</td>", visit.pages["/steps"])]
    assert shown == sorted(shown)
    assert len(shown) > len(QUESTIONS) + 5


def negative(jumped: Jumped) -> list[str]:
    """Every negative length of time that a page or the case file shows."""
    instance = jumped.visit.instance
    cases = "".join(export_cases(instance.db.read(), instance.library.current.dataset))
    said = [" ".join(unescape(TAGS.sub(" ", text)).split()) for text in jumped.visit.pages.values()]
    found = [match[0] for text in (*said, cases) for match in NEGATIVE.finditer(text)]
    return found + re.findall(r"(?:^|,)(-\d+(?:\.\d+)?)(?:,|\r?$)", cases, re.MULTILINE)


def test_nothing_that_comes_out_is_negative(jumped: Jumped) -> None:
    assert negative(jumped) == []


def wrongly_noted(jumped: Jumped) -> list[str]:
    """In what the jumps noted are not those there were: one step each, with its size and both times."""
    noted = [step.content or {} for step in jumped.steps if step.kind == "clock_jumped"]
    faults = [] if len(noted) == len(jumped.jumps) else [f"{len(noted)} noted, {len(jumped.jumps)} there were"]
    for content, shift in zip(noted, jumped.jumps, strict=False):
        between = datetime.fromisoformat(content["noticed"]) - datetime.fromisoformat(content["last"])
        if max(abs(content["seconds"] - shift.total_seconds()), abs((between - shift).total_seconds())) > 60:
            faults.append(f"{content} for {shift}")
    return faults


def test_each_jump_is_noted_once_with_its_size(jumped: Jumped) -> None:
    assert wrongly_noted(jumped) == []


class TestControls:
    """The same harness over what is broken on purpose: it must notice."""

    def test_a_store_that_does_not_look_at_the_clock_is_found(
        self, house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Timekeeper, "look", lambda *_: None)
        with over_a_jump(house.copy(tmp_path / "instance"), "back an hour") as found:
            assert wrongly_noted(found) != []
            by_time = sorted(found.steps, key=lambda step: step.at)
            assert by_time != found.steps, "the order by time would have done, too"

    def test_a_page_that_shows_a_negative_length_is_found(self, house: House, tmp_path: Path) -> None:
        with over_a_jump(house.copy(tmp_path / "instance"), "back an hour") as found:
            assert negative(found) == []
            found.visit.pages["/note"] += "<p>Took -58 min, from 10:00 to 09:02, of 28-90 days, on 2026-11-20</p>"
            assert negative(found) == ["-58 min"]


class TestSigningIn:
    """What a clock that was wrong for a while leaves behind must not outlast it."""

    def test_a_session_from_the_future_does_not_stay_open_for_longer_than_its_limit(
        self, clock: Any, house: House, tmp_path: Path
    ) -> None:
        with closing(open_instance(house.copy(tmp_path / "instance").folder)) as instance:
            with instance.db.write() as conn:
                token = sessions.create(conn, house.nurses[0], instance.clock())
            clock.shift(-YEAR)
            assert sessions.lookup(instance.db.read(), token, instance.clock()) is None

    def test_tries_from_the_future_do_not_lock_somebody_out(self, clock: Any, house: House, tmp_path: Path) -> None:
        with closing(open_instance(house.copy(tmp_path / "instance").folder)) as instance:
            name = people.people(instance.db.read())[0].username
            for _ in range(tries.TRIES):
                with pytest.raises(tries.SignInRefused):
                    signing_in.sign_in(instance.db, name, "not the password at all", instance.clock())
            clock.shift(-YEAR)
            assert signing_in.sign_in(instance.db, name, PASSWORD, instance.clock())
