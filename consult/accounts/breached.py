"""Passwords known from breaches: a list on this machine, as Have I Been Pwned publishes it, put there by the service.

Each line is the SHA-1 of a password in 40 hexadecimal digits, then a colon and how often it was found; the lines are
in order. It has tens of gigabytes, so it is never read through: each look goes to its middle, and on in the half that
the hash must be in. Nothing is asked outside.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from io import SEEK_END, BufferedReader
from pathlib import Path
from typing import Final

SETTING: Final = "breached_passwords"
LINE: Final = re.compile(rb"([0-9A-Fa-f]{40})(:\d+)?\r?\n?")
LONGEST: Final = 80
MEND: Final = f"Mend that, or take the setting {SETTING} away; until then no new password is taken."
KNOWN: Final = "This password is known from a breach elsewhere; choose another, such as four words of your own."


class NoList(ValueError):
    """A file that is no list in order; the message says so and what to do."""


def why_refused(file: Path, password: str) -> str:
    """Why a password is refused: it stands in the list, or the list can't be asked; "" if it is taken."""
    try:
        return KNOWN if is_known(file, password) else ""
    except NoList as error:
        return str(error)
    except OSError as error:
        return f"The list of breached passwords {file} can't be read ({error.strerror or 'it is no file'}). {MEND}"


def is_known(file: Path, password: str) -> bool:
    """Whether a password stands in a list as it was typed, or with one form of each letter; NoList, OSError."""
    forms = {password, unicodedata.normalize("NFKC", password)}
    hashes = {hashlib.new("sha1", form.encode(), usedforsecurity=False).hexdigest().upper().encode() for form in forms}
    with file.open("rb") as lines:
        return any(_has(lines, wanted) for wanted in sorted(hashes))


def _has(lines: BufferedReader, wanted: bytes) -> bool:
    """Bisection by bytes: `low` begins a line, and the hash can only be in a line that begins from there to `high`."""
    low, high = 0, lines.seek(0, SEEK_END)
    while low < high:
        middle = (low + high) // 2
        if (at := _next_line(lines, low, middle)) >= high:
            high = middle  # no line begins from the middle on
            continue
        found = _hash_in(lines)
        if found == wanted:
            return True
        low, high = (lines.tell(), high) if found < wanted else (low, at)
    return False


def _next_line(lines: BufferedReader, low: int, middle: int) -> int:
    """Where the first line from `middle` on begins, and go there; `low` is the beginning of one."""
    if middle == low:
        return lines.seek(low)
    lines.seek(middle - 1)
    lines.readline(LONGEST)
    return lines.tell()


def _hash_in(lines: BufferedReader) -> bytes:
    line = lines.readline(LONGEST)
    found = LINE.fullmatch(line)
    if found is None:
        raise NoList(f"The list of breached passwords {lines.name} is none: a line has no SHA-1 of 40 digits. {MEND}")
    return found[1].upper()


def why_not(file: Path) -> str:
    """Why a file can't be the list, in a sentence; "" if it is one, as far as its beginning, middle and end tell."""
    try:
        with file.open("rb") as lines:
            size = lines.seek(0, SEEK_END)
            seen = []
            for at in (0, size // 2, max(0, size - LONGEST)):
                lines.seek(at)
                if at:
                    lines.readline(LONGEST)
                if lines.tell() < size:
                    seen.append(_hash_in(lines))
    except NoList as error:
        return str(error)
    except OSError as error:
        return f"The list of breached passwords {file} can't be read ({error.strerror or 'it is no file'}). {MEND}"
    if not seen or seen != sorted(seen):
        return f"The list of breached passwords {file} is empty, or not in the order of its hashes. {MEND}"
    return ""
