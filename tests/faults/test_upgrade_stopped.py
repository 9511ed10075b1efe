"""An upgrade of the schema, stopped at any statement or on a disk that takes no more: the old database or the new.

Each schema version there was is upgraded from a database that its own program wrote. The controls are an upgrade that
is not one transaction, and one that takes no notice of what was not written.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from disk import FULL, OK, Disk
from finishing import release
from luck import seeded
from older import VERSIONS, Log, dump, unpack, whole
from stopping import STOPPED, at_statement, in_child

from consult.accounts import people, sessions
from consult.documents import signing
from consult.instance import BACKUPS, Instance, database_file, open_instance
from consult.proforma.answer import Answer
from consult.proving import prove
from consult.record import database
from consult.record.database import SCHEMA_VERSION, Database, DatabaseRefused
from consult.record.store import Who
from consult.verifying import verify
from consult.web.app import create_app

pytestmark = [pytest.mark.fault, pytest.mark.skipif(os.name == "nt", reason="a process is forked")]

STOPS, FULL_DISKS = 3, 6
"""How many of the statements, and of the writes, are tried with a process of their own; the soaks try them all."""


@pytest.fixture(scope="module", params=VERSIONS)
def older(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Older:
    """An installation that an older program left; only to be copied."""
    folder = unpack(request.param, tmp_path_factory.mktemp(f"schema-{request.param}") / "instance")
    version, log = whole(database_file(folder))
    assert version == request.param
    return Older(folder, version, log, dump(database_file(folder)))


@dataclass(frozen=True)
class Older:
    """What an older program left: the folder, its schema version, its steps, and all that its database holds."""

    folder: Path
    version: int
    log: Log
    held: list[tuple[object, ...]]

    def copy(self, folder: Path) -> Path:
        return Path(shutil.copytree(self.folder, folder))

    def seen_in(self, folder: Path) -> int:
        """The schema version in a folder: it holds the old database as it was, or the new one with a proved backup."""
        version, log = whole(database_file(folder))
        assert version in (self.version, SCHEMA_VERSION)
        if version == self.version:
            assert dump(database_file(folder)) == self.held, "the old program would not find what it wrote"
            return version
        assert log[: len(self.log)] == self.log
        assert len(log) > len(self.log), "no step says that the schema was changed"
        (copy,) = (folder / BACKUPS).glob("before-schema-*.db")  # also where it took more than one start
        assert prove(copy).last_step == len(self.log)
        assert dump(copy) == self.held
        return version

    def finished(self, folder: Path) -> None:
        """The next start does the rest, and the record proves itself."""
        open_instance(folder).close()
        assert self.seen_in(folder) == SCHEMA_VERSION
        assert verify(folder)[1] == []


# --- what an older program recorded goes on -----------------------------------------------------------------------


def test_after_an_upgrade_the_roles_of_today_can_be_given_and_no_other(older: Older, tmp_path: Path) -> None:
    instance = open_instance(older.copy(tmp_path / "copy"))
    with instance.db.write() as conn:
        for role in people.ROLES:
            new = people.NewPerson(f"Rollo Invented-{role.title()}", role, "NORTH", "quiet otter paints fences")
            assert people.add_person(conn, new, "test", instance.store.at()).role == role
    with pytest.raises(database.sqlite3.IntegrityError), instance.db.write() as conn:
        conn.execute("UPDATE person SET role = 'surgeon'")
    assert instance.db.read().execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    assert instance.db.read().execute("PRAGMA foreign_key_check").fetchall() == []
    instance.close()


def test_what_an_older_program_recorded_goes_on(older: Older, tmp_path: Path) -> None:
    folder = older.copy(tmp_path / "instance")
    with closing(open_instance(folder)) as instance:
        (open_,) = instance.db.read().execute("SELECT id, clinician FROM consultation WHERE state = 'open'").fetchall()
        id_, who = open_["id"], Who(open_["clinician"], "nurse")
        began_with = instance.store.consultation(id_).started["definition"]  # type: ignore[union-attr]
        assert began_with != instance.library.current.digest
        with instance.db.write() as conn:
            token = sessions.create(conn, who.actor, instance.clock())
        client = create_app(instance).test_client()
        client.set_cookie("consult_session", token)
        query = "SELECT id FROM consultation WHERE clinician = ?"
        ids = [row["id"] for row in instance.db.read().execute(query, (who.actor,))]
        assert {client.get(f"/consultations/{id_}").status_code for id_ in ids} == {200}
        finish(instance, id_, who)
    _, differing = verify(folder)
    assert differing == []


def finish(instance: Instance, id_: str, who: Who) -> None:
    """Answer one more question of the version that it began with, and sign."""
    store = instance.store
    consultation = store.consultation(id_)
    assert consultation
    question = next(q for q in store.definition_of(consultation).proforma.questions if q.kind == "finding")
    seen = consultation.seen(question.id)
    store.save(id_, question, Answer("unsure"), seen, f"{id_}:after", "single", who)
    release(store, id_, who)
    signing.sign(store, id_, who, changed_on_purpose=True, key=f"{id_}:signed")


# --- stopped at every statement -----------------------------------------------------------------------------------


def images(older: Older, work: Path) -> tuple[list[Path], int]:
    """What a kill before each statement of an opening leaves on the disk, each different image once, and how many there
    were: the files are copied before the statement runs, as a process that is ended leaves them."""
    folder, kept, seen, statements = older.copy(work / "instance"), list[Path](), set[object](), [0]

    def copy(_statement: str = "") -> None:
        statements[0] += 1
        files = sorted(p for p in folder.rglob("*") if p.is_file() and not p.name.endswith("-shm"))
        state = tuple((str(p), stat.st_size, stat.st_mtime_ns) for p in files if (stat := p.stat()))
        if state not in seen:
            seen.add(state)
            kept.append(Path(shutil.copytree(folder, work / f"image-{len(kept)}")))

    with told_before_each(copy):
        open_instance(folder).close()
    copy()
    return kept, statements[0]


@contextmanager
def told_before_each(tell: Any) -> Iterator[None]:
    """Each statement of every connection that the program opens in this block is told before it runs."""
    connect = Database._connect

    def counted(self: Database, *kept: int) -> Any:
        conn = connect(self, *kept)
        conn.set_trace_callback(tell)
        return conn

    Database._connect = counted  # type: ignore[method-assign]
    try:
        yield
    finally:
        Database._connect = connect  # type: ignore[method-assign]


def test_stopped_at_any_statement_it_is_the_old_or_the_new_one(older: Older, tmp_path: Path) -> None:
    kept, statements = images(older, tmp_path)
    versions = [older.seen_in(Path(shutil.copytree(image, tmp_path / f"seen-{image.name}"))) for image in kept]
    print(f"schema {older.version}: {statements} statements, {len(kept)} different images, versions {versions}")
    assert versions == sorted(versions)
    assert set(versions) == {older.version, SCHEMA_VERSION}
    assert statements > 100
    for image in (kept[0], kept[versions.index(SCHEMA_VERSION)], kept[-2]):
        older.finished(image)


def test_what_a_kill_left_of_the_backup_goes_with_the_next_start(older: Older, tmp_path: Path) -> None:
    folder = older.copy(tmp_path / "instance")
    (folder / BACKUPS).mkdir()
    for name in ("before-schema-5-from-1-20260101T000000000000Z.db.part", "mine.part"):
        shutil.copyfile(database_file(folder), folder / BACKUPS / name)
    (folder / BACKUPS / "before-schema-5-from-1-20260101T000000000000Z.db.part-journal").write_bytes(b"half")
    older.finished(folder)
    assert [file.name for file in folder.rglob("*.part*")] == ["mine.part"]


def stopped_at(older: Older, folder: Path, k: int) -> tuple[int, int]:
    """The exit code of a process ended before the k-th statement of an opening, and the schema version it leaves."""
    older.copy(folder)
    code = in_child(lambda: at_statement(k, database, lambda: open_instance(folder).close()))
    assert code in (0, STOPPED)
    version = older.seen_in(folder)
    open_instance(folder).close()
    assert older.seen_in(folder) == SCHEMA_VERSION
    shutil.rmtree(folder)
    return code, version


def test_a_process_really_ended_leaves_the_same(older: Older, tmp_path: Path) -> None:
    luck, statements = seeded("an upgrade stopped"), 0

    def count(_: str) -> None:
        nonlocal statements
        statements += 1

    with told_before_each(count):
        open_instance(older.copy(tmp_path / "counted")).close()
    some = sorted(luck.sample(range(1, statements + 1), STOPS))
    versions = [stopped_at(older, tmp_path / f"k{k}", k)[1] for k in some]
    assert versions == sorted(versions)


def test_control_an_upgrade_that_is_no_one_transaction_is_found(
    older: Older, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def piece_by_piece(self: Database) -> Iterator[Any]:
        yield self._writer  # each statement is a transaction of its own

    monkeypatch.setattr(Database, "write", piece_by_piece)
    kept, _ = images(older, tmp_path)
    with pytest.raises(AssertionError):
        print([older.seen_in(image) for image in kept])


# --- a full disk --------------------------------------------------------------------------------------------------


def opened_with(folder: Path, *ways: Callable[[], object]) -> str:
    """Open an installation in a process of its own on a disk that is full in these ways; what is said, "" if opened."""
    reading, writing = os.pipe()

    def work() -> None:
        for way in ways:
            way()
        try:
            open_instance(folder).close()
        except DatabaseRefused as refusal:
            os.write(writing, str(refusal).encode())
        except database.sqlite3.OperationalError:
            pass  # only the control gets so far: it misses later what it never wrote

    assert in_child(work) == 0
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as said:
        return said.read()


def nothing_from(k: int, ending: str = "") -> Callable[[], object]:
    """The disk takes nothing more from the k-th write on, or from the k-th to files whose name ends so."""
    left = [k]

    def fails(kind: str, name: str) -> int:
        left[0] -= kind == "write" and name.endswith(ending)
        return FULL if kind == "write" and left[0] <= 0 else OK

    return lambda: Disk(fails=fails).install()


def no_file_longer(size: int) -> None:
    """No file may be longer than so many bytes, as the system itself sees to."""
    import resource

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def no_more_pages() -> None:
    """The database may have no more pages than it has."""
    connect = Database._connect

    def limited(self: Database, *kept: int) -> Any:
        conn = connect(self, *kept)
        conn.execute(f"PRAGMA max_page_count = {conn.execute('PRAGMA page_count').fetchone()[0]}")
        return conn

    Database._connect = limited  # type: ignore[method-assign]


def go_on_as_if_written() -> None:
    """The control: a program that takes no notice of what was not written."""

    @contextmanager
    def write(self: Database) -> Iterator[Any]:
        self._writer.execute("BEGIN IMMEDIATE")
        with suppress(database.sqlite3.Error):
            yield self._writer
            self._writer.execute("COMMIT")
        self._roll_back()

    Database.write = write  # type: ignore[method-assign]


SENTENCES = (
    "The database was not brought up to date, as no backup could be made before it (",
    "{file} was not brought up to date, as the disk ",
    "{folder} was not opened, as the disk ",
    "{file} cannot be opened, as its disk does not do what is asked (",
    "The disk of {file} is full; free some space, then try again.",
)


def assert_said(said: str, folder: Path) -> None:
    """It is said what happened, and to make room."""
    begun = [s.format(file=database_file(folder), folder=folder) for s in SENTENCES]
    assert said.startswith(tuple(begun)), said
    assert "ake room" in said or "free some space" in said


def writes_of(older: Older, folder: Path) -> int:
    """How many writes an opening makes, the backup before the upgrade included."""
    counted = folder.parent / "writes"

    def work() -> None:
        writes = [0]

        def tell(kind: str, *_: object) -> None:
            writes[0] += kind == "write"

        Disk(tell=tell).install()
        open_instance(folder).close()
        counted.write_text(str(writes[0]))

    older.copy(folder)
    assert in_child(work) == 0
    return int(counted.read_text())


def full_from(older: Older, folder: Path, k: int) -> tuple[str, int]:
    """What is said where the disk takes nothing from the k-th write on, and the schema version it leaves."""
    older.copy(folder)
    said = opened_with(folder, nothing_from(k))
    assert list(folder.rglob("*.part")) == []
    version = older.seen_in(folder)
    if said or version == older.version:
        assert_said(said, folder)
    return said, version


def test_a_disk_that_is_full_from_any_write_on_leaves_the_old_or_the_new_one(older: Older, tmp_path: Path) -> None:
    writes = writes_of(older, tmp_path / "counted")
    some = [1 + n * (writes - 1) // (FULL_DISKS - 1) for n in range(FULL_DISKS)]
    found = [full_from(older, tmp_path / f"w{k}", k) for k in some]
    print(f"schema {older.version}: {writes} writes, {[version for _, version in found]}")
    assert {version for _, version in found} == {older.version, SCHEMA_VERSION}
    for k in (some[1], some[-2]):
        older.finished(tmp_path / f"w{k}")


@pytest.mark.parametrize("free", [0, 40])
def test_a_database_that_may_not_grow_stays_whole_and_is_upgraded_once_there_is_room(
    older: Older, tmp_path: Path, free: int
) -> None:
    folder = with_free_pages(older.copy(tmp_path / "instance"), free)
    before = dump(database_file(folder))
    said = opened_with(folder, no_more_pages)
    version, log = whole(database_file(folder))
    if version == older.version:
        assert dump(database_file(folder)) == before
    assert log[: len(older.log)] == older.log
    assert_said(said, folder)
    older.finished(folder)


def with_free_pages(folder: Path, free: int) -> Path:
    """So many pages that hold nothing, as a table that went leaves them."""
    with closing(database.sqlite3.connect(str(database_file(folder)))) as conn:
        if free:
            conn.execute("CREATE TABLE went (x)")
            conn.execute("INSERT INTO went VALUES (zeroblob(4096 * ?))", (free,))
            conn.execute("DROP TABLE went")
            conn.commit()
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        assert conn.execute("PRAGMA freelist_count").fetchone()[0] >= free
    return folder


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_files_that_may_not_grow_keep_the_old_one(older: Older, tmp_path: Path, share: float) -> None:
    folder = older.copy(tmp_path / "instance")
    size = int(share * database_file(folder).stat().st_size)
    said = opened_with(folder, lambda: no_file_longer(size))
    assert_said(said, folder)
    assert older.seen_in(folder) == older.version
    assert list(folder.rglob("*.part")) == []
    older.finished(folder)


def test_control_an_upgrade_that_takes_no_notice_of_a_full_disk_is_found(older: Older, tmp_path: Path) -> None:
    folder = older.copy(tmp_path / "instance")
    said = opened_with(folder, go_on_as_if_written, nothing_from(1, "-wal"))
    assert (older.seen_in(folder), said) == (older.version, "")
    with pytest.raises(AssertionError):
        assert_said(said, folder)
    told = opened_with(folder, nothing_from(1, "-wal"))
    assert_said(told, folder)


@pytest.mark.soak
def test_every_upgrade_stopped_at_every_statement(older: Older, tmp_path: Path) -> None:
    k, found = 0, list[tuple[int, int]]()
    while not found or found[-1][0] == STOPPED:
        k += 1
        found.append(stopped_at(older, tmp_path / f"k{k}", k))
    versions = [version for _, version in found]
    old = versions.count(older.version)
    print(f"schema {older.version}: ended at each of {k - 1} statements, {old} times the old one")
    assert versions == sorted(versions)


@pytest.mark.soak
def test_every_upgrade_with_the_disk_full_from_every_write_on(older: Older, tmp_path: Path) -> None:
    writes = writes_of(older, tmp_path / "counted")
    versions = []
    for k in range(1, writes + 1):
        versions.append(full_from(older, tmp_path / "instance", k)[1])
        open_instance(tmp_path / "instance").close()
        assert older.seen_in(tmp_path / "instance") == SCHEMA_VERSION
        shutil.rmtree(tmp_path / "instance")
    old = versions.count(older.version)
    print(f"schema {older.version}: full from each of {writes} writes on, {old} times the old one")
