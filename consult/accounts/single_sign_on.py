"""Single sign-on (OpenID Connect): its settings, which account at the provider is whose, and what is under way.

A person is known by the subject and the issuer together, of which only a hash is kept; never by a name or an address.
"""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from msgspec import Struct, field
from msgspec.structs import asdict

from consult.accounts.passwords import start_words
from consult.accounts.people import ROLES, Person, PersonRefused, changed, known, person
from consult.accounts.sessions import hash_of
from consult.record.database import Connection
from consult.record.settings import SettingRefused, change_setting, get_setting

SETTING: Final = "single_sign_on"
STANDS: Final = timedelta(minutes=10)
"""How long somebody may take at the provider, and then to type a link code."""
CODE_STANDS: Final = timedelta(days=7)
LEAST_LEEWAY, MOST_LEEWAY = 0, 300
ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
"""What may sign a token, and with what a private key of ours signs: never "none", never a shared secret."""
SECRETS: Final = ("env:", "file:", "key:")
LONGEST: Final = 300
TEXTS: Final = ("issuer", "client_id", "label", "secret", "scope", "acr_values")


class Provider(Struct, frozen=True):
    """Where people sign in besides here, and what is asked of it.

    `secret` says where the client's secret lies: env:NAME, file:PATH, or key:PATH for a private key (private_key_jwt);
    "" for a client without one. `require` are claims of the token with the values that will do; where any are
    asked for, the provider's sign-in counts as two factors. `no_password_for` are roles whose linked people sign in
    there only.
    """

    issuer: str
    client_id: str
    label: str
    secret: str = ""
    key_id: str = ""
    key_algorithm: str = "RS256"
    scope: str = "openid"
    acr_values: str = ""
    require: dict[str, list[str]] = field(default_factory=dict)
    no_password_for: list[str] = field(default_factory=list)
    leeway: int = 60

    def check(self) -> None:
        """SettingRefused, in a sentence that says what to do, if this can't be a provider."""
        for right, about, sentence in self._rules():
            if not right:
                raise SettingRefused(sentence, about)

    def _rules(self) -> Iterator[tuple[bool, str, str]]:
        """What must be so, the field it is about, and what is said where it is not."""
        named = "Give the client id that the provider gave you, and the name for the button."
        secret = not self.secret or (self.secret.startswith(SECRETS) and bool(self.secret.partition(":")[2]))
        issuer = is_address(self.issuer, self.issuer)
        leeway = LEAST_LEEWAY <= self.leeway <= MOST_LEEWAY
        yield issuer, "issuer", "The issuer is an address that begins with https:// and has no ? or #; correct it."
        yield bool(self.client_id), "client_id", named
        yield bool(self.label), "label", named
        yield secret, "secret", "Say where the secret lies: env:NAME, file:PATH or key:PATH; never the secret itself."
        algorithms = f"A private key signs with one of {', '.join(ALGORITHMS)}; choose one."
        yield self.key_algorithm in ALGORITHMS, "key_algorithm", algorithms
        yield "openid" in self.scope.split(), "scope", "The scope holds at least the word openid; add it."
        yield not set(self.no_password_for) - set(ROLES), "", f"Choose among the roles {', '.join(ROLES)}."
        yield leeway, "leeway", f"Clocks may differ by {LEAST_LEEWAY} to {MOST_LEEWAY} seconds; give a number of those."
        for name in TEXTS:
            yield len(getattr(self, name)) <= LONGEST, name, f"Shorten what is longer than {LONGEST} characters."


class UnderWay(Struct, frozen=True):
    """What was sent to the provider with somebody, to be compared with what comes back."""

    issuer: str
    nonce: str
    verifier: str
    target: str
    person: str
    session: str
    begun_at: int


