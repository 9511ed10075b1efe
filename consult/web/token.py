"""The CSRF token of a page, written otherwise in each reply, so that no two compressed pages hold the same one."""

from __future__ import annotations

import secrets
import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from itertools import count

from flask import g
from flask_wtf.csrf import CSRFProtect, generate_csrf


class Guard(CSRFProtect):  # type: ignore[misc] # flask-wtf has no types
    """Refuses what was sent without the token of the session, as flask-wtf does, which knows the token as it is."""

    def _get_csrf_token(self) -> str:
        return _unmasked(super()._get_csrf_token() or "")


def token() -> str:
    """The token for a page: the session's, under a mask of chance that stands before it."""
    if "masked_token" not in g:
        g.masked_token = _masked(generate_csrf())
    return str(g.masked_token)


def _masked(text: str) -> str:
    mask = secrets.token_bytes(len(text))
    return urlsafe_b64encode(mask + _mixed(mask, text.encode())).decode()


def _unmasked(text: str) -> str:
    """The token under the mask; "" for what is none."""
    try:
        both = urlsafe_b64decode(text)
        return _mixed(both[: len(both) // 2], both[len(both) // 2 :]).decode()
    except (Error, ValueError):
        return ""


def _mixed(mask: bytes, text: bytes) -> bytes:
    mixed = int.from_bytes(mask) ^ int.from_bytes(text)
    return mixed.to_bytes(max(len(mask), len(text)))


def new_key() -> str:
    """A key for one more form of this page; no two begin alike, as what a key wrote is found by how it begins."""
    if "keys" not in g:
        first = uuid.uuid4()
        g.keys = (f"{first}-{number:04}" for number in count())
    return str(next(g.keys))
