"""Passkeys (WebAuthn): a key that an authenticator holds for one host; added, proved by a signature, taken away."""

from __future__ import annotations

import ipaddress
import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from msgspec import Struct

from consult.accounts import factors
from consult.accounts.people import Person, PersonRefused, changed
from consult.accounts.sessions import hash_of, seconds
from consult.record.database import Connection, Database
from consult.record.timekeeping import stamp

STANDS: Final = timedelta(minutes=5)
"""For how long a challenge may be answered; it is answered once."""
MOST: Final = 10
"""How many passkeys one person may have."""
LONGEST_NAME: Final = 60
LONGEST_REPLY: Final = 20_000
MALFORMED: Final = (ValueError, TypeError, KeyError, IndexError, RecursionError)
"""What reading a reply may end in that no browser made."""
ADD, PROVE = "add", "prove"
NOT_ADDED: Final = "The passkey was not added: what the browser sent is not what was asked for. Begin again."
NOT_PROVED: Final = "That passkey does not sign in here; try again, or use name and password."
TOO_LATE: Final = "That took too long, or was sent twice; begin again with the passkey."
COPIED: Final = (
    "This passkey may have been copied: its counter went back. It signs in no more; use name and password, remove the "
    "passkey on your account page, and tell your administrator."
)


class NotProved(Exception):
    """No passkey was proved; the message names nobody and says what to do."""


class Place(Struct, frozen=True):
    """Where passkeys are made and used: the name of the host, and the origin as the browser states it."""

    host: str
    origin: str


class Passkey(Struct, frozen=True):
    """A passkey as its person sees it; `host` is where it works, `copied` says that its counter once went back."""

    id: str
    person: str
    name: str
    host: str
    added_at: datetime
    last_used: datetime | None
    copied: bool


def place_of(asked: str, behind_tls: bool) -> Place | str:
    """The place for a host as it was asked for, port included; or the sentence that says why there are none."""
    host = re.sub(r":\d+$", "", asked)
    try:
        number = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        if behind_tls or host == "localhost":
            return Place(host, f"{'https' if behind_tls else 'http'}://{asked}")
        return "Passkeys work only where the address begins with https; ask your administrator for such an address."
    there = "open it as localhost" if number.is_loopback else "ask your administrator for one that is a name"
    return f"Passkeys do not work at an address made of numbers; {there}."


def of_person(conn: Connection, person_id: str) -> list[Passkey]:
    """The passkeys of a person, the oldest first."""
    query = "SELECT * FROM passkey WHERE person = ? ORDER BY added_at, rowid"
    return [_of_row(row) for row in conn.execute(query, (person_id,))]


