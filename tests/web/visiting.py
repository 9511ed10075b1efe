"""A made-up service, and visitors whose every page is looked over."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import pages
import pytest
from bare import bare
from flask import Flask
from werkzeug.test import TestResponse

from consult.accounts import people, sessions
from consult.instance import Instance, open_instance
from consult.proforma.answer import Answer
from consult.proforma.path import blank_emergencies
from consult.record import settings
from consult.record.consultation import Consultation
from consult.record.store import Start, Who
from consult.web import braking
from consult.web.app import CSP, CSP_OF_PIECES, create_app, put_over
from consult.web.screen import Screen
from consult.web.static import FOR_EVER

PEOPLE = {
    "nurse": "Nora Nurse",
    "doctor": "Dan Doctor",
    "physiotherapist": "Pia Physio",
    "audit_lead": "Lea Lead",
    "coordinator": "Cora Coordinator",
    "administrator": "Adi Admin",
}
PASSWORD = "plainly invented words"
ROUTES = {route: f"01632 960 00{number}" for number, route in enumerate(settings.ROUTE_LABELS)}
EMPLOYEE = ("Zebedee Quillfeather", date(1980, 3, 2), "LOCAL-777")
PERSONAL = ("zebedee", "quillfeather", "1980-03-02", "2 march 1980", "local-777")
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class Clock:
    """The time, which a test may move."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


CASE = {
    "f.site": "A",
    "f.consultation_date": "2026-03-01",
    "f.clinician_role": "nurse",
    "f.back_pain_reason": "main",
    "f.first_consultation": "yes",
    "f.episode_gap": "none_ever",
}
"""A case from notes as it is typed: what every case needs, without its reference."""


@dataclass
class Service:
    """The instance, its application, and short ways to what tests need of it."""

    instance: Instance
    app: Flask
    clock: Clock
    who: dict[str, Who] = field(default_factory=dict)
    braked: bool = False
    """Whether who asks for much in a minute is asked to wait: most tests go from page to page faster than any hand."""

    def hurry(self) -> None:
        """Before each request: forget what was asked for, unless that is what a test is about."""
        if not self.braked:
            self.app.extensions.pop(braking.PLACE, None)

    def visitor(self, role: str = "") -> Visitor:
        return Visitor(self, role)

    def employee(self, name: str = EMPLOYEE[0], born: date = EMPLOYEE[1], number: str = EMPLOYEE[2]) -> str:
        return self.instance.store.register(name, born, number, self.who["nurse"]).id

    def newcomer(self, name: str = "Nina Newcomer", role: str = "nurse") -> str:
        """One more person, by id."""
        instance = self.instance
        with instance.db.write() as conn:
            return people.add_person(conn, people.NewPerson(name, role, "A", PASSWORD), "test", instance.store.at()).id

    def begin(self, role: str = "nurse") -> str:
        start = Start(self.employee(), "A", "DEMO", "in_person", "45-54")
        return self.instance.store.start(start, self.who[role])

    def consultation(self, consultation_id: str) -> Consultation:
        found = self.instance.store.consultation(consultation_id)
        assert found is not None
        return found

    def answer(self, consultation_id: str, question: str) -> Answer | None:
        return self.consultation(consultation_id).answers.get(question)

    def signed(self, **answers: Answer) -> str:
        """A consultation signed with these answers and nothing else."""
        consultation_id = self.begin()
        store, who = self.instance.store, self.who["nurse"]
        for question, answer in answers.items():
            key = f"{consultation_id}:{question}"
            store.save(consultation_id, store.library.current.proforma.by_id[question], answer, 0, key, "single", who)
        blank = blank_emergencies(store.path_of(self.consultation(consultation_id)))
        reason = {"reason": "out_of_time", "text": "", "questions": [q.id for q in blank]}
        store.note(consultation_id, "blank_emergencies_explained", reason, f"{consultation_id}:blank", who)
        nurse = self.visitor("nurse")
        assert nurse.post(f"/consultations/{consultation_id}/sign").status_code == 302
        return consultation_id


