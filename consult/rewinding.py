"""The record as it was at an earlier step, only to be read: so that a paper can be made again as it was made then."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from msgspec.structs import replace

from consult.accounts import told as people_told
from consult.audit import cases
from consult.instance import Instance
from consult.proving import read_only
from consult.record import told
from consult.record.database import Connection, Database
from consult.record.ledger import show_up_to
from consult.record.projection import rebuild_consultations
from consult.record.store import Store
from consult.record.tables import stand_before

MADE_FROM_STEPS: Final = ("setting", "person", "consultation")


class _Then(Database):
    """A database whose every reader sees one connection."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn

    def read(self) -> Connection:
        """The one connection."""
        return self._conn

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """The one connection, which sees one moment anyway."""
        yield self._conn


@contextmanager
def at_step(instance: Instance, step: int, moment: datetime) -> Iterator[tuple[Instance, Connection]]:
    """The instance as its steps up to one tell it, the clock standing still; nobody is held up meanwhile.

    What is made from the steps is made in temporary tables, which this connection sees in the place of those kept.
    """
    with read_only(instance.db.file) as conn:
        show_up_to(conn, step)
        for table in MADE_FROM_STEPS:
            stand_before(conn, table)
        told.rebuild_settings(conn)
        people_told.only_told(conn)
        rebuild_consultations(conn)
        cases.retell(conn, instance.library.current.dataset)
        db = _Then(conn)
        store = Store(db, instance.library, lambda: moment)
        yield replace(instance, db=db, store=store, clock=lambda: moment), conn
