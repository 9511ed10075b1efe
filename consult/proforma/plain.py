"""What is wrong with a text that is no TOML, in the words of whoever writes it."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

import tomli

from consult.proforma.strict import TOO_DEEP

CURLY: Final = frozenset("\u2018\u2019\u201c\u201d\u201e")
"""Quotation marks that a word processor puts in the place of straight ones."""
UNSEEN: Final = ("Cf", "Cc", "Zs", "Zl", "Zp")
"""The kinds of characters that leave no mark on a screen."""
SAID: Final = {
    r"Illegal character '\\n'|Unterminated string": (
        "a text has no closing quotation mark; put one at its end, on the same line"
    ),
    "Expected newline": (
        "more stands on the line than one value; put the whole of it between two quotation marks, and a backslash "
        'before a quotation mark inside a text (\\"); a date is written 2027-11-01'
    ),
    "Invalid value": (
        "no value can be read here; put a text in quotation marks, write true or false in small letters, and end a "
        "list with ]"
    ),
    "Expected '=' after": 'no equals sign follows the key; write key = "text"',
    "Invalid statement|Invalid initial": (
        "a line begins with a key, a heading in square brackets, or # for a note; correct the beginning of this one"
    ),
    "Unclosed array": "a list is not closed; put commas between its values, here or just above, and ] at its end",
    "Unclosed inline table": (
        "braces are not closed; put commas between what they hold, here or just above, and } at their end"
    ),
    "Cannot overwrite a value|Duplicate inline": "the same key stands there twice; keep one",
    "Cannot declare|Cannot redefine|Cannot mutate": (
        "this heading does not go with one above; write an entry of a list with two brackets on each side, such as "
        "[[questions]], and any other heading once"
    ),
    r"Expected '\]": "the brackets of a heading are not closed; write as many ] as [",
    "Unescaped|Invalid hex|Escaped": "a backslash stands alone in a text; write it twice, or leave it out",
    "Invalid date": "there is no such day or time; correct it, such as 2027-11-01",
}
"""What the reader of TOML says, and what to write instead."""


def why_no_toml(text: str, error: Exception) -> tuple[int, str]:
    """The line of a text that is no TOML (0: none), and what to write instead."""
    if isinstance(error, RecursionError):
        return 0, TOO_DEEP
    if not isinstance(error, tomli.TOMLDecodeError):
        return 0, "a number has too many digits; write fewer"
    line = text.split("\n")[error.lineno - 1]
    found = (sentence for told, sentence in SAID.items() if re.match(told, error.msg))
    return error.lineno, (_unlike_what_it_seems(line) or next(found, error.msg))


def _unlike_what_it_seems(line: str) -> str:
    """What is said of a line with characters that look like others, or like nothing at all."""
    if CURLY & set(line):
        return "curly quotation marks stand here; write straight ones, in a plain text editor"
    if any(unicodedata.category(sign) in UNSEEN and sign not in " \t" for sign in line):
        return "a space or mark stands here that only looks like one; type the line again, in a plain text editor"
    return ""
