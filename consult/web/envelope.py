"""What a form sent, sealed to wait in a page: whoever sits there can neither read nor change it.

AES-256-GCM by cryptography, under a key that grows from the installation's own. The id of the person and the address
that the form was sent to are bound to it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any, Final

import msgspec

from consult.web.context import inst

MARK_BYTES, NONCE_BYTES = 6, 12
ANYBODY: Final = ""
"""In the place of a person's id where nobody knows any more who typed it."""
Fields = tuple[tuple[str, str], ...]


def seal(person_id: str, address: str, fields: Fields) -> str:
    """The fields as one text; packed, so that a form which could be sent once can be sent again in it."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    packed = zlib.compress(msgspec.json.encode(fields))
    return urlsafe_b64encode(_mark() + nonce + _cipher().encrypt(nonce, packed, _bound(person_id, address))).decode()


def of_this_key(sealed: str) -> bool:
    """Whether a text was sealed under the key in use: under another one nobody opens it any more."""
    try:
        return hmac.compare_digest(urlsafe_b64decode(sealed)[:MARK_BYTES], _mark())
    except ValueError:
        return False


def unseal(person_id: str, address: str, sealed: str) -> Fields | None:
    """The fields that were sealed for this person, or for anybody, at this address; None for all else."""
    found = (_opened(_bound(who, address), sealed) for who in (person_id, ANYBODY))
    return next((fields for fields in found if fields is not None), None)


def _opened(bound: bytes, sealed: str) -> Fields | None:
    from cryptography.exceptions import InvalidTag

    try:
        both = urlsafe_b64decode(sealed)[MARK_BYTES:] if of_this_key(sealed) else b""
        packed = _cipher().decrypt(both[:NONCE_BYTES], both[NONCE_BYTES:], bound)
    except (InvalidTag, ValueError):
        return None  # of another key, person or address, or not whole
    return msgspec.json.decode(zlib.decompress(packed), type=Fields)


def _bound(person_id: str, address: str) -> bytes:
    return msgspec.json.encode((person_id, address))


def _mark() -> bytes:
    """What tells the key in use from another, and nothing else about it."""
    return hmac.digest(inst().secret_key, b"which key a page was sealed under", hashlib.sha256)[:MARK_BYTES]


def _cipher() -> Any:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # reading it in takes time that a start need not

    return AESGCM(hmac.digest(inst().secret_key, b"what waits in a page", hashlib.sha256))
