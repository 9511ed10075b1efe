"""Consultations that were begun, for those who count them: how each stands, whether or not it was signed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from msgspec import Struct

from consult.record import merging
from consult.record.database import Connection


class Begun(Struct, frozen=True):
    """One consultation: where, by whom (role), on which day, and how it stands; `reason` of one that was ended."""

    id: str
    provider: str
    site: str
    role: str
    held_on: str
    state: str
    reason: str


def not_signed(conn: Connection, capture: str, start: str, end: str) -> Iterator[Begun]:
    """The consultations of a capture mode held in a period (inclusive) that are open, abandoned or in error."""
    query = (
        "SELECT c.id, t.content ->> '$.provider', c.site, "
        "(SELECT coalesce(h.content ->> '$.role', o.role) FROM step o LEFT JOIN step_content h "
        "ON h.seq = o.seq AND o.kind = 'consultation_handed_over' WHERE o.consultation = c.id AND o.question = '' "
        "AND o.kind IN ('consultation_started', 'consultation_taken_over', 'consultation_handed_over') "
        "ORDER BY o.seq DESC LIMIT 1), "
        "t.content ->> '$.held_on', c.state, "
        "coalesce((SELECT w.content ->> '$.reason' FROM step e JOIN step_content w USING (seq) WHERE "
        "e.consultation = c.id AND e.kind IN ('consultation_abandoned', 'entered_in_error') "
        "ORDER BY e.seq DESC LIMIT 1), '') "
        "FROM consultation c JOIN step s ON s.consultation = c.id AND s.question = '' "
        "AND s.kind = 'consultation_started' JOIN step_content t USING (seq) "
        "WHERE c.state <> 'signed' AND c.capture_mode = ? AND t.content ->> '$.held_on' BETWEEN ? AND ? "
        "ORDER BY 5, s.seq"
    )
    for row in conn.execute(query, (capture, start, end)):
        yield Begun(*row)


def held_with(conn: Connection, consultations: Iterable[str]) -> dict[str, int]:
    """How many of some consultations were held with each version of the proforma, by digest, the commonest first."""
    query = (
        "SELECT definition, count(*) FROM consultation WHERE id IN (SELECT value FROM json_each(?)) "
        "GROUP BY definition ORDER BY 2 DESC, 1"
    )
    return {row[0]: row[1] for row in conn.execute(query, (json.dumps(list(consultations)),))}


def earlier_signed(conn: Connection, consultation: str) -> list[str]:
    """The signed consultations of the same employee that were held before this one, the last of them first.

    One on paper counts by when it was held, which is earlier than when it was entered.
    """
    row = conn.execute("SELECT employee FROM consultation WHERE id = ?", (consultation,)).fetchone()
    ids = merging.ids_of(conn, row[0]) if row else []
    query = (
        "WITH held AS (SELECT c.id, c.state, "
        "julianday(coalesce(nullif(t.content ->> '$.held_at', ''), c.started_at)) AS began "
        "FROM consultation c JOIN step s ON s.consultation = c.id AND s.question = '' "
        "AND s.kind = 'consultation_started' JOIN step_content t USING (seq) "
        f"WHERE c.employee IN ({', '.join('?' * len(ids))})) "
        "SELECT o.id FROM held o JOIN held this ON o.began < this.began "
        "WHERE this.id = ? AND o.state = 'signed' ORDER BY o.began DESC"
    )
    return [row[0] for row in conn.execute(query, (*ids, consultation))]