def ask_to_add(conn: Connection, one: Person, place: Place, asked_by: str, now: datetime) -> str:
    """What the browser is asked (JSON) to make a passkey for a person; `asked_by` binds the reply to who was asked."""
    from webauthn import generate_registration_options, options_to_json
    from webauthn.helpers import structs

    have = of_person(conn, one.id)
    if len(have) >= MOST:
        raise PersonRefused(f"There are {MOST} passkeys already; remove one first.")
    options = generate_registration_options(
        rp_id=place.host,
        rp_name="Back pain consultations",
        user_id=one.id.encode(),
        user_name=one.username,
        user_display_name=one.name,
        attestation=structs.AttestationConveyancePreference.NONE,
        authenticator_selection=structs.AuthenticatorSelectionCriteria(
            resident_key=structs.ResidentKeyRequirement.REQUIRED,
            user_verification=structs.UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[structs.PublicKeyCredentialDescriptor(id=bytes.fromhex(known.id)) for known in have],
        supported_pub_key_algs=_algorithms(),
        timeout=int(STANDS.total_seconds()) * 1000,
    )
    _keep_challenge(conn, asked_by, ADD, one.id, options.challenge, now)
    return options_to_json(options)


def ask_to_prove(conn: Connection, place: Place, asked_by: str, now: datetime) -> str:
    """What the browser is asked (JSON) to use a passkey: the same whoever it may be, so that it tells of nobody."""
    from webauthn import generate_authentication_options, options_to_json
    from webauthn.helpers.structs import UserVerificationRequirement

    options = generate_authentication_options(
        rp_id=place.host,
        user_verification=UserVerificationRequirement.REQUIRED,
        timeout=int(STANDS.total_seconds()) * 1000,
    )
    _keep_challenge(conn, asked_by, PROVE, "", options.challenge, now)
    return options_to_json(options)


def _algorithms() -> list[Any]:
    from webauthn.helpers.cose import COSEAlgorithmIdentifier as Known

    return [Known.ECDSA_SHA_256, Known.EDDSA, Known.RSASSA_PKCS1_v1_5_SHA_256]


def _keep_challenge(
    conn: Connection, asked_by: str, purpose: str, person_id: str, challenge: bytes, now: datetime
) -> None:
    limits = (seconds(now - STANDS), seconds(now + STANDS))
    conn.execute("DELETE FROM passkey_challenge WHERE created_at NOT BETWEEN ? AND ?", limits)
    conn.execute(
        "INSERT INTO passkey_challenge (asked_by, purpose, person, challenge, created_at) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (asked_by) DO UPDATE SET purpose = excluded.purpose, person = excluded.person, "
        "challenge = excluded.challenge, created_at = excluded.created_at",
        (hash_of(asked_by), purpose, person_id, challenge.hex(), seconds(now)),
    )


def spend(conn: Connection, asked_by: str, purpose: str, person_id: str, now: datetime) -> bytes:
    """Take the challenge that was asked, which is gone then; b"" if there is none, or it is too old."""
    where = "asked_by = ? AND purpose = ? AND person = ? AND created_at > ? AND created_at <= ?"
    bound = (hash_of(asked_by), purpose, person_id, seconds(now - STANDS), seconds(now + STANDS))
    row = conn.execute(f"SELECT challenge FROM passkey_challenge WHERE {where}", bound).fetchone()
    conn.execute("DELETE FROM passkey_challenge WHERE asked_by = ?", (hash_of(asked_by),))
    return bytes.fromhex(row["challenge"]) if row else b""


class Made(Struct, frozen=True):
    """A passkey that answers what was asked, not kept yet."""

    id: str
    host: str
    public_key: str
    sign_count: int


def made(db: Database, one: Person, place: Place, asked_by: str, sent: str, now: datetime) -> Made:
    """The passkey that the browser made; PersonRefused if it is not the answer to what was asked."""
    with db.write() as conn:
        challenge = spend(conn, asked_by, ADD, one.id, now)  # gone also where the rest is refused
    if not challenge:
        raise PersonRefused("That took too long, or was sent twice; add the passkey again.")
    held = _registered(sent, challenge, place)
    return Made(held.credential_id.hex(), place.host, held.credential_public_key.hex(), held.sign_count)


def add(conn: Connection, one: Person, made: Made, name: str, now: datetime) -> list[str]:
    """Keep a passkey that was made; PersonRefused if it is known already.

    Returns the recovery codes, to be shown once, if this is the first factor of a person; else [].
    """
    if conn.execute("SELECT 1 FROM passkey WHERE id = ?", (made.id,)).fetchone():
        raise PersonRefused("This passkey is known already; remove it first, or add another.")
    named = " ".join(name.split())[:LONGEST_NAME] or "Passkey"
    changed(conn, one.id, "passkey_added", one.id, stamp(now))
    conn.execute(
        "INSERT INTO passkey (id, person, name, host, public_key, sign_count, added_at, last_used, copied) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0)",
        (made.id, one.id, named, made.host, made.public_key, made.sign_count, seconds(now)),
    )
    return factors.first_codes(conn, one.id)


def _registered(sent: str, challenge: bytes, place: Place) -> Any:
    from webauthn import verify_registration_response
    from webauthn.helpers.exceptions import WebAuthnException

    try:
        return verify_registration_response(
            credential=sent[:LONGEST_REPLY],
            expected_challenge=challenge,
            expected_rp_id=place.host,
            expected_origin=place.origin,
            require_user_verification=True,
            supported_pub_key_algs=_algorithms(),
        )
    except (WebAuthnException, *MALFORMED) as error:
        raise PersonRefused(NOT_ADDED) from error


def prove(db: Database, place: Place, asked_by: str, sent: str, now: datetime) -> str:
    """Whose passkey signed the challenge (the id of a person who may be stopped), noted as used; NotProved if none.

    Where the counter of an authenticator goes back there are two of them, and the passkey is taken no more: WebAuthn
    Level 2, 7.2 (21).
    """
    with db.write() as conn:
        challenge = spend(conn, asked_by, PROVE, "", now)
    if not challenge:
        raise NotProved(TOO_LATE)
    row, count = _signed(db.read(), sent, challenge, place)
    with db.write() as conn:
        went_on = conn.execute(
            "UPDATE passkey SET sign_count = ?, last_used = ? "
            "WHERE id = ? AND copied = 0 AND (sign_count < ? OR (sign_count = 0 AND ? = 0))",
            (count, seconds(now), row["id"], count, count),
        ).rowcount
        if not went_on:
            conn.execute("UPDATE passkey SET copied = 1 WHERE id = ?", (row["id"],))
            changed(conn, row["person"], "passkey_copied", row["person"], stamp(now))
    if not went_on:
        raise NotProved(COPIED)
    return str(row["person"])


def _signed(conn: Connection, sent: str, challenge: bytes, place: Place) -> tuple[Any, int]:
    """The row of the passkey that signed, and the count that its authenticator states."""
    from webauthn import verify_authentication_response
    from webauthn.helpers import parse_authentication_credential_json
    from webauthn.helpers.exceptions import WebAuthnException

    try:
        reply = parse_authentication_credential_json(sent[:LONGEST_REPLY])
        query = "SELECT * FROM passkey WHERE id = ? AND host = ?"
        row = conn.execute(query, (reply.raw_id.hex(), place.host)).fetchone()
        if row is None or (reply.response.user_handle or row["person"].encode()) != row["person"].encode():
            raise NotProved(NOT_PROVED)
        verified = verify_authentication_response(
            credential=reply,
            expected_challenge=challenge,
            expected_rp_id=place.host,
            expected_origin=place.origin,
            credential_public_key=bytes.fromhex(row["public_key"]),
            credential_current_sign_count=0,  # it is compared when it is written, so that no two uses pass side by side
            require_user_verification=True,
        )
    except (WebAuthnException, *MALFORMED) as error:
        raise NotProved(NOT_PROVED) from error
    return row, verified.new_sign_count


def remove(conn: Connection, person_id: str, passkey_id: str, actor: str, at: str) -> None:
    """Take one passkey of a person away; it signs in no more, whatever the authenticator still shows."""
    gone = conn.execute("DELETE FROM passkey WHERE person = ? AND id = ?", (person_id, passkey_id)).rowcount
    if not gone:
        raise PersonRefused("That passkey is not there any more; look at the list again.")
    changed(conn, person_id, "passkey_removed", actor, at)
    factors.settle_codes(conn, person_id)


def used_at(conn: Connection, host: str) -> bool:
    """Whether anybody has a passkey for this host: only then the sign-in offers it."""
    return conn.execute("SELECT 1 FROM passkey WHERE host = ?", (host,)).fetchone() is not None


def _of_row(row: Any) -> Passkey:
    used = datetime.fromtimestamp(row["last_used"], UTC) if row["last_used"] else None
    added = datetime.fromtimestamp(row["added_at"], UTC)
    return Passkey(row["id"], row["person"], row["name"], row["host"], added, used, bool(row["copied"]))
