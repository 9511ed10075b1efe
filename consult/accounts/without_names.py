"""A text without the names of colleagues: each is replaced by the role, as in what leaves the provider."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from consult.accounts.people import ROLES, Person

ACCENTS: Final = "\u0300-\u036f"
ALIKE: Final = ("'’‘ʼ`´", "-‐‑–")
"""Signs that stand for one another in names: an office program makes one of the other."""


def without_names(text: str, colleagues: Iterable[Person]) -> str:
    """A text in which the name of each colleague is replaced by the role, whatever its capitals, spaces and accents.

    The longer name goes first, so that nothing of it is left where another begins in the same way.
    """
    text = unicodedata.normalize("NFD", text)
    for person in sorted(colleagues, key=lambda one: len(one.name), reverse=True):
        name = r"\s+".join(map(_as_it_may_be_typed, person.name.split()))
        role = f"[{ROLES[person.role].lower()}]"
        text = re.sub(rf"(?<![\w{ACCENTS}]){name}(?!\w)", role, text, flags=re.IGNORECASE)
    return unicodedata.normalize("NFC", text)


def _as_it_may_be_typed(word: str) -> str:
    """A word of a name as an expression: its letters with any accents or none, its signs as any that look alike."""
    letters = (c for c in unicodedata.normalize("NFD", word) if not unicodedata.combining(c))
    likes = (next((signs for signs in ALIKE if letter in signs), letter) for letter in letters)
    return "".join(f"[{re.escape(like)}][{ACCENTS}]*" for like in likes)
