"""Erasing an employee: identity and typed words go, the step log stays whole; and doing so again after a restore.

What was erased is written to a list beside the database, without a name: a backup made before would bring it all back.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import asdict

from consult.audit import cases
from consult.documents.words import local_time
from consult.proforma.dataset import Dataset
from consult.proforma.load import Definition
from consult.record import about, erasing, identity, ledger, own
from consult.record.database import Connection
from consult.record.disk import sync
from consult.record.ledger import Draft, Refused, Step, append
from consult.record.library import Library

LIST: Final = "erased.jsonl"
Which = Literal["naming", "all", "none"]
WHICH: Final[tuple[Which, ...]] = ("naming", "all", "none")
TAKES_TEXT: Final = ("text", "arrangement")
REDACTED: Final = "the employee was erased"
CLINICIAN: Final = "clinician_ref"


class Words(Struct, frozen=True):
    """A step about an employee in which somebody typed, and whether it names the employee."""

    step: Step
    naming: bool


class Erased(Struct, frozen=True):
    """One line of the list: the opaque id, when and why, and the steps whose words went, each with its hash."""

    employee: str
    at: str
    why: str
    redacted: tuple[tuple[int, str], ...]


def typed_about(conn: Connection, library: Library, known: identity.Employee) -> list[Words]:
    """The steps about an employee that hold typed words, or name the employee anywhere, and can be redacted."""
    found, by_id = [], _definitions(conn, library, known.id)
    entries = identity.entries(conn, known.id)
    for step in about.steps_about(conn, known.id):
        if step.content is None or step.kind in about.KEPT:
            continue
        texts = list(about.leaves(step.content))
        naming = step.kind == own.OWN or any(identity.names(entry, text) for entry in entries for text in texts)
        definition = by_id.get(step.consultation)
        question = definition.proforma.by_id.get(step.question) if definition else None
        if naming or about.typed(step, question is not None and question.kind in TAKES_TEXT):
            found.append(Words(step, naming))
    return found


def _definitions(conn: Connection, library: Library, employee: str) -> dict[str, Definition]:
    found = {}
    for id_ in about.consultations_of(conn, employee):
        begun = next((s for s in ledger.steps(conn, consultation=id_) if s.kind == "consultation_started"), None)
        if begun and begun.content:
            found[id_] = library.definition(conn, begun.content["definition"])
    return found


def chosen(words: Iterable[Words], which: Which) -> list[Step]:
    """The steps whose words go: those that name the employee, all that people typed, or none."""
    return [one.step for one in words if which == "all" or (which == "naming" and one.naming)]


def take_out(
    conn: Connection, dataset: Dataset, employee: str, why: str, redacting: Iterable[Step], actor: str, at: str
) -> list[Erased]:
    """Erase an employee and redact these steps, in the caller's transaction; returns the lines for the list.

    Each entry of somebody entered twice has a line, as a backup may be older than what says that they are one.
    """
    gone = [(step.seq, step.hash) for step in redacting]
    for step in redacting:
        if step.kind == "consultation_signed":
            _retell(conn, dataset, step, actor, at)
        erasing.redact(conn, step.seq, REDACTED, actor, at)
    ids = erasing.erase_identity(conn, employee, why, actor, at)
    return [Erased(id_, at, why, tuple(gone)) for id_ in ids]


def _retell(conn: Connection, dataset: Dataset, signed: Step, actor: str, at: str) -> None:
    """Tell the case of a signed consultation again, without its free text, before the words of its signing go."""
    row = cases.of_consultation(conn, signed.consultation)
    if row is None:
        return  # entered in error: there is no case
    fields = {name: "" if name in _free(dataset) else value for name, value in row.fields.items()}
    content = {"step": signed.seq, "signed": row.signed, "case": fields}
    draft = Draft("signing_retold", content, actor, at, signed.consultation)
    seq = append(conn, draft)
    cases.apply(conn, dataset, next(ledger.steps(conn, seq=seq)))


def _free(dataset: Dataset) -> set[str]:
    """The fields of a case that hold what somebody typed."""
    return {field.name for field in dataset.fields if field.type == "text"} - {*cases.KEY, CLINICIAN}


def due(last_seen: dict[str, str], years: int, today: date) -> list[tuple[str, str]]:
    """Who was last seen `years` years ago or longer, with the day, the longest ago first; nobody where years is 0."""
    days = sorted((local_time(at).date(), id_) for id_, at in last_seen.items())
    return [(id_, day.isoformat()) for day, id_ in days if years and day <= _years_before(today, years)]


def _years_before(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year - years)
    except ValueError:  # the 29th of February of a year that has none
        return day.replace(year=day.year - years, day=28)


def write_down(folder: Path, erased: Erased) -> Path:
    """Add a line to the list of an instance: all of it, on the disk, or nothing, as a restore reads each line."""
    file, line = folder / LIST, _written(erased)
    with file.open("ab", buffering=0) as stream:
        before = stream.seek(0, os.SEEK_END)
        if stream.write(line) != len(line):
            stream.truncate(before)
            raise Refused(f"Nothing was erased, as there is no room for a line in {file}; make room, then try again.")
    sync(file)
    return file


def take_back(folder: Path, lines: Iterable[Erased]) -> None:
    """Make lines of the list blank where they stand: others may add to its end meanwhile, and it takes no room."""
    file, wanted, at = folder / LIST, {_written(line) for line in lines}, 0
    with file.open("r+b") as stream:
        for line in stream.readlines():
            if line in wanted:
                stream.seek(at)
                stream.write(b" " * (len(line) - 1))
            at += len(line)
    sync(file)


def _written(erased: Erased) -> bytes:
    return (json.dumps(asdict(erased), ensure_ascii=False) + "\n").encode()


def read_list(file: Path) -> list[Erased]:
    """The lines of a list; none where there is no file. Refused if a line is none of ours."""
    try:
        lines = file.read_text("utf-8").split("\n") if file.exists() else []  # a reason may hold other line ends
        return [_line(json.loads(line)) for line in lines if line.strip()]
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise Refused(f"{file} is no list of what was erased; take the right file, or mend its last line.") from error


def _line(said: dict[str, object]) -> Erased:
    redacted = said["redacted"]
    if not isinstance(redacted, list):
        raise TypeError("not a list")
    steps = tuple((int(seq), str(hash_)) for seq, hash_ in redacted)
    return Erased(str(said["employee"]), str(said["at"]), str(said["why"]), steps)


def again(conn: Connection, dataset: Dataset, lines: Iterable[Erased], actor: str, at: str) -> list[list[Erased]]:
    """Erase anew whoever of a list is there again, as after a restore; returns for each the lines that say so.

    Words are taken out of the very steps of the list, known by number and hash; what is not there is passed over.
    Whoever was put on hold after that line was written stays, and with them each step of theirs: see `held_since`.
    """
    done, lines = [], list(lines)
    held = held_since(conn, lines, at)
    staying = {step for line in lines if line.employee in held for step in line.redacted}
    for id_, why in {line.employee: line.why for line in lines}.items():
        going = dict.fromkeys(step for line in lines if line.employee == id_ for step in line.redacted)
        if id_ not in held and not going.keys() & staying and identity.entered(conn, id_) is not None:
            done.append(take_out(conn, dataset, id_, why, list(_there(conn, going)), actor, at))
    return done


def held_since(conn: Connection, lines: Iterable[Erased], at: str) -> dict[str, erasing.Hold]:
    """Who of a list is there, and on hold since a moment after the line was written: a later decision than to erase.

    A hold of before had been ended by then, though a backup may be older than what says so.
    """
    holds = erasing.standing(conn, local_time(at).date())
    found = {}
    for id_, erased in {line.employee: line.at for line in sorted(lines, key=lambda line: line.at)}.items():
        known = identity.employee(conn, id_)
        hold = holds.get(known.id) if known else None
        if hold is not None and hold.at > erased:
            found[id_] = hold
    return found


def hold_again(conn: Connection, holds: dict[str, erasing.Hold], actor: str, at: str) -> None:
    """Set in a restored record the holds that stood in the one whose place it takes, on whoever is there."""
    for id_, hold in holds.items():
        if identity.employee(conn, id_) is not None:
            append(conn, erasing.hold_set(id_, hold.reason, hold.until, actor, at))


def _there(conn: Connection, redacted: Iterable[tuple[int, str]]) -> Iterator[Step]:
    for seq, hash_ in redacted:
        step = next(ledger.steps(conn, seq=seq), None)
        if step is not None and step.hash == hash_ and step.content is not None:
            yield step
