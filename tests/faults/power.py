"""A power cut: what the product wrote is recorded, and disks are made of it as a cut could have left them.

Run as a program it is the recording: an instance in which answers are saved by several threads, with checkpoints, the
write-ahead log begun anew, a backup, and a close and a second opening between them; then `images` makes and checks.
"""

from __future__ import annotations

import argparse
import os
import pickle
import random
import shutil
import tempfile
import threading
from collections import Counter
from collections.abc import Iterable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, cast

from disk import Disk

from consult import backup
from consult.accounts.schema import accounts_schema
from consult.in_use import Content
from consult.instance import DATABASE, Instance
from consult.proforma.answer import Answer
from consult.proforma.load import load_definition
from consult.proving import why_not_whole
from consult.record import ledger
from consult.record.database import Database, DatabaseRefused, sqlite3
from consult.record.library import Library
from consult.record.opening import open_database
from consult.record.store import Start, Store, Who

PROFORMA = Path(__file__).parents[2] / "proformas" / "back-pain"
NURSE = Who("person-nurse", "nurse")
SECTOR = 512
THREADS = 3
Event = tuple[Any, ...]
File = tuple[str, int]
Choice = tuple[tuple[int, ...], tuple[tuple[int, ...], ...]]
WHOLE = -1
ROWS = "SELECT s.*, c.salt, c.content FROM step s LEFT JOIN step_content c USING (seq) ORDER BY s.seq"


# --- recording ---------------------------------------------------------------------------------------------


@dataclass
class Recording:
    """What happened to the files, from a known beginning, and the steps and the backup there were in the end."""

    database: str
    base: bytes
    events: list[Event]
    steps: list[tuple[Any, ...]]
    backup: str
    backup_bytes: bytes


