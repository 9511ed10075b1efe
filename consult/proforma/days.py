"""A day as forms and files write it."""

from __future__ import annotations

from datetime import date


def day_in(text: str) -> date | None:
    """The day that a text is, written year-month-day and in no other of the ways of ISO 8601; None if it is none."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.isoformat() == text else None
