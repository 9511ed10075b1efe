"""A consultation begun, and its screen or, once it has ended, its record."""

from __future__ import annotations

from flask import abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from consult.audit.case import age_band
from consult.record import identity
from consult.record.consultation import OPEN
from consult.record.settings import provider, sites
from consult.record.store import Start
from consult.web.context import inst, person, who
from consult.web.desk import bp, ended_context, found, screen_context


@bp.post("/start")
def start() -> Response | str:
    """Begin a consultation with an employee."""
    conn = inst().db.read()
    employee = identity.employee(conn, request.form.get("employee", ""))
    site = sites(conn).get(person().site)
    attendance = request.form.get("attendance", "")
    if employee is None or site is None:
        abort(404)
    if attendance not in ("in_person", "video", "telephone"):
        return redirect(url_for("employees.show", employee_id=employee.id, problem="attendance"))
    if why_not := inst().why_no_live(site.code):
        return render_template("refused.html", title="No live consultation can be started", sentence=why_not)
    held_on = inst().store.clock().astimezone().date()
    start = Start(
        employee=employee.id,
        site=site.code,
        provider=provider(conn),
        attendance=attendance,
        age_band=age_band(employee.date_of_birth, held_on),
    )
    consultation_id = inst().store.start(start, who(), request.form.get("key", ""))
    return redirect(url_for("consultations.show", consultation_id=consultation_id))


@bp.get("/<consultation_id>")
def show(consultation_id: str) -> Response | str:
    """The screen of an open consultation, or the record of one that has ended."""
    consultation = found(consultation_id)
    if consultation.state != OPEN:
        return render_template("consultations/ended.html", **ended_context(consultation))
    return render_template("consultations/show.html", **screen_context(consultation))
