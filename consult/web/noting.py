"""What goes into the security log, and whose it is: asked by whatever lets somebody in, keeps them out, or refuses."""

from __future__ import annotations

from contextlib import suppress
from typing import Final, cast

from flask import Flask, current_app, g, request

from consult.accounts.people import PersonRefused, by_username, username_of
from consult.record.database import Damaged, sqlite3
from consult.record.settings import keeping
from consult.security_log import SecurityLog
from consult.web.context import inst

PLACE: Final = "consult_security_log"
TOLD: Final = "consult_security_log_failed"
REFUSALS: Final = {403: "refused_role", 404: "not_there", 405: "refused_method", 413: "refused_size"}


def keep(app: Flask) -> None:
    """Have this application write its security log beside its database."""
    app.extensions[PLACE] = SecurityLog(app.extensions["consult"].folder)


def note(event: str, person_id: str = "") -> None:
    """Write that something happened, with whoever is signed in unless somebody else is named."""
    known = g.get("person")
    log, page = cast(SecurityLog, current_app.extensions[PLACE]), request.endpoint or ""
    g.noted = True
    with suppress(sqlite3.Error, Damaged):  # where the record can't be read, lines go where they went
        log.onward.to = str(keeping(inst().db.read(), "security_log_to"))
    log.note(inst().store.clock(), event, person_id or (known.id if known else ""), page, request.method)
    if log.failed:
        current_app.logger.warning("The security log could not be written: %s", log.failed)
    if (failed := log.onward.failed) != current_app.extensions.get(TOLD, ""):
        current_app.extensions[TOLD] = failed
        if failed:
            current_app.logger.warning("The security log is not handed on to %s: %s", log.onward.to, failed)


def named(username: str) -> str:
    """The id of the person whose sign-in name was typed; "" for nobody, and no word of what was typed is kept."""
    try:
        known = by_username(inst().db.read(), username_of(username))
    except PersonRefused:
        return ""
    return known.id if known else ""


def refusal(code: int) -> None:
    """Write that a request was refused with this code, once, if it is one that the log is for.

    An address that no page has is none: anybody mistypes one.
    """
    if code in REFUSALS and not g.get("noted") and (code != 404 or request.endpoint):
        note(REFUSALS[code])
