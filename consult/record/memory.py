"""Consultations as they stood when last looked at, kept between requests; the log decides what is still so."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Final

from consult.record.consultation import Consultation, fold
from consult.record.database import Connection
from consult.record.ledger import Place, last_redaction, steps

MOST: Final = 64
"""Consultations kept; the one that was longest not asked for goes first."""


class Memory:
    """What is remembered is never changed: a later state is another object. Several threads may ask at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: OrderedDict[str, Consultation] = OrderedDict()
        self._redaction = 0

    def recalled(self, consultation_id: str) -> Consultation | None:
        """What is remembered, though something may have happened since."""
        with self._lock:
            return self._held.get(consultation_id)

    def now(self, conn: Connection, consultation_id: str) -> Consultation:
        """The consultation as the log tells it to this connection: what is remembered, with the steps since."""
        return self._brought_up(conn, consultation_id, last_redaction(conn))

    def at(self, conn: Connection, consultation_id: str, place: Place) -> Consultation:
        """The same where the end of the log has been looked at: nothing more is read if nothing happened since."""
        held = self.recalled(consultation_id)
        if held is not None and (held.last_seq, self._redaction) == (place.of_consultation, place.redaction):
            return held
        return self._brought_up(conn, consultation_id, place.redaction)

    def _brought_up(self, conn: Connection, consultation_id: str, redaction: int) -> Consultation:
        with self._lock:
            if redaction != self._redaction:  # what a step said may be gone, and must be forgotten here too
                self._held.clear()
                self._redaction = redaction
        held = self.recalled(consultation_id)
        since = list(steps(conn, consultation=consultation_id, after=held.last_seq if held else 0))
        if held is None:
            held = fold(consultation_id, since)
        elif since:
            held = held.after(since)
        self.keep(held, redaction)
        return held

    def keep(self, consultation: Consultation, redaction: int) -> None:
        """Remember a consultation as committed steps tell it, unless a later state of it is known already."""
        with self._lock:
            known = self._held.get(consultation.id)
            if redaction != self._redaction or (known and known.last_seq > consultation.last_seq):
                return
            self._held[consultation.id] = consultation
            self._held.move_to_end(consultation.id)
            if len(self._held) > MOST:
                _, longest = self._held.popitem(last=False)
                longest.let_go()
