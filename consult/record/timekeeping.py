"""A clock that jumps is noted as a step: the order of steps is always by number, and their times say when they lie."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from msgspec import Struct

from consult.record.database import Connection
from consult.record.ledger import Draft, append, last_at

FAR: Final = timedelta(minutes=1)
"""How far the clock may run from the time this process counted itself before that is called a jump."""
SMALLEST: Final = timedelta(milliseconds=1)
"""Steps hold their time to the millisecond."""
ACTOR: Final = "program"


class Reading(Struct, frozen=True):
    """What the clock said, and the seconds this process had counted by then (None where nothing counts them)."""

    moment: datetime
    counted: float | None

    def expected(self, now: Reading) -> datetime:
        """What the clock should say now if it had run as evenly as the seconds counted."""
        if self.counted is None or now.counted is None:
            return max(self.moment, now.moment)
        return self.moment + timedelta(seconds=now.counted - self.counted)


def stamp(moment: datetime) -> str:
    """A time as steps hold it: UTC in ISO 8601, to the millisecond."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def between(start: str, end: str) -> tuple[str, str]:
    """The times from which on and before which a step lies in the days from one to another, as they are counted here.

    Where the calendar ends, none is left out.
    """
    try:
        since = begins(date.fromisoformat(start))
    except (OverflowError, ValueError):
        since = ""
    try:
        before = begins(date.fromisoformat(end) + timedelta(days=1))
    except (OverflowError, ValueError):
        before = "~"
    return since, before


def begins(day: date) -> str:
    """When a day begins here, as steps hold their time; OverflowError or ValueError at the ends of the calendar.

    ValueError too where the system knows no such day: Windows counts none before 1970.
    """
    try:
        return stamp(datetime.combine(day, time()).astimezone())
    except OSError as error:
        raise ValueError(f"this system knows no {day}") from error


class Timekeeper:
    """Looks at the clock once a transaction, and writes a step before the others where it has jumped.

    The time of the transaction before is remembered; only the first one of a process asks the log for it.
    """

    def __init__(self, clock: Callable[[], datetime], counted: Callable[[], float] | None = None) -> None:
        self._clock, self._counted = clock, counted
        self._kept: Reading | None = None
        self._now: Reading | None = None

    def look(self, conn: Connection) -> None:
        """Note a jump since the transaction before, inside the one that has just begun."""
        self._now = now = Reading(self._clock(), self._counted() if self._counted else None)
        before = self._kept or _of_last_step(conn) or now
        expected = before.expected(now)
        if now.moment > before.moment - SMALLEST and abs(now.moment - expected) < FAR:
            return
        seconds = round((now.moment - expected).total_seconds(), 3)
        content = {"seconds": seconds, "last": stamp(before.moment), "noticed": stamp(now.moment)}
        append(conn, Draft("clock_jumped", content, ACTOR, stamp(now.moment)))

    def committed(self) -> None:
        """What was looked at is kept: a jump is noted once."""
        self._kept = self._now


def _of_last_step(conn: Connection) -> Reading | None:
    at = last_at(conn)
    return Reading(datetime.fromisoformat(at), None) if at else None
