"""How consultations were captured, counted from the step log: group negatives, late signing, time taken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from consult.record.database import Connection


@dataclass(frozen=True)
class Captured:
    """One signed consultation: where, when begun and signed, and its answers of "no": all, and those of a gesture."""

    consultation: str
    clinician: str
    site: str
    capture_mode: str
    held_on: str
    begun_at: str
    signed_at: str
    negatives: int
    group_negatives: int


def signed(conn: Connection, start: str, end: str, clinician: str = "") -> Iterator[Captured]:
    """The signed consultations held in a period (inclusive), of one clinician or of all.

    Negatives are the findings that stand as absent at signing; group negatives those that "No to the rest" gave.
    """
    query = (
        "WITH held AS MATERIALIZED (SELECT c.id, c.clinician, c.site, c.capture_mode, "
        "t.content ->> '$.held_on' AS held_on, coalesce(t.content ->> '$.held_at', s.at) AS begun_at, "
        "c.ended_at FROM consultation c JOIN step s ON s.consultation = c.id AND s.question = '' "
        "AND s.kind = 'consultation_started' JOIN step_content t USING (seq) "
        "WHERE c.state = 'signed' AND (? = '' OR c.clinician = ?) AND t.content ->> '$.held_on' BETWEEN ? AND ?), "
        "last AS MATERIALIZED (SELECT a.consultation, max(a.seq) AS seq FROM held h JOIN step a "
        "ON a.consultation = h.id AND a.question <> '' AND a.kind IN ('answer_given', 'answer_removed') "
        "GROUP BY a.consultation, a.question), "
        "counted AS (SELECT l.consultation, count(*) AS no, sum(t.content ->> '$.via' = 'group') AS grouped "
        "FROM last l JOIN step a USING (seq) JOIN step_content t USING (seq) "
        "WHERE a.kind = 'answer_given' AND t.content ->> '$.state' = 'absent' GROUP BY 1) "
        "SELECT h.id, h.clinician, h.site, h.capture_mode, h.held_on, h.begun_at, h.ended_at, "
        "coalesce(n.no, 0), coalesce(n.grouped, 0) FROM held h LEFT JOIN counted n ON n.consultation = h.id "
        "ORDER BY h.held_on, h.id"
    )
    for row in conn.execute(query, (clinician, clinician, start, end)):
        yield Captured(*row)


def with_open_business(conn: Connection, clinician: str = "") -> list[str]:
    """The ended consultations, of one clinician or of all, that hold an urgent decision or a dated adjustment."""
    query = (
        "SELECT DISTINCT c.id FROM consultation c JOIN step s ON s.consultation = c.id JOIN step_content t USING (seq) "
        "WHERE c.state IN ('signed', 'abandoned') AND (? = '' OR c.clinician = ?) AND ("
        "(s.kind = 'decision_recorded' AND EXISTS (SELECT 1 FROM json_each(t.content, '$.levels') "
        "WHERE value IN ('U0', 'U1'))) "
        "OR (s.kind = 'answer_given' AND coalesce(t.content ->> '$.value.review', '') <> '')) "
        "ORDER BY c.started_at DESC, c.id"
    )
    return [row[0] for row in conn.execute(query, (clinician, clinician))]
