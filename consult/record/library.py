"""Versions of content: each proforma used is kept in the database by digest, and its approval is a step."""

from __future__ import annotations

import json
from dataclasses import dataclass

from consult.proforma.load import Definition, parse_definition
from consult.record.database import Connection
from consult.record.ledger import Draft, append, steps


@dataclass(frozen=True)
class Approval:
    """A named clinician's approval of one digest for this installation."""

    digest: str
    what: str
    name: str
    post: str
    at: str


def install(conn: Connection, definition: Definition, actor: str, at: str) -> None:
    """Keep a version in the database; a version already there stays as it is."""
    if conn.execute("SELECT 1 FROM definition WHERE digest = ?", (definition.digest,)).fetchone():
        return
    proforma = definition.proforma
    texts = json.dumps(definition.texts, ensure_ascii=False)
    content = {"digest": definition.digest, "what": proforma.id, "version": proforma.version}
    append(conn, Draft("content_installed", content, actor, at))
    row = (definition.digest, "proforma", proforma.id, proforma.version, texts, at)
    conn.execute("INSERT INTO definition VALUES (?, ?, ?, ?, ?, ?)", row)


class Library:
    """The definitions by digest, parsed once."""

    def __init__(self, current: Definition) -> None:
        self.current = current
        self._parsed = {current.digest: current}

    def definition(self, conn: Connection, digest: str) -> Definition:
        """The version with this digest, as it was when a consultation began with it."""
        if digest not in self._parsed:
            row = conn.execute("SELECT texts FROM definition WHERE digest = ?", (digest,)).fetchone()
            self._parsed[digest] = parse_definition(json.loads(row["texts"]))
        return self._parsed[digest]


def newest(conn: Connection, proforma_id: str) -> Definition | None:
    """The version of a proforma used last, for when the files on disk are refused; None if none was ever used."""
    row = conn.execute(
        "SELECT texts FROM definition WHERE kind = 'proforma' AND id = ? ORDER BY first_used DESC, rowid DESC LIMIT 1",
        (proforma_id,),
    ).fetchone()
    return parse_definition(json.loads(row["texts"])) if row else None


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
