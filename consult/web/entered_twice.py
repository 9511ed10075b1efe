"""An employee entered twice, and an employee who signs in here: said on the employee's page, each in a step."""

from __future__ import annotations

from flask import abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from consult.accounts import people
from consult.record import identity, lists, merging, own
from consult.record.identity import Employee
from consult.record.ledger import Refused
from consult.web import guard
from consult.web.context import inst, person, who
from consult.web.desk import listed_employees, refused, viewed_employee
from consult.web.employees import bp
from consult.web.forms import typed


def _entry(employee_id: str) -> Employee:
    """An entry that stands for itself; 404 for none, and for one in whose place another is kept."""
    found = identity.entered(inst().db.read(), employee_id)
    if found is None or merging.kept(inst().db.read(), employee_id) != employee_id:
        abort(404)
    return found


@bp.route("/<employee_id>/merge", methods=["GET", "POST"])
def merge(employee_id: str) -> Response | str:
    """Find the other entry of the same employee, see both side by side, and keep one."""
    one, other_id = _entry(employee_id), request.values.get("other", "")
    viewed_employee(one.id)
    if not other_id:
        return _choose(one)
    if guard.is_own(other_id):
        return guard.refuse_own()
    if guard.needs_reason(other_id):
        return redirect(url_for("employees.reason", employee_id=other_id, next=request.path), 303)
    other = _entry(other_id)
    viewed_employee(other.id)
    if request.method != "POST" or "keep" not in request.form:
        store = inst().store
        sides = [(entry, lists.of_employee(store.db.read(), entry.id)) for entry in (one, other)]
        return render_template("employees/merge.html", one=one, other=other, sides=sides)
    keep, goes = (one, other) if request.form["keep"] == one.id else (other, one)
    if request.form["keep"] != keep.id or keep.id == goes.id:
        abort(404)
    with inst().db.write() as conn:
        merging.merge(conn, keep.id, goes.id, who().actor, who().role, inst().store.at())
    return redirect(url_for("employees.show", employee_id=keep.id))


def _choose(one: Employee) -> str:
    """The entries that may be of the same employee, and those that are searched for."""
    conn, words = inst().db.read(), typed("words")
    found = identity.find(conn, words) if words else _alike(one)
    listed = [entry for entry in found if entry.id != one.id and not guard.is_own(entry.id)]
    listed_employees((entry.id for entry in listed), "search" if words else "alike")
    return render_template("employees/merge_choose.html", one=one, found=listed, words=words)


def _alike(one: Employee) -> list[Employee]:
    return identity.near_duplicates(inst().db.read(), one.name, one.date_of_birth, one.local_number)


@bp.post("/<employee_id>/unmerge")
def unmerge(employee_id: str) -> Response:
    """Let an entry that was merged into this one stand for itself again."""
    one, other = _entry(employee_id), request.form.get("other", "")
    if other not in merging.ids_of(inst().db.read(), one.id)[1:]:
        abort(404)
    with inst().db.write() as conn:
        merging.undo(conn, other, who().actor, who().role, inst().store.at())
    return redirect(url_for("employees.show", employee_id=one.id))


@bp.post("/<employee_id>/person")
def link(employee_id: str) -> Response:
    """Say that this employee is a person who signs in here: they open this record no more."""
    one, back = _entry(employee_id), url_for("employees.show", employee_id=employee_id)
    known = people.person(inst().db.read(), request.form.get("person", ""))
    if known is None:
        return refused("Choose the person from the list.", back)
    try:
        with inst().db.write() as conn:
            own.say(conn, known.id, one.id, who().actor, who().role, inst().store.at())
    except Refused as refusal:
        return refused(str(refusal), back)
    return redirect(url_for("home") if known.id == person().id else back)
