"""The SQLite file: kept connections, one write lock, migrations, and the guards that keep the step log append-only."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import Any, Final

from consult.record import cipher
from consult.record.migrations import Migrations

sqlite3: Any = cipher.driver()

APPLICATION_ID: Final = 0x0B5C0175
SCHEMA_VERSION: Final = 5
Connection = Any  # sqlite3.Connection of whichever driver was found


class DatabaseRefused(Exception):
    """The database was not opened; the message says why and what to do."""


class Damaged(DatabaseRefused, ValueError):
    """What the database holds is not what was written to it; the message says so and what to do."""


class NotWritten(Exception):
    """The disk or another program kept the database from being written; it may work again by itself."""


def connect(file: str, key: str | None = None, **how: Any) -> Connection:
    """A connection to a file, unlocked by the key of this installation if it has one (or by `key`, "" for none).

    DatabaseRefused if the key can't be had; a wrong one shows where the file is first read. All other arguments are
    those of the driver.
    """
    try:
        known = cipher.key() if key is None else key
    except cipher.KeyRefused as error:
        raise DatabaseRefused(str(error)) from error
    conn = sqlite3.connect(file, **how)
    cipher.unlock(conn, known)
    return conn


def to_read(file: PurePath, how: str = "") -> str:
    """The address under which SQLite opens a file, named by its whole path, for reading only; `how` is added to it.

    SQLite takes no host in an address. On a share of Windows (\\\\host\\share) that is the beginning of the path.
    """
    address = file.as_uri()
    if not address.startswith("file:///"):
        address = address.replace("file://", "file:////", 1)
    return f"{address}?mode=ro{how}"


WHY_NOT_WRITTEN: Final = {
    5: "the record is held by another program",  # SQLITE_BUSY and its like, by the lower byte of the code
    6: "the record is held by another program",
    8: "the record can only be read now",
    10: "the disk did not take it",
    13: "the disk is full",
    14: "the disk did not take it",
}
CODES: Final = {
    "database is locked": 5,
    "disk I/O error": 10,
    "database or disk is full": 13,
    "unable to open database file": 14,
}
"""By what SQLite says: the driver leaves the code out where a whole database is copied."""


def in_a_line(error: BaseException) -> str:
    """What an error says, on one line; of a damaged schema no more than that: the rest quotes what the file holds."""
    words = " ".join(str(error).split())
    return "malformed database schema" if words.startswith("malformed database schema") else words


def why_not_written(error: Any) -> str:
    """Why a write failed, where the cause may pass by itself; "" for any other error."""
    code = getattr(error, "sqlite_errorcode", None) or CODES.get(str(error), 0)
    return WHY_NOT_WRITTEN.get(code & 0xFF, "")


record_schema = Migrations("record")

TABLES: Final = """
CREATE TABLE step (
  seq INTEGER PRIMARY KEY,
  consultation TEXT NOT NULL,
  kind TEXT NOT NULL,
  question TEXT NOT NULL,
  content_digest TEXT NOT NULL,
  actor TEXT NOT NULL,
  role TEXT NOT NULL,
  at TEXT NOT NULL,
  key TEXT NOT NULL UNIQUE,
  previous TEXT NOT NULL,
  hash TEXT NOT NULL UNIQUE
) STRICT;
CREATE INDEX step_of_consultation ON step (consultation, question, seq);
CREATE INDEX step_of_kind ON step (kind, seq);
CREATE TABLE step_content (
  seq INTEGER PRIMARY KEY REFERENCES step (seq),
  salt TEXT NOT NULL,
  content TEXT NOT NULL
) STRICT;
CREATE TABLE definition (
  digest TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  version TEXT NOT NULL,
  texts TEXT NOT NULL,
  first_used TEXT NOT NULL
) STRICT;
CREATE TABLE employee (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  folded_name TEXT NOT NULL,
  date_of_birth TEXT NOT NULL,
  local_number TEXT NOT NULL,
  registered_at TEXT NOT NULL
) STRICT;
CREATE INDEX employee_by_name ON employee (folded_name);
CREATE INDEX employee_by_birth ON employee (date_of_birth);
CREATE INDEX employee_by_number ON employee (local_number);
CREATE TABLE consultation (
  id TEXT PRIMARY KEY,
  employee TEXT NOT NULL,
  clinician TEXT NOT NULL,
  site TEXT NOT NULL,
  state TEXT NOT NULL,
  capture_mode TEXT NOT NULL,
  definition TEXT NOT NULL,
  started_at TEXT NOT NULL,
  ended_at TEXT NOT NULL
) STRICT;
CREATE INDEX consultation_of_employee ON consultation (employee, started_at);
CREATE INDEX consultation_of_clinician ON consultation (clinician, state, started_at);
CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
"""

GUARDS_1: Final = {
    "step_no_update": "BEFORE UPDATE ON step BEGIN SELECT RAISE(ABORT, 'a step is never changed'); END",
    "step_no_delete": "BEFORE DELETE ON step BEGIN SELECT RAISE(ABORT, 'a step is never removed'); END",
    "step_no_replace": (
        "BEFORE INSERT ON step WHEN EXISTS (SELECT 1 FROM step WHERE seq = NEW.seq OR key = NEW.key) "
        "BEGIN SELECT RAISE(ABORT, 'a step is never replaced'); END"
    ),
    "step_in_order": (
        "BEFORE INSERT ON step WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM step) "
        "BEGIN SELECT RAISE(ABORT, 'steps are numbered without gaps'); END"
    ),
    "content_no_update": "BEFORE UPDATE ON step_content BEGIN SELECT RAISE(ABORT, 'a step is never changed'); END",
    "content_no_replace": (
        "BEFORE INSERT ON step_content WHEN EXISTS (SELECT 1 FROM step_content WHERE seq = NEW.seq) "
        "BEGIN SELECT RAISE(ABORT, 'a step is never replaced'); END"
    ),
    "content_goes_only_by_redaction": (
        "BEFORE DELETE ON step_content WHEN NOT EXISTS "
        "(SELECT 1 FROM step WHERE kind = 'content_redacted' AND question = 'step:' || OLD.seq) "
        "BEGIN SELECT RAISE(ABORT, 'what a step says goes only after a step that says so'); END"
    ),
}
GUARDS_2: Final = GUARDS_1 | {
    "content_goes_only_by_redaction": (
        "BEFORE DELETE ON step_content WHEN NOT EXISTS (SELECT 1 FROM step WHERE kind = 'content_redacted' "
        "AND question = 'step:' || OLD.seq AND seq > OLD.seq) "
        "BEGIN SELECT RAISE(ABORT, 'what a step says goes only after a later step that says so'); END"
    ),
    "definition_no_update": "BEFORE UPDATE ON definition BEGIN SELECT RAISE(ABORT, 'a version is never changed'); END",
    "definition_no_delete": "BEFORE DELETE ON definition BEGIN SELECT RAISE(ABORT, 'a version is never removed'); END",
    "definition_no_replace": (
        "BEFORE INSERT ON definition WHEN EXISTS (SELECT 1 FROM definition WHERE digest = NEW.digest) "
        "BEGIN SELECT RAISE(ABORT, 'a version is never replaced'); END"
    ),
}
# A replacement through any other unique column, or the hidden row number, passed those of schema 2.
GUARDS: Final = GUARDS_2 | {
    "step_no_replace": (
        "BEFORE INSERT ON step WHEN EXISTS "
        "(SELECT 1 FROM step WHERE seq = NEW.seq OR key = NEW.key OR hash = NEW.hash) "
        "BEGIN SELECT RAISE(ABORT, 'a step is never replaced'); END"
    ),
    "definition_no_replace": (
        "BEFORE INSERT ON definition WHEN EXISTS "
        "(SELECT 1 FROM definition WHERE digest = NEW.digest OR rowid = NEW.rowid) "
        "BEGIN SELECT RAISE(ABORT, 'a version is never replaced'); END"
    ),
}
GUARDS_OF: Final = {1: GUARDS_1, 2: GUARDS_2, 3: GUARDS, 4: GUARDS, SCHEMA_VERSION: GUARDS}
"""The guards of each schema version, word for word: what is not there was taken away."""


@record_schema
def m0001_step_log(conn: Connection) -> None:
    """The step log, identity apart from it, and what is projected from it."""
    carry_out(conn, TABLES)


@record_schema
def m0002_held_twice(conn: Connection) -> None:
    """What no step tells of employees is held twice, so that SQLite's own check finds a flipped bit in it."""
    conn.execute("CREATE INDEX employee_held_twice ON employee (name, registered_at)")


