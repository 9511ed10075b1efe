"""One's own account: password, second factor, and the sessions that are open."""

from __future__ import annotations

from flask import Blueprint, current_app, g, make_response, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from consult.accounts import factors, people, sessions
from consult.accounts.people import PersonRefused
from consult.accounts.sessions import SignInRefused
from consult.documents.qr import drawn
from consult.web import browsers, noting
from consult.web.context import inst, person
from consult.web.visit import keep_token, renewed

bp = Blueprint("account", __name__, url_prefix="/account")
NOT_YOUR_PASSWORD = "That is not your password now; try again."  # noqa: S105 - a sentence


@bp.get("")
def show() -> str:
    """Password, second factor and sessions of whoever is signed in."""
    return _page()


def _page(problem: str = "", at: str = "") -> str:
    conn = inst().db.read()
    return render_template(
        "account/show.html",
        problem=problem,
        at=at,
        owes=g.visit.owes,
        has_factor=factors.has(conn, person().id),
        codes_left=factors.codes_left(conn, person().id),
        needed=person().role in factors.required(conn),
        sessions=sessions.of_person(conn, person().id, inst().store.clock()),
        here=g.visit.id,
    )


def _own(password: str) -> None:
    """Refuse what is not done by whoever is signed in, as their password says; with it the session has a new token."""
    now = inst().store.clock()
    if not sessions.is_own_password(inst().db, person(), password, now):
        noting.note("password_wrong")
        raise SignInRefused(NOT_YOUR_PASSWORD)
    with inst().db.write() as conn:
        new_token = sessions.renew(conn, g.visit, now)
    if not new_token:
        raise SignInRefused(sessions.ENDED)
    renewed(new_token, now)


@bp.post("/password")
def password() -> Response | tuple[str, int]:
    """Change one's password: every other session ends, and this one gets a new token."""
    now = inst().store.clock()
    try:
        _own(request.form.get("current", ""))
        if request.form.get("new", "") != request.form.get("again", ""):
            raise PersonRefused("The new password was not typed the same twice; type it again.")
        if request.form.get("new", "") == request.form.get("current", ""):
            raise PersonRefused("The new password is the one you have; choose another.")
        with inst().db.write() as conn:
            people.change_password(conn, person().id, request.form.get("new", ""), person().id, inst().store.at())
            new_token = sessions.create(conn, person().id, now, browsers.kind())
    except (PersonRefused, SignInRefused) as refusal:
        return _page(str(refusal), "password"), 422
    session.pop("looked", None)
    return keep_token(redirect(url_for("account.show", done="password")), new_token)


@bp.post("/second-factor")
def factor() -> Response | str | tuple[str, int]:
    """Set a second factor up, in two steps, or take it away where one's role needs none."""
    act = request.form.get("act", "")
    try:
        if act == "confirm":
            return _confirmed()
        _own(request.form.get("password", ""))
        if act == "remove":
            return _removed()
        with inst().db.write() as conn:
            secret = factors.begin(conn, person().id)
    except (PersonRefused, SignInRefused) as refusal:
        return _page(str(refusal), "factor"), 422
    return _enrolling(secret)


def _enrolling(secret: str, problem: str = "") -> str:
    address = factors.address(secret, person().username)
    return render_template("account/factor.html", secret=secret, picture=drawn(address), problem=problem)


def _confirmed() -> Response | str | tuple[str, int]:
    """The code was typed: the factor is in use, this session has a new token, and the recovery codes are shown."""
    now = inst().store.clock()
    try:
        with inst().db.write() as conn:
            secret = factors.pending(conn, person().id)
            typed, at = request.form.get("code", ""), inst().store.at()
            codes = factors.confirm(conn, person().id, typed, now, person().id, at)
            sessions.settle(conn, g.visit)
            people.end_all(conn, person().id, but=g.visit.token_hash)
            new_token = sessions.renew(conn, g.visit, now)
    except PersonRefused as refusal:
        if not secret:
            raise
        return _enrolling(secret, str(refusal)), 422
    g.visit = sessions.lookup(inst().db.read(), new_token, now)
    return keep_token(make_response(render_template("account/codes.html", codes=codes)), new_token)


def _removed() -> Response:
    if person().role in factors.required(inst().db.read()):
        raise PersonRefused("Your role needs a second factor; set up a new one in its place.")
    with inst().db.write() as conn:
        factors.remove(conn, person().id, person().id, inst().store.at())
    current_app.logger.info("A second factor was removed by %s", person().id)
    return redirect(url_for("account.show", done="removed"))


@bp.post("/recovery-codes")
def codes() -> str | tuple[str, int]:
    """Make new recovery codes in the place of those there are, and show them once."""
    try:
        _own(request.form.get("password", ""))
        with inst().db.write() as conn:
            made = factors.renew_codes(conn, person().id, person().id, inst().store.at())
    except (PersonRefused, SignInRefused) as refusal:
        return _page(str(refusal), "factor"), 422
    return render_template("account/codes.html", codes=made)


@bp.post("/sessions", endpoint="sessions")
def end_sessions() -> Response | tuple[str, int]:
    """End one of one's sessions, or all but this one, given the password: whoever finds a screen open ends nothing."""
    one = request.form.get("session", "")
    try:
        _own(request.form.get("password", ""))
    except SignInRefused as refusal:
        return _page(str(refusal), "sessions"), 422
    with inst().db.write() as conn:
        if request.form.get("others"):
            people.end_all(conn, person().id, but=g.visit.token_hash)
        elif one:
            sessions.end_one(conn, person().id, one)
    return redirect(url_for("account.show", done="sessions", _anchor="sessions"))
