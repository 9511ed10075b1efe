"""Proving the record, and making what is projected from it anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from consult import in_use
from consult.accounts import told as people_told
from consult.audit import cases, gesture, tally
from consult.audit.cases import CaseRow
from consult.audit.counting import Plan, plan_of
from consult.instance import Instance, database_file
from consult.proforma.dataset import Dataset
from consult.progress import Progress, silent
from consult.proving import Proof, prove, read_only, telling_damage
from consult.record import registered, told, unused
from consult.record.database import Connection
from consult.record.library import Library
from consult.record.opening import check_usable
from consult.record.projection import rebuild_consultations


def rebuild(instance: Instance) -> tuple[int, int]:
    """Make all that is projected from the steps anew; returns how many consultations and how many cases there are."""
    with instance.db.write() as conn:
        told.rebuild_settings(conn)
        people_told.put_back(conn)
        gesture.rebuild(conn, instance.library)
        made = rebuild_consultations(conn), cases.rebuild(conn, instance.library.current.dataset)
        tally.ensure(conn, _plan(instance))
    if unused.flipped(instance.db.file):
        instance.db.write_anew()
    return made


def verify(folder: Path, progress: Progress = silent) -> tuple[Proof, list[str]]:
    """Prove the database of an instance; returns what it holds, and each way in which its tables differ from its steps.

    Nothing is written, and a running server goes on saving meanwhile: the record is seen as it was at one moment.
    DatabaseRefused and BackupRefused say what is wrong with the database or the log itself.
    """
    file = database_file(folder)
    check_usable(file)
    proof = prove(file, "restore a backup", progress)
    with read_only(file) as conn, telling_damage(file):
        found = [*told.differences(conn), *registered.differences(conn), *people_told.differences(conn)]
        found += in_use.differences(conn)
    found += map(unused.sentence, unused.flipped(file))
    with read_only(file) as conn, telling_damage(file):
        found += _projections_off(conn, folder)
    return proof, found


def _projections_off(conn: Connection, folder: Path) -> Iterator[str]:
    """Each way in which cases and counters are not what the steps say; those of other content are made anew anyhow."""
    content = in_use.look(conn, folder)
    dataset, library = content.definition.dataset, Library(content.definition)
    plan = plan_of(content.measures, dataset)
    if gesture.there(conn):
        for id_ in gesture.differing(conn, library):
            yield f"How the negatives of consultation {id_} were answered is not counted as its steps say; {told.MEND}."
    if tally.kept(conn, plan):
        yield from (f"The counters of {at} are not what its cases give; {told.MEND}." for at in tally.off(conn, plan))
    if cases.fits(conn, dataset):
        for key in _cases_off(conn, dataset):
            yield f"The case {' / '.join(key)} is not what its steps say; {told.MEND}."


def _plan(instance: Instance) -> Plan:
    return plan_of(instance.measures, instance.library.current.dataset)


def _cases_off(conn: Connection, dataset: Dataset) -> list[tuple[str, str, str]]:
    """The keys of the cases that a rebuild would change."""
    before = _by_key(conn)
    cases.retell(conn, dataset)
    after = _by_key(conn)
    return sorted(key for key in before | after if before.get(key) != after.get(key))


def _by_key(conn: Connection) -> dict[tuple[str, str, str], CaseRow]:
    return {row.key: row for row in cases.iterate(conn)}
