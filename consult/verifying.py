"""Proving the record, and making what is projected from it anew."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from consult import in_use
from consult.accounts import people
from consult.audit import cases, gesture, tally
from consult.audit.cases import CaseRow
from consult.audit.counting import Plan, plan_of
from consult.instance import Instance, database_file, open_instance
from consult.progress import Progress, silent
from consult.proving import Proof, prove, read_only
from consult.record import told, unused
from consult.record.database import Connection
from consult.record.opening import check_usable
from consult.record.store import rebuild_consultations


class _NothingIsKept(Exception):
    """Ends a transaction that was only a trial."""


def rebuild(instance: Instance) -> tuple[int, int]:
    """Make all that is projected from the steps anew; returns how many consultations and how many cases there are."""
    with instance.db.write() as conn:
        told.rebuild_settings(conn)
        people.put_back(conn)
        gesture.rebuild(conn, instance.library)
        made = rebuild_consultations(conn), cases.rebuild(conn, instance.library.current.dataset)
        tally.ensure(conn, _plan(instance))
    if unused.flipped(instance.db.file):
        instance.db.write_anew()
    return made


def verify(folder: Path, progress: Progress = silent) -> tuple[Proof, list[str]]:
    """Prove the database of an instance; returns what it holds, and each way in which its tables differ from its steps.

    DatabaseRefused and BackupRefused say what is wrong with the database or the log itself.
    """
    file = database_file(folder)
    check_usable(file)
    proof = prove(file, "restore a backup", progress)
    with read_only(file) as conn:
        found = [*told.differences(conn), *people.differences(conn), *in_use.differences(conn)]
    found += map(unused.sentence, unused.flipped(file))
    with closing(open_instance(folder)) as instance:
        found += [f"The case {' / '.join(key)} is not what its steps say; {told.MEND}." for key in _cases_off(instance)]
        found += [
            f"How the negatives of consultation {id_} were answered is not counted as its steps say; {told.MEND}."
            for id_ in gesture.differing(instance.db.read(), instance.library)
        ]
        places = tally.off(instance.db.read(), _plan(instance))
        found += [f"The counters of {place} are not what its cases give; {told.MEND}." for place in places]
    return proof, found


@contextmanager
def trial(instance: Instance) -> Iterator[Connection]:
    """A connection on which anything may be tried: all of it is taken back at the end."""
    try:
        with instance.db.write() as conn:
            yield conn
            raise _NothingIsKept
    except _NothingIsKept:
        pass


def _plan(instance: Instance) -> Plan:
    return plan_of(instance.measures, instance.library.current.dataset)


def _cases_off(instance: Instance) -> list[tuple[str, str, str]]:
    """The keys of the cases that a rebuild would change; the rebuild is tried and taken back."""
    with trial(instance) as conn:
        before = _by_key(conn)
        cases.rebuild(conn, instance.library.current.dataset)
        after = _by_key(conn)
    return sorted(key for key in before | after if before.get(key) != after.get(key))


def _by_key(conn: Connection) -> dict[tuple[str, str, str], CaseRow]:
    return {row.key: row for row in cases.iterate(conn)}
