"""The incident log of the tool: what went wrong with it, what came of that, and what was done; folded from steps."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import date
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from consult.proforma.days import day_in
from consult.record.database import Connection
from consult.record.ledger import Draft, Refused, Step, append, check_seen, steps

LONGEST: Final = 2000
TEXTS: Final = {"what": "what happened", "effect": "what came of it, or that nothing did"}
SAID: Final = ("happened_on", "what", "effect", "done")
"""What a step says of an incident."""


class Incident(Struct, frozen=True):
    """One incident as its steps tell it now; `done` is "" while nothing was done about it yet."""

    id: str
    happened_on: str
    what: str
    effect: str
    done: str
    history: tuple[Step, ...] = ()


def incidents(conn: Connection) -> dict[str, Incident]:
    """Every incident by id, the first noted first."""
    found: dict[str, Incident] = {}
    for step in steps(conn, kind="incident_noted"):
        if step.content is not None:
            said = {name: step.content[name] for name in SAID}
            before = found.get(step.content["incident"], Incident(step.content["incident"], **said))
            found[before.id] = replace(before, **said, history=(*before.history, step))
    return found


def newest_first(conn: Connection) -> Iterator[Incident]:
    """The incidents, the day of the last one first."""
    yield from sorted(incidents(conn).values(), key=lambda one: one.happened_on, reverse=True)


def note(
    conn: Connection,
    said: Incident,
    who: tuple[str, str],
    today: date,
    at: str,
    key: str,
    reason: str = "",
    seen: int = 0,
) -> str:
    """Note an incident (its id is ""), or with its id change what is noted of it; returns the id.

    Refused if a text is missing or too long, the day lies ahead, or a change has no reason. The same key makes one.
    `seen` is the step that the page knew as the last of this incident: another one there raises ChangedSince.
    """
    if said.id:
        held = incidents(conn).get(said.id)
        if held is None:
            raise Refused("There is no such incident; go back to the list.")
        check_seen(held.history, seen, key, "incident")
    if said.id and not reason.strip():
        raise Refused("Say why the incident is changed; the reason is kept with it.", "reason")
    plain = replace(said, what=said.what.strip(), effect=said.effect.strip(), done=said.done.strip())
    _check(plain, today)
    id_ = said.id or str(uuid.uuid5(uuid.NAMESPACE_OID, key))
    told = {name: getattr(plain, name) for name in SAID}
    content = {"incident": id_, **told, "reason": reason.strip()}
    append(conn, Draft("incident_noted", content, who[0], at, role=who[1], key=key))
    return id_


def _check(said: Incident, today: date) -> None:
    for name, words in TEXTS.items():
        if not getattr(said, name):
            raise Refused(f"Write down {words}.", name)
    if long := [name for name in (*TEXTS, "done") if len(getattr(said, name)) > LONGEST]:
        raise Refused(f"Shorten each text to {LONGEST} characters.", long[0])
    _check_day(said.happened_on, today)


def _check_day(text: str, today: date) -> None:
    day = day_in(text)
    if day is None:
        raise Refused("Give the day on which it happened as a date.", "happened_on")
    if day > today:
        raise Refused("The day on which it happened lies ahead; correct it.", "happened_on")
