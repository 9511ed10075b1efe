"""The demonstration: a made-up service whose consultations are held through the same code that the pages use."""

from __future__ import annotations

import random
import shutil
import tomllib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from consult.accounts.people import NewPerson, add_person
from consult.audit.case import age_band
from consult.documents import releasing
from consult.documents.report import Chosen
from consult.documents.signing import sign
from consult.exchange.casefile import Import, export, import_cases
from consult.instance import DATABASE, Instance, exists, make_private, open_instance
from consult.proforma.answer import ANSWERED, Answer
from consult.proforma.model import Question
from consult.proforma.path import holding
from consult.record.identity import Employee
from consult.record.settings import Site, change_setting, is_demonstration, provider, put_site
from consult.record.store import Refused, Start, Store, Who

ACTOR: Final = "demonstration"
SET_UP_AGO: Final = timedelta(days=70)
CASES_AGO: Final = timedelta(days=60)
OLDEST_CASE: Final = 240
NEWEST_CASE: Final = 75
OPEN_SINCE: Final = timedelta(minutes=20)
BETWEEN_ANSWERS: Final = timedelta(seconds=9)


class DemoRefused(Exception):
    """The demonstration was not made; the message says why and what to do."""


@dataclass(frozen=True)
class DemoPerson:
    """Somebody of the demonstration who can sign in."""

    username: str
    name: str
    role: str
    site: str


@cache
def script() -> dict[str, Any]:
    """What the demonstration is made of, as written in demo.toml."""
    return tomllib.loads(files("consult").joinpath("demo.toml").read_text("utf-8"))


def people() -> list[DemoPerson]:
    """Those who can sign in."""
    return [DemoPerson(**person) for person in script()["people"]]


def password() -> str:
    """The one password of all of them."""
    return str(script()["password"])


def amount() -> int:
    """How many consultations are held, for showing progress."""
    return len(script()["consultations"])


def is_there(folder: Path) -> bool:
    """Whether the demonstration stands in a folder; DemoRefused if something else does."""
    if not exists(folder):
        return False
    instance = open_instance(folder)
    try:
        if not is_demonstration(instance.db.read()):
            code = provider(instance.db.read())
            holds = f"real data of provider {code}" if code else "an installation that is not set up"
            raise DemoRefused(
                f"{folder} holds {holds}, which is never mixed with the demonstration; "
                "choose another folder with --instance."
            )
        return True
    finally:
        instance.close()


def prepare(folder: Path, now: datetime, held: Callable[[int], None] = lambda _: None) -> list[str]:
    """Make the demonstration in a folder; it appears there only once it is complete.

    Returns the answers of the script that found no place: the proforma in use need not be the one it was written for.
    """
    make_private(folder)
    making = folder / "demonstration-being-made"
    shutil.rmtree(making, ignore_errors=True)
    try:
        clock = Clock(now - SET_UP_AGO)
        instance = open_instance(making, create=True, clock=clock, actor=ACTOR)
        try:
            unplaced = _fill(instance, clock, now, held)
            instance.db.read().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            instance.close()
        (making / DATABASE).rename(folder / DATABASE)
        return unplaced
    finally:
        shutil.rmtree(making, ignore_errors=True)


