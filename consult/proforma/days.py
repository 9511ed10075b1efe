"""A day as forms and files write it, and as people type it."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_DAY_AND_MONTH: Final = r"(\d{1,2})(?:st|nd|rd|th)?[ ./-]+(\d{1,2}|[a-z]{3,9})\.?[ ,./-]+"
_BRITISH: Final = re.compile(_DAY_AND_MONTH + r"(\d{4})", re.IGNORECASE)
_SHORT_YEAR: Final = re.compile(_DAY_AND_MONTH + r"(\d{2})", re.IGNORECASE)
_RUN_TOGETHER: Final = re.compile(r"(\d\d)(\d\d)(\d{4})")
_SHORTEST: Final = 3
_CENTURIES: Final = ("19", "20")


def day_in(text: str) -> date | None:
    """The day that a text is, written year-month-day and in no other of the ways of ISO 8601; None if it is none."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.isoformat() == text else None


def read(text: str) -> date | None:
    """The date that a text gives: 27/3/2026, 27 March 2026, 27032026 or 2026-03-27; None where it gives none."""
    plain = text.strip()
    try:
        if found := _BRITISH.fullmatch(plain) or _RUN_TOGETHER.fullmatch(plain):
            return date(int(found[3]), _month(found[2]), int(found[1]))
    except ValueError:
        return None
    return day_in(plain)


def may_mean(text: str) -> list[date]:
    """The days that a text may mean: the one it gives, or one in each century where its year has two digits."""
    if short := _SHORT_YEAR.fullmatch(text.strip()):
        days = [read(f"{short[1]}/{short[2]}/{century}{short[3]}") for century in _CENTURIES]
        return [day for day in days if day]
    day = read(text)
    return [day] if day else []


def no_such_day(text: str) -> str:
    """The day that a text names and that its month does not have, such as 31 February 2026; "" for all else."""
    found = _BRITISH.fullmatch(text.strip()) or _RUN_TOGETHER.fullmatch(text.strip())
    try:
        day, month, year = (int(found[1]), _month(found[2]), int(found[3])) if found else (0, 0, 0)
        first = date(year, month, 1)
    except ValueError:
        return ""
    return f"{day} {MONTHS[month - 1]} {first.year}" if read(text) is None else ""


def to_correct(text: str) -> str:
    """What to correct in what was typed for a date, in a sentence; "" where that can't be told."""
    if day := no_such_day(text):
        return f"There is no {day}; correct the date."
    return "Write the year with four digits." if _SHORT_YEAR.fullmatch(text.strip()) else ""


def _month(text: str) -> int:
    if text.isdigit():
        return int(text)
    begins = [name.lower().startswith(text.lower()) for name in MONTHS]
    if len(text) < _SHORTEST or True not in begins:
        raise ValueError(f"{text} is no month")
    return begins.index(True) + 1
