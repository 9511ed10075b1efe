"""The instance folder: an installation's own database, keys and content, opened as one thing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from consult import erasing
from consult.accounts import sealing
from consult.accounts.schema import accounts_schema
from consult.audit import cases, gesture, tally, versions
from consult.audit.benchmarks import Benchmarks
from consult.audit.counting import plan_of
from consult.audit.measures import MeasureSet
from consult.audit.organisation import Organisation
from consult.documents.leaflet import Leaflet, Leaflets
from consult.documents.words import uk_date
from consult.exchange.entryform import EntryForm
from consult.exchange.resultsfile import Version
from consult.in_use import Content, load_content, named, unapproved
from consult.proforma.load import Problem
from consult.proving import BackupRefused, copy, prove, read_only, telling_damage
from consult.record import keyfile, settings
from consult.record.database import (
    SCHEMA_VERSION,
    Connection,
    Database,
    DatabaseRefused,
    NotWritten,
    in_a_line,
    sqlite3,
    why_not_written,
)
from consult.record.disk import sync
from consult.record.erasing import Hold
from consult.record.ledger import Draft, append, head
from consult.record.library import Approval, Confirmation, Library, approvals, confirmations, last_about_approval
from consult.record.opening import open_database
from consult.record.store import Clock, Store, now_utc
from consult.record.timekeeping import stamp

DATABASE: Final = "consult.db"
KEY_FILE: Final = "secret-key"
BACKUPS: Final = "backups"


class InstanceRefused(Exception):
    """The instance was not opened or not changed; the message says why and what to do."""


class Instance(Struct, dict=True):
    """An opened instance: its database with the record, and the content in use.

    `problems` are those of content files that were refused while an older version stays in use. `hosts` are the names
    under which pages may be asked for, and `behind_tls` says that a proxy in front speaks TLS.
    """

    folder: Path
    db: Database
    store: Store
    content: Content
    secret_key: bytes
    clock: Clock = now_utc
    hosts: tuple[str, ...] = ("localhost", "127.0.0.1", "[::1]")
    behind_tls: bool = False
    _unapproved: tuple[int, list[str]] | None = None
    """What was found to be unapproved, after which step: a page asks for it with each text that it shows."""

    @property
    def library(self) -> Library:
        """The versions of the proforma by digest; `library.current` is the one that new consultations begin with."""
        return self.store.library

    @property
    def leaflets(self) -> Leaflets:
        """The leaflets in use by (id, language)."""
        return self.content.leaflets

    @property
    def measures(self) -> MeasureSet:
        """The measures in use."""
        return self.content.measures

    @property
    def benchmarks(self) -> Benchmarks:
        """The published figures in use."""
        return self.content.benchmarks

    def scoring(self, conn: Connection, wanted: str = "") -> Version:
        """What cases are scored by: the measures in use, or a kept version by number or digest (VersionRefused)."""
        dataset, digest, held = self.library.current.dataset, self.content.measures_digest, self.measures
        if wanted and (kept := versions.find(conn, wanted)).digest != digest:
            digest, held = kept.digest, versions.read(kept, dataset)
        return Version(held, digest, self.benchmarks, dataset)

    @property
    def entry(self) -> EntryForm:
        """The form for cases from case notes."""
        return self.content.entry

    @property
    def organisation(self) -> Organisation:
        """The questions about sites that are asked once a year."""
        return self.content.organisation

    @property
    def problems(self) -> list[Problem]:
        """Why content files were refused, if any were."""
        return self.content.problems

    @property
    def provider(self) -> str:
        """The code of the provider this installation belongs to."""
        return settings.provider(self.db.read())

    @property
    def sites(self) -> dict[str, settings.Site]:
        """The sites by code."""
        return settings.sites(self.db.read())

    @property
    def open_sites(self) -> dict[str, settings.Site]:
        """The sites that are not closed, by code."""
        return settings.open_sites(self.db.read())

    @cached_property
    def demonstration(self) -> bool:
        """Whether the people and cases here are the demonstration's."""
        return settings.is_demonstration(self.db.read())

    @property
    def approvals(self) -> dict[str, Approval]:
        """What was approved for use here, by digest."""
        return approvals(self.db.read())

    @property
    def confirmations(self) -> dict[str, Confirmation]:
        """What an administrator confirmed past its review date, by digest."""
        return confirmations(self.db.read())

    def why_not_print(self, leaflet: Leaflet) -> str | None:
        """Why a leaflet is not printed today, in a sentence that says what to do; None if it may be."""
        confirmed = self.confirmations.get(leaflet.digest) if self.today() > leaflet.review_by else None
        until = date.fromisoformat(confirmed.until) if confirmed else None
        return leaflet.may_print(self.today(), until) or leaflet.moved_on(self.leaflets)

    def in_use(self) -> dict[str, str]:
        """What clinicians and employees read, as `consult approve` names it, with the digest in use."""
        return named(self.library.current, self.leaflets)

    def unapproved(self) -> list[str]:
        """What is in use without a named clinician's approval; while there is any, pages and prints say "draft"."""
        conn = self.db.read()
        last = last_about_approval(conn)
        if self._unapproved is None or self._unapproved[0] != last:
            self._unapproved = (last, unapproved(conn, self.content))
        return [*self._unapproved[1]]

    def why_no_live(self, site: str) -> str | None:
        """Why no live consultation may begin at a site now, in a sentence that says what to do; None if it may."""
        known = self.sites.get(site)
        if known is None:
            return f"Site {site} is not set up; an administrator adds it on the settings page."
        if closed := settings.closed_sites(self.db.read()).get(site):
            return f"Site {site} was closed on {uk_date(closed.on)}; ask an administrator to place you at an open site."
        if known.blank_routes:
            named = known.blank_in_words
            return f"Site {site} has no number for: {named}; an administrator fills them in on the settings page."
        if not self.demonstration and (missing := self.unapproved()):
            return f"Not approved for clinical use yet: {', '.join(missing)}; a clinician runs `consult approve`."
        return None

    def today(self) -> date:
        """The day now, where the installation is."""
        return self.clock().astimezone().date()

    def close(self) -> None:
        """Close the database."""
        self.db.close()