class Visitor:
    """Somebody with a browser: sends the CSRF token of the pages, and looks over each page that comes."""

    def __init__(self, service: Service, role: str) -> None:
        self.service, self.client, self.token = service, service.app.test_client(), ""
        if role:
            with service.instance.db.write() as conn:
                token = sessions.create(conn, service.who[role].actor, service.clock())
            self.client.set_cookie("consult_session", token)

    def ask(self, path: str, **kwargs: Any) -> TestResponse:
        """Whatever there is at an address."""
        response = self.client.get(path, buffered=True, **kwargs)
        look_over(response)
        return response

    def get(self, path: str, status: int = 200, **kwargs: Any) -> Element:
        """The page at an address."""
        response = self.ask(path, **kwargs)
        assert response.status_code == status, f"{path}: {response.status}"
        return pages.parse(response.text)

    def post(self, path: str, data: dict[str, Any] | None = None, htmx: bool = False, **kwargs: Any) -> TestResponse:
        """Send a form, as a page or as htmx does."""
        headers = {"X-CSRFToken": self.csrf(), **({"HX-Request": "true"} if htmx else {})}
        response = self.client.post(path, data=data or {}, headers=headers, **kwargs)
        look_over(response, pieces=htmx)
        return response

    def csrf(self) -> str:
        """The token of forms: as the open pages of a session ask for it, else on the page to sign in."""
        if not self.token:
            state = dict(self.ask("/session").json or {}) if self.client.get_cookie("consult_session") else {}
            self.token = state.get("csrf") or self._token_on("/sign-in")
        return self.token

    def _token_on(self, path: str) -> str:
        found = re.search(r'name="csrf-token" content="([^"]+)"', self.ask(path).text)
        assert found, f"{path} holds no token"
        return found[1]

    def decide(self, consultation_id: str, sent: dict[str, Any]) -> TestResponse:
        """Send a decision about answers as a page shows them now."""
        screen = Screen.of(self.service.instance.store, self.service.consultation(consultation_id))
        question = sent["question"]
        shown = {f"shown.{question}": screen.as_shown(screen.proforma.by_id[question])}
        return self.post(f"/consultations/{consultation_id}/decisions", {**shown, **sent})

    def rest(self, consultation_id: str, block: str, key: str) -> TestResponse:
        """ "No to the rest" of a block, with what the page knew of its items."""
        known = self.service.consultation(consultation_id)
        items = self.service.instance.store.definition_of(known).proforma.in_block(block)
        seen = {f"seen.{q.id}": str(known.seen(q.id)) for q in items}
        return self.post(f"/consultations/{consultation_id}/blocks/{block}/rest", {**seen, "key": key})

    def save(self, consultation_id: str, values: dict[str, Any], **kwargs: Any) -> TestResponse:
        """Send answers, with what the page knew of each question."""
        screen = Screen.of(self.service.instance.store, self.service.consultation(consultation_id))
        by_id = screen.proforma.by_id
        asked = {name.split(".")[1] for name in values if name.startswith(("a.", "reason."))}
        seen = {f"seen.{question}": screen.known(by_id[question]) for question in asked & set(by_id)}
        return self.post(f"/consultations/{consultation_id}/answers", {**seen, **values}, **kwargs)


def look_over(response: TestResponse, pieces: bool = False) -> None:
    """What holds for every reply: the headers, no one's name in title or address, and a sound page."""
    wanted = HEADERS | ({"Content-Security-Policy": CSP_OF_PIECES} if "HX-Request" in response.request.headers else {})
    assert {name: response.headers.get(name) for name in HEADERS} == wanted
    assert response.headers["Cache-Control"] == kept_by_the_browser(response)
    address = f"{response.request.full_path} {response.headers.get('Location', '')}".lower()
    assert not [word for word in PERSONAL if word.replace(" ", "%20") in address or word in address]
    if response.mimetype != "text/html" or not response.text:
        return
    text = response.text
    whole = text.lstrip().lower().startswith("<!doctype") and not pieces
    assert not whole or not [word for word in PERSONAL if word in pages.title_in(text).lower()]
    if (shape := pages.shape(text, whole)) not in pages.SOUND:
        found = pages.wrong_with_bare(bare(text)) if whole else pages.wrong_with(bare(text), pieces=True)
        wrong = found and pages.wrong_with(text, not whole)  # told of it as it is
        assert wrong == []
        pages.SOUND.add(shape)


def kept_by_the_browser(response: TestResponse) -> str:
    """Nothing but a file at an address that names its digest; without the digest it is asked for anew."""
    if not response.request.path.startswith("/static/") or response.status_code != 200:
        return "no-store"
    return FOR_EVER if "v=" in response.request.full_path else "no-cache"


def make(folder: Path) -> None:
    """An instance with one site and one person of each role."""
    instance = open_instance(folder, create=True)
    with instance.db.write() as conn:
        at = instance.store.at()
        settings.change_setting(conn, "provider", "DEMO", "test", at)
        settings.change_setting(conn, "demonstration", True, "test", at)
        settings.change_setting(conn, people.WORK, "scrypt:1024:8:1", "test", at)
        settings.put_site(conn, settings.Site("A", "Site A (invented)", ROUTES), "test", at)
        for role, name in PEOPLE.items():
            people.add_person(conn, people.NewPerson(name, role, "A", PASSWORD), "test", at)
    instance.db.read().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    instance.close()


def opened(folder: Path, over: Callable[[Instance], Flask] = create_app) -> Service:
    """The service of an instance folder."""
    clock = Clock()
    instance = open_instance(folder, clock=clock)
    who = {p.role: Who(p.id, p.role) for p in people.people(instance.db.read())}
    service = Service(instance, over(instance), clock, who)
    service.app.before_request_funcs[None].insert(0, service.hurry)
    return service


class Again:
    """One application for one instance after the other: all it holds of one is in two places, which begin anew."""

    def __init__(self) -> None:
        self.app: Flask | None = None

    def __call__(self, instance: Instance) -> Flask:
        if self.app is None:
            self.app = create_app(instance)
            self.extensions, self.config = dict(self.app.extensions), dict(self.app.config)
            self.before = list(self.app.before_request_funcs[None])
            return self.app
        self.app.extensions = dict(self.extensions)
        self.app.config.clear()
        self.app.config.update(self.config)
        self.app.before_request_funcs[None] = list(self.before)
        put_over(self.app, instance)
        return self.app


again = Again()


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An instance folder made once: hashing passwords takes its time."""
    folder = tmp_path_factory.mktemp("made") / "instance"
    make(folder)
    return folder


@pytest.fixture
def service(made: Path, tmp_path: Path) -> Iterator[Service]:
    """A service of its own for each test."""
    running = opened(Path(shutil.copytree(made, tmp_path / "instance")), again)
    yield running
    running.instance.close()


@pytest.fixture(scope="module")
def shared(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One service for all tests of a module, for what changes nothing that another of them looks at."""
    running = opened(Path(shutil.copytree(made, tmp_path_factory.mktemp("shared") / "instance")))
    yield running
    running.instance.close()


@pytest.fixture
def nurse(service: Service) -> Visitor:
    return service.visitor("nurse")
