"""The secrets of second factors as they are kept: encrypted, each for its person, by a key that no database holds.

The key stands in the environment (CONSULT_FACTOR_KEY), in a file that it names (CONSULT_FACTOR_KEY_FILE), or else in
`factor-key` beside the database, which is made when the first secret is kept. There may be several keys: the first one
encrypts, the others only read what they encrypted. AES-256-GCM by cryptography; the id of the person is bound to it.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from consult.accounts.people import PersonRefused
from consult.record import keyfile
from consult.record.database import Connection, Database

KEY_FILE: Final = "factor-key"
IN_ENVIRONMENT: Final = "CONSULT_FACTOR_KEY"
FILE_IN_ENVIRONMENT: Final = "CONSULT_FACTOR_KEY_FILE"
NONCE_BYTES: Final = 12
SEALED: Final = re.compile(r"v1:([0-9a-f]{16}):([A-Za-z0-9+/=]+)")
COLUMNS: Final = ("secret", "pending")


class KeyRefused(PersonRefused):
    """A secret was neither kept nor read; the message says why and what to do."""


class Place(Struct, frozen=True):
    """Where keys stand: in a file, or (None) in the environment."""

    file: Path | None

    @property
    def words(self) -> str:
        """The place in a sentence."""
        return str(self.file) if self.file else f"the environment ({IN_ENVIRONMENT})"


def place_of(conn: Connection) -> Place:
    """Where the keys of this database stand."""
    if os.environ.get(IN_ENVIRONMENT):
        return Place(None)
    if named := os.environ.get(FILE_IN_ENVIRONMENT):
        return Place(Path(named))
    row = next(row for row in conn.execute("PRAGMA database_list") if row["name"] == "main")
    return Place(Path(row["file"]).with_name(KEY_FILE))


def keys(conn: Connection) -> list[bytes]:
    """The keys there are, the one that encrypts first; [] where none was made yet, or it is gone."""
    place = place_of(conn)
    try:
        text = place.file.read_text("ascii", errors="replace") if place.file else os.environ[IN_ENVIRONMENT]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise KeyRefused(f"The key of second factors in {place.words} can't be read ({error.strerror}).") from error
    words = text.replace(",", " ").split()
    if not words or not all(keyfile.KEY.fullmatch(word) for word in words):
        raise KeyRefused(
            f"What stands in {place.words} is no key of second factors: each has 64 digits from 0 to f; "
            "put the right one back."
        )
    return [bytes.fromhex(word) for word in words]


def seal(conn: Connection, person_id: str, secret: str) -> str:
    """A secret as it is kept for a person; "" stays so. The first one has the key made, unless one was lost."""
    return _sealed(_first_key(conn), person_id, secret) if secret else ""


def unseal(conn: Connection, person_id: str, kept: str) -> str:
    """The secret that was kept for a person; one of a version before, not encrypted yet, as it is. KeyRefused."""
    found = SEALED.fullmatch(kept)
    if not found:
        return kept
    known = {_id(key): key for key in keys(conn)}
    if found[1] not in known:
        raise KeyRefused(_missing(conn))
    return _opened(known[found[1]], person_id, found[2])


def _opened(key: bytes, person_id: str, text: str) -> str:
    from cryptography.exceptions import InvalidTag

    both = b64decode(text)
    try:
        plain: bytes = _cipher(key).decrypt(both[:NONCE_BYTES], both[NONCE_BYTES:], person_id.encode())
        return plain.decode()
    except (InvalidTag, ValueError) as error:
        raise KeyRefused("The secret of this second factor is not as it was kept; set the factor up anew.") from error


def _sealed(key: bytes, person_id: str, secret: str) -> str:
    nonce = secrets.token_bytes(NONCE_BYTES)
    both = nonce + _cipher(key).encrypt(nonce, secret.encode(), person_id.encode())
    return f"v1:{_id(key)}:{b64encode(both).decode()}"


def _cipher(key: bytes) -> Any:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)


def _id(key: bytes) -> str:
    """What a sealed secret calls its key: it tells nothing of it."""
    return hashlib.sha256(b"key of second factors\n" + key).hexdigest()[:16]


def _first_key(conn: Connection) -> bytes:
    if found := keys(conn):
        return found[0]
    if any(SEALED.fullmatch(kept) for _, _, kept in _kept(conn)):
        raise KeyRefused(_missing(conn))
    return _write(place_of(conn), [bytes.fromhex(keyfile.new())])[0]


def _missing(conn: Connection) -> str:
    return (
        f"The key that second factors were encrypted with is not in {place_of(conn).words}; put it back. Without it "
        "recovery codes and passkeys still sign in, and an administrator can take a second factor away."
    )


def _write(place: Place, new: list[bytes]) -> list[bytes]:
    """Put keys into the file, for its owner only, at one stroke, and on the disk before anything they encrypt."""
    if place.file is None:
        raise KeyRefused(f"The keys stand in {place.words}; put a new one before the others there.")
    try:
        keyfile.write(place.file, *(key.hex() for key in new))
    except OSError as error:
        raise KeyRefused(f"The key of second factors can't be written to {place.file} ({error.strerror}).") from error
    return new


def _kept(conn: Connection) -> Iterator[tuple[str, str, str]]:
    """Whose, in which column, and what is kept, of every secret there is."""
    for row in conn.execute("SELECT person, secret, pending FROM second_factor ORDER BY person").fetchall():
        yield from ((row["person"], column, row[column]) for column in COLUMNS if row[column])


def seal_all(db: Database) -> int:
    """Encrypt what a version before kept as it was, and leave no trace of that in the files; returns how many."""
    if all(SEALED.fullmatch(kept) for _, _, kept in _kept(db.read())):
        return 0
    with db.write() as conn:
        bare = [one for one in _kept(conn) if not SEALED.fullmatch(one[2])]
        key = _first_key(conn)
        for person_id, column, secret in bare:
            _put(conn, person_id, column, _sealed(key, person_id, secret))
    db.settle()
    return len(bare)


def renew(db: Database) -> int:
    """Encrypt every secret under a new key (from the environment: under the first one there); returns how many.

    The old keys stay until all is written, so that a server that runs meanwhile reads every secret at each moment, and
    so that nothing is lost where this is cut short.
    """
    place, old = place_of(db.read()), keys(db.read())
    for person_id, _, kept in _kept(db.read()):
        unseal(db.read(), person_id, kept)
    new = old[0] if place.file is None else bytes.fromhex(keyfile.new())
    if place.file is not None:
        _write(place, [new, *old])
    with db.write() as conn:
        every = list(_kept(conn))
        for person_id, column, kept in every:
            _put(conn, person_id, column, _sealed(new, person_id, unseal(conn, person_id, kept)))
    db.settle()
    if place.file is not None:
        _write(place, [new])
    return len(every)


def _put(conn: Connection, person_id: str, column: str, kept: str) -> None:
    how = {"secret": "UPDATE second_factor SET secret = ? WHERE person = ?"}
    how["pending"] = "UPDATE second_factor SET pending = ? WHERE person = ?"
    conn.execute(how[column], (kept, person_id))


def unreadable(conn: Connection) -> str:
    """Why second factors can't be read, in a sentence that says what to do; "" if all can, or there are none."""
    try:
        for person_id, _, kept in _kept(conn):
            unseal(conn, person_id, kept)
    except KeyRefused as refusal:
        return str(refusal)
    return ""


def how_kept(conn: Connection) -> tuple[int, int]:
    """How many secrets there are, and how many of them are encrypted."""
    every = [kept for _, _, kept in _kept(conn)]
    return len(every), sum(SEALED.fullmatch(kept) is not None for kept in every)
