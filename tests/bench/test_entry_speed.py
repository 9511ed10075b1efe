"""Keeping what is typed of a case, after few and after many others: a ratio of processor time in one run."""

from __future__ import annotations

import time
import uuid
from pathlib import Path

import pytest

from consult.exchange import entry
from consult.record.database import Database
from consult.record.ledger import Draft, append
from consult.record.opening import open_database
from consult.record.store import Who

pytestmark = pytest.mark.speed

FEW, MANY, TIMES = 40, 2000, 9
BOUND = 15.0
"""With 50 times as many cases. It was hundreds when all drafts were gone through for each of all sittings."""
WHO, AT = Who("p-reader", "audit_lead"), "2026-11-22T10:00:00Z"


def milliseconds(folder: Path, cases: int) -> float:
    """The least time that it takes to keep a draft, after so many cases that were kept twice and entered."""
    db = open_database(folder / f"{cases}.sqlite3")
    with db.write() as conn:
        sittings = [entry.begin(conn, 40, WHO, AT, str(uuid.uuid4())) for _ in range(cases // 40)]
        for n in range(cases):
            draft = {"draft": str(uuid.uuid4()), "sitting": sittings[n % len(sittings)]}
            named = {"provider": "P1", "capture_mode": entry.MODE, "case_ref": f"R-{n}", "step": n}
            for said in ({"case_ref": f"R-{n}"}, {"case_ref": f"R-{n}", "sex": "male"}):
                append(conn, Draft(entry.KEPT, draft | {"fields": said}, WHO.actor, AT, role=WHO.role))
            append(conn, Draft("case_entered", draft | named, WHO.actor, AT, role=WHO.role))
    of = entry.sitting(db.read(), sittings[0])
    assert of is not None
    taken = [_keeping(db, of, str(n)) for n in range(TIMES)]
    db.close()
    return min(taken)


def _keeping(db: Database, of: entry.Sitting, text: str) -> float:
    with db.write() as conn:
        begun = time.process_time()
        entry.keep_draft(conn, of, "a draft", {"case_ref": text}, WHO, AT)
        return (time.process_time() - begun) * 1000


def test_what_is_typed_of_a_case_is_kept_as_quickly_after_many_others(tmp_path: Path) -> None:
    assert milliseconds(tmp_path, MANY) <= BOUND * milliseconds(tmp_path, FEW)