@dataclass
class Clock:
    """A clock that stands until it is moved."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, span: timedelta = BETWEEN_ANSWERS) -> None:
        """Let time go by."""
        self.now += span


def _fill(instance: Instance, clock: Clock, now: datetime, held: Callable[[int], None]) -> list[str]:
    who = _set_up(instance)
    clock.now = now - CASES_AGO
    _import_constructed(instance, now)
    employees: dict[str, Employee] = {}
    unplaced: list[str] = []
    for talk in sorted(script()["consultations"], key=lambda talk: begins(talk, now)):
        clock.now = begins(talk, now)
        clinician = who[talk["clinician"]]
        if talk["employee"] not in employees:
            employees[talk["employee"]] = _register(instance.store, talk["employee"], clinician)
            clock.pass_()
        site = next(p.site for p in people() if p.username == talk["clinician"])
        held_talk = Talk(instance, clock, clinician, talk)
        held_talk.hold(employees[talk["employee"]], site)
        unplaced += sorted(f"{talk['employee']}: {question}" for question in held_talk.unplaced)
        held(1)
    return unplaced


def begins(talk: dict[str, Any], now: datetime) -> datetime:
    """When a consultation of the script begins: on a working day so many days ago, or minutes before now."""
    if not talk["at"]:
        return now - OPEN_SINCE
    day = (now - timedelta(days=talk["days_ago"])).date()
    day -= timedelta(days=max(0, day.weekday() - 4))
    return datetime.combine(day, time.fromisoformat(talk["at"]), UTC)


def _set_up(instance: Instance) -> dict[str, Who]:
    """Settings, sites and people; returns who acts, by sign-in name."""
    found = {}
    with instance.db.write() as conn:
        at = instance.store.at()
        change_setting(conn, "provider", script()["provider"], ACTOR, at)
        change_setting(conn, "demonstration", True, ACTOR, at)
        for site in script()["sites"]:
            put_site(conn, Site(**site), ACTOR, at)
        for one in people():
            new = NewPerson(one.name, one.role, one.site, password(), one.username)
            found[one.username] = Who(add_person(conn, new, ACTOR, at).id, one.role)
    return found


def _register(store: Store, key: str, who: Who) -> Employee:
    known = next(e for e in script()["employees"] if e["key"] == key)
    return store.register(known["name"], known["born"], known["number"], who)


class Talk:
    """One consultation of the script, held question by question."""

    def __init__(self, instance: Instance, clock: Clock, who: Who, talk: dict[str, Any]) -> None:
        self.instance, self.store, self.clock, self.who, self.talk = instance, instance.store, clock, who, talk
        self.answers: dict[str, Any] = {q: a for q, a in {**script()["usual"], **talk["answers"]}.items() if a != ""}
        self.unplaced = {q for q, a in talk["answers"].items() if a != ""}
        self.blank = {q for q, a in talk["answers"].items() if a == ""}
        self.id = ""

    def hold(self, employee: Employee, site: str) -> None:
        """Begin, answer, and end as the script says."""
        held_on = self.clock().astimezone().date()
        band = age_band(employee.date_of_birth, held_on)
        start = Start(
            employee=employee.id,
            site=site,
            provider=self.instance.provider,
            attendance=self.talk["attendance"],
            age_band=band,
        )
        self.id = self.store.start(start, self.who)
        self._answer_all()
        for decision in self.talk.get("decisions", []):
            self._decide(decision)
        for done in self.talk.get("leaflet", []):
            self._leaflet(done)
        if self.talk.get("report"):
            self._report()
        self._end()

    def _answer_all(self) -> None:
        definition = self.store.library.current.proforma
        for block in definition.blocks:
            for question in definition.in_block(block.id):
                self._answer(question)
            if block.rest and block.section in self.talk["no_to"]:
                self.clock.pass_()
                self.store.rest(self.id, block.id, self._key(block.id), self.who)
                for question in definition.in_block(block.id):
                    self._answer(question, after_rest=True)

    def _answer(self, question: Question, after_rest: bool = False) -> None:
        consultation = self.store.consultation(self.id)
        if consultation is None or question.id not in self.store.path_of(consultation):
            return
        answer = self._planned(question, after_rest)
        if answer is None or consultation.answers.get(question.id) == answer:
            return
        self.clock.pass_()
        key, seen = self._key(question.id), consultation.seen(question.id)
        with suppress(Refused):  # an option that the proforma no longer has
            self.store.save(self.id, question, answer, seen, key, "single", self.who)
            self.unplaced.discard(question.id)

    def _planned(self, question: Question, after_rest: bool) -> Answer | None:
        """What the script answers; No where it says so, which in a block with "No to the rest" waits for that."""
        if question.id in self.answers:
            return answer_of(question, self.answers[question.id], self.clock().date())
        block = self.store.library.current.proforma.block(question.block)
        says_no = block.section in self.talk["no_to"] and question.kind == "finding" and question.id not in self.blank
        consultation = self.store.consultation(self.id)
        waits = (block.rest and not after_rest) or (consultation is not None and question.id in consultation.answers)
        return Answer("absent") if says_no and not waits else None

    def _decide(self, decision: dict[str, str]) -> None:
        consultation = self.store.consultation(self.id)
        if consultation is None:
            return
        path = self.store.path_of(consultation)
        held = holding(path)
        content = {
            "questions": [q.id for q in held],
            "states": [answer.state if (answer := path.answer(q.id)) else "" for q in held],
            "levels": [path.level(q.id) for q in held],
            **decision,
        }
        self._note("decision_recorded", content)

    def _leaflet(self, done: str) -> None:
        leaflet = next(leaflet for leaflet in self.instance.leaflets.values() if leaflet.core)
        content = {
            "leaflet": leaflet.id,
            "version": leaflet.version,
            "language": leaflet.language,
            "format": "a4",
            "digest": leaflet.digest,
        }
        form = {"form": self.talk.get("leaflet_form", "printed")} if done == "given" else {}
        self._note(f"leaflet_{done}", content | form)

    def _report(self) -> None:
        kind = self.store.library.current.reports.by_id("")
        if kind is not None:
            self.clock.pass_()
            employee = next(e for e in script()["employees"] if e["key"] == self.talk["employee"])
            clinician = next(p for p in people() if p.username == self.talk["clinician"])
            names = releasing.Names(employee["name"], clinician.name)
            with suppress(Refused):  # a proforma in use that asks for consent in another way
                releasing.make_final(self.store, self.id, Chosen(kind), names, "", self._key("report_made"), self.who)

    def _note(self, kind: str, content: dict[str, Any]) -> None:
        self.clock.pass_()
        self.store.note(self.id, kind, content, self._key(kind), self.who)

    def _end(self) -> None:
        self.clock.pass_()
        if self.talk["ends"] == "signed":
            sign(self.store, self.id, self.who, False, self._key("sign"))
        elif self.talk["ends"] == "abandoned":
            self.store.abandon(self.id, self.talk["reason"], self.talk["text"], self._key("end"), self.who)

    def _key(self, what: str) -> str:
        return f"{self.id}:{what}:{self.clock().timestamp():.0f}"


def answer_of(question: Question, written: Any, today: date) -> Answer:
    """An answer as the script writes it: a state, a value, or days from the day of the consultation."""
    if isinstance(written, str) and written in question.offered_states() and question.option(written) is None:
        return Answer(written)
    if question.kind == "date":
        return Answer(ANSWERED, (today + timedelta(days=written)).isoformat())
    if isinstance(written, dict):
        days = {n: (today + timedelta(days=d)).isoformat() for n, d in written.items() if isinstance(d, int)}
        parts = {"what": "", "start": "", "end": "", "review": "", "no_end_reason": ""}
        return Answer(ANSWERED, {**parts, **written, **days})
    return Answer(ANSWERED, written)


def _import_constructed(instance: Instance, now: datetime) -> None:
    dataset = instance.library.current.dataset
    rows = [dict.fromkeys(dataset.by_name, "") | row for row in constructed(now.date())]
    settings = Import(instance.provider, instance.today(), ACTOR, instance.store.at())
    report = import_cases(instance.db, dataset, "".join(export(rows, dataset)), settings)
    if report.refused:
        raise DemoRefused(f"A constructed case does not fit the data set: {report.bad[0]}")


def constructed(today: date) -> Iterator[dict[str, str]]:
    """The constructed cases, the same on every machine but for their dates, as if read from case notes."""
    draw = random.Random(script()["seed"])  # noqa: S311 - made-up cases, nothing secret
    for number in range(1, script()["constructed_cases"] + 1):
        day = today - timedelta(days=draw.randint(NEWEST_CASE, OLDEST_CASE))
        case = {
            "case_ref": f"constructed-{number:02}",
            "provider": script()["provider"],
            "consultation_date": (day - timedelta(days=max(0, day.weekday() - 4))).isoformat(),
            "capture_mode": "retrospective",
        }
        for field in script()["fields"]:
            needed = field.get("if", {})
            if not needed or any(case.get(name, "") in values for name, values in needed.items()):
                weights = field["weights"]
                case[field["name"]] = draw.choices(list(weights), list(weights.values()))[0]
        yield case
