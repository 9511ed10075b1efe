"""Passwords: long, not common, no rules of composition; kept as scrypt hashes."""

from __future__ import annotations

import re
import secrets
import unicodedata
from functools import cache
from importlib.resources import files
from typing import Final

from werkzeug.security import check_password_hash, generate_password_hash

MIN_LENGTH: Final = 12
MAX_LENGTH: Final = 200
METHOD: Final = "scrypt:32768:8:1"
DIGITS: Final = "1234567890"
LOOKALIKES: Final = str.maketrans("@0$3", "aose")
NOBODY: Final = f"{METHOD}$nobody${'0' * 128}"
"""A hash that no password has: checking against it is the same work as against a real one."""


CONSONANTS: Final = "bdfghjklmnprstvz"
VOWELS: Final = "aeiou"
WORDS: Final = 5


def start_words() -> str:
    """A password to start with: five made-up words that can be said by telephone, of 63 random bits."""
    syllables = [secrets.choice(CONSONANTS) + secrets.choice(VOWELS) for _ in range(2 * WORDS)]
    return " ".join("".join(syllables[n : n + 2]) for n in range(0, len(syllables), 2))


def make_hash(password: str) -> str:
    """The scrypt hash of a password, with its own salt."""
    return generate_password_hash(_normal(password), method=METHOD)


def matches(password: str, password_hash: str) -> bool:
    """Whether a password is the one hashed; an empty hash (an unknown name) costs the same work and never matches."""
    right = check_password_hash(password_hash or NOBODY, _normal(password[:MAX_LENGTH]))
    return right and len(password) <= MAX_LENGTH


def why_refused(password: str, *own_words: str) -> str:
    """Why a new password is not taken, in a sentence that says what to do; "" if it is fine."""
    if len(_normal(password)) < MIN_LENGTH:
        return f"The password is too short; use at least {MIN_LENGTH} characters, such as four words of your own."
    if len(password) > MAX_LENGTH:
        return f"The password is too long; use at most {MAX_LENGTH} characters."
    if _is_common(password) or _repeats(password):
        return "This password is among those tried first by anyone guessing; choose another, such as four words."
    if any(_folded(word) in _folded(password) for word in own_words if len(word) >= 4):
        return "The password holds your own name; choose another, such as four words of your own."
    return ""


def _normal(password: str) -> str:
    return unicodedata.normalize("NFKC", password)


def _folded(text: str) -> str:
    return re.sub(r"[\W_]+", "", _normal(text).casefold())


def _is_common(password: str) -> bool:
    whole, folded = _normal(password).casefold(), _folded(password)
    core = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", whole)
    bare = {_folded(core), _folded(core.translate(LOOKALIKES))}
    counted = folded.isdigit() and (folded in DIGITS * 20 or folded[::-1] in DIGITS * 20)
    return counted or bool({whole, folded} & common()) or bool({f"~{word}" for word in bare} & common())


def _repeats(password: str) -> bool:
    """Whether it is one short piece over and over, such as abcabcabcabc."""
    return re.fullmatch(r"(.{1,6}?)\1+.{0,5}", _folded(password) or "aa") is not None


@cache
def common() -> frozenset[str]:
    """Common passwords of at least the minimum length, and words marked with ~, as the file explains them."""
    text = files("consult.accounts").joinpath("common-passwords.txt").read_text("utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))