def is_address(url: str, issuer: str) -> bool:
    """Whether a provider may be asked at this address: TLS, or this very machine where its issuer is there too."""
    try:
        parts, of_issuer = urlsplit(url), urlsplit(issuer)
        here = _is_loopback(parts.hostname or "") and _is_loopback(of_issuer.hostname or "")
        sound = (
            bool(parts.hostname) and not parts.fragment and not parts.username and (url != issuer or not parts.query)
        ) and parts.port != 0  # a port that is no number is told by asking for it
    except ValueError:
        return False
    return sound and (parts.scheme == "https" or (parts.scheme == "http" and here))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def provider(conn: Connection) -> Provider | None:
    """The provider that is set up; None while there is none, and then nothing is ever asked outside."""
    held = get_setting(conn, SETTING, None)
    return Provider(**held) if held else None


def set_provider(conn: Connection, one: Provider | None, actor: str, at: str) -> None:
    """Set the provider up, or take it away; SettingRefused if it can't be one."""
    if one is not None:
        one.check()
    if one != provider(conn):
        change_setting(conn, SETTING, asdict(one) if one else None, actor, at)


def requirements(text: str) -> dict[str, list[str]]:
    """Claims with the values that will do, from words such as "acr=AAL2,AAL3 amr=mfa"."""
    found: dict[str, list[str]] = {}
    for word in text.replace(";", " ").split():
        name, equals, values = word.partition("=")
        if not (name and equals and values):
            raise SettingRefused(f"{word!r} is no claim with values, such as acr=AAL2,AAL3; correct it.", "require")
        found[name] = [value for value in values.split(",") if value]
    return found


# --- who is linked ------------------------------------------------------------------------------------------------


def subject_hash(issuer: str, subject: str) -> str:
    """What is kept of an account at a provider."""
    return hashlib.sha256(f"{issuer}\n{subject}".encode()).hexdigest()


def linked(conn: Connection, subject: str) -> Person | None:
    """Who is linked to an account at the provider, by its hash; they may be stopped."""
    row = conn.execute("SELECT person FROM linked_subject WHERE subject_hash = ?", (subject,)).fetchone()
    return person(conn, row["person"]) if row else None


def links(conn: Connection) -> dict[str, str]:
    """The people who are linked, by id, with the hash of their account."""
    return {row["person"]: row["subject_hash"] for row in conn.execute("SELECT * FROM linked_subject")}


def link(conn: Connection, person_id: str, subject: str, actor: str, at: str) -> None:
    """Link a person to an account at the provider (its hash); each person has one, and each account is one person's."""
    one = known(conn, person_id)
    if linked(conn, subject) is not None:
        raise PersonRefused("This account at the provider is linked already; take that link away first.")
    if one.id in links(conn):
        raise PersonRefused(f"{one.name} is linked to an account already; take that link away first.")
    changed(conn, one.id, "sign_on_linked", actor, at)
    conn.execute("INSERT INTO linked_subject (subject_hash, person) VALUES (?, ?)", (subject, one.id))
    conn.execute("DELETE FROM link_code WHERE person = ?", (one.id,))


def unlink(conn: Connection, person_id: str, actor: str, at: str) -> None:
    """Take the link of a person away, and every link code not used yet."""
    conn.execute("DELETE FROM link_code WHERE person = ?", (person_id,))
    if conn.execute("DELETE FROM linked_subject WHERE person = ?", (known(conn, person_id).id,)).rowcount:
        changed(conn, person_id, "sign_on_unlinked", actor, at)


def make_code(conn: Connection, person_id: str, now: datetime, actor: str, at: str) -> str:
    """A code, shown once, with which whoever has signed in at the provider is linked to this person."""
    words = start_words()
    changed(conn, known(conn, person_id).id, "link_code", actor, at)
    conn.execute("DELETE FROM link_code WHERE person = ?", (person_id,))
    until = int((now + CODE_STANDS).timestamp())
    conn.execute("INSERT INTO link_code (code_hash, person, until) VALUES (?, ?, ?)", (_code(words), person_id, until))
    return words


