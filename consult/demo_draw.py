"""What the full demonstration draws: when its consultations are held, by whom, with whom, and what is answered."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from msgspec import Struct

SATURDAY: Final = 5
OF_THE_TALK: Final = "talk."
"""Names that begin so say something of the consultation itself; the others are answers to questions."""


class Invented(Struct, frozen=True):
    """An employee who is plainly made up."""

    name: str
    born: date
    number: str


class Drawn(Struct, frozen=True):
    """One consultation as it was drawn: when, the clinician's sign-in name, which employee, and what the talk holds."""

    when: datetime
    clinician: str
    employee: int
    talk: dict[str, Any]


def consultations(script: Mapping[str, Any], clinicians: Mapping[str, Mapping[str, str]], now: datetime) -> list[Drawn]:
    """Every consultation of the script in order of time, the same on every machine but for the dates.

    `clinicians` gives, by sign-in name, what rules may ask of them: role and site.
    """
    found: list[Drawn] = []
    for nth, when in enumerate(_times(script, now), start=1):
        draw = random.Random(f"{script['seed']}:{nth}")  # noqa: S311 - made-up people, nothing secret
        by = _one(draw, script["work"]["clinicians"])
        later = when < now - timedelta(days=script["later_days_ago"])
        given = {"role": clinicians[by]["role"], "site": clinicians[by]["site"]}
        for rule in script["draws"]:
            if _applies(rule, given) and draw.random() * 100 < _now(rule, "share", 100, not later):
                given[rule["name"]] = _one(draw, _now(rule, "of", rule.get("of"), not later))
        again = _applies({"if": script["employees"]["seen_before_if"]}, given)
        found.append(Drawn(when, by, _employee(draw, again, found), _talk(script, given, nth)))
    return found


def _now(rule: Mapping[str, Any], name: str, default: Any, late: bool) -> Any:
    """What a rule says, or says for the later time."""
    said = rule.get(name, default)
    return rule.get(f"later_{name}", said) if late else said


def _one(draw: random.Random, weighted: list[list[Any]]) -> Any:
    return draw.choices([value for _, value in weighted], [weight for weight, _ in weighted])[0]


def _applies(rule: Mapping[str, Any], given: Mapping[str, Any]) -> bool:
    for name, values in rule.get("if", {}).items():
        said = given.get(name, "")
        if not set(said if isinstance(said, list) else [said]) & set(values):
            return False
    return True


def _talk(script: Mapping[str, Any], given: dict[str, Any], nth: int) -> dict[str, Any]:
    """The talk as `Talk` takes it; what the script says of this very one goes before what was drawn."""
    own = {name.removeprefix(OF_THE_TALK): said for name, said in given.items() if name.startswith(OF_THE_TALK)}
    answers = {n: said for n, said in given.items() if not n.startswith(OF_THE_TALK) and n not in ("role", "site")}
    no_to = [name.removeprefix("no_to_") for name in own if name.startswith("no_to_")]
    talk = {"ends": "signed", **own, "no_to": no_to, "answers": answers}
    for one in script.get("particular", []):
        if nth in one["nth"]:
            said = {name: value for name, value in one.items() if name not in ("nth", "answers")}
            talk |= {**said, "answers": {**talk["answers"], **one.get("answers", {})}}
    return talk


def _employee(draw: random.Random, again: bool, before: list[Drawn]) -> int:
    """Somebody who was seen before where it is `again`, else the next one."""
    seen = max((one.employee for one in before), default=-1)
    return draw.randint(0, seen) if again and seen >= 0 else seen + 1


def _times(script: Mapping[str, Any], now: datetime) -> list[datetime]:
    """When they begin: drawn among the hours of the working days."""
    work = script["work"]
    draw = random.Random(script["seed"])  # noqa: S311 - as above
    days = [(now - timedelta(days=ago)).date() for ago in range(work["last_day_ago"], work["first_day_ago"])]
    hours = [time.fromisoformat(hour) for hour in work["hours"]]
    open_ = [datetime.combine(day, hour, UTC) for day in days if day.weekday() < SATURDAY for hour in hours]
    return sorted(draw.sample(sorted(open_), work["consultations"]))


def employees(script: Mapping[str, Any]) -> Iterator[Invented]:
    """Employees without end, each plainly made up: names of no one, numbers that say DEMO."""
    wanted = script["employees"]
    draw = random.Random(script["seed"])  # noqa: S311 - as above
    names = [f"{given} {family}" for family in wanted["family"] for given in wanted["given"]]
    draw.shuffle(names)
    for number, name in enumerate(names, start=1):
        born = date(draw.randint(*wanted["born"]), draw.randint(1, 12), draw.randint(1, 28))
        yield Invented(name, born, f"{wanted['number']}{number:04}")
