"""A brake on what is costly: one person may ask so often in a minute, as the policy says, and is then told to wait."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from flask import Response, current_app, g, make_response, render_template, request

from consult.accounts.policy import BRAKES, braked_as
from consult.web import noting
from consult.web.context import inst

MINUTE: Final = timedelta(minutes=1)
PLACE: Final = "consult_brake"
MOST: Final = 2000
SENTENCE: Final = "You asked for this many times in a minute; wait a moment, then ask again."
Key = tuple[str, str]


class Brake:
    """When each person asked for each kind of what is costly, in the last minute; kept in memory only."""

    def __init__(self) -> None:
        self._asked: dict[Key, deque[datetime]] = {}
        self._lock = Lock()

    def wait(self, key: Key, most: int, now: datetime) -> int:
        """0 if this may be asked for now, which then counts; else in how many seconds it may be."""
        with self._lock:
            if len(self._asked) > MOST:
                self._asked.clear()
            times = self._asked.setdefault(key, deque())
            while times and not timedelta() <= now - times[0] < MINUTE:
                times.popleft()
            if len(times) >= most:
                return max(1, int((MINUTE - (now - times[0])).total_seconds()))
            times.append(now)
            return 0


def check() -> Response | None:
    """Let a request go on, unless its person has asked for too much of its kind."""
    kind = braked_as(request.endpoint or "")
    if not kind or not g.get("person"):
        return None
    if not (seconds := too_often(kind, BRAKES[kind].most)):
        return None
    page = render_template("refused.html", title="Too many at once", sentence=SENTENCE)
    response = make_response(SENTENCE if request.headers.get("HX-Request") else page, 429)
    response.headers["Retry-After"] = str(seconds)
    return response


def too_often(kind: str, most: int) -> int:
    """0 if the person may do this once more in this minute, which then counts; else for how many seconds not, noted."""
    brake: Brake = current_app.extensions.setdefault(PLACE, Brake())
    seconds = brake.wait((g.person.id, kind), most, inst().store.clock())
    if seconds:
        noting.note("braked")
    return seconds
