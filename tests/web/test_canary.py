"""A name that nobody else bears goes through a whole journey: it stands only in the register and on pages meant for it.

Looked through afterwards: every table, every file of the instance, the log of the server, addresses, heads of replies
with their cookies, titles, the caches of the process, pages, and files of results and cases.
"""

from __future__ import annotations

import functools
import gc
import logging
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pages
import pytest
from visiting import Service, Visitor, opened
from werkzeug.test import TestResponse

NAME, BORN, NUMBER = "Canaria Vogelsang", "1977-08-09", "CAN-4711"
CANARY = ("canaria", "vogelsang", "1977-08-09", "9 august 1977", "09/08/1977", "can-4711")
MEANT_FOR_IT = ("employees.", "consultations.", "home", "followup.")


def found(text: str) -> list[str]:
    """Which of the canary's words stand in a text."""
    low = text.lower()
    return [word for word in CANARY if word in low or word.replace(" ", "%20") in low or word.replace(" ", "+") in low]


@dataclass
class Journey:
    """What came of it."""

    service: Service
    replies: list[TestResponse] = field(default_factory=list)
    logged: str = ""
    consultation: str = ""
    employee: str = ""


class Watched(Visitor):
    """A visitor whose every reply is kept."""

    def __init__(self, journey: Journey, role: str) -> None:
        self.journey = journey
        super().__init__(journey.service, role)
        plain = self.client.open

        def kept(*args: Any, **kwargs: Any) -> TestResponse:
            reply = plain(*args, **{"buffered": True, **kwargs})
            journey.replies.append(reply)
            return reply

        self.client.open = kept  # type: ignore[method-assign] # what is sent is looked at on its way


@pytest.fixture(scope="module")
def journey(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journey]:
    """From the register to the results, with what goes wrong on the way."""
    handler = _Lines()
    logging.getLogger().addHandler(handler)
    level = logging.getLogger().level
    logging.getLogger().setLevel(logging.DEBUG)
    service = opened(Path(shutil.copytree(made, tmp_path_factory.mktemp("canary") / "instance")))
    going = Journey(service)
    try:
        walk(going)
        going.logged = "\n".join(handler.lines)
        yield going
    finally:
        logging.getLogger().removeHandler(handler)
        logging.getLogger().setLevel(level)
        service.instance.close()


class _Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


def walk(going: Journey) -> None:
    nurse = Watched(going, "nurse")
    form = {"name": NAME, "date_of_birth": BORN, "local_number": NUMBER, "go": "yes"}
    nurse.post("/employees/new", {**form, "date_of_birth": "2999-01-01"})
    going.employee = nurse.post("/employees/new", form).headers["Location"].rpartition("/")[2]
    nurse.post("/employees/new", form)  # who may be the same is shown
    for words in (NAME, NUMBER, "9 August 1977"):
        nurse.post("/employees", {"words": words})
    nurse.get(f"/employees/{going.employee}")
    started = nurse.post(
        "/consultations/start", {"employee": going.employee, "attendance": "in_person", "key": "canary-key-000000001"}
    )
    here = going.consultation = started.headers["Location"].rpartition("/")[2]
    nurse.save(here, {"a.back_pain_reason": "main", "a.saddle_feeling_change": "present", "a.report_consent": "given"})
    decided = {"question": "saddle_feeling_change", "decision": "same_day_emergency", "reason": "Sent", "told": "Dept"}
    nurse.decide(here, {**decided, "from": "sign"})
    for path in ("", "/sign", "/note", "/letter", "/report", "/steps", "/abandon", "/letter?format=pdf"):
        nurse.ask(f"/consultations/{here}{path}")
    core = going.service.instance.leaflets["back-pain-core", "en"]
    nurse.post(f"/consultations/{here}/leaflets/{core.id}/given", {"format": "a4", "language": "en", "key": "k" * 20})
    assert nurse.post(f"/consultations/{here}/sign").status_code == 302
    for path in ("", "/addendum", "/note?format=pdf", "/report"):
        nurse.ask(f"/consultations/{here}{path}")
    for path in (
        "/",
        "/results",
        f"/results/cases/DEMO/live/{here}",
        "/follow-up",
        "/nothing",
        "/rounds",
        "/evidence/own",
    ):
        nurse.ask(path)
    nurse.client.post("/employees/new", data=form)  # without a token
    nurse.client.post(f"/consultations/{here}/answers", data={"a.employee_concern": "x" * 3_000_000})
    _refused(going, form)
    lead = Watched(going, "audit_lead")
    for path in ("/", "/results", "/results/files/results.csv", "/results/files/cases.csv", "/rounds", "/actions"):
        lead.ask(path)
    Watched(going, "administrator").ask("/settings")
    nurse.post("/sign-out")


