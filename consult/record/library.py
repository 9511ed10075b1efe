"""The versions of the proforma by digest, and the approvals of content, each of which is a step."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from consult.proforma.load import Definition, parse_definition
from consult.proforma.model import NO_REASONS
from consult.record import kept
from consult.record.database import Connection
from consult.record.ledger import Draft, Refused, append, steps


class Approval(Struct, frozen=True):
    """A named clinician's approval of one digest for this installation."""

    digest: str
    what: str
    name: str
    post: str
    at: str


def version_of(definition: Definition) -> kept.Kept:
    """A proforma with what belongs to it, as a version is kept."""
    proforma = definition.proforma
    return kept.Kept("proforma", proforma.id, proforma.version, definition.digest, definition.texts)


def install(conn: Connection, definition: Definition, actor: str, at: str) -> None:
    """Keep a version in the database; a version already there stays as it is."""
    kept.keep(conn, version_of(definition), actor, at)


class Library:
    """The definitions by digest, parsed once."""

    def __init__(self, current: Definition) -> None:
        self.current = current
        self._parsed = {current.digest: current}

    def definition(self, conn: Connection, digest: str) -> Definition:
        """The version with this digest, as it was when a consultation began with it."""
        if digest not in self._parsed:
            self._parsed[digest] = _completed(_definition(conn, digest), self.current)
        return self._parsed[digest]


def _definition(conn: Connection, digest: str) -> Definition:
    version = kept.by_digest(conn, digest)
    if version is None:
        raise Refused(f"The version {digest[:16]} of the proforma is not kept here; restore a backup.")
    definition = parse_definition(version.texts) if version.texts else None
    if definition is None or definition.digest != digest:
        raise Refused(f"The version {digest[:16]} of the proforma was changed in the database; restore a backup.")
    return definition


def _completed(older: Definition, current: Definition) -> Definition:
    """A version from before reasons and ways were part of it, with those of the version in use now."""
    proforma, reports = older.proforma, older.reports
    if proforma.reasons == NO_REASONS:
        proforma = replace(proforma, reasons=current.proforma.reasons)
    if not reports.ways:
        reports = replace(reports, ways=current.reports.ways)
    return replace(older, proforma=proforma, reports=reports)


def newest(conn: Connection, proforma_id: str) -> Definition | None:
    """The version of a proforma used last, for when the files on disk are refused; None if none was ever used."""
    version = next((k for k in kept.newest(conn, "proforma") if k.id == proforma_id), None)
    return parse_definition(version.texts) if version else None


def approve(conn: Connection, approval: Approval, actor: str) -> None:
    """Record that a named clinician approved a digest for this installation."""
    content = {"digest": approval.digest, "what": approval.what, "name": approval.name, "post": approval.post}
    append(conn, Draft("content_approved", content, actor, approval.at))


def approvals(conn: Connection) -> dict[str, Approval]:
    """The approvals of this installation by digest; the last one counts."""
    found = {}
    for step in steps(conn, kind="content_approved"):
        if step.content:
            found[step.content["digest"]] = Approval(at=step.at, **step.content)
    return found


def last_about_approval(conn: Connection) -> int:
    """The last step by which anything was approved, or what a step said was taken away; 0 if there is none."""
    query = "SELECT max(seq) FROM step WHERE kind = ?"
    found = (conn.execute(query, (kind,)).fetchone()[0] for kind in ("content_approved", "content_redacted"))
    return max(seq or 0 for seq in found)


class Confirmation(Struct, frozen=True):
    """An administrator's word that a leaflet past its review date may be printed until a day."""

    digest: str
    what: str
    until: str
    reason: str
    by: str
    at: str


def confirm(conn: Connection, confirmation: Confirmation) -> None:
    """Record a confirmation; it is of one digest, and the last one counts."""
    content = {name: getattr(confirmation, name) for name in ("digest", "what", "until", "reason")}
    append(conn, Draft("leaflet_confirmed", content, confirmation.by, confirmation.at))


def confirmations(conn: Connection) -> dict[str, Confirmation]:
    """The confirmations of leaflets past their review date, by digest."""
    return {
        step.content["digest"]: Confirmation(by=step.actor, at=step.at, **step.content)
        for step in steps(conn, kind="leaflet_confirmed")
        if step.content
    }
