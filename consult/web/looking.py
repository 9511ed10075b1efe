"""Who looked: shown for an employee to whoever may open them, and to the administrator by id."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from consult.accounts import people
from consult.record import identity, lists, looks
from consult.record.ledger import Refused
from consult.web.context import inst, own_address, person, site_name, who
from consult.web.desk import viewed_employee, without_a_name
from consult.web.employees import bp as employees
from consult.web.forms import number, typed

bp = Blueprint("looking", __name__, url_prefix="/settings/looks")
WHAT: Final = {
    "employee_viewed": "Page of the employee",
    "access_reasoned": "Opened from another site, with a reason",
    "consultation_viewed": "Consultation",
    "consultation_taken_over": "Consultation taken over",
}
LISTS: Final = {
    "search": "Name and date of birth shown among the results of a search; no more than that",
    "alike": "Name and date of birth shown among entries that may be the same person; no more than that",
    "left_behind": "Name shown in the list of what a colleague who left had open",
}
PAPERS: Final = {"note": "Note", "letter": "Referral letter", "report": "Report to the manager", "steps": "Steps"}
SHOWN: Final = 100
LONGEST_REASON: Final = 300


def what(look: looks.Look) -> str:
    """What was looked at, in words."""
    if look.kind == looks.LISTED:
        return LISTS[look.list]
    return PAPERS.get(look.paper, look.paper) if look.kind == "paper_viewed" else WHAT[look.kind]


@employees.get("/<employee_id>/looks", endpoint="looks")
def of_employee(employee_id: str) -> str:
    """Who looked at the record of an employee, to be shown to them and printed."""
    employee = identity.employee(inst().db.read(), employee_id)
    if employee is None:
        abort(404)
    viewed_employee(employee.id)
    found = looks.of_employee(inst().db.read(), employee.id)
    return render_template("employees/looks.html", employee=employee, looks=found, what=what)


@employees.route("/<employee_id>/reason", methods=["GET", "POST"], endpoint="reason")
def reason(employee_id: str) -> Response | str | tuple[str, int]:
    """Ask why the record of another site is opened; the reason is a step, and holds until one signs in anew."""
    employee = identity.employee(inst().db.read(), employee_id)
    if employee is None:
        abort(404)
    target = own_address(request.values.get("next", "") or url_for("employees.show", employee_id=employee.id))
    problem = ""
    if request.method == "POST":
        given = typed("reason")[:LONGEST_REASON]
        problem = "" if given else "Say in a few words why you open it."
        try:
            without_a_name(reason=given)
        except Refused as refusal:
            problem = str(refusal)
        if not problem:
            with inst().db.write() as conn:
                looks.note(conn, employee.id, who().actor, who().role, inst().store.at(), given)
            return redirect(target, 303)
    sites = sorted({site_name(s.site) for s in lists.of_employee(inst().db.read(), employee.id)})
    page = render_template("employees/reason.html", sites=sites, target=target, problem=problem, own_site=person().site)
    return (page, 422) if problem else page


@bp.get("")
def index() -> str:
    """The last looks at anybody, for the administrator: who, when, in which way; the employee by a reference only."""
    before, conn = number(request.args.get("before", "0")), inst().db.read()
    known = people.person(conn, request.args.get("person", ""))
    found = looks.latest(conn, SHOWN + 1, max(before, 0), known.id if known else "")
    return render_template(
        "people/looks.html",
        looks=found[:SHOWN],
        older=found[SHOWN - 1].seq if len(found) > SHOWN else 0,
        what=what,
        people=people.people(conn),
        chosen=known.id if known else "",
    )