def _refused(going: Journey, form: dict[str, str]) -> None:
    """What a fault of the program writes into its log."""
    store, broken = going.service.instance.store, RuntimeError("something unforeseen")
    plain = store.register

    def register(*_: Any) -> Any:
        raise broken

    store.register = register  # type: ignore[method-assign] # broken on purpose
    try:
        again = {**form, "name": f"{NAME} Zweitens", "go": "another"}
        assert Watched(going, "nurse").post("/employees/new", again).status_code == 500
    finally:
        store.register = plain  # type: ignore[method-assign] # put back as it was


def test_a_name_is_nowhere_but_where_it_belongs(journey: Journey) -> None:
    """In tables, files, logs, heads of replies, titles and caches."""
    conn = journey.service.instance.db.read()
    tables = [r[0] for r in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    holding = {t for t in tables if found(" ".join(str(tuple(row)) for row in conn.execute(f'SELECT * FROM "{t}"')))}
    assert holding == {"employee"}
    folder = journey.service.instance.folder
    files = [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("consult.db")]
    assert files
    assert [path.name for path in files if found(path.read_bytes().decode("utf-8", "replace"))] == []
    assert "something unforeseen" in journey.logged  # the log was listened to
    assert found(journey.logged) == []
    assert held_in_caches() == []


def test_addresses_heads_and_titles_name_nobody(journey: Journey) -> None:
    assert len(journey.replies) > 30
    for reply in journey.replies:
        said = f"{reply.request.full_path} {reply.headers}"
        assert found(said) == [], reply.request.path
        if reply.mimetype == "text/html" and reply.text.lstrip().lower().startswith("<!doctype"):
            assert found(pages.title(pages.parse(reply.text))) == [], reply.request.path


def test_the_name_stands_only_on_pages_meant_for_it(journey: Journey) -> None:
    adapter = journey.service.app.url_map.bind("localhost")
    naming = set()
    for reply in journey.replies:
        if reply.status_code != 404 and not reply.data.startswith(b"%PDF") and found(reply.text):
            naming.add(adapter.match(reply.request.path, method=reply.request.method)[0])
    assert {"employees.show", "consultations.show", "consultations.report"} <= naming  # the control: it was looked for
    assert [endpoint for endpoint in naming if not endpoint.startswith(MEANT_FOR_IT)] == []


def test_a_canary_in_a_cache_would_be_found() -> None:
    @functools.lru_cache
    def kept(text: str) -> str:
        return text.upper()

    kept(NAME)
    kept.__wrapped__.__module__ = "consult.planted"
    kept.__module__ = "consult.planted"
    assert held_in_caches() == ["consult.planted.kept"]
    kept.cache_clear()


def held_in_caches() -> list[str]:
    """The caches of the program in this process that hold a word of the canary."""
    holding = []
    for one in gc.get_objects():
        if type(one) is functools._lru_cache_wrapper and getattr(one, "__module__", "").startswith("consult"):
            kept = [part for part in gc.get_referents(one) if isinstance(part, dict) and part is not one.__dict__]
            if any(found(repr(part)) for part in kept):
                holding.append(f"{one.__module__}.{one.__name__}")
    return holding
