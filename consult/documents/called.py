"""What people call the site and the leaflets of a consultation, as it was then: so a note stays as it was signed."""

from __future__ import annotations

from consult.documents.given import readable_leaflet
from consult.documents.note import Called
from consult.record import settings
from consult.record.consultation import Consultation
from consult.record.database import Connection


def called(conn: Connection, consultation: Consultation) -> Called:
    """The names for the note of a consultation; what is no longer to be read goes by its code."""
    said = [step.content for step in consultation.documents if step.content]
    digests = {one["digest"] for one in said if {"leaflet", "digest"} <= one.keys()}
    known = {digest: leaflet for digest in digests if (leaflet := readable_leaflet(conn, digest))}
    return Called(
        settings.site_as_begun(conn, consultation.id, consultation.started["site"]),
        {digest: leaflet.title for digest, leaflet in known.items()},
        {digest: leaflet.in_language for digest, leaflet in known.items()},
    )
