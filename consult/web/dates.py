"""A date comes in three boxes, day, month and year, and is read as one field; one pasted whole is taken too."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import time
from typing import Any, Final

from flask import Request
from werkzeug.datastructures import ImmutableMultiDict, MultiDict
from werkzeug.exceptions import RequestEntityTooLarge

from consult.documents.words import uk_date
from consult.proforma.days import read

BOXES: Final = ("-day", "-month", "-year")
"""What the names of the boxes of a field add to its name."""
_CLOCK: Final = re.compile(r"(\d{1,2})[:. ]?(\d{2})")
MOST_FIELDS: Final = 10_000
"""No page of ours sends a tenth of it; two megabytes of boxes of dates took the server twelve seconds."""


def read_time(text: str) -> time | None:
    """The time of day that a text gives: 9:05, 09.05 or 0905, by the 24-hour clock; None where it gives none."""
    found = _CLOCK.fullmatch(text.strip())
    try:
        return time(int(found[1]), int(found[2])) if found else None
    except ValueError:
        return None


def written(parts: Iterable[str]) -> str:
    """What three boxes say, as ISO 8601; as it was typed where that is no date, "" where they are blank."""
    typed = [part.strip() for part in parts]
    text = typed[0] if not any(typed[1:]) else "/".join(typed)
    day = read(text)
    return day.isoformat() if day else text


def boxes(value: Any) -> tuple[str, str, str]:
    """What each box shows of a value: a date, ISO 8601, or what was typed and is no date."""
    text = str(value or "")
    if day := read(text):
        return str(day.day), str(day.month), str(day.year)
    parts = text.split("/")
    return (parts[0], parts[1], parts[2]) if len(parts) == len(BOXES) else (text, "", "")


def in_words(text: str) -> str:
    """A date with its month in letters; what is no date as it was typed."""
    day = read(text)
    return uk_date(day) if day else text


class WithDates(ImmutableMultiDict[str, str]):
    """What a page sent, with the boxes of each date in one field."""

    def __init__(self, sent: Any = None) -> None:
        held = sent if isinstance(sent, Mapping) or sent is None else list(sent)
        if held is not None and len(held) > MOST_FIELDS:
            raise RequestEntityTooLarge
        given: MultiDict[str, str] = MultiDict(held)
        super().__init__(_joined(given) if any(name.endswith(BOXES[0]) for name in given) else given)

    def get(self, key: str, default: Any = None, type: Any = None) -> Any:  # type: ignore[override] # noqa: A002 - as in Werkzeug
        """What was sent under a name; what was not costs no exception, which Werkzeug raises and takes back."""
        return super().get(key, default, type) if key in self else default


def _joined(given: MultiDict[str, str]) -> MultiDict[str, str]:
    for name in [name.removesuffix(BOXES[0]) for name in given if name.endswith(BOXES[0])]:
        text = written([(given.poplist(name + box) or [""])[0] for box in BOXES])
        if not given.get(name):
            given[name] = text
    return given


class Asked(Request):
    """A request whose dates are read."""

    parameter_storage_class = WithDates
