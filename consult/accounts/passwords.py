"""Passwords: long, not common, no words of the service alone, no rules of composition; kept as scrypt hashes."""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Final

from werkzeug.security import check_password_hash, generate_password_hash

MIN_LENGTH: Final = 12
MAX_LENGTH: Final = 200
METHOD: Final = "scrypt:32768:8:3"
"""How passwords are hashed unless the setting of the instance says otherwise: scrypt with N = 2^15, r = 8, p = 3.

OWASP's guidance of 2023 on storing passwords gives this as equal to N = 2^17 with p = 1; it takes 32 MiB for each try
at a time instead of 128, so that eight tries side by side don't exhaust a small server.
"""
DIGITS: Final = "1234567890"
LOOKALIKES: Final = str.maketrans("@0$3", "aose")
LEFT: Final = 8
"""How many characters must be left of a password once the words of the service are taken out of it."""
CONSONANTS: Final = "bdfghjklmnprstvz"
VOWELS: Final = "aeiou"
WORDS: Final = 5


def start_words() -> str:
    """A password to start with: five made-up words that can be said by telephone, of 63 random bits."""
    syllables = [secrets.choice(CONSONANTS) + secrets.choice(VOWELS) for _ in range(2 * WORDS)]
    return " ".join("".join(syllables[n : n + 2]) for n in range(0, len(syllables), 2))


def make_hash(password: str, method: str = METHOD) -> str:
    """The scrypt hash of a password, with its own salt."""
    return generate_password_hash(_normal(password), method=method)


def nobody(method: str = METHOD) -> str:
    """A hash that no password has: checking against it is the same work as against a real one."""
    return f"{method}$nobody${'0' * 128}"


def matches(password: str, password_hash: str, method: str = METHOD) -> bool:
    """Whether a password is the one hashed; an empty hash (an unknown name) costs the same work and never matches.

    A hash of before, with less work than `method`, is made up for, so that it can't be told from the rest by time.
    """
    typed = _normal(password[:MAX_LENGTH])
    right = check_password_hash(password_hash or nobody(method), typed)
    if password_hash and (missing := _missing(password_hash, method)):
        check_password_hash(nobody(missing), typed)
    return right and len(password) <= MAX_LENGTH


def outdated(password_hash: str, method: str = METHOD) -> bool:
    """Whether a hash was made in another way than hashes are made now."""
    return password_hash.partition("$")[0] != method


def weaker(method: str) -> bool:
    """Whether a way of hashing takes less work than the guidance asks."""
    return work(method) < work(METHOD)


def is_method(text: str) -> bool:
    """Whether this says how to hash: scrypt with its three numbers."""
    return re.fullmatch(r"scrypt:\d{3,7}:\d{1,2}:\d{1,2}", text) is not None


def work(method: str) -> int:
    """The work of a way of hashing, which is in proportion to N x r x p."""
    n, r, p = (int(part) for part in method.partition("$")[0].split(":")[1:])
    return n * r * p


def _missing(password_hash: str, method: str) -> str:
    """The work that a hash lacks, as a way of hashing; "" if it lacks none."""
    _, n, r, _ = method.split(":")
    lacks = (work(method) - work(password_hash)) // (int(n) * int(r))
    return f"scrypt:{n}:{r}:{lacks}" if lacks > 0 else ""


def why_refused(password: str, *own_words: str, service: Iterable[str] = ()) -> str:
    """Why a new password is not taken, in a sentence that says what to do; "" if it is fine.

    `service` are words of this installation, such as its sites; a password may hold them, but must hold more.
    """
    if len(_normal(password)) < MIN_LENGTH:
        return f"The password is too short; use at least {MIN_LENGTH} characters, such as four words of your own."
    if len(password) > MAX_LENGTH:
        return f"The password is too long; use at most {MAX_LENGTH} characters."
    if _is_common(password) or _repeats(password):
        return "This password is among those tried first by anyone guessing; choose another, such as four words."
    if any(_folded(word) in _folded(password) for word in own_words if len(word) >= 4):
        return "The password holds your own name; choose another, such as four words of your own."
    if _is_of_the_service(password, service):
        return "The password is little more than words of this service; choose another, such as four words of your own."
    return ""


def _is_of_the_service(password: str, service: Iterable[str]) -> bool:
    """Whether little is left of a password without the words of this tool and of the service that uses it."""
    whole = left = _folded(password)
    pieces = {_folded(piece) for text in service for piece in (text, *text.split())}
    for word in sorted({word for word in pieces if len(word) >= 4} | service_words(), key=len, reverse=True):
        left = left.replace(word, "")
    return left != whole and len(left) < LEFT


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


@cache
def service_words() -> frozenset[str]:
    """The words of this tool and its field that anybody guessing would begin with, as the file lists them."""
    text = files("consult.accounts").joinpath("service-words.txt").read_text("utf-8")
    return frozenset(_folded(line) for line in text.splitlines() if line and not line.startswith("#"))
