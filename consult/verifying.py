"""Proving the record, and making what is projected from it anew."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from consult.audit import cases
from consult.audit.cases import CaseRow
from consult.backup import BackupRefused, Proof, prove
from consult.instance import Instance, database_file, open_instance
from consult.progress import Progress, silent
from consult.record.database import Connection
from consult.record.store import rebuild_consultations


class _NothingIsKept(Exception):
    """Ends a transaction that was only a trial."""


def rebuild(instance: Instance) -> tuple[int, int]:
    """Make the consultations' list and the cases anew from the steps; returns how many there are of each."""
    with instance.db.write() as conn:
        return rebuild_consultations(conn), cases.rebuild(conn, instance.library.current.dataset)


def verify(folder: Path, progress: Progress = silent) -> Proof:
    """Prove the database of an instance and that its cases equal a rebuild; BackupRefused says what is wrong."""
    proof = prove(database_file(folder), "restore a backup", progress)
    with closing(open_instance(folder)) as instance:
        if (key := _differing_case(instance)) is not None:
            raise BackupRefused(f"The case {' / '.join(key)} is not what its steps say; run `consult rebuild`.")
    return proof


def _differing_case(instance: Instance) -> tuple[str, str, str] | None:
    """The key of a case that a rebuild would change; the rebuild is tried and taken back."""
    differing: tuple[str, str, str] | None = None
    try:
        with instance.db.write() as conn:
            before = _by_key(conn)
            cases.rebuild(conn, instance.library.current.dataset)
            after = _by_key(conn)
            differing = next((key for key in before | after if before.get(key) != after.get(key)), None)
            raise _NothingIsKept
    except _NothingIsKept:
        return differing


def _by_key(conn: Connection) -> dict[tuple[str, str, str], CaseRow]:
    return {row.key: row for row in cases.iterate(conn)}
