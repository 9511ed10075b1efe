"""The demonstration: a made-up service whose consultations are held through the same code that the pages use."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import tomli
from msgspec import Struct

from consult.accounts.people import WORK, NewPerson, add_person
from consult.demo_month import Month
from consult.demo_talk import Clock, Talk
from consult.documents.releasing import Names
from consult.exchange.casefile import export, import_cases
from consult.exchange.intake import Import
from consult.instance import DATABASE, Instance, exists, make_private, open_instance
from consult.record.disk import sync
from consult.record.identity import Employee
from consult.record.settings import Site, change_setting, is_demonstration, provider, put_site
from consult.record.store import Store, Who

ACTOR: Final = "demonstration"
PUBLIC: Final = "scrypt:16384:8:1"
"""How the passwords of the demonstration are hashed: they are public, and it is to be ready soon."""
SET_UP_AGO: Final = timedelta(days=70)
CASES_AGO: Final = timedelta(days=60)
OPEN_SINCE: Final = timedelta(minutes=20)


class DemoRefused(Exception):
    """The demonstration was not made; the message says why and what to do."""


class DemoPerson(Struct, frozen=True):
    """Somebody of the demonstration who can sign in."""

    username: str
    name: str
    role: str
    site: str


@cache
def script() -> dict[str, Any]:
    """What the small demonstration is made of, as written in demo.toml."""
    return _read("demo.toml")


@cache
def month_script() -> dict[str, Any]:
    """What the full demonstration has beside it, as written in demo_month.toml."""
    return _read("demo_month.toml")


def _read(name: str) -> dict[str, Any]:
    return tomli.loads(files("consult").joinpath(name).read_text("utf-8"))


def people(small: bool = True) -> list[DemoPerson]:
    """Those who can sign in."""
    return [DemoPerson(**person) for person in (*script()["people"], *([] if small else month_script()["people"]))]


def password() -> str:
    """The one password of all of them."""
    return str(script()["password"])


def amount(small: bool = True) -> int:
    """How many consultations are held, for showing progress."""
    return len(script()["consultations"]) + (0 if small else int(month_script()["work"]["consultations"]))


def found(folder: Path) -> list[DemoPerson]:
    """Those who can sign in to the demonstration that stands in a folder, small or full; nobody where none is there.

    DemoRefused if something else stands there.
    """
    if not exists(folder):
        return []
    instance = open_instance(folder)
    try:
        if not is_demonstration(instance.db.read()):
            code = provider(instance.db.read())
            holds = f"real data of provider {code}" if code else "an installation that is not set up"
            raise DemoRefused(
                f"{folder} holds {holds}, which is never mixed with the demonstration; "
                "choose another folder with --instance."
            )
        return [person for person in people(small=False) if person.site in instance.sites]
    finally:
        instance.close()


def prepare(
    folder: Path, now: datetime, held: Callable[[int], None] = lambda _: None, *, small: bool = True
) -> list[str]:
    """Make the demonstration in a folder; it appears there only once it is complete.

    Small, it is a few consultations and constructed cases, for tests and pictures; else months of made-up work with
    the audit round it. Returns the answers of the script that found no place: the proforma in use need not be the one
    it was written for.
    """
    make_private(folder)
    making = folder / "demonstration-being-made"
    shutil.rmtree(making, ignore_errors=True)
    try:
        clock = Clock(now - (SET_UP_AGO if small else timedelta(days=month_script()["set_up_days_ago"])))
        instance = open_instance(making, create=True, clock=clock, actor=ACTOR)
        try:
            with instance.db.not_relied_on():
                unplaced = _fill(instance, clock, now, held, small)
        finally:
            instance.close()
        sync(making / DATABASE)
        (making / DATABASE).rename(folder / DATABASE)
        return unplaced
    finally:
        shutil.rmtree(making, ignore_errors=True)


def _fill(instance: Instance, clock: Clock, now: datetime, held: Callable[[int], None], small: bool) -> list[str]:
    who = _set_up(instance, small)
    if small:
        clock.now = now - CASES_AGO
        _import_constructed(instance, now)
        return _Scripted(instance, clock, now, who, held).all()
    month = Month(instance, clock, now, who, month_script(), script()["usual"], held)
    cases = constructed(now.date(), script() | month_script()["baseline"])
    scripted = _Scripted(instance, clock, now, who, held)
    month.fill(list(cases), [(begins(talk, now), scripted.one(talk)) for talk in script()["consultations"]])
    return scripted.unplaced + month.unplaced


class _Scripted:
    """The consultations that the script tells one by one."""

    def __init__(
        self, instance: Instance, clock: Clock, now: datetime, who: Mapping[str, Who], held: Callable[[int], None]
    ) -> None:
        self.instance, self.clock, self.now, self.who, self.held = instance, clock, now, who, held
        self.employees: dict[str, Employee] = {}
        self.unplaced: list[str] = []

    def all(self) -> list[str]:
        """Hold them all; returns the answers that found no place."""
        for talk in sorted(script()["consultations"], key=lambda talk: begins(talk, self.now)):
            self.clock.now = begins(talk, self.now)
            self.one(talk)()
        return self.unplaced

    def one(self, talk: dict[str, Any]) -> Callable[[], None]:
        """What holds one of them."""

        def hold() -> None:
            clinician = self.who[talk["clinician"]]
            employee = self._employee(talk["employee"], clinician)
            person = next(p for p in people() if p.username == talk["clinician"])
            names = Names(employee.name, person.name)
            held = Talk(self.instance, self.clock, clinician, talk, names, script()["usual"])
            held.hold(employee, person.site)
            held.end()
            self.unplaced += sorted(f"{talk['employee']}: {question}" for question in held.unplaced)
            self.held(1)

        return hold

    def _employee(self, key: str, who: Who) -> Employee:
        if key not in self.employees:
            self.employees[key] = _register(self.instance.store, key, who)
            self.clock.pass_()
        return self.employees[key]


def begins(talk: dict[str, Any], now: datetime) -> datetime:
    """When a consultation of the script begins: on a working day so many days ago, or minutes before now."""
    if not talk["at"]:
        return now - OPEN_SINCE
    day = (now - timedelta(days=talk["days_ago"])).date()
    day -= timedelta(days=max(0, day.weekday() - 4))
    return datetime.combine(day, time.fromisoformat(talk["at"]), UTC)


def _set_up(instance: Instance, small: bool) -> dict[str, Who]:
    """Settings, sites and people; returns who acts, by sign-in name."""
    found = {}
    with instance.db.write() as conn:
        at = instance.store.at()
        change_setting(conn, "provider", script()["provider"], ACTOR, at)
        change_setting(conn, "demonstration", True, ACTOR, at)
        change_setting(conn, WORK, PUBLIC, ACTOR, at)
        for site in (*script()["sites"], *([] if small else month_script()["sites"])):
            put_site(conn, Site(**site), ACTOR, at)
        for one in people(small):
            new = NewPerson(one.name, one.role, one.site, password(), one.username)
            found[one.username] = Who(add_person(conn, new, ACTOR, at).id, one.role)
    return found


def _register(store: Store, key: str, who: Who) -> Employee:
    known = next(e for e in script()["employees"] if e["key"] == key)
    return store.register(known["name"], known["born"], known["number"], who)


def _import_constructed(instance: Instance, now: datetime) -> None:
    dataset = instance.library.current.dataset
    rows = [dict.fromkeys(dataset.by_name, "") | row for row in constructed(now.date())]
    settings = Import(instance.provider, instance.today(), ACTOR, instance.store.at())
    report = import_cases(instance.db, dataset, "".join(export(rows, dataset)), settings)
    if report.refused:
        raise DemoRefused(f"A constructed case does not fit the data set: {report.bad[0]}")


def constructed(today: date, wanted: Mapping[str, Any] | None = None) -> Iterator[dict[str, str]]:
    """The constructed cases, the same on every machine but for their dates, as if read from case notes."""
    wanted = wanted or script()
    own = {field["name"]: field for field in wanted.get("own_fields", [])}
    draw = random.Random(wanted["seed"])  # noqa: S311 - made-up cases, nothing secret
    for number in range(1, wanted["constructed_cases"] + 1):
        day = today - timedelta(days=draw.randint(wanted["newest_case_days_ago"], wanted["oldest_case_days_ago"]))
        case = {
            "case_ref": f"constructed-{number:02}",
            "provider": wanted["provider"],
            "consultation_date": (day - timedelta(days=max(0, day.weekday() - 4))).isoformat(),
            "capture_mode": "retrospective",
        }
        for field in (own.get(field["name"], field) for field in (*wanted["fields"], *wanted.get("more_fields", []))):
            needed = field.get("if", {})
            if not needed or any(case.get(name, "") in values for name, values in needed.items()):
                weights = field["weights"]
                case[field["name"]] = draw.choices(list(weights), list(weights.values()))[0]
        yield case
