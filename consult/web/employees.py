"""Finding and registering an employee; near-duplicates are shown before a second is made."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response
from wtforms import Form, StringField
from wtforms.validators import DataRequired, InputRequired, Length, ValidationError

from consult import access
from consult.accounts import people
from consult.documents import everything as pages
from consult.proforma.days import may_mean
from consult.record import identity, lists, merging, own, reading
from consult.web import guard
from consult.web.context import inst, name_of, person, who
from consult.web.desk import listed_employees, viewed_employee
from consult.web.forms import BritishDate, clean, typed
from consult.web.needing import words

bp = Blueprint("employees", __name__, url_prefix="/employees")
OLDEST = 120


def _shown(text: str | None) -> str | None:
    return clean(text) if text else text


class RegisterForm(Form):
    """Who the employee is."""

    name = StringField(
        "Full name",
        [
            DataRequired("Enter the employee's full name."),
            Length(max=identity.LONGEST_NAME, message=f"Shorten the name to {identity.LONGEST_NAME} characters."),
        ],
        filters=[_shown],
    )
    date_of_birth = BritishDate(
        "Enter the date of birth as day, month and year.", validators=[InputRequired("Enter the date of birth.")]
    )
    local_number = StringField(
        "Local number", [Length(max=40, message="Shorten the local number to 40 characters.")], filters=[_shown]
    )

    def validate_date_of_birth(self, field: BritishDate) -> None:
        """A date of birth lies in the past, and not further back than a long life."""
        today = inst().store.clock().astimezone().date()
        if field.data and not date(today.year - OLDEST, 1, 1) <= field.data < today:
            raise ValidationError("Check the date of birth: it must be in the past, within 120 years.")


@bp.route("", methods=["GET", "POST"])
def search() -> str:
    """Find employees by name, date of birth or local number; what was searched for stays out of the address."""
    words = typed("words")
    conn = inst().db.read()
    found, own_record = identity.find(conn, words) if words else [], own.of_person(conn, person().id)
    listed_employees((one.id for one in found), "search")
    return render_template(
        "employees/search.html",
        words=words,
        found=found,
        own=own_record,
        most=identity.MOST_FOUND,
        part_of_date=any(c.isdigit() for c in words) and not may_mean(words),
        known=_known_of(words),
    )


def _known_of(words: str) -> dict[str, str]:
    """What is known of an employee who is searched for, by the field of the form that registers one."""
    if days := may_mean(words):
        day = days[0]
        return {"date_of_birth": day.isoformat() if len(days) == 1 else f"{day.day}/{day.month}/{day:%y}"}
    return {"local_number" if any(c.isdigit() for c in words) else "name": words}


@bp.route("/new", methods=["GET", "POST"])
def register() -> Response | str | tuple[str, int]:
    """Register an employee, after those who may be the same person have been shown."""
    form = RegisterForm(request.form)
    alike: list[identity.Employee] = []
    if request.method == "POST" and request.form.get("go") and form.validate():
        name, born, number = form.name.data, form.date_of_birth.data, form.local_number.data or ""
        if name is None or born is None:
            raise ValueError("the form has required both")
        alike = identity.near_duplicates(inst().db.read(), name, born, number)
        if any(guard.is_own(one.id) for one in alike):
            return guard.refuse_own()
        if not alike or request.form.get("go") == "another":
            employee = inst().store.register(name, born, number, who())
            return redirect(url_for("employees.show", employee_id=employee.id))
        listed_employees((one.id for one in alike), "alike")
    problems = [(name, str(said[0])) for name, said in form.errors.items() if isinstance(said, list)]
    page = render_template("employees/register.html", form=form, alike=alike, problems=problems)
    return (page, 422) if form.errors else page


@bp.get("/<employee_id>")
def show(employee_id: str) -> Response | str:
    """One employee: start a consultation, and the earlier ones (their answers are never copied)."""
    employee = identity.employee(inst().db.read(), employee_id)
    if employee is None:
        abort(404)
    if employee.id != employee_id:  # entered twice: the other entry is kept
        return redirect(url_for("employees.show", employee_id=employee.id))
    viewed_employee(employee.id)
    return page_of(employee)


@bp.route("/<employee_id>/everything", methods=["GET", "POST"])
def everything(employee_id: str) -> Response | str | tuple[str, int]:
    """Everything held about an employee who asks for it, as a page or as data; asked first who asked, and when."""
    employee = identity.employee(inst().db.read(), employee_id)
    if employee is None:
        abort(404)
    form, reason = request.form.get("form", "html"), typed("reason")
    if request.method != "POST" or len(reason) < access.SHORTEST_REASON or form not in ("html", "json"):
        problem = "Say who asked for it, and when." if request.method == "POST" else ""
        viewed_employee(employee.id)
        page = render_template("employees/everything_ask.html", employee=employee, problem=problem)
        return (page, 422) if problem else page
    made = access.everything(inst(), employee.id, reason, form, person().id, person().role)
    if form == "json":
        headers = {"Content-Disposition": 'attachment; filename="everything.json"'}
        return Response(access.as_json(made), mimetype="application/json", headers=headers)
    back = url_for("employees.show", employee_id=employee.id)
    return pages.html(made, url_for("static", filename="everything.css"), back)


def page_of(employee: identity.Employee, problem: str = "", wrong: str = "", on_paper: bool = False) -> str:
    """The page of an employee; `problem` says why nothing was begun, or of a form of paper why it is not entered."""
    conn = inst().db.read()
    return render_template(
        "employees/show.html",
        employee=employee,
        earlier=lists.of_employee(inst().db.read(), employee.id),
        why_not=inst().why_no_live(person().site),
        problem=problem,
        wrong=wrong,
        on_paper=on_paper,
        need=reading.need(inst().db.read(), employee.id),
        reading_words=words(),
        need_answers=reading.ANSWERS,
        merged=[entry for id_ in merging.ids_of(conn, employee.id)[1:] if (entry := identity.entered(conn, id_))],
        persons=[name_of(one) for one in own.persons_of(conn, employee.id)],
        everybody=people.people(conn),
        same_name=identity.fold_name(person().name) == identity.fold_name(employee.name),
    )
