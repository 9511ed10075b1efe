"""How consultations were captured, counted from the step log: group negatives, late signing, time taken."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from consult.proforma.model import HOLDING_LEVELS
from consult.record.database import Connection
from consult.record.ledger import head


class Captured(Struct, frozen=True):
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

    Negatives are the findings last answered as absent, on the path or not; group negatives those that "No to the rest"
    gave.
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


URGENT_DECISION: Final = (
    "s.kind = 'decision_recorded' AND EXISTS (SELECT 1 FROM json_each(t.content, '$.levels') "
    f"WHERE value IN ({', '.join(repr(level) for level in sorted(HOLDING_LEVELS))}))"
)


class Business:
    """The consultations with an urgent decision or an adjustment to review, gathered from the log as it grows.

    What was read once is not read again: steps never change, so that only those since are looked at. One may stand here
    whose business is done, or whose steps were redacted; whoever asks looks at it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: set[str] = set()
        self._read = 0

    def of(self, conn: Connection) -> list[str]:
        """Their ids, in no order."""
        with self._lock:
            query = (
                "SELECT s.consultation FROM step s JOIN step_content t USING (seq) WHERE s.seq > ? AND s.seq <= ? "
                f"AND (({URGENT_DECISION}) OR (s.kind = 'answer_given' AND t.content ->> '$.value.review' IS NOT NULL))"
            )
            last = head(conn)[0]
            self._found.update(row[0] for row in conn.execute(query, (self._read, last)))
            self._read = last
            return list(self._found)


def with_business(
    conn: Connection, business: Business, today: str, clinician: str = "", open_only: bool = False
) -> list[str]:
    """The ended consultations that hold an urgent decision, or an adjustment whose review date is before `today`.

    Of one clinician or of all; with `open_only` those where nothing was said of it since.
    """
    unsaid = {
        "decision": "AND NOT EXISTS (SELECT 1 FROM step f JOIN step_content w USING (seq) WHERE "
        "f.consultation = c.id AND f.kind = 'decision_followed_up' AND w.content ->> '$.decision' = s.seq)",
        "review": "AND NOT EXISTS (SELECT 1 FROM step f WHERE f.consultation = c.id AND f.question = s.question "
        "AND f.kind = 'adjustment_reviewed')",
    }
    of_decision, of_review = unsaid.values() if open_only else ("", "")
    query = (
        "SELECT DISTINCT c.id, c.started_at FROM json_each(?) b CROSS JOIN consultation c ON c.id = b.value "
        "CROSS JOIN step s ON s.consultation = c.id "
        "JOIN step_content t USING (seq) WHERE c.state IN ('signed', 'abandoned') AND (? = '' OR c.clinician = ?) AND ("
        f"({URGENT_DECISION} {of_decision}) OR (s.kind = 'answer_given' "
        f"AND t.content ->> '$.value.review' BETWEEN '0' AND ? AND t.content ->> '$.value.review' < ? {of_review})) "
        "ORDER BY c.started_at DESC, c.id"
    )
    among = json.dumps(business.of(conn))
    return [row[0] for row in conn.execute(query, (among, clinician, clinician, today, today))]