def database_file(folder: Path) -> Path:
    """Where the database of an instance stands."""
    return folder / DATABASE


def exists(folder: Path) -> bool:
    """Whether there is an instance in this folder; InstanceRefused if this account may not look."""
    try:
        database_file(folder).stat()
    except PermissionError as error:
        raise InstanceRefused(
            f"{folder} cannot be looked into by this account; run this as the account that owns it."
        ) from error
    except OSError:
        return False
    return True


def check_there(folder: Path) -> None:
    """Refuse a folder without an instance, and say whether one was there: InstanceRefused."""
    _check_nothing_lost(folder)
    if not exists(folder):
        raise InstanceRefused(f"There is no instance in {folder}; run `consult init` or `consult demo` first.")


def open_instance(folder: Path, *, create: bool = False, clock: Clock = now_utc, actor: str = "program") -> Instance:
    """Open the instance of a folder; its database and key are made if `create` is given.

    Raises InstanceRefused or DatabaseRefused, and ContentError if content is refused that no older version stands for.
    """
    if create:
        make_private(folder)
        _check_nothing_lost(folder)
    else:
        check_there(folder)
    with only_for_me():
        db = open_database(
            database_file(folder),
            accounts_schema,
            create=create,
            before_upgrade=lambda db, version: _back_up(folder, db, version, clock()),
            actor=actor,
            clock=clock,
        )
        try:
            with telling_damage(db.file):
                opened = _opened(folder, db, clock, actor)
                with suppress(sealing.KeyRefused):  # the doctor says so, and nothing else waits for it
                    sealing.seal_all(db)
                return opened
        except NotWritten as error:
            db.close()
            raise DatabaseRefused(
                f"{folder} was not opened, as {why_not_written(error.__cause__)}; nothing that was recorded is lost. "
                "Make room on its disk, or mend what holds it, then start again."
            ) from error
        except BaseException:
            db.close()
            raise


def open_restored(folder: Path, file: Path, content: dict[str, Any], now: datetime, actor: str) -> None:
    """Make a copy of a backup ready to be the database of a folder: brought up to date, with a step that says so.

    Whoever was erased in this folder since that backup was made is erased in it again, unless they are on hold since:
    in the backup, or in the record of this folder whose place it takes.
    """
    gone = erasing.read_list(folder / erasing.LIST)
    held = _held_here(folder, gone, stamp(now))
    db = open_database(file, accounts_schema, create=False, actor=actor, clock=lambda: now)
    try:
        opened = _opened(folder, db, lambda: now, actor)
        with db.write() as conn:
            append(conn, Draft("database_restored", content, actor, stamp(now)))
            erasing.hold_again(conn, held, actor, stamp(now))
            erasing.again(conn, opened.library.current.dataset, gone, actor, stamp(now))
        db.settle()
    finally:
        db.close()