def link_by_code(conn: Connection, code: str, subject: str, now: datetime, at: str) -> Person | None:
    """Link an account by a code, which is used up; None if the code is none that stands."""
    query = "SELECT person FROM link_code WHERE code_hash = ? AND until > ?"
    row = conn.execute(query, (_code(code), int(now.timestamp()))).fetchone()
    one = person(conn, row["person"]) if row else None
    if one is None or not one.active or one.id in links(conn) or linked(conn, subject) is not None:
        return None
    link(conn, one.id, subject, one.id, at)
    return one


def _code(words: str) -> str:
    return hash_of(" ".join(words.casefold().split())[:LONGEST])


def password_refused(conn: Connection, one: Person) -> bool:
    """Whether this person signs in at the provider only."""
    there = provider(conn)
    return there is not None and one.role in there.no_password_for and one.id in links(conn)


# --- what is under way --------------------------------------------------------------------------------------------


def begin(conn: Connection, browser: str, way: UnderWay) -> str:
    """Note that somebody goes to the provider; returns the state that must come back, in this very browser."""
    state = secrets.token_urlsafe(32)
    _forget(conn, way.begun_at)
    conn.execute(
        "INSERT INTO sign_on_way "
        "(state_hash, browser_hash, issuer, nonce, verifier, target, person, session, begun_at) "
        "VALUES (:state_hash, :browser_hash, :issuer, :nonce, :verifier, :target, :person, :session, :begun_at)",
        {**asdict(way), "state_hash": hash_of(state), "browser_hash": hash_of(browser)},
    )
    return state


def _forget(conn: Connection, now: int) -> None:
    limits = (now - int(STANDS.total_seconds()), now + int(STANDS.total_seconds()))
    conn.execute("DELETE FROM sign_on_way WHERE begun_at NOT BETWEEN ? AND ?", limits)
    conn.execute("DELETE FROM sign_on_stranger WHERE came_at NOT BETWEEN ? AND ?", limits)


def spend(conn: Connection, state: str, browser: str, now: datetime) -> UnderWay | None:
    """What is under way with this state in this browser, which is over with that; None if nothing is, or too long."""
    _forget(conn, int(now.timestamp()))
    bound = (hash_of(state), hash_of(browser))
    row = conn.execute("SELECT * FROM sign_on_way WHERE state_hash = ? AND browser_hash = ?", bound).fetchone()
    conn.execute("DELETE FROM sign_on_way WHERE state_hash = ?", bound[:1])
    return UnderWay(**{name: row[name] for name in UnderWay.__struct_fields__}) if row else None


def keep_stranger(conn: Connection, browser: str, subject: str, assured: bool, now: datetime) -> None:
    """Keep for ten minutes that this browser has signed in with an account nobody here is linked to."""
    conn.execute("DELETE FROM sign_on_stranger WHERE browser_hash = ?", (hash_of(browser),))
    row = (hash_of(browser), subject, int(assured), int(now.timestamp()))
    query = "INSERT INTO sign_on_stranger (browser_hash, subject_hash, assured, came_at) VALUES (?, ?, ?, ?)"
    conn.execute(query, row)


def stranger(conn: Connection, browser: str, now: datetime) -> tuple[str, bool] | None:
    """The account that this browser has signed in with, and whether strongly enough; None if too long ago."""
    since = int((now - STANDS).timestamp())
    query = "SELECT * FROM sign_on_stranger WHERE browser_hash = ? AND came_at > ?"
    row = conn.execute(query, (hash_of(browser), since)).fetchone()
    return (str(row["subject_hash"]), bool(row["assured"])) if row else None


def forget_stranger(conn: Connection, browser: str) -> None:
    """A link was made: what the browser had signed in with is needed no more."""
    conn.execute("DELETE FROM sign_on_stranger WHERE browser_hash = ?", (hash_of(browser),))


def meets(claims: Mapping[str, Any], require: Mapping[str, list[str]]) -> bool:
    """Whether each required claim has one of the values that will do; a list has it if one of its items is."""
    for name, values in require.items():
        has = claims.get(name)
        if not {str(item) for item in (has if isinstance(has, list) else [has])} & set(values):
            return False
    return True
