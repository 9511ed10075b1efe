"""Whose record a request is about: nobody opens their own, and one of another site is opened with a reason."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from flask import current_app, g, make_response, redirect, render_template, request, url_for
from werkzeug.exceptions import Forbidden
from werkzeug.wrappers import Response

from consult.accounts import people
from consult.accounts.people import CLINICIANS
from consult.record import lists, looks, own
from consult.record.lists import Summary
from consult.web import noting
from consult.web.context import inst, person, this_request

NAMED: Final = ("consultations.start", "consultations.start_on_paper")
"""What names the employee in the form that is sent."""
WITHOUT_REASON: Final = ("employees.reason",)
TAKES_OVER: Final = "consultations.take_over"
HELPERS: Final = 3
OFTEN: Final = "consultations.answers"
STANDS: Final = timedelta(seconds=10)
"""How long it stands that somebody may go on with a consultation, unless anything but an answer is sent meanwhile."""
PASSED: Final = "consult_passed"
MOST: Final = 1000


def check() -> Response | None:
    """Let a request go on, unless it is about the record of the person who asks, or needs a reason first."""
    this, who_asks = this_request(), g.get("person")
    if who_asks is None or not who_asks.clinician or this.routing_exception is not None:
        return None
    if this.endpoint == OFTEN and _passed_lately():
        return None
    employee, consultation = _about()
    if not employee:
        return None
    if is_own(employee):
        return refuse_own()
    if _reasoned(consultation) and this.endpoint not in WITHOUT_REASON and needs_reason(employee):
        back = this.full_path.rstrip("?") if this.method == "GET" else None
        return redirect(url_for("employees.reason", employee_id=employee, next=back), 303)
    if consultation is not None:
        _passed()[_visit_of(consultation.id)] = inst().store.clock()
    return None


def forget(response: Response) -> Response:
    """After anything that was sent but answers, all is looked up again: it may have said who somebody is."""
    this = this_request()
    if this.method not in ("GET", "HEAD") and this.endpoint != OFTEN:
        _passed().clear()
    return response


def _passed_lately() -> bool:
    """Whether this was looked up moments ago: an answer is saved every few seconds, and each look reads the log."""
    at = _passed().get(_visit_of(str((request.view_args or {})["consultation_id"])))
    return at is not None and timedelta() <= inst().store.clock() - at < STANDS


def _passed() -> dict[tuple[str, str], datetime]:
    found: dict[tuple[str, str], datetime] = current_app.extensions.setdefault(PASSED, {})
    if len(found) > MOST:
        found.clear()
    return found


def _visit_of(consultation_id: str) -> tuple[str, str]:
    return person().id, consultation_id


def _about() -> tuple[str, Summary | None]:
    """The employee whom a request is about, and the consultation, as its address or form names them."""
    parts = request.view_args or {}
    if "employee_id" in parts:
        return str(parts["employee_id"]), None
    if "consultation_id" in parts:
        summary = lists.summary(inst().db.read(), str(parts["consultation_id"]))
        return (summary.employee, summary) if summary else ("", None)
    return (request.form.get("employee", ""), None) if request.endpoint in NAMED else ("", None)


def _reasoned(consultation: Summary | None) -> bool:
    """Whether a reason may be asked: at an employee's page, and at taking over; all else is one's own or not there."""
    return consultation is None or request.endpoint == TAKES_OVER


def is_own(employee: str) -> bool:
    """Whether this employee is the person who is signed in."""
    return own.is_own(inst().db.read(), person().id, employee)


def needs_reason(employee: str) -> bool:
    """Whether the record of an employee is another site's: held there only, by others, and no reason given yet."""
    held = lists.of_employee(inst().db.read(), employee)
    if not held or any(s.site == person().site or s.clinician == person().id for s in held):
        return False
    since = g.visit.created_at if g.visit else datetime.fromtimestamp(0, UTC)
    return not looks.has_reason(inst().db.read(), employee, person().id, since)


def refuse_own() -> Response:
    """The page that says whose record this is, and who can help."""
    noting.note("refused_own")
    everybody = people.people(inst().db.read())
    names = [one.name for one in everybody if one.active and one.role in CLINICIANS and one.id != person().id]
    helpers = f"One of these can help you: {', '.join(names[:HELPERS])}." if names else "Ask an administrator for help."
    sentence = f"This is your own record, and nobody opens the record of themselves. {helpers}"
    if request.headers.get("HX-Request"):
        raise Forbidden(sentence)
    return make_response(render_template("refused.html", title="Your own record", sentence=sentence), 403)