def carry_out(conn: Connection, statements: str) -> None:
    """Give the database one statement after the other, each within the transaction of its migration."""
    for statement in statements.split(";\n"):
        if statement.strip():
            conn.execute(statement)


STATEMENTS: Final = 1000
"""Kept compiled by the connection that writes, more than there are.

Where fewer fit, the last two to come drive each other out for good, and writing a case, whose counters make it long,
would be compiled anew each time: twenty times as slow.
"""

CACHE: Final = 2000
"""KB of the database that the connection which writes keeps."""


class Database:
    """One SQLite file: a read connection kept for each thread, one write connection behind one lock."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._lock = threading.RLock()
        self._local = threading.local()
        self._opened: list[Connection] = []
        self.when_begun: Callable[[Connection], None] = lambda _: None
        self.when_kept: Callable[[], None] = lambda: None
        self._writer = self._connect(STATEMENTS, CACHE)

    def _connect(self, statements: int = 128, cache: int = 256) -> Connection:
        """A connection; `cache` is in KB: those that read keep little; each thread has one, the system its own."""
        how: dict[str, Any] = {"timeout": 5.0, "isolation_level": None, "check_same_thread": False}
        conn = connect(str(self.file), cached_statements=statements, **how)
        conn.row_factory = sqlite3.Row
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            "recursive_triggers = ON",
            "trusted_schema = OFF",
            "cell_size_check = ON",
            "mmap_size = 0",
            f"cache_size = -{cache}",
            "secure_delete = ON",
        ):
            conn.execute(f"PRAGMA {pragma}")
        self._opened.append(conn)
        return conn

    def read(self) -> Connection:
        """The read connection kept for this thread."""
        if not hasattr(self._local, "conn"):
            with self._lock:
                self._local.conn = self._connect()
        return self._local.conn

    def let_go(self) -> None:
        """Close the read connection of this thread, for one that reads seldom: each holds a megabyte of schema."""
        if hasattr(self._local, "conn"):
            conn = self._local.conn
            del self._local.conn
            with self._lock:
                self._opened.remove(conn)
            conn.close()

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """The read connection of this thread at one moment: what others write meanwhile is not seen in the block."""
        conn = self.read()
        conn.execute("BEGIN")
        try:
            yield conn
        finally:
            conn.execute("COMMIT")

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One durable transaction: BEGIN IMMEDIATE under the lock; what it wrote is kept once the block has ended.

        NotWritten is raised where the disk or another program kept it from being written.
        """
        with self._lock:
            try:
                self._writer.execute("BEGIN IMMEDIATE")
                self.when_begun(self._writer)
                yield self._writer
                self._writer.execute("COMMIT")
            except sqlite3.OperationalError as error:
                self._roll_back()
                if why := why_not_written(error):
                    raise NotWritten(f"This was not saved, as {why}; it can be tried again.") from error
                raise
            except BaseException:
                self._roll_back()
                raise
            self.when_kept()

    def _roll_back(self) -> None:
        """End the transaction, whatever ended it: SQLite has done so itself where the disk was full or failed."""
        if self._writer.in_transaction:
            self._writer.execute("ROLLBACK")

    @contextmanager
    def not_relied_on(self) -> Iterator[None]:
        """Transactions of this block do not wait for the disk: only for a new file that nobody relies on yet.

        A power cut inside the block may leave the file damaged. Once it has ended the file stands by itself.
        """
        with self._lock:
            self._writer.execute("PRAGMA synchronous = OFF")
            try:
                yield
            finally:
                self._writer.execute("PRAGMA synchronous = FULL")
            self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def write_anew(self) -> None:
        """Have every page of the file written anew, without what is unused."""
        with self._lock:
            self._writer.execute("VACUUM")
            self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def settle(self) -> None:
        """Bring what stands in the side file into the database, so that what was taken out stands in neither.

        Where another program reads at that moment, the side file is emptied once it has finished.
        """
        with self._lock:
            self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            for conn in self._opened:
                conn.close()
            self._opened.clear()


