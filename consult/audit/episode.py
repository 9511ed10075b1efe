"""A new episode, told from dates: at least four weeks after the end of any earlier one."""

from __future__ import annotations

from datetime import date
from typing import Final

NEW_AFTER_DAYS: Final = 28


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
