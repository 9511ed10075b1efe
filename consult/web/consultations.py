"""A consultation begun, and its screen or, once it has ended, its record."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from flask import abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from consult.audit.case import age_band
from consult.documents.words import ATTENDANCE, uk_date
from consult.proforma.days import read
from consult.record import identity, kept
from consult.record.consultation import OPEN
from consult.record.reference import Reference, read_reference
from consult.record.settings import closed_sites, provider, sites
from consult.record.store import Refused, Start
from consult.record.timekeeping import stamp
from consult.web import dates
from consult.web.coming import folded_later, later
from consult.web.context import inst, person, who
from consult.web.desk import bp, ended_context, found, questions_context, refused, screen_context
from consult.web.employees import page_of
from consult.web.screen import Screen

WHEN_HELD: Final = "Enter the date it was held, and the time it began, such as 10:42."


@bp.post("/start")
def start() -> Response | tuple[str, int]:
    """Begin a consultation with an employee."""
    conn = inst().db.read()
    employee = identity.employee(conn, request.form.get("employee", ""))
    site = sites(conn).get(person().site)
    attendance = request.form.get("attendance", "")
    if employee is None or site is None:
        abort(404)
    if attendance not in ATTENDANCE:
        return page_of(employee, "Choose how the employee is seen.", "attendance"), 422
    if why_not := inst().why_no_live(site.code):
        back = url_for("employees.show", employee_id=employee.id)
        return refused(why_not, back, "No live consultation can be started")
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


@bp.post("/start-on-paper")
def start_on_paper() -> Response | tuple[str, int]:
    """Begin to enter a consultation that was held on paper, with the version printed on it and its true time."""
    employee = identity.employee(inst().db.read(), request.form.get("employee", ""))
    if employee is None or person().site not in inst().sites:
        abort(404)
    try:
        start = _on_paper(employee)
        consultation_id = inst().store.start(start, who(), request.form.get("key", ""))
    except Refused as refusal:
        return page_of(employee, str(refusal), refusal.field or "paper", on_paper=True), 422
    return redirect(url_for("consultations.show", consultation_id=consultation_id))


def _on_paper(employee: identity.Employee) -> Start:
    reference = read_reference(request.form.get("paper", ""))
    held = _held_at()
    if held.date() <= employee.date_of_birth:
        raise Refused("That is before the employee was born; correct the date it was held.", "date")
    attendance = request.form.get("attendance", "")
    if attendance not in ATTENDANCE:
        raise Refused("Choose how the employee was seen.", "seen")
    _check_open(held.date())
    return Start(
        employee=employee.id,
        site=person().site,
        provider=provider(inst().db.read()),
        attendance=attendance,
        age_band=age_band(employee.date_of_birth, held.date()),
        capture_mode="paper",
        held_at=stamp(held),
        paper=reference.text,
        definition=_version_of(reference),
    )


def _check_open(day: date) -> None:
    """Refuse a consultation that was held after the site of whoever enters it was closed."""
    closed = closed_sites(inst().db.read()).get(person().site)
    if closed and day > closed.on:
        said = f"Site {person().site} was closed on {uk_date(closed.on)}"
        sentence = f"{said}; enter what was held there up to that day, or ask an administrator to place you elsewhere."
        raise Refused(sentence, "date")


def _held_at() -> datetime:
    """When it was held, in the zone of this machine."""
    day, hour = read(request.form.get("date", "")), dates.read_time(request.form.get("time", ""))
    if day is None or hour is None:
        raise Refused(WHEN_HELD, "time" if day else "date")
    try:
        held = datetime.combine(day, hour).astimezone()
    except (OverflowError, ValueError, OSError):  # the first or last day of the calendar; on Windows all before 1970
        raise Refused(WHEN_HELD, "date") from None
    if held > inst().store.clock():
        raise Refused("That lies in the future; enter the date and time at which it was held.", "date")
    return held


def _version_of(reference: Reference) -> str:
    """The version printed on the paper; the one in use where the reference names none."""
    if not reference.version:
        return inst().library.current.digest
    for version in kept.of_kind(inst().db.read(), "proforma"):
        if version.digest.startswith(reference.version):
            return version.digest
    raise Refused(
        f"No version kept here has a digest that begins with {reference.version}; compare the reference with the "
        "paper, or restore the backup that had it."
    )


@bp.get("/<consultation_id>")
def show(consultation_id: str) -> Response | str:
    """The screen of an open consultation, or the record of one that has ended."""
    consultation = found(consultation_id)
    if consultation.state != OPEN:
        return render_template("consultations/ended.html", **ended_context(consultation))
    screen = Screen.of(inst().store, consultation)
    sections = later(screen)
    context = questions_context if sections else screen_context
    waiting = {"later": sections, "folded_later": folded_later(screen, sections)}
    return render_template("consultations/show.html", **context(consultation, **waiting))
