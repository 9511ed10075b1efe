"""Targets: what the service aims at for a measure, who set it and when; every earlier one is kept."""

from __future__ import annotations

from msgspec import Struct

from consult.record.database import Connection
from consult.record.ledger import Draft, Refused, append, steps


class Target(Struct, frozen=True):
    """The share (0 to 1) a service aims at; None where a target was taken back."""

    measure: str
    share: float | None
    reason: str
    by: str
    at: str


def history(conn: Connection) -> dict[str, list[Target]]:
    """Every target of each measure, the oldest first."""
    found: dict[str, list[Target]] = {}
    for step in steps(conn, kind="target_set"):
        if step.content is not None:
            said = step.content
            target = Target(said["measure"], said["share"], said["reason"], step.actor, step.at)
            found.setdefault(said["measure"], []).append(target)
    return found


def targets(conn: Connection) -> dict[str, Target]:
    """The target that stands for each measure; a measure without one is not there."""
    return {measure: told[-1] for measure, told in history(conn).items() if told[-1].share is not None}


def set_target(
    conn: Connection, measure: str, share: float | None, reason: str, who: tuple[str, str], at: str, key: str
) -> None:
    """Set the target of a measure (None takes it back); Refused if it is no share, or no reason is given."""
    if share is not None and not 0 < share <= 1:
        raise Refused("A target is a percentage above 0 and up to 100; correct it.", "percent")
    if not reason.strip():
        raise Refused("Say why this target is set; it is shown with the target.", "reason")
    content = {"measure": measure, "share": share, "reason": reason.strip()}
    append(conn, Draft("target_set", content, who[0], at, "", "", who[1], key))
