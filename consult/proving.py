"""Proving a database file: a copy that stands alone, opened for reading only, and all of it checked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from msgspec import Struct

from consult.accounts.schema import accounts_schema
from consult.progress import Progress, silent
from consult.record import cipher, ledger, tables
from consult.record.database import (
    APPLICATION_ID,
    SCHEMA_VERSION,
    Connection,
    DatabaseRefused,
    connect,
    in_a_line,
    missing_guards,
    record_schema,
    sqlite3,
    to_read,
)
from consult.record.opening import at_rest
from consult.record.settings import is_demonstration, provider

UNFORESEEN = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError)
"""What reading something else than was written may end in, beside what SQLite says itself."""


PAGES_KEPT_KIB = 256 * 1024
"""Memory for a check of all pages: each entry of each index is looked up in its table, in any order."""


class BackupRefused(Exception):
    """Nothing was replaced; the message says why and what to do."""


class Proof(Struct, frozen=True):
    """What a database was found to hold when it was opened and checked."""

    provider: str
    demonstration: bool
    last_step: int
    head: str
    rows: dict[str, int]


def copy(source: Connection, file: Path) -> None:
    """A consistent copy of a database in use, in one file that stands alone; encrypted as that is."""
    file.unlink(missing_ok=True)
    with closing(connect(str(file))) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file that stands alone, without side files


def stand_alone(file: Path, key: str | None = None) -> None:
    """Make a database that nobody has open one file without side files; `key` as in `connect`."""
    with closing(connect(str(file), key)) as conn:
        conn.execute("PRAGMA journal_mode = DELETE").fetchall()


def settle(file: Path) -> None:
    """Bring all that stands in the side files of a database into the file itself."""
    with closing(connect(str(file))) as conn:
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def is_ours(file: Path) -> bool:
    """Whether a file begins as a database that this program wrote: by the mark in its first hundred bytes.

    One that is encrypted shows it to whoever has the key.
    """
    try:
        with file.open("rb") as stream:
            start = stream.read(100)
    except OSError:
        return False
    if not start.startswith(cipher.PLAIN):
        return cipher.configured() and opens(file)
    return start[68:72] == APPLICATION_ID.to_bytes(4, "big")


def opens(file: Path, key: str | None = None) -> bool:
    """Whether a key (as in `connect`) opens a file, and it is a database that this program wrote."""
    try:
        with read_only(file, at_rest(file), key) as conn:
            return is_marked(conn)
    except sqlite3.DatabaseError:
        return False


def prove(
    file: Path,
    otherwise: str = "use another backup",
    progress: Progress = silent,
    named: Path | None = None,
    key: str | None = None,
) -> Proof:
    """Open a database file for reading only and check all of it; BackupRefused says what is wrong and what to do.

    `named` is what the file is called in that sentence, where it is a copy of another; `key` as in `connect`.
    """
    called = named or file
    if not file.is_file():
        raise BackupRefused(f"There is no file {file}; name a backup file.")
    try:
        with read_only(file, key=key) as conn:
            if is_marked(conn) and (sentence := newer(conn)):
                raise BackupRefused(f"{called} was not used. {sentence} Install that version, or {otherwise}.")
            if sentence := why_not_whole(conn, progress, file, key):
                raise BackupRefused(f"{called} did not pass: {sentence} Now {otherwise}.")
            seq, head = ledger.head(conn)
            return Proof(provider(conn), is_demonstration(conn), seq, head, _rows(conn))
    except (sqlite3.DatabaseError, ValueError) as error:
        if sentence := cipher.why_unreadable(called, error):
            raise BackupRefused(sentence) from error
        why = in_a_line(error)
        raise BackupRefused(
            f"{called} is no whole database of this program ({why}); {otherwise}{cipher.or_its_key(error)}."
        ) from error


@contextmanager
def read_only(file: Path, how: str = "", key: str | None = None) -> Iterator[Connection]:
    """A connection that cannot change the file, and sees it at one moment, whatever others write meanwhile.

    `how` is what `at_rest` says, where it is only looked at and no side files may be left; `key` as in `connect`.
    """
    with closing(connect(to_read(file.resolve(), how), key, uri=True)) as conn:
        conn.row_factory = sqlite3.Row
        conn.execute("PRAGMA trusted_schema = OFF")
        conn.execute("BEGIN")
        yield conn


@contextmanager
def telling_damage(file: Path) -> Iterator[None]:
    """Where something unforeseen ends the block, and the database is damaged, the damage is said: DatabaseRefused."""
    try:
        yield
    except UNFORESEEN as error:
        if not isinstance(error, DatabaseRefused) and (sentence := _damage(file)):
            raise DatabaseRefused(f"{file} is not whole. {sentence} Restore a backup.") from error
        raise


def _damage(file: Path) -> str | None:
    try:
        with read_only(file) as conn:
            return why_not_whole(conn)
    except (sqlite3.DatabaseError, ValueError) as error:
        return f"It cannot be read ({in_a_line(error)})."


def why_not_whole(
    conn: Connection, progress: Progress = silent, file: Path | None = None, key: str | None = None
) -> str | None:
    """What is wrong with a database, in a sentence; None if it is ours, undamaged, guarded, and its log holds.

    `file` is given where nothing changes it meanwhile: then its pages are checked while its log is read. `key` as in
    `connect`.
    """
    if not is_marked(conn):
        return "It was not written by this program."
    if sentence := newer(conn):
        return sentence
    if file is None:
        return _damaged_pages(conn) or _broken_log(conn, progress)
    from concurrent.futures import ThreadPoolExecutor  # a start proves nothing, and need not read it

    with ThreadPoolExecutor(1) as beside:
        pages = beside.submit(_damaged_pages_of, file, key)
        try:
            log = _broken_log(conn, progress)
        except (sqlite3.DatabaseError, *UNFORESEEN):
            if damage := pages.result():
                return damage
            raise
        return pages.result() or log


def is_marked(conn: Connection) -> bool:
    """Whether a database bears the mark of this program."""
    return bool(conn.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID)


def newer(conn: Connection) -> str | None:
    """Whether a newer version of this program wrote a database, in a sentence; None if it did not."""
    version = conn.execute("PRAGMA user_version").fetchone()[0]
    return (
        f"It was written by a newer version of this program (schema {version})." if version > SCHEMA_VERSION else None
    )


def _damaged_pages_of(file: Path, key: str | None) -> str | None:
    with read_only(file, key=key) as conn:
        conn.execute(f"PRAGMA cache_size = -{PAGES_KEPT_KIB}")
        return _damaged_pages(conn)


def _damaged_pages(conn: Connection) -> str | None:
    found = [row[0] for row in conn.execute("PRAGMA integrity_check(3)")]
    if found == ["ok"]:
        found = cipher.altered(conn) or found
    return None if found == ["ok"] else f"It is damaged ({' '.join(str(found[0]).split())})."


def _broken_log(conn: Connection, progress: Progress) -> str | None:
    if missing := missing_guards(conn):
        return f"The guards {', '.join(missing)} of the step log are missing or not as they were."
    if changed := tables.differing(conn, record_schema, accounts_schema):
        return f"Its schema is not as this program made it ({', '.join(changed)})."
    with progress(ledger.head(conn)[0], "Steps") as advance:
        return ledger.verify(conn, advance)


def _rows(conn: Connection) -> dict[str, int]:
    names = [
        row[0]
        for row in conn.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND substr(name, 1, 1) <> '_' "
            "AND name NOT LIKE 'sqlite%' ORDER BY name"
        )
    ]
    return {table: conn.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0] for table in names}
