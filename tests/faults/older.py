"""Databases as older versions of the program really wrote them, one for each schema version there was.

Each is that of `consult demo --prepare`, run in a checkout of the last commit with that schema: 5d69ed9 for schema 1,
f7f9060 for schema 2; of the first for schema 3, 0c6f526, and for schema 4, 6378c50, as the proforma was another then.
"""

from __future__ import annotations

import lzma
from contextlib import closing
from pathlib import Path
from typing import Final

from consult.instance import DATABASE, database_file
from consult.record import ledger
from consult.record.database import SCHEMA_VERSION, missing_guards, sqlite3

DATA: Final = Path(__file__).parents[1] / "data"
VERSIONS: Final = tuple(range(1, SCHEMA_VERSION))
Log = list[tuple[int, str]]


def unpack(version: int, folder: Path) -> Path:
    """An instance folder that holds the database of this schema version."""
    folder.mkdir(mode=0o700)
    file = database_file(folder)
    file.write_bytes(lzma.decompress((DATA / f"schema-{version}.db.xz").read_bytes()))
    file.chmod(0o600)
    return folder


def dump(file: Path) -> list[tuple[object, ...]]:
    """All that a database holds: its version and mark, its schema word for word, and every row of every table."""
    with closing(sqlite3.connect(str(file))) as conn:
        marks = [conn.execute(f"PRAGMA {name}").fetchone() for name in ("user_version", "application_id")]
        schema = conn.execute("SELECT type, name, sql FROM sqlite_master ORDER BY type, name").fetchall()
        tables = [name for kind, name, _ in schema if kind == "table"]
        rows = [(name, *row) for name in tables for row in conn.execute(f'SELECT * FROM "{name}" ORDER BY 1, 2')]
    return [*marks, *schema, *rows]


def whole(file: Path) -> tuple[int, Log]:
    """The schema version and the steps of a database, which must be undamaged, guarded as that version was, and hold.

    What a process that was ended left in the side files is taken into account, as a start does.
    """
    with closing(sqlite3.connect(str(file))) as conn:
        conn.row_factory = sqlite3.Row
        version = int(conn.execute("PRAGMA user_version").fetchone()[0])
        assert conn.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert missing_guards(conn) == []
        assert ledger.verify(conn) is None
        return version, [(step.seq, step.hash) for step in ledger.steps(conn)]


__all__ = ["DATABASE", "VERSIONS", "Log", "dump", "unpack", "whole"]
