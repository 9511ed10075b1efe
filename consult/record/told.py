"""What the steps say of consultations and settings, held against the tables that are made from them."""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from consult.record.consultation import ENDED_BY, OPEN, PASSED_ON, holder
from consult.record.database import Connection
from consult.record.ledger import canonical, steps

MEND: Final = "run `consult rebuild`"
FROM_START: Final = ("employee", "site", "capture_mode", "definition")
COLUMNS: Final = (*FROM_START, "clinician", "started_at", "state", "ended_at")
Row = Mapping[str, str]


def differences(conn: Connection) -> Iterator[str]:
    """Each way in which the consultations and settings are not as the steps say: a sentence with what to do."""
    yield from compare("consultation", _consultations_held(conn), consultations(conn))
    told = settings(conn)
    if told is not None:
        yield from compare("setting", _settings_held(conn), {name: {"value": canonical(v)} for name, v in told.items()})


def compare(noun: str, held: Mapping[str, Row], told: Mapping[str, Row]) -> Iterator[str]:
    """How rows by name differ from what the steps say of them."""
    for name in sorted(held.keys() | told.keys()):
        if name not in told:
            yield f"The {noun} {name} is there, and no step says so; {MEND}."
        elif name not in held:
            yield f"The {noun} {name} is missing; {MEND}."
        else:
            for column, says in told[name].items():
                if (has := held[name][column]) != says:
                    yield f"The {noun} {name} has {column} {_short(has)}, and its steps say {_short(says)}; {MEND}."


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:59]}…")


def consultations(conn: Connection) -> dict[str, dict[str, str]]:
    """The row of each consultation as its steps tell it."""
    told: dict[str, dict[str, str]] = {}
    for step in heapq.merge(
        *(steps(conn, kind=kind) for kind in ("consultation_started", *PASSED_ON, *ENDED_BY)), key=lambda step: step.seq
    ):
        if step.kind in PASSED_ON and step.consultation in told:
            told[step.consultation]["clinician"] = holder(step)
        elif step.kind in ENDED_BY and step.consultation in told:
            told[step.consultation] |= {"state": ENDED_BY[step.kind], "ended_at": step.at}
        elif step.content and step.kind == "consultation_started":
            known = {name: step.content[name] for name in FROM_START}
            begun = {"clinician": step.actor, "started_at": step.at, "state": OPEN, "ended_at": ""}
            told[step.consultation] = known | begun
    return told


def _consultations_held(conn: Connection) -> dict[str, Row]:
    rows = conn.execute(f"SELECT id, {', '.join(COLUMNS)} FROM consultation")
    return {row["id"]: {name: row[name] for name in COLUMNS} for row in rows}


def settings(conn: Connection) -> dict[str, Any] | None:
    """The value of each setting as the steps tell it; None if what one of them says has been redacted."""
    told = {}
    for step in steps(conn, kind="setting_changed"):
        if step.content is None:
            return None
        told[step.content["name"]] = step.content["value"]
    return told


def _settings_held(conn: Connection) -> dict[str, Row]:
    return {row["name"]: {"value": _plain(row["value"])} for row in conn.execute("SELECT name, value FROM setting")}


def _plain(text: str) -> str:
    """A value as it is compared: the order of its keys does not matter."""
    try:
        return canonical(json.loads(text))
    except ValueError:
        return text


def rebuild_settings(conn: Connection) -> None:
    """Make the settings anew from the steps; they stay as they are if what a step says has been redacted."""
    told = settings(conn)
    if told is not None:
        conn.execute("DELETE FROM setting")
        for name, value in told.items():
            conn.execute("INSERT INTO setting (name, value) VALUES (?, ?)", (name, canonical(value)))
