"""Cases from notes or from a file that were taken out as entered in error: no cases any more, and counted as such."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct

from consult.audit import cases
from consult.audit.cases import Key
from consult.record.database import Connection
from consult.record.ledger import steps

KIND: Final = "case_in_error"


class TakenOut(Struct, frozen=True):
    """One case as it was when it was taken out, with who did so, when and why."""

    key: Key
    fields: Mapping[str, str]
    by: str
    at: str
    reason: str


def taken_out(conn: Connection, key: Key | None = None) -> Iterator[TakenOut]:
    """The cases that are out (or the one of a key), in the order of the record; one that was entered again is not."""
    named = {name: f"o.content ->> '$.{name}'" for name in cases.KEY}
    held = f"SELECT 1 FROM {cases.TABLE} WHERE {' AND '.join(f'{name} = {text}' for name, text in named.items())}"
    asked = "".join(f" AND {text} = ?" for text in named.values()) if key else ""
    query = (
        "SELECT s.actor, s.at, o.content ->> '$.reason', w.content FROM step s JOIN step_content o USING (seq) "
        "JOIN step_content w ON w.seq = o.content ->> '$.step' "
        f"WHERE s.kind = ?{asked} AND NOT EXISTS ({held}) ORDER BY s.seq"
    )
    last: dict[Key, TakenOut] = {}
    for by, at, reason, content in conn.execute(query, (KIND, *(key or ()))):
        fields = json.loads(content)
        last[cases.key_of(fields)] = TakenOut(cases.key_of(fields), fields, by, at, reason)
    yield from last.values()


def last_steps(conn: Connection) -> dict[Key, int]:
    """The step that took each case out the last time, by its key."""
    return {cases.key_of(step.content): step.seq for step in steps(conn, kind=KIND) if step.content}
