"""Leaflets as they were given: the very text by its digest, also after it changed, moved on or passed its date."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from consult.documents import leaflet
from consult.documents.leaflet import Leaflet
from consult.proforma.load import ContentError
from consult.record import kept
from consult.record.database import Connection
from consult.record.kept import Kept
from consult.record.ledger import Refused

SHORT: Final = 20
"""How much of a digest stands in an address: 80 bits, so that a telephone reads the code easily."""


def kept_leaflet(conn: Connection, digest: str) -> Leaflet | None:
    """The leaflet whose text has this digest; None if none such was ever in use, Refused if it was changed since."""
    found = kept.by_digest(conn, digest)
    return _read(found) if found is not None and found.kind == "leaflet" else None


def readable_leaflet(conn: Connection, digest: str) -> Leaflet | None:
    """The same, for what only names it: None also for one that was changed since."""
    try:
        return kept_leaflet(conn, digest)
    except Refused:
        return None


def by_short(conn: Connection, leaflet_id: str, short: str) -> Leaflet | None:
    """The leaflet of this id whose digest begins so; None if there is not exactly one."""
    if len(short) != SHORT or not set(short) <= set("0123456789abcdef"):
        return None
    found = [k for k in kept.beginning(conn, "leaflet", short) if k.id.partition("/")[0] == leaflet_id]
    return _read(found[0]) if len(found) == 1 else None


def _read(found: Kept) -> Leaflet:
    read = _parsed(found.id, tuple(sorted(found.texts.items())))
    if read is None or read.digest != found.digest:
        raise Refused(f"The text kept as leaflet {found.id} is not the one that was in use; restore a backup.")
    return read


@lru_cache(maxsize=64)
def _parsed(name: str, texts: tuple[tuple[str, str], ...]) -> Leaflet | None:
    try:
        return leaflet.from_kept(dict(texts), f"{name}.md")
    except ContentError:
        return None
