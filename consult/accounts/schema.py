"""The tables of accounts, step by step from the first version: apart from the record, in the same file."""

from __future__ import annotations

from typing import Final

from consult.record.database import Connection, carry_out
from consult.record.migrations import Migrations

accounts_schema = Migrations("accounts")

TABLES: Final = """
CREATE TABLE person (
  id TEXT PRIMARY KEY,
  username TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('nurse', 'doctor', 'physiotherapist', 'audit_lead', 'administrator')),
  site TEXT NOT NULL,
  password_hash TEXT NOT NULL,
  active INTEGER NOT NULL CHECK (active IN (0, 1)),
  created_at TEXT NOT NULL
) STRICT;
CREATE TABLE sign_in (
  token_hash TEXT PRIMARY KEY,
  person TEXT NOT NULL REFERENCES person (id),
  created_at INTEGER NOT NULL,
  last_seen INTEGER NOT NULL
) STRICT;
CREATE INDEX sign_in_of_person ON sign_in (person);
CREATE TABLE failed_try (who TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
CREATE INDEX failed_try_of ON failed_try (who, at);
"""


@accounts_schema
def m0001_people(conn: Connection) -> None:
    """People, their sign-ins, and the tries that failed."""
    carry_out(conn, TABLES)


@accounts_schema
def m0002_lock(conn: Connection) -> None:
    """When a sign-in was locked, in seconds; 0 while it is not."""
    conn.execute("ALTER TABLE sign_in ADD COLUMN locked_at INTEGER NOT NULL DEFAULT 0")


FACTORS: Final = """
ALTER TABLE person ADD COLUMN start_until INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sign_in ADD COLUMN browser TEXT NOT NULL DEFAULT '';
ALTER TABLE sign_in ADD COLUMN owes TEXT NOT NULL DEFAULT '';
CREATE TABLE second_factor (
  person TEXT PRIMARY KEY REFERENCES person (id),
  secret TEXT NOT NULL,
  pending TEXT NOT NULL,
  last_counter INTEGER NOT NULL,
  salt TEXT NOT NULL
) STRICT;
CREATE TABLE recovery_code (
  person TEXT NOT NULL REFERENCES person (id),
  code_hash TEXT NOT NULL,
  PRIMARY KEY (person, code_hash)
) STRICT;
CREATE TABLE half_sign_in (
  token_hash TEXT PRIMARY KEY,
  who TEXT NOT NULL,
  person TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
"""


@accounts_schema
def m0003_second_factors(conn: Connection) -> None:
    """Start passwords, second factors with recovery codes, sign-ins that wait for a code, and kinds of browser."""
    carry_out(conn, FACTORS)


PASSKEYS: Final = """
CREATE TABLE passkey (
  id TEXT PRIMARY KEY,
  person TEXT NOT NULL REFERENCES person (id),
  name TEXT NOT NULL,
  host TEXT NOT NULL,
  public_key TEXT NOT NULL,
  sign_count INTEGER NOT NULL,
  added_at INTEGER NOT NULL,
  last_used INTEGER NOT NULL,
  copied INTEGER NOT NULL CHECK (copied IN (0, 1))
) STRICT;
CREATE INDEX passkey_of_person ON passkey (person);
CREATE TABLE passkey_challenge (
  asked_by TEXT PRIMARY KEY,
  purpose TEXT NOT NULL CHECK (purpose IN ('add', 'prove')),
  person TEXT NOT NULL,
  challenge TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
"""


@accounts_schema
def m0004_passkeys(conn: Connection) -> None:
    """Passkeys, and what browsers were asked to sign with them."""
    carry_out(conn, PASSKEYS)


SINGLE_SIGN_ON: Final = """
ALTER TABLE sign_in ADD COLUMN way TEXT NOT NULL DEFAULT '';
ALTER TABLE sign_in ADD COLUMN proved_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE half_sign_in ADD COLUMN way TEXT NOT NULL DEFAULT '';
CREATE TABLE linked_subject (
  subject_hash TEXT PRIMARY KEY,
  person TEXT NOT NULL UNIQUE REFERENCES person (id)
) STRICT;
CREATE TABLE link_code (
  code_hash TEXT PRIMARY KEY,
  person TEXT NOT NULL REFERENCES person (id),
  until INTEGER NOT NULL
) STRICT;
CREATE TABLE sign_on_way (
  state_hash TEXT PRIMARY KEY,
  browser_hash TEXT NOT NULL,
  issuer TEXT NOT NULL,
  nonce TEXT NOT NULL,
  verifier TEXT NOT NULL,
  target TEXT NOT NULL,
  person TEXT NOT NULL,
  session TEXT NOT NULL,
  begun_at INTEGER NOT NULL
) STRICT;
CREATE TABLE sign_on_stranger (
  browser_hash TEXT PRIMARY KEY,
  subject_hash TEXT NOT NULL,
  assured INTEGER NOT NULL,
  came_at INTEGER NOT NULL
) STRICT;
"""


@accounts_schema
def m0005_single_sign_on(conn: Connection) -> None:
    """Links to accounts at a provider, codes to make one, and sign-ins that are under way there."""
    carry_out(conn, SINGLE_SIGN_ON)


ROLES_BEFORE: Final = "'audit_lead', 'administrator')"
ROLES_NOW: Final = "'audit_lead', 'administrator', 'coordinator')"
HELD_TWICE: Final = """
CREATE INDEX person_held_twice ON person (name, password_hash, created_at, start_until);
CREATE INDEX passkey_held_twice ON passkey (person, name, host, public_key, added_at, copied);
CREATE INDEX second_factor_held_twice ON second_factor (secret, pending, salt);
"""


@accounts_schema
def m0006_coordinator(conn: Connection) -> None:
    """One role more, and what no step tells of people is held twice: SQLite's own check finds a flipped bit in it.

    The rule of the column is written anew in place, as no row can break the wider one: SQLite documents this way for
    rules that leave what is stored as it is (lang_altertable, section 7).
    """
    version = int(conn.execute("PRAGMA schema_version").fetchone()[0])
    conn.execute("PRAGMA writable_schema = ON")
    conn.execute(
        "UPDATE sqlite_schema SET sql = replace(sql, ?, ?) WHERE type = 'table' AND name = 'person'",
        [ROLES_BEFORE, ROLES_NOW],
    )
    conn.execute(f"PRAGMA schema_version = {version + 1}")
    conn.execute("PRAGMA writable_schema = OFF")
    carry_out(conn, HELD_TWICE)
