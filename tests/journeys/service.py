"""A made-up service in a real folder, served over a loopback port that can be closed and opened again."""

from __future__ import annotations

import itertools
import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from waitress.server import create_server

from consult.accounts import people, sessions
from consult.instance import Instance, open_instance
from consult.record import settings
from consult.record.consultation import Consultation
from consult.record.store import Start, Who, now_utc
from consult.web import braking
from consult.web.app import create_app

PEOPLE = {
    "nurse": "Nora Nurse",
    "doctor": "Dan Doctor",
    "physiotherapist": "Pia Physio",
    "audit_lead": "Lea Lead",
    "coordinator": "Cora Coordinator",
    "administrator": "Adi Admin",
}
SIGN_IN_NAMES = {role: name.lower().replace(" ", ".") for role, name in PEOPLE.items()}
PASSWORD = "plainly invented words"
ROUTES = {route: f"01632 960 00{number}" for number, route in enumerate(settings.ROUTE_LABELS)}


AWAY = (
    "ERR_CONNECTION_REFUSED",
    "ERR_EMPTY_RESPONSE",
    "ERR_CONNECTION_RESET",
    "ERR_SOCKET",
    "ERR_CONTENT_LENGTH_MISMATCH",
)
"""What a browser says of a server that is stopped, and of what was on its way then."""


class Clock:
    """The time, which a test may move."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


def make_service(folder: Path, clock: Clock | None = None) -> Instance:
    """A demonstration with one site and one person of each role, and nothing recorded yet."""
    instance = open_instance(folder, create=True, clock=clock or now_utc)
    with instance.db.write() as conn:
        at = instance.store.at()
        settings.change_setting(conn, "provider", "DEMO", "test", at)
        settings.change_setting(conn, "demonstration", True, "test", at)
        settings.change_setting(conn, people.WORK, "scrypt:1024:8:1", "test", at)
        settings.put_site(conn, settings.Site("A", "Site A (invented)", ROUTES), "test", at)
        for role, name in PEOPLE.items():
            people.add_person(conn, people.NewPerson(name, role, "A", PASSWORD), "test", at)
    return instance


class Service:
    """The instance and the server that shows it."""

    def __init__(self, folder: Path, clock: Clock | None = None) -> None:
        self.instance = make_service(folder, clock)
        self.port = 0
        self._numbers = itertools.count(1)
        self.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Listen, on the same port as before if there was one."""
        self._map: dict[int, Any] = {}
        app = create_app(self.instance)
        app.before_request_funcs[None].insert(0, lambda: self._hurry(app))
        self._server = create_server(app, map=self._map, host="127.0.0.1", port=self.port, threads=4, ident=None)
        self.port = self._server.effective_port
        self._thread = threading.Thread(target=self._server.run)
        self._thread.start()

    @staticmethod
    def _hurry(app: Flask) -> None:
        """Forget what was asked for in the last minute: a script goes from page to page faster than any hand."""
        app.extensions.pop(braking.PLACE, None)

    def stop(self) -> None:
        """Close the port and every connection at once, as a machine that goes down does."""
        self._server.trigger.pull_trigger(lambda: [channel.close() for channel in list(self._map.values())])
        self._thread.join(timeout=10)
        self._server.task_dispatcher.shutdown()

    def close(self) -> None:
        self.stop()
        self.instance.close()

    def who(self, role: str) -> Who:
        person = people.by_username(self.instance.db.read(), SIGN_IN_NAMES[role])
        assert person is not None
        return Who(person.id, role)

    def token(self, role: str) -> str:
        """A session as signing in opens it."""
        with self.instance.db.write() as conn:
            return sessions.create(conn, self.who(role).actor, self.instance.store.clock())

    def new_person(self) -> tuple[str, date]:
        """The name and the date of birth of somebody who is like nobody registered before."""
        number = next(self._numbers)
        letters = "".join(chr(ord("a") + int(digit)) * 3 for digit in f"{number:03}")
        born = date(1975, 1 + number % 12, 13 + number // 12 % 15)  # also unlike another with day and month swapped
        return f"Testina {letters.capitalize()}", born

    def begin(self, role: str = "nurse", attendance: str = "in_person") -> str:
        """A consultation that has just begun."""
        store, who = self.instance.store, self.who(role)
        name, born = self.new_person()
        employee = store.register(name, born, f"N-{name[-3:]}", who)
        start = Start(employee.id, "A", "DEMO", attendance, "45-54")
        return store.start(start, who)

    def consultation(self, consultation_id: str) -> Consultation:
        found = self.instance.store.consultation(consultation_id)
        assert found is not None
        return found

    def answer(self, consultation_id: str, question: str) -> tuple[str, Any, str] | None:
        """The answer that stands, as (state, value, reason)."""
        answer = self.consultation(consultation_id).answers.get(question)
        return (answer.state, answer.value, answer.reason) if answer else None

    def steps_about(self, consultation_id: str, question: str) -> int:
        """How many steps there are about a question."""
        return len(self.consultation(consultation_id).history.get(question, []))
