"""Content other than proformas, kept in the database by digest: what was in use stays if its file is refused."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from consult.record.database import Connection
from consult.record.ledger import Draft, append


@dataclass(frozen=True)
class Kept:
    """One version of a content file; `id` says which one it is, such as back-pain or back-pain-core/en."""

    kind: str
    id: str
    version: str
    digest: str
    text: str


def digest_of(*texts: str) -> str:
    """The SHA-256 of texts, in order."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def keep(conn: Connection, kept: Kept, actor: str, at: str) -> None:
    """Keep a version in the database and write the step that says so; one already there stays as it is."""
    if has(conn, kept.digest):
        return
    content = {"digest": kept.digest, "what": f"{kept.kind} {kept.id}", "version": kept.version}
    append(conn, Draft("content_installed", content, actor, at))
    row = (kept.digest, kept.kind, kept.id, kept.version, json.dumps({"text": kept.text}, ensure_ascii=False), at)
    conn.execute("INSERT INTO definition VALUES (?, ?, ?, ?, ?, ?)", row)


def has(conn: Connection, digest: str) -> bool:
    """Whether a version of any kind is kept under this digest."""
    return conn.execute("SELECT 1 FROM definition WHERE digest = ?", (digest,)).fetchone() is not None


def newest(conn: Connection, kind: str) -> list[Kept]:
    """The version of each content of a kind that came into use last, in order of id."""
    rows = conn.execute(
        "SELECT kind, id, version, digest, texts FROM definition WHERE kind = ? ORDER BY id, first_used, rowid", (kind,)
    )
    return list({row["id"]: _kept(row) for row in rows}.values())


def by_digest(conn: Connection, digest: str) -> Kept | None:
    """The version with this digest, or None."""
    row = conn.execute("SELECT * FROM definition WHERE digest = ?", (digest,)).fetchone()
    return _kept(row) if row else None


def _kept(row: object) -> Kept:
    values: dict[str, str] = {n: row[n] for n in ("kind", "id", "version", "digest", "texts")}  # type: ignore[index] # a row of either SQLite driver
    return Kept(text=json.loads(values.pop("texts")).get("text", ""), **values)
