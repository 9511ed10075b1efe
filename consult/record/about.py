"""All that the record holds about one employee, found by the opaque ids alone, and what people typed in it.

Somebody who was entered twice is one employee: what was recorded under either id is about them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from consult.record import merging
from consult.record.database import Connection
from consult.record.ledger import Step, steps

TYPED: Final[dict[str, tuple[str, ...]]] = {
    "consultation_taken_over": ("reason",),
    "decision_recorded": ("reason", "told"),
    "blank_emergencies_explained": ("text",),
    "report_made": ("text", "adjustments", "written"),
    "report_consent_recorded": ("how",),
    "report_copy_given": ("how",),
    "report_correction_asked": ("text",),
    "report_correction_answered": ("text",),
    "report_released": ("to", "how"),
    "leaflet_need_unmet": ("reason",),
    "consultation_abandoned": ("text",),
    "entered_in_error": ("text",),
    "addendum_added": ("text", "why", "answers"),
    "decision_followed_up": ("text",),
    "adjustment_reviewed": ("text",),
    "hold_set": ("reason",),
    "hold_ended": ("reason",),
    "record_handed_out": ("reason",),
    "access_reasoned": ("reason",),
    "identity_erased": ("why",),
}
"""The keys of a step's content that people type, by its kind; an answer's value, where its question takes text."""

KEPT: Final = frozenset({"consultation_started", "consultation_handed_over", "signing_retold", "content_redacted"})
"""What is never redacted: without it a consultation would not be there, not its holder, or not its case."""


def consultations_of(conn: Connection, employee: str) -> list[str]:
    """Every consultation of an employee, the first begun first."""
    ids = merging.ids_of(conn, employee)
    among = ", ".join("?" * len(ids))
    rows = conn.execute(f"SELECT id FROM consultation WHERE employee IN ({among}) ORDER BY started_at, id", ids)
    return [row["id"] for row in rows]


def steps_about(conn: Connection, employee: str) -> list[Step]:
    """Every step about an employee, in order: of the consultations, and those outside them that name the opaque id.

    The steps that redact one of them are among them.
    """
    found = [step for id_ in consultations_of(conn, employee) for step in steps(conn, consultation=id_)]
    outside, ids = list(steps(conn, consultation="")), frozenset(merging.ids_of(conn, employee))
    found += [step for step in outside if step.kind != "content_redacted" and _is_about(step, ids)]
    redacting = {f"step:{step.seq}" for step in found}
    found += [step for step in outside if step.kind == "content_redacted" and step.question in redacting]
    return sorted(found, key=lambda step: step.seq)


def _is_about(step: Step, ids: frozenset[str]) -> bool:
    return step.question.rpartition(":")[2] in ids or not ids.isdisjoint(leaves(step.content))


def leaves(content: Any) -> Iterator[str]:
    """Every text in the content of a step, however deep."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, dict):
        for value in content.values():
            yield from leaves(value)
    elif isinstance(content, list):
        for value in content:
            yield from leaves(value)


def typed(step: Step, takes_text: bool) -> bool:
    """Whether a step holds words that somebody typed; `takes_text` says so of the question that it answers."""
    content = step.content or {}
    if step.kind == "answer_given":
        return takes_text and any(text.strip() for text in leaves(content.get("value")))
    return any(text.strip() for key in TYPED.get(step.kind, ()) for text in leaves(content.get(key)))


def last_seen(conn: Connection) -> dict[str, str]:
    """When each employee who is still named was last seen, or else registered (UTC, ISO 8601), by the id kept."""
    rows = conn.execute(
        "SELECT e.id, coalesce(max(c.started_at), e.registered_at) AS at FROM employee e "
        "LEFT JOIN consultation c ON c.employee = e.id GROUP BY e.id ORDER BY at, e.id"
    )
    same, last = merging.same_as(conn), dict[str, str]()
    for row in rows:
        id_ = same.get(row["id"], row["id"])
        last[id_] = max(last.get(id_, ""), row["at"])
    return last
