"""The second factor: codes by the time (RFC 6238), each taken once; recovery codes; who has a factor of any kind."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import struct
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from consult.accounts import passwords, sealing
from consult.accounts.people import ROLES, Person, PersonRefused, changed, known, password_work
from consult.record.database import Connection
from consult.record.settings import change_setting, get_setting

STEP: Final = 30
"""For how many seconds a code stands."""
DRIFT: Final = 1
"""How many steps the clock of a telephone may be behind or ahead."""
DIGITS: Final = 6
RECOVERY_CODES: Final = 10
RECOVERY_BYTES: Final = 10
NOBODY: Final = "00" * 16
USUAL: Final = "scrypt:16384:8:1"
"""How recovery codes are hashed unless their salt says otherwise."""
HELD: Final = (
    "SELECT person FROM (SELECT person FROM second_factor WHERE secret <> '' UNION SELECT person FROM passkey) AS held"
)
REQUIRED: Final = "second_factor_for"
"""The setting that names the roles which may not work without a second factor."""
WRONG: Final = "That is not the code that stands now; wait for the next one, and type it."


def code_at(secret: str, counter: int) -> str:
    """The code of a secret (base32) at one step of time: HOTP with SHA-1, as RFC 4226 (5.3) and 6238 (4) say."""
    mac = hmac.digest(base64.b32decode(secret), struct.pack(">Q", counter), "sha1")
    at = mac[-1] & 0x0F
    number = struct.unpack(">I", mac[at : at + 4])[0] & 0x7FFFFFFF
    return str(number % 10**DIGITS).zfill(DIGITS)


def step_of(now: datetime) -> int:
    """The step of time that a moment lies in."""
    return int(now.timestamp()) // STEP


def address(secret: str, username: str) -> str:
    """What the QR code tells an authenticator; it holds the secret."""
    return f"otpauth://totp/{quote(f'Consult:{username}')}?secret={secret}&issuer=Consult"


def has(conn: Connection, person_id: str) -> bool:
    """Whether this person has a second factor: a telephone that is confirmed, or a passkey."""
    return conn.execute(f"{HELD} WHERE person = ?", (person_id,)).fetchone() is not None


def has_telephone(conn: Connection, person_id: str) -> bool:
    """Whether this person has confirmed a telephone that shows codes."""
    query = "SELECT 1 FROM second_factor WHERE person = ? AND secret <> ''"
    return conn.execute(query, (person_id,)).fetchone() is not None


def held(conn: Connection) -> set[str]:
    """The people who have a second factor of either kind, by id."""
    return {row["person"] for row in conn.execute(HELD)}


def used_here(conn: Connection) -> bool:
    """Whether anybody here has a second factor, or needs one: then the sign-in asks whoever fails for a code too."""
    return bool(required(conn)) or bool(held(conn))


def required(conn: Connection) -> list[str]:
    """The roles that need a second factor."""
    return list(get_setting(conn, REQUIRED, []))


def require(conn: Connection, roles: list[str], actor: str, at: str) -> None:
    """Say which roles need a second factor; those signed in are asked to set one up at their next sign-in."""
    wanted = [role for role in ROLES if role in roles]
    if len(wanted) != len(set(roles)):
        raise PersonRefused(f"Choose among the roles {', '.join(ROLES)}.")
    if wanted != required(conn):
        change_setting(conn, REQUIRED, wanted, actor, at)


def begin(conn: Connection, person_id: str) -> str:
    """Make a new secret that waits to be confirmed, and return it; what stood before goes on until then."""
    secret = base64.b32encode(secrets.token_bytes(20)).decode()
    _wait(conn, person_id, sealing.seal(conn, known(conn, person_id).id, secret))
    return secret


def _wait(conn: Connection, person_id: str, sealed: str) -> None:
    conn.execute(
        "INSERT INTO second_factor (person, secret, pending, last_counter, salt) VALUES (?, '', ?, 0, ?) "
        "ON CONFLICT (person) DO UPDATE SET pending = excluded.pending",
        (person_id, sealed, _salt(conn)),
    )


def pending(conn: Connection, person_id: str) -> str:
    """The secret that waits to be confirmed; "" if none does. KeyRefused where its key is missing."""
    row = conn.execute("SELECT pending FROM second_factor WHERE person = ?", (person_id,)).fetchone()
    return sealing.unseal(conn, person_id, row["pending"]) if row else ""


def confirm(conn: Connection, person_id: str, code: str, now: datetime, actor: str, at: str) -> list[str]:
    """Take the waiting secret into use, given one code of it; returns the recovery codes, which are shown once."""
    secret = pending(conn, person_id)
    step = _fits(secret, code, now, 0) if secret else 0
    if not step:
        raise PersonRefused(WRONG)
    query = "UPDATE second_factor SET secret = pending, pending = '', last_counter = ? WHERE person = ?"
    conn.execute(query, (step, person_id))
    changed(conn, person_id, "second_factor_set", actor, at)
    return _new_codes(conn, person_id)


def take(conn: Connection, person_id: str, code: str, now: datetime) -> bool:
    """Whether a code is right; it is then used up, as is every earlier one, or the recovery code that it was."""
    row = conn.execute("SELECT * FROM second_factor WHERE person = ?", (person_id,)).fetchone()
    method = _method(conn)
    hashed = _tried(code, row["salt"] if row else f"{method}${NOBODY}", method)  # for nobody too, whatever was typed
    if row is None:
        return False
    secret = _secret(conn, row)
    if secret and (step := _fits(secret, code, now, row["last_counter"])):
        conn.execute("UPDATE second_factor SET last_counter = ? WHERE person = ?", (step, person_id))
        return True
    spent = conn.execute("DELETE FROM recovery_code WHERE person = ? AND code_hash = ?", (person_id, hashed))
    return bool(spent.rowcount)


def _secret(conn: Connection, row: Any) -> str:
    """The secret of a row; "" where its key is missing, which the doctor and the start of the server say: to whoever
    signs in that is a wrong code like any other, and a recovery code still does."""
    try:
        return sealing.unseal(conn, row["person"], row["secret"])
    except sealing.KeyRefused:
        return ""


def _fits(secret: str, code: str, now: datetime, last: int) -> int:
    """The step of time that a code belongs to, if it is later than the last one that was taken; else 0."""
    typed, middle, found = re.sub(r"\s", "", code), step_of(now), 0
    for step in range(middle - DRIFT, middle + DRIFT + 1):
        if hmac.compare_digest(code_at(secret, step).encode(), typed.encode()) and step > last:
            found = step
    return found


def renew_codes(conn: Connection, person_id: str, actor: str, at: str) -> list[str]:
    """Make new recovery codes in the place of those there are."""
    if not has(conn, person_id):
        raise PersonRefused("There is no second factor yet; set one up first.")
    changed(conn, person_id, "recovery_codes", actor, at)
    return _new_codes(conn, person_id)


def codes_left(conn: Connection, person_id: str) -> int:
    """How many recovery codes have not been used."""
    return int(conn.execute("SELECT count(*) FROM recovery_code WHERE person = ?", (person_id,)).fetchone()[0])


def first_codes(conn: Connection, person_id: str) -> list[str]:
    """Recovery codes for somebody who has just been given a first factor that shows none; [] if there are any."""
    if has_telephone(conn, person_id) or codes_left(conn, person_id):
        return []
    _wait(conn, person_id, "")
    return _new_codes(conn, person_id)


def check_may_go(conn: Connection, one: Person, what: str) -> None:
    """Refuse to take the last factor of somebody whose role needs one: `what` is "telephone" or "passkey"."""
    kept = has_telephone(conn, one.id) + len(_passkeys(conn, one.id))
    if one.role in required(conn) and kept == 1:
        raise PersonRefused(f"Your role needs a second factor; set up another one before you remove this {what}.")


def remove_telephone(conn: Connection, person_id: str, actor: str, at: str) -> None:
    """Take away the telephone that shows codes; recovery codes go too unless there is a passkey."""
    if has_telephone(conn, person_id):
        conn.execute("UPDATE second_factor SET secret = '', pending = '' WHERE person = ?", (person_id,))
        changed(conn, person_id, "second_factor_removed", actor, at)
    settle_codes(conn, person_id)


def settle_codes(conn: Connection, person_id: str) -> None:
    """Take away the recovery codes of whoever has no factor any more."""
    if not has(conn, person_id):
        conn.execute("DELETE FROM recovery_code WHERE person = ?", (person_id,))
        conn.execute("DELETE FROM second_factor WHERE person = ?", (person_id,))


def remove(conn: Connection, person_id: str, actor: str, at: str) -> None:
    """Take every factor away, passkeys and recovery codes too: the password alone signs in again."""
    for _ in _passkeys(conn, person_id):
        changed(conn, person_id, "passkey_removed", actor, at)
    conn.execute("DELETE FROM passkey WHERE person = ?", (person_id,))
    remove_telephone(conn, person_id, actor, at)


def _passkeys(conn: Connection, person_id: str) -> list[str]:
    return [row["id"] for row in conn.execute("SELECT id FROM passkey WHERE person = ?", (person_id,))]


def _new_codes(conn: Connection, person_id: str) -> list[str]:
    salt, codes = _salt(conn), [_new_code() for _ in range(RECOVERY_CODES)]
    conn.execute("UPDATE second_factor SET salt = ? WHERE person = ?", (salt, person_id))
    conn.execute("DELETE FROM recovery_code WHERE person = ?", (person_id,))
    for code in codes:
        conn.execute("INSERT INTO recovery_code (person, code_hash) VALUES (?, ?)", (person_id, _hash(code, salt)))
    return codes


def _new_code() -> str:
    text = base64.b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode().lower()
    return "-".join(text[n : n + 4] for n in range(0, len(text), 4))


def _method(conn: Connection) -> str:
    """How recovery codes are hashed here: with half the memory of a password, and once."""
    _, n, r, _ = password_work(conn).split(":")
    return f"scrypt:{int(n) // 2}:{r}:1"


def _salt(conn: Connection) -> str:
    """A new salt; it says how the codes are hashed that it goes with, where that is not the usual way."""
    method, salt = _method(conn), secrets.token_hex(16)
    return salt if method == USUAL else f"{method}${salt}"


def _tried(code: str, salt: str, method: str) -> str:
    """The hash of what was typed, with no less work than `method`: how long it takes tells nothing of whose it is."""
    made = salt.rpartition("$")[0] or USUAL
    if (lacks := passwords.work(method) // passwords.work(made) - 1) > 0:
        _hash(code, f"{made.rpartition(':')[0]}:{lacks}${NOBODY}")
    return _hash(code, salt)


def _hash(code: str, salt: str) -> str:
    """A recovery code as it is kept: salted and slow to guess, in the way that the salt says."""
    method, _, salt = salt.rpartition("$")
    n, r, p = map(int, (method or USUAL).split(":")[1:])
    typed = re.sub(r"[\s-]", "", code).lower()[:100]
    return hashlib.scrypt(typed.encode(), salt=bytes.fromhex(salt), n=n, r=r, p=p).hex()
