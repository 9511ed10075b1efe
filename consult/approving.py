"""Approval of content: a named clinician's word for one digest, given for this installation."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from consult.in_use import not_loaded
from consult.instance import Instance, database_file, exists, only_for_me
from consult.lock import is_served
from consult.proving import read_only
from consult.record.library import Approval, approve

SERVED: Final = "served-content.json"
SHORTEST: Final = 8
UNSHOWN: Final = (
    "No server has shown these texts here, so nobody can have read them; start it, read what it shows, then approve."
)
UNWRITTEN: Final = (
    "The running server could not write down in {} which texts it shows; make room on its disk and start the server "
    "again, read what it shows, then approve."
)


class ApprovalRefused(Exception):
    """Nothing was approved; the message says why and what to do."""


def chosen(instance: Instance, what: str, leaflet: str = "") -> dict[str, str]:
    """The content in use that the words name (all, proforma, leaflet, or leaflet with its id), with its digests."""
    prefix = {"all": "", "proforma": "proforma ", "leaflet": f"leaflet {leaflet} " if leaflet else "leaflet "}[what]
    found = {name: digest for name, digest in instance.in_use().items() if name.startswith(prefix)}
    if not found:
        known = ", ".join(sorted({leaflet_id for leaflet_id, _ in instance.leaflets}))
        raise ApprovalRefused(f"There is no leaflet {leaflet} in use; name one of: {known}.")
    return found


def with_digests(named: dict[str, str], prefixes: Iterable[str]) -> dict[str, str]:
    """Those whose digests begin as a clinician has read them; ApprovalRefused if there is not one for each."""
    found: dict[str, str] = {}
    for prefix in prefixes:
        hits = {what: digest for what, digest in named.items() if digest.startswith(prefix.lower())}
        if len(prefix) < SHORTEST:
            raise ApprovalRefused(f"{prefix!r} is too short to tell what was read; give {SHORTEST} characters or more.")
        if len(hits) != 1:
            raise ApprovalRefused(
                f"What is in use has no digest that begins with {prefix}, so it is not what was read; read it again, "
                "then approve the digest that `consult approve` shows."
            )
        found |= hits
    return found


def check_loaded(folder: Path) -> None:
    """Refuse while the files hold what this installation has never had in use, so that nobody can have read it here."""
    if not exists(folder):
        return
    with read_only(database_file(folder)) as conn:
        if waiting := not_loaded(conn, folder):
            raise ApprovalRefused(
                f"The files hold another text than was in use here ({', '.join(waiting)}), which nobody can have read "
                "yet; run `consult check`, start the server again, read it, then approve."
            )


def note_served(instance: Instance) -> None:
    """Write down what a server that starts has in use: it goes on with that, whatever the files say later.

    Where the disk has no room for that it serves all the same, so that the record can be read; nothing is approved
    then. What the server before showed goes in any case, as it would be taken for what this one shows.
    """
    file = instance.folder / SERVED
    file.unlink(missing_ok=True)
    with suppress(OSError), only_for_me():
        file.write_text(json.dumps(instance.in_use(), indent=1), "utf-8")


def why_not_as_served(instance: Instance) -> str | None:
    """Why nothing is approved here: the server shows, or last showed, other texts than those in use now, or none.

    That a command opened a text is no sign that anybody could read it.
    """
    running, shown, now = is_served(instance.folder), _shown(instance.folder), instance.in_use()
    if shown is None:
        return UNWRITTEN.format(instance.folder) if running else UNSHOWN
    other = sorted(what for what in shown.keys() | now.keys() if shown.get(what) != now.get(what))
    if not other:
        return None
    before, do = (
        ("The running server still shows", "stop it, start it") if running else ("The server last showed", "start it")
    )
    return f"{before} another text ({', '.join(other)}); {do} again, read what it shows, then approve."


def _shown(folder: Path) -> dict[str, str] | None:
    """What the server that runs, or ran last, wrote down of itself; None where none ran, or it had no room for that."""
    try:
        found = json.loads((folder / SERVED).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def approve_all(instance: Instance, named: dict[str, str], name: str, post: str, actor: str) -> list[str]:
    """Record the approval of each digest; returns those that were not approved by the same person before."""
    if not name.strip() or not post.strip():
        raise ApprovalRefused("An approval needs the clinician's name and post; give --name and --post.")
    if sentence := why_not_as_served(instance):
        raise ApprovalRefused(sentence)
    _check_may_approve(instance, named)
    new = []
    with instance.db.write() as conn:
        known = instance.approvals
        for what, digest in named.items():
            before = known.get(digest)
            if before is not None and (before.name, before.post) == (name.strip(), post.strip()):
                continue
            approve(conn, Approval(digest, what, name.strip(), post.strip(), instance.store.at()), actor)
            new.append(what)
    return new


def _check_may_approve(instance: Instance, named: dict[str, str]) -> None:
    for (leaflet_id, language), leaflet in instance.leaflets.items():
        what = f"leaflet {leaflet_id} {language}"
        if what in named and (sentence := leaflet.may_approve(instance.today())):
            raise ApprovalRefused(f"The {what} was not approved: {sentence}")
    proforma = instance.library.current.proforma
    if f"proforma {proforma.id}" in named and instance.today() > proforma.review_by:
        raise ApprovalRefused(
            f"The proforma passed its review date on {proforma.review_by}; review it and write a later review_by."
        )
