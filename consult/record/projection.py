"""The table of consultations that is projected from the steps: written as they come, and made anew from all of them."""

from __future__ import annotations

from typing import Any

from consult.record.consultation import ENDED_BY, OPEN, PASSED_ON, holder
from consult.record.database import Connection
from consult.record.ledger import steps


def project_start(conn: Connection, consultation_id: str, content: dict[str, Any], owner: str, at: str) -> None:
    """Write the projection row of a consultation that has begun."""
    row = (consultation_id, content["employee"], owner, content["site"], OPEN, content["capture_mode"])
    conn.execute(
        "INSERT INTO consultation "
        "(id, employee, clinician, site, state, capture_mode, definition, started_at, ended_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, '')",
        (*row, content["definition"], at),
    )


def project_owner(conn: Connection, consultation_id: str, owner: str) -> None:
    """Note in the projection who holds a consultation now."""
    conn.execute("UPDATE consultation SET clinician = ? WHERE id = ?", (owner, consultation_id))


def project_end(conn: Connection, consultation_id: str, state: str, at: str) -> None:
    """Note in the projection how a consultation ended."""
    conn.execute("UPDATE consultation SET state = ?, ended_at = ? WHERE id = ?", (state, at, consultation_id))


def rebuild_consultations(conn: Connection) -> int:
    """Make the projection of consultations anew from the steps; returns how many there are."""
    conn.execute("DELETE FROM consultation")
    for step in steps(conn, kind="consultation_started"):
        if step.content:
            project_start(conn, step.consultation, step.content, step.actor, step.at)
    for step in sorted((s for kind in PASSED_ON for s in steps(conn, kind=kind)), key=lambda step: step.seq):
        project_owner(conn, step.consultation, holder(step))
    for kind, state in ENDED_BY.items():
        for step in steps(conn, kind=kind):
            project_end(conn, step.consultation, state, step.at)
    return int(conn.execute("SELECT count(*) FROM consultation").fetchone()[0])
