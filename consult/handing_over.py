"""The whole record as documented lines, for a change of supplier; and the proof of such a file by itself.

One JSON object a line. `type` says what a line is: record (the first), version, person, employee, step, case, end (the
last). What each holds stands in docs/data-protection/keeping.md. Password hashes, sessions and keys are not in it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import asdict

from consult.accounts import people
from consult.audit import cases
from consult.in_use import proves_itself
from consult.instance import Instance, only_for_me
from consult.record import erasing, identity, kept, ledger
from consult.record.database import SCHEMA_VERSION, Connection
from consult.record.disk import sync
from consult.record.ledger import Refused

FORM: Final = "consult record 1"
TYPES: Final = ("version", "person", "employee", "step", "case")
CHAINED: Final = ("consultation", "kind", "question", "content_digest", "actor", "role", "at", "key")


class HandedOver(Struct, frozen=True):
    """What a file was found to hold: how many lines of each type, and the head of its step log."""

    counts: dict[str, int]
    step: int
    hash: str


def lines(instance: Instance, conn: Connection) -> Iterator[dict[str, Any]]:
    """Every line of the record at one moment."""
    seq, hash_ = ledger.head(conn)
    first = {"form": FORM, "schema": SCHEMA_VERSION, "provider": instance.provider, "made": instance.store.at()}
    yield {"type": "record", **first, "step": seq, "hash": hash_}
    for version in kept.every(conn):
        yield {"type": "version", **asdict(version)}
    for person in people.people(conn):
        yield {"type": "person", **asdict(person)}
    for known, at in identity.every(conn):
        born = known.date_of_birth.isoformat()
        yield {"type": "employee", **asdict(known), "date_of_birth": born, "registered_at": at}
    for step in ledger.whole(conn):
        yield {"type": "step", **step}
    for row in cases.iterate(conn):
        own = {"consultation": row.consultation, "step": row.step, "signed": row.signed}
        yield {"type": "case", **own, "fields": row.fields}


def write(instance: Instance, file: Path) -> HandedOver:
    """Write the whole record to a new file, and prove the file; Refused if it is there, or if its proof fails."""
    if file.exists():
        raise Refused(f"{file} is there already and is not written over; choose another name.")
    part = file.with_name(file.name + ".part")
    try:
        with only_for_me(), part.open("w", encoding="utf-8", newline="\n") as stream, instance.db.snapshot() as conn:
            counts = Counter[str]()
            for line in lines(instance, conn):
                counts[line["type"]] += 1
                stream.write(json.dumps(line, ensure_ascii=False) + "\n")
            stream.write(json.dumps({"type": "end", "lines": {of: counts[of] for of in TYPES}}) + "\n")
        found = prove(part)
        sync(part)
        part.replace(file)
        sync(file)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return found


def read(file: Path) -> Iterator[dict[str, Any]]:
    """The lines of a file, one by one; Refused where one is none."""
    with file.open("rb") as stream:
        for number, text in enumerate(stream, 1):
            try:
                line = json.loads(text.decode("utf-8"))
                said = {**line, "type": str(line["type"])}
            except (ValueError, TypeError, KeyError, RecursionError) as error:
                raise _no_line(number, file) from error
            yield said


def _no_line(number: int, file: Path) -> Refused:
    return Refused(f"Line {number} of {file} is no line of a record; write the file again.")


def prove(file: Path) -> HandedOver:
    """Prove a file by itself: nothing is missing, each step follows from the one before, each version is as it was.

    Refused says what is wrong. No database is needed, so that whoever takes the record over can do the same.
    """
    seen = _Seen(file)
    for number, line in enumerate(read(file), 1):
        try:
            seen.take(line)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise _no_line(number, file) from error
    seen.check()
    return HandedOver({of: seen.counts[of] for of in TYPES}, *seen.head)


class _Seen:
    """What the lines of a file have said so far."""

    def __init__(self, file: Path) -> None:
        self.file, self.counts, self.head = file, Counter[str](), (0, ledger.START)
        self.first: dict[str, Any] = {}
        self.last: dict[str, Any] = {}
        self.redacted: dict[str, int] = {}
        self.without: list[int] = []
        self.there: dict[str, set[str]] = {"employee": set(), "version": set(), "person": set()}
        self.told: dict[str, set[str]] = {"employee": set(), "version": set(), "person": set()}

    def take(self, line: dict[str, Any]) -> None:
        """Look at one line; Refused where it can't be as it was written."""
        kind = line["type"]
        self.counts[kind] += 1
        if kind == "record":
            self.first = line
        elif kind == "end":
            self.last = line
        elif kind == "step":
            self.head = _follows(line, self.head, self.file)
            self._note(line)
        elif kind == "version":
            texts = {name: line[name] for name in ("kind", "id", "version", "digest", "texts")}
            if not proves_itself(kept.Kept(**texts)):
                raise Refused(f"The version {line['digest'][:16]} in {self.file} was changed; write the file again.")
            self.there[kind].add(line["digest"])
        elif kind in self.there:
            self.there[kind].add(line["id"])

    def _note(self, step: dict[str, Any]) -> None:
        said, kind = step["content"], step["kind"]
        if kind == "content_redacted":
            self.redacted[step["question"]] = step["seq"]
        if said is None:
            self.without.append(step["seq"])
        elif kind == "employee_registered":
            self.told["employee"].add(said["employee"])
        elif kind == erasing.ERASED:
            self.told["employee"].discard(said["employee"])
        elif kind == "content_installed":
            self.told["version"].add(said["digest"])
        elif kind == "person_added":
            self.told["person"].add(said["person"])

    def check(self) -> None:
        """Refuse a file that is not whole: its ends, its counts, and whatever its steps tell of."""
        again = "write the file again."
        if self.first.get("form") != FORM or not self.last:
            raise Refused(f"{self.file} does not begin and end as a whole record does; {again}")
        said = (self.first.get("step"), self.first.get("hash")), self.last.get("lines")
        if said != (self.head, {of: self.counts[of] for of in TYPES}):
            raise Refused(f"Lines are missing from {self.file}; {again}")
        for seq in self.without:
            if self.redacted.get(f"step:{seq}", 0) <= seq:
                raise Refused(f"What step {seq} says is missing from {self.file}; {again}")
        for noun, ids in self.told.items():
            if gone := ids - self.there[noun]:
                raise Refused(f"The {noun} {min(gone)[:16]} is missing from {self.file}; {again}")


def _follows(step: dict[str, Any], before: tuple[int, str], file: Path) -> tuple[int, str]:
    """The head after a step; Refused unless it follows from the one before, and says what its digest says."""
    seq, previous = before
    own = ledger.chain_hash(previous, seq + 1, *(step[name] for name in CHAINED))
    if (step["seq"], step["previous"], step["hash"]) != (seq + 1, previous, own):
        raise Refused(f"Step {step['seq']} in {file} does not follow from the one before; write the file again.")
    if step["content"] is not None:
        said = ledger.content_digest(step["salt"], ledger.canonical(step["content"]))
        if said != step["content_digest"]:
            raise Refused(f"What step {step['seq']} in {file} says was changed; write the file again.")
    return step["seq"], own
