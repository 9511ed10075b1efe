"""An authenticator and a browser in a few lines: makes passkeys and signs with them, rightly or as a forger would."""

from __future__ import annotations

import hashlib
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from consult.accounts import passkeys
from consult.accounts.passkeys import Place
from consult.accounts.people import Person
from consult.record.database import Database

PRESENT, VERIFIED, ATTESTED = 1, 4, 64


def text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def raw(text: str) -> bytes:
    return urlsafe_b64decode(text + "===")


@dataclass
class Authenticator:
    """Holds one key; `count` is the number of uses that it states, `origin` what its browser says of the page."""

    origin: str = "http://localhost"
    host: str = "localhost"
    verifies: bool = True
    count: int = 0
    handle: bytes = b""
    key: Any = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    id: bytes = field(default_factory=lambda: secrets.token_bytes(32))

    def make(self, asked: str, **forged: Any) -> str:
        """The reply to what a page asks for a new passkey."""
        options = json.loads(asked)
        self.handle = raw(options["user"]["id"])
        public = self.key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: public.x.to_bytes(32), -3: public.y.to_bytes(32)}
        held = bytes(16) + len(self.id).to_bytes(2) + self.id + cbor2.dumps(cose)
        data = self._data(ATTESTED) + held
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client("webauthn.create", options, forged)
        return self._reply({"clientDataJSON": text(client), "attestationObject": text(attestation)})

    def sign(self, asked: str, **forged: Any) -> str:
        """The reply to what a page asks to be signed; `forged` replaces what the browser says of it."""
        options = json.loads(asked)
        self.count += 1 if self.count else 0
        data, client = self._data(0), self._client("webauthn.get", options, forged)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._reply(
            {
                "clientDataJSON": text(client),
                "authenticatorData": text(data),
                "signature": text(signature),
                "userHandle": text(self.handle),
            }
        )

    def _data(self, more: int) -> bytes:
        flags = PRESENT | more | (VERIFIED if self.verifies else 0)
        return hashlib.sha256(self.host.encode()).digest() + bytes([flags]) + self.count.to_bytes(4)

    def _client(self, kind: str, options: dict[str, Any], forged: dict[str, Any]) -> bytes:
        said = {"type": kind, "challenge": options["challenge"], "origin": self.origin, "crossOrigin": False}
        return json.dumps(said | forged).encode()

    def _reply(self, response: dict[str, str]) -> str:
        id_ = text(self.id)
        return json.dumps({"id": id_, "rawId": id_, "type": "public-key", "response": response})


def added(db: Database, one: Person, place: Place, asked_by: str, sent: str, name: str, now: datetime) -> list[str]:
    """Keep what an authenticator made as a passkey of a person, as the page does; the recovery codes shown, if any."""
    made = passkeys.made(db, one, place, asked_by, sent, now)
    with db.write() as conn:
        return passkeys.add(conn, one, made, name, now)
