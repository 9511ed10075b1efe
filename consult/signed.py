"""What stands under a note: who signed it, and the step that did."""

from __future__ import annotations

from consult.accounts import people
from consult.documents.words import ROLES, when
from consult.record.consultation import Consultation
from consult.record.database import Connection


def signer(conn: Connection, consultation: Consultation) -> str:
    """Who signed, in which role, and when, as it stands under the note; "" while it is not signed."""
    step = consultation.signed
    name = people.names(conn).get(step.actor, step.actor) if step else ""
    return f"{name}, {ROLES.get(step.role, step.role)}, {when(step.at)}" if step else ""


def head_at(consultation: Consultation) -> tuple[int, str]:
    """The number and hash of the step that signed or else ended it, which stand under the note."""
    step = consultation.signed or consultation.ended
    return (step.seq, step.hash) if step else (0, "")