@contextmanager
def snapshot(conn: Connection) -> Iterator[None]:
    """One consistent view for all that is read in this block, whatever is written meanwhile."""
    if conn.in_transaction:
        yield
        return
    conn.execute("BEGIN")
    try:
        yield
    finally:
        conn.execute("COMMIT")


def put_guards(conn: Connection) -> None:
    """Make the guards of this schema version anew; those of older versions go."""
    for name in triggers(conn).keys() & set().union(*GUARDS_OF.values()):
        conn.execute(f"DROP TRIGGER {name}")
    for name in GUARDS:
        conn.execute(_statement(name, GUARDS))


def missing_guards(conn: Connection) -> list[str]:
    """The names of the guards of its schema version that the database does not have, word for word."""
    there, guards = triggers(conn), GUARDS_OF.get(int(conn.execute("PRAGMA user_version").fetchone()[0]), GUARDS)
    return [name for name in guards if there.get(name) != _statement(name, guards)]


def _statement(name: str, guards: dict[str, str]) -> str:
    return f"CREATE TRIGGER {name} {guards[name]}"


def triggers(conn: Connection) -> dict[str, str]:
    """The statement of each trigger that the database has."""
    return {row[0]: row[1] for row in conn.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")}


def wal_fault(version: str) -> bool:
    """Whether this SQLite has the WAL-reset fault: 3.7.0 to 3.51.2, but for the corrected 3.50.7 and 3.44.6."""
    parts = tuple(int(part) for part in version.split("."))[:3]
    corrected = (3, 44, 6) <= parts < (3, 45, 0) or (3, 50, 7) <= parts < (3, 51, 0)
    return (3, 7, 0) <= parts <= (3, 51, 2) and not corrected
