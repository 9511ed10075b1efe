"""The line of a TOML file on which an entry, a table or a key stands, as far as its lines tell."""

from __future__ import annotations

import re
from itertools import zip_longest
from typing import Final

from consult.proforma.strict import Place

_NAMED: Final = r'(?:^|[{,])\s*(?:id|name|fact)\s*=\s*"%s"'
_CALLED: Final = r"^\s*(?:%s\s*=|\[\s*%s\s*\])"


def of_name(text: str, name: str) -> tuple[int, ...]:
    """The lines with an entry of this name, or else with a key or table called so."""
    quoted = re.escape(name)
    return _holding(text, _NAMED % quoted) or _holding(text, _CALLED % (quoted, quoted))


def of_place(text: str, place: Place) -> tuple[int, ...]:
    """The line of what stands at a place, given as keys and numbers from the top, or of what should hold it."""
    lines, line, table = text.split("\n"), -1, ""
    for part, number in zip_longest(place, place[1:], fillvalue=""):
        if isinstance(part, int):
            continue
        called = f"{table}.{part}".lstrip(".")
        below = _header(lines, line, called, table, number if isinstance(number, int) else 0)
        if below is not None:
            line, table = below, called
            continue
        line = _key(lines, line, str(part), number)
        break
    return (line + 1,) if line >= 0 else ()


def _holding(text: str, pattern: str) -> tuple[int, ...]:
    return tuple(number for number, line in enumerate(text.split("\n"), 1) if re.search(pattern, line))


def _header(lines: list[str], after: int, called: str, within: str, number: int) -> int | None:
    """The line that begins the table of this name, or of a list of tables the one of this number."""
    for at in range(after + 1, len(lines)):
        name = _table(lines[at])
        if name == called and number == 0:
            return at
        if name == called:
            number -= 1
        elif name and within and not name.startswith(f"{within}."):
            return None
    return None


def _key(lines: list[str], after: int, key: str, number: str | int) -> int:
    """The line of a key of the table that begins at a line, or of one entry of its list; else that line itself."""
    for at in range(after + 1, len(lines)):
        if _table(lines[at]):
            break
        if re.match(rf"\s*{re.escape(key)}\s*=", lines[at]):
            return _entry(lines, at, number) if isinstance(number, int) else at
    return after


def _entry(lines: list[str], after: int, number: int) -> int:
    """The line of an entry in braces of the list that begins at a line; the list's own if entries share lines."""
    begun = [at for at in range(after + 1, len(lines)) if lines[at].lstrip().startswith("{")]
    return begun[number] if len(begun) > number and "{" not in lines[after] else after


def _table(line: str) -> str:
    found = re.match(r"\s*\[{1,2}\s*([A-Za-z0-9_.-]+)\s*\]{1,2}\s*(?:#|$)", line)
    return found[1] if found else ""
