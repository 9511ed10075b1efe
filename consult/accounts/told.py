"""What the steps say of people, held against the tables of people and of what they sign in with."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator
from typing import Final

from consult.record.database import Connection
from consult.record.ledger import Step, steps

STANDING: Final = {"enabled": "1", "disabled": "0"}
SECOND_FACTOR: Final = frozenset({"second_factor_set", "second_factor_removed"})
COUNTED: Final = {
    "passkeys": ("passkey", {"passkey_added": 1, "passkey_removed": -1}),
    "links to a provider": ("linked_subject", {"sign_on_linked": 1, "sign_on_unlinked": -1}),
}
"""What a person may have some of: the table, and what each change adds."""


def as_told(conn: Connection) -> dict[str, dict[str, str]]:
    """The role and site of each person, and whether they may sign in, as the steps tell it."""
    found: dict[str, dict[str, str]] = {}
    for step in _steps(conn):
        said, row = step.content or {}, found.get((step.content or {}).get("person", ""))
        if step.kind == "person_added" and said:
            found[said["person"]] = {"role": said["role"], "site": said["site"], "active": "1"}
        elif step.kind == "person_placed" and row is not None:
            row |= {"role": said["role"], "site": said["site"]}
        elif row is not None and said["change"] in STANDING:
            row["active"] = STANDING[said["change"]]
    return found


def _steps(conn: Connection) -> Iterator[Step]:
    """All that steps say of who people are, in order."""
    kinds = ("person_added", "person_placed", "person_changed")
    return heapq.merge(*(steps(conn, kind=kind) for kind in kinds), key=lambda step: step.seq)


def with_second_factor(conn: Connection) -> set[str]:
    """The people who have a second factor, by id, as the steps tell it."""
    found: dict[str, bool] = {}
    for step in _steps(conn):
        if step.content and step.content.get("change") in SECOND_FACTOR:
            found[step.content["person"]] = step.content["change"] == "second_factor_set"
    return {person_id for person_id, has in found.items() if has}


def counted(conn: Connection, changes: dict[str, int]) -> Counter[str]:
    """How many of something each person has, by id, as the steps tell it: what each change adds."""
    found: Counter[str] = Counter()
    for step in _steps(conn):
        said = step.content or {}
        found[said.get("person", "")] += changes.get(said.get("change", ""), 0)
    return found


def differences(conn: Connection) -> Iterator[str]:
    """Each way in which people are not as the steps say: a sentence with what to do."""
    rows = conn.execute("SELECT id, username, role, site, active FROM person ORDER BY username").fetchall()
    rows_told = as_told(conn)
    for row in rows:
        if row["id"] not in rows_told:
            yield f"{row['username']} may sign in, and no step says that this person was added; restore a backup."
        for column, says in rows_told.get(row["id"], {}).items():
            if (has := str(row[column])) != says:
                yield f"{row['username']} has {column} {has!r}, and the steps say {says!r}; run `consult rebuild`."
    factors = with_second_factor(conn)
    held = {row["person"] for row in conn.execute("SELECT person FROM second_factor WHERE secret <> ''")}
    for row in rows:
        if (row["id"] in held) != (row["id"] in factors):
            has, says = ("a", "none") if row["id"] in held else ("no", "one")
            yield f"{row['username']} has {has} second factor, and the steps say {says}; restore a backup."
    yield from _counts_that_differ(conn, {row["id"]: row["username"] for row in rows})
    for person_id in sorted(rows_told.keys() - {row["id"] for row in rows}):
        yield f"The person {person_id} is missing, though a step says they were added; restore a backup."


def _counts_that_differ(conn: Connection, usernames: dict[str, str]) -> Iterator[str]:
    for what, (table, changes) in COUNTED.items():
        told_of = counted(conn, changes)
        kept = Counter(row["person"] for row in conn.execute(f"SELECT person FROM {table}"))
        for person_id, username in usernames.items():
            if (n := kept[person_id]) != told_of[person_id]:
                yield f"{username} has {n} {what}, and the steps say {told_of[person_id]}; restore a backup."


def put_back(conn: Connection) -> None:
    """Give everybody the role, site and standing that the steps tell of."""
    for person_id, row in as_told(conn).items():
        conn.execute(
            "UPDATE person SET role = ?, site = ?, active = ? WHERE id = ?",
            (row["role"], row["site"], int(row["active"]), person_id),
        )


def only_told(conn: Connection) -> None:
    """Put everybody back to what the steps tell, and take out whom they don't tell of.

    Only for a table that stands before the one that is kept, as `rewinding` makes it.
    """
    put_back(conn)
    known = list(as_told(conn))
    conn.execute(f"DELETE FROM person WHERE id NOT IN ({', '.join('?' * len(known))})", known)
