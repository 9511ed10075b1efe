"""Capture quality: how the record was made, for those who made it to reflect on; totals only for anybody else."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime
from statistics import median

from msgspec import Struct

from consult.audit.cases import TABLE
from consult.record.capture import Captured
from consult.record.database import Connection


class Quality(Struct, frozen=True):
    """The figures of one clinician, or of all; minutes are None where no time is known.

    `times_known` consultations went into the middle and the range (the shortest and the longest) of the minutes.
    """

    consultations: int
    negatives: int
    group_negatives: int
    signed_late: int
    times_known: int
    minutes: float | None
    shortest: float | None
    longest: float | None

    @property
    def times_not_known(self) -> int:
        """The consultations whose time can't be told: entered from paper, or by a clock that was set back."""
        return self.consultations - self.times_known


def minutes_taken(captured: Captured) -> float | None:
    """The minutes from begin to signing; None where they are not known, and never negative.

    A paper record is entered later, so its times say nothing of the consultation.
    """
    if captured.capture_mode != "live" or not captured.begun_at or not captured.signed_at:
        return None
    passed = (datetime.fromisoformat(captured.signed_at) - datetime.fromisoformat(captured.begun_at)).total_seconds()
    return passed / 60 if passed >= 0 else None


def is_late(captured: Captured, day_of: Callable[[str], date]) -> bool:
    """Whether it was signed on a later day than it was held; `day_of` gives the local day of a time."""
    return day_of(captured.signed_at) > date.fromisoformat(captured.held_on)


def quality(captured: Iterable[Captured], day_of: Callable[[str], date]) -> Quality:
    """The figures over signed consultations."""
    all_of = list(captured)
    taken = [minutes for one in all_of if (minutes := minutes_taken(one)) is not None]
    return Quality(
        len(all_of),
        sum(one.negatives for one in all_of),
        sum(one.group_negatives for one in all_of),
        sum(is_late(one, day_of) for one in all_of),
        len(taken),
        median(taken) if taken else None,
        min(taken, default=None),
        max(taken, default=None),
    )


def by_mode(conn: Connection, provider: str, start: str, end: str, clinician: str = "") -> dict[str, int]:
    """The cases of a provider by capture mode; of a clinician those signed, and those the clinician entered.

    Whoever edits a case later, or erases an employee, makes it none of theirs.
    """
    query = (
        "WITH entered AS MATERIALIZED (SELECT t.content ->> '$.provider', t.content ->> '$.capture_mode', "
        "t.content ->> '$.case_ref' FROM step s JOIN step_content t USING (seq) "
        "WHERE s.kind = 'case_entered' AND s.actor = ?) "
        f"SELECT r.capture_mode, count(*) FROM {TABLE} r LEFT JOIN consultation c ON c.id = r.consultation "
        "WHERE r.provider = ? AND r.consultation_date BETWEEN ? AND ? AND (? = '' OR c.clinician = ? "
        "OR (r.provider, r.capture_mode, r.case_ref) IN entered) GROUP BY 1 ORDER BY 1"
    )
    asked = (clinician, provider, start, end, clinician, clinician)
    return {row[0]: row[1] for row in conn.execute(query, asked)}
