"""A clock that jumps under a whole consultation: the order is by number, nothing is negative, the jump is noted."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
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
from consult.accounts import people, sessions
from consult.exchange.casefile import export_cases
from consult.instance import open_instance
from consult.record.ledger import Step, steps
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


@pytest.fixture(params=JUMPS)
def jumped(request: pytest.FixtureRequest, clock: Any, house: House, tmp_path: Path) -> Iterator[Any]:
    """A consultation during which the clock jumped, signed after it; with the jumps that must have been noted."""
    start, shift, noted = JUMPS[request.param]
    clock.move_to(start)
    copy = house.copy(tmp_path / "instance")
    with closing(Visit(copy)) as visit:
        began = len(visit.steps())
        for question in QUESTIONS:
            visit.answer(question, "absent")
        clock.move_to(start + shift if abs(shift) != TEN else start.astimezone(ZoneInfo("UTC")) + shift)
        visit.answer(QUESTIONS[0], "unsure")
        visit.answer(QUESTIONS[0], "present")
        visit.answer(QUESTIONS[1], "unsure")
        visit.answer(QUESTIONS[1], "absent")
        visit.post("/leaflets/back-pain-core/discussed", {"language": "en"})
        for path in ("", "/sign", "/report", "/letter", "/steps", "/note"):
            visit.ask(path)
        visit.post("/blank-reason", {"reason": "out_of_time"})
        visit.post("/sign", {"on_purpose": QUESTIONS[1]})
        for path in ("", "/steps", "/note", "/addendum"):
            visit.ask(path)
        yield visit, visit.steps()[began:], noted
    assert verifying.verify(copy.folder)[1] == []


def test_the_order_is_that_of_the_numbers_and_the_last_answer_stands(jumped: Any) -> None:
    visit, found, _ = jumped
    numbers = [step.seq for step in found]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    consultation = visit.instance.store.consultation(visit.consultation)
    assert consultation.state == "signed"
    assert {q: consultation.answers[q].state for q in QUESTIONS[:2]} == {
        "night_pain": "present",
        "cancer_ever": "absent",
    }
    shown = [int(n) for n in re.findall(r"<tr><td>(\d+)</td>", visit.pages["/steps"])]
    assert shown == sorted(shown)
    assert len(shown) > len(QUESTIONS) + 5


def test_nothing_that_comes_out_is_negative(jumped: Any) -> None:
    visit, _, _ = jumped
    conn = visit.instance.db.read()
    out = io.StringIO()
    out.writelines(export_cases(conn, visit.instance.library.current.dataset))
    outputs = {**visit.pages, "the case file": out.getvalue()}
    for name, text in outputs.items():
        said = " ".join(unescape(TAGS.sub(" ", text)).split())
        assert not NEGATIVE.search(said), f"{name}: {said[max(0, NEGATIVE.search(said).start() - 80) :][:160]}"  # type: ignore[union-attr]
    assert not re.search(r"(^|,)-\d+(\.\d+)?(,|\r?$)", outputs["the case file"], re.M)


def test_each_jump_is_noted_once_with_its_size(jumped: Any) -> None:
    _, found, expected = jumped
    noted = [step.content for step in found if step.kind == "clock_jumped"]
    assert len(noted) == len(expected)
    for content, shift in zip(noted, expected, strict=True):
        assert content is not None
        assert abs(content["seconds"] - shift.total_seconds()) < 30
        assert (
            datetime.fromisoformat(content["noticed"]) - datetime.fromisoformat(content["last"])
            < max(shift, HOUR) + HOUR
        )


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
            for _ in range(sessions.TRIES):
                with pytest.raises(sessions.SignInRefused):
                    sessions.sign_in(instance.db, name, "not the password at all", instance.clock())
            clock.shift(-YEAR)
            assert sessions.sign_in(instance.db, name, PASSWORD, instance.clock())
