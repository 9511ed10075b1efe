"""The reference on a paper form: short, unlike any other, naming its version, and found out if mistyped."""

from __future__ import annotations

import secrets
from typing import Final

from msgspec import Struct

from consult.record.ledger import Refused

LETTERS: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""No 0, 1, I, L, O or U: what a hand writes is read back as it was printed."""
RANDOM: Final = 7
PREFIX: Final = 4
WEIGHTS: Final = (1, 7, 11, 13, 17, 19, 23)
LOOKS_LIKE: Final = str.maketrans("OIL", "011")


class Reference(Struct, frozen=True):
    """A reference as it is printed and kept, and how the digest of its version begins ("" if it names none)."""

    text: str
    version: str


def new_reference(digest: str) -> str:
    """A fresh reference for a paper of this version, such as 7K3M-2Q9X-4F2A."""
    chosen = "".join(secrets.choice(LETTERS) for _ in range(RANDOM))
    return _printed(chosen + _check(chosen), digest[:PREFIX])


def read_reference(typed: str) -> Reference:
    """The reference somebody typed, as it was printed; Refused if it is none. The version may be left out."""
    plain = "".join(c for c in typed.upper() if c.isalnum())
    own, version = plain[: RANDOM + 1], plain[RANDOM + 1 :].translate(LOOKS_LIKE)
    named = not version or (len(version) == PREFIX and set(version) <= set("0123456789ABCDEF"))
    known = len(own) == RANDOM + 1 and set(own) <= set(LETTERS)
    if not named or not known or _check(own[:RANDOM]) != own[RANDOM]:
        raise Refused("That is no reference of a paper form; copy it from the top of any of its pages.")
    return Reference(_printed(own, version), version.lower())


def _printed(own: str, version: str) -> str:
    return "-".join(part for part in (own[:4], own[4:], version.upper()) if part)


def _check(chosen: str) -> str:
    """A last letter that shows any single letter mistyped: each place weighs what has no part in common with 30."""
    return LETTERS[sum(w * LETTERS.index(c) for w, c in zip(WEIGHTS, chosen, strict=True)) % len(LETTERS)]
