"""Versions of content: each one ever used is kept in the database by digest, whatever kind of content it is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from consult.record.database import Connection
from consult.record.ledger import Draft, append, steps


class Kept(Struct, frozen=True):
    """One version; `id` says of what, such as back-pain or back-pain-core/en, and `texts` are its files by name.

    Content of a single file is kept under the name "text".
    """

    kind: str
    id: str
    version: str
    digest: str
    texts: dict[str, str]
    first_used: str = ""

    @property
    def text(self) -> str:
        """The text of content that is a single file; "" where it was lost."""
        return self.texts.get("text", "")


def digest_of(*texts: str) -> str:
    """The SHA-256 of texts, in order."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def keep(conn: Connection, kept: Kept, actor: str, at: str) -> None:
    """Keep a version in the database, with a step that says that it came into use, unless it is the one in use.

    One that comes back after another stays as it is kept, and has a step more: what stands for a refused file is then
    this version and not the one that was given up.
    """
    if current(conn).get((kept.kind, kept.id)) == kept.digest:
        return
    content = {"digest": kept.digest, "what": f"{kept.kind} {kept.id}", "version": kept.version}
    append(conn, Draft("content_installed", content, actor, at))
    if has(conn, kept.digest):
        return
    conn.execute(
        "INSERT INTO definition (digest, kind, id, version, texts, first_used) VALUES (?, ?, ?, ?, ?, ?)",
        (kept.digest, kept.kind, kept.id, kept.version, json.dumps(kept.texts, ensure_ascii=False), at),
    )


def current(conn: Connection) -> dict[tuple[str, str], str]:
    """The digest of the version of each content that came into use last, by kind and id."""
    of = {row["digest"]: (row["kind"], row["id"]) for row in conn.execute("SELECT digest, kind, id FROM definition")}
    return {of[digest]: digest for digest in _in_order_of_use(conn) if digest in of}


def _in_order_of_use(conn: Connection) -> list[str]:
    """The digests of all versions in the order in which each came into use last."""
    first = [row["digest"] for row in conn.execute("SELECT digest FROM definition ORDER BY first_used, rowid")]
    told = [step.content["digest"] for step in steps(conn, kind="content_installed") if step.content]
    return list(dict.fromkeys(reversed([*first, *told])))[::-1]


def has(conn: Connection, digest: str) -> bool:
    """Whether a version of any kind is kept under this digest."""
    return conn.execute("SELECT 1 FROM definition WHERE digest = ?", (digest,)).fetchone() is not None


def by_digest(conn: Connection, digest: str) -> Kept | None:
    """The version with this digest, or None."""
    row = conn.execute("SELECT * FROM definition WHERE digest = ?", (digest,)).fetchone()
    return _kept(row) if row else None


def beginning(conn: Connection, kind: str, start: str) -> list[Kept]:
    """The versions of a kind whose digests begin with this; `start` holds hexadecimal digits only."""
    rows = conn.execute(
        "SELECT * FROM definition WHERE kind = ? AND substr(digest, 1, ?) = ?", (kind, len(start), start)
    )
    return [_kept(row) for row in rows]


def newest(conn: Connection, kind: str) -> list[Kept]:
    """The version of each content of a kind that came into use last, in order of id."""
    digests = (digest for (of, _), digest in sorted(current(conn).items()) if of == kind)
    return [version for digest in digests if (version := by_digest(conn, digest)) is not None]


def of_kind(conn: Connection, kind: str) -> list[Kept]:
    """Every version of a kind, the one that came into use last first."""
    place = {digest: at for at, digest in enumerate(_in_order_of_use(conn))}
    found = map(_kept, conn.execute("SELECT * FROM definition WHERE kind = ?", (kind,)))
    return sorted(found, key=lambda version: place[version.digest], reverse=True)


def every(conn: Connection) -> Iterator[Kept]:
    """Every version kept, in the order they came into use."""
    yield from map(_kept, conn.execute("SELECT * FROM definition ORDER BY rowid"))


def _kept(row: Any) -> Kept:
    values: dict[str, str] = {n: row[n] for n in ("kind", "id", "version", "digest", "first_used")}
    return Kept(texts=_texts(row["texts"]), **values)


def _texts(written: str) -> dict[str, str]:
    """The texts of a row; none where it was damaged, which `consult verify` then finds by the digest."""
    try:
        texts = json.loads(written)
    except ValueError:
        return {}
    return texts if isinstance(texts, dict) else {}