def record(folder: Path, synchronous: str, answers: int, seed: int) -> Recording:
    """Save answers through the product while its disk is watched; returns all that was seen."""
    definition = load_definition(PROFORMA)
    database = folder / "instance" / DATABASE
    database.parent.mkdir()
    open_database(database, accounts_schema).close()
    base = database.read_bytes()
    assert not Path(f"{database}-wal").exists()
    events: list[Event] = []
    Disk(tell=lambda *what: events.append(what)).install()
    _watch_python(events)
    for part in range(2):  # closed and opened again between them
        with closing(open_database(database, accounts_schema, create=False)) as db:
            db._writer.execute(f"PRAGMA synchronous = {synchronous}")
            db._writer.execute("PRAGMA wal_autocheckpoint = 30")  # every few answers, not every few hundred
            store = Store(db, Library(definition))
            _save(store, events, answers // 2, seed + part)
            if part == 0:
                instance = Instance(database.parent, db, store, cast(Content, None), b"")
                file, _ = backup.backup(instance, folder / "backup.db")
                events.append(("backed up",))
                _save(store, events, answers // 4, seed + 7)
            assert ledger.verify(db.read()) is None
            last = [tuple(row) for row in db.read().execute(ROWS)]
    return Recording(str(database), base, events, last, str(file), file.read_bytes())


def _watch_python(events: list[Event]) -> None:
    """The program's own syncs and renames are seen too."""
    real_sync, real_rename = os.fsync, os.rename

    def fsync(handle: int) -> None:
        path = Path(f"/proc/self/fd/{handle}").readlink()
        events.append(("sync begun", str(path), None))
        real_sync(handle)
        events.append(("folder synced", str(path)) if path.is_dir() else ("sync", str(path), None))

    def rename(old: Any, new: Any, **more: Any) -> None:
        events.append(("rename", str(old), str(new)))
        real_rename(old, new, **more)

    os.fsync, os.rename = fsync, rename


def _save(store: Store, events: list[Event], answers: int, seed: int) -> None:
    """Save answers from several threads at once; each is acknowledged in the recording once the store has returned."""
    employee = store.register("Zebedee Quillfeather", date(1980, 3, 2), "E 1001", NURSE)
    findings = [q for q in store.library.current.proforma.questions if q.kind == "finding"]
    failed: list[BaseException] = []

    def write(number: int) -> None:
        try:
            draw = random.Random(f"{seed} {number}")
            consultation = store.start(Start(employee.id, "A", "ACME", "in_person", "45-54"), NURSE)
            seen: dict[str, int] = {}
            for n in range(answers // THREADS):
                question = draw.choice(findings)
                answer = Answer(draw.choice(["present", "absent", "unsure"]))
                key = f"key-{seed}-{number}-{n}"
                seq = store.save(consultation, question, answer, seen.get(question.id, 0), key, "single", NURSE)
                seen[question.id] = seq
                events.append(("saved", seq))
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


# --- images ------------------------------------------------------------------------------------------------


@dataclass
class State:
    """The disk after some of the recording: what is certain, and what a cut may still lose.

    `kept` are the synced contents by file; `loose` the writes and truncations of each since its last sync, in order.
    `named` says which file certainly has which name; `naming` are the changes of names in each folder since its last
    sync, which a journal of names keeps in order. `live` are the names as the running program sees them.
    """

    kept: dict[File, bytearray]
    named: dict[str, File]
    live: dict[str, File]
    loose: dict[File, list[Event]] = field(default_factory=dict)
    naming: dict[str, list[Event]] = field(default_factory=dict)
    begun: dict[File, int] = field(default_factory=dict)
    saved: int = 0
    backed_up: bool = False

    def take(self, event: Event) -> None:
        """One more thing happens."""
        kind, *rest = event
        if kind in ("write", "truncate"):
            self.loose.setdefault((rest[0], rest[1]), []).append((kind, *rest[2:]))
        elif kind in ("create", "delete", "rename"):
            self._name(kind, rest)
        elif kind == "sync begun" and self._file(rest):
            self.begun[self._file(rest)] = len(self.loose.get(self._file(rest), []))
        elif kind == "sync":
            self._synced(self._file(rest))
        elif kind == "folder synced":
            for change in self.naming.pop(rest[0], []):
                rename(self.named, change)
        elif kind == "saved":
            self.saved = max(self.saved, rest[0])
        elif kind == "backed up":
            self.backed_up = True

    def _file(self, rest: list[Any]) -> File:
        return (rest[0], rest[1]) if rest[1] is not None else self.live.get(rest[0], ("", 0))

    def _name(self, kind: str, rest: list[Any]) -> None:
        change: Event = ("link", rest[0], (rest[0], rest[1])) if kind == "create" else (kind, *rest)
        if kind == "create":
            self.kept[(rest[0], rest[1])] = bytearray()
        rename(self.live, change)
        self.naming.setdefault(str(Path(rest[0]).parent), []).append(change)

    def _synced(self, file: File) -> None:
        loose, count = self.loose.get(file, []), self.begun.get(file, 0)
        for change in loose[:count]:
            apply(self.kept[file], change)
        del loose[:count]

    def choose(self, draw: random.Random) -> Choice:
        """What a cut now could leave: how many of the changes of names, and of each loose write which sectors."""
        share, tearing = draw.choice((0.0, 0.5, 0.8, 1.0)), draw.choice((0.0, 0.1, 0.5))
        named = tuple(draw.randint(0, len(changes)) for changes in self.naming.values())
        return named, tuple(
            tuple(_sectors(change, share, tearing, draw) for change in loose) for loose in self.loose.values()
        )

    def cut(self, choice: Choice) -> dict[str, bytes | bytearray]:
        """The disk that a cut now leaves: the content of each name."""
        names, (named, written) = dict(self.named), choice
        for count, changes in zip(named, self.naming.values(), strict=True):
            for change in changes[:count]:
                rename(names, change)
        chosen = dict(zip(self.loose, written, strict=True))
        return {name: self._left(file, chosen.get(file, ())) for name, file in names.items()}

    def _left(self, file: File, chosen: tuple[int, ...]) -> bytes | bytearray:
        if not any(chosen):
            return self.kept[file]
        content = bytearray(self.kept[file])
        for change, sectors in zip(self.loose[file], chosen, strict=True):
            if sectors == WHOLE:
                apply(content, change)
            elif sectors:
                tear(content, change, sectors)
        return content


def _sectors(change: Event, share: float, tearing: float, draw: random.Random) -> int:
    if change[0] == "write" and draw.random() < tearing:
        return draw.getrandbits(len(change[2]) // SECTOR + 2)
    return WHOLE if draw.random() < share else 0


def rename(names: dict[str, File], change: Event) -> None:
    """A name comes, goes or passes from one to another."""
    kind, name, *more = change
    if kind == "link":
        names[name] = more[0]
    elif name in names:
        file = names.pop(name)
        if kind == "rename":
            names[more[0]] = file


def apply(content: bytearray, change: Event) -> None:
    """A write or truncation reaches the file whole."""
    if change[0] == "truncate":
        del content[change[1] :]
        content.extend(bytes(change[1] - len(content)))
        return
    _, offset, data = change
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data


def tear(content: bytearray, change: Event, sectors: int) -> None:
    """Only some of the sectors of a write, a bit each, reach the file."""
    _, offset, data = change
    at = 0
    while at < len(data):
        end = min(len(data), at + SECTOR - (offset + at) % SECTOR)
        if sectors & 1:
            apply(content, ("write", offset + at, data[at:end]))
        at, sectors = end, sectors >> 1


# --- checking ----------------------------------------------------------------------------------------------

FINE, LOST, CORRUPT, BACKUP_LOST = "fine", "lost", "corrupt", "backup lost"
FULL_CHECK = 100  # one image in so many is opened as a start does it, checked page by page, and written in


@dataclass
class Found:
    """How many images there were, how many of them all different, how many with what verdict; the first sentences."""

    images: int = 0
    different: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    said: list[str] = field(default_factory=list)

    def add(self, verdicts: list[tuple[str, str]]) -> None:
        """One more image."""
        self.images += 1
        for verdict, sentence in verdicts:
            self.verdicts[verdict] += 1
            if sentence and len(self.said) < 5:
                self.said.append(f"{verdict}: {sentence}")


def together(parts: Iterable[Found]) -> Found:
    """The findings of several shares as one."""
    whole = Found()
    for part in parts:
        whole.images += part.images
        whole.different += part.different
        whole.verdicts += part.verdicts
        whole.said += part.said
    return whole


def check(recording: Recording, count: int, seed: int, folder: Path | None = None) -> Found:
    """Cut the power `count` times, at random moments, and look at what is left each time."""
    work = Path(tempfile.mkdtemp(prefix="power-", dir=folder))
    draw = random.Random(seed)
    home = (recording.database, 0)
    state = State({home: bytearray(recording.base)}, {recording.database: home}, {recording.database: home})
    cuts = Counter(draw.randrange(len(recording.events) + 1) for _ in range(count))
    found = Found()
    try:
        for at, event in enumerate([*recording.events, ("end",)]):
            known: dict[Choice, list[tuple[str, str]]] = {}
            for _ in range(cuts[at]):
                choice = state.choose(draw)
                if choice not in known:
                    found.different += 1
                    known[choice] = _look_at(recording, state, choice, work, found.different % FULL_CHECK == 0)
                found.add(known[choice])
            state.take(event)
    finally:
        shutil.rmtree(work)
    return found


def _look_at(recording: Recording, state: State, choice: Choice, work: Path, wholly: bool) -> list[tuple[str, str]]:
    disk = state.cut(choice)
    _lay_out(disk, recording.database, work / DATABASE)
    verdicts = [look(work / DATABASE, recording.steps, state.saved, wholly)]
    if state.backed_up and disk.get(recording.backup) != recording.backup_bytes:
        verdicts.append((BACKUP_LOST, "the backup that was said to be made is not there, or not whole"))
    return verdicts


def _lay_out(disk: dict[str, bytes | bytearray], database: str, file: Path) -> None:
    for side in ("", "-wal", "-journal", "-shm"):
        path, content = f"{file}{side}", disk.get(database + side) if side != "-shm" else None
        if content is None:
            with suppress(FileNotFoundError):
                os.unlink(path)  # noqa: PTH108 - what is done a million times is done plainly
        else:
            handle = os.open(path, os.O_RDWR | os.O_CREAT)  # its pages in memory are used again
            os.pwrite(handle, content, 0)
            os.ftruncate(handle, len(content))
            os.close(handle)


def look(file: Path, steps: list[tuple[Any, ...]], saved: int, wholly: bool) -> tuple[str, str]:
    """Open an image as the product does, let it recover, and hold it against what was acknowledged.

    Its rows must be the first of those that were written, in every column, and those were proved to be one chain.
    """
    try:
        with closing(open_database(file, accounts_schema, create=False) if wholly else Database(file)) as db:
            conn = db._writer
            found = [tuple(row) for row in conn.execute(ROWS)]
            if found != steps[: len(found)]:
                return CORRUPT, "The steps are not those that were written."
            if len(found) < saved:
                return LOST, f"{saved} steps were acknowledged, {len(found)} are there."
            if wholly:
                return _go_on(db)
    except (sqlite3.DatabaseError, DatabaseRefused) as error:
        return CORRUPT, str(error)
    return FINE, ""


def _go_on(db: Database) -> tuple[str, str]:
    if found := why_not_whole(db.read()):
        return CORRUPT, found
    with db.write() as conn:
        ledger.append(conn, ledger.Draft("consultation_viewed", {}, "person-nurse", "2026-11-22T10:00:00.000Z"))
    sentence = ledger.verify(db.read())
    return (CORRUPT, sentence) if sentence else (FINE, "")


def main() -> None:
    """Record, and write the recording to a file: from a process of its own, as the files are watched for good."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--synchronous", default="FULL")
    parser.add_argument("--answers", type=int, default=90)
    parser.add_argument("--seed", type=int, required=True)
    options = parser.parse_args()
    import power  # so that the recording is of the module's type, whoever reads it

    recording = power.record(options.folder, options.synchronous, options.answers, options.seed)
    (options.folder / "recording").write_bytes(pickle.dumps(recording))


if __name__ == "__main__":
    main()
