"""A new episode, told from dates: four weeks after the end of any earlier one; and which cases say otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Final

from consult.audit import cases
from consult.audit.cases import Key
from consult.audit.sampling import Sample
from consult.record.begun import earlier_signed
from consult.record.database import Connection

NEW_AFTER_DAYS: Final = 28
ABOUT_BACK_PAIN: Final = ("main", "one_of_several")
"""The codes of `back_pain_reason` by which an earlier consultation was about the same complaint."""


def gap_code(ended: date, began: date) -> str:
    """The `episode_gap` of an episode that began so long after an earlier one ended; exactly 28 days is new.

    The national audit counted an episode as new if "separated from any previous episode by at least four weeks"
    (round 2, executive summary); that 28 days themselves are enough is this project's reading of "at least".
    """
    return "ge_28_days" if (began - ended).days >= NEW_AFTER_DAYS else "lt_28_days"


def contradicts(gap: str, first: str, days_since_earlier: int | None) -> str:
    """Why the dates held here speak against what a case says, in a sentence; "" where they don't.

    `days_since_earlier` is the number of days since an earlier signed consultation about back pain with the same
    employee. The pain was there on that day, so fewer than 28 days leave no room for a gap of 28; 28 or more leave
    it open. The case itself is never changed by this.
    """
    if days_since_earlier is None or days_since_earlier >= NEW_AFTER_DAYS:
        return ""
    ago = f"a consultation about back pain was signed here {days_since_earlier} days before"
    if gap in ("none_ever", "ge_28_days"):
        return f"Recorded as a new episode, but {ago}; look at the notes."
    return f"Recorded as the first consultation, but {ago}; look at the notes." if first == "yes" else ""


def by_dates(conn: Connection, sample: Sample) -> Iterator[tuple[str, str]]:
    """The cases of a sample that dates held here speak against, as (case_ref, sentence); the case is not changed."""
    for case in sample.taken:
        if case.consultation and (said := _against(conn, case.key, case.consultation)):
            yield case.key[2], said


def _against(conn: Connection, key: Key, consultation: str) -> str:
    here = cases.read(conn, *key)
    for other in earlier_signed(conn, consultation):
        earlier = cases.of_consultation(conn, other)
        if here and earlier and earlier.fields.get("back_pain_reason") in ABOUT_BACK_PAIN:
            return beside_earlier(here.fields, earlier.fields)
    return ""


def beside_earlier(here: Mapping[str, str], earlier: Mapping[str, str]) -> str:
    """Why an earlier case of the same employee speaks against one; "" where it does not, or no such field is held."""
    now, then = (date.fromisoformat(case["consultation_date"]) for case in (here, earlier))
    return contradicts(here.get("episode_gap", ""), here.get("first_consultation", ""), (now - then).days)