def _held_here(folder: Path, gone: list[erasing.Erased], at: str) -> dict[str, Hold]:
    """Who was erased and put on hold later in the record of a folder; nobody where it can't be read."""
    with suppress(sqlite3.Error, DatabaseRefused, OSError, ValueError):
        if gone and exists(folder):
            with read_only(database_file(folder)) as conn:
                return erasing.held_since(conn, gone, at)
    return {}


def _back_up(folder: Path, db: Database, version: int, now: datetime) -> None:
    """Copy a database before its schema is changed, and prove the copy; DatabaseRefused if that can't be done.

    The copy that an upgrade left which then failed serves again: a start tried over and over must not fill the disk.
    What a kill left of one is removed first: it holds personal data, and nothing else would.
    """
    for left in (folder / BACKUPS).glob("before-schema-*.db.part*"):
        with suppress(OSError):  # of another start at this moment, where the system does not let go of it
            left.unlink()
    name = f"before-schema-{SCHEMA_VERSION}-from-{version}-"
    if any(_ends_like(copy, db) for copy in (folder / BACKUPS).glob(f"{name}*.db")):
        return
    file = folder / BACKUPS / f"{name}{now:%Y%m%dT%H%M%S%fZ}.db"
    part = file.with_name(file.name + ".part")
    try:
        file.parent.mkdir(mode=0o700, exist_ok=True)
        copy(db.read(), part)
        prove(part, "restore a backup that is whole")
        sync(part)
        part.rename(file)
        sync(file)
    except (OSError, sqlite3.Error, BackupRefused) as error:
        part.unlink(missing_ok=True)
        raise DatabaseRefused(
            f"The database was not brought up to date, as no backup could be made before it ({in_a_line(error)}); "
            "it is as it was. Make room on its disk, or mend that, then start again."
        ) from error


def _ends_like(copy: Path, db: Database) -> bool:
    """Whether a copy is whole and ends at the last step of a database."""
    try:
        proof = prove(copy)
    except BackupRefused:
        return False
    return (proof.last_step, proof.head) == head(db.read())


def _opened(folder: Path, db: Database, clock: Clock, actor: str) -> Instance:
    content = load_content(db, folder, actor, stamp(clock()))
    library = Library(content.definition)
    with db.write() as conn:
        if cases.ensure(conn, content.definition.dataset):
            cases.rebuild(conn, content.definition.dataset)
        if gesture.ensure(conn):
            gesture.rebuild(conn, library)
        tally.ensure(conn, plan_of(content.measures, content.definition.dataset))
        secret = secret_key(folder)  # inside, so that of two that start at once one makes it
    store = Store(db, library, clock)
    return Instance(folder, db, store, content, secret, clock)


def _check_nothing_lost(folder: Path) -> None:
    """Never make an empty database where one was: its key, its backups or what it wrote last tell."""
    if exists(folder):
        return
    left = [name for name in (KEY_FILE, BACKUPS, f"{DATABASE}-wal") if (folder / name).exists()]
    if left:
        raise InstanceRefused(
            f"There is no {DATABASE} in {folder}, though {left[0]} says that one was there; restore a backup with "
            "`consult restore`, or choose another folder with --instance."
        )


def make_private(folder: Path) -> None:
    """Make the folder of an instance, for its owner only; one that is there already keeps its permissions."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise InstanceRefused(
            f"The folder {folder} cannot be made ({error.strerror}); choose another with --instance."
        ) from error


@contextmanager
def only_for_me() -> Iterator[None]:
    """Files made inside this block can be read by their owner only; SQLite gives its side files the same."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def secret_key(folder: Path) -> bytes:
    """The key that signs cookies, made once; losing it only ends forms that are open."""
    file = folder / KEY_FILE
    if not file.exists():
        keyfile.write(file, keyfile.new())
    return _read_key(file)


def check_key(folder: Path) -> None:
    """Refuse a key that this program did not write; none at all is no fault, as one is made."""
    if (folder / KEY_FILE).exists():
        _read_key(folder / KEY_FILE)


def _read_key(file: Path) -> bytes:
    text = file.read_text("ascii", errors="replace").strip()
    if not keyfile.KEY.fullmatch(text):
        raise InstanceRefused(f"{file} is not the key this program wrote; remove it, and a new one is made.")
    return bytes.fromhex(text)
