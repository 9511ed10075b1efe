"""Cases from notes or from a file that should not be here: taken out with a reason, as a consultation is in error.

The steps stay, so that what was entered, by whom, and why it was taken out can be told; the ascertainment counts it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from itertools import islice
from typing import Final

from msgspec import Struct, field

from consult.audit import cases
from consult.audit.cases import CaseRow, Key
from consult.audit.in_error import KIND
from consult.exchange import sheets
from consult.exchange.casefile import BATCH, BadRow, Spelled
from consult.exchange.caselines import Record, columns, records
from consult.exchange.intake import Import, differences, prepared
from consult.proforma.dataset import Dataset
from consult.record.database import Connection, Database
from consult.record.ledger import ChangedSince, Draft, Refused, append
from consult.record.store import Who

OF_CONSULTATION: Final = (
    "This case comes from a consultation signed here; its clinician marks the consultation as entered in error."
)
NO_REASON: Final = "Say why the case is taken out; the reason is kept with it."


def why_stays(held: CaseRow | None) -> str:
    """Why a case can't be taken out, in a sentence; "" if it can, as one drawn for a second reading can."""
    return OF_CONSULTATION if held is not None and held.consultation else ""


def take_out(conn: Connection, held: CaseRow, reason: str, who: Who, at: str, key: str, seen: int) -> None:
    """Take one case out as entered in error; `seen` is the step that the page knew as the last of this case."""
    if held.step != seen:
        raise ChangedSince("Somebody changed this case since the page was made; open it again, then take it out.")
    if why := why_stays(held):
        raise Refused(why)
    if not reason.strip():
        raise Refused(NO_REASON, "error-reason")
    _write(conn, held, reason.strip(), who, at, key)


def _write(conn: Connection, held: CaseRow, reason: str, who: Who, at: str, key: str = "") -> None:
    content = {**cases.named(held.key), "step": held.step, "reason": reason}
    append(conn, Draft(KIND, content, who.actor, at, role=who.role, key=key or str(uuid.uuid4())))
    cases.delete_entered(conn, held.key)


class Undone(Struct):
    """What taking a file out again did, or would do: out + absent + kept = rows."""

    rows: int = 0
    out: int = 0
    absent: int = 0
    kept: list[BadRow] = field(default_factory=list)


def take_out_file(db: Database, dataset: Dataset, text: str, settings: Import, reason: str, write: bool) -> Undone:
    """Take out each case that a case file gave and that still is as the file says; CaseFileRefused as for an import.

    Nothing is written unless `write`; then a batch at a time, so that nobody is held up.
    """
    names = columns(next(records(text), None), dataset)
    done, seen, rows = Undone(), set[Key](), _rows(text)
    while batch := list(islice(rows, BATCH)):
        with db.write() if write else db.snapshot() as conn:
            spelled = Spelled(conn, settings.provider)
            for record in batch:
                done.rows += 1
                held, why = _held(conn, dataset, names, record, settings, spelled)
                if why := why or why_stays(held):
                    done.kept.append(BadRow(record.line, "", why))
                elif held is None or held.key in seen:
                    done.absent += 1
                else:
                    done.out += 1
                    seen.add(held.key)
                    if write:
                        _write(conn, held, reason, Who(settings.actor, ""), settings.at)
    return done


def _rows(text: str) -> Iterator[Record]:
    found = records(text)
    next(found, None)
    yield from found


def _held(
    conn: Connection, dataset: Dataset, names: list[str], record: Record, settings: Import, spelled: Spelled
) -> tuple[CaseRow | None, str]:
    """The case that a row of a file gave, and why it is none of that file any more."""
    if record.wrong or len(record.cells) < len(names):
        return None, record.wrong or "The row has not a cell for each column; correct it."
    cells = map(sheets.unguarded, record.cells[: len(names)])
    fields = spelled.of(prepared(dict(zip(names, cells, strict=True)), dataset, settings))
    held = cases.read(conn, *cases.key_of(fields))
    if held is None:
        return None, ""
    differing = differences(dataset, held.fields, fields)
    return held, f"The case held has other values in {', '.join(differing)}, so it stays." if differing else ""
