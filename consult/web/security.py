"""The security log, for the administrator: who signed in, who could not, and what was refused."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, render_template, request

from consult import security_log
from consult.accounts import people
from consult.web.context import inst

bp = Blueprint("security", __name__, url_prefix="/settings/security")
SHOWN: Final = 200


@bp.get("")
def index() -> str:
    """The newest events, of everybody or of one person, of every kind or of one."""
    conn = inst().db.read()
    known = people.person(conn, request.args.get("person", ""))
    event = request.args.get("event", "")
    chosen, kind = (known.id if known else ""), (event if event in security_log.EVENTS else "")
    return render_template(
        "people/security.html",
        events=list(security_log.newest(inst().folder, SHOWN, chosen, kind)),
        kinds=security_log.EVENTS,
        people=people.people(conn),
        chosen=chosen,
        kind=kind,
        most=SHOWN,
        days=security_log.KEEP.days,
    )
