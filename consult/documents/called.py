"""What people call the site and the leaflets of a consultation, as it was then: so a note stays as it was signed."""

from __future__ import annotations

from consult.documents.given import kept_leaflet
from consult.documents.note import Called
from consult.record import settings
from consult.record.consultation import Consultation
from consult.record.database import Connection
from consult.record.ledger import Refused


def called(conn: Connection, consultation: Consultation) -> Called:
    """The names for the note of a consultation; what is no longer to be read goes by its code."""
    said = [step.content for step in consultation.documents if step.content]
    digests = {one["digest"] for one in said if {"leaflet", "digest"} <= one.keys()}
    titles = {digest: title for digest in digests if (title := _title(conn, digest))}
    return Called(settings.site_as_begun(conn, consultation.id, consultation.started["site"]), titles)


def _title(conn: Connection, digest: str) -> str:
    try:
        kept = kept_leaflet(conn, digest)
    except Refused:
        return ""
    return kept.title if kept else ""
